//! A model's server that streams, stalls, breaks off and refuses.

use std::path::Path;
use std::time::Duration;

use prx_agent::{Agent, AgentConfig, Bounds, Mind, OpenAiConfig};
use prx_host::agent::{AgentAsk, AgentPort};
use prx_host::bindings::v0_1::{
    AnswerPart, Attachment, MediaKind, MediaPart, MediaSource, Outcome, TurnContext, TurnNews,
    TurnOutcome,
};
use prx_host::drivers::network::{Network, NetworkOptions, ProxyChoice};
use prx_host::egress::address::AddressPolicy;
use prx_host::vault::Hidden;

use crate::model::Model;
use crate::support::{Bench, CHANNEL, begin, soon};

fn agent(server: &Model, model: &str, silence: Duration) -> Agent {
    Agent::new(&config(server, model, silence), &network()).unwrap()
}

/// One that sees, and has a media folder.
fn seeing(server: &Model, media: &Path) -> Agent {
    let mut config = config(server, "bare", Duration::from_secs(30));
    config.media_dir = Some(media.to_owned());
    if let Mind::OpenAi(openai) = &mut config.mind {
        openai.images = true;
    }
    Agent::new(&config, &network()).unwrap()
}

fn network() -> Network {
    let network = Network::new(&NetworkOptions {
        proxy: ProxyChoice::Direct,
        extra_ca: None,
        addresses: AddressPolicy::default(),
    });
    network.unwrap()
}

fn config(server: &Model, model: &str, silence: Duration) -> AgentConfig {
    AgentConfig {
        mind: Mind::OpenAi(OpenAiConfig {
            base_url: server.url.clone(),
            model: model.into(),
            api_key: Some(Hidden::new("sk-canary")),
            system_prompt: "Be kind.".into(),
            silence_limit: silence,
            images: false,
        }),
        time_limit: Duration::from_secs(60),
        at_once: 8,
        history: Bounds::default(),
        media_dir: None,
        tools: vec![],
        exposed: vec![],
        state_dir: None,
    }
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
async fn a_conversation_goes_on_after_a_restart_and_without_whom_it_was_asked_to_forget() {
    let server = Model::new().await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&server, "bare", Duration::from_secs(30));
    config.state_dir = Some(dir.path().to_owned());
    let start = || Bench::new(Agent::new(&config, &network()).unwrap());
    let mut bench = start();
    bench.begin(1, "one");
    bench.answer(1).await;
    drop(bench);
    let mut bench = start();
    bench.begin(2, "two");
    bench.answer(2).await;
    let expected = ["user: one", "assistant: hi", "user: two"];
    assert_eq!(server.messages(1)[1..], expected);
    assert_eq!(bench.agent.forget(CHANNEL, "u1"), 2);
    drop(bench);
    let mut bench = start();
    bench.begin(3, "three");
    bench.answer(3).await;
    assert_eq!(server.messages(2)[1..], ["user: three"]);
}

#[tokio::test]
async fn the_model_knows_why_an_answer_was_refused_until_it_is_delivered_after_all() {
    let (mut bench, server) = bench("bare").await;
    bench.begin(1, "one");
    bench.answer(1).await;
    let became = |outcome, detail: &str| {
        AgentAsk::Outcome(TurnOutcome {
            id: 1,
            outcome,
            parts_sent: 0,
            parts: 1,
            code: Some(7),
            detail: detail.into(),
        })
    };
    bench.ask(became(Outcome::Held, "the platform reviews it"));
    bench.ask(became(Outcome::Refused, "it has a link."));
    bench.begin(2, "two");
    bench.answer(2).await;
    let refused = "assistant: hi\n(this answer was refused by the platform: it has a link)";
    assert_eq!(server.messages(1)[2], refused);
    bench.ask(became(Outcome::Sent, "released"));
    bench.begin(3, "three");
    bench.answer(3).await;
    assert_eq!(server.messages(2)[2], "assistant: hi");
}

