//! Secrets: their values, which hosts they may go to, and how they are kept from everybody else.
//!
//! Only this file sees a value. A value never has a `Debug` output, is overwritten when dropped,
//! and leaves through [`Vault::fill`] towards hosts that the manifest binds it to.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::bindings::v0_1::{Captured, Encoding};

/// Shorter values are not masked: a three-letter secret is a word of ordinary text.
const MIN_MASKED_BYTES: usize = 4;

/// What stays as it is in a path segment or a query value (RFC 3986, unreserved).
const PERCENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Text that must not be seen: a secret, or something that contains one.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Whoever calls this sends it, and does not print it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Adds to the end.
    pub fn push(&mut self, text: &str) {
        // Growing in place would leave a copy of the old buffer behind.
        if self.0.capacity() < self.0.len() + text.len() {
            let mut grown = Zeroizing::new(String::with_capacity((self.0.len() + text.len()) * 2));
            grown.push_str(&self.0);
            self.0 = grown;
        }
        self.0.push_str(text);
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} hidden bytes>", self.0.len())
    }
}

/// A secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretRefused {
    /// No such name.
    #[error("no secret is called {0}; bind it in plugin.toml")]
    Unknown(String),
    /// The name is known and has no value yet.
    #[error("the secret {0} has no value yet")]
    Empty(String),
    /// The other side is not one that may have it.
    #[error(
        "the secret {0} is not bound to this host; add it to the host's [[egress]] group in plugin.toml if it belongs there"
    )]
    NotBound(String),
}

#[derive(Default)]
struct Slot {
    value: Option<Hidden>,
    /// The value before, which the other side may still echo.
    former: Option<Hidden>,
    generation: u64,
    captured: bool,
}

/// The secrets of one channel.
pub struct Vault {
    slots: BTreeMap<String, Slot>,
    mask: Option<Mask>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.slots.keys()).finish()
    }
}

impl Vault {
    /// A vault with the operator's secrets, and room for the ones that responses may bring.
    pub fn new(
        from_config: impl IntoIterator<Item = (String, Hidden)>,
        captured: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut slots = BTreeMap::<String, Slot>::new();
        for name in captured {
            slots.entry(name).or_default().captured = true;
        }
        for (name, value) in from_config {
            slots.entry(name).or_default().value = Some(value);
        }
        let mut vault = Self { slots, mask: None };
        vault.mask = Mask::new(&vault.slots);
        vault
    }

    /// Takes up the operator's secrets of a new configuration, and hands the ones before back. What
    /// responses brought stays. A former value is still masked: the other side may echo it.
    pub fn replace(&mut self, from_config: Vec<(String, Hidden)>) -> Vec<(String, Hidden)> {
        let own = self.slots.iter_mut().filter(|(_, slot)| !slot.captured);
        let mut before = Vec::new();
        for (name, slot) in own {
            if let Some(value) = slot.value.take() {
                before.push((name.clone(), value));
            }
        }
        for (name, value) in from_config {
            self.slots.entry(name).or_default().value = Some(value);
        }
        for (name, value) in &before {
            if let Some(slot) = self.slots.get_mut(name)
                && slot.value.as_ref() != Some(value)
            {
                slot.former = Some(value.clone());
            }
        }
        self.mask = Mask::new(&self.slots);
        before
    }

    /// Takes up the operator's secrets that are not known yet; those that are stay as they are.
    pub fn fill_missing(&mut self, from_config: Vec<(String, Hidden)>) {
        for (name, value) in from_config {
            let slot = self.slots.entry(name).or_default();
            if !slot.captured && slot.value.is_none() {
                slot.value = Some(value);
            }
        }
        self.mask = Mask::new(&self.slots);
    }

    /// Lets responses bring these secrets and no others from now on, and hands the names before back. What
    /// was brought stays.
    pub fn capture_only(&mut self, names: BTreeSet<String>) -> BTreeSet<String> {
        let captured = self.slots.iter().filter(|(_, slot)| slot.captured);
        let before = captured.map(|(name, _)| name.clone()).collect();
        for name in &names {
            self.slots.entry(name.clone()).or_default();
        }
        for (name, slot) in &mut self.slots {
            slot.captured = names.contains(name);
        }
        before
    }

    /// Names of the secrets that have a value, ascending.
    pub fn names(&self) -> Vec<String> {
        let filled = self.slots.iter().filter(|(_, slot)| slot.value.is_some());
        filled.map(|(name, _)| name.clone()).collect()
    }

    /// The generation of a secret: 0 before the first capture.
    pub fn generation(&self, name: &str) -> u64 {
        self.slots.get(name).map_or(0, |slot| slot.generation)
    }

    /// The value, written as asked, for a host that may have the secrets in `bound`.
    ///
    /// # Errors
    /// Unknown, without a value, or not bound to that host.
    pub fn fill(
        &self,
        name: &str,
        encoding: Encoding,
        bound: &BTreeSet<String>,
    ) -> Result<Hidden, SecretRefused> {
        let slot = self.slots.get(name);
        let slot = slot.ok_or_else(|| SecretRefused::Unknown(name.to_owned()))?;
        if !bound.contains(name) {
            return Err(SecretRefused::NotBound(name.to_owned()));
        }
        let value = slot.value.as_ref();
        let value = value.ok_or_else(|| SecretRefused::Empty(name.to_owned()))?;
        Ok(encoded(value, encoding))
    }

    /// True when responses may bring this secret.
    pub fn may_capture(&self, name: &str) -> bool {
        self.slots.get(name).is_some_and(|slot| slot.captured)
    }

