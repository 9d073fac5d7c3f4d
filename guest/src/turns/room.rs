//! How much may be open at once, over all conversations together.
//!
//! People fill it, so everything has a bound in number and in bytes, and the bounds fit into each other: what is stored
//! of open turns is less than the host stores for a channel, that is less than a start reads, and that is less than
//! the memory of an instance. At a bound the newest message is refused, with a word where the place had none of late;
//! what was accepted waits for its place and is never dropped for a newer one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::bindings::Outcome;
use crate::delivery::{Answer, plan};
use crate::env::{Env, Level};
use crate::ids::TurnId;
use crate::inbound::Inbound;
use crate::requests::Lane;
use crate::state::name::Name;
use crate::texts::Text;

use super::{Origin, Stage, Turn, Turns};

/// Open messages of people.
pub const MESSAGES: usize = 4_000;
/// Open words of the channel's own, and of the operator's: a few hundred bytes each.
pub const WORDS: usize = 256;
/// Stored bytes of one message: `Inbound::bounded` sees to it.
pub const MESSAGE_BYTES: usize = 160 << 10;
/// Stored bytes of one turn with its answer: planning sees to it. Below what the host takes for one entry.
pub const TURN_BYTES: usize = 208 << 10;
/// Stored bytes of all open turns above which no message is accepted.
pub const ACCEPTED_BYTES: usize = 6 << 20;
/// Stored bytes of all open turns. An agent begins when its answer and those of all that are at work fit in here; one
/// alone begins in any case, so that there is one [`TURN_BYTES`] more.
pub const OPEN_BYTES: usize = 10 << 20;

/// Milliseconds after which a place is told again that a message was refused.
const TOLD_MS: u64 = 30_000;
/// Places of which it is remembered that they were told.
const TOLD: usize = 1_000;
/// Milliseconds between two lines of the log about refused messages.
const LOG_MS: u64 = 60_000;

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Too many messages of the same conversation wait.
    Conversation,
    /// Too many messages are open.
    Messages,
    /// The open messages are too long, all together.
    Bytes,
}

impl Full {
    fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Messages => "messages",
            Self::Bytes => "bytes",
        }
    }
}

/// Turns that wait for a place among what is done at once, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    agents: BTreeSet<TurnId>,
    fetches: BTreeSet<TurnId>,
    sends: BTreeSet<TurnId>,
}

impl Waiting {
    pub(super) fn forget(&mut self, id: TurnId) {
        self.agents.remove(&id);
        self.fetches.remove(&id);
        self.sends.remove(&id);
    }
}

/// What was refused, and who was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusals {
    /// Messages refused since the process began.
    pub(crate) refused: u64,
    /// Turns of an earlier process that found no room at the start.
    pub(crate) shed: u64,
    /// Those that the log does not count yet.
    unlogged: u64,
    /// When the log counted them last, monotonic milliseconds.
    logged_ms: Option<u64>,
    /// When places were told, monotonic milliseconds.
    told: BTreeMap<Name, u64>,
}

impl Refusals {
    /// True when this place may be told now; then it counts as told. A group is told for all of its members.
    fn may_tell(&mut self, now_ms: u64, inbound: &Inbound) -> bool {
        let recent = |at_ms: &u64| now_ms.saturating_sub(*at_ms) < TOLD_MS;
        let name = Name::of(&[inbound.scene.word(), ":", inbound.target.as_str()]);
        if self.told.get(&name).is_some_and(recent) {
            return false;
        }
        if self.told.len() >= TOLD {
            self.told.retain(|_, at_ms| recent(at_ms));
        }
        let fits = self.told.len() < TOLD;
        if fits {
            self.told.insert(name, now_ms);
        }
        fits
    }

    /// Counts one. At most once a minute there is a line for the log.
    fn count(&mut self, env: &mut Env, full: Full) {
        self.refused += 1;
        self.unlogged += 1;
        env.count("messages_refused", full.as_str());
        let now_ms = env.now.mono_ms;
        let due = |logged_ms: u64| now_ms.saturating_sub(logged_ms) >= LOG_MS;
        if self.logged_ms.is_none_or(due) {
            let line = format!(
                "{} messages refused since the last such line, {} in all; the newest: too much of {} is open",
                self.unlogged,
                self.refused,
                full.as_str()
            );
            env.log(Level::Warn, line);
            self.unlogged = 0;
            self.logged_ms = Some(now_ms);
        }
    }
}

