//! The pairing code: six digits of the host's randomness, for one person, for ten minutes.
//!
//! It lives in memory and in the checkpoint only, and only while it is valid. Guessing is bounded twice: five wrong
//! tries lock a sender, and twenty in all void the code, so that a thousand senders get no further than four.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::Person;

/// Digits of a code.
const DIGITS: usize = 6;
/// Milliseconds that a code is valid.
pub const VALID_MS: u64 = 10 * 60_000;
/// Wrong tries after which a sender is locked.
const TRIES: u8 = 5;
/// Milliseconds for which it is.
pub const LOCKED_MS: u64 = 300_000;
/// Wrong tries of all senders after which a code is void.
const TRIES_IN_ALL: u8 = 20;
/// Senders whose wrong tries are remembered: those of a few codes. The oldest goes first.
const CAPACITY: usize = 64;
/// Random bytes for one code: eight candidates, of which one in four thousand does not do.
pub const ENTROPY: u32 = 32;

/// Six digits, which print as asterisks.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Digits([u8; DIGITS]);

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Code {
    digits: Digits,
    /// Monotonic milliseconds.
    until_ms: u64,
    wrong: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tries {
    wrong: u8,
    /// Of the last one, monotonic milliseconds.
    at_ms: u64,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The code is right, and used up.
    Right,
    /// It is not six digits, and counts for nothing.
    Malformed,
    /// It is wrong; so many tries are left to this sender.
    Wrong(u8),
    /// This sender tried too often; milliseconds until the next try.
    Locked(u64),
    /// It was wrong once too often in all: there is no code any more.
    Void,
    /// There is none.
    NoCode,
}

/// The code, if there is one, and who guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    code: Option<Code>,
    tries: BTreeMap<Person, Tries>,
}

impl Pairing {
    /// Makes a code of random bytes, in place of the one before. `None` when none of the bytes will do: a number
    /// above the last whole million would make some codes likelier than others.
    pub fn make(&mut self, now_ms: u64, entropy: &[u8]) -> Option<String> {
        const CODES: u32 = 1_000_000;
        const EVEN: u32 = u32::MAX - u32::MAX % CODES;
        let (words, _) = entropy.as_chunks::<4>();
        let mut numbers = words.iter().map(|word| u32::from_le_bytes(*word));
        let number = numbers.find(|number| *number < EVEN)? % CODES;
        let text = format!("{number:06}");
        self.code = Some(Code {
            digits: digits(&text)?,
            until_ms: now_ms.saturating_add(VALID_MS),
            wrong: 0,
        });
        Some(text)
    }

    /// Somebody says that this is the code.
    pub fn attempt(&mut self, now_ms: u64, who: &Person, said: &str) -> Tried {
        let Some(said) = digits(said) else {
            return Tried::Malformed;
        };
        self.tries
            .retain(|_, tries| now_ms.saturating_sub(tries.at_ms) < LOCKED_MS);
        let before = self.tries.get(who).copied().unwrap_or_default();
        if before.wrong >= TRIES {
            let since = now_ms.saturating_sub(before.at_ms);
            return Tried::Locked(LOCKED_MS.saturating_sub(since));
        }
        self.expire(now_ms);
        let Some(code) = &mut self.code else {
            return Tried::NoCode;
        };
        if bool::from(code.digits.0.ct_eq(&said.0)) {
            self.code = None;
            self.tries.remove(who);
            return Tried::Right;
        }
        code.wrong += 1;
        let void = code.wrong >= TRIES_IN_ALL;
        self.note_wrong(now_ms, who, before);
        if void {
            self.code = None;
            return Tried::Void;
        }
        match TRIES.saturating_sub(before.wrong + 1) {
            0 => Tried::Locked(LOCKED_MS),
            left => Tried::Wrong(left),
        }
    }

    fn note_wrong(&mut self, now_ms: u64, who: &Person, before: Tries) {
        if self.tries.len() >= CAPACITY && !self.tries.contains_key(who) {
            let oldest = self.tries.iter().min_by_key(|(_, tries)| tries.at_ms);
            if let Some(oldest) = oldest.map(|(person, _)| person.clone()) {
                self.tries.remove(&oldest);
            }
        }
        let tries = Tries {
            wrong: before.wrong + 1,
            at_ms: now_ms,
        };
        self.tries.insert(who.clone(), tries);
    }

    /// Forgets a code whose time is over. True when there was one.
    pub fn expire(&mut self, now_ms: u64) -> bool {
        let over = |code: &mut Code| code.until_ms <= now_ms;
        self.code.take_if(over).is_some()
    }

