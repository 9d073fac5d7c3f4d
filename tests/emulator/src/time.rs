//! Moments and how QQ writes them. No clock lives here: every moment is an argument.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// A moment of wall time: milliseconds since the Unix epoch.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Millis(pub u64);

impl Millis {
    /// The moment `span` later, stopping at the end of time.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(span)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// RFC 3339 in China's time zone with whole seconds, `2026-07-21T10:30:00+08:00`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        const FORM: &[time::format_description::BorrowedFormatItem<'_>] =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+08:00");
        self.china().format(FORM).unwrap_or_default()
    }

    /// What Go's default formatting prints: `2024-10-15 16:33:15 +0800 CST m=+12.000000001`.
    #[must_use]
    pub fn go_text(self) -> String {
        const FORM: &[time::format_description::BorrowedFormatItem<'_>] =
            format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let day = self.china().format(FORM).unwrap_or_default();
        format!("{day} +0800 CST m=+{}.000000001", self.0 % 100_000)
    }

    /// Hours, minutes, seconds and milliseconds in China's time zone, for people.
    #[must_use]
    pub fn clock_text(self) -> String {
        const FORM: &[time::format_description::BorrowedFormatItem<'_>] =
            format_description!("[hour]:[minute]:[second].[subsecond digits:3]");
        self.china().format(FORM).unwrap_or_default()
    }

    /// As the `date` header of HTTP has it: `Tue, 21 Jul 2026 02:30:00 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        const FORM: &[time::format_description::BorrowedFormatItem<'_>] = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let utc = self.china().to_offset(UtcOffset::UTC);
        utc.format(FORM).unwrap_or_default()
    }

    fn china(self) -> OffsetDateTime {
        let nanos = i128::from(self.0) * 1_000_000;
        let offset = UtcOffset::from_hms(8, 0, 0).unwrap_or(UtcOffset::UTC);
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .to_offset(offset)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.clock_text())
    }
}

/// A duration in whole milliseconds, stopping at the largest.
#[must_use]
pub fn whole_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// The forms in which `timestamp` has been seen in events and answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampForm {
    /// `"2026-07-21T10:30:00+08:00"`, the documented form.
    #[default]
    Rfc3339,
    /// Unix seconds as a JSON number.
    Seconds,
    /// Unix seconds in a JSON string.
    SecondsText,
    /// Go's default text, as some pushes carry it.
    Go,
}

impl TimestampForm {
    /// Writes a moment in this form.
    #[must_use]
    pub fn write(self, at: Millis) -> Value {
        match self {
            Self::Rfc3339 => Value::String(at.rfc3339()),
            Self::Seconds => json!(at.seconds()),
            Self::SecondsText => Value::String(at.seconds().to_string()),
            Self::Go => Value::String(at.go_text()),
        }
    }
}

/// Reads `500ms`, `6s`, `5m`, `2h` or a bare number of seconds.
#[must_use]
pub fn parse_span(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits)?;
    let number: u64 = digits.parse().ok()?;
    let millis = match unit {
        "ms" => number,
        "s" | "" => number.checked_mul(1_000)?,
        "m" | "min" => number.checked_mul(60_000)?,
        "h" => number.checked_mul(3_600_000)?,
        _ => return None,
    };
    Some(Duration::from_millis(millis))
}

/// Writes a span so that [`parse_span`] reads it back.
#[must_use]
pub fn span_text(span: Duration) -> String {
    let millis = whole_millis(span);
    match millis {
        0 => "0s".to_owned(),
        m if m % 3_600_000 == 0 => format!("{}h", m / 3_600_000),
        m if m % 60_000 == 0 => format!("{}m", m / 60_000),
        m if m % 1_000 == 0 => format!("{}s", m / 1_000),
        m => format!("{m}ms"),
    }
}

/// Durations as whole milliseconds in JSON, for use with `#[serde(with = "…")]`.
pub(crate) mod as_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(super::whole_millis(*span))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_chinas_time_zone() {
        let at = Millis(1_784_601_000_000);
        assert_eq!(at.rfc3339(), "2026-07-21T10:30:00+08:00");
        assert!(
            at.go_text()
                .starts_with("2026-07-21 10:30:00 +0800 CST m=+")
        );
        assert_eq!(at.clock_text(), "10:30:00.000");
        assert_eq!(at.http_date(), "Tue, 21 Jul 2026 02:30:00 GMT");
    }

    #[test]
    fn spans_are_read_back_as_written() {
        for text in ["500ms", "6s", "5m", "2h", "0s"] {
            assert_eq!(span_text(parse_span(text).unwrap()), text);
        }
        assert_eq!(parse_span("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse_span("7 parsecs"), None);
        assert_eq!(parse_span(""), None);
    }
}
