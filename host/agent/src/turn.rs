//! One turn, from the message to the last word, or to wherever it is stopped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use prx_host::agent::AgentLine;
use prx_host::bindings::v0_1::{AnswerPart, Attachment, TurnBegin, TurnEvent, TurnNews};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::answer::Answers;
use crate::command::{self, Line, Told};
use crate::echo::{self, Plan};
use crate::history::{Key, Said, Source};
use crate::marks::growing::Growing;
use crate::openai::{Ask, OpenAi, WordSink};
use crate::port::Shared;
use crate::program::Program;
use crate::prompt::{self, Given};
use crate::seats::{Full, Seat};
use crate::tools::Offer;
use crate::vision;

mod tools;

/// Longest wait for a place, where the answer can be delivered for longer than that.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// What answers, ready to.
#[derive(Debug)]
pub(crate) enum Answerer {
    /// See [`crate::echo`].
    Echo,
    /// See [`crate::openai`].
    OpenAi {
        endpoint: Box<OpenAi>,
        system_prompt: String,
        images: bool,
    },
    /// See [`crate::command`].
    Command {
        program: Program,
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
    /// Its place among those that run.
    pub(crate) seat: Mutex<Option<Seat>>,
}

/// An answer as it was written, and as it is sent.
struct Answer {
    text: String,
    parts: Vec<AnswerPart>,
}

impl Turn {
    /// Runs to the end and reports it.
    pub(crate) async fn run(self) {
        // At once, so that messages stand in the order in which they came.
        let asked = prompt::message(&self.begin.message, &[]);
        let (id, source) = (self.begin.id, Source::of(&self.begin.message));
        let said = self.shared.history().asked(&self.key, id, source, asked);
        let news = tokio::select! {
            // First, so that a turn that is cancelled and done at once counts as cancelled.
            biased;
            () = self.cancelled.cancelled() => TurnNews::Cancelled,
            news = self.seated(said) => news,
        };
        // Not held while the channel has no time to listen.
        self.stand_up();
        self.send(news).await;
    }

    /// Waits for a place, and answers.
    async fn seated(&self, said: Vec<Said>) -> TurnNews {
        let patience = self.window().unwrap_or(MAX_WAIT).min(MAX_WAIT);
        match tokio::time::timeout(patience, self.sit_down()).await {
            Ok(Ok(())) => {}
            Ok(Err(Full)) => return self.failed(
                "too many messages wait for an answer already; raise [agent] at_once if the machine can do more",
            ),
            Err(_) => return self.failed(
                "no other answer was done in time for this one to begin; raise [agent] at_once if the machine can do more",
            ),
        }
        let limit = self.time_limit();
        let until = Instant::now() + limit;
        match tokio::time::timeout(limit, self.answer(said, until)).await {
            Ok(Ok(answer)) => self.finished(answer),
            Ok(Err(why)) => self.failed(&why),
            Err(_) => self.failed(&format!("no answer within {} s", limit.as_secs())),
        }
    }

    async fn sit_down(&self) -> Result<(), Full> {
        let seat = self.shared.seats.take(&self.key).await?;
        *self.seat.lock().unwrap_or_else(PoisonError::into_inner) = Some(seat);
        Ok(())
    }

    fn stand_up(&self) {
        let seat = self
            .seat
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(seat);
    }

    /// Waits for a person, who may take long, and lets another turn run meanwhile.
    async fn without_seat<T>(&self, waits: impl Future<Output = T>) -> Result<T, Full> {
        self.stand_up();
        let result = waits.await;
        self.sit_down().await?;
        Ok(result)
    }

    async fn answer(&self, mut said: Vec<Said>, until: Instant) -> Result<Answer, String> {
        let given = self.take_in().await;
        if !given.is_empty() {
            self.reword(&mut said, &given);
        }
        let text = match &self.shared.answerer {
            Answerer::Echo => self.echo(echo::plan(&self.begin.message, &given)).await?,
            Answerer::OpenAi {
                endpoint,
                system_prompt,
                images,
            } => {
                let TurnBegin { shows, message, .. } = &self.begin;
                let system = prompt::system(system_prompt, shows, message.private);
                let pictures = match images {
                    true => vision::pictures(self.line.blobs(), &message.attachments).await,
                    false => Vec::new(),
                };
                self.has_acted()?;
                let offers = self.shared.tools.offers().await;
                let (words, offers) = (self.words(), &offers);
                let call = |call| -> BoxFuture<'_, String> { Box::pin(self.call(offers, call)) };
                let ask = Ask {
                    system,
                    said: &said,
                    pictures,
                    tools: offers.iter().map(Offer::described).collect(),
                    until,
                };
                let answer = endpoint.answer(ask, &words, &call).await;
                answer.map_err(|error| error.to_string())?
            }
            Answerer::Command {
                program,
                system_prompt,
            } => self.command(program, system_prompt, &said).await?,
        };
        let parts = self.parts(&text).await;
        Ok(Answer { text, parts })
    }

