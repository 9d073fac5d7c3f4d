//! The operator's socket: what is asked is answered, and by nobody else's process.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use prx_host::bindings::v0_1::{
    AnswerPart, HealthLevel, Mark, MediaKind, MediaPart, MediaSource, OperatorCommand,
    OperatorSend, Reply, log::Level,
};
use prx_host::config::Layers;
use prx_host::control::{
    Ask, Code, ControlError, ControlServer, MAX_LINE_BYTES, Owner, Renewal, Request, Said, Say,
    socket_path,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Notify;

use crate::support::{Bench, KEY, PATIENCE, soon, tiny};

/// Reads the channel's table from a file that a test writes.
#[derive(Debug)]
struct Desk {
    file: std::path::PathBuf,
    ended: Notify,
}

impl Owner for Desk {
    fn renewal(&self, channel: &str, _: &str, _: bool) -> Result<Renewal, Vec<String>> {
        let said = |error: &dyn ToString| vec![error.to_string()];
        let text = std::fs::read_to_string(&self.file).map_err(|e| said(&e))?;
        let layers = Layers::from_text("test.toml", &text).map_err(|e| said(&e))?;
        let engine = prx_host::engine::new(None).unwrap();
        let limits = prx_host::limits::Limits::STANDARD;
        let tiny = prx_host::guest::wasm::WasmComponent::load(&engine, tiny(), limits).unwrap();
        let keys = prx_host::guest::Component::describe(&tiny).unwrap().keys;
        let checked = layers.channel(channel, &keys, &|_| None);
        let config =
            checked.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        // The table alone is what these tests change.
        let plugin = None;
        Ok(Renewal { plugin, config })
    }

    fn shut_down(&self) {
        self.ended.notify_one();
    }
}

struct Office {
    bench: Bench,
    desk: Arc<Desk>,
    _server: ControlServer,
}

impl Office {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let desk = Arc::new(Desk {
            file: bench.dir.path().join("test.toml"),
            ended: Notify::new(),
        });
        let owner: Arc<dyn Owner> = desk.clone();
        let server = ControlServer::start(&bench.host, owner).unwrap();
        Self {
            bench,
            desk,
            _server: server,
        }
    }

    async fn client(&self) -> Client {
        Client::new(self.bench.dir.path()).await
    }

    async fn ask(&self, ask: Ask) -> Vec<Say> {
        self.client().await.ask(ask).await
    }

    async fn command(&self, command: OperatorCommand) -> Vec<Reply> {
        let name = "bot".into();
        replies(self.ask(Ask::Command { name, command }).await)
    }

    fn write(&self, url: &str, key: &str) {
        let text = format!("[channels_config.bot]\nurl = \"{url}\"\n{key} = \"{KEY}2\"\n");
        std::fs::write(&self.desk.file, text).unwrap();
    }

    async fn reload(&self) -> Vec<Say> {
        self.ask(Ask::Reload {
            name: "bot".into(),
            allow_downgrade: false,
        })
        .await
    }
}

struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    async fn new(dir: &Path) -> Self {
        let stream = UnixStream::connect(socket_path(dir)).await.unwrap();
        let stream = BufReader::new(stream);
        Self { stream }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn ask(&mut self, ask: Ask) -> Vec<Say> {
        let mut line = serde_json::to_vec(&Request::new(ask)).unwrap();
        line.push(b'\n');
        self.write(&line).await;
        self.answer().await
    }

    /// Everything up to the end of the answer.
    async fn answer(&mut self) -> Vec<Say> {
        let mut said = Vec::new();
        loop {
            let mut line = String::new();
            soon(self.stream.read_line(&mut line)).await.unwrap();
            let one: Said = serde_json::from_str(&line).unwrap();
            said.push(one.say);
            if let Some(Say::Done | Say::Error { .. }) = said.last() {
                return said;
            }
        }
    }
}

fn replies(said: Vec<Say>) -> Vec<Reply> {
    let reply = |say| match say {
        Say::Reply { reply } => Some(reply),
        _ => None,
    };
    said.into_iter().filter_map(reply).collect()
}

