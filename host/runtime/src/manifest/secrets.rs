//! The tables `[[egress.secret]]` and `[[egress.capture]]`: where secrets stand, and which answers bring them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::ManifestError;
use crate::egress::EgressGroup;
use crate::egress::secrets::{Capture, PathPattern, Place, Pointer, Position};
use crate::vault::MAX_SECRETS;

/// Most positions, and most captures, of one group.
const MAX_RULES: usize = 64;
/// Most fields that an answer with a secret may show.
const MAX_SHOWN: usize = 16;
/// Longest prefix of a secret, bytes.
const MAX_PREFIX_BYTES: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSecret {
    name: String,
    header: Option<String>,
    upgrade: Option<String>,
    body: Option<String>,
    frame: Option<String>,
    #[serde(default)]
    prefix: String,
    method: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCapture {
    name: String,
    method: String,
    path: String,
    pointer: String,
    #[serde(default)]
    show: Vec<String>,
}

/// Reports what is wrong with the declaration of one secret.
struct Declared<'a> {
    group: &'a str,
    secret: &'a str,
}

impl Declared<'_> {
    fn wrong(&self, what: impl ToString) -> ManifestError {
        ManifestError::Secret {
            group: self.group.to_owned(),
            secret: self.secret.to_owned(),
            what: what.to_string(),
        }
    }

    fn pointer(&self, text: &str) -> Result<Pointer, ManifestError> {
        text.parse().map_err(|error| self.wrong(error))
    }

    fn path(&self, text: &str) -> Result<PathPattern, ManifestError> {
        text.parse().map_err(|error| self.wrong(error))
    }

    fn header(&self, name: String) -> Result<String, ManifestError> {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        match !name.is_empty() && name.bytes().all(good) {
            true => Ok(name),
            false => Err(self.wrong(format!(
                "{name:?} is not the name of a header; write it in lower case"
            ))),
        }
    }

    fn method(&self, method: String) -> Result<String, ManifestError> {
        match !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) {
            true => Ok(method),
            false => Err(self.wrong(format!(
                "{method:?} is not a method; write it in upper case"
            ))),
        }
    }
}

/// Where the secrets of a group may stand.
pub(super) fn positions(
    group: &str,
    raw: Vec<RawSecret>,
) -> Result<Vec<Arc<Position>>, ManifestError> {
    few(
        "positions of secrets in one [[egress]] group",
        raw.len(),
        MAX_RULES,
    )?;
    let position = |raw: RawSecret| {
        let secret = raw.name.clone();
        let declared = Declared {
            group,
            secret: &secret,
        };
        let place = match (raw.header, raw.upgrade, raw.body, raw.frame) {
            (Some(name), None, None, None) => Place::Header(declared.header(name)?),
            (None, Some(name), None, None) => Place::Upgrade(declared.header(name)?),
            (None, None, Some(pointer), None) => Place::Body(declared.pointer(&pointer)?),
            (None, None, None, Some(pointer)) => Place::Frame(declared.pointer(&pointer)?),
            _ => {
                let what = "it needs one of header, upgrade, body, frame; write a table for each";
                return Err(declared.wrong(what));
            }
        };
        if raw.prefix.len() > MAX_PREFIX_BYTES || raw.prefix.chars().any(char::is_control) {
            let what = format!(
                "prefix is not usable; write at most {MAX_PREFIX_BYTES} visible characters"
            );
            return Err(declared.wrong(what));
        }
        Ok(Arc::new(Position {
            place,
            prefix: raw.prefix,
            method: raw.method.map(|m| declared.method(m)).transpose()?,
            path: match raw.path {
                Some(path) => declared.path(&path)?,
                None => PathPattern::any(),
            },
            secret,
        }))
    };
    raw.into_iter().map(position).collect()
}

/// Which answers of a group bring secrets.
pub(super) fn captures(
    group: &str,
    raw: Vec<RawCapture>,
) -> Result<Vec<Arc<Capture>>, ManifestError> {
    few("captures in one [[egress]] group", raw.len(), MAX_RULES)?;
    let capture = |raw: RawCapture| {
        let declared = Declared {
            group,
            secret: &raw.name,
        };
        few("fields in one show", raw.show.len(), MAX_SHOWN)?;
        let pointer = declared.pointer(&raw.pointer)?;
        let shown = raw.show.iter().map(|text| declared.pointer(text));
        let show: Vec<Pointer> = shown.collect::<Result<_, _>>()?;
        if show.contains(&pointer) {
            let what =
                format!("{pointer} holds the secret and cannot be shown; take it out of show");
            return Err(declared.wrong(what));
        }
        Ok(Arc::new(Capture {
            method: declared.method(raw.method)?,
            path: declared.path(&raw.path)?,
            pointer,
            show,
            secret: raw.name.clone(),
        }))
    };
    raw.into_iter().map(capture).collect()
}

/// The mask of a channel is bounded, so the names are.
pub(super) fn few_enough(groups: &[EgressGroup]) -> Result<(), ManifestError> {
    let bound = groups.iter().flat_map(EgressGroup::secrets);
    let captured = groups.iter().flat_map(|group| &group.captures);
    let names: BTreeSet<&str> = bound.chain(captured.map(|c| c.secret.as_str())).collect();
    few("secrets", names.len(), MAX_SECRETS)
}

fn few(what: &'static str, found: usize, max: usize) -> Result<(), ManifestError> {
    match found <= max {
        true => Ok(()),
        false => Err(ManifestError::TooMany { what, found, max }),
    }
}
