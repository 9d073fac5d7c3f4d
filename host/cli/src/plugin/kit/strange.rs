//! Made-up events: whatever may come for what is held, in any order, with texts of any shape. What the component
//! itself says is learnt from, so that some of it gets past the first check.

use std::collections::BTreeMap;

use fastrand::Rng;
use prx_host::bindings::v0_1::*;
use serde_json::Value;

use super::held::{Asked, Held};
use super::{Bench, HOST_ID, made_up};

mod words;

/// Makes events.
pub(super) struct Strange {
    rng: Rng,
    /// The other side mostly works: every second seed.
    kind: bool,
    words: Vec<String>,
    addresses: Vec<String>,
    texts: Vec<String>,
    corpus: Vec<String>,
    greetings: Vec<String>,
    /// How much of the greetings each connection has had.
    greeted: BTreeMap<u64, usize>,
    generation: u64,
    commands: u64,
    /// No timer beyond this fires.
    end_mono_ms: u64,
}

/// The case of an action, in the words of the interface.
pub(super) fn action(action: &Action) -> &'static str {
    match action {
        Action::SocketOpen(_) => "socket-open",
        Action::SocketSend(_) => "socket-send",
        Action::SocketClose(_) => "socket-close",
        Action::Http(_) => "http",
        Action::HttpCancel(_) => "http-cancel",
        Action::TimerSet(_) => "timer-set",
        Action::TimerClear(_) => "timer-clear",
        Action::EntropyAsk(_) => "entropy-ask",
        Action::BlobMake(_) => "blob-make",
        Action::BlobDigest(_) => "blob-digest",
        Action::BlobDrop(_) => "blob-drop",
        Action::TurnBegin(_) => "turn-begin",
        Action::TurnContext(_) => "turn-context",
        Action::TurnCancel(_) => "turn-cancel",
        Action::TurnOutcome(_) => "turn-outcome",
        Action::ApprovalAnswer(_) => "approval-answer",
        Action::ConversationReset(_) => "conversation-reset",
        Action::StorePut(_) => "store-put",
        Action::StoreDelete(_) => "store-delete",
        Action::Metric(_) => "metric",
        Action::Health(_) => "health",
        Action::Reply(_) => "reply",
        Action::Extension(_) => "extension",
    }
}

