//! Where a secret may stand in what is sent, and which answers bring one: declared in the manifest, and enforced here,
//! whatever a component asks for.
//!
//! The two sides are matched differently. A secret leaves only towards a path that matches *strictly*, so an odd
//! spelling of a path is refused. An answer is taken for one with a secret when its path matches *loosely*, so an odd
//! spelling of a path hides nothing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

/// Times that a path is decoded before it is compared loosely: once for each server or proxy that may do so.
const MAX_DECODINGS: usize = 4;

/// The text is not a JSON pointer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a pointer to a field: write /name, or /outer/inner (RFC 6901)")]
pub struct BadPointer(String);

/// A field of a JSON object, by the names on the way to it. It never leads through an array.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The field that these names lead to; `None` for no names, which is the whole.
    pub fn of_names(names: Vec<String>) -> Option<Self> {
        (!names.is_empty()).then_some(Self(names))
    }

    /// The names, from the outermost object on; at least one.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The value there.
    pub fn find<'j>(&self, json: &'j serde_json::Value) -> Option<&'j serde_json::Value> {
        self.0
            .iter()
            .try_fold(json, |at, name| at.as_object()?.get(name))
    }
}

impl FromStr for Pointer {
    type Err = BadPointer;

    fn from_str(text: &str) -> Result<Self, BadPointer> {
        let bad = || BadPointer(text.to_owned());
        let rest = text.strip_prefix('/').ok_or_else(bad)?;
        let names = rest.split('/').map(|name| {
            let unescaped = name.replace("~1", "/").replace("~0", "~");
            (!name.is_empty()).then_some(unescaped).ok_or_else(bad)
        });
        names.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |name: &String| name.replace('~', "~0").replace('/', "~1");
        self.0
            .iter()
            .try_for_each(|name| write!(f, "/{}", escaped(name)))
    }
}

/// The text is not a path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a path: write /like/this; a segment may be *, which is any one, and the last one **, which is any rest"
)]
pub struct BadPath(String);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    This(String),
    AnyOne,
    AnyRest,
}

/// A path of a URL, with wildcards for whole segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(Vec<Segment>);

impl PathPattern {
    /// Every path.
    pub fn any() -> Self {
        Self(vec![Segment::AnyRest])
    }

    /// True for a path that can be read in one way only, and matches.
    pub fn matches_strictly(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix('/') else {
            return false;
        };
        if self.0.is_empty() {
            return rest.is_empty();
        }
        let mut segments = rest.split('/');
        for wanted in &self.0 {
            match wanted {
                Segment::This(text) => {
                    if segments.next() != Some(text) {
                        return false;
                    }
                }
                Segment::AnyOne => {
                    if !segments.next().is_some_and(is_plain) {
                        return false;
                    }
                }
                Segment::AnyRest => {
                    // The last one may be empty: a slash at the end.
                    let rest: Vec<&str> = segments.collect();
                    let last = rest.len().saturating_sub(1);
                    return rest
                        .into_iter()
                        .enumerate()
                        .all(|(at, s)| is_plain(s) || (s.is_empty() && at == last));
                }
            }
        }
        segments.next().is_none()
    }

    /// [`PathPattern::matches_strictly`] below a base that the operator configured; the base itself matches, too, since
    /// it may be the whole address of an endpoint.
    pub fn matches_strictly_below(&self, base: &str, path: &str) -> bool {
        let base = base.trim_end_matches('/');
        let below = path.strip_prefix(base);
        !base.is_empty() && (below == Some("") || below.is_some_and(|p| self.matches_strictly(p)))
    }

    /// True for a path that some server may take for one that matches.
    pub fn matches_loosely(&self, path: &str) -> bool {
        self.matches_segments(&canonical(path))
    }

    /// [`PathPattern::matches_loosely`] below a base that the operator configured, the base itself included.
    pub fn matches_loosely_below(&self, base: &str, path: &str) -> bool {
        let (base, path) = (canonical(base), canonical(path));
        let below = path.strip_prefix(base.as_slice());
        below.is_some_and(|below| {
            !base.is_empty() && (below.is_empty() || self.matches_segments(below))
        })
    }

    fn matches_segments(&self, segments: &[String]) -> bool {
        let mut segments = segments.iter();
        for wanted in &self.0 {
            match wanted {
                Segment::This(text) => {
                    let Some(segment) = segments.next() else {
                        return false;
                    };
                    if *segment != text.to_lowercase() {
                        return false;
                    }
                }
                Segment::AnyOne => {
                    if segments.next().is_none() {
                        return false;
                    }
                }
                Segment::AnyRest => return true,
            }
        }
        segments.next().is_none()
    }
}

