//! Each limit stops a component that passes it, and its name is said; the neighbour in the same host does not notice.

use std::sync::Arc;

use prx_host::actor::Incident;
use prx_host::bindings::v0_1::log::Level;
use prx_host::engine;
use prx_host::guest::Component;
use prx_host::guest::wasm::{LoadError, WasmComponent};
use prx_host::limits::Limits;
use prx_host::runtime::{ChannelHandle, Host};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::broadcast;

use crate::support::{
    KEY, Line, Server, host, hostile, hostile_with_clock, incident_of, soon, start, start_hostile,
};

/// A channel that misbehaves, and one that does not, in one host.
pub(crate) struct Street {
    pub(crate) bad: Line<TcpStream>,
    pub(crate) handle: ChannelHandle,
    incidents: broadcast::Receiver<Arc<Incident>>,
    good: Line<TcpStream>,
    good_handle: ChannelHandle,
    asked: u32,
    pub(crate) server: Server,
    _good_server: Server,
    _host: Host,
    _dir: tempfile::TempDir,
}

impl Street {
    pub(crate) async fn new(how: &str, resources: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let host = host(dir.path());
        let (server, good_server) = (Server::new().await, Server::new().await);
        let good_handle = start(&host, "good", &good_server.url()).await.unwrap();
        let good = good_server.line().await;
        let url = server.url();
        let handle = start_hostile(&host, &url, how, resources).await.unwrap();
        let bad = server.line().await;
        Self {
            bad,
            incidents: handle.incidents(),
            handle,
            good,
            good_handle,
            asked: 0,
            server,
            _good_server: good_server,
            _host: host,
            _dir: dir,
        }
    }

    /// The neighbour answers, has never broken, and has nothing to say.
    pub(crate) async fn neighbour_does_not_notice(&mut self) {
        self.asked += 1;
        let asked = format!("m{}", self.asked);
        assert_eq!(self.good.ask(&asked).await, format!("echo: {asked}"));
        let status = self.good_handle.view().status();
        assert_eq!((status.incidents, status.restarts), (0, 0));
        assert!(status.recent.is_empty(), "{:?}", status.recent);
    }

    /// Lets it misbehave: the answer on its line.
    pub(crate) async fn go(&mut self) -> String {
        self.bad.say("go").await;
        self.neighbour_does_not_notice().await;
        let answer = self.bad.hear().await;
        self.neighbour_does_not_notice().await;
        answer
    }

    /// What the host has noted about it: warnings and errors.
    pub(crate) fn noted(&self) -> Vec<(Level, String)> {
        let recent = self.handle.view().status().recent.into_iter();
        recent.map(|noted| (noted.level, noted.text)).collect()
    }

