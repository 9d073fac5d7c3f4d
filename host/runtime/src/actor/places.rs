//! Joining pieces into headers, bodies and messages. A secret goes in only where the manifest has a position for it.
//!
//! Where it stands in a JSON text is not asked of the component: the text is read with a stand-in in place of each secret,
//! and what the stand-ins turn out to be the value of is compared with the positions.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};

use super::command::{BodyPiece, HeaderOut};
use super::prepare::{Denied, header_allowed};
use crate::bindings::v0_1::{Encoding, Header, Piece, SecretUse};
use crate::egress::secrets::{Place, Pointer, Position};
use crate::vault::{Hidden, Vault};

/// A secret stands where it may not: names no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misplaced {
    /// No position fits.
    #[error(
        "the secret {secret} may not stand in {place} towards this address; if it belongs there, add an [[egress.secret]] to plugin.toml"
    )]
    Nowhere {
        /// Name of the secret.
        secret: String,
        /// What it was put into.
        place: String,
    },
    /// Its surroundings cannot be read.
    #[error("a secret may stand in a JSON text only, with no key in it twice: {0}")]
    NotJson(String),
    /// Its surroundings cannot be read, since they are not here.
    #[error("a secret cannot be joined with bytes of a blob")]
    WithBlob,
    /// A message that is not text.
    #[error("a secret cannot stand in a binary message")]
    Binary,
    /// The other side would read the body in another way than this host does.
    #[error(
        "a body with a secret in it must be sent as application/json, without an encoding; {0} says something else"
    )]
    ReadOtherwise(String),
    /// One of two headers would be read.
    #[error("the header {0}, which holds a secret, is there twice")]
    HeaderTwice(String),
}

/// Joins pieces towards one address and keeps account of the secrets that went in.
pub(super) struct Joiner<'a> {
    vault: &'a Vault,
    positions: &'a [Arc<Position>],
    used: BTreeSet<String>,
}

/// What a JSON text is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text<'a> {
    Body { method: &'a str },
    Frame,
}

/// What a header belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadersOf<'a> {
    Request { method: &'a str },
    Upgrade,
}

impl<'a> Joiner<'a> {
    pub(super) fn new(vault: &'a Vault, positions: &'a [Arc<Position>]) -> Self {
        Self {
            vault,
            positions,
            used: BTreeSet::new(),
        }
    }

    /// Which generation of each secret went in.
    pub(super) fn used(&self) -> Vec<SecretUse> {
        let used = self.used.iter().map(|name| SecretUse {
            name: name.clone(),
            generation: self.vault.generation(name),
        });
        used.collect()
    }

    /// The body of a request, after its headers.
    pub(super) fn body(
        &mut self,
        method: &str,
        pieces: Vec<Piece>,
        headers: &[HeaderOut],
    ) -> Result<Vec<BodyPiece>, Denied> {
        if !has_secret(&pieces) {
            return Ok(plain(pieces));
        }
        read_as_json(headers)?;
        Ok(vec![self.json(Text::Body { method }, &pieces)?])
    }

    /// A message on a WebSocket.
    pub(super) fn message(
        &mut self,
        binary: bool,
        pieces: Vec<Piece>,
    ) -> Result<Vec<BodyPiece>, Denied> {
        if !has_secret(&pieces) {
            return Ok(plain(pieces));
        }
        if binary {
            return Err(Misplaced::Binary.into());
        }
        Ok(vec![self.json(Text::Frame, &pieces)?])
    }

    pub(super) fn headers(
        &mut self,
        of: HeadersOf<'_>,
        headers: Vec<Header>,
    ) -> Result<Vec<HeaderOut>, Denied> {
        let joined: Result<Vec<HeaderOut>, Denied> =
            headers.into_iter().map(|h| self.header(of, h)).collect();
        let joined = joined?;
        let twice = |header: &&HeaderOut| {
            let same = joined.iter().filter(|other| other.name == header.name);
            header.secret && same.count() > 1
        };
        match joined.iter().find(twice) {
            Some(header) => Err(Misplaced::HeaderTwice(header.name.clone()).into()),
            None => Ok(joined),
        }
    }

    fn header(&mut self, of: HeadersOf<'_>, header: Header) -> Result<HeaderOut, Denied> {
        let name = header.name;
        if !header_allowed(&name) {
            return Err(Denied::Header(name));
        }
        let secret = has_secret(&header.value);
        let value = match secret {
            true => self.header_with_secret(of, &name, &header.value)?,
            false => {
                let mut value = Hidden::new("");
                for piece in plain(header.value) {
                    match piece {
                        BodyPiece::Text(text) => value.push(text.expose()),
                        BodyPiece::Blob(_) => return Err(Denied::BlobInHeader),
                    }
                }
                value
            }
        };
        // A line break would begin a header of the guest's choosing, or a second request.
        if value.expose().chars().any(|c| c.is_control() && c != '\t') {
            return Err(Denied::Header(name));
        }
        Ok(HeaderOut {
            name,
            value,
            secret,
        })
    }

