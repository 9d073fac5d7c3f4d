//! Who may talk to the emulator: programs of this machine and pages that came from it.
//!
//! A page of the internet can make a browser send requests to loopback. It cannot choose `Host`
//! and `Origin`, so these are checked on every request and socket, which also stops names that
//! resolve to loopback for the purpose. The page and the control API take loopback names only, and of
//! pages only their own: another program of this machine may serve pages, too. The bots' side also takes
//! the names under which a client may have been redirected here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The platform's own domain: clients with fixed hosts are redirected here under its names.
const PLATFORM: &str = ".qq.com";

/// The names that the bots' side answers to, beside loopback.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    host_name: Option<Arc<str>>,
}

impl Expected {
    pub(super) fn new(host_name: Option<&str>) -> Self {
        Self {
            host_name: host_name.map(Arc::from),
        }
    }

    fn takes(&self, name: &str) -> bool {
        let own = self.host_name.as_deref();
        is_loopback(name)
            || own.is_some_and(|own| own.eq_ignore_ascii_case(name))
            || name.to_ascii_lowercase().ends_with(PLATFORM)
    }
}

/// How the emulator is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// For the page and the control API.
pub(super) async fn only_own(
    State(scheme): State<Scheme>,
    request: Request,
    next: Next,
) -> Response {
    if names_fit(request.headers(), is_loopback) && is_own_page(request.headers(), scheme) {
        next.run(request).await
    } else {
        let why = "the control API answers only to loopback names in Host, and to pages of its own in Origin";
        (StatusCode::FORBIDDEN, why).into_response()
    }
}

/// True without an origin, as programs ask, and for the page that came from the very address that is asked: a browser
/// writes both in one way.
fn is_own_page(headers: &HeaderMap, scheme: Scheme) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return true;
    };
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let scheme: &[u8] = match scheme {
        Scheme::Http => b"http://",
        Scheme::Https => b"https://",
    };
    let authority = origin.as_bytes().strip_prefix(scheme);
    authority.is_some() && authority == host && origins.next().is_none()
}

/// For everything else.
pub(super) async fn only_expected(
    State(expected): State<Expected>,
    request: Request,
    next: Next,
) -> Response {
    if names_fit(request.headers(), |name| expected.takes(name)) {
        next.run(request).await
    } else {
        let why = "the emulator does not answer to this name in Host or Origin";
        (StatusCode::FORBIDDEN, why).into_response()
    }
}

/// For files of bots and users: they are opened from the origin of the page, and must not act there.
pub(super) fn keep_inert(response: &mut Response) {
    let headers = response.headers_mut();
    let policy = "sandbox; default-src 'none'";
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(policy),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
}

fn names_fit(headers: &HeaderMap, fits: impl Fn(&str) -> bool) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let origin_fits = match headers.get(header::ORIGIN) {
        None => true,
        Some(origin) => origin.to_str().is_ok_and(|origin| {
            let rest = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            rest.is_some_and(|rest| fits(name_of(rest)))
        }),
    };
    host.is_some_and(|host| fits(name_of(host))) && origin_fits && !is_drawn_in(headers)
}

/// Whether a page from elsewhere draws this in, as a picture or a script: such requests carry no
/// origin. A person who follows a link does not.
fn is_drawn_in(headers: &HeaderMap) -> bool {
    let says = |name, value| headers.get(name).is_some_and(|it| it == value);
    says("sec-fetch-site", "cross-site") && !says("sec-fetch-mode", "navigate")
}

/// An authority without its port.
fn name_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

/// `localhost`, `127.0.0.1` or `[::1]`.
fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    fn local(host: &str, origin: Option<&str>) -> bool {
        names_fit(&headers(host, origin), is_loopback)
    }

    #[test]
    fn only_loopback_names_pass() {
        assert!(local("127.0.0.1:8080", None));
        assert!(local("localhost", Some("http://localhost:8080")));
        assert!(local("[::1]:1", Some("https://[::1]:1")));
        assert!(!local("evil.example:8080", None));
        assert!(!local("127.0.0.1.evil.example", None));
        assert!(!local("127.0.0.1:8080", Some("http://evil.example")));
        assert!(!local("127.0.0.1:8080", Some("null")));
        assert!(!names_fit(&HeaderMap::new(), is_loopback));
    }

    #[test]
    fn of_pages_only_the_own_one_passes() {
        let own =
            |host: &str, origin: &str, scheme| is_own_page(&headers(host, Some(origin)), scheme);
        let here = "127.0.0.1:7700";
        assert!(own(here, "http://127.0.0.1:7700", Scheme::Http));
        assert!(own("[::1]:7700", "http://[::1]:7700", Scheme::Http));
        assert!(own("localhost", "https://localhost", Scheme::Https));
        assert!(is_own_page(&headers(here, None), Scheme::Http), "a program");
        for origin in [
            "http://127.0.0.1:9999",
            "http://127.0.0.1",
            "http://127.0.0.1:77000",
            "http://127.0.0.1:7700.evil.example",
            "http://127.0.0.1:7700@evil.example",
            "http://localhost:7700",
            "http://[::1]:7700",
            "https://127.0.0.1:7700",
            "HTTP://127.0.0.1:7700",
            "http://127.0.0.1:7700/",
            "http://127.0.0.1:07700",
            "http://127.1:7700",
            " http://127.0.0.1:7700",
            "127.0.0.1:7700",
            "null",
            "",
            "file://",
        ] {
            assert!(!own(here, origin, Scheme::Http), "{origin}");
        }
        assert!(!own(
            "localhost:7700",
            "http://LOCALHOST:7700",
            Scheme::Http
        ));
        assert!(!own(here, "http://127.0.0.1:7700", Scheme::Https));
        let mut two = headers(here, Some("http://127.0.0.1:7700"));
        two.append(header::ORIGIN, "http://evil.example".parse().unwrap());
        assert!(!is_own_page(&two, Scheme::Http));
    }

    #[test]
    fn what_a_page_from_elsewhere_draws_in_is_refused_and_a_link_is_followed() {
        let with = |mode: &str| {
            let mut headers = headers("127.0.0.1:8080", None);
            headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
            headers.insert("sec-fetch-mode", mode.parse().unwrap());
            names_fit(&headers, is_loopback)
        };
        assert!(!with("no-cors"));
        assert!(with("navigate"));
    }

    #[test]
    fn the_bots_side_also_takes_the_names_that_clients_are_redirected_from() {
        let expected = Expected::new(Some("emulator.test"));
        let takes = |host, origin| names_fit(&headers(host, origin), |name| expected.takes(name));
        assert!(takes("emulator.test:443", Some("https://emulator.test")));
        assert!(takes("api.sgroup.qq.com", None));
        assert!(!takes("api.sgroup.qq.com.evil.example", None));
        assert!(!takes("evilqq.com", None));
        assert!(!takes("127.0.0.1:7701", Some("https://evil.example")));
    }
}
