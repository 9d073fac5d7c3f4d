//! The agent as the host sees it: requests in, one task per turn.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prx_host::agent::{AgentAsk, AgentLine, AgentPort};
use prx_host::bindings::v0_1::{TurnBegin, TurnCancel, TurnContext, TurnId};
use prx_host::drivers::network::{Network, NetworkError};
use prx_host::store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::config::{AgentConfig, Mind};
use crate::history::archive::{Archive, Row};
use crate::history::{History, Key, Source};
use crate::media::MediaFolder;
use crate::openai::OpenAi;
use crate::program::Program;
use crate::prompt;
use crate::seats::Seats;
use crate::tools::{Questions, Tools};
use crate::turn::{Answerer, Turn};

/// The agent cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The client for the model's server.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The media folder.
    #[error("the media folder {dir} cannot be used: {cause}; or set [agent] media_dir")]
    MediaDir {
        /// The folder.
        dir: String,
        /// Why.
        cause: String,
    },
    /// The histories.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What all turns share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) answerer: Answerer,
    pub(crate) time_limit: Duration,
    pub(crate) seats: Seats,
    pub(crate) media: Option<Arc<MediaFolder>>,
    pub(crate) tools: Tools,
    pub(crate) questions: Questions,
    history: Mutex<History>,
}

impl Shared {
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        locked(&self.history)
    }
}

/// The agent of a process. One serves all channels.
#[derive(Debug)]
pub struct Agent {
    shared: Arc<Shared>,
    lines: Mutex<BTreeMap<String, AgentLine>>,
    running: Arc<Mutex<BTreeMap<Running, CancellationToken>>>,
}

/// A turn of a channel: different channels allot the same ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    channel: String,
    turn: TurnId,
    attempt: u32,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agent {
    /// An agent as configured.
    ///
    /// # Errors
    /// The client for the model's server cannot be set up, or the media folder or the file of the
    /// histories cannot be used.
    pub fn new(config: &AgentConfig, network: &Network) -> Result<Self, AgentError> {
        let answerer = match &config.mind {
            Mind::Echo => Answerer::Echo,
            Mind::OpenAi(openai) => Answerer::OpenAi {
                endpoint: Box::new(OpenAi::new(openai, network)?),
                system_prompt: openai.system_prompt.clone(),
                images: openai.images,
            },
            Mind::Command(command) => Answerer::Command {
                program: Program {
                    command: command.command.clone(),
                    env: command.env.clone(),
                    // Where the media folder's paths mean something to people, too.
                    dir: working_dir(config),
                },
                system_prompt: command.system_prompt.clone(),
            },
        };
        let media = config.media_dir.as_deref().map(media_folder).transpose()?;
        let media = media.flatten();
        let retention = config.history.retention;
        let histories = match &config.state_dir {
            Some(dir) => archive(dir, retention)?,
            None => (Archive::none(), Vec::new()),
        };
        Ok(Self::with(answerer, config, media, histories))
    }

    /// The echo agent, which needs no network. Without a media folder, it sends no files.
    pub fn echo() -> Self {
        let histories = (Archive::none(), Vec::new());
        Self::with(Answerer::Echo, &quick(), None, histories)
    }

    /// The echo agent with a media folder.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn echo_with_media(dir: &Path) -> Result<Self, AgentError> {
        let media = media_folder(dir)?;
        let config = quick();
        let histories = (Archive::none(), Vec::new());
        Ok(Self::with(Answerer::Echo, &config, media, histories))
    }

    /// Waits until what was said is written down, or for so long; false when it is not. Whoever ends
    /// the process asks for it.
    pub fn flush(&self, patience: Duration) -> bool {
        let archive = self.shared.history().archive();
        archive.flush(patience)
    }

    fn with(
        answerer: Answerer,
        config: &AgentConfig,
        media: Option<Arc<MediaFolder>>,
        (archive, remembered): (Archive, Vec<Row>),
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                answerer,
                time_limit: config.time_limit,
                seats: Seats::new(config.at_once),
                media,
                tools: Tools::new(&config.tools, working_dir(config).as_deref()),
                questions: Questions::default(),
                history: Mutex::new(History::with(config.history, archive, remembered)),
            }),
            lines: Mutex::default(),
            running: Arc::default(),
        }
    }

    fn begin(&self, channel: &str, begin: TurnBegin) {
        let Some(line) = locked(&self.lines).get(channel).cloned() else {
            return;
        };
        // A turn is never under way beside itself.
        self.stop(channel, begin.id..=begin.id);
        let me = Running {
            channel: channel.to_owned(),
            turn: begin.id,
            attempt: begin.attempt,
        };
        tracing::info!(channel, turn = %format_args!("{:x}", begin.id), attempt = begin.attempt, "turn");
        let cancelled = CancellationToken::new();
        locked(&self.running).insert(me.clone(), cancelled.clone());
        let key = Key {
            channel: channel.to_owned(),
            conversation: begin.conversation.clone(),
        };
        let turn = Turn {
            shared: Arc::clone(&self.shared),
            key,
            begin,
            line,
            cancelled,
            seat: Mutex::default(),
        };
        let running = Arc::clone(&self.running);
        tokio::spawn(async move {
            turn.run().await;
            locked(&running).remove(&me);
        });
    }

    fn context(&self, channel: &str, context: &TurnContext) {
        let key = Key {
            channel: channel.to_owned(),
            conversation: context.conversation.clone(),
        };
        let text = prompt::message(&context.message, &[]);
        let source = Source::of(&context.message);
        self.shared.history().overheard(&key, source, text);
    }

    fn cancel(&self, channel: &str, cancel: &TurnCancel) {
        let mut history = self.shared.history();
        history.lose(
            channel,
            cancel.id,
            &format!("never given: {}", cancel.reason),
        );
        drop(history);
        self.stop(channel, cancel.id..=cancel.id);
    }

    fn stop(&self, channel: &str, turns: RangeInclusive<TurnId>) {
        let of = |turn: TurnId, attempt: u32| Running {
            channel: channel.to_owned(),
            turn,
            attempt,
        };
        let those = of(*turns.start(), u32::MIN)..=of(*turns.end(), u32::MAX);
        for cancelled in locked(&self.running).range(those).map(|(_, token)| token) {
            cancelled.cancel();
        }
    }
}

