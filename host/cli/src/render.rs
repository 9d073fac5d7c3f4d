//! How reports look: for people, and as JSON for programs. Nothing else here prints them, and all that others wrote in
//! them is made plain here.

use std::io::{self, Write};

use prx_host::bindings::v0_1::{Health, HealthLevel, Mark, Reply, ReportLine};
use prx_host::plain::{plain, plain_json};
use prx_host::status::ChannelStatus;
use serde_json::{Value, json};

use crate::locale::Locale;
use crate::texts::Text;

/// What is known at the end of a question.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) lines: Vec<ReportLine>,
    /// What the channel has for programs.
    pub(crate) data: Option<Value>,
    /// The one sentence to act on.
    pub(crate) summary: Option<String>,
}

impl Report {
    /// Adds what came in one reply.
    pub(crate) fn add(&mut self, reply: Reply) {
        self.lines.extend(reply.lines);
        // What is not JSON is a text all the same.
        let data = reply
            .data
            .map(|data| serde_json::from_str(&data).unwrap_or(Value::String(data)));
        self.data = data.or(self.data.take());
        self.summary = reply.summary.or(self.summary.take());
    }

    /// True when somebody must act.
    pub(crate) fn fails(&self) -> bool {
        self.lines.iter().any(|line| line.mark == Mark::Fail)
    }

    /// The report's part of a JSON object.
    pub(crate) fn json(&self) -> Value {
        json!({
            "ok": !self.fails(),
            "lines": self.lines.iter().map(line_json).collect::<Vec<_>>(),
            "data": self.data,
            "summary": self.summary,
        })
    }
}

/// A line without evidence and fix.
pub(crate) fn line(mark: Mark, topic: impl Into<String>, text: impl Into<String>) -> ReportLine {
    ReportLine {
        mark,
        topic: topic.into(),
        text: text.into(),
        evidence: None,
        fix: None,
    }
}

fn line_json(line: &ReportLine) -> Value {
    json!({
        "mark": mark_word(line.mark),
        "topic": line.topic,
        "text": line.text,
        "evidence": line.evidence,
        "fix": line.fix,
    })
}

fn mark_word(mark: Mark) -> &'static str {
    match mark {
        Mark::Ok => "ok",
        Mark::Info => "info",
        Mark::Warn => "warn",
        Mark::Fail => "fail",
        Mark::Skip => "skip",
    }
}

/// The mark of a health.
pub(crate) fn mark_of(level: HealthLevel) -> Mark {
    match level {
        HealthLevel::Ok => Mark::Ok,
        HealthLevel::Degraded => Mark::Warn,
        HealthLevel::Stopped => Mark::Fail,
    }
}

/// A health, for programs.
pub(crate) fn health_json(health: &Health) -> Value {
    let level = match health.level {
        HealthLevel::Ok => "ok",
        HealthLevel::Degraded => "degraded",
        HealthLevel::Stopped => "stopped",
    };
    json!({
        "level": level,
        "code": health.code,
        "summary": health.summary,
        "fix": health.fix,
    })
}

/// The host's view, for programs.
pub(crate) fn status_json(status: &ChannelStatus) -> Value {
    let mut value = serde_json::to_value(status).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("health".into(), health_json(&status.health));
        let recent = status.recent.iter().map(|noted| {
            json!({
                "wall_ms": noted.wall_ms,
                "level": format!("{:?}", noted.level).to_lowercase(),
                "text": noted.text,
            })
        });
        object.insert("recent".into(), recent.collect());
    }
    value
}

/// Where reports are written.
pub(crate) struct Screen<'a> {
    pub(crate) locale: Locale,
    pub(crate) json: bool,
    pub(crate) out: &'a mut dyn Write,
}

impl Screen<'_> {
    pub(crate) fn say(&self, text: Text, values: &[&dyn std::fmt::Display]) -> String {
        self.locale.language.say(text, values)
    }

    fn mark(&self, mark: Mark) -> &'static str {
        match (mark, self.locale.marks) {
            (Mark::Ok, true) => "✓",
            (Mark::Info, true) => "ℹ",
            (Mark::Warn, true) => "⚠",
            (Mark::Fail, true) => "✗",
            (Mark::Skip, true) => "–",
            (Mark::Ok, false) => "[ok]",
            (Mark::Info, false) => "[info]",
            (Mark::Warn, false) => "[warn]",
            (Mark::Fail, false) => "[FAIL]",
            (Mark::Skip, false) => "[skip]",
        }
    }

    /// A whole report; its last line is the one sentence to act on.
    pub(crate) fn report(&mut self, report: &Report) -> io::Result<()> {
        let topics = report.lines.iter().map(|line| width(&plain(&line.topic)));
        let topics = topics.max().unwrap_or(0);
        for line in &report.lines {
            self.line(line, topics)?;
        }
        match &report.summary {
            Some(summary) => self.note(summary),
            None => Ok(()),
        }
    }

    /// One line, with its evidence behind it and its fix beneath.
    pub(crate) fn line(&mut self, line: &ReportLine, topics: usize) -> io::Result<()> {
        let mark = self.mark(line.mark);
        // The longest mark has six letters.
        let marks = if self.locale.marks { 1 } else { 6 };
        let topic = padded(&plain(&line.topic), topics);
        let evidence = line.evidence.as_ref().map(|e| format!(" ({})", plain(e)));
        let evidence = evidence.unwrap_or_default();
        let text = plain(&line.text);
        writeln!(self.out, "{mark:marks$} {topic}  {text}{evidence}")?;
        if let Some(fix) = &line.fix {
            let fix = self.say(Text::Fix, &[&plain(fix)]);
            writeln!(self.out, "{:marks$}   {fix}", "")?;
        }
        Ok(())
    }

    /// One JSON object, on one line.
    pub(crate) fn object(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{}", plain_json(&value.to_string()))
    }

    /// A sentence.
    pub(crate) fn note(&mut self, sentence: &str) -> io::Result<()> {
        writeln!(self.out, "{}", plain(sentence))
    }

    /// Begins anew, where a terminal can.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        if self.locale.terminal && !self.json {
            write!(self.out, "\u{1b}[H\u{1b}[2J")?;
        }
        self.out.flush()
    }
}

