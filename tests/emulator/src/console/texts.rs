//! What the terminal says, in English and Chinese.

use super::command::CommandError;
use crate::shell::Urls;

/// The language of the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese.
    Chinese,
}

const HELP_EN: &str = "\
A plain line is a message of the current user (in a group: with an @ of the bot).
  :as c2c NAME            be NAME in the 1:1 chat
  :as group NAME [USER]   be in the group NAME
  :as channel GUILD/CHANNEL [USER], :as dm NAME [GUILD]   be in a guild
  :aside TEXT             say something in the group or channel without a mention
  :attach PATH [TEXT]     send a file of this machine
  :press BUTTON           press a button of the newest message that has some
  :react FACE             react to the bot in a channel: 277, or 2/128077 for an emoji
  :audit pass|reject      decide the oldest audit;  :mute, :unmute  the bot in a group
  :add, :remove           add or remove the bot, as a friend or in the group
  :reject, :accept        switch proactive messages off or on
  :mode MODE              what the bot hears in the group: only_mention, mention_and_context, all
  :fault NAME             let something go wrong, e.g. :fault drop, :fault 429 x3
  :faults [clear]         what can go wrong, and what waits; or take it back
  :clock +5m              move the clock ahead
  :wait [10s]             wait until everything is answered
  :log [N], :state, :violations
  :restart                end the built-in bot and start it again, after it has stopped
  :help, :quit            (a message that begins with a colon: write two)";

const HELP_ZH: &str = "\
直接输入一行，就是当前用户发的消息（在群里等于 @机器人）。
  :as c2c 名字            以此用户身份单聊
  :as group 群名 [用户]   进入这个群
  :as channel 频道/子频道 [用户]、:as dm 用户 [频道]       进入频道或私信
  :aside 文字             在群或子频道里说话，但不 @机器人
  :attach 路径 [文字]     发送本机上的文件
  :press 按钮             点击最近一条带按钮的消息
  :react 表情             在子频道给机器人的消息贴表情：277，或 2/128077
  :audit pass|reject      审核最早的一条；  :mute、:unmute  群内禁言机器人
  :add、:remove           添加或移除机器人（好友或群）
  :reject、:accept        关闭或打开主动消息
  :mode 模式              群内推送：only_mention、mention_and_context、all
  :fault 名称             制造故障，如 :fault drop、:fault 429 x3
  :faults [clear]         可用的故障和等待中的故障；clear 全部撤销
  :clock +5m              把时钟拨快
  :wait [10s]             等到所有消息都有回复
  :log [N]、:state、:violations
  :restart                机器人停下之后，重新启动内置的机器人
  :help、:quit            （消息以冒号开头时，写两个冒号）";

impl Language {
    /// The language of a locale such as `zh_CN.UTF-8`; English if it is another or none.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        if locale.starts_with("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::English => HELP_EN,
            Self::Chinese => HELP_ZH,
        }
    }

    pub(super) fn explain(self, error: &CommandError) -> String {
        match (self, error) {
            (Self::English, CommandError::Unknown(_)) => format!("{error}; :help lists them"),
            (Self::Chinese, CommandError::Unknown(name)) => {
                format!("没有 :{name} 这个命令，输入 :help 查看")
            }
            (Self::English, CommandError::Fault(_)) => format!("{error}; :faults lists them"),
            (Self::Chinese, CommandError::Fault(_)) => format!("{error}（:faults 列出全部）"),
            (Self::English, CommandError::Usage(_)) => error.to_string(),
            (Self::Chinese, CommandError::Usage(form)) => format!("用法：{form}"),
        }
    }

    pub(super) fn typing(self) -> &'static str {
        self.either("is typing…", "正在输入…")
    }

    pub(super) fn proactive(self) -> &'static str {
        self.either("  (proactive)", "  （主动消息）")
    }

    pub(super) fn answers_event(self) -> &'static str {
        self.either("  (answers an event)", "  （回复事件）")
    }

    pub(super) fn hidden(self) -> &'static str {
        self.either("  (moderated: nobody sees it)", "  （被风控：没有人看到）")
    }

    pub(super) fn unheard(self) -> &'static str {
        self.either(
            "(no bot has a session: nobody will hear this)",
            "（没有机器人在线，也没有可恢复的会话：这条不会送达）",
        )
    }

    pub(super) fn fault_suffixes(self) -> &'static str {
        self.either(
            "  … xN: the next N times;  … at post|gateway|token|upload|storage|ack|any: which request",
            "  … xN：接下来 N 次；  … at post|gateway|token|upload|storage|ack|any：哪一种请求",
        )
    }

    pub(super) fn waiting(self) -> &'static str {
        self.either("waiting:", "等待中：")
    }

    pub(super) fn only_in_groups(self) -> &'static str {
        self.either(
            "only in a group (:as group NAME)",
            "只能在群里用（:as group 群名）",
        )
    }

    pub(super) fn greeting(self, urls: &Urls, bots: &[(String, String)]) -> String {
        let title = self.either(
            "QQ in a box. Point any bot here:",
            "盒子里的 QQ。把任意机器人指向这里：",
        );
        let chat = self.either("Chat in your browser:", "在浏览器里聊天：");
        let mut lines = vec![format!("{chat} {}", urls.page), title.to_owned()];
        for (app, secret) in bots {
            lines.push(format!("  app_id     {app}"));
            lines.push(format!("  app_secret {secret}"));
        }
        lines.push(format!("  api_base   {}", urls.api_base));
        lines.push(format!("  token_url  {}", urls.token_url));
        lines.push(format!("  gateway    {}", urls.gateway_url));
        lines.push(format!("  control    {}", urls.control_base));
        lines.push(
            self.either(
                "Type a message, or :help.",
                "输入一条消息，或 :help 查看帮助。",
            )
            .to_owned(),
        );
        lines.join("\n")
    }

    fn either(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_chooses_the_language() {
        assert_eq!(Language::of_locale("zh_CN.UTF-8"), Language::Chinese);
        assert_eq!(Language::of_locale("C"), Language::English);
        assert_eq!(HELP_EN.lines().count(), HELP_ZH.lines().count());
    }
}
