//! A look at a running channel, for whoever asks about it and does not own it.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::bindings::v0_1::{Health, OperatorCommand, Reply};
use crate::config::Checked;
use crate::drivers::blobs::Blobs;
use crate::egress::BadWidening;
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
    ///
    /// # Errors
    /// A configured URL cannot be used.
    pub fn reload(&self, config: Checked) -> Result<mpsc::UnboundedReceiver<Reply>, BadWidening> {
        self.channel.reload(config)
    }

    /// The channel's blobs.
    pub fn blobs(&self) -> &Blobs {
        self.channel.blobs()
    }
}
