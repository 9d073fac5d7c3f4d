//! A channel's ordinary life: messages, reconnects, restarts, commands.

use std::collections::BTreeSet;

use prx_host::bindings::v0_1::{HealthLevel, OperatorCommand};
use prx_host::runtime::StartError;

use crate::support::{Bench, Server, host, soon, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_through_component_and_agent_and_back() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.line.ask("good morning").await, "echo: good morning");
    assert_eq!(bench.handle.health().borrow().level, HealthLevel::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_are_each_answered_once() {
    let mut bench = Bench::new().await;
    for n in 0..500 {
        bench.line.say(&format!("!put k{n} v")).await;
        bench.line.say(&format!("m{n}")).await;
    }
    let mut heard = BTreeSet::new();
    for _ in 0..500 {
        assert!(heard.insert(bench.line.hear().await));
    }
    assert!((0..500).all(|n| heard.contains(&format!("echo: m{n}"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_opened_again_by_the_component() {
    let mut bench = Bench::new().await;
    bench.line.close().await;
    bench.line = bench.server.line().await;
    assert_eq!(bench.line.ask("still there?").await, "echo: still there?");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_after_a_restart() {
    let mut bench = Bench::new().await;
    bench.line.say("!put color blue").await;
    assert_eq!(bench.line.ask("x").await, "echo: x");
    bench.handle.stop().await;
    drop(bench.host);
    let host = host(bench.dir.path());
    let _handle = start(&host, "bot", &bench.server.url()).await.unwrap();
    let mut line = bench.server.line().await;
    assert_eq!(
        line.ask("!state").await,
        "heard 1 stored {\"color\": \"blue\"}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.line.ask("!timer 5").await, "timer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_gets_a_reply() {
    let mut bench = Bench::new().await;
    bench.line.ask("one").await;
    let mut replies = bench.handle.command(OperatorCommand::Status);
    let reply = soon(replies.recv()).await.unwrap();
    assert_eq!(reply.summary.as_deref(), Some("heard 1"));
    assert!(soon(replies.recv()).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_of_the_component_is_told_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let host = host(dir.path());
    let server = Server::new().await;
    let url = format!("{}refuse", server.url());
    let error = start(&host, "bot", &url).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.toml:2: [channels_config.bot] url: this url is not to be used; write another"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_not_started_beside_itself() {
    let bench = Bench::new().await;
    let again = start(&bench.host, "bot", &bench.server.url()).await;
    assert!(matches!(again, Err(StartError::RunsAlready { .. })));
    bench.handle.stop().await;
    assert!(start(&bench.host, "bot", &bench.server.url()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_address_of_another_machine_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let host = host(dir.path());
    let error = start(&host, "bot", "ws://192.0.2.1/").await.unwrap_err();
    assert!(error.to_string().contains("not encrypted"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_kept_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mut bench = Bench::new().await;
    bench.line.ask("!trap now").await;
    let mut folders = vec![bench.dir.path().to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = std::fs::symlink_metadata(&path)
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o77, 0, "{}", path.display());
            seen += 1;
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(seen > 5, "{seen}");
}
