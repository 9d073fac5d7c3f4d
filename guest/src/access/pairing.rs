//! The pairing code: digits of the host's randomness, for one person, for ten minutes.
//!
//! It lives in memory and in the checkpoint only, and only while it is valid. Six digits are enough as long as nobody
//! guesses. Five wrong tries lock a sender; after twenty in all the short form is not taken any more, and whoever was
//! invited needs all twelve digits. So strangers can neither find a code nor take it from others.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::Person;

/// Digits of a code, and of its short form.
const DIGITS: usize = 12;
const SHORT: usize = 6;
/// Milliseconds that a code is valid.
pub const VALID_MS: u64 = 10 * 60_000;
/// Wrong tries after which a sender is locked.
const TRIES: u8 = 5;
/// Milliseconds for which it is.
pub const LOCKED_MS: u64 = 300_000;
/// Wrong tries of all senders after which the short form of a code is not taken any more.
const SHORT_TRIES: u32 = 20;
/// Senders whose wrong tries are remembered: those of a few codes. The oldest goes first.
const CAPACITY: usize = 64;
/// Random bytes for one code: eight candidates for two numbers, of which one in four thousand does not do.
pub const ENTROPY: u32 = 32;

/// All digits of a code, which print as asterisks.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Digits([u8; DIGITS]);

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("************")
    }
}