#[tokio::test]
async fn markers_and_cards_are_parts_of_the_answer_and_never_words() {
    let (mut bench, server) = bench("draws").await;
    bench.begin(1, "draw");
    assert_eq!(bench.next().await.news, TurnNews::Delta("Look:".into()));
    let TurnNews::Finished(parts) = bench.next().await.news else {
        panic!()
    };
    let picture = AnswerPart::Media(MediaPart {
        kind: MediaKind::Image,
        source: MediaSource::Url("https://example.com/x.png".into()),
        caption: None,
    });
    let expected = [
        AnswerPart::Text("Look:".into()),
        picture,
        AnswerPart::Text("Nice?".into()),
        AnswerPart::Card(r#"{"type":"recall"}"#.into()),
    ];
    assert_eq!(parts, expected);
    // The model sees what it wrote.
    bench.begin(2, "again");
    bench.parts(2).await;
    let wrote = "assistant: Look: [IMAGE:https://example.com/x.png]\nNice?\n```card\n{\"type\":\"recall\"}\n```";
    assert_eq!(server.messages(1)[2], wrote);
}

#[tokio::test]
async fn a_model_that_sees_is_shown_the_pictures_of_this_turn_and_told_of_earlier_ones() {
    let server = Model::new().await;
    let mut bench = Bench::with_media(|media| seeing(&server, media));
    bench
        .blobs
        .put(1, None, b"\x89PNG\r\n\x1a\n")
        .await
        .unwrap();
    let mut turn = begin(1, 1, "what is this?");
    turn.message.attachments.push(Attachment {
        kind: MediaKind::Image,
        name: Some("cat.png".into()),
        blob: Some(1),
        transcript: None,
        missing: None,
    });
    bench.ask(AgentAsk::Begin(turn));
    bench.answer(1).await;
    bench.begin(2, "and now?");
    bench.answer(2).await;
    let file = std::fs::read_dir(bench.media()).unwrap().next().unwrap();
    let file = file.unwrap().file_name().into_string().unwrap();
    let asked = format!("what is this?\n[IMAGE:{file}]");
    let content = server.seen.requests.lock().unwrap()[0]["messages"][1]["content"].clone();
    let expected = serde_json::json!([
        {"type": "text", "text": asked},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]);
    assert_eq!(content, expected);
    assert_eq!(server.messages(1)[1], format!("user: {asked}"));
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

#[tokio::test]
async fn a_server_that_fails_for_a_moment_is_asked_again_and_not_forever() {
    let (mut bench, server) = bench("hiccups").await;
    bench.begin(1, "hello");
    assert_eq!(bench.answer(1).await, "well again");
    assert_eq!(server.seen.requests.lock().unwrap().len(), 3);
    let (mut bench, server) = self::bench("broken").await;
    bench.begin(1, "hello");
    bench.failure(1).await;
    assert_eq!(server.seen.requests.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_asks_for_more_time_than_there_is() {
    let (mut bench, server) = bench("booked").await;
    bench.begin(1, "hello");
    let why = bench.failure(1).await;
    assert!(why.contains("asks to wait 3600 s, longer than"), "{why}");
    assert_eq!(server.seen.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_is_a_failure() {
    let (mut bench, _server) = bench("cut").await;
    bench.begin(1, "hello");
    let why = bench.failure(1).await;
    assert!(why.contains("broke off after 4 characters"), "{why}");
}

#[tokio::test]
async fn a_cancelled_turn_closes_a_connection_that_has_brought_nothing_yet() {
    let (mut bench, server) = bench("deaf").await;
    bench.begin(1, "hello");
    soon(server.seen.asked.notified()).await;
    bench.cancel(1);
    assert_eq!(bench.end(1).await, TurnNews::Cancelled);
    soon(server.seen.dropped.notified()).await;
}

#[tokio::test]
async fn the_time_limit_ends_in_one_sentence_and_closes_the_connection() {
    for model in ["deaf", "stalls"] {
        let server = Model::new().await;
        let mut config = config(&server, model, Duration::from_secs(30));
        config.time_limit = Duration::from_secs(1);
        let mut bench = Bench::new(Agent::new(&config, &network()).unwrap());
        bench.begin(1, "hello");
        assert_eq!(bench.failure(1).await, "no answer within 1 s");
        soon(server.seen.dropped.notified()).await;
    }
}

#[tokio::test]
async fn a_server_that_never_begins_to_answer_is_given_up() {
    let server = Model::new().await;
    let mut bench = Bench::new(agent(&server, "deaf", Duration::from_millis(200)));
    bench.begin(1, "hello");
    assert!(bench.failure(1).await.contains("said nothing"));
    soon(server.seen.dropped.notified()).await;
}
