//! One table against its key table.

use std::path::{Path, PathBuf};

use serde_json::Value;
use toml_edit::Item;
use url::Url;

use super::layers::{Found, Layers, View};
use super::{CHANNELS, Checked, ConfigError, Mistake, Place};
use crate::bindings::v0_1::{KeyKind, KeySpec};
use crate::egress::Widening;
use crate::vault::{Hidden, MAX_SECRET_BYTES, MAX_SECRETS};

/// How alike two words must be to be taken for each other, 0 to 1.
const ALIKE: f64 = 0.75;

/// Permission to read, for the group and for everybody.
const OTHERS_READ: u32 = 0o044;

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn table(
    layers: &Layers,
    path: &[&str],
    keys: &[KeySpec],
    env: Env<'_>,
    required: bool,
    tables: &[&str],
) -> Result<Checked, Vec<ConfigError>> {
    let name = path.join(".");
    let view = layers.view(path);
    if required && view.place.is_none() {
        return Err(vec![no_table(layers, name)]);
    }
    let above = layers.view(&[CHANNELS]);
    let mut errors = unknown_keys(&view, keys, tables, &name);
    let mut checked = Checked {
        place: view.place.clone(),
        ..Checked::default()
    };
    for spec in keys {
        let written = view.keys.get(&spec.name);
        let inherited = spec.inherits_from.as_ref().and_then(|k| above.keys.get(k));
        let result = match (written.or(inherited), &spec.default) {
            (Some(found), _) => one(spec, found, env, &mut checked),
            (None, Some(default)) => default_value(spec, default, &mut checked),
            (None, None) if spec.required => Err(ConfigError::new(
                view.place.clone(),
                Mistake::Missing {
                    key: spec.name.clone(),
                    table: name.clone(),
                    example: example(spec),
                },
            )),
            (None, None) => Ok(()),
        };
        errors.extend(result.err());
    }
    if errors.is_empty() {
        Ok(checked)
    } else {
        errors.sort_by_key(|e| e.place.as_ref().map(|p| (p.file.clone(), p.line)));
        Err(errors)
    }
}

fn no_table(layers: &Layers, table: String) -> ConfigError {
    let files: Vec<String> = layers
        .paths()
        .iter()
        .map(|p| p.display().to_string())
        .collect();
    let files = if files.is_empty() {
        "any file".to_owned()
    } else {
        files.join(" or ")
    };
    ConfigError::new(None, Mistake::NoTable { table, files })
}

fn unknown_keys(
    view: &View<'_>,
    keys: &[KeySpec],
    tables: &[&str],
    table: &str,
) -> Vec<ConfigError> {
    let keys = keys.iter().map(|k| k.name.as_str());
    let known: Vec<&str> = keys.chain(tables.iter().copied()).collect();
    let unknown = view
        .keys
        .iter()
        .filter(|(key, _)| !known.contains(&key.as_str()));
    unknown
        .map(|(key, found)| {
            ConfigError::new(
                Some(found.place.clone()),
                Mistake::UnknownKey {
                    key: key.clone(),
                    table: table.to_owned(),
                    hint: match nearest(key, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("its keys are {}", known.join(", ")),
                    },
                },
            )
        })
        .collect()
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|k| (strsim::jaro_winkler(word, k), k));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// Checks one value and files it under what it is.
fn one(
    spec: &KeySpec,
    found: &Found<'_>,
    env: Env<'_>,
    checked: &mut Checked,
) -> Result<(), ConfigError> {
    let fail = |mistake| ConfigError::new(Some(found.place.clone()), mistake);
    let key = spec.name.clone();
    checked.places.insert(key.clone(), found.place.clone());
    let value = typed(spec, found.item).map_err(fail)?;
    if spec.secret {
        let written = value.as_str().unwrap_or_default();
        checked.exposed.extend(exposed(&key, written, &found.place));
        let secret = resolve(written, &found.place, env);
        let secret = secret.map_err(|cause| {
            let key = key.clone();
            fail(Mistake::Secret { key, cause })
        })?;
        let length = secret.expose().len();
        if length > MAX_SECRET_BYTES {
            return Err(fail(Mistake::Other(format!(
                "`{key}` has {length} bytes, and a secret may have {MAX_SECRET_BYTES}; is it the right file or variable?"
            ))));
        }
        if checked.secrets.len() >= MAX_SECRETS {
            return Err(fail(Mistake::Other(format!(
                "`{key}` is one secret more than the {MAX_SECRETS} that a channel may have; the plugin is broken"
            ))));
        }
        checked.secrets.push((key, secret));
        return Ok(());
    }
    let value = allowed(spec, value).map_err(fail)?;
    if let (Some(group), Some(url)) = (&spec.widens_egress, value.as_str()) {
        checked.widenings.push(Widening {
            group: group.clone(),
            url: base_url(&key, url).map_err(fail)?,
        });
    }
    checked.json.insert(key, value);
    Ok(())
}

fn default_value(spec: &KeySpec, default: &str, checked: &mut Checked) -> Result<(), ConfigError> {
    let value = serde_json::from_str(default).map_err(|_| {
        ConfigError::new(
            None,
            Mistake::Other(format!(
                "the plugin's default for `{}` is not JSON: {default}; the plugin is broken",
                spec.name
            )),
        )
    })?;
    checked.json.insert(spec.name.clone(), value);
    Ok(())
}

