//! The other end of the control socket: asks the process that runs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use prx_host::bindings::v0_1::BlobInfo;
use prx_host::control::{Ask, Code, MAX_LINE_BYTES, Request, Said, Say, VERSION, connect};

use crate::outcome::Trouble;

/// The other side answers sooner, if only to say that there is no answer.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long a wait for the next line lasts before somebody looks whether there were enough.
const LISTEN_FOR: Duration = Duration::from_millis(200);

/// A connection to the process that runs.
#[derive(Debug)]
pub(crate) struct Line {
    stream: BufReader<UnixStream>,
}

/// An answer that went wrong.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    pub(crate) sentences: Vec<String>,
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        match refused.code {
            Code::Config => Self::Mistakes(refused.sentences),
            _ => Self::Failed(anyhow::anyhow!(refused.sentences.join("; "))),
        }
    }
}

/// The lines of an answer, or how it went wrong.
pub(crate) type Answer = Result<Vec<Say>, Refused>;

impl Line {
    /// Connects; `None` when nothing runs.
    pub(crate) fn open(state_dir: &Path) -> anyhow::Result<Option<Self>> {
        let Some(stream) = connect(state_dir)? else {
            return Ok(None);
        };
        stream
            .set_read_timeout(Some(PATIENCE))
            .context("the control socket takes no time limit")?;
        let stream = BufReader::new(stream);
        Ok(Some(Self { stream }))
    }

    /// Asks, and waits for the whole answer.
    pub(crate) fn ask(&mut self, ask: Ask) -> anyhow::Result<Answer> {
        self.request(ask)?;
        self.answer()
    }

    /// Hands a file over, and gets the blob that it has become.
    pub(crate) fn hand_over(
        &mut self,
        name: &str,
        file: Option<String>,
        content: &mut dyn Read,
        bytes: u64,
    ) -> anyhow::Result<Result<BlobInfo, Refused>> {
        let name = name.to_owned();
        self.request(Ask::Blob { name, file, bytes })?;
        // When it is refused nobody reads on; the answer says why.
        let copied = io::copy(&mut content.take(bytes), self.stream.get_mut());
        let said = match self.answer() {
            Ok(Ok(said)) => said,
            Ok(Err(refused)) => return Ok(Err(refused)),
            Err(error) => {
                copied.context("the file could not be handed over")?;
                return Err(error);
            }
        };
        let blob = said.into_iter().find_map(|say| match say {
            Say::Blob { blob } => Some(blob),
            _ => None,
        });
        Ok(Ok(
            blob.context("the running process kept no file; restart it")?
        ))
    }

    /// Asks for something that goes on until `over` says that there was enough; every line is handed to
    /// `take`. Returns how it was refused, if it was.
    pub(crate) fn listen(
        &mut self,
        ask: Ask,
        over: &dyn Fn() -> bool,
        take: &mut dyn FnMut(Say) -> anyhow::Result<()>,
    ) -> anyhow::Result<Option<Refused>> {
        self.request(ask)?;
        let stream = self.stream.get_ref();
        let often = stream.set_read_timeout(Some(LISTEN_FOR));
        often.context("the control socket takes no time limit")?;
        let mut line = Vec::new();
        while !over() {
            match self.stream.read_until(b'\n', &mut line) {
                Ok(0) => {
                    anyhow::bail!("the running process ended; what it told until then is kept")
                }
                Ok(_) if line.ends_with(b"\n") => {}
                Ok(_) => continue,
                Err(error) if nothing_yet(&error) => continue,
                Err(error) => return Err(error).context("the running process broke off"),
            }
            let said: Said = serde_json::from_slice(&line).with_context(|| {
                format!("the running process does not speak version {VERSION} of the control protocol; restart it")
            })?;
            line.clear();
            match said.say {
                Say::Done => break,
                Say::Error { code, sentences } => return Ok(Some(Refused { code, sentences })),
                say => take(say)?,
            }
        }
        Ok(None)
    }

    fn request(&mut self, ask: Ask) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&Request::new(ask)).context("the request")?;
        line.push(b'\n');
        let stream = self.stream.get_mut();
        let written = stream.write_all(&line).and_then(|()| stream.flush());
        written.context("the running process takes no request; look into its log")
    }

    fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut said = Vec::new();
        loop {
            let mut line = Vec::new();
            let mut bounded = (&mut self.stream).take(16 * MAX_LINE_BYTES as u64);
            let read = bounded.read_until(b'\n', &mut line);
            let read = read.context("the running process does not answer; look into its log")?;
            anyhow::ensure!(
                read > 0,
                "the running process ended in the middle of its answer; ask again"
            );
            let one: Said = serde_json::from_slice(&line).with_context(|| {
                format!("the running process does not speak version {VERSION} of the control protocol; restart it")
            })?;
            match one.say {
                Say::Done => return Ok(Ok(said)),
                Say::Error { code, sentences } => return Ok(Err(Refused { code, sentences })),
                say => said.push(say),
            }
        }
    }
}

fn nothing_yet(error: &io::Error) -> bool {
    let kinds = [
        io::ErrorKind::WouldBlock,
        io::ErrorKind::TimedOut,
        io::ErrorKind::Interrupted,
    ];
    kinds.contains(&error.kind())
}
