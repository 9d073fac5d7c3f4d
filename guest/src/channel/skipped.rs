//! Settling an event that made an earlier instance trap: without interpreting it, so that it cannot trap again.

use serde::Deserialize;

use crate::bindings::{
    BlobMade, DigestDone, Failure, HttpDone, HttpOutcome, Occasion, Skipped, SocketEnd, Stage,
    TurnEvent, TurnNews,
};
use crate::delivery::Content;
use crate::env::Level;
use crate::events::{self, Kind};
use crate::gateway::frame;
use crate::ids::{MessageId, OpenId, SocketId, TurnId};
use crate::inbound::{Anchor, Inbound};
use crate::scene::Scene;
use crate::texts::{self, Text};
use crate::turns::approvals;

use super::Channel;

fn unhandled(what: &str) -> Failure {
    Failure {
        stage: Stage::Host,
        detail: format!("{what} could not be handled"),
        maybe_received: true,
    }
}

/// As little of a message as an apology needs.
#[derive(Deserialize)]
struct Least {
    t: String,
    d: LeastMessage,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct LeastMessage {
    id: String,
    group_openid: String,
    channel_id: String,
    guild_id: String,
    author: LeastAuthor,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LeastAuthor {
    id: String,
    user_openid: String,
    member_openid: String,
}

/// A message that is addressed to the bot, with its place and its author and nothing else.
fn sender(raw: &str, platform_ms: u64) -> Option<Inbound> {
    let Least { t, d } = serde_json::from_str(raw).ok()?;
    let (scene, target, author) = match events::kind(&t) {
        Kind::C2cMessage => {
            let author = d.author.user_openid;
            (Scene::C2c, author.clone(), author)
        }
        Kind::GroupAtMessage => (Scene::Group, d.group_openid, d.author.member_openid),
        Kind::ChannelAtMessage => (Scene::Channel, d.channel_id, d.author.id),
        Kind::DirectMessage => (Scene::Dm, d.guild_id.clone(), d.author.id),
        _ => return None,
    };
    if target.is_empty() || author.is_empty() || d.id.is_empty() {
        return None;
    }
    let mut inbound = Inbound::of_operator(scene, OpenId(target), platform_ms);
    inbound.occasion = Occasion::Message;
    inbound.anchor = Anchor::Message;
    inbound.id = MessageId(d.id);
    inbound.sender = OpenId(author);
    inbound.guild = d.guild_id;
    Some(inbound)
}

impl Channel {
    pub(super) fn on_skipped(&mut self, skipped: &Skipped) {
        self.env.log(
            Level::Error,
            format!(
                "an event of kind {} could not be handled: {}",
                skipped.kind, skipped.cause
            ),
        );
        self.env.count("events_skipped", "");
        match (skipped.kind.as_str(), skipped.id) {
            // The sequence number is passed, or every Resume would bring the same event again.
            ("socket-text", _) => {
                let seq = skipped
                    .raw
                    .as_deref()
                    .and_then(frame::read)
                    .and_then(|frame| frame.seq);
                self.gateway.handled(seq);
                self.apologise(skipped.raw.as_deref().unwrap_or_default());
            }
            ("socket-closed", Some(id)) => {
                let end = SocketEnd::Failed(unhandled("the end of the connection"));
                let want = self.gateway.on_closed(&mut self.env, SocketId(id), &end);
                self.want(want);
            }
            ("http-done", Some(id)) => self.on_http(&HttpDone {
                id,
                outcome: HttpOutcome::Failed(unhandled("the answer")),
                used: Vec::new(),
                captured: Vec::new(),
            }),
            ("entropy", Some(id)) => self.on_random(id, &[]),
            ("digest-done", Some(id)) => self.on_digest(&DigestDone {
                id,
                digests: Vec::new(),
            }),
            ("blob-made", Some(id)) => self.on_blob_made(&BlobMade {
                blob: id,
                made: Err("its making could not be handled".to_owned()),
            }),
            ("timer-fired", Some(id)) => self.rearm(id),
            ("turn", Some(id)) => self.skip_news(id, skipped.raw.as_deref().unwrap_or_default()),
            _ => {}
        }
    }

    /// News of a turn: what ends it ends it with an apology, a question is answered with no, and a piece is
    /// part of the end as well.
    fn skip_news(&mut self, turn: u64, news: &str) {
        if let Some(approval) = news.strip_prefix("approval-asked ") {
            return approvals::decide(&mut self.env, TurnId(turn), approval, false, "channel");
        }
        if matches!(news, "delta" | "tool-note" | "message") {
            return;
        }
        let open = self.turns.open.get(&TurnId(turn));
        let attempt = open.map_or(0, |turn| turn.attempt);
        let failed = "what the agent reported could not be handled";
        let event = TurnEvent {
            turn,
            attempt,
            news: match news {
                "cancelled" => TurnNews::Cancelled,
                _ => TurnNews::Failed(failed.to_owned()),
            },
        };
        self.turns.on_news(&mut self.env, event);
    }

    /// Whoever wrote what could not be handled is told so, where as little as that can be read, and where the
    /// person may talk to the bot. There is no turn: nothing was accepted.
    fn apologise(&mut self, raw: &str) {
        let Some(inbound) = sender(raw, self.env.platform_ms()) else {
            return;
        };
        let new = self.dedup.take(&mut self.env, &[inbound.id.as_str()]);
        if new && self.access.allows(&self.env.config, &inbound) {
            let text = texts::text(self.env.config.language, Text::AgentFailed);
            let content = Content::Text(text.to_owned());
            self.turns.say(&mut self.env, &inbound, content);
        }
    }

    /// A timer whose firing could not be handled is tried again a little later.
    fn rearm(&mut self, id: u64) {
        const LATER_MS: u64 = 5_000;
        if let Some(timer) = self.env.timers.take(crate::ids::TimerId(id)) {
            self.env.set_timer(timer, LATER_MS);
        }
    }
}
