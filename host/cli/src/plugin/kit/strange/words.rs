//! Texts of any shape, and what they are made of: what was given, what the component itself said, and chance.

use prx_host::bindings::v0_1::{Action, Effect, Piece};
use serde_json::{Map, Value};

use super::Strange;

/// Field names and texts that are remembered.
const REMEMBERED: usize = 200;

impl Strange {
    /// Remembers what a component sends: its field names, and whole texts.
    pub(in crate::plugin::kit) fn learn(&mut self, effects: &[Effect]) {
        for effect in effects {
            let pieces: &[Piece] = match &effect.action {
                Action::SocketSend(send) => &send.payload,
                Action::Http(request) => {
                    self.remember(request.url.clone());
                    &request.body
                }
                _ => continue,
            };
            let mut whole = String::new();
            for piece in pieces {
                if let Piece::Text(text) = piece {
                    whole.push_str(text);
                }
            }
            if let Ok(value) = serde_json::from_str::<Value>(&whole) {
                self.learn_words(&value);
            }
            self.remember(whole);
        }
    }

    fn remember(&mut self, mut text: String) {
        text.truncate(text.floor_char_boundary(400));
        if self.texts.len() < REMEMBERED {
            self.texts.push(text);
        } else {
            let at = self.rng.usize(0..REMEMBERED);
            self.texts.splice(at..=at, [text]);
        }
    }

    pub(super) fn learn_words(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    if self.words.len() < REMEMBERED && !self.words.contains(name) {
                        self.words.push(name.clone());
                    }
                    self.learn_words(inner);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_words(item)),
            _ => {}
        }
    }

    /// A text of any shape; most of them JSON.
    pub(super) fn text(&mut self) -> String {
        if self.kind && !self.corpus.is_empty() && self.rng.bool() {
            return self.known();
        }
        match self.rng.u8(0..24) {
            0 => String::new(),
            1 => "{".into(),
            2 => "null".into(),
            3 => "\u{0}\u{fffd}\u{202e}".into(),
            4 => "[".repeat(self.rng.usize(1..20_000)),
            5 => "\u{4f60}".repeat(self.rng.usize(1..20_000)),
            6 => (0..self.rng.usize(0..60))
                .map(|_| self.rng.char(..))
                .collect(),
            7..=9 => self.known(),
            10 => {
                let known = self.known();
                let end = known.floor_char_boundary(self.rng.usize(0..=known.len()));
                known.get(..end).unwrap_or_default().to_owned()
            }
            11 => self.rng.u32(0..5000).to_string(),
            12..=14 => self.mutated(),
            _ => self.object(4).to_string(),
        }
    }

    /// What was seen or given before.
    pub(super) fn known(&mut self) -> String {
        // What was given is what the other side says; what was learnt is the component's own.
        if !self.corpus.is_empty() && self.rng.u8(0..4) > 0 {
            let given = self.corpus.get(self.rng.usize(0..self.corpus.len()));
            return given.cloned().unwrap_or_default();
        }
        let count = self.texts.len() + self.corpus.len();
        if count == 0 {
            return self.address();
        }
        let known = self.texts.iter().chain(&self.corpus);
        let mut known = known.skip(self.rng.usize(0..count));
        known.next().cloned().unwrap_or_default()
    }

    fn address(&mut self) -> String {
        let count = self.addresses.len();
        let address = self.addresses.get(self.rng.usize(0..count));
        address.cloned().unwrap_or_default()
    }

    /// Something known, with one of its values, or none, in another shape.
    fn mutated(&mut self) -> String {
        let known = self.known();
        let Ok(mut value) = serde_json::from_str::<Value>(&known) else {
            return known;
        };
        let pointer = self.pointer(&value);
        if let Some(slot) = value.pointer_mut(&pointer)
            && self.rng.u8(0..4) > 0
        {
            *slot = self.json(2);
        }
        value.to_string()
    }

    /// A way to some value within, as a JSON pointer.
    fn pointer(&mut self, value: &Value) -> String {
        let (mut pointer, mut here) = (String::new(), value);
        while self.rng.u8(0..5) > 0 {
            let below: Vec<(String, &Value)> = match here {
                Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), v)).collect(),
                Value::Array(items) => {
                    let items = items.iter().enumerate();
                    items.map(|(at, v)| (at.to_string(), v)).collect()
                }
                _ => break,
            };
            let at = self.rng.usize(0..below.len().max(1));
            let Some((name, inner)) = below.into_iter().nth(at) else {
                break;
            };
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            here = inner;
        }
        pointer
    }

    fn object(&mut self, depth: u32) -> Value {
        let mut fields = Map::new();
        for _ in 0..self.rng.usize(0..10) {
            let words = self.words.len();
            let word = self.words.get(self.rng.usize(0..words)).cloned();
            let word = word.unwrap_or_default();
            let value = self.value_for(&word, depth);
            fields.insert(word, value);
        }
        Value::Object(fields)
    }

    /// Much of what anybody might look for.
    pub(super) fn rich(&mut self) -> Value {
        let mut fields = Map::new();
        for word in self.words.clone() {
            if self.rng.u8(0..4) > 0 {
                let value = self.value_for(&word, 2);
                fields.insert(word, value);
            }
        }
        Value::Object(fields)
    }

    /// Often something that fits a name, as far as names say anything.
    fn value_for(&mut self, word: &str, depth: u32) -> Value {
        let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
        match self.rng.u8(0..if self.kind { 2 } else { 3 }) {
            0 if has(&["url", "uri", "address", "endpoint"]) => self.address().into(),
            0 if has(&["interval", "expires", "time", "seconds"]) => self.rng.u32(0..90_000).into(),
            1 if has(&["expires", "time"]) => self.rng.u32(0..90_000).to_string().into(),
            0 if has(&["id", "token", "session", "name"]) => format!("x{}", self.rng.u8(..)).into(),
            0 if matches!(word, "op" | "type" | "code" | "s" | "seq") => self.rng.u32(0..12).into(),
            _ => self.json(depth.saturating_sub(1)),
        }
    }

    fn json(&mut self, depth: u32) -> Value {
        match self.rng.u8(0..if depth == 0 { 7 } else { 12 }) {
            0 => Value::Null,
            1 => self.rng.bool().into(),
            2 => self.rng.i64(..).into(),
            3 => self.rng.f64().into(),
            4 => self.rng.u32(0..200).into(),
            5 => self.known().into(),
            6 => self.rng.u32(..).to_string().into(),
            7 => (0..self.rng.usize(0..4))
                .map(|_| self.json(depth - 1))
                .collect(),
            _ => self.object(depth - 1),
        }
    }
}
