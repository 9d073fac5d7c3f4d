//! The bot in the same process: the one place where it and the emulator meet.
//!
//! They meet over sockets only. The bot is given what any operator would write: app id, secret,
//! `api_base` and `token_url`.

use qq_emulator::shell::Urls;

/// A running bot; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct RunningBot;

/// Starts the built-in bot against an emulator, as `(app id, secret)`.
///
/// This build has none yet: it says so and starts nothing.
#[allow(clippy::unused_async, reason = "starting a bot opens sockets")]
pub(crate) async fn start(
    _urls: &Urls,
    _bot: Option<&(String, String)>,
) -> anyhow::Result<Option<RunningBot>> {
    eprintln!("(no bot is built in yet: point one at the addresses above)");
    Ok(None)
}
