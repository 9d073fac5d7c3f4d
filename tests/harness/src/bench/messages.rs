//! What stands in messages and replies: ids that hold numbers, so that nothing has to be looked up.

use bytes::Bytes;
use time::format_description::well_known::Rfc3339;

/// Spread, so that neighbours share no long beginning.
fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// A user's OpenID.
pub(super) fn openid(user: usize) -> String {
    format!("{:016X}{user:016X}", spread(user as u64 + 1))
}

/// The id of a user's message. Real ones are about as long, and begin with the same word.
pub(super) fn id(user: usize, message: u64) -> String {
    let mixed = spread(message ^ (user as u64) << 32);
    format!("ROBOT1.0_{mixed:016x}{user:08x}{message:016x}.")
}

/// Which message a request body answers.
pub(super) fn answered(body: &[u8]) -> Option<(usize, u64)> {
    #[derive(serde::Deserialize)]
    struct Reply<'a> {
        #[serde(borrow)]
        msg_id: Option<std::borrow::Cow<'a, str>>,
    }
    let reply: Reply<'_> = serde_json::from_slice(body).ok()?;
    let id = reply.msg_id?;
    let numbers = id.strip_prefix("ROBOT1.0_")?;
    let user = usize::from_str_radix(numbers.get(16..24)?, 16).ok()?;
    let message = u64::from_str_radix(numbers.get(24..40)?, 16).ok()?;
    Some((user, message))
}

/// Now, as messages are dated.
pub(super) fn now() -> String {
    let now = time::OffsetDateTime::now_utc();
    now.format(&Rfc3339).unwrap_or_default()
}

/// The same body each time, for whoever posts as fast as it can.
pub(super) fn reply_body(id: &str) -> Bytes {
    Bytes::from(format!(
        r#"{{"content":"echo","msg_type":0,"msg_id":"{id}","msg_seq":1}}"#
    ))
}

#[cfg(test)]
mod tests {
    use super::{answered, id, reply_body};

    #[test]
    fn a_reply_names_the_message_that_it_answers() {
        for (user, message) in [(0, 1), (511, 123_456_789)] {
            let body = reply_body(&id(user, message));
            assert_eq!(answered(&body), Some((user, message)));
        }
        assert_eq!(answered(b"{}"), None);
    }
}
