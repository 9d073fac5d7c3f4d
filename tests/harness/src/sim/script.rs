//! What happens in a run: who writes when, and what goes wrong.

use qq_emulator::actions::{Act, Attachment};
use qq_emulator::faults::{FaultOrder, parse_orders};

/// Which faults are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// None at all.
    None,
    /// Those after which the platform still lets the session be resumed: nothing may be lost.
    Resumable,
    /// All of them: what was said while a session was gone is lost, and nothing else.
    All,
}

/// What the bot shows while an answer is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Nothing.
    Nothing,
    /// Typing notices, in private chats.
    Typing,
    /// Text that grows, in private chats.
    Stream,
}

impl Shows {
    /// Each in turn.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        match seed % 3 {
            0 => Self::Nothing,
            1 => Self::Typing,
            _ => Self::Stream,
        }
    }

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Typing => "typing",
            Self::Stream => "stream",
        }
    }
}

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Messages that people write.
    pub messages: u32,
    /// Milliseconds of virtual time over which they write.
    pub span_ms: u64,
    /// Faults that strike meanwhile.
    pub faults: u32,
    /// Which.
    pub kind: Faults,
    /// How often the process is killed meanwhile.
    pub kills: u32,
    /// How often another build is offered meanwhile.
    pub swaps: u32,
    /// How often the component traps meanwhile, in the middle of an event.
    pub crashes: u32,
    /// What the bot shows while it writes.
    pub shows: Shows,
}

/// One thing that the script wants.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Act(Act),
    Fault(FaultOrder),
    Kill,
    Swap,
    Crash,
}

const RESUMABLE: &[&str] = &[
    "drop",
    "drop-before-event",
    "drop-after-event",
    "lost-ack",
    "op7",
    "op9 true",
    "close 1000",
    "close 4008",
    "close 4009",
    "double",
    "triple",
    "slow-after-delivery 6s",
    "slow-after-delivery 40s",
    "cut-after-delivery",
    "token-death",
    "429",
    "500",
    "502-html",
    "401",
    "garbage not-json",
    "garbage unknown-event",
    "garbage unknown-op",
    "429 at token",
    "500 at gateway",
];

const SESSION_LOST: &[&str] = &[
    "op9 false",
    "op9 missing",
    "forget-sessions",
    "close 4000",
    "close 4003",
    "close 4006",
    "close 4007",
    "close 4900",
    "close 4913",
    "garbage",
];

/// The script of a run, in order of time.
pub(super) fn script(plan: &Plan, rng: &mut fastrand::Rng) -> Vec<(u64, Step)> {
    let mut steps = Vec::new();
    for number in 0..plan.messages {
        steps.push((rng.u64(0..plan.span_ms), Step::Act(message(number, rng))));
    }
    let mut known: Vec<&str> = RESUMABLE.to_vec();
    if plan.kind == Faults::All {
        known.extend(SESSION_LOST);
    }
    for _ in 0..plan.faults {
        let text = known
            .get(rng.usize(0..known.len()))
            .copied()
            .unwrap_or("drop");
        let orders = parse_orders(text).unwrap_or_default();
        let at = rng.u64(0..plan.span_ms);
        steps.extend(orders.into_iter().map(|order| (at, Step::Fault(order))));
    }
    for _ in 0..plan.kills {
        steps.push((rng.u64(0..plan.span_ms), Step::Kill));
    }
    for _ in 0..plan.swaps {
        steps.push((rng.u64(0..plan.span_ms), Step::Swap));
    }
    for _ in 0..plan.crashes {
        steps.push((rng.u64(0..plan.span_ms), Step::Crash));
    }
    steps.sort_by_key(|(at, _)| *at);
    steps
}

fn message(number: u32, rng: &mut fastrand::Rng) -> Act {
    let user = format!("user{}", rng.u32(0..8));
    // Some answers need several messages, and some are pictures.
    let text = match rng.u32(0..10) {
        0 | 1 => format!("/long {} n{number}", rng.u32(1..14_000)),
        2 => format!("/picture {} n{number}", 1_000 + number),
        _ => format!("hello n{number}"),
    };
    let place = rng.u32(0..3);
    let mut act = match rng.u32(0..6) {
        0 | 1 => Act::c2c(&user, &text),
        2 | 3 => Act::group_at(&format!("group{place}"), &user, &text),
        4 => Act::channel_at("guild", &format!("channel{place}"), &user, &text),
        _ => Act::dm("guild", &user, &text),
    };
    // Some have something attached, which the platform does not have any more.
    if rng.u32(0..6) == 0
        && let Some(message) = act.message_mut()
    {
        message.attachments.push(Attachment {
            content_type: "image/png".into(),
            filename: "cat.png".into(),
            url: "https://multimedia.nt.qq.com.cn/gone/cat.png".into(),
            size: 3,
            ..Attachment::default()
        });
    }
    act
}

/// Bytes of the picture that a message asks for: a number of its own, so that it is known anywhere.
pub(super) fn picture(text: &str) -> Option<u64> {
    text.strip_prefix("/picture ")?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// The word by which a message of the script is known: its last one.
pub(super) fn tag(text: &str) -> &str {
    text.split_whitespace().next_back().unwrap_or_default()
}

/// What the simulated agent answers.
pub(super) fn answer(text: &str) -> String {
    let long = text
        .strip_prefix("/long ")
        .and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    match long {
        Some(length) => {
            // Each line names the message, so that a part is known wherever it turns up.
            let tag = tag(text);
            let mut answer = String::with_capacity(length + 20);
            for line in 0.. {
                if answer.len() >= length {
                    break;
                }
                answer.push_str(&format!("line {line} of the answer to {tag} .\n"));
            }
            answer
        }
        None => format!("echo: {text}"),
    }
}