fn error(said: &[Say]) -> (Code, String) {
    match said.last().unwrap() {
        Say::Error { code, sentences } => (*code, sentences.join("\n")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_the_hosts_view_and_then_the_channels_own() {
    let mut office = Office::new().await;
    office.bench.line.ask("one").await;
    let mut incidents = office.bench.handle.incidents();
    office.bench.line.ask("!trap now").await;
    soon(incidents.recv()).await.unwrap();
    let said = office.ask(Ask::Status { name: "bot".into() }).await;
    let [Say::Status { status }, Say::Reply { reply }, Say::Done] = &said[..] else {
        panic!("{said:?}")
    };
    assert_eq!(
        (status.plugin.as_str(), status.version.as_str()),
        ("tiny", "0.1.0")
    );
    assert_eq!(status.health.level, HealthLevel::Ok);
    assert_eq!((status.restarts, status.memory.limit), (0, 16 << 20));
    assert!(status.memory.bytes > 1 << 16 && status.memory.bytes <= status.memory.limit);
    assert!(
        status.counted.effects > 2 && status.counted.sockets == 1,
        "{status:?}"
    );
    assert!(status.incidents > 0);
    let last = status.recent.last().unwrap();
    assert!(
        last.level == Level::Error && last.text.contains("told to trap: now"),
        "{last:?}"
    );
    assert_eq!(reply.summary.as_deref(), Some("heard 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_carries_several_requests_and_replies_are_streamed() {
    let office = Office::new().await;
    let mut client = office.client().await;
    let Say::Channels { channels } = &client.ask(Ask::List).await[0] else {
        panic!()
    };
    assert_eq!(channels[0].name, "bot");
    let Say::Health { channels } = &client.ask(Ask::Health).await[0] else {
        panic!()
    };
    assert_eq!(channels["bot"].level, HealthLevel::Ok);
    let command = OperatorCommand::PairCode;
    let name = "bot".into();
    let replies = replies(client.ask(Ask::Command { name, command }).await);
    assert_eq!(
        replies.iter().map(|r| r.done).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(replies[0].lines[0].text, "271828");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_a_blob_of_the_hosts_and_is_sent() {
    let mut office = Office::new().await;
    let mut client = office.client().await;
    let ask = Ask::Blob {
        name: "bot".into(),
        file: Some("../note.txt".into()),
        bytes: 5,
    };
    let mut request = serde_json::to_vec(&Request::new(ask)).unwrap();
    request.extend_from_slice(b"\nhello");
    client.write(&request).await;
    let Say::Blob { blob } = client.answer().await.remove(0) else {
        panic!()
    };
    assert_eq!((blob.size, blob.name.as_deref()), (5, Some("note.txt")));
    let media = MediaPart {
        kind: MediaKind::Document,
        source: MediaSource::Blob(blob),
        caption: None,
    };
    let send = OperatorSend {
        target: "peer".into(),
        parts: vec![AnswerPart::Media(media)],
    };
    let command = OperatorCommand::Send(send);
    let name = "bot".into();
    client.ask(Ask::Command { name, command }).await;
    let heard = office.bench.line.hear().await;
    assert!(heard.ends_with("note.txt hello"), "{heard}");
    assert_eq!(office.bench.handle.view().status().blob_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_is_in_force_once_the_channel_takes_it() {
    let mut office = Office::new().await;
    let url = office.bench.server.url();
    // The channel says no: the secret of before is still the one that is masked and sent.
    office.write(&format!("{url}refuse"), "key");
    let refused = replies(office.reload().await);
    assert_eq!(refused[0].lines[0].mark, Mark::Fail);
    assert_eq!(
        office.bench.line.ask("!secret key").await,
        format!(r#"{{"it is":"{KEY}"}}"#)
    );
    // The file is wrong: the channel hears nothing.
    office.write(&url, "kay");
    let (code, sentence) = error(&office.reload().await);
    assert_eq!(code, Code::Config);
    assert!(sentence.contains("test.toml:3: `kay`"), "{sentence}");
    // Plain text to another machine is refused as at a start.
    office.write("ws://192.0.2.1/", "key");
    let refused = replies(office.reload().await);
    let refused = &refused[0].lines[0];
    assert!(
        refused.mark == Mark::Fail && refused.text.contains("not encrypted"),
        "{refused:?}"
    );
    office.write(&url, "key");
    assert_eq!(replies(office.reload().await)[0].lines[0].mark, Mark::Ok);
    assert_eq!(
        office.bench.line.ask("!secret key").await,
        format!(r#"{{"it is":"{KEY}2"}}"#)
    );
    // And it is what a fresh instance after a crash has.
    office.bench.line.ask("!trap now").await;
    assert_eq!(
        office.bench.line.ask("!secret key").await,
        format!(r#"{{"it is":"{KEY}2"}}"#)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_forgotten_by_the_agent_too() {
    let office = Office::new().await;
    office.command(OperatorCommand::Forget("U".into())).await;
    let agent = &office.bench.agent;
    assert_eq!(*agent.forgotten.lock().unwrap(), ["bot U"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_breaks_the_component_is_answered() {
    let mut office = Office::new().await;
    let replies = office
        .command(OperatorCommand::Forget("panic".into()))
        .await;
    let summary = replies[0].summary.clone().unwrap();
    assert!(
        summary.contains("broke the channel's component"),
        "{summary}"
    );
    assert!(
        office
            .bench
            .line
            .hear()
            .await
            .starts_with("skipped command")
    );
    assert_eq!(office.bench.line.ask("x").await, "echo: x");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_said_and_ends_the_connection() {
    let office = Office::new().await;
    let too_long = vec![b' '; MAX_LINE_BYTES + 1];
    for (line, expected) in [
        (&b"nonsense\n"[..], Code::BadRequest),
        (b"{\"v\":7,\"ask\":\"list\"}\n", Code::Version),
        (
            b"{\"v\":1,\"ask\":\"status\",\"name\":\"other\"}\n",
            Code::NoChannel,
        ),
        (
            b"{\"v\":1,\"ask\":\"command\",\"name\":\"bot\",\"command\":\"Drain\"}\n",
            Code::BadRequest,
        ),
        (
            b"{\"v\":1,\"ask\":\"blob\",\"name\":\"bot\",\"file\":null,\"bytes\":999999999999}\n",
            Code::Failed,
        ),
        (&too_long, Code::BadRequest),
    ] {
        let mut client = office.client().await;
        client.write(line).await;
        let (code, sentence) = error(&client.answer().await);
        assert_eq!(code, expected, "{sentence}");
        let mut rest = String::new();
        let more = soon(client.stream.read_line(&mut rest)).await;
        assert!(matches!(more, Ok(0) | Err(_)), "{rest}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_is_the_owners_to_do() {
    let office = Office::new().await;
    assert_eq!(office.ask(Ask::Shutdown).await, [Say::Done]);
    tokio::time::timeout(PATIENCE, office.desk.ended.notified())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_the_owners_alone_and_a_stale_one_is_replaced() {
    let office = Office::new().await;
    let path = socket_path(office.bench.dir.path());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    let again = ControlServer::start(&office.bench.host, office.desk.clone());
    assert!(
        matches!(again, Err(ControlError::Taken { .. })),
        "{again:?}"
    );
    assert!(path.exists());
    drop(office);
    assert!(!path.exists());

    let bench = Bench::new().await;
    let path = socket_path(bench.dir.path());
    // As a process that was killed leaves it.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let desk = Arc::new(Desk {
        file: path.clone(),
        ended: Notify::new(),
    });
    let server = ControlServer::start(&bench.host, desk.clone()).unwrap();
    assert_eq!(
        Client::new(bench.dir.path())
            .await
            .ask(Ask::List)
            .await
            .len(),
        2
    );
    server.stop().await;
    std::fs::write(&path, "not a socket").unwrap();
    let error = ControlServer::start(&bench.host, desk).unwrap_err();
    assert!(matches!(error, ControlError::NotASocket { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_may_start_again_as_soon_as_the_socket_is_stopped() {
    let Office {
        bench,
        desk,
        _server: server,
    } = Office::new().await;
    // Connected and silent, as a monitoring that hangs.
    let _client = Client::new(bench.dir.path()).await;
    let (dir, url) = (bench.dir, bench.server.url());
    bench.handle.stop().await;
    drop((bench.host, bench.line, desk));
    server.stop().await;
    let host = crate::support::host(dir.path());
    assert!(crate::support::start(&host, "bot", &url).await.is_ok());
}
