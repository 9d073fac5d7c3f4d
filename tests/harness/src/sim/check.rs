//! What must be true after a run, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};

use prx_host::bindings::v0_1::Outcome;
use qq_channel::bindings as channel;
use qq_channel::ledger::Record;
use qq_emulator::Platform;
use qq_emulator::ids::MessageId;
use qq_emulator::ledger::{BotForm, BotMessage, ReplyTo, Scene, UserMessage, Violation};

use super::script::{answer, picture, tag};
use super::world::World;

/// How an answer ends that was cut.
const CUT_NOTE: &str = "（后面的内容已省略：QQ对一条消息的回复次数有限。）";

/// What the commits of a run showed.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Turns that were ever stored, by message.
    turns: BTreeMap<String, BTreeSet<u64>>,
    /// Turns of messages that were refused: of those nothing is stored but the outcome.
    refused: BTreeSet<u64>,
}

impl Watch {
    pub(super) fn on_put(&mut self, key: &str, value: &[u8]) {
        if key.starts_with("ledger/") {
            let block = postcard::from_bytes::<(u64, Vec<Record>)>(value);
            let records = block.map_or(Vec::new(), |(_, records)| records).into_iter();
            let refused = |it: &Record| it.outcome == channel::Outcome::Refused && it.parts == 0;
            let refused = records.filter(refused).map(|record| record.turn.0);
            self.refused.extend(refused);
        }
        if !key.starts_with("turn/") {
            return;
        }
        let turn: serde_json::Value = serde_json::from_slice(value).unwrap_or_default();
        let message = turn.pointer("/inbound/id").and_then(|id| id.as_str());
        if let (Some(message), Some(id)) =
            (message, turn.get("id").and_then(serde_json::Value::as_u64))
        {
            self.turns.entry(message.to_owned()).or_default().insert(id);
        }
    }

    /// Invariant 3: the stored watermark never passes a message whose turn was not stored with it.
    pub(super) fn check_watermark(
        &self,
        entries: &BTreeMap<String, Vec<u8>>,
        platform: &Platform,
    ) -> Vec<String> {
        let stored = entries
            .get("session")
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok());
        let session = stored.as_ref().and_then(|stored| stored.get("session"));
        let Some((id, handled)) = session.and_then(|session| {
            Some((
                session.get("id")?.as_str()?,
                session.get("handled")?.as_u64()?,
            ))
        }) else {
            return Vec::new();
        };
        let passed = |message: &&UserMessage| {
            message
                .deliveries
                .iter()
                .any(|delivery| delivery.session.as_str() == id && delivery.s <= handled)
        };
        let recent = platform.ledger().user_messages().rev().take(40);
        let unknown = recent.filter(passed).filter(|message| !self.knows(message));
        let unknown: Vec<&UserMessage> = unknown.collect();
        // Which message a record without a turn belongs to is not written down, but there is one for each.
        if unknown.len() <= self.refused.len() {
            return Vec::new();
        }
        unknown
            .into_iter()
            .map(|message| format!("invariant 3: the watermark {handled} passed message {}, of which nothing is stored", message.id))
            .collect()
    }

    fn knows(&self, message: &UserMessage) -> bool {
        names(message).any(|id| self.turns.contains_key(id.as_str()))
    }
}

fn names(message: &UserMessage) -> impl Iterator<Item = &MessageId> {
    std::iter::once(&message.id).chain(message.second_id.as_ref())
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Messages that people wrote to the bot.
    pub messages: usize,
    /// Of these, answered in full.
    pub answered: usize,
    /// Of these, never put before the bot because their session was gone.
    pub unheard: usize,
    /// What must not be.
    pub findings: Vec<String>,
    /// Secrets that went out to the platform.
    pub secrets: Vec<String>,
    /// Builds that took over.
    pub swaps: usize,
    /// Of these, sent back.
    pub rollbacks: usize,
    /// Everything on the disk, as text.
    pub disk: String,
    /// The last lines of the channel's log, for whoever looks into a finding.
    pub log: Vec<String>,
}

/// Checks the invariants over a finished run.
#[must_use]
pub fn check(world: &World) -> Report {
    let mut report = Report {
        findings: world.findings.clone(),
        secrets: world.secrets.iter().cloned().collect(),
        swaps: world.swaps,
        rollbacks: world.rollbacks,
        disk: world
            .disk
            .entries
            .values()
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect(),
        log: world.process.last_lines.iter().cloned().collect(),
        ..Report::default()
    };
    report.findings.extend(
        world
            .process
            .incidents
            .iter()
            .map(|incident| format!("the guest broke: {incident}")),
    );
    check_turns(world, &mut report);
    check_platform(world, &mut report);
    for message in world
        .platform
        .ledger()
        .user_messages()
        .filter(|message| message.addressed)
    {
        check_message(world, message, &mut report);
    }
    report
}

