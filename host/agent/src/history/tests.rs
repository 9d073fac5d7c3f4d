//! What a history remembers, and for how long.

use super::*;

fn key() -> Key {
    Key {
        channel: "bot".into(),
        conversation: "c".into(),
    }
}

fn history(messages: usize, chars: usize) -> History {
    History::new(Bounds {
        messages,
        chars,
        ..Bounds::default()
    })
}

fn source(sender: &str, at_ms: u64) -> Source<'_> {
    Source {
        message: "m",
        sender,
        at_ms,
    }
}

impl History {
    fn anna(&mut self, key: &Key, turn: TurnId, text: &str) -> Vec<Said> {
        self.asked(key, turn, source("anna", 1), text.into())
    }
}

fn asked(said: &[Said]) -> Vec<&str> {
    let texts = said.iter().map(|said| match said {
        Said::Aside(text) => &**text,
        Said::Exchange(exchange) => exchange.asked.as_str(),
    });
    texts.collect()
}

fn became(id: TurnId, outcome: Outcome, detail: &str) -> TurnOutcome {
    TurnOutcome {
        id,
        outcome,
        parts_sent: 0,
        parts: 1,
        code: None,
        detail: detail.into(),
    }
}

fn lost(history: &History, turn: TurnId) -> Option<String> {
    let lines = history.conversations.values().flat_map(|c| &c.lines);
    let mut exchanges = lines.filter_map(|line| match &line.said {
        Said::Exchange(exchange) => Some(exchange),
        Said::Aside(_) => None,
    });
    let found = exchanges.find(|exchange| exchange.turn == turn);
    found.unwrap().lost.clone()
}

#[test]
fn the_latest_outcome_of_an_answer_counts() {
    let mut history = history(100, 1000);
    history.anna(&key(), 1, "one");
    history.outcome("bot", &became(1, Outcome::Held, "Held for\n audit."));
    let held = "held for review by the platform: Held for audit";
    assert_eq!(lost(&history, 1).as_deref(), Some(held));
    history.outcome("bot", &became(1, Outcome::Refused, "a link"));
    let refused = "refused by the platform: a link";
    assert_eq!(lost(&history, 1).as_deref(), Some(refused));
    history.outcome("bot", &became(1, Outcome::Sent, "delivered"));
    assert_eq!(lost(&history, 1), None);
    history.outcome("bot", &became(1, Outcome::PartlySent, &"x".repeat(1000)));
    assert_eq!(lost(&history, 1).unwrap().len(), 24 + MAX_DETAIL);
}

#[test]
fn better_words_take_the_place_of_the_first_ones_and_change_nothing_else() {
    let mut history = history(100, 1000);
    history.anna(&key(), 1, "[image]");
    history.lose("bot", 1, "interrupted");
    history.reworded(&key(), 1, "[IMAGE:x.png]".into());
    assert_eq!(lost(&history, 1).as_deref(), Some("interrupted"));
    let said = history.anna(&key(), 2, "two");
    assert_eq!(asked(&said), ["[IMAGE:x.png]", "two"]);
}

#[test]
fn a_turn_that_begins_again_is_remembered_once() {
    let mut history = history(100, 1000);
    history.anna(&key(), 1, "one");
    history.answered(&key(), 1, "answer".into());
    history.anna(&key(), 2, "two");
    let again = history.anna(&key(), 2, "two");
    assert_eq!(asked(&again), ["one", "two"]);
    let later = history.anna(&key(), 3, "three");
    assert_eq!(asked(&later), ["one", "two", "three"]);
}

#[test]
fn the_oldest_goes_first_and_the_newest_stays() {
    let mut history = history(3, 1000);
    for turn in 0..5 {
        history.anna(&key(), turn, &format!("q{turn}"));
        history.answered(&key(), turn, "a".into());
    }
    assert_eq!(asked(&history.anna(&key(), 9, "now")), ["q4", "now"]);
    let mut small = self::history(100, 5);
    small.anna(&key(), 1, "a long message");
    assert_eq!(asked(&small.anna(&key(), 2, "another")), ["another"]);
}

