//! What a plugin is, line by line.

use std::fmt::Display;

use anyhow::Context;
use prx_host::bindings::v0_1::{ChannelInfo, Mark};
use prx_host::egress::secrets::{PathPattern, Position};
use prx_host::egress::{EgressGroup, HostPattern};
use prx_host::engine;
use prx_host::guest::Component;
use prx_host::guest::wasm::{WasmComponent, imports};
use prx_host::limits::Limits;
use prx_host::manifest::Manifest;
use prx_host::package::SignatureState;
use serde_json::{Value, json};

use super::Bench;
use super::found::{Found, Place};
use crate::outcome::{Trouble, Verdict};
use crate::render::{Report, bytes, line};
use crate::texts::Text;

impl Bench<'_> {
    /// Says what a plugin is. Nothing of it is required but that it can be read.
    pub(super) fn inspect(&mut self, what: &str) -> Result<Verdict, Trouble> {
        let found = self.finder.look(what)?;
        let engine = engine::new(None).context("no engine to look at components with")?;
        let names = imports(&engine, &found.wasm);
        let loaded = WasmComponent::load(&engine, &found.wasm, found.limits());
        let info = match loaded {
            Ok(component) => component.describe().map_err(|fault| fault.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let mut report = Report::default();
        self.what_it_is(&found, &mut report);
        if let Ok(names) = &names {
            self.note(&mut report, Mark::Info, Text::TopicImports, listed(names));
        }
        match &info {
            Ok(info) => self.what_it_says(info, &mut report),
            Err(reason) => self.note(&mut report, Mark::Fail, Text::TopicInterface, reason),
        }
        if let Some(manifest) = &found.manifest {
            self.what_it_may(manifest, &mut report);
        }
        report.data = Some(data(&found, &names.unwrap_or_default(), info.as_ref().ok()));
        self.show(&found.name(), &report)
    }

    /// A line whose text is ready.
    pub(super) fn note(&self, report: &mut Report, mark: Mark, topic: Text, text: impl Display) {
        let topic = self.screen.say(topic, &[]);
        report.lines.push(line(mark, topic, text.to_string()));
    }

    fn what_it_is(&self, found: &Found, report: &mut Report) {
        match &found.manifest {
            Some(manifest) => {
                let plugin = &manifest.plugin;
                let values: &[&dyn Display] = &[&plugin.name, &plugin.version, &plugin.description];
                let text = self.screen.say(Text::PluginNamed, values);
                self.note(report, Mark::Info, Text::TopicPlugin, text);
            }
            None => {
                let text = self.screen.say(Text::NoManifest, &[]);
                self.note(report, Mark::Warn, Text::TopicPlugin, text);
            }
        }
        let place = match &found.place {
            Place::Folder(path) | Place::File(path) => path.display().to_string(),
            Place::BuiltIn(_) => self.screen.say(Text::BuiltIn, &[]),
        };
        self.note(report, Mark::Info, Text::TopicPlace, place);
        let size = bytes(found.wasm.len() as u64);
        let mut text = self
            .screen
            .say(Text::SizeAndDigest, &[&size, &found.sha256]);
        let recorded = found.manifest.as_ref().map(|m| m.sha256.is_some());
        let (mark, more) = match (&found.place, recorded) {
            (Place::Folder(_), Some(true)) => (Mark::Ok, Some(Text::DigestRecorded)),
            (Place::Folder(_), Some(false)) => (Mark::Warn, Some(Text::DigestMissing)),
            _ => (Mark::Info, None),
        };
        if let Some(more) = more {
            text = format!("{text}; {}", self.screen.say(more, &[]));
        }
        self.note(report, mark, Text::TopicComponent, text);
        let fix = (mark == Mark::Warn).then(|| self.screen.say(Text::DigestFix, &[]));
        if let Some(last) = report.lines.last_mut() {
            last.fix = fix;
        }
        let (mark, text) = match &found.signature {
            None => return,
            Some(SignatureState::Unsigned) => (Mark::Info, self.screen.say(Text::Unsigned, &[])),
            Some(SignatureState::Signed(keys)) => {
                (Mark::Ok, self.screen.say(Text::SignedBy, &[&listed(keys)]))
            }
            Some(SignatureState::Broken(cause)) => (Mark::Fail, cause.clone()),
        };
        self.note(report, mark, Text::TopicSignature, text);
        let fix = (mark == Mark::Fail).then(|| self.screen.say(Text::SignatureFix, &[]));
        if let Some(last) = report.lines.last_mut() {
            last.fix = fix;
        }
    }

    fn what_it_says(&self, info: &ChannelInfo, report: &mut Report) {
        let (writes, reads) = (info.state_version, info.reads_from);
        let text = match info.also_writes.as_slice() {
            [] => self.screen.say(Text::StateVersions, &[&writes, &reads]),
            also => self
                .screen
                .say(Text::AlsoWrites, &[&writes, &reads, &listed(also)]),
        };
        self.note(report, Mark::Info, Text::TopicState, text);
        let keys: Vec<&str> = info.keys.iter().map(|key| key.name.as_str()).collect();
        self.note(report, Mark::Info, Text::TopicKeys, listed(&keys));
    }

    fn what_it_may(&self, manifest: &Manifest, report: &mut Report) {
        if manifest.egress.is_empty() {
            let text = self.screen.say(Text::NoEgress, &[]);
            self.note(report, Mark::Info, Text::TopicEgress, text);
        }
        for group in &manifest.egress {
            let (hosts, ports) = (listed(hosts(group)), listed(&group.ports));
            let secrets = listed(group.positions.iter().map(|p| in_words(p)));
            let values: &[&dyn Display] = &[&group.name, &hosts, &ports, &secrets];
            let text = self.screen.say(Text::EgressGroup, values);
            self.note(report, Mark::Info, Text::TopicEgress, text);
        }
        let captures = manifest.egress.iter().flat_map(|group| &group.captures);
        let captures: Vec<String> = captures
            .map(|c| format!("{} ({} {})", c.secret, c.method, c.path))
            .collect();
        if !captures.is_empty() {
            let text = self.screen.say(Text::Captured, &[&listed(&captures)]);
            self.note(report, Mark::Info, Text::TopicSecrets, text);
        }
        let l = &manifest.limits;
        let size = |amount: usize| bytes(amount as u64);
        let (call, start) = (l.call_cpu.as_millis(), l.start_cpu.as_millis());
        let lines: [(Text, &[&dyn Display]); 4] = [
            (
                Text::LimitMemory,
                &[&size(l.memory_bytes), &l.table_elements, &l.instances],
            ),
            (
                Text::LimitCalls,
                &[
                    &call,
                    &start,
                    &l.effects_per_call,
                    &size(l.effect_bytes_per_call),
                    &size(l.checkpoint_bytes),
                ],
            ),
            (
                Text::LimitWork,
                &[
                    &l.requests_at_once,
                    &l.requests_per_minute,
                    &l.sockets_at_once,
                    &l.timers_at_once,
                ],
            ),
            (
                Text::LimitStored,
                &[
                    &size(l.store_bytes),
                    &bytes(l.blob_bytes),
                    &bytes(l.blobs_total_bytes),
                ],
            ),
        ];
        for (text, values) in lines {
            let text = self.screen.say(text, values);
            self.note(report, Mark::Info, Text::TopicLimits, text);
        }
    }
}

/// A secret, and where it may stand.
fn in_words(position: &Position) -> String {
    let Position {
        secret,
        place,
        path,
        ..
    } = position;
    match *path == PathPattern::any() {
        true => format!("{secret} ({place})"),
        false => format!("{secret} ({place}, {path})"),
    }
}

fn hosts(group: &EgressGroup) -> Vec<String> {
    let host = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(name) => name.clone(),
        HostPattern::Below(suffix) => format!("*{suffix}"),
    };
    group.hosts.iter().map(host).collect()
}

