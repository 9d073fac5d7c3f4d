//! A model's server that streams, stalls, breaks off and refuses.

use std::time::Duration;

use prx_agent::{Agent, AgentConfig, Bounds, Mind, OpenAiConfig};
use prx_host::agent::AgentAsk;
use prx_host::bindings::v0_1::{Outcome, TurnContext, TurnNews, TurnOutcome};
use prx_host::drivers::network::{Network, NetworkOptions, ProxyChoice};
use prx_host::egress::address::AddressPolicy;
use prx_host::vault::Hidden;

use crate::model::Model;
use crate::support::{Bench, begin, soon};

fn agent(server: &Model, model: &str, silence: Duration) -> Agent {
    let network = Network::new(&NetworkOptions {
        proxy: ProxyChoice::Direct,
        extra_ca: None,
        addresses: AddressPolicy::default(),
    });
    let config = AgentConfig {
        mind: Mind::OpenAi(OpenAiConfig {
            base_url: server.url.clone(),
            model: model.into(),
            api_key: Some(Hidden::new("sk-canary")),
            system_prompt: "Be kind.".into(),
            silence_limit: silence,
        }),
        time_limit: Duration::from_secs(60),
        history: Bounds::default(),
    };
    Agent::new(&config, &network.unwrap()).unwrap()
}

async fn bench(model: &str) -> (Bench, Model) {
    let server = Model::new().await;
    let bench = Bench::new(agent(&server, model, Duration::from_secs(30)));
    (bench, server)
}

#[tokio::test]
async fn words_come_as_they_are_written_and_the_answer_at_the_end() {
    let (mut bench, server) = bench("streams").await;
    bench.begin(1, "hello");
    for expected in ["你好", ", Anna", "!"] {
        assert_eq!(bench.next().await.news, TurnNews::Delta(expected.into()));
    }
    assert_eq!(bench.answer(1).await, "你好, Anna!");
    assert_eq!(*server.seen.keys.lock().unwrap(), ["Bearer sk-canary"]);
    let messages = server.messages(0);
    assert!(messages[0].starts_with("system: Be kind."), "{messages:?}");
    assert_eq!(messages[1..], ["user: hello"]);
}

#[tokio::test]
async fn a_place_that_cannot_show_growing_text_gets_the_whole_answer_only() {
    let (mut bench, _server) = bench("streams").await;
    let mut quiet = begin(1, 1, "hello");
    quiet.shows.streaming = false;
    bench.ask(AgentAsk::Begin(quiet));
    assert!(matches!(bench.next().await.news, TurnNews::Finished(_)));
}

#[tokio::test]
async fn a_server_that_leaves_out_what_it_can_is_understood() {
    let (mut bench, _server) = bench("bare").await;
    bench.begin(1, "hello");
    assert_eq!(bench.answer(1).await, "hi");
}

#[tokio::test]
async fn the_history_of_the_conversation_goes_along_once() {
    let (mut bench, server) = bench("bare").await;
    bench.begin(1, "one");
    bench.answer(1).await;
    bench.ask(AgentAsk::Context(TurnContext {
        conversation: "c".into(),
        message: begin(9, 1, "by the way").message,
    }));
    bench.ask(AgentAsk::Outcome(TurnOutcome {
        id: 1,
        outcome: Outcome::Expired,
        parts_sent: 0,
        parts: 1,
        code: None,
        detail: String::new(),
    }));
    bench.begin(2, "two");
    bench.answer(2).await;
    bench.ask(AgentAsk::Begin(begin(2, 2, "two")));
    bench.answer(2).await;
    let expected = [
        "user: one",
        "assistant: hi\n(this answer was too late to be delivered)",
        "user: (not to you) by the way",
        "user: two",
    ];
    assert_eq!(server.messages(1)[1..], expected);
    bench.ask(AgentAsk::Reset("c".into()));
    bench.begin(3, "three");
    bench.answer(3).await;
    assert_eq!(server.messages(3)[1..], ["user: three"]);
}

#[tokio::test]
async fn a_cancelled_turn_drops_its_request() {
    let (mut bench, server) = bench("stalls").await;
    bench.begin(1, "hello");
    assert_eq!(bench.next().await.news, TurnNews::Delta("so".into()));
    bench.cancel(1);
    assert_eq!(bench.end(1).await, TurnNews::Cancelled);
    soon(server.seen.dropped.notified()).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let server = Model::new().await;
    let mut bench = Bench::new(agent(&server, "stalls", Duration::from_millis(200)));
    bench.begin(1, "hello");
    assert!(bench.failure(1).await.contains("said nothing"));
    soon(server.seen.dropped.notified()).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_failure_and_not_an_answer() {
    let (mut bench, _server) = bench("breaks").await;
    bench.begin(1, "hello");
    assert!(
        bench
            .failure(1)
            .await
            .contains("broke off after 11 characters")
    );
}

#[tokio::test]
async fn an_empty_answer_is_a_failure() {
    let (mut bench, _server) = bench("empty").await;
    bench.begin(1, "hello");
    assert_eq!(bench.failure(1).await, "the model answered without a word");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let (mut bench, server) = bench("busy").await;
    bench.begin(1, "hello");
    assert_eq!(bench.answer(1).await, "at last");
    assert_eq!(server.seen.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_status_and_without_the_key() {
    for (model, status) in [("locked", "status 401"), ("broken", "status 500")] {
        let (mut bench, _server) = bench(model).await;
        bench.begin(1, "hello");
        let why = bench.failure(1).await;
        assert!(why.contains(status) && !why.contains("canary"), "{why}");
    }
}