impl Strange {
    pub(super) fn new(seed: u64, bench: &Bench<'_>) -> Self {
        let words = [
            "id",
            "type",
            "op",
            "t",
            "s",
            "d",
            "data",
            "text",
            "content",
            "user",
            "code",
            "url",
            "message",
            "name",
            "event",
            "token",
            "expires_in",
            "time",
        ];
        let words = words.iter().map(|word| (*word).to_owned());
        let secrets = bench.secrets.iter().chain(&bench.captured).cloned();
        let addresses = bench.hosts.iter();
        let addresses = addresses.flat_map(|h| [format!("wss://{h}/"), format!("https://{h}/")]);
        let mut strange = Self {
            rng: Rng::with_seed(seed),
            kind: seed.is_multiple_of(2),
            words: words.chain(secrets).collect(),
            addresses: addresses.chain(["wss://localhost:9/".to_owned()]).collect(),
            texts: Vec::new(),
            corpus: bench.corpus.texts.clone(),
            greetings: bench.corpus.greetings.clone(),
            greeted: BTreeMap::new(),
            generation: 0,
            commands: 1,
            end_mono_ms: made_up::NOW.mono_ms + bench.hours * 3_600_000,
        };
        for text in &bench.corpus.texts {
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                strange.learn_words(&value);
            }
        }
        strange
    }

    /// The next event, for something that is held; what it settles is held no more.
    pub(super) fn event(&mut self, held: &mut Held, now: &mut Instant, config: &str) -> Event {
        let pause = self.rng.u64(0..=2_000);
        now.mono_ms += pause;
        now.wall_ms += pause;
        let event = self.plain(held, now, config);
        // Now and then an event is one that broke two instances before this one.
        match self.rng.u8(0..12) {
            0 => unread(event),
            _ => event,
        }
    }

    fn plain(&mut self, held: &mut Held, now: &mut Instant, config: &str) -> Event {
        // Told one at a time and in order, as the host does; the component may have changed its mind meanwhile.
        if let Some(refused) = held.refusals.pop_front() {
            match &refused {
                Event::SocketClosed(closed) => drop(held.sockets.remove(&closed.id)),
                Event::HttpDone(done) => drop(held.requests.remove(&done.id)),
                Event::BlobMade(made) => drop(held.requests.remove(&made.blob)),
                _ => {}
            }
            return refused;
        }
        let made = match self.rng.u8(0..20) {
            0..=6 => self.of_socket(held),
            7..=11 => self.of_request(held),
            12..=14 => of_timer(held, now, self.end_mono_ms),
            15..=17 => self.of_turn(held),
            18 => Some(self.command(held, config)),
            _ => None,
        };
        made.unwrap_or_else(|| match self.rng.u8(0..4) {
            0 => Event::Extension(Extension {
                name: "check.unknown".into(),
                payload: self.text(),
            }),
            // Something is always due, so that nothing stands still.
            _ => {
                let due = of_timer(held, now, self.end_mono_ms).or_else(|| self.of_request(held));
                due.unwrap_or_else(|| self.command(held, config))
            }
        })
    }

    fn pick<V: Copy>(&mut self, from: impl ExactSizeIterator<Item = V>) -> Option<V> {
        let mut from = from;
        match from.len() {
            0 => None,
            count => from.nth(self.rng.usize(0..count)),
        }
    }

    fn of_socket(&mut self, held: &mut Held) -> Option<Event> {
        let id = self.pick(held.sockets.keys().copied())?;
        let open = held.sockets.get(&id).copied().unwrap_or_default();
        Some(match (open, self.rng.u8(0..20)) {
            (false, 0..=15) => {
                held.sockets.insert(id, true);
                Event::SocketOpened(id)
            }
            (true, 0..=16) => {
                let text = self.greeting(id).unwrap_or_else(|| self.text());
                Event::SocketText(SocketText { id, text })
            }
            (true, 17) => {
                let bytes = self.text().into_bytes();
                Event::SocketBinary(SocketBinary { id, bytes })
            }
            (true, _) if self.kind && self.rng.u8(0..8) > 0 => {
                let text = self.known();
                Event::SocketText(SocketText { id, text })
            }
            _ => {
                held.sockets.remove(&id);
                let end = if open && self.rng.bool() {
                    let codes = [1000, 1001, 1005, 1006, 3000, 4000, 4004, 4009, 4999];
                    let code = self.rng.choice(codes).unwrap_or(1000);
                    let reason = self.text();
                    SocketEnd::Closed(CloseFrame { code, reason })
                } else {
                    SocketEnd::Failed(self.failure())
                };
                Event::SocketClosed(SocketClosed { id, end })
            }
        })
    }

    /// What comes next on a young connection, where the other side works.
    fn greeting(&mut self, id: u64) -> Option<String> {
        if !self.kind || self.rng.u8(0..8) == 0 {
            return None;
        }
        let had = self.greeted.entry(id).or_default();
        let next = self.greetings.get(*had).cloned()?;
        *had += 1;
        Some(next)
    }

    fn of_request(&mut self, held: &mut Held) -> Option<Event> {
        let id = self.pick(held.requests.keys().copied())?;
        Some(match held.requests.remove(&id)? {
            Asked::Http {
                captures,
                used,
                blob,
                headers,
            } => {
                let outcome = match self.rng.u8(0..if self.kind { 40 } else { 5 }) {
                    0 => HttpOutcome::Failed(self.failure()),
                    _ => HttpOutcome::Response(self.response(blob, headers)),
                };
                let good = matches!(&outcome, HttpOutcome::Response(r) if r.status < 300);
                let captured = captures.into_iter().filter(|_| good).map(|name| {
                    self.generation += 1;
                    Captured {
                        name,
                        generation: self.generation,
                        changed: true,
                    }
                });
                let captured = captured.collect();
                let used = used.into_iter().map(|name| SecretUse {
                    name,
                    generation: self.generation,
                });
                Event::HttpDone(HttpDone {
                    id,
                    outcome,
                    used: used.collect(),
                    captured,
                })
            }
            Asked::Entropy(count) => Event::Entropy(Entropy {
                id,
                bytes: (0..count).map(|_| self.rng.u8(..)).collect(),
            }),
            Asked::Digest(hashes) => {
                let digest = |hash| Digest {
                    hash,
                    hex: "0123456789abcdef0123456789abcdef".into(),
                };
                let digests = match self.rng.u8(0..4) {
                    0 => Vec::new(),
                    _ => hashes.into_iter().map(digest).collect(),
                };
                Event::DigestDone(DigestDone { id, digests })
            }
            Asked::Blob(name) => Event::BlobMade(BlobMade {
                blob: id,
                made: match self.rng.u8(0..4) {
                    0 => Err("no room on the disk".into()),
                    _ => Ok(self.blob(id, name)),
                },
            }),
        })
    }

    fn of_turn(&mut self, held: &mut Held) -> Option<Event> {
        let turn = self.pick(held.turns.keys().copied())?;
        let attempt = held.turns.get(&turn).copied().unwrap_or_default();
        let news = match self.rng.u8(0..10) {
            0..=2 => TurnNews::Delta(self.text()),
            3 => TurnNews::ToolNote(self.text()),
            4 => TurnNews::ApprovalAsked(Approval {
                approval: self.rng.u8(0..4).to_string(),
                title: self.text(),
                detail: self.text(),
            }),
            5 => TurnNews::Message(self.parts()),
            6 => TurnNews::Failed(self.text()),
            7 => TurnNews::Cancelled,
            _ => TurnNews::Finished(self.parts()),
        };
        if over(&news) {
            held.turns.remove(&turn);
        }
        Some(Event::Turn(TurnEvent {
            turn,
            attempt,
            news,
        }))
    }

    fn parts(&mut self) -> Vec<AnswerPart> {
        let count = self.rng.usize(0..4);
        (0..count).map(|_| self.part()).collect()
    }

    fn part(&mut self) -> AnswerPart {
        match self.rng.u8(0..6) {
            0 => AnswerPart::Card(self.text()),
            1 => {
                let id = HOST_ID | self.rng.u64(1..1000);
                let source = match self.rng.bool() {
                    true => MediaSource::Blob(self.blob(id, Some("a.png".into()))),
                    false => MediaSource::Url(self.text()),
                };
                let kinds = [MediaKind::Image, MediaKind::Voice, MediaKind::Audio];
                let kinds = [&kinds[..], &[MediaKind::Video, MediaKind::Document]].concat();
                AnswerPart::Media(MediaPart {
                    kind: self.rng.choice(kinds).unwrap_or(MediaKind::Document),
                    source,
                    caption: self.rng.bool().then(|| self.text()),
                })
            }
            _ => AnswerPart::Text(self.text()),
        }
    }

    fn command(&mut self, held: &Held, config: &str) -> Event {
        self.commands += 1;
        let id = HOST_ID | (u64::from(held.boot) << 32) | self.commands;
        let ask = match self.rng.u8(0..11) {
            0 => OperatorCommand::Status,
            1 => OperatorCommand::Doctor(self.rng.bool()),
            2 => OperatorCommand::PairCode,
            3 => OperatorCommand::PairList,
            4 => OperatorCommand::PairApprove(self.text()),
            5 => OperatorCommand::PairDeny(self.text()),
            6 => OperatorCommand::PairRevoke(self.text()),
            7 => OperatorCommand::Forget(self.text()),
            8 => OperatorCommand::ReloadConfig(config.to_owned()),
            // An end of new turns would be an end of what there is to try.
            _ => OperatorCommand::Send(OperatorSend {
                target: self.text(),
                parts: self.parts(),
            }),
        };
        Event::Command(Command { id, ask })
    }

    fn failure(&mut self) -> Failure {
        let stages = [
            Stage::Dns,
            Stage::Connect,
            Stage::Proxy,
            Stage::Tls,
            Stage::Upgrade,
        ];
        let more = [
            Stage::Timeout,
            Stage::Protocol,
            Stage::TooLarge,
            Stage::Host,
        ];
        let stages = [&stages[..], &more].concat();
        Failure {
            stage: self.rng.choice(stages).unwrap_or(Stage::Connect),
            detail: self.text(),
            maybe_received: self.rng.bool(),
        }
    }

    fn response(&mut self, blob: Option<u64>, headers: Vec<String>) -> HttpResponse {
        let statuses = [
            200, 200, 200, 200, 200, 201, 204, 400, 401, 403, 404, 429, 500, 503,
        ];
        let good = self.kind && self.rng.u8(0..16) > 0;
        let status = match good {
            true => 200,
            false => self.rng.choice(statuses).unwrap_or(200),
        };
        let header = |name| HeaderText {
            name,
            value: self.text(),
        };
        let headers = headers.into_iter().map(header).collect();
        let blob = blob.filter(|_| status < 300);
        let body = match blob {
            Some(_) => String::new(),
            None if good && self.rng.bool() => self.rich().to_string(),
            None if good => self.known(),
            None => self.text(),
        };
        HttpResponse {
            status,
            headers,
            body,
            truncated: self.rng.u8(0..10) == 0,
            blob: blob.map(|id| self.blob(id, None)),
        }
    }

    fn blob(&mut self, blob: u64, name: Option<String>) -> BlobInfo {
        let types = [
            "image/png",
            "application/octet-stream",
            "text/plain",
            "video/mp4",
        ];
        BlobInfo {
            blob,
            size: self.rng.u64(0..30_000_000),
            media_type: self.rng.choice(types).unwrap_or_default().into(),
            head: vec![0x89; self.rng.usize(0..=64)],
            name,
        }
    }
}

