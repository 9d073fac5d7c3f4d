//! `plugin.toml`: what a plugin says it is, and what it asks for.
//!
//! Read strictly: a key that is not known is an error, since it may be a limit that somebody
//! believes to be in force.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::egress::{BadPattern, EgressGroup, HostPattern};
use crate::limits::Limits;

mod resources;
mod secrets;

use resources::{RawResources, limits};
use secrets::{RawCapture, RawSecret, captures, positions};

/// Longest manifest, bytes.
pub const MAX_MANIFEST_BYTES: usize = 256 << 10;
/// The interface version that this host speaks.
pub const API_VERSION: &str = "0.1.0";

/// A manifest that passed all checks.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// What it is.
    pub plugin: PluginInfo,
    /// Where it may connect to.
    pub egress: Vec<EgressGroup>,
    /// What it may use.
    pub limits: Limits,
    /// SHA-256 of the component that it was packed with, 64 lower-case hexadecimal digits.
    pub sha256: Option<String>,
}

/// The table `[plugin]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginInfo {
    /// Its name: lower-case letters, digits and `-`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The interface version that it was built against.
    pub api_version: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// File name of the component, beside the manifest.
    #[serde(default = "default_wasm")]
    pub wasm: String,
    /// Licence, as SPDX expression.
    #[serde(default)]
    pub license: String,
    /// Who made it.
    #[serde(default)]
    pub author: String,
}

fn default_wasm() -> String {
    "plugin.wasm".into()
}

/// A manifest is not usable. Each says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Too long.
    #[error("plugin.toml has {0} bytes, {MAX_MANIFEST_BYTES} are allowed; shorten it")]
    TooLong(usize),
    /// Not TOML, a key that is not known, or a wrong type.
    #[error("plugin.toml: {0}")]
    Syntax(String),
    /// A name that cannot be used.
    #[error("plugin.toml: {what} {value:?} is not usable; write {want}")]
    Name {
        /// Which key.
        what: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        want: &'static str,
    },
    /// Built against another interface.
    #[error(
        "plugin.toml: api_version is {0}, this host speaks {API_VERSION}; use a plugin built for it"
    )]
    ApiVersion(String),
    /// No channel in it.
    #[error("plugin.toml: no [[capabilities]] with type = \"channel\"; this host runs channels")]
    NoChannel,
    /// A permission that no channel gets.
    #[error("plugin.toml: the permission {0:?} is not one that a channel can have; known are {known}", known = PERMISSIONS.join(", "))]
    Permission(String),
    /// A group without the permission that it needs.
    #[error(
        "plugin.toml: there are [[egress]] groups, but [permissions] required has no \"http-outbound\" or \"websocket-outbound\"; add it"
    )]
    EgressWithoutPermission,
    /// A host that is not a pattern.
    #[error("plugin.toml: egress group {group:?}: {cause}")]
    Host {
        /// Which group.
        group: String,
        /// What is wrong.
        cause: BadPattern,
    },
    /// Two groups of one name.
    #[error("plugin.toml: two [[egress]] groups are called {0:?}; rename one")]
    Twice(String),
    /// A secret that is declared in a way that cannot be enforced.
    #[error("plugin.toml: egress group {group:?}: the secret {secret:?}: {what}")]
    Secret {
        /// Which group.
        group: String,
        /// Which secret.
        secret: String,
        /// What is wrong, and what to write.
        what: String,
    },
    /// More of something than there may be.
    #[error("plugin.toml: {found} {what}, {max} are allowed; shorten the list")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// More may be stored than a start can read.
    #[error(
        "plugin.toml: [resources] max_store_mb = {store} is more than a third of max_memory_mb = {memory}; a start reads all that is stored into memory, so lower the one or raise the other"
    )]
    StoreAboveMemory {
        /// Mebibytes that may be stored.
        store: u64,
        /// Mebibytes of memory.
        memory: u64,
    },
    /// A limit above the ceiling, or zero.
    #[error("plugin.toml: [resources] {key} = {value} is out of range; 1 to {max} is allowed")]
    Limit {
        /// Which.
        key: &'static str,
        /// What it says.
        value: u64,
        /// The ceiling.
        max: u64,
    },
}

