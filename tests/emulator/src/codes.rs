//! The platform's codes as data: close codes of the gateway and error codes of the API.
//!
//! Only what this emulator can answer is listed; a code given by a fault or a setting that is
//! not in the table still gets a status by its family.

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

/// The error codes (documentation: "error codes" and the pages of the single endpoints).
pub const ERROR_CODES: &[ErrorCode] = &[
    error(404, 404, "接口不存在", "no such API"),
    error(405, 405, "请求方法错误", "no such method on this path"),
    error(429, 429, "频率超限", "too many requests"),
    error(500, 500, "系统错误", "internal error, outcome unknown"),
    error(502, 502, "网关错误", "gateway trouble"),
    error(504, 504, "网关超时", "gateway timeout, outcome unknown"),
    error(10001, 400, "账号异常", "account unknown"),
    error(11241, 401, "请求头中缺少token", "token missing"),
    error(
        11242,
        401,
        "校验token失败",
        "token check failed: system error",
    ),
    error(11243, 401, "校验token未通过", "token check not passed"),
    error(
        11244,
        401,
        "token not exist or expire",
        "token expired or unknown",
    ),
    error(11251, 401, "appid校验失败", "AppID wrong or missing"),
    error(
        11253,
        403,
        "应用接口无权限",
        "the app lacks this API's privilege",
    ),
    error(11254, 403, "应用接口被封禁", "API blocked for this bot"),
    error(
        11255,
        400,
        "请求参数错误",
        "invalid request, or a token of another app",
    ),
    error(
        11262,
        401,
        "不支持的bot token",
        "bot token not supported here",
    ),
    error(11265, 403, "机器人已被封禁", "bot banned"),
    error(
        11273,
        401,
        "不支持Bearer token",
        "Bearer tokens are not for bots",
    ),
    error(
        11298,
        401,
        "接口访问源IP不在白名单",
        "caller's address not on the allow-list",
    ),
    error(
        12001,
        400,
        "替换id失败",
        "id replacement failed: not an id of this bot's",
    ),
    error(12002, 400, "请求体错误", "bad request body"),
    error(20028, 429, "子频道消息触发限频", "channel write rate limit"),
    error(
        22006,
        400,
        "消息类型与内容不匹配",
        "message type and content do not match",
    ),
    error(22009, 429, "消息发送超频", "send rate exceeded"),
    error(50006, 400, "消息为空", "empty message"),
    error(
        50037,
        400,
        "markdown不能与其他类型同时发送",
        "markdown only with a keyboard",
    ),
    error(50056, 400, "不允许发送markdown", "markdown not allowed"),
    error(50059, 400, "input_type无效", "input_type invalid"),
    error(304003, 403, "URL未报备", "URL not registered"),
    error(304004, 403, "没有发送ark的权限", "no ark right"),
    error(
        304057,
        403,
        "不允许自定义按钮",
        "custom keyboard not allowed",
    ),
    error(304061, 400, "消息内容无效", "message content invalid"),
    error(304080, 400, "富媒体file_info错误", "bad file_info"),
    error(340069, 400, "msg_type无效", "msg_type invalid"),
    error(1100101, 400, "涉及敏感内容", "safety: sensitive content"),
    error(40034005, 400, "回复消息msg_id已过期", "msg_id expired"),
    error(40034006, 400, "内容违规", "content violation"),
    error(
        40034008,
        400,
        "markdown参数为空",
        "markdown parameter empty",
    ),
    error(40034011, 400, "消息体无效", "body invalid"),
    error(
        40034024,
        400,
        "回复消息msg_id无效",
        "msg_id invalid or not this bot's",
    ),
    error(40034025, 400, "回复事件event_id无效", "event_id invalid"),
    error(40034026, 400, "回复事件已过期", "event expired"),
    error(
        40034027,
        400,
        "该事件不支持回复",
        "event type cannot be replied to",
    ),
    error(40034100, 429, "主动消息超频", "proactive rate exceeded"),
    error(
        40034102,
        400,
        "主动消息失败, 无权限",
        "proactive not permitted",
    ),
    error(
        40034105,
        400,
        "主动消息失败, 无权限",
        "proactive not permitted",
    ),
    error(
        40034123,
        400,
        "不支持召回消息",
        "wake-up messages unsupported",
    ),
    error(
        40034124,
        400,
        "markdown参数错误",
        "markdown parameter error",
    ),
    error(40034127, 400, "没有markdown权限", "no markdown right"),
    error(
        40034128,
        400,
        "被动消息超过时间或数量限制",
        "passive time or count exceeded",
    ),
    error(40054003, 400, "机器人不在群内", "not in the group"),
    error(40054004, 400, "非好友关系", "no friendship"),
    error(
        40054005,
        400,
        "消息被去重，请检查请求msgseq",
        "deduplicated: pair seen before",
    ),
    error(40054007, 400, "消息内容过长", "message too long"),
    error(40054010, 400, "不允许发送url", "URL not allowed"),
    error(40054013, 400, "用户拒绝接收消息", "user rejects messages"),
    error(40054016, 400, "机器人已下线", "bot offline or unpublished"),
    error(
        100001,
        200,
        "too many requests",
        "token endpoint: wait at least 60 s",
    ),
    error(100007, 200, "appid invalid", "appId missing or unknown"),
    error(100016, 200, "invalid appid or secret", "secret wrong"),
    error(10004, 200, "bot not exist", "bot does not exist"),
];

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
