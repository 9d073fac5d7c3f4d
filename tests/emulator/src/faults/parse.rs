//! Faults as text: `close 4009`, `429 at gateway x3`, `slow-after-delivery 6s`.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::{ALL_GARBAGE, CallPoint, Fault, FaultOrder, Garbage, HttpFault, Op9};
use crate::time::parse_span;

/// More than this of anything is a slip of the keyboard, not a test.
const MOST: u32 = 1_000;

/// Why a text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultTextError {
    /// No fault has this name.
    #[error("no fault is called {0:?}")]
    Unknown(String),
    /// The fault needs an argument, or a better one.
    #[error("{fault} needs {need}")]
    Argument {
        /// The fault.
        fault: &'static str,
        /// What it needs.
        need: &'static str,
    },
    /// Something was left over.
    #[error("too much: {0:?}")]
    TooMuch(String),
}

impl FromStr for FaultOrder {
    type Err = FaultTextError;

    fn from_str(text: &str) -> Result<Self, FaultTextError> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let times = take_times(&mut words);
        let at = take_call_point(&mut words)?;
        let mut words = words.into_iter();
        let name = words.next().unwrap_or_default();
        let argument = words.next();
        if let Some(extra) = words.next() {
            return Err(FaultTextError::TooMuch(extra.to_owned()));
        }
        let fault = parse_fault(name, argument, at)?;
        Ok(Self { fault, times })
    }
}

/// All orders that a text stands for: `garbage` alone means one of each kind.
///
/// # Errors
///
/// If the text is not a fault.
pub fn parse_orders(text: &str) -> Result<Vec<FaultOrder>, FaultTextError> {
    if text.trim() == "garbage" {
        return Ok(ALL_GARBAGE
            .iter()
            .map(|&kind| Fault::Garbage(kind).into())
            .collect());
    }
    text.parse().map(|order| vec![order])
}

fn take_times(words: &mut Vec<&str>) -> u32 {
    let last = words.last().and_then(|word| word.strip_prefix('x'));
    match last.and_then(|count| count.parse::<u32>().ok()) {
        Some(times) => {
            words.pop();
            times.clamp(1, MOST)
        }
        None => 1,
    }
}

fn take_call_point(words: &mut Vec<&str>) -> Result<Option<CallPoint>, FaultTextError> {
    let Some(at) = words.iter().position(|word| *word == "at") else {
        return Ok(None);
    };
    let point = match words.get(at + 1).copied() {
        Some("post") => CallPoint::Post,
        Some("gateway") => CallPoint::Gateway,
        Some("token") => CallPoint::Token,
        Some("upload") => CallPoint::Upload,
        Some("storage") => CallPoint::Storage,
        Some("ack") => CallPoint::Ack,
        Some("any") => CallPoint::Any,
        _ => {
            return Err(need(
                "at",
                "post, gateway, token, upload, storage, ack or any",
            ));
        }
    };
    words.drain(at..at + 2);
    Ok(Some(point))
}

fn need(fault: &'static str, need: &'static str) -> FaultTextError {
    FaultTextError::Argument { fault, need }
}

fn parse_fault(
    name: &str,
    argument: Option<&str>,
    at: Option<CallPoint>,
) -> Result<Fault, FaultTextError> {
    if let Some(fault) = parse_bare(name) {
        return match argument {
            None => Ok(fault),
            Some(extra) => Err(FaultTextError::TooMuch(extra.to_owned())),
        };
    }
    let code = || argument.and_then(|text| text.parse::<u16>().ok());
    let count = || {
        let count = argument.and_then(|text| text.parse::<u32>().ok());
        count.filter(|count| *count <= MOST)
    };
    match name {
        "op9" => op9(argument).map(Fault::InvalidSession),
        "login-op9" => op9(argument).map(Fault::InvalidAtLogin),
        "close" => code()
            .map(Fault::Close)
            .ok_or(need("close", "a close code")),
        "login-close" => code()
            .map(Fault::CloseAtLogin)
            .ok_or(need("login-close", "a close code")),
        "quiet" => span(argument)
            .map(Fault::Quiet)
            .ok_or(need("quiet", "a span like 30s")),
        "deliver" => count()
            .map(Fault::Deliver)
            .ok_or(need("deliver", "a count")),
        "replay-extra" => count()
            .map(Fault::ReplayExtra)
            .ok_or(need("replay-extra", "a count")),
        "garbage" => {
            let kind = argument.and_then(garbage);
            kind.map(Fault::Garbage)
                .ok_or(need("garbage", "a kind like not-json"))
        }
        _ => {
            let what = parse_http(name, argument)?;
            Ok(Fault::Http {
                at: at.unwrap_or(CallPoint::Post),
                what,
            })
        }
    }
}

