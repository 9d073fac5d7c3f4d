//! The port to whatever answers messages. The host hands turns over and takes news back; it does
//! not know what an agent is made of.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::bindings::v0_1::{
    ApprovalAnswer, TurnBegin, TurnCancel, TurnContext, TurnEvent, TurnOutcome,
};
use crate::drivers::blobs::Blobs;

/// What a channel asks of the agent.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentAsk {
    /// Begin a turn. News comes back until it is finished, failed or cancelled.
    Begin(TurnBegin),
    /// Add to a conversation's history.
    Context(TurnContext),
    /// Stop a turn; answered by `cancelled`, once it has really stopped.
    Cancel(TurnCancel),
    /// What became of an answer.
    Outcome(TurnOutcome),
    /// A decision that the agent asked for.
    Approval(ApprovalAnswer),
    /// Forget a conversation's history.
    Reset(String),
}

/// An agent, seen from the host. One serves all channels.
pub trait AgentPort: Send + Sync + fmt::Debug {
    /// A channel has come up; its news goes into `line`. Called again when it comes up again.
    fn attach(&self, channel: &str, line: AgentLine);

    /// Takes one request. Returns at once: the work is done elsewhere, inside the tokio runtime
    /// that the caller has entered.
    fn ask(&self, channel: &str, ask: AgentAsk);

    /// A channel is gone. What was under way for it is stopped.
    fn detach(&self, channel: &str);

    /// How many turns of a channel wait to begin: none with an agent that begins all at once.
    fn waiting(&self, channel: &str) -> usize {
        let _ = channel;
        0
    }

    /// Forgets what a person of a channel has said and what was answered, by the sender's id. Returns
    /// how many messages there were: none with an agent that remembers nothing.
    fn forget(&self, channel: &str, sender: &str) -> usize {
        let _ = (channel, sender);
        0
    }
}

/// One channel's line, as the agent holds it.
#[derive(Clone)]
pub struct AgentLine {
    news: NewsSender,
    blobs: Blobs,
}

impl fmt::Debug for AgentLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentLine").finish_non_exhaustive()
    }
}

/// The way back to the channel: a function, so that an agent knows nothing of queues, and a test
/// can listen. It waits while the channel has a lot to do; false when the channel is gone.
pub type NewsSender = Arc<dyn Fn(TurnEvent) -> BoxFuture<'static, bool> + Send + Sync>;

impl AgentLine {
    /// A line from its two ends.
    pub fn new(news: NewsSender, blobs: Blobs) -> Self {
        Self { news, blobs }
    }

    /// Hands news over. Waits while the channel has a lot to do. False when it is gone.
    pub async fn send(&self, news: TurnEvent) -> bool {
        (self.news)(news).await
    }

    /// The channel's blobs: what was attached to messages, and where an answer's media go.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }
}
