//! Simplified Chinese.

use super::Text;

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::Cut => "\n\n（后面的内容已省略：QQ 对一条消息的回复次数有限。）",
        Text::AgentFailed => "抱歉，处理这条消息时出错了，请再试一次。",
        Text::TookTooLong => {
            "抱歉，这个问题花的时间超过了 QQ 允许的回复时间，请再问一次，或者拆成几步来问。"
        }
        Text::Refused => "有一部分回答没有通过 QQ 的审核，未能发出。",
        Text::AiNotice => "【本回答由 AI 生成】",
        Text::AnswerFile => "完整回答.md",
        Text::TooMany => "您已经有好几条消息在排队了，请稍等一下。",
    }
}
