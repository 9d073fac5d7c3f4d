//! An echo bot with botrs. Its hosts are constants; in the copy that is built here they begin with `http:` in place of
//! `https:`, and the emulator is the proxy for them.

use botrs::models::message::{
    C2CMessageParams, DirectMessageParams, GroupMessageParams, MarkdownPayload, MessageParams,
};
use botrs::{
    BotError, C2CMessage, Client, Context, EventHandler, GroupMessage, Intents, Message, Token,
};
use tracing_subscriber::filter::LevelFilter;

const IMAGE: u32 = 1;

struct Echo {
    picture: String,
    /// Measured, not watched: nothing is printed for a message.
    quiet: bool,
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn report<T>(sent: Result<T, BotError>) {
    if let Err(error) = sent {
        println!("FAILED: {error}");
    }
}

fn markdown() -> Option<MarkdownPayload> {
    Some(MarkdownPayload {
        content: Some("# markdown\n**bold**".to_owned()),
        ..Default::default()
    })
}

#[async_trait::async_trait]
impl EventHandler for Echo {
    async fn c2c_message_create(&self, ctx: Context, message: C2CMessage) {
        let text = message.content.unwrap_or_default().trim().to_owned();
        let author = message.author.unwrap_or_default();
        let openid = author.user_openid.unwrap_or_default();
        if !self.quiet {
            println!("heard: {text}");
        }
        let mut params = C2CMessageParams {
            msg_id: message.id,
            ..Default::default()
        };
        match text.as_str() {
            "/markdown" => (params.msg_type, params.markdown) = (2, markdown()),
            "/media" => match ctx.post_c2c_file(&openid, IMAGE, &self.picture, None).await {
                Ok(media) => (params.msg_type, params.media) = (7, Some(media)),
                Err(error) => return report::<()>(Err(error)),
            },
            _ => params.content = Some(format!("echo: {text}")),
        }
        report(ctx.send_c2c_message(&openid, params).await);
    }

    async fn group_message_create(&self, ctx: Context, message: GroupMessage) {
        let text = message.content.unwrap_or_default().trim().to_owned();
        let openid = message.group_openid.unwrap_or_default();
        let mut params = GroupMessageParams {
            msg_id: message.id,
            ..Default::default()
        };
        match text.as_str() {
            "/markdown" => (params.msg_type, params.markdown) = (2, markdown()),
            "/media" => match ctx
                .post_group_file(&openid, IMAGE, &self.picture, None)
                .await
            {
                Ok(media) => (params.msg_type, params.media) = (7, Some(media)),
                Err(error) => return report::<()>(Err(error)),
            },
            _ => params.content = Some(format!("echo: {text}")),
        }
        report(ctx.send_group_message(&openid, params).await);
    }

    async fn message_create(&self, ctx: Context, message: Message) {
        let text = message.content.unwrap_or_default();
        let text = text.rsplit('>').next().unwrap_or_default().trim();
        let media = text == "/media";
        let params = MessageParams {
            msg_id: message.id,
            image: media.then(|| self.picture.clone()),
            content: (!media).then(|| format!("echo: {text}")),
            ..Default::default()
        };
        let channel = message.channel_id.unwrap_or_default();
        report(ctx.send_message(&channel, params).await);
    }

    async fn direct_message_create(&self, ctx: Context, message: Message) {
        let text = message.content.unwrap_or_default().trim().to_owned();
        let media = text == "/media";
        let params = DirectMessageParams {
            msg_id: message.id,
            image: media.then(|| self.picture.clone()),
            content: (!media).then(|| format!("echo: {text}")),
            ..Default::default()
        };
        let guild = message.guild_id.unwrap_or_default();
        report(ctx.send_direct_message(&guild, params).await);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let quiet = std::env::var_os("INTEROP_QUIET").is_some();
    let level = if quiet {
        LevelFilter::WARN
    } else {
        LevelFilter::DEBUG
    };
    tracing_subscriber::fmt().with_max_level(level).init();
    let wanted = [
        Intents::GUILDS,
        Intents::GUILD_MEMBERS,
        Intents::GUILD_MESSAGE_REACTIONS,
        Intents::DIRECT_MESSAGE,
        Intents::OPEN_FORUM_EVENT,
        Intents::AUDIO_OR_LIVE_CHANNEL_MEMBER,
        Intents::PUBLIC_MESSAGES,
        Intents::INTERACTION,
        Intents::MESSAGE_AUDIT,
        Intents::AUDIO_ACTION,
        Intents::PUBLIC_GUILD_MESSAGES,
    ];
    let intents = wanted
        .iter()
        .fold(Intents::new(), |all, bit| all.with_intent(*bit));
    let token = Token::new(env("INTEROP_APP_ID"), env("INTEROP_SECRET"));
    let echo = Echo {
        picture: env("INTEROP_PICTURE"),
        quiet,
    };
    Client::new(token, intents, echo, false)?.start().await?;
    Ok(())
}