    async fn parts(&self, text: &str) -> Vec<AnswerPart> {
        let answers = Answers {
            folder: self.shared.media.as_ref(),
            blobs: self.line.blobs(),
            channel: &self.key.channel,
        };
        answers.parts(text).await
    }

    /// Lets a program answer.
    async fn command(
        &self,
        program: &Program,
        system_prompt: &str,
        said: &[Said],
    ) -> Result<String, String> {
        let (begin, words) = (&self.begin, self.words());
        let told = Told {
            channel: &self.key.channel,
            begin,
            system: &prompt::system(system_prompt, &begin.shows, begin.message.private),
            said,
        };
        let words = &words;
        let hear = |line| async move {
            match line {
                Line::Delta(more) => words(more).await,
                Line::Note(note) => self.send(TurnNews::ToolNote(note)).await,
                Line::Message(text) => {
                    let parts = self.parts(&text).await;
                    self.send(TurnNews::Message(parts)).await;
                }
                // The last word is not among what comes before it.
                Line::Finished(_) | Line::Failed(_) => {}
            }
        };
        let answer = command::answer(program, &told, hear).await;
        answer.map_err(|error| error.to_string())
    }

    /// Puts what is attached into the media folder.
    async fn take_in(&self) -> Vec<Given> {
        let mut given = Vec::new();
        for attached in &self.begin.message.attachments {
            given.push(self.take_in_one(attached).await);
        }
        given
    }

    async fn take_in_one(&self, attached: &Attachment) -> Given {
        let Some(blob) = attached.blob else {
            let unknown = || "nobody has fetched it".into();
            return Err(attached.missing.clone().unwrap_or_else(unknown));
        };
        let Some(folder) = &self.shared.media else {
            return Err("there is no folder to keep it in".into());
        };
        let (blobs, name) = (self.line.blobs(), attached.name.as_deref());
        let taken = folder.take_in(blobs, blob, name, attached.kind).await;
        taken.map_err(|error| {
            let (channel, turn) = (&self.key.channel, self.begin.id);
            tracing::warn!(%channel, turn, "an attachment is not kept: {error}");
            // The operator's part of it is none of the model's.
            "it could not be kept".into()
        })
    }

    /// The message again, now that it is known where its attachments are.
    fn reword(&self, said: &mut [Said], given: &[Given]) {
        let asked = prompt::message(&self.begin.message, given);
        if let Some(Said::Exchange(last)) = said.last_mut() {
            Arc::make_mut(last).asked.clone_from(&asked);
        }
        let mut history = self.shared.history();
        history.reworded(&self.key, self.begin.id, asked);
    }

    /// Carries the echo agent's plan out.
    async fn echo(&self, plan: Plan) -> Result<String, String> {
        // A sleep of no time takes a millisecond: the clock of sleeps has no finer step.
        if !plan.after.is_zero() {
            tokio::time::sleep(plan.after).await;
        }
        let mut answer = plan.answer?;
        for file in plan.files {
            let folder = self.shared.media.as_ref();
            let folder = folder.ok_or("the echo agent has no media folder to make a file in")?;
            let (content, bytes) = (file.content.read(), file.content.bytes());
            let path = folder.make(&file.name, bytes, content).await;
            let path = path.map_err(|error| error.to_string())?;
            answer = file.put_into(&answer, &path);
        }
        if let Some((pieces, pace)) = plan.grows {
            let word = self.words();
            let letters: Vec<char> = answer.chars().collect();
            for piece in letters.chunks(letters.len().div_ceil(pieces).max(1)) {
                word(piece.iter().collect()).await;
                tokio::time::sleep(pace).await;
            }
        }
        Ok(answer)
    }

    /// Passes words on where the place can show them growing: those that are certain to be words.
    fn words(&self) -> Box<WordSink> {
        let (line, streaming) = (self.line.clone(), self.begin.shows.streaming);
        let (turn, attempt) = (self.begin.id, self.begin.attempt);
        let growing = Mutex::new(Growing::default());
        Box::new(move |word| {
            let line = line.clone();
            let mut growing = growing.lock().unwrap_or_else(PoisonError::into_inner);
            let shown = growing.push(&word);
            Box::pin(async move {
                if streaming && !shown.is_empty() {
                    let news = TurnNews::Delta(shown);
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
        self.window().map_or(limit, |window| limit.min(window))
    }

    /// How long an answer can be delivered, where that has an end.
    fn window(&self) -> Option<Duration> {
        let deadline = self.begin.deadline_wall_ms?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Some(Duration::from_millis(deadline).saturating_sub(now))
    }

    fn finished(&self, answer: Answer) -> TurnNews {
        let mut history = self.shared.history();
        history.answered(&self.key, self.begin.id, answer.text);
        TurnNews::Finished(answer.parts)
    }

    fn failed(&self, why: &str) -> TurnNews {
        tracing::warn!(channel = %self.key.channel, turn = %format_args!("{:x}", self.begin.id), "the agent failed: {why}");
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