/// Separated by commas; a dash for none.
fn listed<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.is_empty() {
        true => "-".to_owned(),
        false => items.join(", "),
    }
}

/// The same for programs.
fn data(found: &Found, imports: &[String], info: Option<&ChannelInfo>) -> Value {
    let manifest = found.manifest.as_ref();
    let signature = found.signature.as_ref().map(|signature| match signature {
        SignatureState::Unsigned => json!({"state": "unsigned"}),
        SignatureState::Signed(keys) => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            json!({"state": "signed", "keys": keys})
        }
        SignatureState::Broken(cause) => json!({"state": "broken", "cause": cause}),
    });
    let egress = manifest.map(|manifest| {
        let group = |group: &EgressGroup| {
            json!({
                "group": group.name,
                "hosts": hosts(group),
                "ports": group.ports,
                "secrets": group.positions.iter().map(|p| json!({
                    "name": p.secret,
                    "place": p.place.to_string(),
                    "path": p.path.to_string(),
                })).collect::<Vec<_>>(),
                "captures": group.captures.iter().map(|c| json!({
                    "name": c.secret,
                    "method": c.method,
                    "path": c.path.to_string(),
                    "shows": c.show.iter().map(ToString::to_string).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
            })
        };
        manifest.egress.iter().map(group).collect::<Vec<_>>()
    });
    json!({
        "version": manifest.map(|m| m.plugin.version.clone()),
        "api_version": manifest.map(|m| m.plugin.api_version.clone()),
        "description": manifest.map(|m| m.plugin.description.clone()),
        "license": manifest.map(|m| m.plugin.license.clone()),
        "bytes": found.wasm.len(),
        "sha256": found.sha256,
        "recorded_sha256": manifest.and_then(|m| m.sha256.clone()),
        "signature": signature,
        "imports": imports,
        "egress": egress,
        "captured": manifest.map(|m| m.captured()),
        "limits": limits(&found.limits()),
        "says": info.map(|info| json!({
            "name": info.name,
            "version": info.version,
            "state_version": info.state_version,
            "reads_from": info.reads_from,
            "also_writes": info.also_writes,
            "keys": info.keys.iter().map(|key| json!({
                "name": key.name,
                "required": key.required,
                "secret": key.secret,
                "widens_egress": key.widens_egress,
            })).collect::<Vec<_>>(),
        })),
    })
}

fn limits(limits: &Limits) -> Value {
    json!({
        "memory_bytes": limits.memory_bytes,
        "table_elements": limits.table_elements,
        "instances": limits.instances,
        "call_cpu_ms": u64::try_from(limits.call_cpu.as_millis()).unwrap_or(u64::MAX),
        "start_cpu_ms": u64::try_from(limits.start_cpu.as_millis()).unwrap_or(u64::MAX),
        "effects_per_call": limits.effects_per_call,
        "effect_bytes_per_call": limits.effect_bytes_per_call,
        "checkpoint_bytes": limits.checkpoint_bytes,
        "requests_at_once": limits.requests_at_once,
        "requests_per_minute": limits.requests_per_minute,
        "sockets_at_once": limits.sockets_at_once,
        "timers_at_once": limits.timers_at_once,
        "store_bytes": limits.store_bytes,
        "blob_bytes": limits.blob_bytes,
        "blobs_total_bytes": limits.blobs_total_bytes,
    })
}
