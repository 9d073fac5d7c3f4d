//! Builds of the real component take the channel over while people write: newer ones, older ones, and ones
//! with a flaw. The platform sees one session.

use harness::mutant::Flaw;
use harness::sim::{Setup, Stage, bot, echo};
use prx_host::bindings::v0_1::{Outcome, TurnOutcome};
use qq_emulator::actions::Act;

use crate::common::component;

fn stage() -> Stage {
    let setup = Setup {
        keys: serde_json::Map::new(),
        bot: bot(),
        mind: echo(),
    };
    Stage::new(component(), setup)
}

/// How often the platform saw an Identify and a Resume.
fn logins(stage: &Stage) -> (u64, u64) {
    let app = stage.platform().default_app().unwrap();
    let stats = stage.platform().stats(app).unwrap();
    (stats.identifies, stats.resumes)
}

#[test]
fn in_the_middle_of_answers_of_all_scenes() {
    let mut stage = stage();
    let before = logins(&stage);
    for round in 0..6 {
        let texts = ["/long 7000 a", "hello", "/picture 3000 b"];
        for text in texts {
            let text = format!("{text}{round}");
            stage.begin(Act::c2c("alice", &text));
            stage.begin(Act::group_at("friends", "bob", &text));
            stage.begin(Act::channel_at("guild", "general", "carol", &text));
            stage.begin(Act::dm("guild", "carol", &text));
            // Between any two events, with agents at work and requests under way.
            stage.offer(Flaw::None, round % 2 == 0);
            stage.pass(97 * (round + 1));
        }
    }
    stage.pass(10 * 60_000);
    assert_eq!(stage.swaps(), (18, 0));
    assert_eq!(logins(&stage), before, "neither Identify nor Resume");
    let outcomes = stage.outcomes();
    assert_eq!(outcomes.len(), 6 * 3 * 4, "one outcome for each message");
    // An answer that is slow on the way is not known to have arrived; in guilds that is never repeated.
    let arrived = |o: &TurnOutcome| matches!(o.outcome, Outcome::Sent | Outcome::Unconfirmed);
    let odd: Vec<_> = outcomes.iter().filter(|o| !arrived(o)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert!(stage.violations().is_empty(), "{:?}", stage.violations());
    assert!(stage.findings().is_empty(), "{:?}", stage.findings());
}

#[test]
fn forward_to_a_newer_state_and_back_when_it_breaks() {
    let mut stage = stage();
    stage.act(Act::c2c("alice", "one"));
    // It takes over, answers, and breaks a few events later.
    stage.offer(Flaw::TrapsAtEvent(4), true);
    stage.act(Act::c2c("alice", "two"));
    stage.act(Act::c2c("alice", "three"));
    assert_eq!(stage.swaps(), (1, 1));
    let said: Vec<String> = stage.said().iter().map(|m| m.text.clone()).collect();
    assert_eq!(said, ["echo: one", "echo: two", "echo: three"]);
    assert!(stage.findings().is_empty(), "{:?}", stage.findings());
}

#[test]
fn a_build_that_is_no_good_changes_nothing() {
    for flaw in [Flaw::TrapsAtStart, Flaw::Refuses, Flaw::CountsOnATimer] {
        let mut stage = stage();
        let before = logins(&stage);
        stage.offer(flaw, false);
        stage.act(Act::c2c("alice", "one"));
        assert_eq!(stage.swaps(), (0, 0), "{flaw:?}");
        assert_eq!(logins(&stage), before);
        let said: Vec<String> = stage.said().iter().map(|m| m.text.clone()).collect();
        assert_eq!(said, ["echo: one"], "{flaw:?}");
        assert!(
            stage.findings().is_empty(),
            "{flaw:?}: {:?}",
            stage.findings()
        );
    }
}
