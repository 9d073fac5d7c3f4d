//! Secrets: their values, which hosts they may go to, and how they are kept from everybody else.
//!
//! Only this file sees a value. A value never has a `Debug` output, is overwritten when dropped,
//! and leaves through `Vault::fill`, for whoever has checked that it may stand there.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::bindings::v0_1::{Captured, Encoding};

/// Shorter values are not masked: a three-letter secret is a word of ordinary text.
const MIN_MASKED_BYTES: usize = 4;
/// Longest secret, bytes: from the configuration or out of an answer. Longer than any token that platforms give,
/// and short enough that the mask of all of them is built at once.
pub const MAX_SECRET_BYTES: usize = 4 << 10;
/// Most secrets of one channel.
pub const MAX_SECRETS: usize = 16;
/// Longest spelling of a secret, bytes: a control character takes six in JSON.
pub const MAX_SPELLING_BYTES: usize = 6 * MAX_SECRET_BYTES;

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
}

/// A value cannot be kept as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSecret {
    /// Too long.
    #[error("it has {0} bytes, and {MAX_SECRET_BYTES} are allowed")]
    TooLong(usize),
    /// Something else than text in one line.
    #[error("there is something else in it than visible ASCII characters")]
    NotVisible,
}

/// Whether a value out of an answer can be a secret: it is put into headers, where nothing else may stand.
///
/// # Errors
/// Too long, or not visible.
pub fn usable(value: &str) -> Result<(), UnusableSecret> {
    if value.len() > MAX_SECRET_BYTES {
        return Err(UnusableSecret::TooLong(value.len()));
    }
    match value.bytes().all(|b| b.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(UnusableSecret::NotVisible),
    }
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

    /// The value, written as asked. Whoever asks has checked that it may stand where it is put.
    ///
    /// # Errors
    /// Unknown, or without a value.
    pub(crate) fn fill(&self, name: &str, encoding: Encoding) -> Result<Hidden, SecretRefused> {
        let slot = self.slots.get(name);
        let slot = slot.ok_or_else(|| SecretRefused::Unknown(name.to_owned()))?;
        let value = slot.value.as_ref();
        let value = value.ok_or_else(|| SecretRefused::Empty(name.to_owned()))?;
        Ok(encoded(value, encoding))
    }

    /// Takes a value that a response brought. `None` when the name is not one that is captured.
    ///
    /// # Errors
    /// The value cannot be a secret; see [`usable`].
    pub fn capture(
        &mut self,
        name: &str,
        value: Hidden,
    ) -> Result<Option<Captured>, UnusableSecret> {
        usable(value.expose())?;
        let Some(slot) = self.slots.get_mut(name).filter(|slot| slot.captured) else {
            return Ok(None);
        };
        let changed = slot.value.as_ref() != Some(&value);
        if changed {
            slot.generation += 1;
            slot.former = slot.value.replace(value);
        }
        let generation = slot.generation;
        if changed {
            self.mask = Mask::new(&self.slots);
        }
        Ok(Some(Captured {
            name: name.to_owned(),
            generation,
            changed,
        }))
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

    /// The first `max` of the bytes, masked before they are cut: of a secret that begins there nothing is left. To
    /// find it the bytes must go on for [`MAX_SPELLING_BYTES`] behind the cut, or to their end.
    pub fn masked_start(&self, bytes: &[u8], max: usize) -> Vec<u8> {
        let mut start = Vec::with_capacity(bytes.len().min(max));
        let mut done = 0;
        for (range, name) in self.mask.iter().flat_map(|mask| mask.found(bytes)) {
            if range.start >= max {
                break;
            }
            start.extend_from_slice(bytes.get(done..range.start).unwrap_or_default());
            start.extend_from_slice(name.as_bytes());
            done = range.end;
        }
        let rest = bytes.get(done..max.min(bytes.len()));
        start.extend_from_slice(rest.unwrap_or_default());
        start
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
        // By itself the builder makes a full automaton of so few patterns, which takes the square of the length of
        // one that repeats itself: whoever chooses a token could stop the host.
        let finder = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .ok()?;
        (!names.is_empty()).then_some(Self { finder, names })
    }

    /// Where the values stand, and the names to put there, in order.
    fn found<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = (std::ops::Range<usize>, &'a str)> + 'a {
        let found = self.finder.find_iter(bytes);
        found.map(|m| {
            let name = self.names.get(m.pattern().as_usize());
            (m.range(), name.map_or("[secret]", String::as_str))
        })
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

    #[test]
    fn a_secret_without_a_name_or_a_value_is_refused() {
        let vault = vault();
        let raw = vault.fill("key", Encoding::Raw);
        assert_eq!(raw.unwrap().expose(), "s\"cret/value+1");
        let unknown = vault.fill("other", Encoding::Raw);
        assert_eq!(unknown, Err(SecretRefused::Unknown("other".into())));
        let empty = vault.fill("token", Encoding::Raw);
        assert_eq!(empty, Err(SecretRefused::Empty("token".into())));
    }

    #[test]
    fn a_value_that_cannot_be_a_secret_is_refused_and_the_one_before_stays() {
        let mut vault = vault();
        vault.capture("token", Hidden::new("abcdef")).unwrap();
        for bad in ["a b", "a\r\nx: y", "\u{e4}bcdef", "a\0b"] {
            let refused = vault.capture("token", Hidden::new(bad));
            assert_eq!(refused, Err(UnusableSecret::NotVisible), "{bad:?}");
        }
        for length in [MAX_SECRET_BYTES + 1, 200_000] {
            let refused = vault.capture("token", Hidden::new("T".repeat(length)));
            assert_eq!(refused, Err(UnusableSecret::TooLong(length)));
        }
        assert_eq!(
            vault.fill("token", Encoding::Raw).unwrap().expose(),
            "abcdef"
        );
        assert_eq!(vault.generation("token"), 1);
    }

    #[test]
    fn the_mask_of_values_that_repeat_themselves_grows_with_their_length_alone() {
        let vault = |length: usize| {
            let value = |n: usize| {
                let text = ["T", "TU", "TTTTTTTU"][n % 3].repeat(length);
                Hidden::new(format!("{}{n}", &text[..length - 2]))
            };
            let all = (0..MAX_SECRETS).map(|n| (format!("key{n}"), value(n)));
            Vault::new(all, [])
        };
        let size = |length| {
            let mask = vault(length).mask.unwrap();
            // The full automaton takes the square of the length to be built, and much more room.
            assert_eq!(mask.finder.kind(), AhoCorasickKind::ContiguousNFA);
            mask.finder.memory_usage()
        };
        let (small, large) = (size(MAX_SECRET_BYTES / 8), size(MAX_SECRET_BYTES));
        assert!(large <= 10 * small, "{small} {large}");
        let spelled = MAX_SECRETS * 3 * MAX_SECRET_BYTES;
        assert!(large <= 64 * spelled, "{large}");
        let vault = vault(MAX_SECRET_BYTES);
        let secret = vault.fill("key0", Encoding::Raw).unwrap();
        let text = format!("{}{}", "T".repeat(9000), secret.expose());
        assert!(vault.mask(&text).ends_with("[key0]"));
    }

    #[test]
    fn a_secret_is_masked_before_a_text_is_cut() {
        let mut vault = vault();
        vault
            .capture("token", Hidden::new("tok-1234567890"))
            .unwrap();
        let text = "a tok-1234567890 b s%22cret%2Fvalue%2B1 c";
        let whole = vault.mask(text).into_owned();
        for max in 0..=text.len() + 1 {
            let start = String::from_utf8(vault.masked_start(text.as_bytes(), max)).unwrap();
            assert!(whole.starts_with(&start), "{max}: {start}");
            assert!(
                !start.contains("tok-") && !start.contains("s%"),
                "{max}: {start}"
            );
        }
        let all = vault.masked_start(text.as_bytes(), usize::MAX);
        assert_eq!(all, whole.as_bytes());
    }

    #[test]
    fn a_new_value_counts_a_generation_and_the_same_one_does_not() {
        let mut vault = vault();
        let mut take = |name: &str, value: &str| vault.capture(name, Hidden::new(value)).unwrap();
        let first = take("token", "abcdef").unwrap();
        assert_eq!((first.generation, first.changed), (1, true));
        let again = take("token", "abcdef").unwrap();
        assert_eq!((again.generation, again.changed), (1, false));
        let next = take("token", "ghijkl").unwrap();
        assert_eq!((next.generation, next.changed), (2, true));
        assert!(take("key", "forged").is_none());
    }

    #[test]
    fn an_echo_is_masked_in_every_spelling_and_after_a_change_too() {
        let mut vault = vault();
        vault.capture("token", Hidden::new("first-token")).unwrap();
        vault.capture("token", Hidden::new("second-token")).unwrap();
        let text = r#"a s"cret/value+1 b s\"cret/value+1 c s%22cret%2Fvalue%2B1 d cyJjcmV0L3ZhbHVlKzE= e first-token f second-token"#;
        assert_eq!(
            vault.mask(text),
            "a [key] b [key] c [key] d [key] e [token] f [token]"
        );
    }

    #[test]
    fn a_replaced_secret_is_masked_still_and_what_was_captured_stays() {
        let mut vault = vault();
        vault.capture("token", Hidden::new("a-token")).unwrap();
        let before = vault.replace(vec![("key".into(), Hidden::new("another"))]);
        assert_eq!(
            vault.mask("s\"cret/value+1 another a-token"),
            "[key] [key] [token]"
        );
        assert_eq!(vault.replace(before).len(), 1);
        let raw = vault.fill("key", Encoding::Raw);
        assert_eq!(raw.unwrap().expose(), "s\"cret/value+1");
    }

    #[test]
    fn a_hidden_text_has_no_debug_output() {
        assert_eq!(format!("{:?}", Hidden::new("abc")), "<3 hidden bytes>");
        assert!(!format!("{:?}", vault()).contains("cret"));
    }
}
