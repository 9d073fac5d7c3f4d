//! The conformance kit's report: a line for each check, of a component that runs nowhere but here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context;
use prx_host::bindings::v0_1::{ChannelInfo, KeySpec, Mark};
use prx_host::egress::address::AddressPolicy;
use prx_host::egress::{EgressPolicy, HostPattern, OperatorEgress};
use prx_host::engine;
use prx_host::guest::Component;
use prx_host::guest::wasm::{WasmComponent, imports};
use serde_json::{Map, Value, json};

use super::Bench;
use super::found::Found;
use super::kit::{self, Breach, Corpus, Seen, Trial};
use crate::outcome::{Trouble, Verdict};
use crate::render::{Report, bytes};
use crate::texts::Text;

/// Largest file of a corpus that is read, bytes.
const MAX_SAMPLE_BYTES: u64 = 1 << 20;

/// What is tried, and how much.
#[derive(Debug, Clone)]
pub(super) struct Effort {
    /// `KEY=VALUE`.
    pub(super) set: Vec<String>,
    pub(super) corpus: Option<PathBuf>,
    pub(super) seed: u64,
    pub(super) seeds: u64,
    pub(super) events: usize,
    pub(super) hours: u64,
}

impl Bench<'_> {
    /// Tries a component out, and says how it stands each trial.
    pub(super) fn check(&mut self, what: &str, effort: &Effort) -> Result<Verdict, Trouble> {
        let given = given(&effort.set)?;
        let corpus = effort.corpus.as_deref().map(corpus).transpose()?;
        let corpus = corpus.unwrap_or_default();
        let found = self.finder.look(what)?;
        let engine = engine::new(None).context("no engine to run components with")?;
        let mut report = Report::default();
        let loaded = WasmComponent::load(&engine, &found.wasm, found.limits());
        match loaded {
            Err(error) => self.note(&mut report, Mark::Fail, Text::TopicLoad, error),
            Ok(component) => {
                let count = imports(&engine, &found.wasm).map_err(Trouble::mistake)?;
                let text = self.screen.say(Text::Loaded, &[&count.len()]);
                self.note(&mut report, Mark::Ok, Text::TopicLoad, text);
                self.try_out(&found, &component, (&given, &corpus), effort, &mut report)?;
            }
        }
        let failed = report.lines.iter().filter(|line| line.mark == Mark::Fail);
        let summary = match failed.count() {
            0 => self.screen.say(Text::Conforms, &[&found.title().trim()]),
            count => self
                .screen
                .say(Text::DoesNotConform, &[&found.title().trim(), &count]),
        };
        report.summary = Some(summary);
        self.show(&found.name(), &report)
    }

    fn try_out(
        &self,
        found: &Found,
        component: &WasmComponent,
        (given, corpus): (&BTreeMap<String, Value>, &Corpus),
        effort: &Effort,
        report: &mut Report,
    ) -> Result<(), Trouble> {
        let info = match component.describe() {
            Ok(info) => info,
            Err(fault) => {
                self.note(report, Mark::Fail, Text::TopicDescribe, fault);
                return Ok(());
            }
        };
        if let Some(key) = given
            .keys()
            .find(|key| !info.keys.iter().any(|k| k.name == **key))
        {
            return Err(Trouble::mistake(format!(
                "--set {key}: the component has no such key"
            )));
        }
        self.described(found, &info, report);
        let manifest = found.manifest.as_ref();
        let groups = manifest.map(|m| m.egress.clone()).unwrap_or_default();
        let config = kit::config(&info, &groups, given);
        let widenings = kit::widenings(&info, &config);
        let (operator, addresses) = (OperatorEgress::AsManifest, AddressPolicy::default());
        let patterns = groups.iter().flat_map(|group| &group.hosts);
        let exact = patterns.filter_map(|pattern| match pattern {
            HostPattern::Exact(name) => Some(name.clone()),
            HostPattern::Below(_) => None,
        });
        let hosts = exact.collect();
        let egress = manifest.map(|_| EgressPolicy::new(groups, operator, addresses, &widenings));
        let secret = |key: &&KeySpec| key.secret;
        let secrets = info.keys.iter().filter(secret).map(|key| key.name.clone());
        let bench = kit::Bench {
            component,
            limits: found.limits(),
            config: Value::Object(config.clone()).to_string(),
            secrets: secrets.collect(),
            captured: manifest
                .map(|m| m.captured().into_iter().collect())
                .unwrap_or_default(),
            egress: egress.transpose().map_err(Trouble::mistake)?,
            also_writes: info.also_writes.clone(),
            hosts,
            corpus,
            hours: effort.hours,
        };
        let (mut seen, mut breaches) = (Seen::default(), Vec::new());
        breaches.extend(bench.probe().err());
        for seed in effort.seed..effort.seed + effort.seeds {
            breaches.extend(bench.run(seed, effort.events, &mut seen).err());
        }
        self.trials(&breaches, &seen, report);
        self.measured(found, &seen, report);
        report.data = Some(data(found, &config, &seen, effort));
        Ok(())
    }

    /// What a component says of itself is read by people and by the host: it has to fit together.
    fn described(&self, found: &Found, info: &ChannelInfo, report: &mut Report) {
        let before = report.lines.len();
        let wrong = |report: &mut Report, mark, text: Text, values: &[&dyn std::fmt::Display]| {
            let text = self.screen.say(text, values);
            self.note(report, mark, Text::TopicDescribe, text);
        };
        if let Some(plugin) = found.manifest.as_ref().map(|m| &m.plugin) {
            for (own, other) in [(&info.name, &plugin.name), (&info.version, &plugin.version)] {
                if own != other {
                    wrong(report, Mark::Fail, Text::CallsItself, &[own, other]);
                }
            }
        }
        if info.reads_from > info.state_version {
            let (reads, writes) = (info.reads_from, info.state_version);
            wrong(report, Mark::Fail, Text::ReadsNotItsOwn, &[&reads, &writes]);
        }
        for also in info
            .also_writes
            .iter()
            .filter(|v| **v >= info.state_version)
        {
            wrong(
                report,
                Mark::Fail,
                Text::AlsoWritesNewer,
                &[also, &info.state_version],
            );
        }
        let mut names = BTreeSet::new();
        for key in &info.keys {
            if !names.insert(&key.name) {
                wrong(report, Mark::Fail, Text::KeyTwice, &[&key.name]);
            }
            if let Some(default) = key.default.as_ref().filter(|_| !default_fits(key)) {
                wrong(report, Mark::Fail, Text::KeyDefault, &[&key.name, default]);
            }
            let groups = found.manifest.as_ref().map(|m| &m.egress);
            if let (Some(group), Some(groups)) = (&key.widens_egress, groups)
                && !groups.iter().any(|g| g.name == *group)
            {
                wrong(report, Mark::Fail, Text::KeyGroup, &[&key.name, group]);
            }
        }
        let silent: Vec<&str> = info
            .keys
            .iter()
            .filter(|key| key.doc.is_empty())
            .map(|key| key.name.as_str())
            .collect();
        if !silent.is_empty() {
            wrong(report, Mark::Warn, Text::KeysSilent, &[&silent.join(", ")]);
        }
        if report.lines.len() == before {
            let (keys, state) = (info.keys.len(), info.state_version);
            wrong(report, Mark::Ok, Text::Described, &[&keys, &state]);
        }
    }

    fn trials(&self, breaches: &[(Trial, Breach)], seen: &Seen, report: &mut Report) {
        for trial in Trial::ALL {
            let (topic, good) = self.trial(trial, seen);
            match breaches.iter().find(|(which, _)| *which == trial) {
                Some((_, breach)) => {
                    let (text, fix) = self.breach(breach);
                    self.note(report, Mark::Fail, topic, text);
                    if let Some(last) = report.lines.last_mut() {
                        last.fix = fix;
                    }
                }
                // Without one event nothing but the probe was tried.
                None if trial != Trial::Probe && seen.events == 0 => {
                    let text = self.screen.say(Text::NotReached, &[]);
                    self.note(report, Mark::Skip, topic, text);
                }
                None => self.note(report, Mark::Ok, topic, good),
            }
        }
    }

    fn trial(&self, trial: Trial, seen: &Seen) -> (Text, String) {
        let say = |text, values: &[&dyn std::fmt::Display]| self.screen.say(text, values);
        match trial {
            Trial::Probe => (Text::TopicProbe, say(Text::ProbeGood, &[])),
            Trial::Events => (Text::TopicEvents, say(Text::EventsGood, &[&seen.events])),
            Trial::Determinism => (Text::TopicDeterminism, say(Text::DeterminismGood, &[])),
            Trial::Checkpoint => (
                Text::TopicCheckpoint,
                say(
                    Text::CheckpointGood,
                    &[&seen.checkpoints, &bytes(seen.largest_checkpoint as u64)],
                ),
            ),
            Trial::Holdings => (Text::TopicHoldings, say(Text::HoldingsGood, &[])),
            Trial::Names => (Text::TopicNames, say(Text::NamesGood, &[&seen.refused])),
            Trial::Restart => (Text::TopicRestart, say(Text::RestartGood, &[])),
            Trial::Blank => (Text::TopicBlank, say(Text::BlankGood, &[])),
        }
    }

    /// A breach in words, and what to do where that is not plain.
    fn breach(&self, breach: &Breach) -> (String, Option<String>) {
        let say = |text, values: &[&dyn std::fmt::Display]| self.screen.say(text, values);
        match breach {
            Breach::Fault(during, fault) => (say(Text::BreaksAt, &[during, fault]), None),
            Breach::Refused(why) => (
                say(Text::RefusesConfig, &[why]),
                Some(say(Text::GiveValues, &[])),
            ),
            Breach::ProbeActs(what) => (say(Text::ProbeActs, &[what]), None),
            Breach::ProbeSilent => (say(Text::ProbeSilent, &[]), None),
            Breach::Differs(at, one, other) => (say(Text::Differs, &[at, one, other]), None),
            Breach::CheckpointsDiffer(at) => (say(Text::CheckpointsDiffer, &[at]), None),
            Breach::CheckpointRefused(why) => (say(Text::CheckpointRefused, &[why]), None),
            Breach::Unstable(one, other) => (say(Text::Unstable, &[one, other]), None),
            Breach::CannotWrite(version, why) => (say(Text::CannotWrite, &[version, why]), None),
            Breach::Holdings(at, what, own, held) => {
                (say(Text::HoldsOther, &[at, what, own, held]), None)
            }
            Breach::ForeignId(id) => (say(Text::ForeignId, &[&format!("{id:#x}")]), None),
            Breach::IdTwice(id) => (say(Text::IdTwice, &[&format!("{id:#x}")]), None),
            Breach::BlankOther(name) => (say(Text::BlankOther, &[name]), None),
            Breach::Misplaced(name, what) => (
                say(Text::MisplacedSecret, &[name, what]),
                Some(say(Text::PlaceSecret, &[])),
            ),
            Breach::Secret(name) => (
                say(Text::UnknownSecret, &[name]),
                Some(say(Text::BindSecret, &[])),
            ),
        }
    }

    /// How near to its limits it came.
    fn measured(&self, found: &Found, seen: &Seen, report: &mut Report) {
        let limits = found.limits();
        let limit = limits.memory_bytes as u64;
        // What is left for the days that nobody made up.
        let mark = if seen.memory > limit / 4 * 3 {
            Mark::Warn
        } else {
            Mark::Ok
        };
        let text = self
            .screen
            .say(Text::Share, &[&bytes(seen.memory), &bytes(limit)]);
        self.note(report, mark, Text::TopicMemory, text);
        let (slowest, call) = (seen.slowest.as_millis(), limits.call_cpu.as_millis());
        let mark = if slowest > call / 2 {
            Mark::Warn
        } else {
            Mark::Ok
        };
        let values: &[&dyn std::fmt::Display] = &[
            &slowest,
            &call,
            &seen.most_effects,
            &limits.effects_per_call,
        ];
        let text = self.screen.say(Text::SlowestCall, values);
        self.note(report, mark, Text::TopicTime, text);
        let asked = seen
            .asked
            .iter()
            .map(|(case, count)| format!("{case} {count}"));
        let asked = asked.collect::<Vec<_>>().join(", ");
        if let Some(last) = report.lines.last_mut() {
            last.evidence = (mark == Mark::Warn).then(|| seen.slowest_at.clone());
        }
        self.note(report, Mark::Info, Text::TopicWork, asked);
    }
}

