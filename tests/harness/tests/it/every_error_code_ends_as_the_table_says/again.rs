//! Refusals that do not stop, or that come where something was said already.

use prx_host::bindings::v0_1 as host;
use qq_emulator::actions::Act;
use qq_emulator::ledger::{BotForm, ReplyTo};
use qq_emulator::settings::Judgement;
use serde_json::json;

use super::agent::{ABOVE, BUTTONS, NAMED, WORDS, stage};
use super::expect::{NOTE, whole};
use super::play::{End, Kind, Place, Shown, Theatre, learned};

const LATE: [i64; 7] = [
    304_026, 304_027, 304_103, 40_034_005, 40_034_024, 40_034_026, 40_034_027,
];
/// The one that may mean the number of replies.
const USED_UP: i64 = 40_034_128;

fn told(end: &End) -> (&str, Option<i64>) {
    (&end.outcome, end.code)
}

#[test]
fn what_is_tried_once_more_is_given_up_when_that_is_refused() {
    let mut theatre = Theatre::new(1);
    for (code, times) in [
        (11_242, 2),
        (304_044, 2),
        (40_034_025, 2),
        (11_243, 4),
        (11_255, 4),
    ] {
        let end = theatre.refuse_long(Kind::Words(Place::C2c), (code, times), 120_000);
        assert!(!end.unstruck && end.shown.is_empty(), "{code}: {end:?}");
        assert_eq!(told(&end), ("Refused", Some(code)));
    }
}

#[test]
fn what_is_tried_again_and_again_ends() {
    let mut theatre = Theatre::new(1);
    for code in [22_009, 40_054_006, 50_055_002] {
        let kind = Kind::Words(Place::C2c);
        let end = theatre.refuse_long(kind, (code, 40), 1_800_000);
        assert!(end.unstruck && end.shown.is_empty(), "{code}: {end:?}");
        assert_eq!(told(&end), ("Refused", Some(code)));
    }
}

#[test]
fn every_other_form_is_tried_once() {
    let mut theatre = Theatre::new(1);
    for code in [50_056, 40_034_127, 304_061] {
        let end = theatre.refuse(Kind::Buttons(Place::C2c), code, 2);
        assert!(!end.unstruck && end.shown.is_empty(), "{code}: {end:?}");
        assert_eq!(told(&end), ("Refused", Some(code)));
    }
    let end = theatre.refuse(Kind::Buttons(Place::C2c), 304_057, 2);
    assert_eq!(told(&end), ("Refused", Some(304_057)));
    let end = theatre.refuse(Kind::Unasked(Place::C2c), 40_034_105, 2);
    assert_eq!(told(&end), ("Refused", Some(40_034_105)));
}

#[test]
fn media_that_is_refused_again_is_named() {
    let mut theatre = Theatre::new(1);
    let named = vec![Shown::new(BotForm::Text, NAMED)];
    for code in [304_080, 40_034_004, 304_082] {
        let end = theatre.refuse(Kind::Picture(Place::C2c), code, 2);
        assert_eq!((&end.shown, told(&end)), (&named, ("Sent", None)), "{code}");
    }
    for code in [850_026, 850_019, 304_080] {
        let end = theatre.refuse(Kind::Upload(Place::C2c), code, 2);
        assert_eq!((&end.shown, told(&end)), (&named, ("Sent", None)), "{code}");
    }
}

#[test]
fn what_answers_nothing_is_not_repeated_when_it_is_called_late() {
    let mut theatre = Theatre::new(1);
    for code in LATE {
        let end = theatre.refuse(Kind::Unasked(Place::C2c), code, 2);
        assert!(end.unstruck && end.shown.is_empty(), "{code}: {end:?}");
        assert_eq!(told(&end), ("Expired", None));
    }
}

#[test]
fn an_answer_that_comes_too_late_goes_under_another_message_of_the_same_person() {
    for code in LATE.into_iter().chain([USED_UP]) {
        for (first, second) in [
            (Act::c2c("ann", "hello"), Act::c2c("ann", "words")),
            (
                Act::group_at("club", "ann", "hello"),
                Act::group_at("club", "ann", "words"),
            ),
        ] {
            let mut stage = stage(&json!({}));
            let first = stage.act(first).message_id.unwrap();
            stage.fault(&format!("refuse {code} at post"));
            stage.act(second);
            let said = stage.said();
            let last = said.last().unwrap();
            assert_eq!((said.len(), last.text.as_str()), (2, WORDS), "{code}");
            assert_eq!(last.reply_to, Some(ReplyTo::MsgId(first)), "{code}");
            assert_eq!(
                stage.outcomes().last().unwrap().outcome,
                host::Outcome::Sent
            );
            assert_eq!(stage.violations(), Vec::<String>::new(), "{code}");
        }
    }
}