/// A code as people read it.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Six digits: what is written as long as nobody guesses.
    pub short: String,
    /// All twelve digits.
    pub long: String,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Code {
    digits: Digits,
    /// Monotonic milliseconds.
    until_ms: u64,
    wrong: u32,
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
    /// It is neither six digits nor twelve, and counts for nothing.
    Malformed,
    /// Somebody guesses, so that six digits are not enough; it counts for nothing.
    TooShort,
    /// It is wrong; so many tries are left to this sender.
    Wrong(u8),
    /// This sender tried too often; milliseconds until the next try.
    Locked(u64),
    /// It is wrong, and from now on six digits are not enough.
    Guessed,
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
    /// Makes a code of random bytes, in place of the one before. `None` when too few of the bytes will do: a number
    /// above the last whole million would make some codes likelier than others.
    pub fn make(&mut self, now_ms: u64, entropy: &[u8]) -> Option<Written> {
        const NUMBERS: u32 = 1_000_000;
        const EVEN: u32 = u32::MAX - u32::MAX % NUMBERS;
        let (words, _) = entropy.as_chunks::<4>();
        let numbers = words.iter().map(|word| u32::from_le_bytes(*word));
        let mut numbers = numbers.filter(|number| *number < EVEN);
        let (first, second) = (numbers.next()? % NUMBERS, numbers.next()? % NUMBERS);
        let (short, rest) = (format!("{first:06}"), format!("{second:06}"));
        let long = format!("{short}{rest}");
        self.code = Some(Code {
            digits: Digits(digits(&long)?),
            until_ms: now_ms.saturating_add(VALID_MS),
            wrong: 0,
        });
        Some(Written { short, long })
    }

    /// Somebody says that this is the code.
    pub fn attempt(&mut self, now_ms: u64, who: &Person, said: &str) -> Tried {
        let (short, long) = (digits::<SHORT>(said), digits::<DIGITS>(said));
        if short.is_none() && long.is_none() {
            return Tried::Malformed;
        }
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
        let right = match (long, short) {
            (Some(long), _) => long.ct_eq(&code.digits.0),
            (None, Some(_)) if code.wrong >= SHORT_TRIES => return Tried::TooShort,
            (None, Some(short)) => short.ct_eq(code.digits.0.get(..SHORT).unwrap_or_default()),
            (None, None) => return Tried::Malformed,
        };
        if bool::from(right) {
            self.code = None;
            self.tries.remove(who);
            return Tried::Right;
        }
        code.wrong = code.wrong.saturating_add(1);
        let guessed = code.wrong == SHORT_TRIES;
        self.note_wrong(now_ms, who, before);
        match TRIES.saturating_sub(before.wrong + 1) {
            _ if guessed => Tried::Guessed,
            0 => Tried::Locked(LOCKED_MS),
            left => Tried::Wrong(left),
        }
    }

    /// All digits of the code, for whoever may know it.
    #[must_use]
    pub fn long(&self) -> Option<String> {
        let digits = self.code.as_ref()?.digits.0;
        Some(digits.iter().map(|digit| char::from(*digit)).collect())
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

/// So many digits, however the keyboard writes them, and with blanks between them or not.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut read = text
        .chars()
        .filter(|it| !it.is_whitespace())
        .map(|character| {
            let narrow = match character {
                '０'..='９' => u32::from(character) - u32::from('０') + u32::from('0'),
                other => u32::from(other),
            };
            u8::try_from(narrow).ok().filter(u8::is_ascii_digit)
        });
    let mut digits = [0; N];
    for digit in &mut digits {
        *digit = read.next()??;
    }
    read.next().is_none().then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Scene;

    fn person(number: usize) -> Person {
        Person::new(Scene::C2c, &format!("P{number}"))
    }

    fn bytes(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|it| it.to_le_bytes()).collect()
    }

    fn with_code() -> (Pairing, Written) {
        let mut pairing = Pairing::default();
        let code = pairing.make(0, &bytes(&[1_234_567, 89])).unwrap();
        (pairing, code)
    }

    #[test]
    fn a_code_has_twelve_digits_and_numbers_that_would_be_likelier_than_others_are_passed_over() {
        let (_, code) = with_code();
        assert_eq!(
            (code.short.as_str(), code.long.as_str()),
            ("234567", "234567000089")
        );
        let mut pairing = Pairing::default();
        let high = 4_294_000_000;
        for few in [&[][..], &[high], &[7], &[high, 7]] {
            assert!(pairing.make(0, &bytes(few)).is_none());
        }
        let code = pairing.make(0, &bytes(&[high, 7, high, 8])).unwrap();
        assert_eq!(code.long, "000007000008");
        assert!(!format!("{pairing:?}").contains("000007"));
    }

    #[test]
    fn a_code_is_right_once_and_for_ten_minutes_in_either_form() {
        let wide = |text: &str| -> String {
            let wide = |digit| char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０'));
            text.chars().filter_map(wide).collect()
        };
        let (_, code) = with_code();
        for said in [
            code.short.clone(),
            code.long.clone(),
            format!(" {} ", wide(&code.short)),
            "234 567 000 089".into(),
        ] {
            let (mut pairing, _) = with_code();
            assert_eq!(
                pairing.attempt(VALID_MS - 1, &person(1), &said),
                Tried::Right,
                "{said}"
            );
            assert_eq!(
                pairing.attempt(VALID_MS - 1, &person(2), &said),
                Tried::NoCode
            );
            let (mut pairing, _) = with_code();
            assert_eq!(pairing.attempt(VALID_MS, &person(1), &said), Tried::NoCode);
        }
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
            pairing.attempt(10, &person(1), &code.short),
            Tried::Locked(_)
        ));
        assert_eq!(pairing.attempt(11, &person(1), "12345"), Tried::Malformed);
        assert_eq!(
            pairing.attempt(4 + LOCKED_MS, &person(1), "000000"),
            Tried::Wrong(4)
        );
        assert_eq!(
            pairing.attempt(4 + LOCKED_MS, &person(2), &code.short),
            Tried::Right
        );
    }

    #[test]
    fn guessing_makes_the_code_longer_and_takes_it_from_nobody() {
        let (mut pairing, code) = with_code();
        let mut guessed = 0;
        for number in 0..10_000 {
            for said in ["000000", "234567000000"] {
                match pairing.attempt(1, &person(number), said) {
                    Tried::Guessed => guessed += 1,
                    Tried::Wrong(_) => assert!(guessed == 0 || said.len() == DIGITS),
                    Tried::TooShort => assert!(guessed == 1 && said.len() == SHORT),
                    other => panic!("{number}: {other:?}"),
                }
            }
        }
        assert_eq!(guessed, 1);
        // Whoever has the short form and nothing else is not told that it would have been right.
        assert_eq!(
            pairing.attempt(1, &person(20_000), &code.short),
            Tried::TooShort
        );
        assert_eq!(
            pairing.attempt(1, &person(20_000), "999999"),
            Tried::TooShort
        );
        assert_eq!(pairing.long(), Some(code.long.clone()));
        assert_eq!(
            pairing.attempt(1, &person(20_000), &code.long),
            Tried::Right
        );
        assert_eq!(pairing.valid_ms(1), None);
    }

    #[test]
    fn the_memory_of_guesses_is_bounded_over_many_codes() {
        let mut pairing = Pairing::default();
        for number in 0..10_000 {
            pairing.make(1, &bytes(&[5, 6]));
            pairing.attempt(1, &person(number), "999999");
        }
        assert_eq!(pairing.tries.len(), CAPACITY);
    }
}