/// `KEY=VALUE`: JSON where it is some, a text otherwise.
fn given(set: &[String]) -> Result<BTreeMap<String, Value>, Trouble> {
    let pairs = set.iter().map(|pair| {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Trouble::mistake(format!("--set {pair}: write KEY=VALUE")))?;
        let json = serde_json::from_str(value);
        Ok((key.to_owned(), json.unwrap_or_else(|_| value.into())))
    });
    pairs.collect()
}

/// The texts in a folder, one of each file, in the order of their names. Those that begin with a digit are what a
/// connection begins with.
fn corpus(folder: &Path) -> Result<Corpus, Trouble> {
    let unreadable = |path: &Path, error| Trouble::mistake(format!("{}: {error}", path.display()));
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    let mut corpus = Corpus::default();
    for path in paths {
        let metadata = std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        if !metadata.is_file() || metadata.len() > MAX_SAMPLE_BYTES {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            corpus.greetings.push(text.clone());
        }
        corpus.texts.push(text);
    }
    Ok(corpus)
}

fn default_fits(key: &KeySpec) -> bool {
    use prx_host::bindings::v0_1::KeyKind;
    let default = key.default.as_deref().unwrap_or("null");
    let Ok(value) = serde_json::from_str::<Value>(default) else {
        return false;
    };
    let among = |text: &str| key.allowed.is_empty() || key.allowed.iter().any(|a| a == text);
    match key.kind {
        KeyKind::Text => value.as_str().is_some_and(among),
        KeyKind::Boolean => value.is_boolean(),
        KeyKind::Integer => value.as_i64().is_some_and(|number| {
            key.minimum.is_none_or(|min| min <= number)
                && key.maximum.is_none_or(|max| number <= max)
        }),
        KeyKind::TextList => value
            .as_array()
            .is_some_and(|items| items.iter().all(|item| item.as_str().is_some_and(among))),
    }
}

fn data(found: &Found, config: &Map<String, Value>, seen: &Seen, effort: &Effort) -> Value {
    json!({
        "sha256": found.sha256,
        "config": config,
        "seed": effort.seed,
        "seeds": effort.seeds,
        "events": seen.events,
        "checkpoints": seen.checkpoints,
        "largest_checkpoint_bytes": seen.largest_checkpoint,
        "memory_bytes": seen.memory,
        "slowest_call_ms": u64::try_from(seen.slowest.as_millis()).unwrap_or(u64::MAX),
        "most_effects": seen.most_effects,
        "refused_connections": seen.refused,
        "asked": seen.asked,
    })
}
