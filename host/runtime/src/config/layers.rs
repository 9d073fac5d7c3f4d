//! Files laid over each other, and the line of everything in them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, TableLike};

use super::{CHANNELS, ConfigError, Mistake, PLUGIN_KEY, Place};
use crate::bindings::v0_1::KeySpec;

/// One file.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where it is.
    pub path: PathBuf,
    /// True for a file of another program's, of which only the channels' table is ours.
    pub only_channels: bool,
    /// False when the file may be missing.
    pub required: bool,
}

struct Parsed {
    path: PathBuf,
    text: String,
    doc: Document<String>,
    only_channels: bool,
}

/// All files, later ones over earlier ones.
pub struct Layers {
    files: Vec<Parsed>,
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths = self.files.iter().map(|file| &file.path);
        f.debug_list().entries(paths).finish()
    }
}

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Found<'a> {
    pub(super) item: &'a Item,
    pub(super) place: Place,
}

/// A table, as all files together have it.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    pub(super) place: Option<Place>,
    pub(super) keys: BTreeMap<String, Found<'a>>,
}

impl Layers {
    /// Reads files, later ones over earlier ones.
    ///
    /// # Errors
    /// A required file is missing, or one is unreadable or not TOML.
    pub fn read(layers: &[Layer]) -> Result<Self, Vec<ConfigError>> {
        let mut files = Vec::new();
        let mut errors = Vec::new();
        for layer in layers {
            match std::fs::read_to_string(&layer.path) {
                Ok(text) => match parse(&layer.path, text, layer.only_channels) {
                    Ok(parsed) => files.push(parsed),
                    Err(error) => errors.push(error),
                },
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !layer.required => {}
                Err(error) => errors.push(ConfigError::new(
                    None,
                    Mistake::Unreadable {
                        file: layer.path.display().to_string(),
                        cause: error.to_string(),
                    },
                )),
            }
        }
        if errors.is_empty() {
            Ok(Self { files })
        } else {
            Err(errors)
        }
    }

    /// One file that is in memory already.
    ///
    /// # Errors
    /// It is not TOML.
    pub fn from_text(path: impl Into<PathBuf>, text: &str) -> Result<Self, ConfigError> {
        let parsed = parse(&path.into(), text.to_owned(), false)?;
        Ok(Self {
            files: vec![parsed],
        })
    }

    /// Lays a text over what is there.
    ///
    /// # Errors
    /// It is not TOML.
    pub fn lay_over(&mut self, path: impl Into<PathBuf>, text: &str) -> Result<(), ConfigError> {
        self.files
            .push(parse(&path.into(), text.to_owned(), false)?);
        Ok(())
    }

    /// Names of the channels' tables, ascending, each with the plugin that runs it.
    pub fn channels(&self) -> BTreeMap<String, String> {
        let mut channels = BTreeMap::new();
        for (name, found) in self.view(&[CHANNELS]).keys {
            if found.item.is_table_like() {
                let plugin = self.view(&[CHANNELS, &name]);
                let plugin = plugin.keys.get(PLUGIN_KEY);
                let plugin = plugin.and_then(|p| p.item.as_str()).unwrap_or(&name);
                let plugin = plugin.to_owned();
                channels.insert(name, plugin);
            }
        }
        channels
    }

    /// Keys of a channel's table, and of the table above that it inherits from, which the daemon's own
    /// channel of that name does not accept; each wherever it is written.
    pub fn not_native(&self, name: &str, keys: &[KeySpec]) -> Vec<(String, Place)> {
        let native = |key: &str| keys.iter().any(|spec| spec.native && spec.name == key);
        let above = |key: &str| {
            keys.iter()
                .any(|spec| spec.inherits_from.as_deref() == Some(key))
        };
        let mut found = Vec::new();
        for file in &self.files {
            for (path, foreign) in [
                (&[CHANNELS][..], &above as &dyn Fn(&str) -> bool),
                (&[CHANNELS, name], &|key| !native(key)),
            ] {
                let keys = file.keys(path).into_iter();
                found.extend(keys.filter(|(key, _)| foreign(key)));
            }
        }
        found
    }

    /// The files of ours that were read: not those of which only the channels' table is.
    pub fn own_paths(&self) -> Vec<&Path> {
        let own = self.files.iter().filter(|file| !file.only_channels);
        own.map(|file| file.path.as_path()).collect()
    }

    /// The files that were read.
    pub fn paths(&self) -> Vec<&Path> {
        self.files.iter().map(|file| file.path.as_path()).collect()
    }

    pub(super) fn view(&self, path: &[&str]) -> View<'_> {
        let mut view = View::default();
        for file in &self.files {
            if file.only_channels && path.first() != Some(&CHANNELS) {
                continue;
            }
            let Some(table) = find(file.doc.as_table(), path) else {
                continue;
            };
            for (key, item) in table.iter() {
                let span = table.key(key).and_then(toml_edit::Key::span);
                let place = file.place(span.or_else(|| item.span()));
                view.keys.insert(key.to_owned(), Found { item, place });
            }
            let first = table.iter().next();
            let span = file
                .table_span(path)
                .or_else(|| first.and_then(|(_, i)| i.span()));
            view.place = Some(file.place(span));
        }
        view
    }
}

fn find<'a>(root: &'a dyn TableLike, path: &[&str]) -> Option<&'a dyn TableLike> {
    path.iter()
        .try_fold(root, |table, name| table.get(name)?.as_table_like())
}

impl Parsed {
    /// The keys of a table, as far as it is in this file.
    fn keys(&self, path: &[&str]) -> Vec<(String, Place)> {
        let table = find(self.doc.as_table(), path);
        let keys = table.into_iter().flat_map(|table| {
            table.iter().map(move |(key, item)| {
                let span = table.key(key).and_then(toml_edit::Key::span);
                (key.to_owned(), self.place(span.or_else(|| item.span())))
            })
        });
        keys.collect()
    }

    fn place(&self, span: Option<Range<usize>>) -> Place {
        let before = span.and_then(|span| self.text.get(..span.start));
        let line = before.map_or(1, |text| text.matches('\n').count() + 1);
        let file = self.path.clone();
        Place { file, line }
    }

    fn table_span(&self, path: &[&str]) -> Option<Range<usize>> {
        let (last, parents) = path.split_last()?;
        find(self.doc.as_table(), parents)?.get(last)?.span()
    }
}

fn parse(path: &Path, text: String, only_channels: bool) -> Result<Parsed, ConfigError> {
    match Document::parse(text.clone()) {
        Ok(doc) => Ok(Parsed {
            path: path.to_owned(),
            text,
            doc,
            only_channels,
        }),
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |text| text.matches('\n').count() + 1);
            Err(ConfigError::new(
                Some(Place {
                    file: path.to_owned(),
                    line,
                }),
                Mistake::Syntax(error.message().replace('\n', ", ")),
            ))
        }
    }
}