const PERMISSIONS: [&str; 6] = [
    "log",
    "storage",
    "config",
    "kv",
    "http-outbound",
    "websocket-outbound",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    plugin: PluginInfo,
    #[serde(default)]
    capabilities: Vec<RawCapability>,
    #[serde(default)]
    permissions: RawPermissions,
    #[serde(default)]
    resources: RawResources,
    #[serde(default)]
    egress: Vec<RawEgress>,
    #[serde(default)]
    integrity: RawIntegrity,
    /// A string map in the daemon's manifests. Nothing of ours reads it.
    #[serde(default, rename = "config")]
    _config: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCapability {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "name")]
    _name: String,
    #[serde(default, rename = "description")]
    _description: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPermissions {
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    optional: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEgress {
    group: String,
    hosts: Vec<String>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    secret: Vec<RawSecret>,
    #[serde(default)]
    capture: Vec<RawCapture>,
    #[serde(default, rename = "description")]
    _description: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIntegrity {
    sha256: Option<String>,
}

impl Manifest {
    /// Names of the secrets that answers bring, ascending.
    pub fn captured(&self) -> BTreeSet<String> {
        let captures = self.egress.iter().flat_map(|group| &group.captures);
        captures.map(|capture| capture.secret.clone()).collect()
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLong(text.len()));
        }
        let raw: Raw = toml::from_str(text).map_err(|e| syntax(text, e.span(), e.message()))?;
        check_plugin(&raw.plugin)?;
        if !raw.capabilities.iter().any(|c| c.kind == "channel") {
            return Err(ManifestError::NoChannel);
        }
        check_permissions(&raw)?;
        Ok(Self {
            plugin: raw.plugin,
            egress: groups(raw.egress)?,
            limits: limits(&raw.resources)?,
            sha256: integrity(raw.integrity)?,
        })
    }
}

/// In one line, with the number of the line that it is about.
pub(crate) fn syntax(
    text: &str,
    place: Option<std::ops::Range<usize>>,
    message: &str,
) -> ManifestError {
    let before = place.and_then(|place| text.get(..place.start));
    let message = message.trim().replace('\n', ", ");
    ManifestError::Syntax(match before {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    })
}

fn check_plugin(plugin: &PluginInfo) -> Result<(), ManifestError> {
    let name_ok = !plugin.name.is_empty()
        && plugin.name.len() <= 64
        && plugin
            .name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !name_ok {
        return Err(ManifestError::Name {
            what: "name",
            value: plugin.name.clone(),
            want: "lower-case letters, digits and -, at most 64",
        });
    }
    let wasm_ok = plugin.wasm.ends_with(".wasm") && !plugin.wasm.contains(['/', '\\', '\0']);
    if !wasm_ok || plugin.wasm.starts_with('.') {
        return Err(ManifestError::Name {
            what: "wasm",
            value: plugin.wasm.clone(),
            want: "the name of a .wasm file in the same folder, without a path",
        });
    }
    if plugin.api_version != API_VERSION {
        return Err(ManifestError::ApiVersion(plugin.api_version.clone()));
    }
    Ok(())
}

fn check_permissions(raw: &Raw) -> Result<(), ManifestError> {
    let permissions = &raw.permissions;
    let mut all = permissions.required.iter().chain(&permissions.optional);
    if let Some(unknown) = all.find(|p| !PERMISSIONS.contains(&p.as_str())) {
        return Err(ManifestError::Permission(unknown.clone()));
    }
    let outbound = |p: &String| p == "http-outbound" || p == "websocket-outbound";
    if !raw.egress.is_empty() && !permissions.required.iter().any(outbound) {
        return Err(ManifestError::EgressWithoutPermission);
    }
    Ok(())
}

fn groups(raw: Vec<RawEgress>) -> Result<Vec<EgressGroup>, ManifestError> {
    let mut names = BTreeSet::new();
    let mut groups = Vec::new();
    for group in raw {
        if !names.insert(group.group.clone()) {
            return Err(ManifestError::Twice(group.group));
        }
        let hosts: Result<Vec<HostPattern>, BadPattern> =
            group.hosts.iter().map(|h| h.parse()).collect();
        let hosts = hosts.map_err(|cause| ManifestError::Host {
            group: group.group.clone(),
            cause,
        })?;
        let ports = if group.ports.is_empty() {
            vec![443]
        } else {
            group.ports
        };
        groups.push(EgressGroup {
            hosts,
            ports,
            positions: positions(&group.group, group.secret)?,
            captures: captures(&group.group, group.capture)?,
            name: group.group,
        });
    }
    secrets::few_enough(&groups)?;
    Ok(groups)
}

