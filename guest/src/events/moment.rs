//! Moments, in every format that the platform writes them in (`PROTOCOL.md`, "Messages").

use serde_json::Value;

/// A timestamp in wall-clock milliseconds: RFC 3339, a number of seconds or milliseconds (also as text),
/// or what Go prints by default.
///
/// `None` also for a moment before there were bots: a zero, or a number that means something else, would close the
/// reply window of a message that was written just now.
#[must_use]
pub fn timestamp_ms(value: &Value) -> Option<u64> {
    let moment = match value {
        Value::Number(number) => number.as_u64().map(from_unix),
        Value::String(text) => text_timestamp_ms(text.trim()),
        _ => None,
    };
    moment.filter(|ms| *ms >= EARLIEST_MS)
}

/// The beginning of 2015, years before the platform's first bot.
const EARLIEST_MS: u64 = 1_420_070_400_000;

/// Seconds until the year 5138; larger numbers are milliseconds.
const LARGEST_SECONDS: u64 = 100_000_000_000;

fn from_unix(number: u64) -> u64 {
    if number < LARGEST_SECONDS {
        number * 1_000
    } else {
        number
    }
}

fn text_timestamp_ms(text: &str) -> Option<u64> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    use time::macros::format_description;
    if let Ok(number) = text.parse::<u64>() {
        return Some(from_unix(number));
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        // `2024-10-15 16:33:15.123 +0800 CST m=+1.2`: the date, the time without fraction, and the offset.
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]");
        let mut words = text.split_whitespace();
        let (date, clock, offset) = (words.next()?, words.next()?, words.next()?);
        let clock = clock.split('.').next()?;
        OffsetDateTime::parse(&format!("{date} {clock} {offset}"), format).ok()
    })?;
    u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_every_format_are_read() {
        let expected = Some(1_728_981_195_000);
        for text in [
            "\"2024-10-15T16:33:15+08:00\"",
            "1728981195",
            "\"1728981195\"",
            "1728981195000",
            "\"2024-10-15 16:33:15 +0800 CST m=+3.5\"",
            "\"2024-10-15 16:33:15.987 +0800 CST\"",
            "\"2024-10-15T08:33:15Z\"",
            "\" 2024-10-15T16:33:15.000+08:00 \"",
        ] {
            assert_eq!(
                timestamp_ms(&serde_json::from_str(text).unwrap()),
                expected,
                "{text}"
            );
        }
        for text in [
            "null",
            "\"soon\"",
            "\"\"",
            "0",
            "\"0\"",
            "7",
            "-1728981195",
            "1e300",
            "true",
            "[1728981195]",
            "\"0001-01-01T00:00:00Z\"",
            "\"2024-13-45T99:99:99Z\"",
        ] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(timestamp_ms(&value), None, "{text}");
        }
    }
}
