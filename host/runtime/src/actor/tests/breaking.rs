//! A guest that breaks, and what a fresh instance of it makes good.

use super::*;

#[test]
fn a_guest_that_answers_each_refusal_with_more_of_the_same_is_stopped() {
    let mut next = 100;
    let mut bench = bench(move |event| match event {
        Event::SocketText(_) | Event::HttpDone(_) => {
            let requests = (0..1000).map(|_| {
                next += 1;
                Action::Http(request(next, "https://evil.example/", vec![]))
            });
            Ok(requests.collect())
        }
        _ => Ok(vec![]),
    });
    let mut down = None;
    bench.say(1, "x");
    for step in 0..200 {
        if !bench.actor.is_running() {
            down = Some(step);
            break;
        }
        bench.actor.step(now(1), Input::Tick);
    }
    assert!(down.is_some(), "it goes on for ever");
    assert!(bench.actor.own_inputs.is_empty());
}

#[test]
fn a_fault_that_does_not_repeat_costs_nothing() {
    let mut calls = 0;
    let mut bench = bench(move |_| {
        calls += 1;
        if calls == 2 {
            return Err(trap("once"));
        }
        Ok(vec![say(vec![Piece::Text("ok".into())])])
    });
    bench.say(1, "a");
    let commands = bench.say(2, "b");
    assert_eq!(names(&commands), ["incident", "send"]);
    bench.say(3, "c");
    assert_eq!(bench.actor.checkpoint(), Some(&b"abc"[..]));
    let last = bench.starts().pop().unwrap();
    assert_eq!(last, (StartReason::Crash, "a".to_owned(), 0));
}

#[test]
fn an_event_that_breaks_twice_is_handed_over_unread() {
    let mut bench = bench(|event| match event {
        Event::SocketText(text) if text.text == "bad" => Err(trap("poison")),
        Event::Skipped(skipped) => {
            assert_eq!(
                (skipped.kind.as_str(), skipped.id),
                ("socket-text", Some(1))
            );
            assert_eq!(skipped.raw.as_deref(), Some("bad"));
            Ok(vec![say(vec![Piece::Text(skipped.cause.clone())])])
        }
        _ => Ok(vec![]),
    });
    bench.say(1, "good");
    assert_eq!(names(&bench.say(2, "bad")), ["incident", "send"]);
    bench.say(3, "fine");
    assert_eq!(bench.actor.checkpoint(), Some(&b"goodfine"[..]));
}

#[test]
fn a_guest_that_keeps_breaking_is_taken_down_cleanly_and_starts_from_what_is_stored() {
    let mut calls = 0;
    let mut bench = bench(move |_| {
        calls += 1;
        if calls % 2 == 1 {
            return Err(trap("every other time"));
        }
        Ok(vec![put(&format!("k{calls}"))])
    });
    for n in 0..3 {
        assert_eq!(names(&bench.say(n, "x")), ["incident", "commit"]);
    }
    let commands = bench.say(4, "x");
    assert_eq!(
        names(&commands),
        ["incident", "commit", "close", "health", "incident"]
    );
    assert!(!bench.actor.is_running());
    assert_eq!(bench.actor.holdings().sockets, Vec::<u64>::new());
    assert!(bench.say(5, "nobody listens").is_empty());
    let due = bench.actor.next_due().unwrap();
    assert_eq!(names(&bench.actor.step(now(due), Input::Tick)), ["boot"]);
    let boot = BootInput {
        number: 2,
        entropy: [8; 32],
    };
    bench.actor.step(now(due), Input::Boot(boot));
    let last = bench.starts().pop().unwrap();
    assert_eq!(last, (StartReason::Restart, String::new(), 4));
}

#[test]
fn a_replayed_journal_finds_the_entries_as_they_were() {
    let mut calls = 0;
    let mut bench = bench(move |event| {
        calls += 1;
        match event {
            Event::SocketText(text) if text.text == "bad" => Err(trap("poison")),
            _ => Ok(vec![put(&format!("k{calls}"))]),
        }
    });
    let large = 4 * memory::CHECKPOINT_BYTES_PER_EVENT;
    bench.say(1, &"x".repeat(large));
    bench.say(2, "y");
    bench.say(3, "z");
    bench.say(4, "bad");
    let (reason, seen, entries) = bench.starts().pop().unwrap();
    assert_eq!((reason, entries), (StartReason::Crash, 1));
    assert_eq!(seen.len(), large);
}

#[test]
fn what_was_handled_before_a_reload_is_not_handled_again_under_the_new_configuration() {
    let mut bench = bench(|event| match event {
        Event::SocketText(text) if text.text == "bad" => Err(trap("poison")),
        _ => Ok(vec![]),
    });
    let large = "x".repeat(4 * memory::CHECKPOINT_BYTES_PER_EVENT);
    bench.say(1, &large);
    bench.say(2, "y");
    let reload = Reload {
        ticket: 1,
        config: "{}".into(),
        secrets: vec![],
        widenings: vec![],
    };
    bench.actor.step(now(3), Input::Reload(Box::new(reload)));
    bench.say(4, "bad");
    let (reason, seen, _) = bench.starts().pop().unwrap();
    assert_eq!(reason, StartReason::Crash);
    assert!(seen.starts_with(&format!("{large}y")), "{}", seen.len());
}