#[test]
fn only_the_code_for_it_teaches_how_many_replies_a_message_pays_for() {
    for code in LATE.into_iter().chain([USED_UP]) {
        let mut stage = stage(&json!({}));
        let target = stage.act(Act::c2c("ann", "words")).target.unwrap();
        // The second message of this answer; one may come from the message before.
        stage.begin(Act::c2c("bob", "two"));
        while stage.said().len() < 2 {
            stage.pass(1);
        }
        stage.fault(&format!("refuse {code} at post"));
        stage.pass(60_000);
        let expected: &[&str] = if code == USED_UP {
            &["slots {\"at-most\":1}"]
        } else {
            &[]
        };
        assert_eq!(learned(&mut stage, target.as_str()).0, expected, "{code}");
        let outcome = stage.outcomes().pop().unwrap();
        assert_eq!(outcome.outcome, host::Outcome::PartlySent, "{code}");
    }
}

#[test]
fn a_part_that_is_unsafe_is_told_of_once_and_the_others_are_seen() {
    for code in [304_025, 1_100_101, 1_100_103, 40_034_006] {
        let mut stage = stage(&json!({}));
        stage.fault(&format!("refuse {code} at post"));
        let asked = stage.act(Act::c2c("ann", "two")).message_id.unwrap();
        assert_eq!(stage.texts(&asked), [NOTE, ABOVE], "{code}");
        stage.fault(&format!("refuse {code} at post"));
        stage.fault(&format!("refuse {code} at post"));
        let asked = stage.act(Act::c2c("bob", "two")).message_id.unwrap();
        // The note was refused as well, and is not repeated.
        assert_eq!(stage.texts(&asked), [ABOVE], "{code}");
        let outcome = stage.outcomes().pop().unwrap();
        assert_eq!(
            (outcome.outcome, outcome.code, outcome.parts_sent),
            (host::Outcome::PartlySent, Some(code), 1)
        );
    }
}

#[test]
fn a_held_message_is_seen_when_it_passes_and_the_agent_hears_the_verdict() {
    for (pass, verdict) in [(true, host::Outcome::Sent), (false, host::Outcome::Refused)] {
        for act in [
            Act::c2c("ann", "words"),
            Act::group_at("club", "ann", "words"),
            Act::channel_at("guild", "hall", "ann", "words"),
        ] {
            let mut stage = stage(&json!({}));
            stage.rules().moderation.verdict = Judgement::Audit;
            let asked = stage.act(act.clone()).message_id.unwrap();
            assert_eq!(stage.texts(&asked), Vec::<String>::new(), "{act:?}");
            stage.act(Act::Judge {
                audit_id: None,
                pass,
            });
            let seen = stage.texts(&asked);
            assert_eq!(seen.len(), usize::from(pass), "{act:?}: {seen:?}");
            let told: Vec<_> = stage.outcomes().iter().map(|told| told.outcome).collect();
            assert_eq!(told, [host::Outcome::Held, verdict], "{act:?}");
            assert_eq!(stage.violations(), Vec::<String>::new());
        }
    }
}

#[test]
fn what_nobody_asked_for_can_be_held_too() {
    let mut theatre = Theatre::new(1);
    for code in [304_023, 304_024] {
        // Refused by order, it has no name under which a verdict could come.
        let end = theatre.refuse(Kind::Unasked(Place::Group), code, 1);
        assert_eq!(
            (end.shown.len(), end.outcome.as_str()),
            (0, "Held"),
            "{code}"
        );
        let end = theatre.refuse(Kind::Words(Place::Group), code, 1);
        assert_eq!(
            (end.shown.len(), end.outcome.as_str()),
            (0, "Held"),
            "{code}"
        );
    }
}

