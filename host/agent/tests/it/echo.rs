//! The default agent, on a clock that does not make anybody wait.

use prx_agent::Agent;
use prx_host::agent::AgentAsk;
use prx_host::bindings::v0_1::TurnNews;

use crate::support::{Bench, begin};

#[tokio::test(start_paused = true)]
async fn the_text_comes_back() {
    let mut bench = Bench::new(Agent::echo());
    bench.begin(1, "hello");
    assert_eq!(bench.answer(1).await, "echo: hello");
    bench.begin(2, "/fail");
    assert!(bench.failure(2).await.contains("told to fail"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_its_time_and_no_more_than_the_limit() {
    let mut bench = Bench::new(Agent::echo());
    let started = tokio::time::Instant::now();
    bench.begin(1, "/slow 7");
    bench.answer(1).await;
    assert_eq!(started.elapsed().as_secs(), 7);
    bench.begin(2, "/slow 500");
    assert_eq!(bench.failure(2).await, "no answer within 120 s");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_turn_says_so_once() {
    let mut bench = Bench::new(Agent::echo());
    bench.begin(1, "/slow 100");
    bench.cancel(1);
    assert_eq!(bench.end(1).await, TurnNews::Cancelled);
    bench.cancel(1);
    bench.begin(2, "next");
    assert_eq!(bench.answer(2).await, "echo: next");
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_takes_the_place_of_the_first() {
    let mut bench = Bench::new(Agent::echo());
    bench.begin(1, "/slow 100");
    bench.ask(AgentAsk::Begin(begin(1, 2, "again")));
    let mut ends = [bench.next().await, bench.next().await];
    ends.sort_by_key(|event| event.attempt);
    assert_eq!((ends[0].attempt, &ends[0].news), (1, &TurnNews::Cancelled));
    assert_eq!(ends[1].attempt, 2);
    assert!(matches!(ends[1].news, TurnNews::Finished(_)));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_over_leaves_no_time() {
    let mut bench = Bench::new(Agent::echo());
    let mut late = begin(1, 1, "/slow 1");
    late.deadline_wall_ms = Some(1);
    bench.ask(AgentAsk::Begin(late));
    assert_eq!(bench.failure(1).await, "no answer within 0 s");
}
