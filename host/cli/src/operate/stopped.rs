//! What can be said of a channel that does not run: from the store, without writing to it.

use std::time::SystemTime;

use prx_host::bindings::v0_1::{Mark, ReportLine};
use prx_host::store::{StoreCopy, StoreError};

use super::Desk;
use crate::outcome::Trouble;
use crate::render::{Report, bytes, line};
use crate::texts::Text;

impl Desk<'_> {
    /// Says that it does not run, and what is kept of it.
    pub(super) fn stopped(&self, name: &str) -> Result<Report, Trouble> {
        let start = self.start_it(name);
        let process = self.screen.say(Text::TopicProcess, &[]);
        let not_running = |text: String, fix: &str| ReportLine {
            fix: Some(fix.to_owned()),
            ..line(Mark::Fail, process.clone(), text)
        };
        let copy = match StoreCopy::of(self.state_dir()) {
            Ok(copy) => copy,
            Err(error @ StoreError::Locked { .. }) => return Ok(self.held(name, &error)),
            Err(error) => return Err(Trouble::Failed(error.into())),
        };
        let kept = copy.kept(name);
        let kept = kept.map_err(|error| Trouble::Failed(error.into()))?;
        let sentence = match (kept, copy.written()) {
            (Some(kept), Some(written)) => self.screen.say(
                Text::Kept,
                &[
                    &kept.entries,
                    &bytes(kept.bytes),
                    &kept.boots,
                    &self.ago(written),
                ],
            ),
            (None, Some(_)) => self.screen.say(Text::NeverStarted, &[]),
            (_, None) => {
                let dir = self.state_dir().display();
                self.screen.say(Text::NoStore, &[&dir])
            }
        };
        let store = self.screen.say(Text::TopicStore, &[]);
        let text = self.screen.say(Text::NothingRuns, &[]);
        Ok(Report {
            lines: vec![not_running(text, &start), line(Mark::Info, store, sentence)],
            data: None,
            summary: Some(start),
        })
    }

    /// A process has the store: one that does not answer, or one that runs other channels.
    fn held(&self, name: &str, error: &StoreError) -> Report {
        let process = self.screen.say(Text::TopicProcess, &[]);
        let (text, fix) = match self.line() {
            Ok(Some(_)) => (
                self.screen.say(Text::ChannelNotRunning, &[&name]),
                self.start_it(name),
            ),
            _ => (
                self.screen.say(Text::HeldSilently, &[error]),
                self.screen.say(Text::HeldFix, &[]),
            ),
        };
        let failed = ReportLine {
            fix: Some(fix.clone()),
            ..line(Mark::Fail, process, text)
        };
        Report {
            lines: vec![failed],
            data: None,
            summary: Some(fix),
        }
    }

    /// How long ago something was.
    pub(super) fn ago(&self, then: SystemTime) -> String {
        let seconds = then.elapsed().map_or(0, |age| age.as_secs());
        let duration = self.screen.locale.language.duration(seconds);
        self.screen.say(Text::Ago, &[&duration])
    }
}
