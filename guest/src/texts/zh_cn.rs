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
        Text::PairHint => {
            "这个机器人只为配对过的人服务。请向它的主人索取 6 位配对码，然后发送：/bind 配对码\n发送 /whoami 可以查看您的 OpenID。"
        }
        Text::PairInPrivate => "请私聊我来配对。",
        Text::PairUsage => "请这样写：/bind 123456（换成您的 6 位配对码）",
        Text::PairWrong => "配对码不对，还可以再试 {left} 次。",
        Text::PairLocked => "试错的次数太多了，请 {minutes} 分钟后再试。",
        Text::PairTooShort => {
            "有人在反复猜配对码，6 位短码已停用。请向机器人的主人索取完整的 12 位配对码，再用 /bind 发送。"
        }
        Text::PairNoCode => "现在没有有效的配对码，请让机器人的主人生成一个新的。",
        Text::PairFull => "配对的人已经太多了，请告诉机器人的主人。",
        Text::Paired => "配对成功，现在可以和我对话了。发送 /help 查看命令。",
        Text::PairedOwner => {
            "配对成功，您是我的主人。以后有人想和我对话时，我会来问您。发送 /help 查看命令。"
        }
        Text::PairedBefore => "您已经配对过了。",
        Text::AskOwner => "有人想和我对话：{who}",
        Text::AskOwnerHow => {
            "请在服务器上执行 prx channel pair {name} approve {id} 或 prx channel pair {name} deny {id}。"
        }
        Text::Approve => "同意",
        Text::Approved => "已同意",
        Text::Deny => "拒绝",
        Text::Denied => "已拒绝",
        Text::AskApproved => "已同意：{who}",
        Text::AskDenied => "已拒绝：{who}",
        Text::Whoami => "场景：{scene}\nOpenID：{id}",
        Text::WhoamiHere => "allowed_users 里可以写（选一行）：",
        Text::HelpHead => "可以使用的命令：",
        Text::HelpHelp => "查看命令",
        Text::HelpWhoami => "查看您的 OpenID",
        Text::HelpNew => "忘掉之前的内容，重新开始",
        Text::HelpStop => "停止正在处理的消息",
        Text::HelpStatus => "查看机器人的状态",
        Text::HelpBind => "用配对码配对",
        Text::HelpAllow => "允许",
        Text::HelpDeny => "拒绝",
        Text::NothingToStop => "现在没有正在处理的消息。",
        Text::Stopped => "已停止。",
        Text::BegunAnew => "好的，我们重新开始。",
        Text::Status => {
            "连接正常，已持续 {minutes} 分钟\n您的消息：正在处理 {working} 条，排队 {waiting} 条\n这条消息还可以回复 {left} 次"
        }
        Text::Allow => "允许",
        Text::Allowed => "已允许",
        Text::ApprovalHow => "回复 /allow 允许，回复 /deny 拒绝。",
        Text::WasAllowed => "已允许。",
        Text::WasDenied => "已拒绝。",
    }
}
