//! What a host would hold for the component: written anew from the interface, so that a mistake in the host itself
//! does not hide one of the component.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use prx_host::bindings::v0_1::{
    Action, BlobMade, BodySink, Entry, Event, Failure, Hash, Header, Holdings, HttpDone,
    HttpOutcome, HttpRequest, Piece, SocketClosed, SocketEnd, Stage,
};
use prx_host::egress::secrets::{Place, Pointer, Position};
use prx_host::egress::{EgressPolicy, Scheme};
use serde_json::Value;

use super::{Bench, Breach};

/// Something that gets one answer.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Http {
        captures: Vec<String>,
        used: BTreeSet<String>,
        blob: Option<u64>,
        headers: Vec<String>,
    },
    Entropy(u32),
    Digest(Vec<Hash>),
    Blob(Option<String>),
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) boot: u32,
    /// True: open.
    pub(super) sockets: BTreeMap<u64, bool>,
    /// Where they lead.
    urls: BTreeMap<u64, String>,
    pub(super) requests: BTreeMap<u64, Asked>,
    /// When they are due.
    pub(super) timers: BTreeMap<u64, u64>,
    /// The attempt that speaks.
    pub(super) turns: BTreeMap<u64, u32>,
    /// What the host refuses at once; told before anything else.
    pub(super) refusals: VecDeque<Event>,
    stored: BTreeMap<String, Vec<u8>>,
    secrets: BTreeSet<String>,
    used_ids: BTreeSet<u64>,
}

impl Held {
    pub(super) fn new(bench: &Bench<'_>, boot: u32) -> Self {
        let secrets = bench.secrets.iter().chain(&bench.captured);
        Self {
            boot,
            sockets: BTreeMap::new(),
            urls: BTreeMap::new(),
            requests: BTreeMap::new(),
            timers: BTreeMap::new(),
            turns: BTreeMap::new(),
            refusals: VecDeque::new(),
            stored: BTreeMap::new(),
            secrets: secrets.cloned().collect(),
            used_ids: BTreeSet::new(),
        }
    }

    /// The process ended: only what is stored is left.
    pub(super) fn restarted(&mut self) {
        self.boot += 1;
        self.sockets.clear();
        self.urls.clear();
        self.requests.clear();
        self.timers.clear();
        self.turns.clear();
        self.refusals.clear();
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |(key, value): (&String, &Vec<u8>)| Entry {
            key: key.clone(),
            value: value.clone(),
        };
        self.stored.iter().map(entry).collect()
    }

    pub(super) fn holdings(&self) -> Holdings {
        Holdings {
            sockets: self.sockets.keys().copied().collect(),
            requests: self.requests.keys().copied().collect(),
            timers: self.timers.keys().copied().collect(),
            turns: self.turns.keys().copied().collect(),
        }
    }

