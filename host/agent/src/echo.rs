//! The agent that needs nothing: it says what it heard. A few orders exercise everything around it.
//!
//! `/slow N` answers after N seconds, `/long N` with N characters, `/fail` not at all. Pure: a
//! simulator on a clock of its own can use it as well.

use std::fmt::Write;
use std::time::Duration;

/// Longest wait that `/slow` can ask for.
const MAX_WAIT: Duration = Duration::from_secs(600);
/// Longest answer that `/long` can ask for, characters.
const MAX_CHARS: usize = 100_000;

/// What the echo agent does with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How long it takes.
    pub after: Duration,
    /// The answer, or why there is none.
    pub answer: Result<String, String>,
}

/// What to do with a message: its text, and how many things were attached to it.
pub fn plan(text: &str, attachments: usize) -> Plan {
    let now = |answer| Plan {
        after: Duration::ZERO,
        answer,
    };
    let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let number = rest.trim().parse::<u64>().unwrap_or(1);
    match word {
        "/slow" => {
            let after = Duration::from_secs(number).min(MAX_WAIT);
            let answer = format!("echo: {text} (after {} s)", after.as_secs());
            Plan {
                after,
                answer: Ok(answer),
            }
        }
        "/long" => {
            let chars = usize::try_from(number).unwrap_or(MAX_CHARS).min(MAX_CHARS);
            now(Ok(prose(chars)))
        }
        "/fail" => now(Err("the echo agent was told to fail".into())),
        _ => now(Ok(echo(text, attachments))),
    }
}

fn echo(text: &str, attachments: usize) -> String {
    match (text.is_empty(), attachments) {
        (false, 0) => format!("echo: {text}"),
        (true, 0) => "echo: (nothing)".into(),
        (true, n) => format!("echo: (attachments: {n})"),
        (false, n) => format!("echo: {text} (attachments: {n})"),
    }
}

/// So many characters of numbered lines, so that a reader sees whether one is missing.
fn prose(chars: usize) -> String {
    let mut text = String::new();
    let mut line = 0;
    while text.len() < chars {
        line += 1;
        // Writing into a String does not fail.
        let _ = writeln!(
            text,
            "{line}. The quick brown fox jumps over the lazy dog, and line {line} ends here."
        );
    }
    // All of it is ASCII, so bytes are characters.
    text.truncate(chars);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_comes_back_as_it_was() {
        for text in ["hello", "你好 *x* <y>\nz", "  spaces  ", "/unknown 3"] {
            let answer = plan(text, 0).answer.unwrap();
            assert!(answer.contains(text), "{answer}");
        }
        assert_eq!(plan("", 2).answer.unwrap(), "echo: (attachments: 2)");
    }

    #[test]
    fn orders_are_obeyed_within_bounds() {
        assert_eq!(plan("/slow 3", 0).after, Duration::from_secs(3));
        assert_eq!(plan("/slow 99999999", 0).after, MAX_WAIT);
        assert_eq!(plan("/long 5000", 0).answer.unwrap().chars().count(), 5000);
        assert_eq!(plan("/long 0", 0).answer.unwrap(), "");
        assert!(plan("/fail", 0).answer.is_err());
    }
}
