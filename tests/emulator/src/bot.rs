//! The bot in the same process: the one place where it and the emulator meet.
//!
//! They meet over sockets only. The bot is given what any operator would write: app id, secret,
//! `api_base` and `token_url`, in a file of its own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use prx::Running;
use qq_emulator::Emulator;
use qq_emulator::ids::AppId;
use qq_emulator::shell::{BotControl, Manner, Said, Urls};
use tokio::sync::{mpsc, oneshot};

mod recording;

use recording::Kept;

/// The channel in its configuration.
const CHANNEL: &str = "qq";

/// What is asked of the bot, and where the answer goes.
#[derive(Debug)]
enum Wish {
    Restart(Answer),
    Manner(Manner, Answer),
    Swap(Vec<u8>, Answer),
}

type Answer = oneshot::Sender<Result<String, String>>;

/// A way to the bot. It ends when the last one is dropped.
#[derive(Debug)]
struct Inside {
    app_id: AppId,
    wishes: mpsc::Sender<Wish>,
    kept: Kept,
    manner: Mutex<Manner>,
}

impl BotControl for Inside {
    fn app_id(&self) -> &AppId {
        &self.app_id
    }

    fn restart(&self) -> Said<'_> {
        self.ask(Wish::Restart)
    }

    fn swap(&self, component: Vec<u8>) -> Said<'_> {
        self.ask(|answer| Wish::Swap(component, answer))
    }

    fn manner(&self) -> Option<Manner> {
        Some(*self.manner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_manner(&self, manner: Manner) -> Said<'_> {
        Box::pin(async move {
            let said = self.ask(|answer| Wish::Manner(manner, answer)).await?;
            *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
            Ok(said)
        })
    }

    fn trace(&self) -> Said<'_> {
        Box::pin(std::future::ready(self.kept.text()))
    }

    fn can_swap(&self) -> bool {
        true
    }
}

impl Inside {
    fn ask<'a>(&'a self, wish: impl FnOnce(Answer) -> Wish + Send + 'a) -> Said<'a> {
        Box::pin(async {
            let (answer, answered) = oneshot::channel();
            let gone = || "the bot has ended".to_owned();
            let asked = self.wishes.send(wish(answer)).await;
            asked.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        })
    }
}

/// Starts the built-in bot against an emulator, as `(app id, secret)`. How it is, is printed.
pub(crate) async fn start(
    emulator: &Emulator,
    bot: &(String, String),
) -> anyhow::Result<Arc<dyn BotControl>> {
    let (app_id, _) = bot;
    let state = private_folder().context("no folder for the bot")?;
    let config = state.path().join("channels.toml");
    let manner = Manner::Stream;
    let urls = emulator.urls().clone();
    let (id, key) = bot.clone();
    let write = move |to: &Path, manner| write_private(to, &table(&urls, &id, &key, manner));
    write(&config, manner).context("the bot's configuration")?;
    let mut running = Running::start(&config).await?;
    let (wishes, mut asked) = mpsc::channel(1);
    let kept = Kept::default();
    let keeping = kept.clone();
    tokio::spawn(async move {
        // Kept until the end: the bot's store is in it.
        let _state = state;
        tell(&running);
        keeping.begin(&running);
        while let Some(wish) = asked.recv().await {
            let answer = match wish {
                Wish::Restart(answer) => answer,
                Wish::Manner(manner, answer) => match write(&config, manner) {
                    Ok(()) => answer,
                    Err(error) => {
                        answer.send(Err(error.to_string())).ok();
                        continue;
                    }
                },
                Wish::Swap(component, answer) => {
                    let outcome = running.swap(CHANNEL, &component).await;
                    // Whoever asked may have gone.
                    answer.send(outcome).ok();
                    continue;
                }
            };
            running.stop().await;
            running = match Running::start(&config).await {
                Ok(running) => running,
                Err(error) => {
                    let why = format!("it does not start again: {error:#}");
                    println!("(bot: {why})");
                    answer.send(Err(why)).ok();
                    return;
                }
            };
            tell(&running);
            keeping.begin(&running);
            answer.send(Ok("started again".to_owned())).ok();
        }
    });
    let app_id = AppId::from(app_id.as_str());
    let inside: Arc<dyn BotControl> = Arc::new(Inside {
        app_id,
        wishes,
        kept,
        manner: Mutex::new(manner),
    });
    emulator.offer(Arc::clone(&inside));
    Ok(inside)
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
fn table(urls: &Urls, app_id: &str, secret: &str, manner: Manner) -> String {
    let manner = match manner {
        Manner::None => "none",
        Manner::Typing => "typing",
        Manner::Stream => "stream",
    };
    format!(
        "[channels_config.{CHANNEL}]\napp_id = {app_id:?}\napp_secret = {secret:?}\n\
         api_base = {:?}\ntoken_url = {:?}\nallowed_users = [\"*\"]\n\
         intents = [\"guilds\", \"guild_message_reactions\", \"direct_messages\", \"group_and_c2c\", \"interaction\", \
         \"message_audit\", \"public_guild_messages\"]\nstream_mode = {manner:?}\nack_reactions = true\n",
        urls.api_base, urls.token_url
    )
}

/// Writes a file with a secret in it.
fn write_private(to: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut open = std::fs::OpenOptions::new();
    let open = open.write(true).create(true).truncate(true).mode(0o600);
    open.open(to)?.write_all(text.as_bytes())
}

/// A folder for this process, which nobody else can write whatever the umask is: a state directory has to be in one.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let own = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(own).tempdir()
}