#[test]
fn what_was_not_delivered_is_known() {
    let mut history = history(100, 1000);
    history.anna(&key(), 1, "one");
    history.outcome("bot", &became(1, Outcome::Superseded, ""));
    history.outcome("bot", &became(77, Outcome::Refused, ""));
    let said = history.anna(&key(), 2, "two");
    let Said::Exchange(first) = &said[0] else {
        panic!()
    };
    assert_eq!(
        first.lost.as_deref(),
        Some("interrupted by a newer message")
    );
}

#[test]
fn a_reset_forgets_one_conversation() {
    let mut history = history(100, 1000);
    let other = Key {
        conversation: "other".into(),
        ..key()
    };
    history.anna(&key(), 1, "one");
    history.anna(&other, 2, "elsewhere");
    history.forget(&key());
    assert_eq!(asked(&history.anna(&key(), 3, "x")), ["x"]);
    assert_eq!(asked(&history.anna(&other, 4, "y")), ["elsewhere", "y"]);
}

#[test]
fn asides_are_few() {
    let mut history = history(1000, 100_000);
    for n in 0..50 {
        history.overheard(&key(), source("ben", 1), format!("aside {n}"));
    }
    assert_eq!(history.anna(&key(), 1, "q").len(), MAX_CONTEXT + 1);
}

#[test]
fn a_turn_of_another_message_under_an_old_id_is_another_turn() {
    let mut history = history(100, 1000);
    history.anna(&key(), 1, "one");
    let other = Source {
        message: "other",
        ..source("anna", 2)
    };
    let said = history.asked(&key(), 1, other, "after a new store".into());
    assert_eq!(asked(&said), ["one", "after a new store"]);
    history.lose("bot", 1, "refused");
    assert_eq!(lost(&history, 1).as_deref(), Some("refused"));
    assert_eq!(lost(&history, 0), None);
}

#[test]
fn what_is_older_than_the_retention_is_not_told() {
    let mut history = history(100, 1000);
    let retention = u64::try_from(Bounds::default().retention.as_millis()).unwrap();
    let start = 2 * retention;
    for (turn, at) in [
        (1, start),
        (2, start + retention),
        (3, start + retention + 1),
    ] {
        history.asked(&key(), turn, source("anna", at), format!("q{turn}"));
    }
    let now = start + retention + 2 * 3_600_000;
    let said = history.asked(&key(), 4, source("anna", now), "now".into());
    assert_eq!(asked(&said), ["q2", "q3", "now"]);
}

#[test]
fn a_person_is_forgotten_everywhere_in_a_channel_and_others_are_not() {
    let mut history = history(100, 1000);
    let other = Key {
        channel: "other".into(),
        ..key()
    };
    history.anna(&key(), 1, "mine");
    history.overheard(&key(), source("anna", 1), "mine too".into());
    history.asked(&key(), 2, source("ben", 1), "his".into());
    history.anna(&other, 1, "elsewhere");
    assert_eq!(history.forget_sender("bot", "anna"), 2);
    assert_eq!(history.forget_sender("bot", "anna"), 0);
    assert_eq!(asked(&history.anna(&key(), 3, "x")), ["his", "x"]);
    assert_eq!(asked(&history.anna(&other, 3, "x")), ["elsewhere", "x"]);
}

#[test]
fn the_conversation_that_was_quiet_longest_makes_room() {
    let mut history = history(100, 1000);
    let of = |n: usize| Key {
        conversation: format!("c{n}"),
        ..key()
    };
    for n in 0..MAX_CONVERSATIONS {
        history.anna(&of(n), 1, "x");
    }
    history.anna(&of(0), 2, "still here");
    history.anna(&key(), 1, "one more");
    assert_eq!(history.conversations.len(), MAX_CONVERSATIONS);
    assert!(history.conversations.contains_key(&of(0)));
    assert!(!history.conversations.contains_key(&of(1)));
}
