//! The bot in the same process: the one place where it and the emulator meet.
//!
//! They meet over sockets only. The bot is given what any operator would write: app id, secret,
//! `api_base` and `token_url`, in a file of its own.

use anyhow::Context as _;
use prx::Running;
use qq_emulator::shell::Urls;

/// A running bot; it stops when this is dropped, and what it stored is gone with it.
#[derive(Debug)]
pub(crate) struct RunningBot {
    _running: Running,
    _state: tempfile::TempDir,
}

/// Starts the built-in bot against an emulator, as `(app id, secret)`. How it is, is printed.
pub(crate) async fn start(
    urls: &Urls,
    bot: Option<&(String, String)>,
) -> anyhow::Result<Option<RunningBot>> {
    let Some((app_id, secret)) = bot else {
        return Ok(None);
    };
    let state = tempfile::tempdir().context("no folder for the bot")?;
    let config = state.path().join("channels.toml");
    std::fs::write(&config, table(urls, app_id, secret)).context("the bot's configuration")?;
    let running = Running::start(&config).await?;
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
    Ok(Some(RunningBot {
        _running: running,
        _state: state,
    }))
}

/// The operator's file. Debug output of a string is a valid TOML string for what ids and URLs hold.
fn table(urls: &Urls, app_id: &str, secret: &str) -> String {
    format!(
        "[channels_config.qq]\napp_id = {app_id:?}\napp_secret = {secret:?}\n\
         api_base = {:?}\ntoken_url = {:?}\nallowed_users = [\"*\"]\n\
         intents = [\"group_and_c2c\", \"public_guild_messages\", \"direct_messages\"]\n",
        urls.api_base, urls.token_url
    )
}
