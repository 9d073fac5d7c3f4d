//! Error answers of the platform: how they are read, and what each code asks of us, as a table
//! (`PROTOCOL.md`, "Errors").

use serde::Deserialize;

use crate::bindings::HttpResponse;
use crate::gateway::close::Stop;

/// What an error asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not an error: accepted.
    Accepted,
    /// Accepted, and held for review.
    Held,
    /// The same message was accepted before: delivered, if we were repeating it.
    Duplicate,
    /// Once more after a short wait.
    RetryOnce,
    /// Again, with growing waits. Where the platform deduplicates, with the same `msg_seq`.
    Backoff,
    /// A new token, then once more.
    Token,
    /// As plain text.
    Plain,
    /// Without the keyboard.
    NoKeyboard,
    /// Shorter.
    Split,
    /// Without links.
    StripLinks,
    /// Without the mention of everyone.
    StripEveryone,
    /// Upload the media again.
    Reupload,
    /// The media cannot be shown: say so in text.
    MediaAsText,
    /// The passive reply is no longer possible.
    WindowClosed,
    /// Proactive messages are not allowed here.
    NoProactive,
    /// Refused for its content: give up, and tell the person so.
    Unsafe,
    /// Give up this message.
    Drop,
    /// The place or the person is gone: give up, and forget it.
    Gone,
    /// Give up, and tell the operator what to mend: the next message would fare no better.
    Fatal(Stop),
}