/// For an agent that answers at once, and needs nothing for it.
fn quick() -> AgentConfig {
    AgentConfig {
        at_once: 1024,
        ..AgentConfig::default()
    }
}

/// The folder that holds the media folder, where a program runs.
fn working_dir(config: &AgentConfig) -> Option<PathBuf> {
    let parent = config.media_dir.as_deref()?.parent()?;
    let here = parent.as_os_str().is_empty();
    (!here).then(|| parent.to_owned())
}

/// None on a disk that takes nothing: messages are answered without what is attached to them.
fn media_folder(dir: &Path) -> Result<Option<Arc<MediaFolder>>, AgentError> {
    match MediaFolder::open(dir) {
        Ok(folder) => Ok(Some(Arc::new(folder))),
        Err(error) if error.is_system() => {
            tracing::error!(%error, "there is no media folder: no attachments until the next start");
            Ok(None)
        }
        Err(cause) => Err(AgentError::MediaDir {
            dir: dir.display().to_string(),
            cause: cause.to_string(),
        }),
    }
}

/// On a disk that takes nothing: what could be read, and nothing is written.
fn archive(dir: &Path, retention: Duration) -> Result<(Archive, Vec<Row>), AgentError> {
    match Archive::open(dir, retention) {
        Ok(opened) => Ok(opened),
        Err(error) if error.is_of_the_disk() => {
            let rows = Archive::look(dir);
            tracing::error!(%error, read = rows.len(), "conversations are not written down until the next start");
            Ok((Archive::none(), rows))
        }
        Err(error) => Err(error.into()),
    }
}

impl AgentPort for Agent {
    fn attach(&self, channel: &str, line: AgentLine) {
        locked(&self.lines).insert(channel.to_owned(), line);
    }

    fn ask(&self, channel: &str, ask: AgentAsk) {
        match ask {
            AgentAsk::Begin(begin) => self.begin(channel, begin),
            AgentAsk::Context(context) => self.context(channel, &context),
            AgentAsk::Cancel(cancel) => self.cancel(channel, &cancel),
            AgentAsk::Outcome(outcome) => {
                let mut history = self.shared.history();
                history.outcome(channel, &outcome);
            }
            AgentAsk::Reset(conversation) => {
                let channel = channel.to_owned();
                self.shared.history().forget(&Key {
                    channel,
                    conversation,
                });
            }
            AgentAsk::Approval(answer) => {
                let question = (channel.to_owned(), answer.turn, answer.approval);
                self.shared.questions.answer(&question, answer.allowed);
            }
        }
    }

    fn detach(&self, channel: &str) {
        locked(&self.lines).remove(channel);
        self.stop(channel, TurnId::MIN..=TurnId::MAX);
    }

    fn waiting(&self, channel: &str) -> usize {
        self.shared.seats.waiting(channel)
    }

    fn forget(&self, channel: &str, sender: &str) -> usize {
        self.shared.history().forget_sender(channel, sender)
    }
}
