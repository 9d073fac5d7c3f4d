//! What the platform keeps about one bot.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::gateway::Session;
use super::interactions::Interactions;
use super::media::{Files, Uploads};
use super::messages::{Counters, Held, ReplyBook, Stream};
use super::place::Spot;
use super::posts::Posts;
use super::tokens::Tokens;
use super::world::World;
use crate::faults::Armed;
use crate::ids::{ConnId, GroupName, SessionId, UserName};
use crate::intents::Intents;
use crate::ledger::Scene;
use crate::settings::BotSettings;
use crate::time::Millis;

/// One bot.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) settings: BotSettings,
    /// Its id as a guild user.
    pub(crate) user_id: String,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) starts: Starts,
    pub(crate) world: World,
    pub(crate) book: ReplyBook,
    pub(crate) posts: Posts,
    pub(crate) counters: Counters,
    pub(crate) audits: VecDeque<Held>,
    pub(crate) streams: BTreeMap<String, Stream>,
    pub(crate) interactions: Interactions,
    pub(crate) files: Files,
    pub(crate) uploads: Uploads,
    pub(crate) armed: Armed,
    /// Events are held back until then.
    pub(crate) quiet_until: Millis,
    pub(crate) stats: BotStats,
}

impl Bot {
    pub(crate) fn new(settings: BotSettings, user_id: String) -> Self {
        Self {
            settings,
            user_id,
            tokens: Tokens::default(),
            sessions: BTreeMap::new(),
            starts: Starts::default(),
            world: World::default(),
            book: ReplyBook::default(),
            posts: Posts::default(),
            counters: Counters::default(),
            audits: VecDeque::new(),
            streams: BTreeMap::new(),
            interactions: Interactions::default(),
            files: Files::default(),
            uploads: Uploads::default(),
            armed: Armed::default(),
            quiet_until: Millis(0),
            stats: BotStats::default(),
        }
    }

    pub(crate) fn live_connections(&self) -> usize {
        self.sessions
            .values()
            .filter(|session| session.conn.is_some())
            .count()
    }

    /// Whether the sandbox, if this is one, shows a user of C2C.
    pub(crate) fn shows_user(&self, name: &UserName) -> bool {
        self.is_open() || self.settings.visible.users.contains(name)
    }

    /// Whether the sandbox, if this is one, shows a group.
    pub(crate) fn shows_group(&self, name: &GroupName) -> bool {
        self.is_open() || self.settings.visible.groups.contains(name)
    }

    /// Whether the sandbox, if this is one, shows a chat.
    pub(crate) fn shows(&self, spot: &Spot) -> bool {
        match (spot.scene, &spot.user, &spot.group, &spot.guild) {
            (Scene::C2c, Some(user), ..) => self.shows_user(user),
            (Scene::Group, _, Some(group), _) => self.shows_group(group),
            (_, _, _, Some(guild)) => {
                self.is_open() || self.settings.visible.guilds.contains(guild)
            }
            _ => true,
        }
    }

    fn is_open(&self) -> bool {
        !self.settings.sandbox || self.settings.visible.is_open()
    }

    pub(crate) fn live_conns(&self) -> Vec<ConnId> {
        self.sessions
            .values()
            .filter_map(|session| session.conn)
            .collect()
    }
}

/// Session starts of the running period, and the Identifies of the last seconds.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    period_began: Option<Millis>,
    used: u32,
    recent: VecDeque<Millis>,
}

/// What an Identify meant for the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StartVerdict {
    /// There was a start left.
    pub(crate) left: bool,
    /// There were not too many in 5 s.
    pub(crate) spaced: bool,
}

impl Starts {
    /// Starts left, and milliseconds until all are back.
    pub(crate) fn remaining(&mut self, now: Millis, settings: &BotSettings) -> (u32, u64) {
        let period = settings.sessions.start_period;
        if self
            .period_began
            .is_some_and(|began| now.since(began) >= period)
        {
            self.period_began = None;
            self.used = 0;
        }
        let began = self.period_began.unwrap_or(now);
        let reset_after = began.plus(period).since(now);
        let left = settings.sessions.start_total.saturating_sub(self.used);
        (left, crate::time::whole_millis(reset_after))
    }

    pub(crate) fn identify(&mut self, now: Millis, settings: &BotSettings) -> StartVerdict {
        let (left, _) = self.remaining(now, settings);
        while self
            .recent
            .front()
            .is_some_and(|&at| now.since(at).as_secs() >= 5)
        {
            self.recent.pop_front();
        }
        let most = usize::try_from(settings.sessions.max_concurrency).unwrap_or(usize::MAX);
        let spaced = self.recent.len() < most;
        self.recent.push_back(now);
        if left > 0 {
            self.period_began.get_or_insert(now);
            self.used += 1;
        }
        StartVerdict {
            left: left > 0,
            spaced,
        }
    }
}

/// What a bot has done, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BotStats {
    /// Identifies with a token that was good.
    pub identifies: u64,
    /// Resumes with a token that was good.
    pub resumes: u64,
    /// Identifies that led to READY.
    pub ready: u64,
    /// Resumes that led to RESUMED.
    pub resumed: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// Connections that are logged in now.
    pub live_connections: usize,
    /// Sessions that exist now, with or without a connection.
    pub sessions: usize,
    /// Calls of the token endpoint that were answered with a token.
    pub token_fetches: u64,
    /// Tokens among them that were new.
    pub tokens_issued: u64,
    /// Requests, without those for tokens.
    pub requests: u64,
    /// Messages accepted.
    pub accepted: u64,
    /// Messages refused with an error code.
    pub refused: u64,
    /// Messages refused as already seen (40054005); not counted in `refused`.
    pub deduplicated: u64,
    /// Events put into sessions, replays not counted.
    pub events: u64,
    /// Events that no session was there to take.
    pub events_lost: u64,
    /// Events sent again by Resume.
    pub replayed: u64,
}

/// A session as others may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// `[index, total]`.
    pub shard: [u32; 2],
    /// What it asked for.
    pub intents: Intents,
    /// Its connection, if it has one.
    pub conn: Option<ConnId>,
    /// The last sequence number given out.
    pub last_s: u64,
    /// The last sequence number sent.
    pub sent: u64,
    /// Events kept for replay.
    pub kept: usize,
}
