//! The recording of the built-in bot: made from its start on, so that it is there when somebody wants it.

use std::sync::{Arc, Mutex, PoisonError};

use prx::Running;

/// Bytes kept. What is longer is no report any more; the recording ends there.
const LARGEST: usize = 32 << 20;

/// The lines of the running recording.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Which recording this is: an older one that has lines left to say is not listened to.
    number: u64,
    lines: String,
    /// Why there is none.
    refused: Option<String>,
}

impl Kept {
    /// Begins with a bot that has just started, in place of what was kept of the one before.
    pub(super) fn begin(&self, running: &Running) {
        let recording = running.record(super::CHANNEL);
        let number = self.with(|state| {
            let refused = recording.as_ref().err().cloned();
            *state = State {
                number: state.number + 1,
                lines: String::new(),
                refused,
            };
            state.number
        });
        let Ok(mut recording) = recording else { return };
        let kept = self.clone();
        tokio::spawn(async move {
            while let Some(line) = recording.next().await {
                let Ok(text) = line.write() else { return };
                let goes_on = kept.with(|state| {
                    let fits = state.lines.len() + text.len() < LARGEST;
                    if fits && state.number == number {
                        state.lines.push_str(&text);
                        state.lines.push('\n');
                    }
                    fits && state.number == number
                });
                if !goes_on {
                    return;
                }
            }
        });
    }

    /// All lines so far.
    pub(super) fn text(&self) -> Result<String, String> {
        self.with(|state| match &state.refused {
            Some(why) => Err(why.clone()),
            None => Ok(state.lines.clone()),
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