    /// Takes a value that a response brought. `None` when the name is not one that is captured.
    pub fn capture(&mut self, name: &str, value: Hidden) -> Option<Captured> {
        let slot = self.slots.get_mut(name).filter(|slot| slot.captured)?;
        let changed = slot.value.as_ref() != Some(&value);
        if changed {
            slot.generation += 1;
            slot.former = slot.value.replace(value);
        }
        let generation = slot.generation;
        if changed {
            self.mask = Mask::new(&self.slots);
        }
        Some(Captured {
            name: name.to_owned(),
            generation,
            changed,
        })
    }

    /// Replaces every known value, in each of its spellings, by its name.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.mask {
            Some(mask) => mask.apply(text),
            None => Cow::Borrowed(text),
        }
    }

    /// [`Vault::mask`] for a text that is owned.
    pub fn masked(&self, text: String) -> String {
        match self.mask(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => masked,
        }
    }

    /// [`Vault::mask`] for bytes.
    pub fn masked_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match &self.mask {
            Some(mask) if mask.finder.is_match(&bytes) => {
                mask.finder.replace_all_bytes(&bytes, &mask.names)
            }
            _ => bytes,
        }
    }
}

/// A text written into the text around it.
pub fn encoded(value: &Hidden, encoding: Encoding) -> Hidden {
    let text = value.expose();
    match encoding {
        Encoding::Raw => value.clone(),
        Encoding::JsonString => Hidden::new(json_inner(text)),
        Encoding::Base64 => Hidden::new(BASE64.encode(text)),
        Encoding::Percent => Hidden::new(utf8_percent_encode(text, PERCENT).to_string()),
    }
}

fn json_inner(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// How another program may write a value back.
fn spellings(value: &Hidden) -> Vec<String> {
    let own = [
        Encoding::Raw,
        Encoding::JsonString,
        Encoding::Base64,
        Encoding::Percent,
    ];
    let mut all: Vec<String> = own
        .iter()
        .map(|encoding| encoded(value, *encoding).expose().to_owned())
        .collect();
    // Some writers of JSON escape the slash, which they need not.
    all.push(json_inner(value.expose()).replace('/', "\\/"));
    all
}

struct Mask {
    finder: AhoCorasick,
    names: Vec<String>,
}

impl Mask {
    fn new(slots: &BTreeMap<String, Slot>) -> Option<Self> {
        let mut needles = BTreeMap::new();
        for (name, slot) in slots {
            for value in [&slot.value, &slot.former].into_iter().flatten() {
                if value.expose().len() < MIN_MASKED_BYTES {
                    continue;
                }
                for written in spellings(value) {
                    needles
                        .entry(written)
                        .or_insert_with(|| format!("[{name}]"));
                }
            }
        }
        let (patterns, names): (Vec<_>, Vec<_>) = needles.into_iter().unzip();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .ok()?;
        (!names.is_empty()).then_some(Self { finder, names })
    }

    fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.finder.is_match(text) {
            Cow::Owned(self.finder.replace_all(text, &self.names))
        } else {
            Cow::Borrowed(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(
            [("key".to_owned(), Hidden::new("s\"cret/value+1"))],
            ["token".to_owned()],
        )
    }

    fn bound(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn a_secret_is_filled_only_towards_its_own_hosts() {
        let vault = vault();
        let raw = vault.fill("key", Encoding::Raw, &bound(&["key"]));
        assert_eq!(raw.unwrap().expose(), "s\"cret/value+1");
        let refused = vault.fill("key", Encoding::Raw, &bound(&["token"]));
        assert_eq!(refused, Err(SecretRefused::NotBound("key".into())));
        let empty = vault.fill("token", Encoding::Raw, &bound(&["token"]));
        assert_eq!(empty, Err(SecretRefused::Empty("token".into())));
    }

    #[test]
    fn a_new_value_counts_a_generation_and_the_same_one_does_not() {
        let mut vault = vault();
        let first = vault.capture("token", Hidden::new("abcdef")).unwrap();
        assert_eq!((first.generation, first.changed), (1, true));
        let again = vault.capture("token", Hidden::new("abcdef")).unwrap();
        assert_eq!((again.generation, again.changed), (1, false));
        let next = vault.capture("token", Hidden::new("ghijkl")).unwrap();
        assert_eq!((next.generation, next.changed), (2, true));
        assert!(vault.capture("key", Hidden::new("forged")).is_none());
    }

    #[test]
    fn an_echo_is_masked_in_every_spelling_and_after_a_change_too() {
        let mut vault = vault();
        vault.capture("token", Hidden::new("first-token"));
        vault.capture("token", Hidden::new("second-token"));
        let text = r#"a s"cret/value+1 b s\"cret/value+1 c s%22cret%2Fvalue%2B1 d cyJjcmV0L3ZhbHVlKzE= e first-token f second-token"#;
        assert_eq!(
            vault.mask(text),
            "a [key] b [key] c [key] d [key] e [token] f [token]"
        );
    }

    #[test]
    fn a_replaced_secret_is_masked_still_and_what_was_captured_stays() {
        let mut vault = vault();
        vault.capture("token", Hidden::new("a-token"));
        let before = vault.replace(vec![("key".into(), Hidden::new("another"))]);
        assert_eq!(
            vault.mask("s\"cret/value+1 another a-token"),
            "[key] [key] [token]"
        );
        assert_eq!(vault.replace(before).len(), 1);
        let raw = vault.fill("key", Encoding::Raw, &bound(&["key"]));
        assert_eq!(raw.unwrap().expose(), "s\"cret/value+1");
    }

    #[test]
    fn a_hidden_text_has_no_debug_output() {
        assert_eq!(format!("{:?}", Hidden::new("abc")), "<3 hidden bytes>");
        assert!(!format!("{:?}", vault()).contains("cret"));
    }
}
