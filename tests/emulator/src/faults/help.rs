//! The list of faults, as people write them.

/// One line of the list of faults.
#[derive(Debug, Clone, Copy)]
pub struct FaultHelp {
    /// How it is written.
    pub form: &'static str,
    /// What happens.
    pub what: &'static str,
}

const fn help(form: &'static str, what: &'static str) -> FaultHelp {
    FaultHelp { form, what }
}

/// Every fault, as people write it. Each may be followed by `xN`: the next N times. Faults of
/// requests may be followed by `at post|gateway|token|any`.
pub const FAULT_HELP: &[FaultHelp] = &[
    help("drop", "the connection breaks now"),
    help(
        "drop-before-event",
        "the next event is kept, the connection breaks before it is sent",
    ),
    help(
        "drop-after-event",
        "the connection breaks right after the next event",
    ),
    help("lost-ack", "the next heartbeat gets no ACK"),
    help(
        "op7",
        "the server asks to reconnect, and closes with 4009 later",
    ),
    help("op9 true|false|missing", "the session is called invalid"),
    help("close CODE", "the connection is closed with a code"),
    help(
        "login-close CODE",
        "the next Identify or Resume is answered by a close",
    ),
    help(
        "login-op9 true|false|missing",
        "the next Identify or Resume is answered by op 9",
    ),
    help("no-hello", "the next connection gets no Hello"),
    help("forget-sessions", "no session can be resumed any more"),
    help("quiet SPAN", "events are held back for a while"),
    help("double", "the next message is pushed twice"),
    help("triple", "the next message is pushed three times"),
    help("deliver N", "the next message is pushed N times"),
    help(
        "double-new-id",
        "the next message is pushed twice, with two ids",
    ),
    help(
        "replay-extra N",
        "the next Resume replays N events too many",
    ),
    help(
        "garbage [KIND]",
        "a frame nobody expects; all kinds if none is named",
    ),
    help("ask-heartbeat", "the server sends op 1"),
    help("token-death", "every access token dies now"),
    help(
        "401",
        "the next request is refused: token check not passed (11243)",
    ),
    help("429", "the next request is refused: too many"),
    help("500", "the next request is refused: internal error"),
    help(
        "502-html",
        "the next request is answered by an edge proxy in HTML",
    ),
    help(
        "status CODE",
        "the next request is answered with this HTTP status",
    ),
    help(
        "refuse CODE",
        "the next request is refused with this business code",
    ),
    help("slow SPAN", "the next request is handled late"),
    help(
        "slow-after-delivery SPAN",
        "the next request is handled, and answered late",
    ),
    help(
        "cut-after-delivery",
        "the next request is handled, its connection breaks unanswered",
    ),
    help(
        "reset-on-next-post",
        "the connection of the next request breaks, nothing is done",
    ),
    help(
        "fail-after-delivery",
        "the next request is handled, and answered with 500",
    ),
    help(
        "answer-not-json",
        "the next request is handled, and answered with nonsense",
    ),
];