    /// Carries one action out. True when the manifest does not allow it, which is answered like a failure.
    pub(super) fn carry_out(
        &mut self,
        action: &Action,
        egress: Option<&EgressPolicy>,
    ) -> Result<bool, Breach> {
        match action {
            Action::SocketOpen(open) => {
                self.allot(open.id)?;
                self.headers(&open.headers)?;
                let grant = Granted::new(egress, &open.url, Scheme::Socket);
                grant.headers(&open.headers, Place::Upgrade)?;
                self.sockets.insert(open.id, false);
                self.urls.insert(open.id, open.url.clone());
                if allowed(egress, &open.url, Scheme::Socket) {
                    return Ok(false);
                }
                let end = SocketEnd::Failed(refusal());
                let closed = SocketClosed { id: open.id, end };
                self.refusals.push_back(Event::SocketClosed(closed));
                return Ok(true);
            }
            Action::SocketSend(send) => {
                self.pieces(&send.payload)?;
                if let Some(url) = self.urls.get(&send.id) {
                    let grant = Granted::new(egress, url, Scheme::Socket);
                    grant.json(&send.payload, "a message", Place::Frame)?;
                }
            }
            Action::SocketClose(close) => {
                self.sockets.remove(&close.id);
                self.urls.remove(&close.id);
                let closed =
                    |event: &Event| matches!(event, Event::SocketClosed(c) if c.id == close.id);
                self.refusals.retain(|event| !closed(event));
            }
            Action::Http(request) => return self.http(request, egress),
            Action::HttpCancel(id) => {
                self.requests.remove(id);
                let done = |event: &Event| matches!(event, Event::HttpDone(d) if d.id == *id);
                self.refusals.retain(|event| !done(event));
            }
            Action::TimerSet(set) => {
                // One that is set is moved.
                if !self.timers.contains_key(&set.id) {
                    self.allot(set.id)?;
                }
                self.timers.insert(set.id, set.due_mono_ms);
            }
            Action::TimerClear(id) => drop(self.timers.remove(id)),
            Action::EntropyAsk(ask) => {
                self.allot(ask.id)?;
                self.requests
                    .insert(ask.id, Asked::Entropy(ask.count.min(256)));
            }
            Action::BlobMake(make) => {
                self.allot(make.blob)?;
                self.requests
                    .insert(make.blob, Asked::Blob(make.name.clone()));
                if !self.pieces(&make.content)?.is_empty() {
                    let (blob, made) = (make.blob, Err(refusal().detail));
                    self.refusals
                        .push_back(Event::BlobMade(BlobMade { blob, made }));
                }
            }
            Action::BlobDigest(digest) => {
                self.allot(digest.id)?;
                self.requests
                    .insert(digest.id, Asked::Digest(digest.hashes.clone()));
            }
            Action::TurnBegin(begin) => drop(self.turns.insert(begin.id, begin.attempt)),
            Action::StorePut(entry) => {
                self.stored.insert(entry.key.clone(), entry.value.clone());
            }
            Action::StoreDelete(key) => drop(self.stored.remove(key)),
            // A turn that is cancelled is held until the agent says so.
            Action::TurnCancel(_)
            | Action::TurnContext(_)
            | Action::TurnOutcome(_)
            | Action::ApprovalAnswer(_)
            | Action::ConversationReset(_)
            | Action::BlobDrop(_)
            | Action::Metric(_)
            | Action::Health(_)
            | Action::Reply(_)
            | Action::Extension(_) => {}
        }
        Ok(false)
    }

    fn http(
        &mut self,
        request: &HttpRequest,
        egress: Option<&EgressPolicy>,
    ) -> Result<bool, Breach> {
        self.allot(request.id)?;
        let mut used = self.headers(&request.headers)?;
        used.extend(self.pieces(&request.body)?);
        let grant = Granted::new(egress, &request.url, Scheme::Http);
        grant.headers(&request.headers, Place::Header)?;
        grant.json(&request.body, "a body", Place::Body)?;
        let captures = captures(egress, request);
        let asked = Asked::Http {
            captures,
            used,
            blob: match &request.sink {
                BodySink::Text(_) => None,
                BodySink::Blob(sink) => Some(sink.blob),
            },
            headers: request.want_headers.clone(),
        };
        self.requests.insert(request.id, asked);
        if allowed(egress, &request.url, Scheme::Http) {
            return Ok(false);
        }
        self.refusals.push_back(Event::HttpDone(HttpDone {
            id: request.id,
            outcome: HttpOutcome::Failed(refusal()),
            used: Vec::new(),
            captured: Vec::new(),
        }));
        Ok(true)
    }

    /// A new id of the guest's own.
    fn allot(&mut self, id: u64) -> Result<(), Breach> {
        if id >> 32 != u64::from(self.boot) {
            return Err(Breach::ForeignId(id));
        }
        match self.used_ids.insert(id) {
            true => Ok(()),
            false => Err(Breach::IdTwice(id)),
        }
    }

    fn headers(&self, headers: &[Header]) -> Result<BTreeSet<String>, Breach> {
        let mut used = BTreeSet::new();
        for header in headers {
            used.extend(self.pieces(&header.value)?);
        }
        Ok(used)
    }

