//! Addresses that open something for whoever knows them (presigned ones, download keys) have what opens
//! in their query. A trace keeps an address and the names in its query, and masks the values.

const BEGINNINGS: [&[u8]; 4] = [b"http://", b"https://", b"http:\\/\\/", b"https:\\/\\/"];

/// Replaces letters and digits of the values in the query of every address, byte for byte. Works on plain
/// text and on JSON text, whose escapes it leaves alone. True when there was something to replace.
pub fn mask(text: &mut String) -> bool {
    let mut bytes = std::mem::take(text).into_bytes();
    let masked = mask_bytes(&mut bytes);
    // Only ASCII was replaced by ASCII.
    *text = String::from_utf8(bytes).unwrap_or_default();
    masked
}

/// True when bytes hold an address with something to mask.
pub fn holds_capability(bytes: &[u8]) -> bool {
    mask_bytes(&mut bytes.to_vec())
}

fn mask_bytes(bytes: &mut [u8]) -> bool {
    let mut at = 0;
    let mut masked = false;
    while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
        let begins = BEGINNINGS.iter().find(|b| rest.starts_with(b));
        at += match begins {
            Some(begin) => begin.len() + mask_one(rest, begin.len(), &mut masked),
            None => 1,
        };
    }
    masked
}

/// Masks the address whose path begins after so many bytes, and returns how many bytes there were.
fn mask_one(bytes: &mut [u8], begin: usize, masked: &mut bool) -> usize {
    let (mut query, mut value, mut at) = (false, false, begin);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => {
                let escape = bytes.get(at..at + 6).unwrap_or_default();
                if escape == b"\\u0026" {
                    value = false;
                    at += 6;
                } else if escape == b"\\u003d" {
                    value = query;
                    at += 6;
                } else if bytes.get(at + 1) == Some(&b'/') {
                    at += 2;
                } else {
                    break;
                }
                continue;
            }
            b'?' if !query => query = true,
            b'=' if query => value = true,
            b'&' => value = false,
            b'#' => break,
            b'0'..=b'9' if value => {
                *masked |= byte != b'0';
                set(bytes, at, b'0');
            }
            b'a'..=b'z' | b'A'..=b'Z' if value => {
                *masked |= byte != b'x';
                set(bytes, at, b'x');
            }
            0..=b' ' | b'"' | b'\'' | b'<' | b'>' | b'`' | b')' | b']' | 127.. => break,
            _ => {}
        }
        at += 1;
    }
    at - begin
}

fn set(bytes: &mut [u8], at: usize, to: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = to;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        let mut text = text.to_owned();
        mask(&mut text);
        text
    }

    #[test]
    fn values_of_queries_are_masked_and_nothing_else() {
        for (from, to) in [
            (
                "see https://a.b/c?sign=q1-Ab%3D&t=9 now",
                "see https://a.b/c?sign=x0-xx%0x&t=0 now",
            ),
            (
                r#"{"url":"https:\/\/m.x\/d?rkey=CAI\u0026spec=0","n":12}"#,
                r#"{"url":"https:\/\/m.x\/d?rkey=xxx\u0026spec=0","n":12}"#,
            ),
            ("no address ?a=b", "no address ?a=b"),
            ("https://a.b/c1=2", "https://a.b/c1=2"),
            ("(https://a.b/?k=v) k=v", "(https://a.b/?k=x) k=v"),
            (
                "https://a.b?k=v#part=1 https://c.d?e=f",
                "https://a.b?k=x#part=1 https://c.d?e=x",
            ),
            ("见https://a.b?k=钥v 好=a", "见https://a.b?k=钥v 好=a"),
        ] {
            assert_eq!(masked(from), to);
        }
    }

    proptest! {
        #[test]
        fn a_masked_text_is_as_long_and_stays_as_it_is(text in "(https?://|\\?|=|&|[a-z0-9 \\\\\"/]|\\\\u0026|啊)*") {
            let once = masked(&text);
            prop_assert_eq!(once.len(), text.len());
            prop_assert_eq!(masked(&once), once.clone());
            prop_assert!(!holds_capability(once.as_bytes()));
        }

        #[test]
        fn json_text_stays_json(value in "[a-z0-9/&=?:\\\\\" ]*") {
            let json = serde_json::json!({ "u": format!("https://h/?k={value}"), "v": 1 }).to_string();
            prop_assert!(serde_json::from_str::<serde_json::Value>(&masked(&json)).is_ok());
        }
    }
}