    /// The prefix of the position and the secret, and nothing else.
    fn header_with_secret(
        &mut self,
        of: HeadersOf<'_>,
        name: &str,
        pieces: &[Piece],
    ) -> Result<Hidden, Denied> {
        let mut prefix = String::new();
        let mut found = None;
        for piece in pieces {
            match piece {
                Piece::Text(text) if found.is_none() => prefix.push_str(text),
                Piece::Secret(secret) if found.is_none() => found = Some(secret),
                Piece::Text(text) if text.is_empty() => {}
                Piece::Text(_) | Piece::Secret(_) => {
                    let first = found.map_or("", |secret| secret.name.as_str());
                    return Err(nowhere(first, &format!("a part of the header {name}")).into());
                }
                Piece::Blob(_) => return Err(Denied::BlobInHeader),
            }
        }
        let Some(secret) = found else {
            return Ok(Hidden::new(prefix));
        };
        let place = match of {
            HeadersOf::Request { .. } => Place::Header(name.to_owned()),
            HeadersOf::Upgrade => Place::Upgrade(name.to_owned()),
        };
        let method = match of {
            HeadersOf::Request { method } => Some(method),
            HeadersOf::Upgrade => None,
        };
        let fits = self.has_position(&secret.name, &place, &prefix, method);
        if !fits || secret.encoding != Encoding::Raw {
            return Err(nowhere(&secret.name, &place.to_string()).into());
        }
        let mut value = Hidden::new(prefix);
        value.push(self.take(&secret.name, Encoding::Raw)?.expose());
        Ok(value)
    }

    fn has_position(
        &self,
        secret: &str,
        place: &Place,
        prefix: &str,
        method: Option<&str>,
    ) -> bool {
        self.positions.iter().any(|p| {
            let of_method = p.method.is_none() || p.method.as_deref() == method;
            p.secret == secret && p.place == *place && p.prefix == prefix && of_method
        })
    }

    fn take(&mut self, name: &str, encoding: Encoding) -> Result<Hidden, Denied> {
        let value = self.vault.fill(name, encoding)?;
        self.used.insert(name.to_owned());
        Ok(value)
    }

    fn json(&mut self, kind: Text<'_>, pieces: &[Piece]) -> Result<BodyPiece, Denied> {
        self.check_json(kind, pieces)?;
        let mut joined = Hidden::new("");
        for piece in pieces {
            match piece {
                Piece::Text(text) => joined.push(text),
                Piece::Secret(secret) => {
                    joined.push(self.take(&secret.name, Encoding::JsonString)?.expose());
                }
                Piece::Blob(_) => return Err(Misplaced::WithBlob.into()),
            }
        }
        Ok(BodyPiece::Text(joined))
    }

    /// Each secret must be the end of a string that has a position, behind nothing but its prefix.
    fn check_json(&self, kind: Text<'_>, pieces: &[Piece]) -> Result<(), Misplaced> {
        let of_text = match kind {
            Text::Body { .. } => "a body",
            Text::Frame => "a message",
        };
        let stand_in = StandIn::for_text(pieces);
        let mut text = String::new();
        let mut secrets = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(own) => text.push_str(own),
                Piece::Secret(secret) if secret.encoding == Encoding::JsonString => {
                    text.push_str(&stand_in.of(secrets.len()));
                    secrets.push(secret.name.as_str());
                }
                Piece::Secret(secret) => {
                    let place = format!("{of_text}, written in another way than as a JSON string");
                    return Err(nowhere(&secret.name, &place));
                }
                Piece::Blob(_) => return Err(Misplaced::WithBlob),
            }
        }
        let found = stand_in.find(&text)?;
        for (index, secret) in secrets.iter().enumerate() {
            let here = stand_in.of(index);
            let mut places = found.iter().filter(|f| f.value.contains(&here));
            let place = match (places.next(), places.next()) {
                (Some(place), None) => place,
                _ => {
                    return Err(nowhere(
                        secret,
                        &format!("more than one field of {of_text}"),
                    ));
                }
            };
            let Some(pointer) = &place.pointer else {
                return Err(nowhere(secret, &format!("a key or a list of {of_text}")));
            };
            let (named, method) = match kind {
                Text::Body { method } => (Place::Body(pointer.clone()), Some(method)),
                Text::Frame => (Place::Frame(pointer.clone()), None),
            };
            let prefix = place.value.strip_suffix(&here);
            if !prefix.is_some_and(|prefix| self.has_position(secret, &named, prefix, method)) {
                return Err(nowhere(secret, &named.to_string()));
            }
        }
        Ok(())
    }
}

