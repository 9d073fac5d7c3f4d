//! A look at a running channel, for whoever asks about it and does not own it.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Offer, RecordRefused, Recording, SwapFailed, Swapped};
use crate::actor::TraceForm;
use crate::bindings::v0_1::{Health, OperatorCommand, Reply};
use crate::config::Checked;
use crate::drivers::blobs::Blobs;
use crate::shell::Channel;
use crate::status::ChannelStatus;

/// A running channel, without the power to stop it. Kept for one question: it holds the store open.
#[derive(Clone)]
pub struct ChannelView {
    channel: Arc<Channel>,
}

impl std::fmt::Debug for ChannelView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ChannelView").field(&self.name()).finish()
    }
}

impl ChannelView {
    pub(crate) fn new(channel: Arc<Channel>) -> Self {
        Self { channel }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        self.channel.name()
    }

    /// How well the channel is.
    pub fn health(&self) -> Health {
        self.channel.health().borrow().clone()
    }

    /// How the channel is, as the host sees it.
    pub fn status(&self) -> ChannelStatus {
        self.channel.status()
    }

    /// Asks the running guest something. Replies come until the one that is `done`.
    pub fn command(&self, ask: OperatorCommand) -> mpsc::UnboundedReceiver<Reply> {
        self.channel.command(ask)
    }

    /// Gives the guest another configuration. With a line that fails in the last reply, the one
    /// before stays in force.
    pub fn reload(&self, config: Checked) -> mpsc::UnboundedReceiver<Reply> {
        self.channel.reload(config)
    }

    /// Offers a component to the channel. It takes over between two events, once it has proved that it can;
    /// sessions, requests, timers and turns stay as they are.
    ///
    /// # Errors
    /// Why it did not take over. The one that ran goes on.
    pub async fn swap(&self, offer: Offer) -> Result<Swapped, SwapFailed> {
        self.channel.swap(offer).await
    }

    /// Takes up what the operator has changed: a component, where there is another one, then the
    /// configuration. Replies come until the one that is `done`.
    pub fn renew(&self, plugin: Option<Offer>, config: Checked) -> mpsc::UnboundedReceiver<Reply> {
        self.channel.renew(plugin, config)
    }

    /// SHA-256 of the component that runs.
    pub fn digest(&self) -> String {
        self.channel.running_digest()
    }

    /// True for a component that took over in this process and broke: offering it again is for people.
    pub fn broke_before(&self, digest: &str) -> bool {
        self.channel.broke_before(digest)
    }

    /// Begins to record what happens; see [`crate::trace`].
    ///
    /// # Errors
    /// Why it cannot be recorded now.
    pub fn record(&self, form: TraceForm) -> Result<Recording, RecordRefused> {
        self.channel.record(form)
    }

    /// The channel's blobs.
    pub fn blobs(&self) -> &Blobs {
        self.channel.blobs()
    }
}