fn parse_bare(name: &str) -> Option<Fault> {
    Some(match name {
        "drop" => Fault::Drop,
        "drop-before-event" => Fault::DropBeforeEvent,
        "drop-after-event" => Fault::DropAfterEvent,
        "lost-ack" => Fault::LostAck,
        "op7" => Fault::Reconnect,
        "no-hello" => Fault::NoHello,
        "forget-sessions" => Fault::ForgetSessions,
        "double" => Fault::Deliver(2),
        "triple" => Fault::Deliver(3),
        "double-new-id" => Fault::NewIdDouble,
        "ask-heartbeat" => Fault::AskHeartbeat,
        "token-death" => Fault::TokenDeath,
        _ => return None,
    })
}

fn parse_http(name: &str, argument: Option<&str>) -> Result<HttpFault, FaultTextError> {
    let span_of = |fault| span(argument).ok_or(need(fault, "a span like 6s"));
    let with_argument = match name {
        "status" => {
            let status = argument.and_then(|text| text.parse::<u16>().ok());
            let valid = status.filter(|status| (200..600).contains(status));
            Some(HttpFault::Status(
                valid.ok_or(need("status", "an HTTP status"))?,
            ))
        }
        "refuse" => {
            let code = argument.and_then(|text| text.parse::<u32>().ok());
            Some(HttpFault::Refuse(
                code.ok_or(need("refuse", "an error code"))?,
            ))
        }
        "slow" => Some(HttpFault::SlowBefore(span_of("slow")?)),
        "slow-after-delivery" => Some(HttpFault::SlowAfter(span_of("slow-after-delivery")?)),
        _ => None,
    };
    if let Some(fault) = with_argument {
        return Ok(fault);
    }
    let bare = match name {
        "401" => HttpFault::Status(401),
        "429" => HttpFault::Status(429),
        "500" => HttpFault::Status(500),
        "cut-after-delivery" => HttpFault::CutAfter,
        "reset-on-next-post" => HttpFault::CutBefore,
        "fail-after-delivery" => HttpFault::FailAfter,
        "answer-not-json" => HttpFault::NotJson,
        _ => {
            let html = name
                .strip_suffix("-html")
                .and_then(|status| status.parse().ok());
            let valid = html.filter(|status| (400..600).contains(status));
            HttpFault::Html(valid.ok_or_else(|| FaultTextError::Unknown(name.to_owned()))?)
        }
    };
    match argument {
        None => Ok(bare),
        Some(extra) => Err(FaultTextError::TooMuch(extra.to_owned())),
    }
}

fn span(argument: Option<&str>) -> Option<Duration> {
    argument.and_then(parse_span)
}

fn op9(argument: Option<&str>) -> Result<Op9, FaultTextError> {
    match argument {
        Some("true") => Ok(Op9::True),
        Some("false") | None => Ok(Op9::False),
        Some("missing") => Ok(Op9::Missing),
        Some(_) => Err(need("op9", "true, false or missing")),
    }
}

fn garbage(name: &str) -> Option<Garbage> {
    ALL_GARBAGE
        .into_iter()
        .find(|kind| kind.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::super::FAULT_HELP;
    use super::*;

    #[test]
    fn every_fault_of_the_list_is_read_back_as_written() {
        for line in FAULT_HELP {
            let text = line
                .form
                .replace("true|false|missing", "missing")
                .replace("SPAN", "6s")
                .replace("[KIND]", "huge")
                .replace("CODE", "404")
                .replace(" N", " 4");
            let order: FaultOrder = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(order.to_string(), text);
        }
    }

    #[test]
    fn times_and_the_kind_of_request_may_follow() {
        let order: FaultOrder = "429 at gateway x3".parse().unwrap();
        assert_eq!(order.times, 3);
        assert_eq!(
            order.fault,
            Fault::Http {
                at: CallPoint::Gateway,
                what: HttpFault::Status(429)
            }
        );
        assert_eq!(order.to_string(), "429 at gateway x3");
    }

    #[test]
    fn what_is_not_a_fault_is_explained() {
        assert_eq!(
            "".parse::<FaultOrder>(),
            Err(FaultTextError::Unknown(String::new()))
        );
        assert!(
            "close"
                .parse::<FaultOrder>()
                .unwrap_err()
                .to_string()
                .contains("close code")
        );
        assert!("drop now".parse::<FaultOrder>().is_err());
        assert!("401 at noon".parse::<FaultOrder>().is_err());
    }

    #[test]
    fn garbage_alone_means_one_of_each_kind() {
        assert_eq!(parse_orders("garbage").unwrap().len(), ALL_GARBAGE.len());
        assert_eq!(
            parse_orders("drop x2").unwrap(),
            [FaultOrder {
                fault: Fault::Drop,
                times: 2
            }]
        );
    }
}
