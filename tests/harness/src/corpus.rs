//! Calls of a bot's life, recorded in a simulated world, to be made again by a benchmark.

use std::sync::Arc;

use prx_host::bindings::v0_1::{Boot, Event, Instant};
use qq_emulator::actions::Act;
use serde_json::Map;

use crate::meter::{Call, Meter};
use crate::native::NativeComponent;
use crate::sim::{Setup, Stage, bot, echo};

/// How an instance was started, and all that it was given then.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// The start.
    pub boot: (Instant, Boot),
    /// The calls, in order.
    pub calls: Vec<Call>,
    /// How an instance is started that takes the place of that one at the end.
    pub successor: (Instant, Boot),
}

impl Corpus {
    /// So many messages, in all four scenes; and, at the end, a connection that breaks and is resumed.
    ///
    /// `None` when the bot of the simulation does not start.
    ///
    /// # Panics
    /// When the simulated world cannot be had.
    #[must_use]
    pub fn of_all_scenes(messages: usize) -> Option<Self> {
        Self::record(messages, |number| {
            let user = format!("u{}", number % 50);
            match number % 4 {
                0 => Act::c2c(&user, "今天天气怎么样？"),
                1 => Act::group_at("g", &user, "今天天气怎么样？"),
                2 => Act::channel_at("guild", "channel", &user, "今天天气怎么样？"),
                _ => Act::dm("guild", &user, "今天天气怎么样？"),
            }
        })
    }

    /// So many messages in private chats of 500 people.
    ///
    /// `None` when the bot of the simulation does not start.
    ///
    /// # Panics
    /// When the simulated world cannot be had.
    #[must_use]
    pub fn of_private_chats(messages: usize) -> Option<Self> {
        Self::record(messages, |number| {
            Act::c2c(&format!("u{}", number % 500), "hello")
        })
    }

    fn record(messages: usize, act: impl Fn(usize) -> Act) -> Option<Self> {
        let meter = Meter::new(Arc::new(NativeComponent));
        let setup = Setup {
            keys: Map::new(),
            bot: bot(),
            mind: echo(),
        };
        let mut stage = Stage::new(Arc::new(meter.clone()), setup);
        for number in 0..messages {
            stage.begin(act(number));
            stage.pass(500);
        }
        stage.fault("drop");
        stage.pass(60_000);
        let calls = meter.calls();
        let (boot, successor, now) = (meter.boot()?, meter.successor()?, calls.last()?.now);
        Some(Self {
            boot,
            calls,
            successor: (now, successor),
        })
    }

    /// The kinds of calls that there are, each once, in the order of their first.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = Vec::new();
        for call in &self.calls {
            if !kinds.contains(&call.kind) {
                kinds.push(call.kind.clone());
            }
        }
        kinds
    }

    /// The text of the first frame of a kind.
    #[must_use]
    pub fn frame(&self, kind: &str) -> Option<&str> {
        self.calls.iter().find_map(|call| match &call.event {
            Event::SocketText(text) if call.kind == kind => Some(text.text.as_str()),
            _ => None,
        })
    }
}
