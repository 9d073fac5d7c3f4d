//! Driving the load: who writes when, what is awaited, and what goes wrong meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;

use super::client::{Client, Heard, Place};
use super::report::Report;

/// How long to look out for a second answer after the last first one.
const AFTERMATH: Duration = Duration::from_secs(2);

/// Ends the session, so that what is said in the gap is nobody's: it strikes when nothing is under way.
const ENDS_THE_SESSION: &str = "op9 false";

/// Faults of the list: after each of them the platform still has everything that was said.
const FAULTS: [&str; 13] = [
    "drop",
    "drop-before-event",
    "op7",
    "op9 true",
    ENDS_THE_SESSION,
    "close 4009",
    "triple",
    "token-death",
    "429",
    "500",
    "garbage not-json",
    "cut-after-delivery",
    "slow-after-delivery 2s",
];

/// A load.
#[derive(Debug, Clone)]
pub struct Load {
    /// Users that write; every second one writes in a group.
    pub users: u64,
    /// Messages that wait for an answer at a time, at most.
    pub in_flight: usize,
    /// Stop writing after so many messages.
    pub messages: u64,
    /// Stop writing after so long.
    pub span: Duration,
    /// Faults, spread over the messages.
    pub faults: u64,
    /// Kills of the bot, spread over the messages.
    pub kills: u64,
    /// Swaps of the component, spread over the messages.
    pub swaps: u64,
    /// People write in all four scenes, and not only in private chats and groups.
    pub all_scenes: bool,
    /// How long an answer may take before it counts as lost.
    pub patience: Duration,
}

/// How long an answer in a guild is awaited while processes are killed: what may have arrived is not repeated.
const GUILD_PATIENCE: Duration = Duration::from_secs(20);

/// What the driver can do to the bot.
pub trait Bot {
    /// Kills its process, and starts it again.
    ///
    /// # Errors
    /// When that cannot be done.
    fn kill(&mut self) -> Result<()>;

    /// Puts another build of the component into its place.
    ///
    /// # Errors
    /// When that cannot be done.
    fn swap(&mut self) -> Result<()>;
}

struct Awaited {
    guild: bool,
    tag: u64,
    user: u64,
    since: Instant,
}

struct Drive<'a, B> {
    load: &'a Load,
    bot: &'a mut B,
    swaps: u64,
    /// Users that may write.
    idle: VecDeque<u64>,
    /// Written, the id not yet known.
    writing: BTreeMap<u64, (u64, bool, Instant)>,
    /// By message id.
    awaited: BTreeMap<String, Awaited>,
    /// Numbers of the answers, by message id.
    answers: BTreeMap<String, Vec<u64>>,
    /// Nothing more is written until everything is answered, and then the session ends.
    hush: bool,
    /// Answers that came before the id of what they answer.
    early: Vec<(String, u64, String)>,
    report: Report,
}

/// Runs a load against an emulator.
///
/// # Errors
/// When the emulator is gone.
pub async fn drive<B: Bot>(client: &mut Client, load: &Load, bot: &mut B) -> Result<Report> {
    let mut drive = Drive {
        load,
        bot,
        swaps: 0,
        idle: (0..load.users).collect(),
        writing: BTreeMap::new(),
        awaited: BTreeMap::new(),
        answers: BTreeMap::new(),
        hush: false,
        early: Vec::new(),
        report: Report {
            sent: 0,
            answered: 0,
            lost: Vec::new(),
            unconfirmed: 0,
            pauses: Vec::new(),
            doubled: Vec::new(),
            wrong: Vec::new(),
            violations: Vec::new(),
            faults: 0,
            kills: 0,
            took: Duration::ZERO,
            latency_us: Histogram::new(3)?,
        },
    };
    drive.run(client).await?;
    Ok(drive.report)
}