fn nowhere(secret: &str, place: &str) -> Misplaced {
    Misplaced::Nowhere {
        secret: secret.to_owned(),
        place: place.to_owned(),
    }
}

fn has_secret(pieces: &[Piece]) -> bool {
    pieces.iter().any(|p| matches!(p, Piece::Secret(_)))
}

/// True when a request carries a secret anywhere.
pub(super) fn carries_secret(headers: &[Header], body: &[Piece]) -> bool {
    has_secret(body) || headers.iter().any(|header| has_secret(&header.value))
}

/// Joins texts; blobs stay ranges. There is no secret in them.
pub(super) fn plain(pieces: Vec<Piece>) -> Vec<BodyPiece> {
    let mut body: Vec<BodyPiece> = Vec::new();
    for piece in pieces {
        match (piece, body.last_mut()) {
            (Piece::Text(text), Some(BodyPiece::Text(before))) => before.push(&text),
            (Piece::Text(text), _) => body.push(BodyPiece::Text(Hidden::new(text))),
            (Piece::Blob(range), _) => body.push(BodyPiece::Blob(range)),
            // Whoever calls this has looked for secrets.
            (Piece::Secret(_), _) => {}
        }
    }
    body
}

/// The other side must read the body as it is read here.
fn read_as_json(headers: &[HeaderOut]) -> Result<(), Misplaced> {
    let wrong = |name: &str| Err(Misplaced::ReadOtherwise(format!("the header {name}")));
    if headers.iter().any(|h| h.name == "content-encoding") {
        return wrong("content-encoding");
    }
    let mut types = headers.iter().filter(|h| h.name == "content-type");
    match (types.next(), types.next()) {
        (Some(only), None) if is_json(only.value.expose()) => Ok(()),
        _ => wrong("content-type"),
    }
}

fn is_json(content_type: &str) -> bool {
    let (kind, parameter) = match content_type.split_once(';') {
        Some((kind, parameter)) => (kind, parameter.trim()),
        None => (content_type, ""),
    };
    kind.trim().eq_ignore_ascii_case("application/json")
        && (parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8"))
}

/// A text that stands for a secret while a JSON text is read. It is made of a digest of everything that the component
/// wrote, so the component cannot have written it, in whatever spelling.
struct StandIn(String);

impl StandIn {
    fn for_text(pieces: &[Piece]) -> Self {
        let mut digest = Sha256::new();
        for piece in pieces {
            if let Piece::Text(text) = piece {
                digest.update((text.len() as u64).to_be_bytes());
                digest.update(text);
            }
        }
        let hex: String = digest
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Self(hex)
    }

    /// For the secret of this number. Begins and ends with letters that are not of the digest.
    fn of(&self, index: usize) -> String {
        format!("Q{}q{index}Q", self.0)
    }

    /// Every key and string of a JSON text that holds a stand-in.
    fn find(&self, text: &str) -> Result<Vec<Found>, Misplaced> {
        let mut found = Vec::new();
        let walk = Walk {
            mark: &self.0,
            way: Some(Vec::new()),
            found: &mut found,
        };
        let mut reader = serde_json::Deserializer::from_str(text);
        // What serde_json reports has places and no contents, but for a key of the component's own.
        let read = walk.deserialize(&mut reader).and_then(|()| reader.end());
        read.map_err(|error| Misplaced::NotJson(error.to_string()))?;
        Ok(found)
    }
}

/// A key or string with a stand-in in it.
struct Found {
    /// Which field; `None` for a key, and for what is in an array.
    pointer: Option<Pointer>,
    value: String,
}

/// Reads a JSON value, and forgets everything but the stand-ins.
struct Walk<'w> {
    mark: &'w str,
    /// Names on the way here; `None` below an array.
    way: Option<Vec<String>>,
    found: &'w mut Vec<Found>,
}

impl Walk<'_> {
    fn note(&mut self, pointer: Option<Pointer>, text: &str) {
        if text.contains(self.mark) {
            let value = text.to_owned();
            self.found.push(Found { pointer, value });
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        let pointer = self.way.take().and_then(Pointer::of_names);
        self.note(pointer, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items
            .next_element_seed(Walk {
                mark: self.mark,
                way: None,
                found: &mut *self.found,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        use serde::de::Error as _;
        let mut names = BTreeSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            self.note(None, &name);
            let mut way = self.way.clone();
            if let Some(way) = &mut way {
                way.push(name.clone());
            }
            if !names.insert(name) {
                return Err(A::Error::custom("a key is there twice"));
            }
            fields.next_value_seed(Walk {
                mark: self.mark,
                way,
                found: &mut *self.found,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
