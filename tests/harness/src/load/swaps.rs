//! Other builds of the component, put into the plugin folder of a bot that runs: each differs from the one
//! before by a custom section, which no code reads, and so by its digest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use prx_host::control::{Ask, Request, Said, Say, socket_path};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Two builds in turn, so that each is compiled once.
const BUILDS: u8 = 2;

/// A component that is another build of this one.
#[must_use]
pub fn build_of(component: &[u8], number: u8) -> Vec<u8> {
    // Section 0 is a custom one: its size, the length of its name, the name, and what is in it.
    let section = [0, 7, 5, b'b', b'u', b'i', b'l', b'd', number];
    [component, &section].concat()
}

/// Writes a plugin folder of the embedded component, as this build, with this manifest.
///
/// # Errors
/// The disk does not take it.
pub fn install(plugin_dir: &Path, number: u8, manifest: &str) -> Result<()> {
    let folder = plugin_dir.join("qq");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("plugin.toml"), manifest)?;
    let (new, file) = (folder.join("plugin.new"), folder.join("plugin.wasm"));
    std::fs::write(&new, build_of(qq_channel_embed::COMPONENT, number))?;
    // A reader sees the one before or this one, and nothing in between.
    std::fs::rename(new, file).context("the plugin folder")
}

/// Swaps that are asked for one after the other, beside the load.
#[derive(Debug)]
pub struct Swaps {
    ask: UnboundedSender<()>,
    done: JoinHandle<Result<Vec<Duration>>>,
}

impl Swaps {
    /// Swaps the component of the bot whose files are in this folder.
    #[must_use]
    pub fn of(plugin_dir: PathBuf, state_dir: &Path, manifest: String) -> Self {
        let (ask, asked) = unbounded_channel();
        let done = tokio::spawn(work(asked, plugin_dir, socket_path(state_dir), manifest));
        Self { ask, done }
    }

    /// One more. It is done after those that were asked for before.
    ///
    /// # Errors
    /// The one before failed.
    pub fn one_more(&self) -> Result<()> {
        self.ask.send(()).ok().context("a swap failed before")
    }

    /// Waits for the last one. Returns how long the channel paused for each.
    ///
    /// # Errors
    /// One failed.
    pub async fn finish(self) -> Result<Vec<Duration>> {
        drop(self.ask);
        self.done.await?
    }
}

async fn work(
    mut asked: UnboundedReceiver<()>,
    plugin_dir: PathBuf,
    socket: PathBuf,
    manifest: String,
) -> Result<Vec<Duration>> {
    let mut pauses = Vec::new();
    let mut number = 0;
    while asked.recv().await.is_some() {
        number = (number + 1) % BUILDS;
        install(&plugin_dir, number, &manifest)?;
        pauses.push(reload(&socket).await?);
    }
    Ok(pauses)
}

/// What `prx channel reload qq` does.
async fn reload(socket: &Path) -> Result<Duration> {
    let stream = UnixStream::connect(socket)
        .await
        .context("the control socket")?;
    let (read, mut write) = stream.into_split();
    let name = "qq".to_owned();
    let ask = Ask::Reload {
        name,
        allow_downgrade: false,
    };
    let mut line = serde_json::to_vec(&Request::new(ask))?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut lines = BufReader::new(read).lines();
    let mut pause = None;
    while let Some(line) = lines.next_line().await? {
        let said: Said = serde_json::from_str(&line)?;
        match said.say {
            Say::Reply { reply } => {
                let data = reply
                    .data
                    .and_then(|data| serde_json::from_str::<serde_json::Value>(&data).ok());
                let micros = data.and_then(|data| data.get("pause_us")?.as_u64());
                pause = micros.map(Duration::from_micros).or(pause);
                if let Some(failed) = reply.lines.iter().find(|line| line.fix.is_some()) {
                    bail!("{}", failed.text);
                }
            }
            Say::Done => return pause.context("the component was not swapped"),
            Say::Error { sentences, .. } => bail!("{}", sentences.join("; ")),
            _ => {}
        }
    }
    bail!("the bot is gone")
}