impl Turns {
    /// Why there is no room for this message, in whatever conversation; nothing when there is.
    pub(super) fn full(&self, inbound: &Inbound) -> Option<Full> {
        if self.open.messages() >= MESSAGES {
            Some(Full::Messages)
        } else if self.open.bytes() + inbound.stored_bytes() > ACCEPTED_BYTES {
            Some(Full::Bytes)
        } else {
            None
        }
    }

    /// True when one more word of the channel's own may be open.
    pub(super) fn has_room_for_words(&self) -> bool {
        self.open.words() < WORDS
    }

    /// Refuses a message, of which nothing is kept but its outcome. Whoever wrote it is told, but not each time.
    pub(super) fn refuse(&mut self, env: &mut Env, mut inbound: Inbound, full: Full) {
        let id = env.ids.turn();
        inbound.forget_content();
        self.refusals.count(env, full);
        let told = self.has_room_for_words() && self.refusals.may_tell(env.now.mono_ms, &inbound);
        if !told {
            let mut turn = Turn::new(id, Origin::Inbound, inbound);
            turn.stage = Stage::Answering(Answer::nothing(Outcome::Refused));
            self.ledger.record(env, &turn);
            return;
        }
        self.open_account(env, id, &inbound);
        let mut turn = Turn::new(id, Origin::Inbound, inbound);
        let apology = plan::apology(&env.config, &turn, Text::TooMany, Outcome::Refused);
        turn.stage = Stage::Answering(apology);
        self.agenda.insert(id);
        self.open.insert(turn);
    }

    /// How many more agents may begin: each may store the largest answer. One may always, or nothing would end.
    fn room_for_agents(&self) -> usize {
        let free = OPEN_BYTES.saturating_sub(self.open.bytes()) / TURN_BYTES;
        free.max(1).saturating_sub(self.running.len())
    }

    /// True when this turn's agent may begin; else it waits for that.
    pub(super) fn may_begin(&mut self, id: TurnId) -> bool {
        let may = self.room_for_agents() > 0;
        if !may {
            self.waiting.agents.insert(id);
        }
        may
    }

    /// How many more files may be fetched now. Without any, the turn waits for that.
    pub(super) fn room_for_fetches(&mut self, env: &Env, id: TurnId) -> usize {
        let room = env.requests.room(Lane::Fetches);
        if room == 0 {
            self.waiting.fetches.insert(id);
        }
        room
    }

    /// True when something may be sent now; else the turn waits for that, as long as its window is open.
    pub(crate) fn may_send(&mut self, env: &mut Env, id: TurnId) -> bool {
        if env.requests.room(Lane::Sends) > 0 {
            return true;
        }
        self.waiting.sends.insert(id);
        if let Some(deadline_ms) = self.open.get(&id).map(|turn| turn.inbound.deadline_ms()) {
            self.watch(env, deadline_ms);
        }
        false
    }

    /// Puts the turns for which there is a place now on the agenda.
    pub(super) fn let_in(&mut self, env: &Env) {
        let places = [
            self.room_for_agents(),
            env.requests.room(Lane::Fetches),
            env.requests.room(Lane::Sends),
        ];
        let waiting = [
            &mut self.waiting.agents,
            &mut self.waiting.fetches,
            &mut self.waiting.sends,
        ];
        for (waiting, places) in waiting.into_iter().zip(places) {
            for _ in 0..places {
                let Some(id) = waiting.pop_first() else {
                    break;
                };
                self.agenda.insert(id);
            }
        }
    }

    /// A process begins with turns of an earlier one, which had more room. The oldest of those that do not fit end with
    /// a record: their windows close first.
    pub(super) fn shed(&mut self, env: &mut Env) {
        let shed = self.open.shed(MESSAGES, OPEN_BYTES + TURN_BYTES);
        if shed == 0 {
            return;
        }
        self.refusals.shed += shed as u64;
        env.count("turns_shed", "start");
        let line = format!(
            "the store holds more open turns than this version works on at once: the oldest {shed} end as expired"
        );
        env.log(Level::Error, line);
    }
}
