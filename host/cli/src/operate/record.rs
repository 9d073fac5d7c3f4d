//! `record`: lines of a running channel into a file, until ctrl-c.

use std::fs::{File, OpenOptions};
use std::io::{LineWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use prx_host::control::{Ask, Code, Say};

use super::{Desk, printed};
use crate::client::Refused;
use crate::outcome::{Trouble, Verdict};
use crate::texts::Text;

/// What is wanted of a recording.
pub(super) struct Wanted {
    pub(super) file: PathBuf,
    pub(super) redact: bool,
    pub(super) seconds: Option<u64>,
}

/// Set by ctrl-c.
static ENDED: AtomicBool = AtomicBool::new(false);

impl Desk<'_> {
    pub(super) fn record(&mut self, name: &str, wanted: &Wanted) -> Result<Verdict, Trouble> {
        self.known(name)?;
        let Some(mut line) = self.line()? else {
            return self.nobody_to_tell(name);
        };
        let shown = wanted.file.display().to_string();
        if wanted.file.exists() {
            let sentence = format!("{shown} is there already; choose a file that can be made");
            return Err(Trouble::mistake(sentence));
        }
        let mut file: Option<LineWriter<File>> = None;
        let until = wanted
            .seconds
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        end_on_ctrl_c()?;
        if !self.screen.json {
            let said = self.screen.say(Text::Recording, &[&name, &shown]);
            printed(self.screen.note(&said))?;
        }
        let over =
            || ENDED.load(Ordering::Relaxed) || until.is_some_and(|until| Instant::now() >= until);
        let name = name.to_owned();
        let (of, redact) = (name.clone(), wanted.redact);
        let mut lines = 0u64;
        let refused = line.listen(Ask::Record { name: of, redact }, &over, &mut |say| {
            if let Say::Trace { line } = say {
                lines += 1;
                let file = match &mut file {
                    Some(file) => file,
                    // Not before there is something for it: a second try finds no empty file.
                    None => file.insert(begin(&wanted.file)?),
                };
                writeln!(file, "{line}").context("the recording cannot be written")?;
            }
            Ok(())
        })?;
        match refused {
            Some(Refused {
                code: Code::NoChannel,
                ..
            }) => return self.nobody_to_tell(&name),
            Some(refused) => return Err(refused.into()),
            None => {}
        }
        // The first is the header.
        let said = self
            .screen
            .say(Text::Recorded, &[&lines.saturating_sub(1), &shown]);
        let object = serde_json::json!({"channel": name, "file": shown, "lines": lines});
        printed(match self.screen.json {
            true => self.screen.object(&object),
            false => self.screen.note(&said),
        })?;
        Ok(Verdict::Good)
    }
}

/// A new file, its owner's alone: what people wrote may be in it. Written line by line, so that whoever is
/// ended in the middle has a recording all the same.
fn begin(path: &Path) -> anyhow::Result<LineWriter<File>> {
    let mut open = OpenOptions::new();
    let file = open.write(true).create_new(true).mode(0o600).open(path);
    let shown = path.display();
    let file = file.with_context(|| format!("{shown} cannot be made; choose another file"))?;
    Ok(LineWriter::new(file))
}

/// The first ctrl-c ends the recording, the second one the program.
fn end_on_ctrl_c() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.context("no thread to listen for ctrl-c with")?;
    let spawned = std::thread::Builder::new().spawn(move || {
        let heard = runtime.block_on(tokio::signal::ctrl_c());
        if heard.is_ok() {
            ENDED.store(true, Ordering::Relaxed);
            let _ = runtime.block_on(tokio::signal::ctrl_c());
            std::process::exit(1);
        }
    });
    spawned
        .map(drop)
        .context("no thread to listen for ctrl-c with")
}