#[test]
fn codes_of_streams_mean_in_streams_what_they_mean_there() {
    let mut theatre = Theatre::new(1);
    let all = whole(Kind::StreamEnd);
    let open = Shown::new(BotForm::Stream, "One boat leaves at");
    let rest = Shown::new(BotForm::Text, "seven.");
    for (kind, code, shown) in [
        (Kind::StreamMiddle, 40_007, all.clone()),
        (Kind::StreamMiddle, 50_001, all.clone()),
        (Kind::StreamMiddle, 50_002, all.clone()),
        (Kind::StreamBegin, 50_001, all.clone()),
        (Kind::StreamBegin, 50_002, all.clone()),
        (Kind::StreamEnd, 40_007, vec![open, rest]),
        (Kind::StreamEnd, 50_001, all.clone()),
        (Kind::StreamEnd, 50_002, all),
    ] {
        let end = theatre.refuse(kind, code, 1);
        assert_eq!(
            (&end.shown, told(&end)),
            (&shown, ("Sent", None)),
            "{kind:?} {code}"
        );
        assert!(end.broken.is_empty(), "{kind:?} {code}: {end:?}");
        assert!(end.learned.is_empty(), "{kind:?} {code}: {end:?}");
    }
}

#[test]
fn a_refused_typing_notice_costs_no_reply_and_teaches_only_what_it_is_about() {
    for (code, taught) in [
        (50_059, true),
        (11_253, true),
        (40_034_005, false),
        (40_054_004, false),
        (11_242, false),
        (22_009, false),
    ] {
        let mut stage = stage(&json!({"stream_mode": "typing"}));
        stage.fault(&format!("refuse {code} at post"));
        let asked = stage.act(Act::c2c("ann", "words"));
        let id = asked.message_id.unwrap();
        assert_eq!(stage.texts(&id), [WORDS], "{code}");
        let learned = learned(&mut stage, asked.target.unwrap().as_str()).0;
        let expected: &[&str] = if taught { &["typing refused"] } else { &[] };
        assert_eq!(learned, expected, "{code}");
    }
}

#[test]
fn a_refused_sign_of_life_costs_no_answer() {
    for code in [620_001, 620_002, 620_005, 620_006, 10_003, 11_253] {
        let mut stage = stage(&json!({"ack_reactions": true}));
        stage.fault(&format!("refuse {code} at any"));
        let act = Act::channel_at("guild", "hall", "ann", "words");
        let asked = stage.act(act).message_id.unwrap();
        assert_eq!(stage.texts(&asked), [WORDS], "{code}");
        assert_eq!(stage.violations(), Vec::<String>::new(), "{code}");
    }
}

#[test]
fn without_a_token_the_answer_waits_for_one() {
    // The code, how long the channel waits before it asks again, and what the operator reads meanwhile.
    for (code, wait_ms, health) in [
        (100_001, 60_000, "no-token"),
        (10_004, 3_600_000, "bad-app-id"),
        (100_007, 3_600_000, "bad-app-id"),
        (100_016, 3_600_000, "bad-secret"),
        (11_298, 3_600_000, "address-not-allowed"),
    ] {
        let mut stage = stage(&json!({}));
        stage.fault("token-death");
        stage.fault(&format!("refuse {code} at token"));
        let asked = stage.act(Act::c2c("ann", "words")).message_id.unwrap();
        let codes: Vec<_> = stage.health().iter().map(|it| it.code.clone()).collect();
        assert!(
            codes.iter().any(|known| known == health),
            "{code}: {codes:?}"
        );
        stage.pass(wait_ms + 120_000);
        // The reply window of a private chat is an hour: what waits as long comes too late.
        let (texts, outcome) = match wait_ms {
            60_000 => (vec![WORDS], host::Outcome::Sent),
            _ => (Vec::new(), host::Outcome::Expired),
        };
        assert_eq!(stage.texts(&asked), texts, "{code}");
        assert_eq!(stage.outcomes().pop().unwrap().outcome, outcome, "{code}");
        let asked = stage.act(Act::c2c("ann", "words")).message_id.unwrap();
        assert_eq!(stage.texts(&asked), [WORDS], "{code}: and the next one");
        assert_eq!(stage.violations(), Vec::<String>::new(), "{code}");
    }
}

#[test]
fn a_refused_acknowledgement_stops_no_answer_and_buttons_as_text_name_their_labels() {
    let mut theatre = Theatre::new(1);
    let end = theatre.refuse(Kind::Ack, 630_002, 1);
    assert_eq!(end.shown, whole(Kind::Ack));
    let end = theatre.refuse(Kind::Buttons(Place::Group), 40_034_029, 1);
    assert_eq!(end.shown.len(), 1);
    assert!(end.shown[0].text.contains(BUTTONS), "{end:?}");
}