/// Invariants 1 and 2: one turn id for each message, and none left open.
fn check_turns(world: &World, report: &mut Report) {
    for (message, turns) in &world.disk.watch.turns {
        if turns.len() > 1 {
            report.findings.push(format!(
                "invariant 2: message {message} got the turns {turns:?}"
            ));
        }
    }
    for (turn, attempts) in &world.process.begun {
        let ascending = attempts
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a < b));
        if !ascending {
            report.findings.push(format!(
                "invariant 1: turn {turn:x} was begun as {attempts:?}"
            ));
        }
    }
    for key in world
        .disk
        .entries
        .keys()
        .filter(|key| key.starts_with("turn/"))
    {
        report
            .findings
            .push(format!("invariant 1: {key} is still open"));
    }
}

/// Invariants 4, 5 and 7, as the platform saw them.
fn check_platform(world: &World, report: &mut Report) {
    for entry in world.platform.ledger().violations() {
        let excused = match &entry.what {
            // The platform itself broke a rule of its own: a token that it voided, a session that it forgot.
            Violation::BadAuthorization { .. } => true,
            // A process that is killed leaves its connection to a platform that has not noticed yet.
            Violation::TwoLiveConnections { .. } | Violation::OverlappingTokenFetches => {
                world.plan.kills > 0
            }
            Violation::IdentifyTooFast => world.plan.kills > 0,
            // What was perhaps closed is closed again.
            Violation::Malformed { why } if why.contains("no running stream") => {
                world.plan.kills > 0 || world.plan.faults > 0
            }
            // One whose first answer got lost has no name to be finished under.
            Violation::UnfinishedStream { .. } => world.plan.kills > 0 || world.plan.faults > 0,
            _ => false,
        };
        if !excused {
            report
                .findings
                .push(format!("at {}: {}", entry.at.0, entry.what));
        }
    }
}

/// All that the bot said in the place of a message, in order, typing notices and what nobody saw left out.
fn said_there<'a>(
    world: &'a World,
    message: &'a UserMessage,
) -> impl Iterator<Item = &'a BotMessage> {
    let said = world.platform.ledger().bot_messages().map(AsRef::as_ref);
    said.filter(|said| {
        (said.scene, &said.target) == (message.scene, &message.target)
            && said.form != BotForm::Typing
            && !said.hidden
    })
}

/// The texts of the answer to a message. A part may stand under the id of another message of the same place, which
/// lent a reply; so it is known by the message's tag, and an apology, which has none, by the id.
fn answers_to<'a>(world: &'a World, message: &'a UserMessage) -> Vec<&'a BotMessage> {
    let tag = tag(&message.text);
    let own = |said: &BotMessage| matches!(&said.reply_to, Some(ReplyTo::MsgId(id)) if names(message).any(|name| name == id));
    said_there(world, message)
        .filter(|said| said.media.is_none())
        .filter(|said| {
            let tagged = said.text.split_whitespace().any(|word| word == tag);
            tagged || (is_apology(&said.text) && own(said))
        })
        .collect()
}

fn texts<'a>(said: &[&'a BotMessage]) -> Vec<&'a str> {
    said.iter().map(|said| said.text.as_str()).collect()
}

/// True when the agent was told that nobody can say what arrived.
fn in_doubt(world: &World, message: &UserMessage) -> bool {
    let turns = world.disk.watch.turns.get(message.id.as_str());
    turns.into_iter().flatten().any(|turn| {
        let told = world.process.outcomes.get(turn);
        told.is_some_and(|told| told.contains(&Outcome::Unconfirmed))
    })
}

/// Nothing lost, nothing doubled, and in order (invariant 6).
fn check_message(world: &World, message: &UserMessage, report: &mut Report) {
    report.messages += 1;
    let said = answers_to(world, message);
    let mut texts = texts(&said);
    check_pictures(world, message, report);
    let want = squeeze(&answer(message.text.trim()));
    let heard = world.disk.watch.knows(message);
    if matches!(message.scene, Scene::Channel | Scene::Dm) {
        return check_guild(world, message, &texts, &want, heard, report);
    }
    if (world.plan.kills > 0 || world.plan.faults > 0) && !complete(world, message, &texts, &want) {
        let mut whole = without_torsos(&said);
        let fits = whole.find(|texts| complete(world, message, texts, &want));
        texts = fits.unwrap_or(texts);
    }
    let got = squeeze(&texts.concat());
    if complete(world, message, &texts, &want) {
        report.answered += 1;
    } else if texts.is_empty() && !heard && !world.loses_nothing() {
        report.unheard += 1;
    } else if texts.is_empty() {
        let late = message.scene == Scene::Group;
        // Five minutes are short: an outage can use them up, and then the outcome says so.
        if !(late && heard) {
            report.findings.push(format!(
                "lost: no answer to {} ({:?}), heard: {heard}",
                message.id, message.text
            ));
        }
    } else if is_apology(&got) || (want.starts_with(&got) && message.scene == Scene::Group) {
        report.answered += 1;
    } else if in_doubt(world, message) && said.iter().any(|said| said.form == BotForm::Stream) {
        // The platform closed a bubble by itself, and nobody can say how much of its end it shows: the outcome says so.
        report.answered += 1;
    } else {
        report.findings.push(format!(
            "message {} ({:?}) got {} parts, {} characters where {} were due: {:?}",
            message.id,
            message.text,
            texts.len(),
            got.len(),
            want.len(),
            said.iter().map(|said| outline(said)).collect::<Vec<_>>()
        ));
    }
}

