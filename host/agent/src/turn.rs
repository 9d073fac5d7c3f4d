//! One turn, from the message to the last word, or to wherever it is stopped.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prx_host::agent::AgentLine;
use prx_host::bindings::v0_1::{AnswerPart, TurnBegin, TurnEvent, TurnNews};
use tokio_util::sync::CancellationToken;

use crate::echo;
use crate::history::{Key, Said};
use crate::openai::{OpenAi, WordSink};
use crate::port::Shared;
use crate::prompt;

/// What answers, ready to.
#[derive(Debug)]
pub(crate) enum Answerer {
    /// See [`crate::echo`].
    Echo,
    /// See [`crate::openai`].
    OpenAi {
        endpoint: Box<OpenAi>,
        system_prompt: String,
    },
}

/// A turn under way.
pub(crate) struct Turn {
    pub(crate) shared: Arc<Shared>,
    pub(crate) key: Key,
    pub(crate) begin: TurnBegin,
    pub(crate) line: AgentLine,
    pub(crate) cancelled: CancellationToken,
}

impl Turn {
    /// Runs to the end and reports it.
    pub(crate) async fn run(self) {
        let asked = prompt::message(&self.begin.message);
        let said = self.shared.history().asked(&self.key, self.begin.id, asked);
        let limit = self.time_limit();
        let news = tokio::select! {
            // First, so that a turn that is cancelled and done at once counts as cancelled.
            biased;
            () = self.cancelled.cancelled() => TurnNews::Cancelled,
            answer = tokio::time::timeout(limit, self.answer(&said)) => match answer {
                Ok(Ok(text)) => self.finished(text),
                Ok(Err(why)) => self.failed(&why),
                Err(_) => self.failed(&format!("no answer within {} s", limit.as_secs())),
            },
        };
        self.send(news).await;
    }

    async fn answer(&self, said: &[Said]) -> Result<String, String> {
        match &self.shared.answerer {
            Answerer::Echo => {
                let message = &self.begin.message;
                let plan = echo::plan(&message.text, message.attachments.len());
                tokio::time::sleep(plan.after).await;
                plan.answer
            }
            Answerer::OpenAi {
                endpoint,
                system_prompt,
            } => {
                let (shows, private) = (&self.begin.shows, self.begin.message.private);
                let system = prompt::system(system_prompt, shows, private);
                let answer = endpoint.answer(system, said, &self.words()).await;
                answer.map_err(|error| error.to_string())
            }
        }
    }

    /// Passes words on where the place can show them growing.
    fn words(&self) -> Box<WordSink> {
        let (line, streaming) = (self.line.clone(), self.begin.shows.streaming);
        let (turn, attempt) = (self.begin.id, self.begin.attempt);
        Box::new(move |word| {
            let line = line.clone();
            Box::pin(async move {
                if streaming {
                    let news = TurnNews::Delta(word);
                    line.send(TurnEvent {
                        turn,
                        attempt,
                        news,
                    })
                    .await;
                }
            })
        })
    }

    /// The operator's limit, or less when the answer could not be delivered any more.
    fn time_limit(&self) -> Duration {
        let limit = self.shared.time_limit;
        let Some(deadline) = self.begin.deadline_wall_ms else {
            return limit;
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        limit.min(Duration::from_millis(deadline).saturating_sub(now))
    }

    fn finished(&self, text: String) -> TurnNews {
        let answer = text.clone();
        self.shared
            .history()
            .answered(&self.key, self.begin.id, answer);
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![AnswerPart::Text(text)]
        };
        TurnNews::Finished(parts)
    }

    fn failed(&self, why: &str) -> TurnNews {
        tracing::warn!(channel = %self.key.channel, turn = self.begin.id, "the agent failed: {why}");
        let mut history = self.shared.history();
        history.lose(
            &self.key.channel,
            self.begin.id,
            "never given: the agent failed",
        );
        TurnNews::Failed(why.to_owned())
    }

    async fn send(&self, news: TurnNews) {
        let event = TurnEvent {
            turn: self.begin.id,
            attempt: self.begin.attempt,
            news,
        };
        // False when the channel is gone, and then nobody waits.
        self.line.send(event).await;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use prx_host::bindings::v0_1::{Occasion, SceneShows, Sender, TurnMessage};

    use super::*;

    /// A turn of Anna's, in private.
    pub(crate) fn begin(id: u64, text: &str) -> TurnBegin {
        TurnBegin {
            id,
            attempt: 1,
            conversation: "c".into(),
            message: TurnMessage {
                occasion: Occasion::Message,
                platform_id: format!("m{id}"),
                scene: "room".into(),
                private: true,
                addressed: true,
                sender: Sender {
                    id: "u1".into(),
                    name: Some("Anna".into()),
                    role: None,
                    bot: false,
                },
                text: text.into(),
                quoted: None,
                attachments: vec![],
                sent_wall_ms: 0,
            },
            shows: SceneShows {
                markdown: false,
                media: vec![],
                buttons: false,
                cards: vec![],
                streaming: true,
                max_chars: 2000,
                notes: vec!["Links are refused here.".into()],
            },
            deadline_wall_ms: None,
        }
    }
}