fn over(news: &TurnNews) -> bool {
    matches!(
        news,
        TurnNews::Finished(_) | TurnNews::Failed(_) | TurnNews::Cancelled
    )
}

/// The case of news, as `skipped` has it.
fn case(news: &TurnNews) -> String {
    match news {
        TurnNews::Delta(_) => "delta".into(),
        TurnNews::ToolNote(_) => "tool-note".into(),
        TurnNews::ApprovalAsked(asked) => format!("approval-asked {}", asked.approval),
        TurnNews::Message(_) => "message".into(),
        TurnNews::Finished(_) => "finished".into(),
        TurnNews::Failed(_) => "failed".into(),
        TurnNews::Cancelled => "cancelled".into(),
    }
}

/// The timer that is due next, once its time has come.
fn of_timer(held: &mut Held, now: &mut Instant, end_mono_ms: u64) -> Option<Event> {
    let (id, due) = held
        .timers
        .iter()
        .map(|(id, due)| (*id, *due))
        .min_by_key(|(_, due)| *due)?;
    if due > end_mono_ms {
        return None;
    }
    held.timers.remove(&id);
    let wait = due.saturating_sub(now.mono_ms);
    now.mono_ms += wait;
    now.wall_ms += wait;
    Some(Event::TimerFired(id))
}

/// The event as one to be settled unread.
fn unread(event: Event) -> Event {
    let (id, raw) = match &event {
        Event::SocketOpened(id) | Event::TimerFired(id) => (Some(*id), None),
        Event::SocketText(text) => (Some(text.id), Some(text.text.clone())),
        Event::SocketBinary(binary) => (Some(binary.id), None),
        Event::SocketClosed(closed) => (Some(closed.id), None),
        Event::HttpDone(done) => (Some(done.id), None),
        Event::Entropy(entropy) => (Some(entropy.id), None),
        Event::BlobMade(made) => (Some(made.blob), None),
        Event::DigestDone(done) => (Some(done.id), None),
        Event::Turn(turn) => (Some(turn.turn), Some(case(&turn.news))),
        Event::Command(command) => (Some(command.id), None),
        Event::Extension(_) => (None, None),
        Event::Skipped(_) => return event,
    };
    Event::Skipped(Skipped {
        kind: event.case().into(),
        id,
        raw,
        cause: "trap: made up for a check".into(),
    })
}
