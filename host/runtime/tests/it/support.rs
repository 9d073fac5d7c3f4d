//! A component built once, a WebSocket server that a test speaks through, an agent that echoes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use prx_host::actor::Incident;
use prx_host::agent::{AgentAsk, AgentLine, AgentPort};
use prx_host::bindings::v0_1::{AnswerPart, TurnEvent, TurnNews};
use prx_host::config::Layers;
use prx_host::drivers::network::{NetworkOptions, ProxyChoice};
use prx_host::egress::OperatorEgress;
use prx_host::egress::address::AddressPolicy;
use prx_host::guest::Component;
use prx_host::manifest::Manifest;
use prx_host::runtime::{ChannelHandle, ChannelSpec, Host, HostOptions, StartError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// No test waits longer for anything; the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The bytes of the fixture component.
pub(crate) fn tiny() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| build("tiny-channel", &[]))
}

/// The bytes of the component that misbehaves in this way; see `tests/fixtures/hostile`.
pub(crate) fn hostile(how: &str) -> Vec<u8> {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let honest = BYTES.get_or_init(|| build("hostile", &[]));
    let marker = b"hostile-how:....................";
    let mut bytes = honest.clone();
    let at = bytes.windows(marker.len()).position(|w| w == marker);
    let at = at.unwrap() + b"hostile-how:".len();
    bytes[at..at + how.len()].copy_from_slice(how.as_bytes());
    bytes
}

/// The same, with an import of a clock.
pub(crate) fn hostile_with_clock() -> Vec<u8> {
    build("hostile", &["--features", "clock"])
}

fn fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fixtures.join(name)
}

fn build(name: &str, more: &[&str]) -> Vec<u8> {
    // Two builds of one package write one file.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    // Its own target folder, since cargo holds the lock of the usual one while tests run.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            "wasm32-wasip2",
            "--manifest-path",
        ])
        .arg(fixture(name).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .args(more)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success(), "the fixture does not build");
    let file = format!("wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
    std::fs::read(target.join(file)).unwrap()
}

pub(crate) fn manifest() -> Manifest {
    manifest_of("tiny-channel", "")
}

/// The manifest of a fixture, with other numbers in `[resources]`.
pub(crate) fn manifest_of(name: &str, resources: &str) -> Manifest {
    let text = std::fs::read_to_string(fixture(name).join("plugin.toml")).unwrap();
    let key = |line: &str| line.split(" =").next().unwrap_or_default().to_owned();
    let other: Vec<String> = resources.lines().map(key).collect();
    let kept = text.lines().filter(|line| !other.contains(&key(line)));
    let text: String = kept.map(|line| format!("{line}\n")).collect();
    let resources = format!("[resources]\n{resources}\n");
    Manifest::parse(&text.replace("[resources]\n", &resources)).unwrap()
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("this takes too long")
}

pub(crate) fn options(state_dir: &Path) -> HostOptions {
    HostOptions {
        state_dir: state_dir.to_owned(),
        operator: OperatorEgress::AsManifest,
        network: NetworkOptions {
            proxy: ProxyChoice::Direct,
            extra_ca: None,
            addresses: AddressPolicy::default(),
        },
        compiled_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")),
        guest_threads: None,
    }
}

pub(crate) fn host(state_dir: &Path) -> Host {
    Host::new(options(state_dir)).unwrap()
}

/// The secret that no log, message or report may show.
pub(crate) const KEY: &str = "canary-key-4711";

pub(crate) async fn start(host: &Host, name: &str, url: &str) -> Result<ChannelHandle, StartError> {
    start_with(host, name, url, Arc::new(Echo::default())).await
}

async fn start_with(
    host: &Host,
    name: &str,
    url: &str,
    agent: Arc<Echo>,
) -> Result<ChannelHandle, StartError> {
    start_component(host, name, url, tiny(), manifest(), agent).await
}

/// Starts a channel that misbehaves, with other numbers in `[resources]`.
pub(crate) async fn start_hostile(
    host: &Host,
    url: &str,
    how: &str,
    resources: &str,
) -> Result<ChannelHandle, StartError> {
    let manifest = manifest_of("hostile", resources);
    let agent = Arc::new(Echo::default());
    start_component(host, "bad", url, &hostile(how), manifest, agent).await
}

async fn start_component(
    host: &Host,
    name: &str,
    url: &str,
    wasm: &[u8],
    manifest: Manifest,
    agent: Arc<Echo>,
) -> Result<ChannelHandle, StartError> {
    let component = host.load(wasm, manifest.limits).unwrap();
    start_loaded(host, name, url, component, manifest, agent).await
}

