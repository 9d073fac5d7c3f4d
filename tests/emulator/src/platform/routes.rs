//! The table of endpoints: which method and path leads to which handler.
//!
//! A new family of endpoints adds rows here and a module beside [`super::messages`].

use std::sync::Arc;

use serde_json::Value;

use super::Platform;
use crate::faults::CallPoint;
use crate::ids::AppId;
use crate::ledger::Scene;
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

type Handler = fn(&mut Platform, &Call, &AppId) -> Answer;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Route {
    method: &'static str,
    /// `*` stands for one segment of any text.
    path: &'static [&'static str],
    pub(crate) point: CallPoint,
    /// None for the one endpoint that needs no token.
    pub(crate) handler: Option<Handler>,
}

const fn get(path: &'static [&'static str], handler: Handler) -> Route {
    Route {
        method: "GET",
        path,
        point: CallPoint::Any,
        handler: Some(handler),
    }
}

const fn later(method: &'static str, path: &'static [&'static str]) -> Route {
    Route {
        method,
        path,
        point: CallPoint::Any,
        handler: Some(not_yet),
    }
}

/// The endpoints, in no particular order. Those that lead to [`not_yet`] exist at QQ.
const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: &["app", "getAppAccessToken"],
        point: CallPoint::Token,
        handler: None,
    },
    Route {
        method: "GET",
        path: &["gateway"],
        point: CallPoint::Gateway,
        handler: Some(|platform, _, _| platform.gateway_plain()),
    },
    Route {
        method: "GET",
        path: &["gateway", "bot"],
        point: CallPoint::Gateway,
        handler: Some(|platform, _, app| platform.gateway_bot(app)),
    },
    get(&["users", "@me"], |platform, _, app| platform.users_me(app)),
    Route {
        method: "POST",
        path: &["v2", "users", "*", "messages"],
        point: CallPoint::Post,
        handler: Some(|platform, call, app| platform.post_message(call, app, Scene::C2c)),
    },
    Route {
        method: "POST",
        path: &["v2", "groups", "*", "messages"],
        point: CallPoint::Post,
        handler: Some(|platform, call, app| platform.post_message(call, app, Scene::Group)),
    },
    later("DELETE", &["v2", "users", "*", "messages", "*"]),
    later("DELETE", &["v2", "groups", "*", "messages", "*"]),
    later("POST", &["v2", "users", "*", "stream_messages"]),
    later("POST", &["v2", "users", "*", "files"]),
    later("POST", &["v2", "groups", "*", "files"]),
    later("POST", &["v2", "users", "*", "upload_prepare"]),
    later("POST", &["v2", "groups", "*", "upload_prepare"]),
    later("POST", &["v2", "users", "*", "upload_part_finish"]),
    later("POST", &["v2", "groups", "*", "upload_part_finish"]),
    later("GET", &["v2", "groups", "*", "bot_state"]),
    later("POST", &["channels", "*", "messages"]),
    later("GET", &["channels", "*", "messages", "*"]),
    later("PATCH", &["channels", "*", "messages", "*"]),
    later("DELETE", &["channels", "*", "messages", "*"]),
    later(
        "PUT",
        &["channels", "*", "messages", "*", "reactions", "*", "*"],
    ),
    later(
        "DELETE",
        &["channels", "*", "messages", "*", "reactions", "*", "*"],
    ),
    later(
        "GET",
        &["channels", "*", "messages", "*", "reactions", "*", "*"],
    ),
    later("POST", &["users", "@me", "dms"]),
    later("POST", &["dms", "*", "messages"]),
    later("DELETE", &["dms", "*", "messages", "*"]),
    later("PUT", &["interactions", "*"]),
    later("GET", &["users", "@me", "guilds"]),
    later("GET", &["guilds", "*"]),
    later("GET", &["guilds", "*", "channels"]),
    later("GET", &["channels", "*"]),
];

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
    for route in ROUTES
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

/// An endpoint that QQ has and this emulator does not have yet: it says so instead of pretending.
fn not_yet(_: &mut Platform, _: &Call, _: &AppId) -> Answer {
    Answer::Error {
        code: 404,
        message: Some("no such API in this emulator yet"),
    }
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