fn integrity(raw: RawIntegrity) -> Result<Option<String>, ManifestError> {
    let digits = |text: &str| {
        text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    match raw.sha256 {
        Some(value) if !digits(&value) => Err(ManifestError::Name {
            what: "[integrity] sha256",
            value,
            want: "64 lower-case hexadecimal digits, or leave it to `prx plugin pack`",
        }),
        sha256 => Ok(sha256),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [plugin]
        name = "tiny"
        version = "0.1.0"
        api_version = "0.1.0"
        description = "An echo"
        wasm = "plugin.wasm"
        license = "MIT"
        [[capabilities]]
        type = "channel"
        [permissions]
        required = ["log", "websocket-outbound"]
        [resources]
        max_memory_mb = 16
        [[egress]]
        group = "api"
        hosts = ["api.example.org", "*.example.net"]
        [[egress.secret]]
        name = "key"
        method = "POST"
        path = "/token"
        body = "/key"
        [[egress.secret]]
        name = "token"
        header = "authorization"
        prefix = "Bearer "
        [[egress.capture]]
        name = "token"
        method = "POST"
        path = "/token"
        pointer = "/token"
        show = ["/code"]
    "#;

    fn broken(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        Manifest::parse(&GOOD.replace(from, to))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = Manifest::parse(GOOD).unwrap();
        assert_eq!(manifest.limits.memory_bytes, 16 << 20);
        // Where it says nothing, what may be stored follows what there is to read it into.
        assert_eq!(manifest.limits.store_bytes, (16 << 20) / 3);
        assert_eq!(manifest.egress[0].ports, [443]);
        assert!(manifest.captured().contains("token"));
        assert_eq!(manifest.egress[0].positions.len(), 2);
    }

    #[test]
    fn each_mistake_is_named() {
        for (from, to, says) in [
            ("name = \"tiny\"", "name = \"../tiny\"", "name"),
            ("plugin.wasm", "../other.wasm", "wasm"),
            ("plugin.wasm", "/etc/passwd", "wasm"),
            (
                "api_version = \"0.1.0\"",
                "api_version = \"0.2.0\"",
                "speaks 0.1.0",
            ),
            ("\"channel\"", "\"tool\"", "[[capabilities]]"),
            ("\"log\"", "\"filesystem\"", "filesystem"),
            ("\"websocket-outbound\"", "\"kv\"", "http-outbound"),
            ("max_memory_mb = 16", "max_memory_mb = 100000", "1 to 512"),
            ("max_memory_mb = 16", "max_memory_mb = 0", "1 to 512"),
            ("max_memory_mb", "max_memory", "max_memory"),
            ("\"*.example.net\"", "\"*\"", "\"*\""),
            ("[[egress.capture]]", "[[egress.captured]]", "captured"),
            (
                "[resources]",
                "[integrity]\nsha256 = \"ABC\"\n[resources]",
                "64 lower-case",
            ),
            ("body = \"/key\"", "", "one of header, upgrade, body, frame"),
            (
                "body = \"/key\"",
                "body = \"/key\"\nheader = \"x\"",
                "one of header, upgrade, body, frame",
            ),
            ("\"/key\"", "\"key\"", "pointer to a field"),
            (
                "path = \"/token\"\n        body",
                "path = \"/a/../b\"\n        body",
                "not a path",
            ),
            (
                "method = \"POST\"\n        path = \"/token\"\n        body",
                "method = \"post\"\n        path = \"/token\"\n        body",
                "upper case",
            ),
            ("\"authorization\"", "\"Authorization\"", "lower case"),
            (
                "show = [\"/code\"]",
                "show = [\"/token\"]",
                "cannot be shown",
            ),
            (
                "max_memory_mb = 16",
                "max_memory_mb = 16\nmax_store_mb = 6",
                "max_store_mb = 6 is more than a third of max_memory_mb = 16",
            ),
            (
                "max_memory_mb = 16",
                "max_requests_per_minute = 0",
                "1 to 600000",
            ),
            ("max_memory_mb = 16", "max_effects = 5000", "1 to 4096"),
        ] {
            let message = broken(from, to);
            assert!(message.contains(says), "{to}: {message}");
        }
    }
}