/// The table: codes from, codes to, what they ask of us. Codes are those of message endpoints.
#[rustfmt::skip]
pub const TABLE: &[(i64, i64, Class)] = &[
    (10_000, 10_000, Class::Drop),
    (10_001, 10_001, Class::Gone), (10_003, 10_004, Class::Gone),
    (11_241, 11_241, Class::Drop),
    (11_242, 11_242, Class::RetryOnce),
    (11_243, 11_244, Class::Token),
    (11_251, 11_251, Class::Fatal(Stop::BadAppId)),
    (11_252, 11_252, Class::RetryOnce),
    (11_253, 11_254, Class::Drop),
    (11_255, 11_255, Class::Token),
    (11_261, 11_261, Class::Fatal(Stop::BadAppId)),
    (11_262, 11_262, Class::Drop),
    (11_263, 11_263, Class::RetryOnce),
    (11_264, 11_264, Class::Drop),
    (11_265, 11_265, Class::Fatal(Stop::Banned)),
    (11_273, 11_274, Class::Drop),
    (11_275, 11_275, Class::Fatal(Stop::BadAppId)),
    (11_281, 11_281, Class::RetryOnce),
    (11_282, 11_282, Class::Drop),
    (11_298, 11_298, Class::Fatal(Stop::AddressNotAllowed)),
    (11_301, 11_306, Class::RetryOnce),
    (12_001, 12_002, Class::Drop), (12_003, 12_003, Class::RetryOnce),
    (20_028, 20_028, Class::Backoff),
    (22_006, 22_006, Class::Plain),
    (22_009, 22_009, Class::Backoff),
    (50_006, 50_006, Class::Drop), (50_035, 50_035, Class::Drop),
    (50_037, 50_037, Class::Plain),
    (50_038, 50_040, Class::Drop),
    (50_041, 50_044, Class::Plain),
    (50_045, 50_045, Class::Drop),
    (50_046, 50_048, Class::Plain),
    (50_049, 50_053, Class::Drop),
    (50_054, 50_057, Class::Plain),
    (50_059, 50_059, Class::Drop),
    (100_001, 100_001, Class::Backoff),
    (301_000, 301_007, Class::Drop),
    (304_003, 304_003, Class::StripLinks),
    (304_004, 304_004, Class::Plain),
    (304_005, 304_005, Class::Split),
    (304_006, 304_009, Class::Backoff), (304_016, 304_016, Class::Backoff),
    (304_010, 304_010, Class::MediaAsText), (304_017, 304_017, Class::MediaAsText),
    (304_020, 304_021, Class::MediaAsText),
    (304_011, 304_012, Class::Plain), (304_014, 304_014, Class::Plain),
    (304_018, 304_018, Class::Backoff),
    (304_019, 304_019, Class::StripEveryone),
    (304_022, 304_022, Class::Drop),
    (304_023, 304_024, Class::Held),
    (304_025, 304_025, Class::Unsafe),
    (304_026, 304_027, Class::WindowClosed),
    (304_028, 304_028, Class::Drop),
    (304_029, 304_029, Class::RetryOnce), (304_030, 304_030, Class::Drop),
    (304_031, 304_034, Class::Gone),
    (304_035, 304_035, Class::NoProactive), (304_045, 304_050, Class::NoProactive),
    (304_036, 304_036, Class::Plain), (304_037, 304_037, Class::NoKeyboard),
    (304_038, 304_040, Class::NoKeyboard),
    (304_044, 304_044, Class::RetryOnce),
    (304_051, 304_052, Class::Drop),
    (304_057, 304_057, Class::NoKeyboard),
    (304_061, 304_061, Class::Plain),
    (304_062, 304_062, Class::NoKeyboard), (304_064, 304_064, Class::Drop),
    (304_080, 304_080, Class::Reupload), (304_082, 304_083, Class::Reupload),
    (304_103, 304_103, Class::WindowClosed),
    (305_007, 305_007, Class::NoKeyboard),
    (306_001, 306_002, Class::Drop), (306_003, 306_003, Class::RetryOnce), (306_004, 306_004, Class::Drop),
    (306_005, 306_006, Class::RetryOnce), (306_007, 306_009, Class::Drop), (306_010, 306_010, Class::RetryOnce),
    (306_011, 306_011, Class::Drop),
    (340_067, 340_067, Class::Backoff), (340_069, 340_069, Class::Drop),
    (501_002, 501_004, Class::RetryOnce), (501_006, 501_007, Class::RetryOnce),
    (501_011, 501_012, Class::RetryOnce),
    (501_000, 504_999, Class::Drop),
    (610_013, 610_013, Class::Backoff), (610_001, 610_014, Class::Drop),
    (620_003, 620_004, Class::Duplicate), (620_006, 620_006, Class::Backoff), (620_007, 620_007, Class::RetryOnce),
    (620_001, 620_005, Class::Drop),
    (630_001, 630_007, Class::Drop),
    (850_018, 850_018, Class::Drop), (850_019, 850_019, Class::MediaAsText),
    (850_026, 850_027, Class::Reupload), (850_031, 850_031, Class::MediaAsText),
    (1_100_100, 1_100_100, Class::Backoff), (1_100_308, 1_100_308, Class::Backoff),
    (1_100_101, 1_100_101, Class::Unsafe), (1_100_102, 1_100_102, Class::Drop),
    (1_100_103, 1_100_103, Class::Unsafe), (1_100_104, 1_100_104, Class::Gone),
    (1_100_300, 1_100_300, Class::RetryOnce), (1_100_302, 1_100_302, Class::RetryOnce),
    (1_100_305, 1_100_305, Class::RetryOnce), (1_100_499, 1_100_499, Class::RetryOnce),
    (1_100_301, 1_100_307, Class::Drop),
    (3_300_006, 3_300_006, Class::Drop),
    (40_034_004, 40_034_004, Class::Reupload),
    (40_034_005, 40_034_005, Class::WindowClosed),
    (40_034_006, 40_034_006, Class::Unsafe),
    (40_034_008, 40_034_012, Class::Plain),
    (40_034_024, 40_034_024, Class::WindowClosed),
    (40_034_025, 40_034_025, Class::RetryOnce),
    (40_034_026, 40_034_027, Class::WindowClosed),
    (40_034_029, 40_034_029, Class::NoKeyboard),
    (40_034_100, 40_034_100, Class::Backoff),
    (40_034_101, 40_034_101, Class::Gone),
    (40_034_102, 40_034_102, Class::NoProactive), (40_034_105, 40_034_105, Class::NoProactive),
    (40_034_106, 40_034_106, Class::Plain), (40_034_108, 40_034_109, Class::Plain),
    (40_034_122, 40_034_123, Class::Drop),
    (40_034_124, 40_034_124, Class::Plain), (40_034_127, 40_034_127, Class::Plain),
    (40_034_128, 40_034_128, Class::WindowClosed),
    (40_054_002, 40_054_002, Class::Drop),
    (40_054_003, 40_054_004, Class::Gone),
    (40_054_005, 40_054_005, Class::Duplicate),
    (40_054_006, 40_054_006, Class::Backoff),
    (40_054_007, 40_054_007, Class::Split), (40_054_018, 40_054_018, Class::Split),
    (40_054_010, 40_054_010, Class::StripLinks),
    (40_054_013, 40_054_013, Class::NoProactive),
    (40_054_016, 40_054_016, Class::Fatal(Stop::SandboxOnly)),
    (50_055_001, 50_055_002, Class::Backoff), (50_055_006, 50_055_006, Class::Backoff),
    (40_061_001, 40_061_002, Class::Drop), (40_062_003, 40_062_003, Class::Drop),
    (40_064_004, 40_064_004, Class::Drop), (50_065_001, 50_065_001, Class::RetryOnce),
    (40_093_001, 40_093_001, Class::Backoff), (40_093_002, 40_093_002, Class::Drop),
    (40_030_013, 40_030_021, Class::Drop),
];

