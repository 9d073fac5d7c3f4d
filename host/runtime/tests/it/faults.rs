//! A component that misbehaves is stopped, named, and carries on; its neighbour does not notice.

use crate::support::{Bench, KEY, Server, host, incident_of, soon, start};

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_break_costs_one_event_and_keeps_the_connection() {
    let mut bench = Bench::new().await;
    let mut incidents = bench.handle.incidents();
    for (order, cause) in [
        ("!trap boom", "trap: thread"),
        (
            "!loop",
            "deadline: the call used more than 100 ms of CPU time",
        ),
        ("!hog", "out of memory"),
        (
            "!flood",
            "bad output: 5000 effects in one call, 4096 are allowed",
        ),
        ("!big", "bad output"),
        ("!bigentry", "bad output: an entry"),
    ] {
        let answer = bench.line.ask(order).await;
        assert!(
            answer.starts_with("skipped socket-text: "),
            "{order}: {answer}"
        );
        assert!(answer.contains(cause), "{order}: {answer}");
        let incident = incident_of(&soon(incidents.recv()).await.unwrap());
        assert!(
            incident.starts_with("socket-text Skipped"),
            "{order}: {incident}"
        );
        assert_eq!(
            bench.line.ask("well?").await,
            "echo: well?",
            "after {order}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_reported_with_its_text_place_and_backtrace() {
    let mut bench = Bench::new().await;
    let mut incidents = bench.handle.incidents();
    bench.line.ask("!trap on purpose").await;
    let incident = soon(incidents.recv()).await.unwrap();
    assert!(
        incident.fault.message.contains("told to trap: on purpose"),
        "{:?}",
        incident.fault
    );
    assert!(
        incident.fault.message.contains("src/lib.rs"),
        "{:?}",
        incident.fault
    );
    assert!(
        incident.fault.detail.contains("wasm backtrace"),
        "{:?}",
        incident.fault
    );
    let reports = bench.dir.path().join("incidents/bot");
    let report = std::fs::read_dir(reports).unwrap().next().unwrap().unwrap();
    let report = std::fs::read_to_string(report.path()).unwrap();
    assert!(
        report.contains("on purpose") && !report.contains(KEY),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_state_is_rebuilt_from_checkpoint_and_journal() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.line.ask("!ballast 100000").await, "ok");
    for n in 0..40 {
        assert_eq!(bench.line.ask(format!("m{n}")).await, format!("echo: m{n}"));
    }
    assert!(bench.line.ask("!trap x").await.starts_with("skipped"));
    assert_eq!(bench.line.ask("!state").await, "heard 42 stored {}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_log_lines_are_cut_and_harm_nobody() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.line.ask("!chatter").await, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_does_not_notice_a_loop() {
    let dir = tempfile::tempdir().unwrap();
    let host = host(dir.path());
    let (bad_server, good_server) = (Server::new().await, Server::new().await);
    let _bad = start(&host, "bad", &bad_server.url()).await.unwrap();
    let mut bad = bad_server.line().await;
    let _good = start(&host, "good", &good_server.url()).await.unwrap();
    let mut good = good_server.line().await;
    for _ in 0..3 {
        bad.say("!loop").await;
    }
    for n in 0..50 {
        assert_eq!(good.ask(format!("m{n}")).await, format!("echo: m{n}"));
    }
    for _ in 0..3 {
        assert!(bad.hear().await.contains("deadline"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_breaks_at_everything_is_taken_down_and_comes_back() {
    let mut bench = Bench::new().await;
    let mut health = bench.handle.health();
    for _ in 0..25 {
        bench.line.say("!trap again").await;
    }
    let down = soon(health.wait_for(|h| h.code == "component-crashing")).await;
    assert!(down.unwrap().summary.contains("keeps breaking"));
    while bench.line.hear().await != "<closed>" {}
    bench.line = bench.server.line().await;
    assert_eq!(bench.line.ask("better?").await, "echo: better?");
}
