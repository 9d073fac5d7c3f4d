//! Who may use the control API: programs of this machine and pages that came from it.
//!
//! A page of the internet can make a browser send requests to loopback. It cannot choose `Host`
//! and `Origin`, so these are checked: only loopback names pass (which also stops names that
//! resolve to loopback for the purpose).

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(super) async fn only_local(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        next.run(request).await
    } else {
        let why = "the control API answers only to loopback names in Host and Origin";
        (StatusCode::FORBIDDEN, why).into_response()
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let origin_fits = match headers.get(header::ORIGIN) {
        None => true,
        Some(origin) => origin.to_str().is_ok_and(|origin| {
            let rest = origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"));
            rest.is_some_and(is_loopback_name)
        }),
    };
    host.is_some_and(is_loopback_name) && origin_fits
}

/// `localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn is_loopback_name(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_local(&headers)
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
        assert!(!is_local(&HeaderMap::new()));
    }
}
