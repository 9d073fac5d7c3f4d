//! Tools over MCP: programs that offer them, started when a turn first needs them and shared by all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prx_host::bindings::v0_1::TurnId;
use rmcp::model::{CallToolRequestParams, ContentBlock, JsonObject, Tool};
use rmcp::service::{RoleClient, RunningService, ServiceExt};
use serde_json::{Value, json};
use tokio::sync::{Mutex, oneshot};

use crate::config::{Approve, ToolServer};
use crate::history::now_ms;
use crate::program::{self, Program, Running};

/// Time for a program to start and say what it can do.
const START: Duration = Duration::from_secs(20);
/// One that did not start is left alone for so long.
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// Tools of one program that a model is told of.
const MAX_TOOLS: usize = 64;
/// Characters of a result that a model is told.
const MAX_RESULT: usize = 20_000;
/// Longest name that OpenAI takes.
const MAX_NAME: usize = 64;

/// All programs that offer tools.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Server {
    config: ToolServer,
    program: Program,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    up: Option<Up>,
    failed: Option<Instant>,
}

#[derive(Debug)]
struct Up {
    service: RunningService<RoleClient, ()>,
    tools: Vec<Tool>,
    _running: Running,
}

/// A tool that a model may call.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// As the model calls it.
    pub(crate) name: String,
    pub(crate) asks: bool,
    /// It may do something, and not only read.
    pub(crate) acts: bool,
    server: usize,
    tool: Tool,
}

impl Tools {
    pub(crate) fn new(servers: &[ToolServer], dir: Option<&std::path::Path>) -> Self {
        let servers = servers.iter().map(|config| Server {
            program: Program {
                command: config.command.clone(),
                env: config.env.clone(),
                dir: dir.map(std::path::Path::to_owned),
            },
            config: config.clone(),
            state: Mutex::default(),
        });
        let servers = servers.collect();
        Self { servers }
    }

    /// What there is right now. A program that does not start is left out.
    pub(crate) async fn offers(&self) -> Vec<Offer> {
        let mut offers: BTreeMap<String, Offer> = BTreeMap::new();
        for (at, server) in self.servers.iter().enumerate() {
            for tool in server.tools().await {
                let offer = server.offer(at, tool);
                // Two with one name after it was cut: the first stays.
                offers.entry(offer.name.clone()).or_insert(offer);
            }
        }
        offers.into_values().collect()
    }

    /// Calls a tool. What goes wrong is for the model to read. Dropped, the call is cancelled, and
    /// the program, which others use, goes on.
    pub(crate) async fn call(&self, offer: &Offer, arguments: JsonObject) -> String {
        let Some(server) = self.servers.get(offer.server) else {
            return "error: there is no such tool".into();
        };
        let peer = match &server.state.lock().await.up {
            Some(up) => up.service.peer().clone(),
            None => return "error: the tool is not there any more".into(),
        };
        let call = CallToolRequestParams::new(offer.tool.name.clone()).with_arguments(arguments);
        let limit = server.config.time_limit;
        let done = tokio::time::timeout(limit, peer.call_tool(call)).await;
        let text = match done {
            Err(_) => format!("error: no result within {} s", limit.as_secs()),
            Ok(Err(error)) => format!("error: {error}"),
            Ok(Ok(result)) => {
                let texts = result.content.iter().map(|content| match content {
                    ContentBlock::Text(text) => text.text.clone(),
                    _ => "(something that is not text)".to_owned(),
                });
                let text = texts.collect::<Vec<_>>().join("\n");
                match result.is_error {
                    Some(true) => format!("error: {text}"),
                    _ => text,
                }
            }
        };
        text.chars().take(MAX_RESULT).collect()
    }
}

impl Server {
    async fn tools(&self) -> Vec<Tool> {
        let mut state = self.state.lock().await;
        if state.up.as_ref().is_some_and(|up| up.service.is_closed()) {
            tracing::warn!(tools = self.config.name, "the program of tools has ended");
            state.up = None;
        }
        let recently = |at: Instant| at.elapsed() < LEFT_ALONE;
        if state.up.is_none() && !state.failed.is_some_and(recently) {
            match tokio::time::timeout(START, self.start()).await {
                Ok(Ok(up)) => state.up = Some(up),
                Ok(Err(why)) => self.failed(&mut state, &why),
                Err(_) => self.failed(&mut state, "it does not say what it can do"),
            }
        }
        state
            .up
            .as_ref()
            .map_or_else(Vec::new, |up| up.tools.clone())
    }

    fn failed(&self, state: &mut State, why: &str) {
        state.failed = Some(Instant::now());
        let name = &self.config.name;
        tracing::warn!("the tools of [agent.tools.{name}] are not there: {why}; check its command");
    }

    async fn start(&self) -> Result<Up, String> {
        let (running, pipes) = self.program.start().map_err(|e| e.to_string())?;
        let name = self.config.name.clone();
        tokio::spawn(async move { program::complaints(&name, pipes.stderr).await });
        let service = ().serve((pipes.stdout, pipes.stdin)).await;
        let service = service.map_err(|e| e.to_string())?;
        let tools = service.peer().list_all_tools().await;
        let mut tools = tools.map_err(|e| e.to_string())?;
        tools.truncate(MAX_TOOLS);
        Ok(Up {
            service,
            tools,
            _running: running,
        })
    }

    fn offer(&self, server: usize, tool: Tool) -> Offer {
        let hints = tool.annotations.as_ref();
        let reads = hints.and_then(|hints| hints.read_only_hint) == Some(true);
        let whole = format!("{}_{}", self.config.name, tool.name);
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
            _ => '_',
        };
        Offer {
            name: whole.chars().map(plain).take(MAX_NAME).collect(),
            asks: match self.config.approve {
                Approve::Always => true,
                Approve::Never => false,
                // What says nothing may do anything: that is how the protocol has it.
                Approve::Marked => !reads,
            },
            acts: !reads,
            server,
            tool,
        }
    }
}

impl Offer {
    /// As OpenAI describes a tool.
    pub(crate) fn described(&self) -> Value {
        json!({"type": "function", "function": {
            "name": self.name,
            "description": self.tool.description,
            "parameters": *self.tool.input_schema,
        }})
    }

    /// For people.
    pub(crate) fn title(&self) -> &str {
        let hints = self.tool.annotations.as_ref();
        let title = hints.and_then(|hints| hints.title.as_deref());
        self.tool.title.as_deref().or(title).unwrap_or(&self.name)
    }
}

/// Questions that wait for a person.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    waiting: std::sync::Mutex<BTreeMap<Question, oneshot::Sender<bool>>>,
    named: AtomicU64,
}

/// The channel, the turn, and the question's name.
pub(crate) type Question = (String, TurnId, String);

impl Questions {
    /// A name that no question of this process has; an answer to one of an earlier process must not
    /// be taken for an answer to another.
    pub(crate) fn name(&self) -> String {
        let number = self.named.fetch_add(1, Ordering::Relaxed);
        let start = now_ms();
        format!("{start:x}-{number}")
    }

    pub(crate) fn ask(&self, question: Question) -> oneshot::Receiver<bool> {
        let (answer, answered) = oneshot::channel();
        let mut waiting = self.waiting();
        // Turns that ended without an answer leave theirs behind.
        waiting.retain(|_, answer| !answer.is_closed());
        waiting.insert(question, answer);
        answered
    }

    pub(crate) fn answer(&self, question: &Question, allowed: bool) {
        if let Some(answer) = self.waiting().remove(question) {
            // A turn that is over does not care.
            let _ = answer.send(allowed);
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<Question, oneshot::Sender<bool>>> {
        self.waiting
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
