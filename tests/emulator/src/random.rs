//! Ids drawn from a seed: the same seed and the same order of draws give the same ids.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::ids::{AccessToken, AppId, EventId, MessageId, Openid, RefIdx, SessionId, Snowflake};

/// A source of ids. Not for secrets: it is predictable on purpose.
#[derive(Debug, Clone)]
pub(crate) struct IdSource {
    seed: u64,
    state: u64,
}

/// What an openid stands for; the same name as user and as group gives two openids.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OpenidKind<'a> {
    User,
    Group,
    /// A member of the group with this name.
    Member(&'a str),
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl IdSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// The next number (splitmix64: one addition and two multiplications, full period).
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn letters(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count);
        while text.len() < count {
            let mut bits = self.draw();
            for _ in 0..10 {
                if text.len() == count {
                    break;
                }
                let at = usize::try_from(bits % 62).unwrap_or(0);
                text.push(LETTERS.get(at).map_or('A', |&byte| char::from(byte)));
                bits /= 62;
            }
        }
        text
    }

    /// 32 lower-case hex characters, as in `X-Tps-trace-ID`.
    pub(crate) fn trace(&mut self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    pub(crate) fn session(&mut self) -> SessionId {
        SessionId::from(self.uuid())
    }

    pub(crate) fn event(&mut self, name: &str) -> EventId {
        EventId::from(format!("{name}:{}", self.uuid()))
    }

    pub(crate) fn token(&mut self) -> AccessToken {
        AccessToken::from(self.letters(32))
    }

    /// A message id with the characters that a careless client forgets to percent-encode.
    pub(crate) fn message(&mut self) -> MessageId {
        let (a, b) = (self.letters(18), self.letters(8));
        MessageId::from(format!("ROBOT1.0_{a}.{b}-!"))
    }

    pub(crate) fn ref_idx(&mut self) -> RefIdx {
        let (a, b) = (self.draw().to_be_bytes(), self.draw().to_be_bytes());
        let bytes: Vec<u8> = a.iter().chain(b.iter().take(5)).copied().collect();
        RefIdx::from(format!("REFIDX_{}", STANDARD.encode(bytes)))
    }

    /// The openid of a name as one bot sees it; depends on the seed, never on the order of draws.
    pub(crate) fn openid(&self, app: &AppId, kind: OpenidKind<'_>, name: &str) -> Openid {
        let (kind, group) = match kind {
            OpenidKind::User => ("user", ""),
            OpenidKind::Group => ("group", ""),
            OpenidKind::Member(group) => ("member", group),
        };
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        for part in [app.as_str(), kind, group, name] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let hex: String = hash
            .finalize()
            .iter()
            .take(16)
            .map(|b| format!("{b:02X}"))
            .collect();
        Openid::from(hex)
    }

    /// A guild message id: hex that begins with `08`.
    pub(crate) fn guild_message(&mut self) -> MessageId {
        let (a, b, c) = (self.draw(), self.draw(), self.draw());
        MessageId::from(format!("08{a:016x}{b:016x}10{c:016x}"))
    }

    /// The decimal id of a guild, a channel or a guild user as one bot sees it; `kind` tells
    /// equal names apart. Depends on the seed, never on the order of draws.
    pub(crate) fn snowflake(&self, app: &AppId, kind: &str, name: &str) -> Snowflake {
        let digest = Sha256::digest(format!("{}/{kind}/{app}/{name}", self.seed));
        let number = digest
            .iter()
            .take(8)
            .fold(0_u64, |n, &byte| (n << 8) | u64::from(byte));
        Snowflake::from((10_000_000_000_000_000 + number % 8_000_000_000_000_000_000).to_string())
    }

    /// The decimal id of a bot as a guild user: what READY and `/users/@me` show.
    pub(crate) fn bot_user(&self, app: &AppId) -> String {
        let digest = Sha256::digest(format!("{}/bot/{app}", self.seed));
        let number = digest
            .iter()
            .take(8)
            .fold(0_u64, |n, &byte| (n << 8) | u64::from(byte));
        (1_000_000_000_000_000_000 + number % 8_000_000_000_000_000_000).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_documented_forms() {
        let mut ids = IdSource::new(1);
        assert_eq!(ids.trace().len(), 32);
        assert_eq!(ids.session().as_str().len(), 36);
        assert_eq!(ids.token().as_str().len(), 32);
        assert!(ids.message().as_str().starts_with("ROBOT1.0_"));
        assert!(ids.ref_idx().as_str().ends_with("=="));
        assert!(ids.event("FRIEND_ADD").as_str().starts_with("FRIEND_ADD:"));
    }

    #[test]
    fn openids_differ_per_bot_and_per_group() {
        let ids = IdSource::new(1);
        let (one, two) = (AppId::from("1"), AppId::from("2"));
        let user = ids.openid(&one, OpenidKind::User, "alice");
        assert_eq!(user, ids.openid(&one, OpenidKind::User, "alice"));
        assert_ne!(user, ids.openid(&two, OpenidKind::User, "alice"));
        assert_ne!(user, ids.openid(&one, OpenidKind::Member("g"), "alice"));
        assert_eq!(user.as_str().len(), 32);
    }

    #[test]
    fn equal_seeds_give_equal_ids() {
        let (mut one, mut two) = (IdSource::new(9), IdSource::new(9));
        assert_eq!(one.message(), two.message());
        assert_ne!(one.message(), IdSource::new(10).message());
    }
}
