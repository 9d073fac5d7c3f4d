//! The checkpoint: all that is in flight, in a form that the next version can read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::access;
use crate::auth::Auth;
use crate::channel::Examination;
use crate::env::{Clock, Jitter};
use crate::gateway::Gateway;
use crate::ids::Ids;
use crate::requests::Requests;
use crate::timers::Timers;
use crate::turns::InFlight;

use super::STATE_VERSION;

/// What an instance hands to the one that takes its place. What is remembered is in stored entries instead. Borrowed
/// where it is written, which is often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    /// Where id counting stands.
    pub ids: Cow<'a, Ids>,
    /// Where jitter stands.
    pub jitter: Cow<'a, Jitter>,
    /// What was learned of the platform's clock.
    pub clock: Clock,
    /// Timers set.
    pub timers: Cow<'a, Timers>,
    /// Requests under way.
    pub requests: Cow<'a, Requests>,
    /// The token.
    pub auth: Cow<'a, Auth>,
    /// The connection.
    pub gateway: Cow<'a, Gateway>,
    /// Turns, as far as they are not stored.
    #[serde(borrow)]
    pub turns: InFlight<'a>,
    /// Who pairs.
    #[serde(borrow)]
    pub access: access::InFlight<'a>,
    /// No new turns are taken.
    pub draining: Option<u64>,
    /// The doctor's examination under way.
    pub examination: Cow<'a, Option<Examination>>,
    /// Started to be asked something only.
    pub probe: bool,
    /// What was last said of how the channel is: code, sentence, remedy.
    pub health: Cow<'a, Option<(String, String, Option<String>)>>,
}

/// Why a checkpoint cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It was written in a state version that this component does not read.
    #[error(
        "the checkpoint has state version {found}, and this component reads {STATE_VERSION}; use a component that reads both"
    )]
    Version {
        /// Its version.
        found: u32,
    },
    /// It is damaged.
    #[error("the checkpoint is damaged; start afresh from the stored entries")]
    Damaged,
    /// A version was asked for that this component does not write.
    #[error("this component writes state version {STATE_VERSION}, not {wanted}")]
    CannotWrite {
        /// The version asked for.
        wanted: u32,
    },
}

impl<'a> Checkpoint<'a> {
    /// Writes it: the version as four bytes, then the state.
    ///
    /// # Errors
    /// When the state cannot be written, which no state of ours is known to cause.
    pub fn write(&self) -> Result<Vec<u8>, CheckpointError> {
        let bytes = STATE_VERSION.to_le_bytes().to_vec();
        postcard::to_extend(self, bytes).map_err(|_| CheckpointError::Damaged)
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the version is not ours, or the bytes are not a checkpoint.
    pub fn read(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let (version, state) = bytes
            .split_first_chunk::<4>()
            .ok_or(CheckpointError::Damaged)?;
        let found = u32::from_le_bytes(*version);
        if found != STATE_VERSION {
            return Err(CheckpointError::Version { found });
        }
        postcard::from_bytes(state).map_err(|_| CheckpointError::Damaged)
    }
}