/// A picture that was asked for is there once, or was named; perhaps it is not there, where nobody can say.
fn check_pictures(world: &World, message: &UserMessage, report: &mut Report) {
    let Some(size) = picture(message.text.trim()) else {
        return;
    };
    let media = said_there(world, message).filter_map(|said| said.media.as_ref());
    let count = media
        .filter(|media| media.file_type == 1 && media.size == Some(size))
        .count();
    let quiet = world.plan.faults == 0 && world.plan.kills == 0;
    if count > 1 || (quiet && count == 0) {
        report.findings.push(format!(
            "message {} got its picture {count} times",
            message.id
        ));
    }
}

/// The answer without what nobody could close: a stream whose name got lost stays on the screen, and is entered when
/// the platform gives up waiting. The answer itself may have one stream, or none.
fn without_torsos<'a>(said: &[&'a BotMessage]) -> impl Iterator<Item = Vec<&'a str>> {
    let streams: Vec<u64> = said
        .iter()
        .filter(|said| said.form == BotForm::Stream)
        .map(|said| said.n)
        .collect();
    let kept = std::iter::once(None).chain(streams.into_iter().map(Some));
    kept.map(|kept| {
        let whole = said
            .iter()
            .filter(|said| said.form != BotForm::Stream || Some(said.n) == kept);
        whole.map(|said| said.text.as_str()).collect()
    })
}

/// An answer that does not fit is a file in full, after as much of it as fits.
fn has_file(world: &World, message: &UserMessage) -> bool {
    let whole = answer(message.text.trim()).len() as u64;
    let mut media = said_there(world, message).filter_map(|said| said.media.as_ref());
    media.any(|media| media.file_type == 4 && media.size == Some(whole))
}

/// All of the answer is there. One that does not fit is cut, visibly, or a file; with what other messages lend, it may
/// fit all the same.
fn complete(world: &World, message: &UserMessage, texts: &[&str], want: &str) -> bool {
    let got = squeeze(&texts.concat());
    let cut_well = got
        .strip_suffix(CUT_NOTE)
        .is_some_and(|shown| want.starts_with(shown) && shown.len() > want.len() / 2);
    let filed = has_file(world, message) && want.starts_with(&got);
    got == want || cut_well || filed
}

/// Guilds do not deduplicate: what perhaps arrived is never repeated, so parts may be missing, but none is there twice.
fn check_guild(
    world: &World,
    message: &UserMessage,
    texts: &[&str],
    want: &str,
    heard: bool,
    report: &mut Report,
) {
    let parts: Vec<String> = texts.iter().map(|text| squeeze(text)).collect();
    let twice = parts
        .iter()
        .enumerate()
        .any(|(index, part)| parts.iter().take(index).any(|before| before == part));
    let foreign = parts.iter().any(|part| {
        let shown = part.strip_suffix(CUT_NOTE).unwrap_or(part);
        !want.contains(shown) && !is_apology(part)
    });
    if twice || foreign {
        report.findings.push(format!(
            "guild message {} ({:?}) got {} parts, twice: {twice}",
            message.id,
            message.text,
            parts.len()
        ));
    } else if !parts.is_empty() {
        report.answered += 1;
    } else if !heard && world.loses_nothing() {
        report.findings.push(format!(
            "lost: guild message {} was never heard",
            message.id
        ));
    }
    let complete =
        parts.concat() == want || parts.last().is_some_and(|part| part.ends_with(CUT_NOTE));
    if world.plan.faults == 0 && world.plan.kills == 0 && !complete {
        report.findings.push(format!(
            "guild message {} ({:?}) is not answered in full",
            message.id, message.text
        ));
    }
}

/// A message in a few words, for whoever looks into a finding.
fn outline(said: &BotMessage) -> String {
    let words: Vec<&str> = said.text.split_whitespace().collect();
    let (first, last) = (words.iter().take(2), words.iter().rev().take(8).rev());
    let ends: Vec<&str> = first.chain(last).copied().collect();
    format!("{:?} at {}: {}", said.form, said.at.0, ends.join(" "))
}

fn is_apology(text: &str) -> bool {
    text.starts_with("抱歉")
}

fn squeeze(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_whitespace())
        .collect()
}
