//! The operator's files: TOML in, checked values out, every mistake one sentence with file and line.
//!
//! Knows key tables ([`KeySpec`]) and nothing of what the keys mean. Secrets go out on their own,
//! hidden, and never into the JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::bindings::v0_1::{KeySpec, Problem};
use crate::claim::Name;
use crate::egress::Widening;
use crate::vault::Hidden;

mod check;
mod keys;
mod layers;

pub use keys::{boolean, integer, text, text_list};
pub use layers::{Layer, Layers};

/// The table above all channels.
pub const CHANNELS: &str = "channels_config";
/// The host's own key in a channel's table: which plugin runs it. Its default is the table's name.
pub const PLUGIN_KEY: &str = "plugin";

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Who a channel is to the other side: two with the same one, of one plugin, would be one account connected twice.
///
/// The values of all keys that have to be there and are neither a secret nor an address, and of the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The keys that say it.
    pub keys: Vec<String>,
    values: Vec<String>,
}

impl Identity {
    fn of(keys: &[KeySpec], json: &serde_json::Map<String, serde_json::Value>) -> Option<Self> {
        let says = |spec: &&KeySpec| spec.required && !spec.secret && spec.widens_egress.is_none();
        let says: Vec<&KeySpec> = keys.iter().filter(says).collect();
        let addresses = keys.iter().filter(|spec| spec.widens_egress.is_some());
        let value = |spec: &KeySpec| json.get(&spec.name).map(ToString::to_string);
        let all = says.iter().copied().chain(addresses);
        let values = all.map(|spec| value(spec).unwrap_or_default()).collect();
        let keys: Vec<String> = says.iter().map(|spec| spec.name.clone()).collect();
        (!keys.is_empty()).then_some(Self { keys, values })
    }

    /// The name that a process takes for it.
    pub(crate) fn name(&self, plugin: &str) -> Name {
        let parts = self.keys.iter().chain(&self.values).map(String::as_bytes);
        Name::of("channel", std::iter::once(plugin.as_bytes()).chain(parts))
    }
}

/// A table that passed its checks.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// All values but the secrets, defaults filled in, as a JSON object.
    pub json: serde_json::Map<String, serde_json::Value>,
    /// The secrets that have a value.
    pub secrets: Vec<(String, Hidden)>,
    /// URLs that widen an egress group.
    pub widenings: Vec<Widening>,
    /// Secrets that other users can read where they are written: one sentence each.
    pub exposed: Vec<String>,
    /// Who the channel is to the other side; `None` where no key says it.
    pub identity: Option<Identity>,
    /// Where each key was written.
    pub places: BTreeMap<String, Place>,
    /// Where the table begins; `None` when no file has it.
    pub place: Option<Place>,
}

impl Checked {
    /// The JSON as text, as a channel gets it.
    pub fn json_text(&self) -> String {
        serde_json::Value::from(self.json.clone()).to_string()
    }

    /// Takes a secret out.
    pub fn secret(&self, name: &str) -> Option<&Hidden> {
        let found = self.secrets.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value)
    }

    /// A text value.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.json.get(key)?.as_str()
    }

    /// A whole number.
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.json.get(key)?.as_i64()
    }

    /// True or false.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        self.json.get(key)?.as_bool()
    }

    /// A list of texts; empty when there is none.
    pub fn list(&self, key: &str) -> Vec<String> {
        let list = self.json.get(key).and_then(|v| v.as_array());
        let texts = list.into_iter().flatten().filter_map(|v| v.as_str());
        texts.map(str::to_owned).collect()
    }

    /// A problem that the component found, with the line of its key.
    pub fn problem(&self, table: &str, problem: &Problem) -> ConfigError {
        let place = problem.key.as_ref().and_then(|key| self.places.get(key));
        ConfigError::new(
            place.or(self.place.as_ref()).cloned(),
            Mistake::Problem {
                table: table.to_owned(),
                key: problem.key.clone(),
                sentence: problem.sentence.clone(),
                fix: problem.fix.clone(),
            },
        )
    }
}

/// A mistake and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, where there is one.
    pub place: Option<Place>,
    /// What is wrong.
    pub mistake: Box<Mistake>,
}

