//! Which addresses of a model's are passed on. Nothing is resolved or fetched here.

use std::net::IpAddr;

use prx_host::egress::address::{AddressClass, classify};
use url::{Host, Url};

/// Longest address, bytes: as long as common servers and clients take.
const MAX_URL: usize = 2048;
/// Names below which everything is a local network's own.
const LOCAL_NAMES: [&str; 7] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
];

/// An address is not for the public. Says nothing of the address itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotPublic {
    #[error("an address of more than {MAX_URL} bytes")]
    TooLong,
    #[error("an address with a user name or a password")]
    User,
    #[error("a {0} address")]
    Class(AddressClass),
    #[error("a host of a local network")]
    LocalName,
}

/// The address as it is passed on; none when the target is not one of http or https, and so a path.
/// It is written anew from what was understood, so that whoever reads it next understands the same.
pub(super) fn public_url(target: &str) -> Result<Option<String>, NotPublic> {
    let Some(url) = Url::parse(target).ok().filter(is_http) else {
        return Ok(None);
    };
    if url.as_str().len() > MAX_URL {
        return Err(NotPublic::TooLong);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NotPublic::User);
    }
    let class = match url.host() {
        Some(Host::Ipv4(address)) => classify(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => classify(IpAddr::V6(address)),
        Some(Host::Domain(name)) if is_public_name(name) => AddressClass::Public,
        Some(Host::Domain(_)) | None => return Err(NotPublic::LocalName),
    };
    match class {
        AddressClass::Public => Ok(Some(url.into())),
        class => Err(NotPublic::Class(class)),
    }
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// `name` is lower case, as every parsed host is.
fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let below = |local: &str| {
        let rest = name.strip_suffix(local);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    name.contains('.') && !LOCAL_NAMES.iter().any(|local| below(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_passed_on_as_they_were_understood() {
        for (written, passed_on) in [
            ("https://example.com/x.png", "https://example.com/x.png"),
            ("HTTP://Example.COM/a b", "http://example.com/a%20b"),
            ("https:\\\\example.com\\x", "https://example.com/x"),
            (
                "https://例子.中国/图.png",
                "https://xn--fsqu00a.xn--fiqs8s/%E5%9B%BE.png",
            ),
            ("http://1.1.1.1:8080/", "http://1.1.1.1:8080/"),
            ("http://[2400:3200::1]/", "http://[2400:3200::1]/"),
            // A capability in the query is how storage services give access.
            (
                "https://s.example.com/x?user=a&password=b",
                "https://s.example.com/x?user=a&password=b",
            ),
        ] {
            assert_eq!(public_url(written).unwrap().as_deref(), Some(passed_on));
        }
    }

    #[test]
    fn what_is_not_http_is_no_address() {
        for target in [
            "x.png",
            "file:///etc/passwd",
            "data:image/png;base64,AA==",
            "ftp://a.b/c",
            "http://",
        ] {
            assert!(matches!(public_url(target), Ok(None)), "{target}");
        }
    }
}
