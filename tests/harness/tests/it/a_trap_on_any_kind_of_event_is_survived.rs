//! Whatever event the component breaks at, twice in a row: it is settled unread, nothing waits for ever, the
//! connection stays, and the next message is answered.

use harness::mutant::Poison;
use harness::sim::{Setup, Stage, bot, echo};
use prx_host::bindings::v0_1::{Event, OperatorCommand, TurnNews};
use qq_emulator::actions::Act;
use serde_json::json;

use crate::common::component;

/// What breaks, and what makes it happen.
struct Case {
    name: &'static str,
    poison: Poison,
    act: fn(&mut Stage),
    /// What the person sees of it, if that can be said.
    seen: Option<&'static str>,
}

fn write(stage: &mut Stage) {
    stage.act(Act::c2c("alice", "/picture 900 POISON"));
}

const CASES: [Case; 9] = [
    Case {
        name: "a frame with a message",
        poison: |event| matches!(event, Event::SocketText(text) if text.text.contains("POISON")),
        act: write,
        seen: Some("出错"),
    },
    Case {
        name: "a frame without one",
        poison: |event| matches!(event, Event::SocketText(text) if text.text.contains("\"op\":11")),
        act: |stage| stage.pass(100_000),
        seen: None,
    },
    Case {
        name: "a timer",
        poison: |event| matches!(event, Event::TimerFired(_)),
        act: |stage| stage.pass(100_000),
        seen: None,
    },
    Case {
        name: "an answer of the platform's",
        poison: |event| matches!(event, Event::HttpDone(_)),
        act: write,
        seen: None,
    },
    Case {
        name: "the end of a turn",
        poison: |event| matches!(event, Event::Turn(turn) if matches!(turn.news, TurnNews::Finished(_))),
        act: write,
        seen: Some("出错"),
    },
    Case {
        name: "a piece of an answer",
        poison: |event| matches!(event, Event::Turn(turn) if matches!(turn.news, TurnNews::Delta(_))),
        act: write,
        seen: Some("echo: /picture 900 POISON"),
    },
    Case {
        name: "digests",
        poison: |event| matches!(event, Event::DigestDone(_)),
        act: write,
        seen: None,
    },
    Case {
        name: "the end of a connection",
        poison: |event| matches!(event, Event::SocketClosed(_)),
        act: |stage| {
            stage.fault("drop");
            stage.pass(60_000);
        },
        seen: None,
    },
    Case {
        name: "a command",
        poison: |event| matches!(event, Event::Command(_)),
        act: |stage| stage.ask(OperatorCommand::Status),
        seen: None,
    },
];

#[test]
fn each_kind_of_event_is_settled_and_the_bot_goes_on() {
    for case in CASES {
        let mut keys = serde_json::Map::new();
        keys.insert("stream_mode".into(), json!("stream"));
        let setup = Setup {
            keys,
            bot: bot(),
            mind: echo(),
        };
        let mut stage = Stage::new(component(), setup);
        let name = case.name;
        stage.trigger().poison(Some(case.poison));
        (case.act)(&mut stage);
        assert!(stage.planned_faults() >= 1, "{name}: nothing broke");
        stage.trigger().poison(None);
        // Long enough for everything that waits to have come to its end.
        stage.pass(6 * 60_000);
        let before = stage.said().len();
        stage.act(Act::c2c("bob", "still there?"));
        let said: Vec<String> = stage.said().iter().map(|m| m.text.clone()).collect();
        let after = said.get(before..).unwrap_or_default().join("\n");
        assert!(after.contains("echo: still there?"), "{name}: {after:?}");
        if let Some(words) = case.seen {
            assert!(
                said.iter().any(|text| text.contains(words)),
                "{name}: {said:?}"
            );
        }
        assert!(stage.connected(), "{name}");
        let open = stage
            .stored_keys()
            .into_iter()
            .filter(|key| key.starts_with("turn/"));
        assert_eq!(open.count(), 0, "{name}: a turn is open for ever");
        assert_eq!(stage.agent_at_work(), 0, "{name}");
        assert_eq!(
            stage.pending_requests(),
            0,
            "{name}: a request is pending for ever"
        );
        // A stream whose first answer was lost has no name to be finished under.
        let nameless = |what: &String| what.contains("was not finished");
        let mut violations = stage.violations();
        violations.retain(|what| !(name == "an answer of the platform's" && nameless(what)));
        assert!(violations.is_empty(), "{name}: {violations:?}");
        assert!(
            stage.findings().is_empty(),
            "{name}: {:?}",
            stage.findings()
        );
    }
}