impl<B: Bot> Drive<'_, B> {
    async fn run(&mut self, client: &mut Client) -> Result<()> {
        let begin = Instant::now();
        let mut last_progress = begin;
        loop {
            let writing = begin.elapsed() < self.load.span && self.report.sent < self.load.messages;
            if self.hush && self.awaited.is_empty() && self.writing.is_empty() {
                self.end_session(client).await?;
            }
            if writing {
                self.write_more(client).await?;
            } else if self.awaited.is_empty() && self.writing.is_empty() {
                break;
            }
            self.give_up_guilds();
            let left = self.load.patience.saturating_sub(last_progress.elapsed());
            let look = left.min(Duration::from_secs(1));
            match tokio::time::timeout(look, client.hear()).await {
                Ok(heard) => {
                    if self.take(heard?)? {
                        last_progress = Instant::now();
                    }
                }
                Err(_) if left.is_zero() => break,
                Err(_) => {}
            }
        }
        self.report.took = begin.elapsed();
        let until = tokio::time::Instant::now() + AFTERMATH;
        while let Ok(heard) = tokio::time::timeout_at(until, client.hear()).await {
            self.take(heard?)?;
        }
        self.report.lost = self.awaited.keys().cloned().collect();
        let violations = client.violations().await?;
        self.report.violations = violations
            .iter()
            .map(ToString::to_string)
            .filter(|text| !self.is_excused(text))
            .collect();
        Ok(())
    }

    /// What the faults themselves bring about is not the bot's doing.
    fn is_excused(&self, violation: &str) -> bool {
        let of_faults = ["bad_authorization"];
        let of_kills = [
            "two_live_connections",
            "overlapping_token_fetches",
            "identify_too_fast",
        ];
        let has = |words: &[&str]| words.iter().any(|word| violation.contains(word));
        (self.report.faults > 0 && has(&of_faults)) || (self.report.kills > 0 && has(&of_kills))
    }

    async fn write_more(&mut self, client: &mut Client) -> Result<()> {
        while !self.hush
            && self.awaited.len() + self.writing.len() < self.load.in_flight
            && self.report.sent < self.load.messages
        {
            let Some(user) = self.idle.pop_front() else {
                return Ok(());
            };
            let tag = self.report.sent;
            let place = self.place(user);
            client
                .write(
                    tag,
                    &place,
                    &format!("user{user}"),
                    &format!("hello {tag}."),
                )
                .await?;
            let guild = place.of_guild();
            self.writing.insert(tag, (user, guild, Instant::now()));
            self.report.sent += 1;
            self.make_trouble(client).await?;
        }
        Ok(())
    }

    /// Each user has one place.
    fn place(&self, user: u64) -> Place {
        let (guild, channel) = (
            format!("guild{}", user % 60),
            format!("channel{}", user % 120),
        );
        match (user % 4, self.load.all_scenes) {
            (1, _) | (3, false) => Place::Group(format!("group{}", user % 10)),
            (2, true) => Place::Channel(guild, channel),
            (3, true) => Place::Dm(guild),
            _ => Place::C2c,
        }
    }

    /// Where a process was killed between a send and its answer, nobody can say whether it arrived.
    fn give_up_guilds(&mut self) {
        if self.report.kills == 0 && self.report.faults == 0 {
            return;
        }
        let late = |awaited: &Awaited| awaited.guild && awaited.since.elapsed() > GUILD_PATIENCE;
        let given_up: Vec<String> = self
            .awaited
            .iter()
            .filter(|(_, awaited)| late(awaited))
            .map(|(id, _)| id.clone())
            .collect();
        for id in given_up {
            if let Some(awaited) = self.awaited.remove(&id) {
                self.idle.push_back(awaited.user);
                self.report.unconfirmed += 1;
            }
        }
    }

    /// Ends the session, and waits until the bot has another one.
    async fn end_session(&mut self, client: &Client) -> Result<()> {
        let before = client.identifies().await?;
        client.fault(ENDS_THE_SESSION).await?;
        let begin = Instant::now();
        while client.identifies().await? == before {
            if begin.elapsed() > self.load.patience {
                bail!("the bot does not identify again after {ENDS_THE_SESSION:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.hush = false;
        Ok(())
    }

    async fn make_trouble(&mut self, client: &Client) -> Result<()> {
        let due = |count: u64, all: u64, sent: u64| {
            count < all && sent * (all + 1) >= (count + 1) * self.load.messages
        };
        if due(self.report.faults, self.load.faults, self.report.sent) {
            let fault = FAULTS
                .get(usize::try_from(self.report.faults)? % FAULTS.len())
                .copied()
                .unwrap_or("drop");
            if fault == ENDS_THE_SESSION {
                self.hush = true;
            } else {
                client.fault(fault).await?;
            }
            self.report.faults += 1;
        }
        if due(self.report.kills, self.load.kills, self.report.sent) {
            self.bot.kill()?;
            self.report.kills += 1;
        }
        if due(self.swaps, self.load.swaps, self.report.sent) {
            self.bot.swap()?;
            self.swaps += 1;
        }
        Ok(())
    }

    /// True when it brought the load forward.
    fn take(&mut self, heard: Heard) -> Result<bool> {
        match heard {
            Heard::Sent { tag, id } => {
                let Some((user, guild, since)) = self.writing.remove(&tag) else {
                    return Ok(false);
                };
                let awaited = Awaited {
                    guild,
                    tag,
                    user,
                    since,
                };
                self.awaited.insert(id.clone(), awaited);
                let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.early)
                    .into_iter()
                    .partition(|(to, ..)| *to == id);
                self.early = later;
                for (to, seq, text) in now {
                    self.on_reply(&to, seq, &text);
                }
                Ok(true)
            }
            Heard::NotSent { error } => bail!("a user could not write: {error}"),
            Heard::Reply { to, msg_seq, text } => {
                let known = self.awaited.contains_key(&to) || self.answers.contains_key(&to);
                if known {
                    self.on_reply(&to, msg_seq, &text);
                } else {
                    self.early.push((to, msg_seq, text));
                }
                Ok(true)
            }
            Heard::Other => Ok(false),
        }
    }

    fn on_reply(&mut self, to: &str, msg_seq: u64, text: &str) {
        let seqs = self.answers.entry(to.to_owned()).or_default();
        seqs.push(msg_seq);
        if seqs.len() > 1 {
            self.report.doubled.push(format!("{to}: answers {seqs:?}"));
            return;
        }
        let Some(awaited) = self.awaited.remove(to) else {
            return;
        };
        self.idle.push_back(awaited.user);
        let micros = u64::try_from(awaited.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        // The histogram grows by itself; it refuses nothing below 2^63.
        let _ = self.report.latency_us.record(micros.max(1));
        if text.contains(&format!("hello {}.", awaited.tag)) {
            self.report.answered += 1;
        } else {
            self.report.wrong.push(format!(
                "{to}: message {} was answered {text:?}",
                awaited.tag
            ));
        }
    }
}
