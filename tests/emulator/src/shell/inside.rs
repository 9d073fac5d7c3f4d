//! Bots that live in the emulator's own process, as far as the page can ask something of them.
//!
//! The emulator knows nothing of such a bot: whoever starts one beside it hands in this trait.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ids::AppId;

/// What came of a wish: a sentence for people, or why not.
pub type Said<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

/// How a bot shows in private chats that it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// Not at all.
    None,
    /// With a typing notice.
    Typing,
    /// With a text that grows.
    Stream,
}

/// A bot that runs in this process.
pub trait BotControl: Debug + Send + Sync {
    /// Which bot it is.
    fn app_id(&self) -> &AppId;

    /// Ends it and starts it again from what it stored, as an operator would.
    fn restart(&self) -> Said<'_>;

    /// Puts another component in its place while it is online. Bots that cannot, keep this.
    fn swap(&self, component: Vec<u8>) -> Said<'_> {
        let bytes = component.len();
        let why = format!("not offered by this bot ({bytes} bytes were not used)");
        Box::pin(std::future::ready(Err(why)))
    }

    /// What it was given and what it made of it, as a file that its own tools run again.
    fn trace(&self) -> Said<'_> {
        let why = "not offered by this bot".to_owned();
        Box::pin(std::future::ready(Err(why)))
    }

    /// How it shows that it writes, if that can be chosen.
    fn manner(&self) -> Option<Manner> {
        None
    }

    /// Has it show in another way that it writes. It may start again for that.
    fn set_manner(&self, _manner: Manner) -> Said<'_> {
        let why = "not offered by this bot".to_owned();
        Box::pin(std::future::ready(Err(why)))
    }

    /// Whether [`BotControl::swap`] does anything.
    fn can_swap(&self) -> bool {
        false
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Inside {
    bots: Mutex<Vec<Arc<dyn BotControl>>>,
}

impl Inside {
    pub(super) fn offer(&self, bot: Arc<dyn BotControl>) {
        let mut bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        bots.retain(|other| other.app_id() != bot.app_id());
        bots.push(bot);
    }

    pub(super) fn find(&self, app: &AppId) -> Option<Arc<dyn BotControl>> {
        let bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        bots.iter().find(|bot| bot.app_id() == app).cloned()
    }
}