impl ConfigError {
    /// A mistake, and its line where there is one.
    pub fn new(place: Option<Place>, mistake: Mistake) -> Self {
        let mistake = Box::new(mistake);
        Self { place, mistake }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        self.mistake.fmt(f)
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// A file cannot be read.
    #[error("{file} cannot be read: {cause}; check the path and its permissions")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        cause: String,
    },
    /// Not TOML.
    #[error("this is not valid TOML: {0}")]
    Syntax(String),
    /// No such table.
    #[error("there is no [{table}] in {files}; write one")]
    NoTable {
        /// The table.
        table: String,
        /// Where it was looked for.
        files: String,
    },
    /// Something that should be a table is not.
    #[error("[{0}] must be a table")]
    NotATable(String),
    /// A key that nobody knows.
    #[error("`{key}` is not a key of [{table}]; {hint}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Its table.
        table: String,
        /// A near one, or all of them.
        hint: String,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {want}, and is {found}; write for example `{key} = {example}`")]
    WrongType {
        /// The key.
        key: String,
        /// The type it takes.
        want: &'static str,
        /// The type it has.
        found: String,
        /// A value that would do.
        example: String,
    },
    /// A value that is not among the allowed ones.
    #[error("{value:?} is not a value of `{key}`; allowed are {allowed}{hint}")]
    NotAllowed {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The values allowed.
        allowed: String,
        /// A near one, or nothing.
        hint: String,
    },
    /// A number out of range.
    #[error("`{key}` is {value}, and must be {range}")]
    Range {
        /// The key.
        key: String,
        /// The value.
        value: i64,
        /// The range.
        range: String,
    },
    /// A required key is not there.
    #[error("[{table}] needs `{key}`; add `{key} = {example}`")]
    Missing {
        /// The key.
        key: String,
        /// Its table.
        table: String,
        /// A value that would do.
        example: String,
    },
    /// A secret that cannot be had.
    #[error("the secret `{key}` cannot be had: {cause}")]
    Secret {
        /// The key.
        key: String,
        /// Why, and what to do.
        cause: String,
    },
    /// Not a URL.
    #[error("`{key}` must be a URL such as https://api.example.org, and is not: {cause}")]
    Url {
        /// The key.
        key: String,
        /// What is wrong.
        cause: String,
    },
    /// The component found something.
    #[error("[{table}]{}: {sentence}; {fix}", key_suffix(.key))]
    Problem {
        /// The channel's table.
        table: String,
        /// The key it is about.
        key: Option<String>,
        /// What is wrong.
        sentence: String,
        /// What to do.
        fix: String,
    },
    /// Anything else that a caller checks by itself.
    #[error("{0}")]
    Other(String),
}

fn key_suffix(key: &Option<String>) -> String {
    key.as_ref().map(|k| format!(" {k}")).unwrap_or_default()
}

impl Layers {
    /// Checks a channel's table, `[channels_config.NAME]`.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn channel(
        &self,
        name: &str,
        keys: &[KeySpec],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Checked, Vec<ConfigError>> {
        let mut all = keys.to_vec();
        all.push(text(PLUGIN_KEY, "The plugin that runs this channel."));
        let mut checked = check::table(self, &[CHANNELS, name], &all, env, true, &[])?;
        checked.json.remove(PLUGIN_KEY);
        checked.identity = Identity::of(keys, &checked.json);
        Ok(checked)
    }

    /// Checks a table of the caller's own, such as `[agent]`. A table that is not there has its
    /// defaults.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn table(
        &self,
        name: &str,
        keys: &[KeySpec],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Checked, Vec<ConfigError>> {
        check::table(self, &[name], keys, env, false, &[])
    }

    /// The same for a table that has tables of tables in it, such as `tools` in
    /// `[agent.tools.NAME]`; see [`Layers::tables`].
    ///
    /// # Errors
    /// Every mistake in it but those in the tables within.
    pub fn table_with(
        &self,
        name: &str,
        keys: &[KeySpec],
        tables: &[&str],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Checked, Vec<ConfigError>> {
        check::table(self, &[name], keys, env, false, tables)
    }

    /// Checks every table `[NAME.GROUP.X]`; returned with its X, ascending.
    ///
    /// # Errors
    /// Every mistake in any of them.
    pub fn tables(
        &self,
        name: &str,
        group: &str,
        keys: &[KeySpec],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<(String, Checked)>, Vec<ConfigError>> {
        let mut tables = Vec::new();
        let mut errors = Vec::new();
        if let Some(found) = self.view(&[name]).keys.get(group)
            && !found.item.is_table_like()
        {
            let mistake = Mistake::NotATable(format!("{name}.{group}"));
            errors.push(ConfigError::new(Some(found.place.clone()), mistake));
        }
        for (inner, found) in self.view(&[name, group]).keys {
            let checked = match found.item.is_table_like() {
                true => check::table(self, &[name, group, &inner], keys, env, false, &[]),
                false => {
                    let mistake = Mistake::NotATable(format!("{name}.{group}.{inner}"));
                    Err(vec![ConfigError::new(Some(found.place), mistake)])
                }
            };
            match checked {
                Ok(checked) => tables.push((inner, checked)),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() {
            Ok(tables)
        } else {
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests;
