//! The platform's codes as data: close codes of the gateway and error codes of the API.
//!
//! Only what this emulator can answer is listed; a code given by a fault or a setting that is
//! not in the table still gets a status by its family.

mod table;

pub use table::ERROR_CODES;

/// What a client may do after the gateway closed with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCode {
    /// The number in the close frame.
    pub code: u16,
    /// What the documentation says it means.
    pub meaning: &'static str,
    /// Whether the session may be resumed; if not, the platform forgets it on closing.
    pub resume: bool,
    /// Whether a new Identify may succeed.
    pub identify: bool,
}

const fn close(code: u16, meaning: &'static str, resume: bool, identify: bool) -> CloseCode {
    CloseCode {
        code,
        meaning,
        resume,
        identify,
    }
}

/// The close codes (documentation: "WebSocket error codes"; 4000, 4003 to 4005 from official SDKs).
pub const CLOSE_CODES: &[CloseCode] = &[
    close(1000, "normal closure", true, true),
    close(1001, "going away", true, true),
    close(4000, "unknown error of the backend", true, true),
    close(4001, "invalid opcode", false, false),
    close(4002, "invalid payload", false, false),
    close(4003, "not authenticated", false, true),
    close(4004, "authentication failed", true, true),
    close(4005, "already authenticated", true, true),
    close(4006, "session id no longer valid", false, true),
    close(4007, "bad seq", false, true),
    close(4008, "sending too fast", true, true),
    close(4009, "connection expired", true, true),
    close(4010, "invalid shard", false, false),
    close(4011, "too many guilds for one shard", false, false),
    close(4012, "invalid version", false, false),
    close(4013, "invalid intents: unknown bit", false, false),
    close(4014, "intents not granted to this bot", false, false),
    close(
        4914,
        "bot taken offline: only the sandbox may be used",
        false,
        false,
    ),
    close(4915, "bot banned", false, false),
];

/// The row of a close code. 4900 to 4913 share one meaning; an unknown code may be resumed.
#[must_use]
pub fn close_code(code: u16) -> CloseCode {
    let known = CLOSE_CODES.iter().find(|row| row.code == code).copied();
    known.unwrap_or(match code {
        4900..=4913 => close(code, "internal error", false, true),
        _ => close(code, "not in the documentation", true, true),
    })
}

/// An error of the API: what goes into `code` and `err_code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The business code.
    pub code: u32,
    /// The HTTP status it comes with. The documentation publishes no mapping; see [`error_code`].
    pub status: u16,
    /// What goes into `message`; clients must not key on it.
    pub message: &'static str,
    /// What it means, for people who read the log.
    pub meaning: &'static str,
}

const fn error(code: u32, status: u16, message: &'static str, meaning: &'static str) -> ErrorCode {
    ErrorCode {
        code,
        status,
        message,
        meaning,
    }
}

/// The row of an error code. For codes outside the table the status follows the family: 401 for
/// 1124x, 11251 and 11261, 403 for other 112xx, 400 for 4003xxxx and 4005xxxx, otherwise 500.
#[must_use]
pub fn error_code(code: u32) -> ErrorCode {
    let known = ERROR_CODES.iter().find(|row| row.code == code).copied();
    known.unwrap_or_else(|| {
        let status = match code {
            11240..=11249 | 11251 | 11261 => 401,
            11250..=11299 | 304_004 | 304_014 | 304_036 | 304_037 => 403,
            40_030_000..=40_069_999 | 304_000..=306_999 => 400,
            _ => 500,
        };
        error(code, status, "错误", "not in the emulator's table")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_keep_the_session_may_be_resumed() {
        for code in [4008, 4009, 1001] {
            assert!(close_code(code).resume, "{code}");
        }
        for code in [4006, 4007, 4900, 4913, 4914, 4915, 4014] {
            assert!(!close_code(code).resume, "{code}");
        }
    }

    #[test]
    fn no_error_code_is_listed_twice() {
        let mut codes: Vec<u32> = ERROR_CODES.iter().map(|row| row.code).collect();
        codes.sort_unstable();
        let before = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), before);
    }

    #[test]
    fn unlisted_codes_get_the_status_of_their_family() {
        assert_eq!(error_code(40_034_029).status, 400);
        assert_eq!(error_code(11_249).status, 401);
        assert_eq!(error_code(777).status, 500);
    }
}