/// True for a segment that no decoding turns into another path.
fn is_plain(segment: &str) -> bool {
    let decoded: Cow<'_, [u8]> = percent_decode_str(segment).into();
    let odd = |byte: &u8| matches!(byte, b'/' | b'\\' | b'%' | b';') || byte.is_ascii_control();
    !segment.is_empty() && !matches!(&*decoded, b"." | b"..") && !decoded.iter().any(odd)
}

/// The segments that a path has for the most obliging of servers.
fn canonical(path: &str) -> Vec<String> {
    let mut text = path.to_owned();
    for _ in 0..MAX_DECODINGS {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    let mut segments = Vec::new();
    for segment in text.to_lowercase().split(['/', '\\']) {
        let name = segment.split(';').next().unwrap_or_default();
        match name.trim_matches(|c: char| c.is_whitespace() || c.is_control()) {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name.to_owned()),
        }
    }
    segments
}

impl FromStr for PathPattern {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        let bad = || BadPath(text.to_owned());
        let rest = text.strip_prefix('/').ok_or_else(bad)?;
        let mut segments = Vec::new();
        if rest.is_empty() {
            return Ok(Self(segments));
        }
        for segment in rest.split('/') {
            if segments.last() == Some(&Segment::AnyRest) {
                return Err(bad());
            }
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
            segments.push(match segment {
                "*" => Segment::AnyOne,
                "**" => Segment::AnyRest,
                "." | ".." => return Err(bad()),
                text if !text.is_empty() && text.bytes().all(plain) => {
                    Segment::This(text.to_owned())
                }
                _ => return Err(bad()),
            });
        }
        Ok(Self(segments))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|segment| match segment {
            Segment::This(text) => write!(f, "/{text}"),
            Segment::AnyOne => f.write_str("/*"),
            Segment::AnyRest => f.write_str("/**"),
        })
    }
}

/// What a secret may stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// This header of an HTTP request, lower case.
    Header(String),
    /// This header of a WebSocket's upgrade request, lower case.
    Upgrade(String),
    /// This field of the JSON body of an HTTP request.
    Body(Pointer),
    /// This field of a JSON message on a WebSocket.
    Frame(Pointer),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "the header {name}"),
            Self::Upgrade(name) => write!(f, "the header {name} of a WebSocket"),
            Self::Body(pointer) => write!(f, "{pointer} of a JSON body"),
            Self::Frame(pointer) => write!(f, "{pointer} of a JSON message"),
        }
    }
}

/// A secret may stand here: the whole of a header's value or of a JSON string, behind the prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Name of the secret.
    pub secret: String,
    /// In what.
    pub place: Place,
    /// What stands before it, such as `Bearer `.
    pub prefix: String,
    /// Only with this method, upper case.
    pub method: Option<String>,
    /// Only towards these paths.
    pub path: PathPattern,
}