    /// The secrets of a text.
    fn pieces(&self, pieces: &[Piece]) -> Result<BTreeSet<String>, Breach> {
        let mut used = BTreeSet::new();
        for piece in pieces {
            if let Piece::Secret(secret) = piece {
                self.secret(&secret.name)?;
                used.insert(secret.name.clone());
            }
        }
        Ok(used)
    }

    fn secret(&self, name: &str) -> Result<(), Breach> {
        match self.secrets.contains(name) {
            true => Ok(()),
            false => Err(Breach::Secret(name.to_owned())),
        }
    }
}

fn allowed(egress: Option<&EgressPolicy>, url: &str, scheme: Scheme) -> bool {
    egress.is_none_or(|policy| policy.decide(url, scheme).is_ok())
}

/// Where secrets may stand towards an address; absent where nothing is known of it, or no secret may go there at all: a
/// component that follows an address which an answer brought learns that from the host's refusal.
struct Granted(Option<Vec<Arc<Position>>>);

impl Granted {
    fn new(egress: Option<&EgressPolicy>, url: &str, scheme: Scheme) -> Self {
        let grant = egress.and_then(|policy| policy.decide(url, scheme).ok());
        let positions = grant.map(|grant| grant.positions);
        Self(positions.filter(|positions| !positions.is_empty()))
    }

    fn headers(&self, headers: &[Header], place: fn(String) -> Place) -> Result<(), Breach> {
        let Some(positions) = &self.0 else {
            return Ok(());
        };
        for header in headers {
            let here = place(header.name.clone());
            for name in secrets(&header.value) {
                if !positions
                    .iter()
                    .any(|p| p.secret == name && p.place == here)
                {
                    return Err(Breach::Misplaced(name.to_owned(), "a header"));
                }
            }
        }
        Ok(())
    }

    /// Every secret of a text must be the value of a field that has a position.
    fn json(
        &self,
        pieces: &[Piece],
        what: &'static str,
        place: fn(Pointer) -> Place,
    ) -> Result<(), Breach> {
        let Some(positions) = &self.0 else {
            return Ok(());
        };
        let mark = |name: &str| format!("\u{e000}{name}\u{e001}");
        let text = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Secret(secret) => mark(&secret.name),
            Piece::Blob(_) => String::new(),
        });
        let text: String = text.collect();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        for name in secrets(pieces) {
            let stands = |p: &&Arc<Position>| {
                let pointer = match &p.place {
                    Place::Body(pointer) | Place::Frame(pointer) => pointer,
                    Place::Header(_) | Place::Upgrade(_) => return false,
                };
                let value = pointer.find(&json).and_then(Value::as_str);
                let whole = format!("{}{}", p.prefix, mark(name));
                let here = place(pointer.clone()) == p.place;
                here && p.secret == name && value == Some(whole.as_str())
            };
            let places = positions.iter().filter(stands).count();
            if places != secrets(pieces).filter(|other| *other == name).count() {
                return Err(Breach::Misplaced(name.to_owned(), what));
            }
        }
        Ok(())
    }
}

fn secrets(pieces: &[Piece]) -> impl Iterator<Item = &str> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Secret(secret) => Some(secret.name.as_str()),
        Piece::Text(_) | Piece::Blob(_) => None,
    })
}

/// The secrets that a good answer brings.
fn captures(egress: Option<&EgressPolicy>, request: &HttpRequest) -> Vec<String> {
    let granted = egress.and_then(|policy| policy.decide(&request.url, Scheme::Http).ok());
    let (Some(policy), Some(grant)) = (egress, granted) else {
        return Vec::new();
    };
    let captures = policy.captures_at(&grant.url).into_iter();
    captures
        .filter(|capture| capture.method == request.method)
        .map(|capture| capture.secret.clone())
        .collect()
}

fn refusal() -> Failure {
    Failure {
        stage: Stage::Policy,
        detail: "refused by the host's own rules".into(),
        maybe_received: false,
    }
}
