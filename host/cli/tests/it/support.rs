//! A home with the fixture's component in it, a server that it talks to, and the program on it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// No test waits longer for anything; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    fixtures.join(name)
}

/// The fixture's component, built once.
fn tiny() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build("tiny-channel"))
}

fn build(name: &str) -> PathBuf {
    // Its own target folder, since cargo holds the lock of the usual one while tests run.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            "wasm32-wasip2",
        ])
        .arg("--manifest-path")
        .arg(fixture(name).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success(), "the fixture does not build");
    let file = format!("wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
    target.join(file)
}

/// A folder of a plugin that misbehaves in this way; see `tests/fixtures/hostile`.
pub(crate) fn hostile(how: &str, folder: &Path) {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let honest = BYTES.get_or_init(|| std::fs::read(build("hostile")).unwrap());
    let marker = b"hostile-how:....................";
    let at = honest.windows(marker.len()).position(|w| w == marker);
    let at = at.unwrap() + b"hostile-how:".len();
    let mut bytes = honest.clone();
    bytes[at..at + how.len()].copy_from_slice(how.as_bytes());
    std::fs::create_dir_all(folder).unwrap();
    let manifest = fixture("hostile").join("plugin.toml");
    std::fs::copy(manifest, folder.join("plugin.toml")).unwrap();
    std::fs::write(folder.join("plugin.wasm"), bytes).unwrap();
}

/// The other end of the channel: one connection at a time, taken by hand.
pub(crate) struct Server {
    tokio: tokio::runtime::Runtime,
    listener: TcpListener,
}

pub(crate) struct Line<'a> {
    server: &'a Server,
    stream: WebSocketStream<TcpStream>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = tokio.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        Self { tokio, listener }
    }

    fn soon<T>(&self, what: impl Future<Output = T>) -> T {
        let waited = async { tokio::time::timeout(PATIENCE, what).await };
        self.tokio.block_on(waited).expect("this takes too long")
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.listener.local_addr().unwrap())
    }

    /// The next connection, after its greeting.
    pub(crate) fn line(&self) -> Line<'_> {
        let (tcp, _) = self.soon(self.listener.accept()).unwrap();
        let stream = self.soon(accept_async(tcp)).unwrap();
        let mut line = Line {
            server: self,
            stream,
        };
        assert_eq!(line.hear(), "hello");
        line
    }

    /// True when somebody has tried to connect.
    pub(crate) fn was_called(&self) -> bool {
        let brief = Duration::from_millis(1);
        let accepted = async { tokio::time::timeout(brief, self.listener.accept()).await };
        self.tokio.block_on(accepted).is_ok()
    }
}

impl Line<'_> {
    pub(crate) fn say(&mut self, text: &str) {
        self.server
            .soon(self.stream.send(Message::text(text)))
            .unwrap();
    }

    /// The next text, or `<closed>`.
    pub(crate) fn hear(&mut self) -> String {
        loop {
            match self.server.soon(self.stream.next()) {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return "<closed>".into(),
                Some(Ok(_)) => {}
            }
        }
    }
}

/// Writes a file that nobody else can read, as one with a secret in it should be.
pub(crate) fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A folder with a configuration and the fixture as a plugin.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) server: Server,
}

pub(crate) const KEY: &str = "canary-key-4711";

impl Home {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let plugin = dir.path().join("plugins/tiny");
        std::fs::create_dir_all(&plugin).unwrap();
        std::fs::copy(
            fixture("tiny-channel").join("plugin.toml"),
            plugin.join("plugin.toml"),
        )
        .unwrap();
        std::fs::copy(tiny(), plugin.join("plugin.wasm")).unwrap();
        let home = Self {
            dir,
            server: Server::new(),
        };
        home.write("");
        home
    }

    /// The fixture as another build: with a custom section, which no code reads.
    pub(crate) fn build(number: u8) -> Vec<u8> {
        let section = [0, 7, 5, b'b', b'u', b'i', b'l', b'd', number];
        [&std::fs::read(tiny()).unwrap()[..], &section].concat()
    }

    /// Puts a component into the plugin folder, in one step.
    pub(crate) fn install(&self, wasm: &[u8]) {
        let folder = self.dir.path().join("plugins/tiny");
        std::fs::write(folder.join("plugin.new"), wasm).unwrap();
        std::fs::rename(folder.join("plugin.new"), folder.join("plugin.wasm")).unwrap();
    }

    /// The configuration, with more in `[host]`.
    pub(crate) fn write(&self, host: &str) {
        let channel = format!("url = {:?}\nkey = \"{KEY}\"\n", self.server.url());
        self.write_channel(host, &channel);
    }

    pub(crate) fn write_channel(&self, host: &str, channel: &str) {
        let text = format!(
            "[host]\nplugin_dir = \"plugins\"\nproxy = \"none\"\n{host}[channels_config.bot]\nplugin = \"tiny\"\n{channel}"
        );
        write_private(&self.dir.path().join("channels.toml"), &text);
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("channels-state")
    }

    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        self.program_at(Path::new(env!("CARGO_BIN_EXE_prx")), arguments)
    }

    pub(crate) fn program_at(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("OPENPRX_CONFIG_DIR", self.dir.path())
            .env("LC_ALL", "C")
            .env_remove("RUST_LOG");
        command
    }

    /// Asks something and waits for the end.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Said {
        Said::of(self.program(arguments).output().unwrap())
    }

    /// Asks with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let said = self.ask(&all);
        assert_eq!(said.out.lines().count(), 1, "{said:?}");
        serde_json::from_str(&said.out).unwrap()
    }

    /// Runs the channel, and waits until it is connected.
    pub(crate) fn run(&self) -> (Run, Line<'_>) {
        let run = self.begin(&["channel", "run"]);
        let line = self.server.line();
        run.wait_for("running; SIGTERM");
        (run, line)
    }

    pub(crate) fn begin(&self, arguments: &[&str]) -> Run {
        Run::of(self.program(arguments))
    }
}

impl Run {
    pub(crate) fn of(mut program: Command) -> Self {
        let mut child = program
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (lines, log) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // The test may have heard enough.
                let _ = lines.send(line);
            }
        });
        Self { child, log }
    }
}

/// What a program said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap(),
        }
    }

    /// The end of a program whose standard input was given.
    pub(crate) fn of_child(mut child: Child) -> Self {
        let mut out = String::new();
        let mut err = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let code = child.wait().unwrap().code().unwrap();
        Self { out, err, code }
    }
}

/// A process that runs; killed when a test ends early.
pub(crate) struct Run {
    child: Child,
    log: Receiver<String>,
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Run {
    /// The first line of the log with this in it.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.log.recv_timeout(left) else {
                panic!("no {text:?} in {seen:#?}");
            };
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end of the process, which the end of its log announces.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let mut rest = Vec::new();
        let until = Instant::now() + PATIENCE;
        while let Ok(line) = self
            .log
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            rest.push(line);
        }
        (self.child.wait().unwrap(), rest)
    }
}
