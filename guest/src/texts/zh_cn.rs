//! Simplified Chinese.

use super::Text;

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::Cut => "\n\n（后面的内容已省略：QQ 对一条消息的回复次数有限。）",
        Text::AgentFailed => "抱歉，处理这条消息时出错了，请再试一次。",
        Text::TookTooLong => {
            "抱歉，这个问题花的时间超过了 QQ 允许的回复时间，请再问一次，或者拆成几步来问。"
        }
        Text::TooMany => "您已经有好几条消息在排队了，请稍等一下。",
    }
}
