//! What went wrong on the way, told from the errors of the libraries.

use std::error::Error;
use std::io;

use crate::bindings::v0_1::{Failure, Stage};
use crate::egress::address::AddressRefused;

/// A failure with words of the host's own.
pub(super) fn failed(stage: Stage, detail: impl Into<String>, maybe_received: bool) -> Failure {
    Failure {
        stage,
        detail: detail.into(),
        maybe_received,
    }
}

/// Sorts out an error of the HTTP client. `sent` is true when some of the request may have left.
pub(super) fn of_client(error: reqwest::Error, sent: bool) -> Failure {
    // The URL may carry a capability.
    let error = error.without_url();
    let stage = stage(&error);
    let before_sending = error.is_connect() || error.is_builder() || stage == Stage::Policy;
    Failure {
        stage,
        detail: chain(&error),
        maybe_received: sent && !before_sending,
    }
}

fn stage(error: &reqwest::Error) -> Stage {
    if any(error, &|cause| cause.is::<AddressRefused>()) {
        return Stage::Policy;
    }
    // Of an end in the middle of the handshake only the text is left.
    let tls = any(error, &|cause| {
        cause.is::<rustls::Error>() || cause.to_string().starts_with("tls handshake")
    });
    let proxy = any(error, &|cause| {
        let text = cause.to_string();
        text.contains("tunnel") || text.contains("proxy") || text.contains("socks")
    });
    if error.is_timeout() {
        Stage::Timeout
    } else if proxy {
        Stage::Proxy
    } else if error.is_dns() {
        Stage::Dns
    } else if tls {
        Stage::Tls
    } else if error.is_connect() {
        Stage::Connect
    } else if error.is_upgrade() {
        Stage::Upgrade
    } else if error.is_builder() {
        Stage::Policy
    } else {
        Stage::Protocol
    }
}

/// True when an error or one of its causes is like this. An I/O error that was made of another one leaves that out of its
/// causes, and clients wrap one into the other.
fn any(error: &(dyn Error + 'static), is: &dyn Fn(&(dyn Error + 'static)) -> bool) -> bool {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    is(error)
        || wrapped.is_some_and(|inner| any(inner, is))
        || error.source().is_some_and(|cause| any(cause, is))
}

/// The error and its causes in one line, without repetitions.
fn chain(error: &dyn Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    // What the client says first is the same for everything.
    let says_nothing = |text: &String| {
        text.starts_with("error sending request") || text.starts_with("client error")
    };
    let told: Vec<&String> = texts.iter().skip_while(|text| says_nothing(text)).collect();
    match told[..] {
        [] => texts.join(": "),
        _ => told.into_iter().cloned().collect::<Vec<_>>().join(": "),
    }
}

#[cfg(test)]
mod tests;
