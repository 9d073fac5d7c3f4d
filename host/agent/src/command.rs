//! A program that answers: started for each turn, told of it in one line of JSON, and listened to
//! line by line. What is said on both sides stands in `host/docs/agent.md`.

use std::time::Duration;

use prx_host::bindings::v0_1::{SceneShows, Sender, TurnBegin};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use crate::history::Said;
use crate::program::{self, Program};

/// Bytes that a program may say in one turn: more than any place shows, and less than hurts.
const MAX_BYTES: u64 = 1 << 20;
/// A program that has said its last word may tidy up for so long.
const TIDY_UP: Duration = Duration::from_secs(5);

/// The program gave no answer. For the operator; a person is told less.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It does not start.
    #[error("the program {program} does not start: {cause}; check [agent] command")]
    Start {
        /// Its name.
        program: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A pipe broke.
    #[error("the program cannot be listened to: {0}; see what it does at the log level debug")]
    Pipe(std::io::Error),
    /// It ended with a failure.
    #[error(
        "the program ended with {status}{said}; run it by hand with a turn as in host/docs/agent.md"
    )]
    Ended {
        /// How.
        status: String,
        /// The last line of its complaints, or nothing.
        said: String,
    },
    /// It said that it failed.
    #[error("{0}")]
    Failed(String),
    /// It talks too much.
    #[error("the program said more than {MAX_BYTES} bytes; make it say less")]
    TooMuch,
    /// It said nothing.
    #[error("the program answered without a word")]
    Empty,
}

/// What a program is told.
#[derive(Debug, Serialize)]
struct Turn<'a> {
    channel: &'a str,
    turn: u64,
    attempt: u32,
    conversation: &'a str,
    system: &'a str,
    /// As a model reads it: who it is from, what is quoted and attached.
    prompt: &'a str,
    message: Message<'a>,
    history: Vec<Word>,
    shows: &'a SceneShows,
    deadline_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    id: &'a str,
    text: &'a str,
    private: bool,
    scene: &'a str,
    sender: &'a Sender,
}

#[derive(Debug, Serialize)]
struct Word {
    role: &'static str,
    text: String,
}

/// What a program says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// More of the answer, as it is written.
    Delta(String),
    /// What it is doing.
    Note(String),
    /// A message before the answer.
    Message(String),
    /// The answer.
    Finished(String),
    /// There is none.
    Failed(String),
}

/// A turn as a program is told of it.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) channel: &'a str,
    pub(crate) begin: &'a TurnBegin,
    pub(crate) system: &'a str,
    pub(crate) said: &'a [Said],
}

/// Lets a program answer. What it says before the answer goes to `hear`. Dropped, it kills it.
pub(crate) async fn answer<F: Future<Output = ()>>(
    program: &Program,
    told: &Told<'_>,
    hear: impl Fn(Line) -> F,
) -> Result<String, CommandError> {
    let started = program.start().map_err(|cause| CommandError::Start {
        program: program.name().to_owned(),
        cause,
    });
    let (running, mut pipes) = started?;
    let turn = told.line().map_err(CommandError::Pipe)?;
    let mut stdin = pipes.stdin;
    let tell = async move {
        // One that does not listen breaks this pipe, and may answer all the same.
        let _ = stdin.write_all(&turn).await;
        drop(stdin);
        // The end is what is heard, not what is told.
        std::future::pending::<()>().await;
    };
    let listen = async {
        let mut heard = Heard::default();
        let mut left = MAX_BYTES;
        while let Some(line) = program::line(&mut pipes.stdout, left)
            .await
            .map_err(CommandError::Pipe)?
        {
            left = left.saturating_sub(line.len() as u64 + 1);
            if left == 0 {
                return Err(CommandError::TooMuch);
            }
            match heard.line(line) {
                Some(Line::Finished(text)) => return Ok((Some(text), heard)),
                Some(Line::Failed(why)) => return Err(CommandError::Failed(why)),
                Some(line) => hear(line).await,
                None => {}
            }
        }
        Ok((None, heard))
    };
    let complain = program::complaints(program.name(), pipes.stderr);
    tokio::pin!(complain);
    let mut complaint = None;
    let heard = {
        tokio::pin!(tell, listen);
        loop {
            tokio::select! {
                heard = &mut listen => break heard,
                () = &mut tell => {}
                last = &mut complain, if complaint.is_none() => complaint = Some(last),
            }
        }
    };
    match heard? {
        (Some(text), _) => {
            // The answer does not wait for it. The task holds the program, so that it ends with it.
            tokio::spawn(running.end(TIDY_UP));
            words(text)
        }
        (None, heard) => {
            let status = running.end(TIDY_UP).await;
            match status.filter(|status| !status.success()) {
                Some(status) => {
                    let last = match complaint {
                        Some(last) => last,
                        // Something that it started may keep the pipe open.
                        None => tokio::time::timeout(TIDY_UP, complain).await.ok().flatten(),
                    };
                    let said = last.map(|last| format!(" and said: {last}"));
                    Err(CommandError::Ended {
                        status: status.to_string(),
                        said: said.unwrap_or_default(),
                    })
                }
                None => words(heard.into_text()),
            }
        }
    }
}

fn words(text: String) -> Result<String, CommandError> {
    match text.trim().is_empty() {
        true => Err(CommandError::Empty),
        false => Ok(text),
    }
}

/// What has been said that is no event of its own.
#[derive(Debug, Default)]
struct Heard {
    plain: Vec<String>,
    deltas: String,
}

impl Heard {
    fn line(&mut self, line: String) -> Option<Line> {
        match serde_json::from_str(&line) {
            Ok(known) => {
                if let Line::Delta(more) = &known {
                    self.deltas.push_str(more);
                }
                Some(known)
            }
            // Whatever else it is, it is words.
            Err(_) => {
                self.plain.push(line);
                None
            }
        }
    }

    /// The answer of a program that ended without saying which.
    fn into_text(self) -> String {
        let plain = self.plain.join("\n");
        match plain.trim().is_empty() {
            true => self.deltas,
            false => plain,
        }
    }
}

impl Told<'_> {
    fn line(&self) -> std::io::Result<Vec<u8>> {
        let TurnBegin { message, .. } = self.begin;
        let (prompt, before) = match self.said.split_last() {
            Some((Said::Exchange(last), before)) => (last.asked.as_str(), before),
            Some((Said::Aside(_), _)) | None => (message.text.as_str(), self.said),
        };
        let turn = Turn {
            channel: self.channel,
            turn: self.begin.id,
            attempt: self.begin.attempt,
            conversation: &self.begin.conversation,
            system: self.system,
            prompt,
            message: Message {
                id: &message.platform_id,
                text: &message.text,
                private: message.private,
                scene: &message.scene,
                sender: &message.sender,
            },
            history: before.iter().flat_map(history).collect(),
            shows: &self.begin.shows,
            deadline_ms: self.begin.deadline_wall_ms,
        };
        let mut line = serde_json::to_vec(&turn)?;
        line.push(b'\n');
        Ok(line)
    }
}

fn history(said: &Said) -> Vec<Word> {
    let word = |role, text: String| Word { role, text };
    match said {
        Said::Aside(text) => vec![word("aside", text.to_string())],
        Said::Exchange(exchange) => {
            let mut words = vec![word("user", exchange.asked.clone())];
            words.extend(exchange.answer().map(|text| word("assistant", text)));
            words
        }
    }
}
