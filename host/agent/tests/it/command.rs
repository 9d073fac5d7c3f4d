//! Programs that answer, stall, fail and talk too much.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use prx_agent::{Agent, AgentConfig, CommandConfig, Mind};
use prx_host::bindings::v0_1::{AnswerPart, TurnNews};
use prx_host::drivers::network::{Network, NetworkOptions, ProxyChoice};
use prx_host::egress::address::AddressPolicy;
use serde_json::Value;

use crate::support::Bench;

fn config(script: &str, media: &Path) -> AgentConfig {
    AgentConfig {
        mind: Mind::Command(CommandConfig {
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: vec!["CARGO_MANIFEST_DIR".into()],
            system_prompt: "Be kind.".into(),
        }),
        media_dir: Some(media.to_owned()),
        ..AgentConfig::default()
    }
}

fn start(config: &AgentConfig) -> Agent {
    let network = Network::new(&NetworkOptions {
        proxy: ProxyChoice::Direct,
        extra_ca: None,
        addresses: AddressPolicy::default(),
    });
    Agent::new(config, &network.unwrap()).unwrap()
}

/// A bench whose agent is a shell script; it runs in the bench's folder.
fn bench(script: &str) -> Bench {
    Bench::with_media(|media| start(&config(script, media)))
}

/// A script that stays, and a pipe in the bench's folder that it and what it starts hold open.
const STAYS: &str =
    "mkfifo alive; (exec 3>alive; echo '{\"delta\":\"so\"}'; sleep 1000 & sleep 1000)";

/// Ends when nobody holds the pipe any more: when all of them are dead.
fn watch(bench: &Bench) -> std::thread::JoinHandle<std::io::Result<usize>> {
    let pipe = bench.dir().join("alive");
    std::thread::spawn(move || {
        // The script makes it, in its own time, and goes on once it is opened here.
        while !pipe.exists() {
            std::thread::yield_now();
        }
        std::fs::File::open(pipe)?.read_to_end(&mut Vec::new())
    })
}

#[tokio::test]
async fn a_program_is_told_of_the_turn_and_what_was_said_before() {
    let mut bench = bench("cat > turn.json; echo '{\"finished\":\"hi\"}'");
    bench.begin(1, "one");
    assert_eq!(bench.answer(1).await, "hi");
    bench.begin(2, "two");
    assert_eq!(bench.answer(2).await, "hi");
    let turn = std::fs::read_to_string(bench.dir().join("turn.json")).unwrap();
    assert_eq!(turn.lines().count(), 1);
    let turn: Value = serde_json::from_str(&turn).unwrap();
    let expected = serde_json::json!([
        {"role": "user", "text": "one"},
        {"role": "assistant", "text": "hi"},
    ]);
    assert_eq!(turn["history"], expected);
    assert_eq!(turn["prompt"], "two");
    assert_eq!(turn["turn"], 2);
    assert_eq!(turn["conversation"], "c");
    assert_eq!(turn["message"]["sender"]["name"], "Anna");
    assert_eq!(turn["shows"]["max_chars"], 2000);
    assert!(turn["system"].as_str().unwrap().starts_with("Be kind."));
}

#[tokio::test]
async fn words_notes_and_messages_come_before_the_answer() {
    let script = r#"
        echo '{"note":"looking it up"}'
        echo '{"delta":"it "}'
        echo '{"message":"a moment"}'
        echo '{"finished":"it is so"}'
        sleep 1000"#;
    let mut bench = bench(script);
    bench.begin(1, "x");
    let text = |text: &str| vec![AnswerPart::Text(text.into())];
    for expected in [
        TurnNews::ToolNote("looking it up".into()),
        TurnNews::Delta("it".into()),
        TurnNews::Message(text("a moment")),
        TurnNews::Finished(text("it is so")),
    ] {
        assert_eq!(bench.next().await.news, expected);
    }
}

#[tokio::test]
async fn what_is_not_an_event_is_the_answer() {
    for (script, answer) in [
        ("echo one; echo '{\"two\": 2}'", "one\n{\"two\": 2}"),
        ("printf 'no newline'", "no newline"),
        ("echo '{\"delta\":\"a\"}'; echo '{\"delta\":\"b\"}'", "ab"),
    ] {
        let mut bench = bench(script);
        bench.begin(1, "x");
        assert_eq!(bench.answer(1).await, answer);
    }
}

#[tokio::test]
async fn a_failure_is_told_in_a_sentence() {
    for (script, sentence) in [
        ("echo '{\"failed\":\"no credit\"}'", "no credit"),
        (
            "echo half; echo 'no disk' >&2; exit 3",
            "exit status: 3 and said: no disk",
        ),
        ("true", "without a word"),
        ("yes", "more than 1048576 bytes"),
        ("yes | tr -d '\\n'", "more than 1048576 bytes"),
    ] {
        let mut bench = bench(script);
        bench.begin(1, "x");
        let why = bench.failure(1).await;
        assert!(why.contains(sentence), "{why}");
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let mut bench = Bench::with_media(|media| {
        let mut config = config("", media);
        if let Mind::Command(command) = &mut config.mind {
            command.command = vec!["no-such-program".into()];
        }
        start(&config)
    });
    bench.begin(1, "x");
    let why = bench.failure(1).await;
    assert!(why.contains("no-such-program does not start"), "{why}");
}

#[tokio::test]
async fn a_program_sees_only_the_variables_that_it_is_given() {
    let mut bench = bench("env");
    bench.begin(1, "x");
    let answer = bench.answer(1).await;
    let names = answer.lines().filter_map(|line| line.split_once('='));
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    // The shell sets the second line itself.
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let given = ["PATH", "HOME", "LANG", "CARGO_MANIFEST_DIR"];
    for name in &names {
        assert!(own.contains(name) || given.contains(name), "{name}");
    }
    assert!(names.contains(&"CARGO_MANIFEST_DIR"));
}

#[tokio::test]
async fn a_cancelled_turn_kills_the_program_and_what_it_started() {
    let mut bench = bench(STAYS);
    let gone = watch(&bench);
    bench.begin(1, "x");
    assert_eq!(bench.next().await.news, TurnNews::Delta("so".into()));
    bench.cancel(1);
    assert_eq!(bench.end(1).await, TurnNews::Cancelled);
    gone.join().unwrap().unwrap();
}

#[tokio::test]
async fn the_time_limit_kills_the_program_and_what_it_started() {
    let mut bench = Bench::with_media(|media| {
        let mut config = config(STAYS, media);
        config.time_limit = Duration::from_secs(1);
        start(&config)
    });
    let gone = watch(&bench);
    bench.begin(1, "x");
    assert_eq!(bench.failure(1).await, "no answer within 1 s");
    gone.join().unwrap().unwrap();
}

#[test]
fn the_end_of_the_host_kills_the_program_and_what_it_started() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (bench, gone) = runtime.block_on(async {
        let mut bench = bench(STAYS);
        let gone = watch(&bench);
        bench.begin(1, "x");
        assert_eq!(bench.next().await.news, TurnNews::Delta("so".into()));
        (bench, gone)
    });
    drop(runtime);
    gone.join().unwrap().unwrap();
    drop(bench);
}