/// Columns of a terminal: Chinese characters take two.
fn width(text: &str) -> usize {
    let columns = |c: char| {
        if ('\u{2e80}'..'\u{ffdd}').contains(&c) {
            2
        } else {
            1
        }
    };
    text.chars().map(columns).sum()
}

fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// Bytes, for people.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", tenths(bytes, 1024)),
        1_048_576..1_073_741_824 => format!("{} MiB", tenths(bytes, 1 << 20)),
        _ => format!("{} GiB", tenths(bytes, 1 << 30)),
    }
}

fn tenths(bytes: u64, unit: u64) -> String {
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    fn shown(report: &Report, marks: bool, language: Language) -> String {
        let mut out = Vec::new();
        let locale = Locale {
            language,
            marks,
            terminal: marks,
        };
        let json = false;
        let mut screen = Screen {
            locale,
            json,
            out: &mut out,
        };
        screen.report(report).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn report() -> Report {
        Report {
            lines: vec![
                line(Mark::Ok, "token", "is good"),
                ReportLine {
                    evidence: Some("code 7".into()),
                    fix: Some("open the console".into()),
                    ..line(Mark::Fail, "gate", "is shut")
                },
                line(Mark::Skip, "线路", "not tested"),
            ],
            data: None,
            summary: Some("open the console".into()),
        }
    }

    #[test]
    fn a_report_has_marks_columns_evidence_and_ends_in_what_to_do() {
        assert_eq!(
            shown(&report(), true, Language::Chinese),
            "✓ token  is good\n✗ gate   is shut (code 7)\n    处理：open the console\n– 线路   not tested\nopen the console\n"
        );
        assert_eq!(
            shown(&report(), false, Language::English),
            "[ok]   token  is good\n[FAIL] gate   is shut (code 7)\n         fix: open the console\n[skip] 线路   not tested\nopen the console\n"
        );
    }

    #[test]
    fn nothing_that_others_wrote_moves_the_cursor_or_begins_a_line() {
        let bad = "a\u{1b}[2J\nb\u{202e}\u{9b}c";
        let report = Report {
            lines: vec![ReportLine {
                evidence: Some(bad.into()),
                fix: Some(bad.into()),
                ..line(Mark::Info, bad, bad)
            }],
            data: Some(json!({ "x": bad })),
            summary: Some(bad.into()),
        };
        let said = shown(&report, false, Language::English);
        assert_eq!(said.lines().count(), 3);
        assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{said:?}");
        assert_eq!(said.matches("a\\u{1b}[2J\\nb\\u{202e}\\u{9b}c").count(), 5);
        let mut out = Vec::new();
        let mut screen = Screen {
            locale: Locale {
                language: Language::English,
                marks: false,
                terminal: false,
            },
            json: true,
            out: &mut out,
        };
        screen.object(&report.json()).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(
            said.trim_end()
                .chars()
                .all(|c| plain(&c.to_string()) == c.to_string())
        );
        let read: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(read["data"]["x"], bad);
    }

    #[test]
    fn replies_add_up_and_programs_get_words() {
        let mut all = Report::default();
        for (done, data) in [(false, Some(r#"{"a":1}"#)), (true, None)] {
            all.add(Reply {
                id: 1,
                done,
                lines: vec![line(Mark::Warn, "t", "x")],
                data: data.map(str::to_owned),
                summary: done.then(|| "act".to_owned()),
            });
        }
        let json = all.json();
        assert_eq!(json["lines"][1]["mark"], "warn");
        assert_eq!(
            (json["data"]["a"].as_i64(), json["summary"].as_str()),
            (Some(1), Some("act"))
        );
        assert_eq!(json["ok"], true);
        assert_eq!(report().json()["ok"], false);
    }

    #[test]
    fn sizes_are_short() {
        for (size, expected) in [
            (0, "0 B"),
            (1536, "1.5 KiB"),
            (64 << 20, "64 MiB"),
            (3 << 30, "3 GiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }
}