fn row(code: i64) -> Option<Class> {
    let row = TABLE
        .iter()
        .find(|(from, to, _)| (*from..=*to).contains(&code));
    row.map(|(_, _, class)| *class)
}

/// True for a code of the table: the platform says what it did, and that is not to deliver.
#[must_use]
pub fn known(code: i64) -> bool {
    row(code).is_some()
}

/// What an answer asks of us. The code decides; without one, or with one that nobody knows, the status does.
#[must_use]
pub fn class(status: u16, code: Option<i64>) -> Class {
    let known = code.and_then(row);
    match (known, status) {
        (Some(class), _) => class,
        (None, 200 | 204) => Class::Accepted,
        (None, 201 | 202) => Class::Held,
        (None, 401) => Class::Token,
        (None, 429) => Class::Backoff,
        (None, 500..=599) => Class::Backoff,
        (None, _) => Class::Drop,
    }
}

/// The same for streams, where three numbers mean something else than elsewhere (`PROTOCOL.md`, "Streaming").
#[must_use]
pub fn stream_class(status: u16, code: Option<i64>) -> Class {
    match code {
        // Not what is shown can be changed, but what is missing can follow as a message.
        Some(40_007) => Class::Plain,
        Some(50_001) => Class::RetryOnce,
        Some(50_002) => Class::Backoff,
        _ => class(status, code),
    }
}

/// As `known`, for streams.
#[must_use]
pub fn known_of_streams(code: i64) -> bool {
    matches!(code, 40_007 | 50_001 | 50_002) || known(code)
}

/// True for codes that say that the bot lacks a right, and not that this one message is wrong: the next one would
/// fare no better.
#[must_use]
pub fn for_want_of_a_right(code: i64) -> bool {
    const RIGHTS: [i64; 9] = [
        50_056, 304_004, 304_014, 304_036, 304_037, 304_057, 40_034_012, 40_034_127, 22_006,
    ];
    RIGHTS.contains(&code)
}

/// True for what the platform says of a sender that is too fast.
#[must_use]
pub fn too_fast(status: u16, code: Option<i64>) -> bool {
    const RATES: [i64; 6] = [20_028, 22_009, 100_001, 1_100_100, 1_100_308, 40_034_100];
    match code {
        Some(code) if known(code) => RATES.contains(&code),
        _ => status == 429,
    }
}