    pub(crate) fn has_noted(&self, part: &str) {
        let noted = self.noted();
        assert!(
            noted.iter().any(|(_, text)| text.contains(part)),
            "{part}: {noted:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_call_is_an_incident_with_the_limits_name() {
    for (how, resources, name) in [
        (
            "loop",
            "",
            "deadline: the call used more than 100 ms of CPU time",
        ),
        ("hog", "", "out of memory"),
        (
            "flood",
            "",
            "bad output: 5000 effects in one call, 4096 are allowed",
        ),
        ("big", "", "bytes in one call, 8388608 are allowed"),
        (
            "timers",
            "max_effects = 20",
            "bad output: 51 effects in one call, 20 are allowed",
        ),
        ("trap-2", "", "trap: thread"),
    ] {
        let mut street = Street::new(how, resources).await;
        let answer = street.go().await;
        assert!(
            answer.starts_with("skipped socket-text: "),
            "{how}: {answer}"
        );
        assert!(answer.contains(name), "{how}: {answer}");
        let incident = incident_of(&soon(street.incidents.recv()).await.unwrap());
        assert!(incident.contains(name), "{how}: {incident}");
        // And it goes on, as far as it does nothing of that kind again.
        assert!(street.bad.ask("well?").await.starts_with("heard"), "{how}");
        street.neighbour_does_not_notice().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_too_large_is_named_and_the_state_is_rebuilt_without_it() {
    let mut street = Street::new("checkpoint", "max_checkpoint_mb = 2").await;
    for n in 1..=2 {
        assert_eq!(street.bad.ask("x").await, format!("heard {n}"));
        let incident = incident_of(&soon(street.incidents.recv()).await.unwrap());
        assert!(
            incident.starts_with("checkpoint Rebuilt bad output"),
            "{incident}"
        );
        assert!(incident.ends_with("2097152 are allowed"), "{incident}");
        street.neighbour_does_not_notice().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_start_is_said_to_whoever_starts_it() {
    let dir = tempfile::tempdir().unwrap();
    let host = host(dir.path());
    let (server, good_server) = (Server::new().await, Server::new().await);
    let _good = start(&host, "good", &good_server.url()).await.unwrap();
    let mut good = good_server.line().await;
    for (how, resources, name) in [
        ("start", "", "told to trap in start"),
        (
            "slow",
            "max_start_ms = 50",
            "deadline: the call used more than 50 ms of CPU time",
        ),
    ] {
        let url = server.url();
        let said = match start_hostile(&host, &url, how, resources).await {
            Ok(_) => panic!("{how} {resources} was started"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(name), "{how} {resources}: {said}");
        assert_eq!(good.ask("still there?").await, "echo: still there?");
    }
}

#[test]
fn tables_and_instances_are_bounded_by_name() {
    let engine = engine::new(None).unwrap();
    for (limits, name) in [
        (
            Limits {
                table_elements: 5,
                ..Limits::STANDARD
            },
            "exceeds table limits",
        ),
        (
            Limits {
                instances: 1,
                ..Limits::STANDARD
            },
            "instance count too high",
        ),
        (
            Limits {
                memory_bytes: 1 << 16,
                ..Limits::STANDARD
            },
            "memory",
        ),
    ] {
        let component = WasmComponent::load(&engine, &hostile(""), limits).unwrap();
        let fault = component.describe().unwrap_err().to_string();
        assert!(fault.contains(name), "{name}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_without_a_right_are_refused_one_by_one() {
    let mut street = Street::new("cheat", "").await;
    let answer = street.go().await;
    let refusals: Vec<&str> = answer.lines().collect();
    assert_eq!(refusals.len(), 7, "{answer}");
    for (refusal, part) in refusals.iter().zip([
        "evil.example.org:443 is in no [[egress]] group",
        "allowed.example.org.evil.example:443 is in no",
        "user name or password",
        "169.254.169.254:443 is in no",
        "only encrypted connections",
        "allowed.example.org:8443 is in no",
        "only encrypted connections",
    ]) {
        // A file has no host at all.
        assert!(
            refusal.contains(part) || refusal.contains("not a valid URL"),
            "{part}: {refusal}"
        );
    }
    street.has_noted("refused: evil.example.org:443");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_nowhere_but_where_it_is_bound() {
    let mut street = Street::new("thief", "").await;
    let answer = street.go().await;
    assert_eq!(answer.lines().count(), 5, "{answer}");
    assert!(!answer.contains(KEY), "{answer}");
    street.has_noted("refused: files.example.org:443 is in no [[egress]] group");
    street.has_noted("the header \"cookie\" belongs to the host");
    street.has_noted("a secret cannot be put into a blob");
    street.has_noted("the secret other may not stand in the header x-key");
    let noted = format!("{:?}", street.noted());
    assert!(!noted.contains(KEY), "{noted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_those_of_a_minute_are_refused_by_name() {
    let resources = "max_requests_per_minute = 5";
    let mut street = Street::new("often", resources).await;
    street.bad.say("go").await;
    // Five arrive, and are sent away; nobody else comes.
    for _ in 0..5 {
        drop(street.server.tcp().await);
    }
    street.neighbour_does_not_notice().await;
    let answer = street.bad.hear().await;
    let refused = |line: &&str| {
        line.contains("more than 5 requests within a minute")
            && line.contains("[resources] max_requests_per_minute")
    };
    assert_eq!(answer.lines().filter(refused).count(), 45, "{answer}");
    assert_eq!(street.handle.view().status().counted.requests, 5);
    street.has_noted("max_requests_per_minute");
    street.neighbour_does_not_notice().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn things_at_once_are_bounded() {
    let mut street = Street::new("requests", "max_requests = 3").await;
    street.bad.say("go").await;
    for _ in 0..3 {
        drop(street.server.tcp().await);
    }
    let answer = street.bad.hear().await;
    let refused = answer
        .lines()
        .filter(|line| line.contains("more than 3 at once"));
    assert_eq!(refused.count(), 47, "{answer}");

    let mut street = Street::new("sockets", "max_sockets = 4").await;
    street.bad.say("go").await;
    for _ in 0..3 {
        drop(street.server.tcp().await);
    }
    let answer = street.bad.hear().await;
    let refused = answer
        .lines()
        .filter(|line| line.contains("more than 4 at once"));
    assert_eq!(refused.count(), 47, "{answer}");
    street.neighbour_does_not_notice().await;

    let mut street = Street::new("timers", "max_timers = 10").await;
    assert_eq!(street.go().await, "ok");
    assert_eq!(street.handle.view().status().now.timers, 10);
    street.has_noted("a timer beyond the number that may be set");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_bounded_and_what_was_stored_stays() {
    let mut street = Street::new("store", "max_store_mb = 1").await;
    assert_eq!(street.go().await, "ok");
    // An answer leaves before the word on what was not stored with it; the next answer leaves after.
    assert_eq!(street.go().await, "ok");
    street.has_noted("nothing more is stored: the entries would pass 1048576 bytes");
    let status = street.handle.view().status();
    assert!(status.store.bytes <= 1 << 20, "{:?}", status.store);
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_bounded_by_name() {
    let mut street = Street::new("blob", "max_blob_mb = 1").await;
    let answer = street.go().await;
    assert!(answer.contains("1048576"), "{answer}");
    let mut street = Street::new("blob", "max_blob_mb = 8\nmax_blobs_mb = 3").await;
    assert_eq!(street.go().await, "made");
    let answer = street.go().await;
    assert!(answer.contains("bytes"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_log_lines_is_cut_with_a_word() {
    let mut street = Street::new("chatter", "max_log_lines = 10").await;
    assert_eq!(street.go().await, "ok");
    street.has_noted("more than 10 lines in one call; the rest is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_breaks_it_each_time_costs_that_event_only() {
    // The second event is the first text; settled unread, it does not come again.
    let mut street = Street::new("trap-3", "").await;
    assert_eq!(street.bad.ask("one").await, "heard 1");
    let answer = street.bad.ask("two").await;
    assert!(answer.contains("told to trap at event 3"), "{answer}");
    assert_eq!(street.bad.ask("three").await, "heard 2");
    let incident = incident_of(&soon(street.incidents.recv()).await.unwrap());
    assert!(incident.starts_with("socket-text Skipped"), "{incident}");
    street.neighbour_does_not_notice().await;
}

#[test]
fn a_component_that_reads_a_clock_is_refused_by_the_imports_name() {
    let engine = engine::new(None).unwrap();
    let loaded = WasmComponent::load(&engine, &hostile_with_clock(), Limits::STANDARD);
    let error = loaded.unwrap_err();
    assert!(matches!(error, LoadError::Import(_)), "{error}");
    assert!(
        error.to_string().contains("wasi:clocks/wall-clock"),
        "{error}"
    );
}

#[test]
fn a_component_that_breaks_while_it_is_described_says_so() {
    let engine = engine::new(None).unwrap();
    let component = WasmComponent::load(&engine, &hostile("describe"), Limits::STANDARD).unwrap();
    let fault = component.describe().unwrap_err().to_string();
    assert!(fault.contains("told to trap in describe"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_and_a_message_are_bounded_whatever_the_component_would_take() {
    let mut street = Street::new("bigsink", "max_answer_kb = 100").await;
    street.bad.say("go").await;
    let mut stream = street.server.tcp().await;
    // An answer before the request would be none.
    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
    // As much as it takes: no more than the bound and a little.
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
    let answer = street.bad.hear().await;
    assert_eq!(answer, "102400 bytes, cut: true");
    street.neighbour_does_not_notice().await;

    let mut street = Street::new("bigframe", "max_message_kb = 100").await;
    street.bad.say("go").await;
    let mut second = Line::accept(street.server.tcp().await).await;
    second.say(&"x".repeat(100 << 10)).await;
    assert_eq!(street.bad.hear().await, "heard 2");
    second.say(&"x".repeat((100 << 10) + 1)).await;
    let answer = street.bad.hear().await;
    assert!(answer.contains("102401"), "{answer}");
    street.neighbour_does_not_notice().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_at_once_are_bounded_in_bytes() {
    let resources = "max_answer_kb = 1024\nmax_answers_mb = 1";
    let mut street = Street::new("requests", resources).await;
    street.bad.say("go").await;
    // Each may take 64 KiB, so sixteen leave.
    for _ in 0..16 {
        drop(street.server.tcp().await);
    }
    let answer = street.bad.hear().await;
    let refused = answer
        .lines()
        .filter(|line| line.contains("max_answers_mb"));
    assert_eq!(refused.count(), 34, "{answer}");
    street.neighbour_does_not_notice().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_of_a_message_count_before_they_are_joined() {
    let mut street = Street::new("pieces", "max_unsent_mb = 4").await;
    street.bad.say("go").await;
    assert_eq!(street.bad.hear().await, "<closed>");
    street.bad = street.server.line().await;
    street.has_noted("[resources] max_unsent_mb");
    street.neighbour_does_not_notice().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_random_numbers_and_turns_are_bounded_by_name() {
    let mut street = Street::new("digests", "max_work = 10\nmax_call_ms = 2000").await;
    assert_eq!(street.go().await, "3990 refused");
    street.has_noted("more than 10 at once, which is [resources] max_work");

    let mut street = Street::new("entropy", "max_call_ms = 2000").await;
    assert_eq!(street.go().await, "0 refused");
    let answer = street.go().await;
    assert!(
        answer.contains("[resources] max_asks_per_minute"),
        "{answer}"
    );

    let mut street = Street::new("turns", "max_turns = 30\nmax_call_ms = 2000").await;
    assert_eq!(street.go().await, "370 refused");
    street.has_noted("more than 30 at once, which is [resources] max_turns");

    let resources = "max_turns = 400\nmax_turns_per_minute = 50\nmax_call_ms = 2000";
    let mut street = Street::new("turns", resources).await;
    assert_eq!(street.go().await, "350 refused");
    street.has_noted("more than 50 turns within a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_of_many_calls_are_bounded_together() {
    let mut street = Street::new("chatter", "max_log_lines_per_minute = 600").await;
    for _ in 0..5 {
        assert_eq!(street.go().await, "ok");
    }
    street.has_noted("[resources] max_log_lines_per_minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_entry_counts_what_it_costs() {
    let mut street = Street::new("small", "max_store_mb = 1\nmax_call_ms = 2000").await;
    for _ in 0..3 {
        assert_eq!(street.go().await, "ok");
    }
    street.has_noted("[resources] max_store_mb");
    let status = street.handle.view().status();
    assert!(
        status.store.bytes > 4000 * 128 && status.store.bytes <= 1 << 20,
        "{:?}",
        status.store
    );
}
