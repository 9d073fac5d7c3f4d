//! The bot in the same process: the one place where it and the emulator meet.
//!
//! They meet over sockets only. The bot is given what any operator would write: app id, secret,
//! `api_base` and `token_url`, in a file of its own.

use anyhow::Context as _;
use prx::Running;
use qq_emulator::shell::Urls;
use tokio::sync::mpsc::{self, Sender};

/// Starts the built-in bot against an emulator, as `(app id, secret)`. How it is, is printed. What is
/// sent to the answer ends it and starts it again from what it stored; dropping that ends it.
pub(crate) async fn start(urls: &Urls, bot: &(String, String)) -> anyhow::Result<Sender<()>> {
    let (app_id, secret) = bot;
    let state = tempfile::tempdir().context("no folder for the bot")?;
    let config = state.path().join("channels.toml");
    std::fs::write(&config, table(urls, app_id, secret)).context("the bot's configuration")?;
    let mut running = Running::start(&config).await?;
    let (restart, mut wishes) = mpsc::channel(1);
    tokio::spawn(async move {
        // Kept until the end: the bot's store is in it.
        let _state = state;
        tell(&running);
        while wishes.recv().await.is_some() {
            running.stop().await;
            running = match Running::start(&config).await {
                Ok(running) => running,
                Err(error) => return println!("(bot: it does not start again: {error:#})"),
            };
            tell(&running);
        }
    });
    Ok(restart)
}

/// Prints how the bot is, whenever that changes.
fn tell(running: &Running) {
    for channel in running.channels() {
        let mut health = channel.health();
        tokio::spawn(async move {
            while health.changed().await.is_ok() {
                let now = health.borrow_and_update().clone();
                let fix = now.fix.map(|fix| format!(" {fix}")).unwrap_or_default();
                println!("(bot: {}.{fix})", now.summary);
            }
        });
    }
}

/// The operator's file. Debug output of a string is a valid TOML string for what ids and URLs hold.
fn table(urls: &Urls, app_id: &str, secret: &str) -> String {
    format!(
        "[channels_config.qq]\napp_id = {app_id:?}\napp_secret = {secret:?}\n\
         api_base = {:?}\ntoken_url = {:?}\nallowed_users = [\"*\"]\n\
         intents = [\"guilds\", \"guild_message_reactions\", \"direct_messages\", \"group_and_c2c\", \"interaction\", \
         \"message_audit\", \"public_guild_messages\"]\nstream_mode = \"stream\"\nack_reactions = true\n",
        urls.api_base, urls.token_url
    )
}