/// An error answer, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// `err_code`, else `code`: either may be missing, and they may differ.
    pub code: Option<i64>,
    /// For people; its text changes, so nothing is decided by it.
    pub message: String,
    /// What the platform's support can find the request by.
    pub trace: Option<String>,
    /// Id of a review, when the message is held.
    pub audit: Option<String>,
}

impl Problem {
    /// What the log and the doctor show of it. `header`: the trace id in the header, for a body without one.
    #[must_use]
    pub fn evidence(&self, status: u16, header: Option<&str>) -> String {
        let trace = self.trace.as_deref().or(header).unwrap_or("none");
        match self.code {
            Some(code) => format!("HTTP {status}, code {code}, trace {trace}"),
            None => format!("HTTP {status}, no code, trace {trace}"),
        }
    }
}

/// The header with which the platform traces a request.
#[must_use]
pub fn trace_header(response: &HttpResponse) -> Option<&str> {
    let header = response
        .headers
        .iter()
        .find(|header| header.name == "x-tps-trace-id");
    header.map(|header| header.value.as_str())
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    err_code: Option<i64>,
    #[serde(default)]
    code: Option<i64>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    data: serde_json::Value,
}

/// Reads an error answer. A body that is not JSON (the platform's edge answers in HTML) has no code.
#[must_use]
pub fn read(status: u16, body: &str) -> Problem {
    let Ok(parsed) = serde_json::from_str::<Body>(body) else {
        return Problem {
            message: format!("HTTP {status} without a readable body"),
            ..Problem::default()
        };
    };
    let code = parsed
        .err_code
        .filter(|code| *code != 0)
        .or(parsed.code)
        .filter(|code| *code != 0);
    let audit = parsed
        .data
        .pointer("/message_audit/audit_id")
        .and_then(|id| id.as_str())
        .map(str::to_owned);
    Problem {
        code,
        message: parsed.message.unwrap_or_default(),
        trace: parsed.trace_id,
        audit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_the_status() {
        assert_eq!(class(400, Some(40_034_005)), Class::WindowClosed);
        assert_eq!(class(500, Some(40_054_005)), Class::Duplicate);
        assert_eq!(
            class(401, Some(11_298)),
            Class::Fatal(Stop::AddressNotAllowed)
        );
        assert_eq!(class(202, Some(304_023)), Class::Held);
        assert_eq!(class(400, Some(501_003)), Class::RetryOnce);
        assert_eq!(class(400, Some(502_001)), Class::Drop);
        assert_eq!(class(400, Some(620_003)), Class::Duplicate);
    }

    #[test]
    fn without_a_known_code_the_status_decides() {
        assert_eq!(class(200, None), Class::Accepted);
        assert_eq!(class(204, None), Class::Accepted);
        assert_eq!(class(401, None), Class::Token);
        assert_eq!(class(429, None), Class::Backoff);
        assert_eq!(class(502, None), Class::Backoff);
        assert_eq!(class(400, Some(99_999_999)), Class::Drop);
        assert_eq!(class(500, Some(99_999_999)), Class::Backoff);
    }

    #[test]
    fn no_row_hides_a_narrower_one_behind_it() {
        for (index, (from, to, _)) in TABLE.iter().enumerate() {
            assert!(from <= to);
            for (wide_from, wide_to, _) in &TABLE[..index] {
                assert!(
                    !(wide_from <= from && to <= wide_to),
                    "{from}..={to} is never reached"
                );
            }
        }
    }

    #[test]
    fn either_code_field_is_read_and_html_is_survived() {
        assert_eq!(
            read(400, r#"{"err_code":40034005,"message":"x","trace_id":"t"}"#).code,
            Some(40_034_005)
        );
        assert_eq!(
            read(400, r#"{"code":22009,"message":"x"}"#).code,
            Some(22_009)
        );
        assert_eq!(read(502, "<html>bad gateway</html>").code, None);
        let held = r#"{"code":304023,"message":"x","data":{"message_audit":{"audit_id":"a1"}}}"#;
        assert_eq!(read(202, held).audit.as_deref(), Some("a1"));
    }
}
