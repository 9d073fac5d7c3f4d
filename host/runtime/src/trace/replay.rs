//! Runs a trace through a component, and stops at the first thing that differs.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::line::{BadLine, Header, Line, Start, Step};
use crate::bindings::v0_1::Effect;
use crate::guest::{Component, Guest, GuestFault};

/// Differing fields that are listed of one answer.
const LISTED: usize = 20;
/// Characters of a value that are shown.
const SHOWN: usize = 160;

/// How a replay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The file's header.
    pub header: Header,
    /// Events that were taken and answered as in the file.
    pub steps: u64,
    /// What differs, if anything does.
    pub difference: Option<Difference>,
    /// Things to know of the run, one sentence each.
    pub notes: Vec<String>,
}

/// The first answer that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The event's number; 0 for a start.
    pub n: u64,
    /// What the instance was to take: the event as JSON, or the reason of the start.
    pub taking: String,
    /// Path of each field that differs, with both values.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Such as `effects[1].action.http.url`.
    pub path: String,
    /// In the file.
    pub recorded: String,
    /// Now.
    pub replayed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.n {
            0 => writeln!(f, "differs at a start ({})", self.taking)?,
            n => writeln!(f, "differs at event {n}: {}", shown(&self.taking))?,
        }
        for field in &self.fields {
            writeln!(f, "  {}", field.path)?;
            writeln!(f, "    recorded: {}", field.recorded)?;
            writeln!(f, "    replayed: {}", field.replayed)?;
        }
        Ok(())
    }
}

/// A trace that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A line is wrong.
    #[error(transparent)]
    Line(#[from] BadLine),
    /// It has no header.
    #[error(
        "this is not a trace: it does not begin with a header; choose a file that `record` wrote"
    )]
    NoHeader,
    /// The component does not take the beginning.
    #[error("the component does not start as in the trace: {0}; use the version that was recorded")]
    Start(String),
}

struct Run {
    component: Arc<dyn Component>,
    digest: String,
    instance: Option<Box<dyn Guest>>,
    replayed: Replayed,
    /// The last start was another component's; this one takes its place.
    foreign: bool,
}

/// Runs a trace, up to and with event `until`. The lines come without their ends; an incomplete last one
/// is left out.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    component: Arc<dyn Component>,
    until: Option<u64>,
) -> Result<Replayed, ReplayError> {
    let mut lines = lines.into_iter().enumerate().peekable();
    let first = lines.next().map(|(_, text)| Line::read(text, 1));
    let Some(Line::Trace(header)) = first.transpose()? else {
        return Err(ReplayError::NoHeader);
    };
    let mut run = Run {
        digest: component.digest(),
        component,
        instance: None,
        replayed: Replayed {
            header,
            steps: 0,
            difference: None,
            notes: Vec::new(),
        },
        foreign: false,
    };
    while let Some((index, text)) = lines.next() {
        let line = match Line::read(text, index + 1) {
            Ok(line) => line,
            // Whoever records may be stopped in the middle of a line.
            Err(BadLine::Syntax { .. }) if lines.peek().is_none() => {
                run.note("the last line is cut off".to_owned());
                break;
            }
            Err(error) => return Err(error.into()),
        };
        let end = match line {
            Line::Trace(_) => return Err(ReplayError::NoHeader),
            Line::Start(start) => run.start(*start)?,
            Line::Step(step) if until.is_some_and(|until| step.n > until) => break,
            Line::Step(step) => run.step(*step),
            Line::Broken(why) => {
                run.note(format!("the recording broke off: {why}"));
                false
            }
        };
        if end {
            break;
        }
    }
    Ok(run.replayed)
}

impl Run {
    fn note(&mut self, note: String) {
        if !self.replayed.notes.contains(&note) {
            self.replayed.notes.push(note);
        }
    }

    /// True when the run is over.
    fn start(&mut self, start: Start) -> Result<bool, ReplayError> {
        let fault = |fault: GuestFault| ReplayError::Start(fault.to_string());
        self.foreign = start.digest != self.digest;
        if self.foreign {
            self.note(format!(
                "recorded with {} {} ({:.12}), run with another component ({:.12})",
                start.plugin, start.plugin_version, start.digest, self.digest
            ));
        }
        let mut instance = self.component.instantiate().map_err(fault)?;
        let started = instance.start(start.now, &start.boot).map_err(fault)?;
        let effects = started.map_err(|problems| {
            let said = problems.iter().map(|p| p.sentence.as_str());
            ReplayError::Start(said.collect::<Vec<_>>().join("; "))
        })?;
        self.instance = Some(instance);
        let fields = compare(&start.effects, &effects);
        Ok(self.differs(0, format!("{:?}", start.boot.reason), fields))
    }

