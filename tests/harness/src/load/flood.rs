//! A flood: more than the bot can answer, written as fast as it goes. Nobody waits for each answer; what is looked at is
//! what the bot does then, and afterwards.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use anyhow::Result;

use super::client::{Client, Heard, Place};
use super::drive::Bot;

/// After so long without a word of the bot's it has nothing more to say.
const SILENCE: Duration = Duration::from_secs(15);
/// Sends that are slow, when they are: more than the bot makes meanwhile.
const SLOW_SENDS: u64 = 1_000;

/// What is written.
#[derive(Debug, Clone)]
pub struct Flood {
    /// Messages.
    pub messages: u64,
    /// People that write them, in private chats.
    pub users: u64,
    /// Characters of each.
    pub chars: usize,
    /// Seconds that the platform takes for a send, while it lasts.
    pub slow_s: u64,
    /// The process is killed in the middle, and started again.
    pub kill: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flooded {
    /// Messages written.
    pub written: u64,
    /// Messages that an answer was sent under; a long one borrows from others of its place.
    pub answered: u64,
    /// Messages whose answer was that there are too many.
    pub refused: u64,
}

impl fmt::Display for Flooded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            written,
            answered,
            refused,
        } = self;
        writeln!(
            f,
            "flood       {written} written, {answered} answered, {refused} told that there are too many"
        )
    }
}

/// Floods the bot of an emulator, and waits until it has nothing more to say.
///
/// # Errors
/// When the emulator or the bot's process is gone.
pub async fn flood<B: Bot>(client: &mut Client, flood: &Flood, bot: &mut B) -> Result<Flooded> {
    if flood.slow_s > 0 {
        let slow = format!("slow {}s at post x{SLOW_SENDS}", flood.slow_s);
        client.fault(&slow).await?;
    }
    let text = "洪".repeat(flood.chars);
    let mut flooded = Flooded::default();
    let (mut answered, mut told) = (BTreeSet::new(), BTreeSet::new());
    let mut take = |heard: Heard| {
        if let Heard::Reply { to, text, .. } = heard {
            let of = if text.contains("排队") {
                &mut told
            } else {
                &mut answered
            };
            // Of a long answer the first part counts.
            of.insert(to);
        }
    };
    for number in 0..flood.messages {
        let user = format!("flooder{}", number % flood.users.max(1));
        client.write(number, &Place::C2c, &user, &text).await?;
        flooded.written += 1;
        if flood.kill && number == flood.messages / 2 {
            bot.kill()?;
        }
        while let Ok(heard) = tokio::time::timeout(Duration::ZERO, client.hear()).await {
            take(heard?);
        }
    }
    while let Ok(heard) = tokio::time::timeout(SILENCE, client.hear()).await {
        take(heard?);
    }
    flooded.answered = answered.len() as u64;
    flooded.refused = told.len() as u64;
    Ok(flooded)
}