/// Answers of this endpoint bring a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Name of the secret.
    pub secret: String,
    /// It is brought in answer to this method, upper case. What the guest may see is the same for all methods.
    pub method: String,
    /// The endpoint's path.
    pub path: PathPattern,
    /// The field that holds the value.
    pub pointer: Pointer,
    /// The fields that the guest may see, of any answer of this endpoint. All else is withheld.
    pub show: Vec<Pointer>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PathPattern {
        text.parse().unwrap()
    }

    /// The path of a URL as it is parsed, which is what is compared.
    fn parsed(path: &str) -> String {
        let url: url::Url = format!("https://a.example{path}").parse().unwrap();
        url.path().to_owned()
    }

    #[test]
    fn a_secret_goes_only_where_the_path_can_be_read_in_one_way() {
        let token = path("/app/token");
        for good in [
            "/app/token",
            "/app/token?x=1",
            "/x/../app/token",
            "/app/%2e/token",
        ] {
            assert!(token.matches_strictly(&parsed(good)), "{good}");
        }
        for bad in [
            "/app/token/",
            "//app/token",
            "/app//token",
            "/app/Token",
            "/app/token/x",
            "/app%2ftoken",
            "/app/%74oken",
            "/app/token;x",
            "/app/token%00",
            "/app/token%20",
            "/",
            "",
            "/app",
        ] {
            assert!(!token.matches_strictly(&parsed(bad)), "{bad}");
        }
        let wide = path("/v2/**");
        for good in [
            "/v2/users/1/messages",
            "/v2/",
            "/v2/users/a%20b",
            "/v2/x/../y",
        ] {
            assert!(wide.matches_strictly(&parsed(good)), "{good}");
        }
        for bad in [
            "/v2/../token",
            "/v2/%2e%2e/token",
            "/v2/..%2ftoken",
            "/v2/%252e%252e/token",
            "/v2//token",
            "/v2/a%5c..%5ctoken",
            "/v2/x;..",
            "/v2/a%00b",
            "/v1/x",
            "/V2/x",
        ] {
            assert!(!wide.matches_strictly(&parsed(bad)), "{bad}");
        }
        assert!(path("/v2/*/files").matches_strictly("/v2/users/files"));
        for bad in [
            "/v2//files",
            "/v2/a/b/files",
            "/v2/%2e%2e%2f/files",
            "/v2/files",
        ] {
            assert!(!path("/v2/*/files").matches_strictly(bad), "{bad}");
        }
        assert!(PathPattern::any().matches_strictly("/"));
        assert!(path("/").matches_strictly("/"));
        assert!(!path("/").matches_strictly("/a") && !path("/").matches_strictly("//"));
    }

    #[test]
    fn no_spelling_of_an_endpoint_hides_that_its_answers_bring_a_secret() {
        let token = path("/app/token");
        for same in [
            "/app/token",
            "/app/token/",
            "//app//token",
            "/APP/Token",
            "/app/%74oken",
            "/app%2ftoken",
            "/app/token;x=1",
            "/app/token%20",
            "/app/token%00",
            "/x/..%2fapp/token",
            "/app/%2e/token",
            "/app%5ctoken",
            "/app/%2574oken",
            "/%252e%252e/app/token",
            "/app/x/%2e%2e/token",
        ] {
            assert!(token.matches_loosely(&parsed(same)), "{same}");
        }
        for other in ["/app", "/app/tokens", "/app/token/x", "/", "/v2/app/token"] {
            assert!(!token.matches_loosely(&parsed(other)), "{other}");
        }
        assert!(path("/app/*/token").matches_loosely("/app/1/token/"));
        assert!(path("/app/**").matches_loosely("/App/1/token/"));
    }

    #[test]
    fn below_a_configured_base_paths_are_compared_without_it_and_the_base_may_be_the_endpoint() {
        let token = path("/app/token");
        for (base, path) in [
            ("/proxy/bot", "/proxy/bot/app/token"),
            ("/proxy/bot/", "/proxy/bot/app/token"),
            ("/my/token", "/my/token"),
        ] {
            assert!(token.matches_strictly_below(base, path), "{base} {path}");
            assert!(
                token.matches_loosely_below(base, &path.to_uppercase()),
                "{base} {path}"
            );
        }
        for (base, path) in [
            ("/", "/"),
            ("", ""),
            ("/proxy/bot", "/proxy/botx"),
            ("/proxy/bot", "/proxy/bot/other"),
            ("/my/token", "/my/token/x"),
            ("/my/token", "/my"),
        ] {
            assert!(!token.matches_strictly_below(base, path), "{base} {path}");
            assert!(!token.matches_loosely_below(base, path), "{base} {path}");
        }
        assert!(!token.matches_strictly_below("/my/token", "/my//token"));
        assert!(token.matches_loosely_below("/my/token", "/my//Token/"));
    }

    #[test]
    fn pointers_and_paths_are_written_as_they_were_read() {
        for text in ["/a", "/a/b", "/a~1b/c~0d"] {
            assert_eq!(text.parse::<Pointer>().unwrap().to_string(), text);
        }
        for text in ["", "a", "/", "/a/", "//a"] {
            assert!(text.parse::<Pointer>().is_err(), "{text}");
        }
        for text in ["/", "/a", "/a/*/b", "/a/**", "/**"] {
            assert_eq!(path(text).to_string(), text);
        }
        for text in [
            "", "a", "//", "/a//b", "/**/a", "/a/", "/..", "/a%20", "/a*",
        ] {
            assert!(text.parse::<PathPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_pointer_does_not_lead_through_an_array() {
        let json = serde_json::json!({"a": [{"b": 1}], "c": {"0": 2}});
        let find = |text: &str| text.parse::<Pointer>().unwrap().find(&json).cloned();
        assert_eq!(find("/a/0/b"), None);
        assert_eq!(find("/c/0"), Some(2.into()));
    }
}