    fn step(&mut self, step: Step) -> bool {
        // Between a fault and the next start nobody was there.
        let Some(instance) = self.instance.as_mut() else {
            return false;
        };
        let answer = instance.handle(step.now, &step.event);
        drop(instance.take_log());
        let (effects, fault) = match answer {
            Ok(effects) => (effects, None),
            Err(fault) => {
                self.instance = None;
                (Vec::new(), Some(fault.kind.to_string()))
            }
        };
        // The kind only: the words hold places in a build.
        let recorded = step
            .fault
            .as_ref()
            .map(|f| f.split(':').next().unwrap_or_default().to_owned());
        let mut fields = Vec::new();
        if recorded != fault {
            let said = |f: &Option<String>| f.clone().unwrap_or_else(|| "none".into());
            fields.push(Field {
                path: "fault".into(),
                recorded: said(&step.fault),
                replayed: said(&fault),
            });
        }
        fields.extend(compare(&step.effects, &effects));
        if fields.is_empty() {
            self.replayed.steps += 1;
        }
        let taking = serde_json::to_string(&step.event).unwrap_or_default();
        self.differs(step.n, taking, fields)
    }

    fn differs(&mut self, n: u64, taking: String, fields: Vec<Field>) -> bool {
        if fields.is_empty() {
            return false;
        }
        self.replayed.difference = Some(Difference { n, taking, fields });
        true
    }
}

fn compare(recorded: &[Effect], replayed: &[Effect]) -> Vec<Field> {
    if recorded == replayed {
        return Vec::new();
    }
    let json = |effects: &[Effect]| serde_json::to_value(effects).unwrap_or_default();
    let mut fields = Vec::new();
    differing(
        "effects",
        Some(&json(recorded)),
        Some(&json(replayed)),
        &mut fields,
    );
    fields.truncate(LISTED);
    fields
}

fn differing(path: &str, a: Option<&Value>, b: Option<&Value>, fields: &mut Vec<Field>) {
    match (a, b) {
        (Some(Value::Array(a)), Some(Value::Array(b))) if !is_bytes(a) && !is_bytes(b) => {
            for index in 0..a.len().max(b.len()) {
                let path = format!("{path}[{index}]");
                differing(&path, a.get(index), b.get(index), fields);
            }
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = format!("{path}.{key}");
                differing(&path, a.get(key), b.get(key), fields);
            }
        }
        (a, b) if a == b => {}
        (a, b) => {
            let text = |v: Option<&Value>| v.map_or("nothing".into(), |v| shown(&readable(v)));
            fields.push(Field {
                path: path.to_owned(),
                recorded: text(a),
                replayed: text(b),
            });
        }
    }
}

fn is_bytes(list: &[Value]) -> bool {
    !list.is_empty() && list.iter().all(Value::is_u64)
}

/// Bytes as the text that they are, where they are one.
fn readable(value: &Value) -> String {
    let bytes = value.as_array().filter(|list| is_bytes(list)).map(|list| {
        let bytes = list.iter().filter_map(|v| u8::try_from(v.as_u64()?).ok());
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    });
    bytes.unwrap_or_else(|| value.to_string())
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::v0_1::Action;

    fn delete(key: &str) -> Effect {
        Effect {
            after_commit: false,
            action: Action::StoreDelete(key.into()),
        }
    }

    #[test]
    fn differences_are_named_by_their_fields() {
        assert!(compare(&[delete("a")], &[delete("a")]).is_empty());
        let fields = compare(&[delete("a"), delete("b")], &[delete("x")]);
        assert_eq!(fields.len(), 2, "{fields:?}");
        assert_eq!(fields[0].path, "effects[0].action.StoreDelete");
        assert_eq!(
            (fields[0].recorded.as_str(), fields[0].replayed.as_str()),
            ("\"a\"", "\"x\"")
        );
        assert_eq!(
            (fields[1].path.as_str(), fields[1].replayed.as_str()),
            ("effects[1]", "nothing")
        );
    }
}
