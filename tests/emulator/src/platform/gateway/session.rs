//! A session: what was pushed in it, how far it was sent, and which socket it has.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ids::{ConnId, SessionId};
use crate::intents::Intents;
use crate::platform::SessionView;
use crate::time::Millis;

/// One session of one bot.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// Index and total.
    pub(crate) shard: (u32, u32),
    pub(crate) intents: Intents,
    /// The last sequence number given out.
    pub(crate) last_s: u64,
    /// The last sequence number sent on the present socket, or taken as received by Resume.
    pub(crate) sent: u64,
    pub(crate) conn: Option<ConnId>,
    /// Since when it has no socket.
    pub(crate) left: Option<Millis>,
    /// What Resume replays, oldest first, sequence numbers rising but not without gaps.
    log: VecDeque<(u64, Arc<str>)>,
    /// The largest sequence number that fell out of the log.
    forgotten: u64,
}

impl Session {
    pub(crate) fn new(id: SessionId, shard: (u32, u32), intents: Intents, conn: ConnId) -> Self {
        Self {
            id,
            shard,
            intents,
            last_s: 0,
            sent: 0,
            conn: Some(conn),
            left: None,
            log: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Gives out the next sequence number.
    pub(crate) fn next_s(&mut self) -> u64 {
        self.last_s += 1;
        self.last_s
    }

    /// Keeps a frame for sending and replay.
    pub(crate) fn keep(&mut self, s: u64, frame: Arc<str>, bound: usize) {
        self.log.push_back((s, frame));
        while self.log.len() > bound.max(1) {
            if let Some((s, _)) = self.log.pop_front() {
                self.forgotten = s;
            }
        }
    }

    /// The frames that were not sent yet, oldest first; they count as sent from now on.
    pub(crate) fn take_unsent(&mut self) -> Vec<Arc<str>> {
        let from = self.log.partition_point(|(s, _)| *s <= self.sent);
        let frames = self
            .log
            .range(from..)
            .map(|(_, frame)| Arc::clone(frame))
            .collect();
        if let Some((s, _)) = self.log.back() {
            self.sent = self.sent.max(*s);
        }
        frames
    }

    /// Whether everything after `seq` can still be replayed, and `seq` was given out at all.
    pub(crate) fn can_replay(&self, seq: u64) -> bool {
        seq <= self.last_s && seq >= self.forgotten
    }

    pub(crate) fn view(&self) -> SessionView {
        SessionView {
            id: self.id.clone(),
            shard: [self.shard.0, self.shard.1],
            intents: self.intents,
            conn: self.conn,
            last_s: self.last_s,
            sent: self.sent,
            kept: self.log.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new(
            SessionId::from("s"),
            (0, 1),
            Intents::GROUP_AND_C2C,
            ConnId(1),
        )
    }

    #[test]
    fn what_was_not_sent_is_taken_once_and_in_order() {
        let mut session = session();
        for text in ["a", "b", "c"] {
            let s = session.next_s();
            session.keep(s, Arc::from(text), 10);
        }
        let texts: Vec<String> = session
            .take_unsent()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(texts, ["a", "b", "c"]);
        assert!(session.take_unsent().is_empty());
        session.sent = 1;
        assert_eq!(session.take_unsent().len(), 2);
    }

    #[test]
    fn only_what_is_still_kept_can_be_replayed() {
        let mut session = session();
        for _ in 0..5 {
            let s = session.next_s();
            session.keep(s, Arc::from("x"), 3);
        }
        assert!(session.can_replay(2));
        assert!(session.can_replay(5));
        assert!(!session.can_replay(1));
        assert!(!session.can_replay(6));
    }
}
