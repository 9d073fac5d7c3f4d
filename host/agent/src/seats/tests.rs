//! Places are never more than there are, and nobody waits for more than one turn of each other.

use std::time::Duration;

use super::*;

fn key(channel: &str, conversation: &str) -> Key {
    Key {
        channel: channel.into(),
        conversation: conversation.into(),
    }
}

fn popped(line: &mut Line<&'static str>) -> Vec<&'static str> {
    std::iter::from_fn(|| line.pop()).collect()
}

#[test]
fn channels_take_turns_and_so_do_their_conversations() {
    let mut line = Line::new(100);
    for item in ["a1", "a2", "a3", "a4"] {
        line.push(&key("x", "a"), item);
    }
    line.push(&key("x", "b"), "b1");
    line.push(&key("y", "c"), "c1");
    line.push(&key("y", "c"), "c2");
    assert_eq!(
        popped(&mut line),
        ["a1", "c1", "b1", "c2", "a2", "a3", "a4"]
    );
    assert_eq!(
        (line.count, line.waiting.len(), line.channels.len()),
        (0, 0, 0)
    );
}

#[test]
fn a_full_queue_makes_room_at_the_cost_of_whoever_has_most() {
    let mut line = Line::new(6);
    for item in ["a1", "a2", "a3", "a4"] {
        assert_eq!(line.push(&key("x", "a"), item), None);
    }
    line.push(&key("x", "b"), "b1");
    line.push(&key("x", "b"), "b2");
    // The newest of the longest conversation, for another channel and for another conversation.
    assert_eq!(line.push(&key("y", "c"), "c1"), Some("a4"));
    assert_eq!(line.push(&key("x", "d"), "d1"), Some("a3"));
    // His own, for who has the most, and for who would have as many.
    assert_eq!(line.push(&key("x", "a"), "a5"), Some("a5"));
    assert_eq!(line.push(&key("x", "d"), "d2"), Some("d2"));
    assert_eq!(line.count, 6);
    assert_eq!(popped(&mut line), ["a1", "c1", "b1", "d1", "a2", "b2"]);
}

#[test]
fn a_flood_of_one_person_leaves_room_for_all_others_and_the_queue_is_bounded() {
    let mut line = Line::new(50);
    let mut refused = 0;
    for _ in 0..10_000 {
        refused += usize::from(line.push(&key("x", "flood"), "flood").is_some());
    }
    assert_eq!((line.count, refused), (50, 9_950));
    for person in 0..40 {
        let gone = line.push(&key("x", &person.to_string()), "person");
        assert_eq!(gone, Some("flood"), "{person}");
    }
    let order = popped(&mut line);
    assert_eq!(order.len(), 50);
    // After one of the flood's, each person is served once.
    assert_eq!(
        order
            .iter()
            .take(41)
            .filter(|item| **item == "person")
            .count(),
        40
    );
}

#[tokio::test]
async fn so_many_at_once_and_the_next_when_one_ends() {
    let seats = Seats::new(2);
    let (a, b) = (key("x", "a"), key("x", "b"));
    let first = seats.take(&a).await.unwrap();
    let _second = seats.take(&a).await.unwrap();
    let mut third = Box::pin(seats.take(&a));
    let mut fourth = Box::pin(seats.take(&b));
    assert!(futures_util::poll!(&mut third).is_pending());
    assert!(futures_util::poll!(&mut fourth).is_pending());
    assert_eq!((seats.waiting("x"), seats.waiting("y")), (2, 0));
    drop(first);
    let third = third.await.unwrap();
    assert!(futures_util::poll!(&mut fourth).is_pending());
    drop(third);
    fourth.await.unwrap();
    assert_eq!(seats.waiting("x"), 0);
}

#[tokio::test]
async fn one_that_gives_up_leaves_the_queue_and_no_place_is_lost() {
    let seats = Seats::new(1);
    let (a, b) = (key("x", "a"), key("y", "b"));
    let first = seats.take(&a).await.unwrap();
    let mut second = Box::pin(seats.take(&a));
    let mut third = Box::pin(seats.take(&b));
    assert!(futures_util::poll!(&mut second).is_pending());
    assert!(futures_util::poll!(&mut third).is_pending());
    drop(second);
    assert_eq!((seats.waiting("x"), seats.waiting("y")), (0, 1));
    // Called and not there any more: the place goes on.
    drop(first);
    drop(third);
    let again = tokio::time::timeout(Duration::from_secs(3600), seats.take(&a));
    let _again = again.await.expect("a place was lost").unwrap();
    assert_eq!(seats.state().free, 0);
}

#[tokio::test]
async fn who_is_sent_away_from_a_full_queue_is_told() {
    let seats = Seats::new(1);
    let _first = seats.take(&key("x", "a")).await.unwrap();
    let flood = key("x", "flood");
    let mut waiting: Vec<_> = (0..MAX_WAITING)
        .map(|_| Box::pin(seats.take(&flood)))
        .collect();
    for turn in &mut waiting {
        assert!(futures_util::poll!(turn).is_pending());
    }
    assert_eq!(seats.take(&flood).await.unwrap_err(), Full);
    let person = key("x", "person");
    let mut person = Box::pin(seats.take(&person));
    assert!(futures_util::poll!(&mut person).is_pending());
    let newest = waiting.pop().unwrap();
    assert_eq!(newest.await.unwrap_err(), Full);
    assert_eq!(seats.waiting("x"), MAX_WAITING);
}