fn typed(spec: &KeySpec, item: &Item) -> Result<Value, Mistake> {
    let value = match spec.kind {
        KeyKind::Text => item.as_str().map(Value::from),
        KeyKind::Boolean => item.as_bool().map(Value::from),
        KeyKind::Integer => item.as_integer().map(Value::from),
        KeyKind::TextList => item.as_array().and_then(|list| {
            let texts: Option<Vec<Value>> =
                list.iter().map(|v| v.as_str().map(Value::from)).collect();
            texts.map(Value::from)
        }),
    };
    value.ok_or_else(|| Mistake::WrongType {
        key: spec.name.clone(),
        want: match spec.kind {
            KeyKind::Text => "a string",
            KeyKind::Boolean => "true or false",
            KeyKind::Integer => "a whole number",
            KeyKind::TextList => "a list of strings",
        },
        found: type_name(item),
        example: example(spec),
    })
}

fn type_name(item: &Item) -> String {
    match item.type_name() {
        "array" => "a list with something else in it, or of another kind".into(),
        "integer" => "a whole number".into(),
        "string" => "a string".into(),
        "boolean" => "true or false".into(),
        other => format!("a {other}"),
    }
}

fn allowed(spec: &KeySpec, value: Value) -> Result<Value, Mistake> {
    match value {
        Value::String(text) => one_text(spec, text).map(Value::from),
        Value::Array(list) => {
            let texts = list
                .into_iter()
                .filter_map(|v| v.as_str().map(str::to_owned));
            let texts: Result<Vec<String>, Mistake> = texts.map(|t| one_text(spec, t)).collect();
            texts.map(Value::from)
        }
        Value::Number(number) => {
            in_range(spec, number.as_i64().unwrap_or(i64::MAX))?;
            Ok(Value::Number(number))
        }
        other => Ok(other),
    }
}

fn one_text(spec: &KeySpec, text: String) -> Result<String, Mistake> {
    if let Some(alias) = spec.aliases.iter().find(|a| a.written == text) {
        return Ok(alias.means.clone());
    }
    if spec.allowed.is_empty() || spec.allowed.contains(&text) {
        return Ok(text);
    }
    let near = nearest(&text, spec.allowed.iter().map(String::as_str));
    Err(Mistake::NotAllowed {
        key: spec.name.clone(),
        hint: near
            .map(|n| format!("; did you mean {n:?}?"))
            .unwrap_or_default(),
        value: text,
        allowed: spec
            .allowed
            .iter()
            .map(|v| format!("{v:?}"))
            .collect::<Vec<_>>()
            .join(", "),
    })
}

fn in_range(spec: &KeySpec, value: i64) -> Result<(), Mistake> {
    let (low, high) = (spec.minimum, spec.maximum);
    if low.is_none_or(|low| value >= low) && high.is_none_or(|high| value <= high) {
        return Ok(());
    }
    Err(Mistake::Range {
        key: spec.name.clone(),
        value,
        range: match (low, high) {
            (Some(low), Some(high)) => format!("from {low} to {high}"),
            (Some(low), None) => format!("{low} or more"),
            (None, Some(high)) => format!("{high} or less"),
            (None, None) => "any".into(),
        },
    })
}

fn base_url(key: &str, text: &str) -> Result<Url, Mistake> {
    let bad = |cause: String| Mistake::Url {
        key: key.to_owned(),
        cause,
    };
    let url = Url::parse(text).map_err(|e| bad(e.to_string()))?;
    if !matches!(url.scheme(), "https" | "http" | "wss" | "ws") {
        return Err(bad(format!(
            "{} is not a scheme that can be used",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a user name or password does not belong here".into()));
    }
    Ok(url)
}

/// The warning for a secret that other users can read.
fn exposed(key: &str, written: &str, place: &Place) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    if written.starts_with("env:") {
        return None;
    }
    let file = secret_file(written, place).unwrap_or_else(|| place.file.clone());
    let mode = std::fs::metadata(&file).ok()?.permissions().mode() & 0o777;
    (mode & OTHERS_READ != 0).then(|| {
        let file = file.display();
        format!("{place}: other users can read the secret `{key}` in {file} (its mode is {mode:03o}); take that away with: chmod go-r {file}")
    })
}

fn secret_file(written: &str, place: &Place) -> Option<PathBuf> {
    let path = written.strip_prefix("file:")?;
    Some(place.file.parent().unwrap_or(Path::new(".")).join(path))
}

/// A secret is written out, or found in the environment or a file.
fn resolve(written: &str, place: &Place, env: Env<'_>) -> Result<Hidden, String> {
    let value = if let Some(name) = written.strip_prefix("env:") {
        env(name).ok_or_else(|| format!("the environment variable {name} is not set; set it"))?
    } else if let Some(path) = secret_file(written, place) {
        let read = std::fs::read_to_string(&path);
        read.map_err(|e| format!("{} cannot be read: {e}; check the path", path.display()))?
    } else {
        written.to_owned()
    };
    let value = Hidden::new(value);
    let trimmed = value.expose().trim();
    if trimmed.is_empty() {
        return Err("it is empty; fill it in".into());
    }
    Ok(Hidden::new(trimmed))
}

fn example(spec: &KeySpec) -> String {
    if spec.secret {
        return format!("\"env:{}\"", spec.name.to_uppercase());
    }
    let first = spec.allowed.first().map_or("...", String::as_str);
    match spec.kind {
        KeyKind::Text => format!("{first:?}"),
        KeyKind::Boolean => "true".into(),
        KeyKind::Integer => spec.minimum.unwrap_or(1).to_string(),
        KeyKind::TextList => format!("[{first:?}]"),
    }
}