    /// Milliseconds for which the code is still valid, if there is one.
    #[must_use]
    pub fn valid_ms(&self, now_ms: u64) -> Option<u64> {
        let left = self.code.as_ref()?.until_ms.saturating_sub(now_ms);
        (left > 0).then_some(left)
    }

    /// Takes the code's digits out, for a checkpoint that others read.
    pub(super) fn blank(&mut self) {
        if let Some(code) = &mut self.code {
            code.digits = Digits([b'0'; DIGITS]);
        }
    }
}

/// Six digits, however the keyboard writes them.
fn digits(text: &str) -> Option<Digits> {
    let mut read = text.trim().chars().map(|character| {
        let narrow = match character {
            '０'..='９' => u32::from(character) - u32::from('０') + u32::from('0'),
            other => u32::from(other),
        };
        u8::try_from(narrow).ok().filter(u8::is_ascii_digit)
    });
    let mut digits = [0; DIGITS];
    for digit in &mut digits {
        *digit = read.next()??;
    }
    read.next().is_none().then_some(Digits(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;

    fn person(number: usize) -> Person {
        Person::new(Scene::C2c, &format!("P{number}"))
    }

    fn with_code() -> (Pairing, String) {
        let mut pairing = Pairing::default();
        let code = pairing.make(0, &1_234_567u32.to_le_bytes()).unwrap();
        (pairing, code)
    }

    #[test]
    fn a_code_has_six_digits_and_numbers_that_would_be_likelier_than_others_are_passed_over() {
        let (_, code) = with_code();
        assert_eq!(code, "234567");
        let mut pairing = Pairing::default();
        let high = 4_294_000_000u32.to_le_bytes();
        assert_eq!(pairing.make(0, &high), None);
        assert_eq!(pairing.make(0, &[]), None);
        let bytes: Vec<u8> = high.into_iter().chain(7u32.to_le_bytes()).collect();
        assert_eq!(pairing.make(0, &bytes).as_deref(), Some("000007"));
        assert!(!format!("{pairing:?}").contains("000007"));
    }

    #[test]
    fn a_code_is_right_once_and_for_ten_minutes() {
        let (mut pairing, code) = with_code();
        assert_eq!(
            pairing.attempt(VALID_MS - 1, &person(1), &code),
            Tried::Right
        );
        assert_eq!(
            pairing.attempt(VALID_MS - 1, &person(2), &code),
            Tried::NoCode
        );
        let (mut pairing, code) = with_code();
        assert_eq!(pairing.attempt(VALID_MS, &person(1), &code), Tried::NoCode);
        let (mut pairing, code) = with_code();
        let wide: String = code
            .chars()
            .filter_map(|digit| char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０')))
            .collect();
        assert_eq!(
            pairing.attempt(1, &person(1), &format!(" {wide} ")),
            Tried::Right
        );
    }

    #[test]
    fn five_wrong_tries_lock_a_sender_and_nobody_else() {
        let (mut pairing, code) = with_code();
        let mut seen = Vec::new();
        for at in 0..6 {
            seen.push(pairing.attempt(at, &person(1), "000000"));
        }
        let wrong = [4, 3, 2, 1].map(Tried::Wrong);
        assert_eq!(seen[..4], wrong);
        assert_eq!(
            seen[4..],
            [Tried::Locked(LOCKED_MS), Tried::Locked(LOCKED_MS - 1)]
        );
        // Even the right one, and it is not told that it was right.
        assert!(matches!(
            pairing.attempt(10, &person(1), &code),
            Tried::Locked(_)
        ));
        assert_eq!(pairing.attempt(11, &person(1), "12345"), Tried::Malformed);
        assert_eq!(
            pairing.attempt(4 + LOCKED_MS, &person(1), "000000"),
            Tried::Wrong(4)
        );
        assert_eq!(
            pairing.attempt(4 + LOCKED_MS, &person(2), &code),
            Tried::Right
        );
    }

    #[test]
    fn twenty_wrong_tries_void_the_code_whoever_makes_them() {
        let (mut pairing, code) = with_code();
        for number in 1..TRIES_IN_ALL {
            let tried = pairing.attempt(1, &person(usize::from(number)), "000000");
            assert_eq!(tried, Tried::Wrong(4), "{number}");
        }
        assert_eq!(pairing.attempt(1, &person(99), "000000"), Tried::Void);
        assert_eq!(pairing.attempt(1, &person(100), &code), Tried::NoCode);
        assert_eq!(pairing.valid_ms(1), None);
    }

    #[test]
    fn the_memory_of_guesses_is_bounded_over_many_codes() {
        let mut pairing = Pairing::default();
        for number in 0..10_000 {
            pairing.make(1, &5u32.to_le_bytes());
            pairing.attempt(1, &person(number), "999999");
        }
        assert_eq!(pairing.tries.len(), CAPACITY);
    }
}
