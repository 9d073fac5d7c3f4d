//! What is measured, each in a process of its own on the subject's core.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::machine::{self, Cores, Used};
use super::platform::{APP_ID, Platform, SECRET};
use super::subjects;

/// A first start compiles; a Python bot imports for seconds.
const CONNECTS_WITHIN: Duration = Duration::from_secs(120);

/// A subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing but the load itself: what the platform can do at most.
    Null,
    /// Reads, parses, posts: the ceiling for anything that does its work.
    Bare,
    /// This host with the component.
    Host,
    /// The same guest linked natively.
    Native,
    /// botrs, Rust.
    Botrs,
    /// qq-botpy, Python.
    Botpy,
    /// nonebot-adapter-qq, Python.
    Nonebot,
}

impl Kind {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Null,
        Self::Bare,
        Self::Native,
        Self::Host,
        Self::Botrs,
        Self::Botpy,
        Self::Nonebot,
    ];

    /// Its row in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "the load generator alone",
            Self::Bare => "bare native loop",
            Self::Native => "this host, guest native",
            Self::Host => "this host, component",
            Self::Botrs => "botrs",
            Self::Botpy => "qq-botpy",
            Self::Nonebot => "nonebot-adapter-qq",
        }
    }

    /// One word, for arguments.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bare => "bare",
            Self::Native => "native",
            Self::Host => "host",
            Self::Botrs => "botrs",
            Self::Botpy => "botpy",
            Self::Nonebot => "nonebot",
        }
    }

    /// How it is set up, in a sentence.
    #[must_use]
    pub fn settings(self) -> &'static str {
        match self {
            Self::Null => {
                "finds the id without parsing, writes replies one behind the other on one connection, waits for nothing"
            }
            Self::Bare => {
                "tokio-tungstenite, serde, reqwest with its pool, one task for each reply, one thread; remembers nothing"
            }
            Self::Native => {
                "as the next one, with the guest linked into the host; its types are carried over with postcard"
            }
            Self::Host => {
                "`prx channel run`, defaults: echo agent, every message stored and deduplicated, log at info; its manifest allows 1,024 requests at once and 600,000 a minute, in place of 256 and 60,000"
            }
            Self::Botrs => "release build, its own client, log at warn, no output per message",
            Self::Botpy => {
                "CPython, asyncio, aiohttp session kept, log at WARNING, no output per message"
            }
            Self::Nonebot => {
                "CPython, driver aiohttp, log at WARNING, one matcher, no output per message"
            }
        }
    }

    /// Its folder below `tests/emulator/interop`; `None` for what is our own.
    #[must_use]
    pub fn folder(self) -> Option<&'static str> {
        match self {
            Self::Botrs => Some("botrs"),
            Self::Botpy => Some("botpy"),
            Self::Nonebot => Some("nonebot"),
            _ => None,
        }
    }
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// Clients that others wrote, as `cargo xtask interop` installs them.
    pub interop: PathBuf,
    /// Scratch: state of bots, logs.
    pub scratch: PathBuf,
    /// Cores.
    pub cores: Option<Cores>,
}

/// A subject that runs. It is ended when dropped.
#[derive(Debug)]
pub struct Subject {
    /// Which.
    pub kind: Kind,
    /// Its platform.
    pub platform: Platform,
    /// Its first user.
    pub users: usize,
    child: Child,
}

impl Subject {
    /// Starts a subject on a platform of its own, and waits until it is logged in.
    ///
    /// # Errors
    /// It is not there, or does not log in.
    pub async fn start(kind: Kind, places: &Places, users: usize) -> Result<Self> {
        let platform = Platform::start(41_250).await?;
        let child = spawn(kind, places, &platform.address)?;
        let mut subject = Self {
            kind,
            platform,
            users: 0,
            child,
        };
        subject.connected().await?;
        subject.users = subject.platform.add_users(0, users);
        Ok(subject)
    }

    async fn connected(&mut self) -> Result<()> {
        let (kind, platform) = (self.kind, self.platform.clone());
        tokio::select! {
            () = platform.connected(1) => Ok(()),
            status = ended(&mut self.child) => bail!("{} ended: {status}", kind.name()),
            () = tokio::time::sleep(CONNECTS_WITHIN) => bail!("{} does not log in", kind.name()),
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has used.
    ///
    /// # Errors
    /// It has ended.
    pub fn used(&self) -> Result<Used> {
        machine::used(self.pid())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a process. It may have ended before.
pub fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

async fn ended(child: &mut Child) -> String {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return status.to_string();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn spawn(kind: Kind, places: &Places, address: &str) -> Result<Child> {
    let folder = places.scratch.join(kind.word());
    std::fs::create_dir_all(&folder)?;
    let log = folder.join("log.txt");
    let mut command = match kind.folder() {
        None => own(kind, places, address, &folder)?,
        Some(client) => foreign(client, places, address)?,
    };
    let out = File::create(&log)?;
    command
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out);
    command
        .spawn()
        .with_context(|| format!("{} does not start", kind.name()))
}

fn own(kind: Kind, places: &Places, address: &str, folder: &Path) -> Result<Command> {
    let mut command = Cores::command(places.cores, &std::env::current_exe()?);
    let words: [OsString; 4] = [
        "--be".into(),
        kind.word().into(),
        address.into(),
        folder.into(),
    ];
    command.args(words);
    if kind == Kind::Host {
        subjects::install(folder, address)?;
    }
    Ok(command)
}

/// A client of `tests/emulator/interop`, with the bot that is tried there, told to be quiet.
fn foreign(client: &str, places: &Places, address: &str) -> Result<Command> {
    let installed = places.interop.join(client);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = manifest
        .join("../emulator/interop")
        .join(client)
        .join("bot.py");
    let mut command = if client == "botrs" {
        Cores::command(places.cores, &installed.join("build/release/interop-botrs"))
    } else {
        let mut command = Cores::command(places.cores, &installed.join("bin/python"));
        command.arg("-u").arg(script);
        command
    };
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_lowercase().contains("proxy") {
            command.env_remove(name);
        }
    }
    let base = format!("http://{address}");
    command
        .env("INTEROP_TOKEN_URL", format!("{base}/app/getAppAccessToken"))
        .env("INTEROP_APP_ID", APP_ID)
        .env("INTEROP_SECRET", SECRET)
        .env("INTEROP_PICTURE", format!("{base}/picture.png"))
        .env("INTEROP_QUIET", "1");
    if client == "botrs" {
        // Its hosts are compiled in, as http; the platform is its proxy.
        command.env("http_proxy", &base);
    }
    command.env("INTEROP_API", base);
    Ok(command)
}
