//! Reports of broken components, kept for whoever looks into them: the owner's alone, the newest
//! few of each channel.

use std::path::{Path, PathBuf};

use crate::actor::Incident;
use crate::bindings::v0_1::Instant;
use crate::files::PrivateDir;

/// Reports kept per channel.
const KEPT: usize = 50;
/// Bytes of the event, of the message and of the detail in a report: enough for most events, and for the beginning of
/// others. In JSON a control character takes six.
const MAX_PART_BYTES: usize = 64 << 10;

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
            "message": bounded(&incident.fault.message),
            "detail": bounded(&incident.fault.detail),
            "event": incident.event.as_deref().map(bounded),
        });
        let written = self.write(channel, now.wall_ms, &format!("{json:#}"));
        written
            .inspect_err(
                |error| tracing::warn!(channel, %error, "no report of the incident is kept"),
            )
            .ok()
    }

    fn write(&self, channel: &str, wall_ms: u64, text: &str) -> std::io::Result<PathBuf> {
        let dir = PrivateDir::open(&self.dir).and_then(|all| all.within(channel));
        let dir = dir.map_err(std::io::Error::other)?;
        let name = format!("{wall_ms:014}.json");
        dir.replace(&name, text.as_bytes())?;
        forget_old(dir.path())?;
        Ok(dir.path().join(name))
    }
}

/// The beginning of a text, and how long it was where that is not all of it.
fn bounded(text: &str) -> String {
    match text.get(..text.floor_char_boundary(MAX_PART_BYTES)) {
        Some(start) if start.len() < text.len() => {
            format!("{start} ... ({} bytes in all)", text.len())
        }
        _ => text.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Settled;
    use crate::guest::{FaultKind, GuestFault};

    #[test]
    fn a_report_is_bounded_whatever_broke_the_component() {
        let dir = tempfile::tempdir().unwrap();
        let incidents = Incidents::new(dir.path().to_owned());
        let huge = "\u{1}".repeat(5 << 20);
        let incident = Incident {
            during: "http-done".into(),
            event: Some(huge.clone()),
            fault: GuestFault {
                kind: FaultKind::Trap,
                message: huge.clone(),
                detail: huge,
            },
            settled: Settled::Skipped,
        };
        for number in 0..KEPT as u64 + 10 {
            let now = Instant {
                mono_ms: number,
                wall_ms: 1_700_000_000_000 + number,
            };
            let file = incidents.keep("bad", now, &incident).unwrap();
            let text = std::fs::read_to_string(file).unwrap();
            assert!(text.contains("(5242880 bytes in all)"));
            // Each character takes six in JSON.
            assert!(
                text.len() <= 3 * 6 * MAX_PART_BYTES + 1000,
                "{}",
                text.len()
            );
        }
        let kept = std::fs::read_dir(dir.path().join("bad")).unwrap();
        assert_eq!(kept.count(), KEPT);
    }
}
