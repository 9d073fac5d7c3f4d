//! Reports of broken components, kept for whoever looks into them: the owner's alone, the newest
//! few of each channel.

use std::path::{Path, PathBuf};

use crate::actor::Incident;
use crate::bindings::v0_1::Instant;

/// Reports kept per channel; each may hold one frame.
const KEPT: usize = 50;

/// The folder of reports.
#[derive(Debug, Clone)]
pub(crate) struct Incidents {
    dir: PathBuf,
}

impl Incidents {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Writes a report. `None` when the disk does not take it, which the log says.
    pub(crate) fn keep(&self, channel: &str, now: Instant, incident: &Incident) -> Option<PathBuf> {
        let json = serde_json::json!({
            "channel": channel,
            "wall_ms": now.wall_ms,
            "during": incident.during,
            "settled": format!("{:?}", incident.settled),
            "kind": incident.fault.kind.to_string(),
            "message": incident.fault.message,
            "detail": incident.fault.detail,
            "event": incident.event,
        });
        let written = self.write(channel, now.wall_ms, &format!("{json:#}"));
        written
            .inspect_err(
                |error| tracing::warn!(channel, %error, "no report of the incident is kept"),
            )
            .ok()
    }

    fn write(&self, channel: &str, wall_ms: u64, text: &str) -> std::io::Result<PathBuf> {
        use std::io::Write;
        let dir = self.dir.join(channel);
        crate::files::private_dir(&dir)?;
        let path = dir.join(format!("{wall_ms:014}.json"));
        let mut file = crate::files::private_file(&path)?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        forget_old(&dir)?;
        Ok(path)
    }
}

fn forget_old(dir: &Path) -> std::io::Result<()> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let surplus = files.len().saturating_sub(KEPT);
    for old in files.into_iter().take(surplus) {
        std::fs::remove_file(old)?;
    }
    Ok(())
}
