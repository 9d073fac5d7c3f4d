//! The table of endpoints: which method and path leads to which handler.
//!
//! A new family of endpoints adds rows here and a module beside [`super::messages`].

mod table;

use std::sync::Arc;

use serde_json::Value;

use super::Platform;
use crate::faults::CallPoint;
use crate::ids::AppId;
use crate::settings::Discovery;
use crate::wire::HttpRequest;

/// A request on its way to its handler.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) request: HttpRequest,
    /// The path's segments, percent-decoded.
    pub(crate) path: Vec<String>,
    /// Where it leads.
    pub(crate) found: Found,
    /// The body as text, if it is.
    pub(crate) text: Arc<str>,
    /// The body as JSON, if it is.
    pub(crate) json: Option<Value>,
    /// Who sends it: a guess for faults and the log until `authorize` has judged.
    pub(crate) app: Option<AppId>,
}

impl Call {
    /// The segment at a place; empty if there is none.
    pub(crate) fn segment(&self, at: usize) -> &str {
        self.path.get(at).map_or("", String::as_str)
    }

    /// A field of the query, as it stands.
    pub(crate) fn query_text(&self, name: &str) -> Option<&str> {
        let pairs = self.request.query.as_deref()?.split('&');
        let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// A field of the query that is a number.
    pub(crate) fn query_number(&self, name: &str) -> Option<usize> {
        self.query_text(name)?.parse().ok()
    }
}

/// Where a path leads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found {
    Route(&'static Route),
    /// The path exists with other methods only.
    OtherMethod,
    Nowhere,
}

/// What an endpoint answers, before headers and trace id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A JSON body with HTTP 200.
    Json(String),
    /// A JSON body with another status of success.
    Status { status: u16, body: String },
    /// HTTP 204.
    NoContent,
    /// Bytes of some type.
    Bytes {
        status: u16,
        kind: String,
        bytes: Arc<[u8]>,
    },
    /// An error of the table; its message can be replaced.
    Error {
        code: u32,
        message: Option<&'static str>,
    },
}

impl Answer {
    pub(crate) fn ok(body: &Value) -> Self {
        Self::Json(body.to_string())
    }

    pub(crate) fn error(code: u32) -> Self {
        Self::Error {
            code,
            message: None,
        }
    }
}

/// Who answers, and what the caller must show for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    /// The token endpoint, which needs no token.
    Token,
    /// An endpoint of bots.
    Bot(fn(&mut Platform, &Call, &AppId) -> Answer),
    /// Object storage and downloads, where no token may be.
    Open(fn(&mut Platform, &Call) -> Answer),
}

type OfScene = fn(&mut Platform, &Call, &AppId) -> Answer;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Route {
    method: &'static str,
    /// `*` stands for one segment of any text.
    path: &'static [&'static str],
    pub(crate) point: CallPoint,
    pub(crate) handler: Handler,
}

const fn route(method: &'static str, path: &'static [&'static str], handler: OfScene) -> Route {
    Route {
        method,
        path,
        point: CallPoint::Any,
        handler: Handler::Bot(handler),
    }
}

const fn at(point: CallPoint, route: Route) -> Route {
    Route { point, ..route }
}

const fn open(
    method: &'static str,
    path: &'static [&'static str],
    handler: fn(&mut Platform, &Call) -> Answer,
) -> Route {
    Route {
        method,
        path,
        point: CallPoint::Storage,
        handler: Handler::Open(handler),
    }
}

/// Every endpoint of bots, as method and path with `{}` for what varies.
pub(crate) fn bot_endpoints() -> impl Iterator<Item = (&'static str, String)> {
    let of_bots = table::ROUTES
        .iter()
        .filter(|route| matches!(route.handler, Handler::Bot(_)));
    of_bots.map(|route| {
        let path = route.path.join("/").replace('*', "{}");
        (route.method, format!("/{path}"))
    })
}

/// Finds the row for a method and the segments of a path.
pub(crate) fn find(method: &str, segments: &[String], discovery: Discovery) -> Found {
    let fits = |route: &&Route| {
        route.path.len() == segments.len()
            && route.path.iter().zip(segments).all(|(want, have)| {
                if *want == "*" {
                    !have.is_empty()
                } else {
                    want == have
                }
            })
    };
    let hidden: &[&str] = match discovery {
        Discovery::Both => &[],
        Discovery::PlainOnly => &["gateway", "bot"],
        Discovery::BotOnly => &["gateway"],
    };
    let mut found = Found::Nowhere;
    for route in table::ROUTES
        .iter()
        .filter(fits)
        .filter(|route| route.path != hidden)
    {
        if route.method == method {
            return Found::Route(route);
        }
        found = Found::OtherMethod;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(method: &str, path: &str, discovery: Discovery) -> &'static str {
        let segments = HttpRequest::new(method, path).segments().unwrap();
        match find(method, &segments, discovery) {
            Found::Route(_) => "route",
            Found::OtherMethod => "405",
            Found::Nowhere => "404",
        }
    }

    #[test]
    fn paths_lead_to_routes_by_method_and_segments() {
        assert_eq!(
            look("POST", "/v2/users/X/messages", Discovery::Both),
            "route"
        );
        assert_eq!(look("GET", "/v2/users/X/messages", Discovery::Both), "405");
        assert_eq!(look("POST", "/v2/users//messages", Discovery::Both), "404");
        assert_eq!(look("GET", "/gateway/", Discovery::Both), "404");
        assert_eq!(look("GET", "/", Discovery::Both), "404");
    }

    #[test]
    fn one_of_the_discovery_endpoints_can_be_missing() {
        assert_eq!(look("GET", "/gateway/bot", Discovery::Both), "route");
        assert_eq!(look("GET", "/gateway/bot", Discovery::PlainOnly), "404");
        assert_eq!(look("GET", "/gateway", Discovery::PlainOnly), "route");
        assert_eq!(look("GET", "/gateway", Discovery::BotOnly), "404");
    }
}