pub(crate) async fn start_loaded(
    host: &Host,
    name: &str,
    url: &str,
    component: Arc<dyn Component>,
    manifest: Manifest,
    agent: Arc<Echo>,
) -> Result<ChannelHandle, StartError> {
    let text = format!("[channels_config.{name}]\nurl = \"{url}\"\nkey = \"{KEY}\"\n");
    let layers = Layers::from_text("test.toml", &text).unwrap();
    let keys = component.describe().unwrap().keys;
    let config = layers.channel(name, &keys, &|_| None).unwrap();
    let spec = ChannelSpec {
        name: name.into(),
        component,
        manifest,
        config,
        agent,
    };
    soon(host.start_channel(spec)).await
}

/// Answers every turn with its own text.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    lines: Mutex<BTreeMap<String, AgentLine>>,
    /// Whom it was told to forget.
    pub(crate) forgotten: Mutex<Vec<String>>,
}

impl AgentPort for Echo {
    fn attach(&self, channel: &str, line: AgentLine) {
        self.lines.lock().unwrap().insert(channel.into(), line);
    }

    fn ask(&self, channel: &str, ask: AgentAsk) {
        let AgentAsk::Begin(begin) = ask else { return };
        let line = self.lines.lock().unwrap()[channel].clone();
        tokio::spawn(async move {
            let text = format!("echo: {}", begin.message.text);
            let news = TurnEvent {
                turn: begin.id,
                attempt: begin.attempt,
                news: TurnNews::Finished(vec![AnswerPart::Text(text)]),
            };
            line.send(news).await;
        });
    }

    fn detach(&self, channel: &str) {
        self.lines.lock().unwrap().remove(channel);
    }

    fn forget(&self, channel: &str, sender: &str) -> usize {
        let mut forgotten = self.forgotten.lock().unwrap();
        forgotten.push(format!("{channel} {sender}"));
        1
    }
}

/// A WebSocket server. The test takes each connection by hand.
pub(crate) struct Server {
    listener: TcpListener,
}

impl Server {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.listener.local_addr().unwrap())
    }

    /// The same for HTTP, without a slash at the end.
    pub(crate) fn http(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        soon(self.listener.accept()).await.unwrap().0
    }

    /// The next connection, after its greeting.
    pub(crate) async fn line(&self) -> Line<TcpStream> {
        let mut line = Line::accept(self.tcp().await).await;
        assert_eq!(line.hear().await, "hello");
        line
    }
}

/// One connection of the component's.
pub(crate) struct Line<S> {
    stream: WebSocketStream<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(crate) async fn accept(stream: S) -> Self {
        let stream = soon(accept_async(stream)).await.unwrap();
        Self { stream }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// The next text, or `<closed>`.
    pub(crate) async fn hear(&mut self) -> String {
        loop {
            match soon(self.stream.next()).await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return "<closed>".into(),
                Some(Ok(_)) => {}
            }
        }
    }

    pub(crate) async fn ask(&mut self, text: impl AsRef<str>) -> String {
        self.say(text.as_ref()).await;
        self.hear().await
    }

    pub(crate) async fn close(mut self) {
        self.stream.close(None).await.unwrap();
    }
}

/// A channel on a host of its own, with an open line.
pub(crate) struct Bench {
    pub(crate) server: Server,
    pub(crate) line: Line<TcpStream>,
    pub(crate) handle: ChannelHandle,
    pub(crate) agent: Arc<Echo>,
    pub(crate) host: Host,
    pub(crate) dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with_ports(BTreeSet::new()).await
    }

    /// On a host that opens these ports of this machine.
    pub(crate) async fn with_ports(ports: BTreeSet<u16>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut options = options(dir.path());
        options.network.addresses = AddressPolicy::default().with_loopback_ports(ports);
        let host = Host::new(options).unwrap();
        let server = Server::new().await;
        let agent = Arc::new(Echo::default());
        let url = server.url();
        let handle = start_with(&host, "bot", &url, agent.clone()).await.unwrap();
        let line = server.line().await;
        Self {
            server,
            line,
            handle,
            agent,
            host,
            dir,
        }
    }
}

pub(crate) fn incident_of(incident: &Incident) -> String {
    format!(
        "{} {:?} {}",
        incident.during, incident.settled, incident.fault
    )
}
