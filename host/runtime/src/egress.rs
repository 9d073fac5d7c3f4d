//! Where a channel may connect to, and which secrets may go there.
//!
//! Manifest and operator must both allow a host. URLs are parsed once and compared by their
//! components, never as strings. Addresses are judged in [`address`], after DNS, by whoever dials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

pub mod address;
pub mod secrets;

use address::AddressPolicy;
use secrets::{Capture, Position};

/// A host, or all hosts below a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This host.
    Exact(String),
    /// Every host that ends in this suffix, which begins with a dot; not the domain itself.
    Below(String),
}

/// A pattern is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a host: write a lower-case host name, or *.example.org for all below it; no scheme, port, path or bare *"
)]
pub struct BadPattern(String);

impl FromStr for HostPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = || BadPattern(text.to_owned());
        let (below, name) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let label = |l: &str| {
            !l.is_empty()
                && l.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let is_name = name.split('.').all(label);
        let is_address = name.parse::<IpAddr>().is_ok();
        match (below, is_name, is_address) {
            // A suffix of one label would be a whole top-level domain.
            (true, true, false) if name.contains('.') => Ok(Self::Below(format!(".{name}"))),
            (false, true, _) | (false, _, true) => Ok(Self::Exact(name.to_owned())),
            _ => Err(bad()),
        }
    }
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host == name,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        }
    }
}

/// A group of the manifest: hosts that belong together, the secrets they may have, and those that they bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressGroup {
    /// Its name.
    pub name: String,
    /// Its hosts.
    pub hosts: Vec<HostPattern>,
    /// Its ports; 443 where the manifest names none.
    pub ports: Vec<u16>,
    /// Where secrets may stand in what is sent there.
    pub positions: Vec<Arc<Position>>,
    /// Which of its answers bring secrets.
    pub captures: Vec<Arc<Capture>>,
}

impl EgressGroup {
    /// Names of the secrets that may go there, ascending.
    pub fn secrets(&self) -> std::collections::BTreeSet<&str> {
        self.positions.iter().map(|p| p.secret.as_str()).collect()
    }
}

/// What the operator says about the hosts that a manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorEgress {
    /// Installing the plugin was the consent: its manifest stands as it is.
    AsManifest,
    /// Only these hosts; an empty list is none.
    Only(Vec<HostPattern>),
}

/// The base of a URL that the operator wrote into a key that widens a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// The group.
    pub group: String,
    /// The URL.
    pub url: Url,
}

/// What kind of connection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `https`, or `http` towards loopback.
    Http,
    /// `wss`, or `ws` towards loopback.
    Socket,
}

/// A URL may be used.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The parsed URL.
    pub url: Url,
    /// Where secrets may stand in what is sent there.
    pub positions: Vec<Arc<Position>>,
}

/// A URL may not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressDenied {
    /// Not a URL.
    #[error("not a valid URL")]
    Invalid,
    /// This machine, at a port that nobody has opened.
    #[error(
        "{host}:{port} is a port of this machine that the configuration does not name; add it to [host] loopback_ports if the plugin may use it"
    )]
    Loopback {
        /// Host of the URL.
        host: String,
        /// Port of the URL.
        port: u16,
    },
    /// Another scheme, or no encryption.
    #[error(
        "{scheme}://{host} is refused: only encrypted connections are allowed, plain ones towards loopback where the configuration says so"
    )]
    Scheme {
        /// Scheme of the URL.
        scheme: String,
        /// Host of the URL.
        host: String,
    },
    /// A user name or password in the URL.
    #[error("a URL with a user name or password is refused")]
    Credentials,
    /// No group of the manifest has this host and port.
    #[error("{host}:{port} is in no [[egress]] group of the plugin's manifest")]
    Manifest {
        /// Host of the URL.
        host: String,
        /// Port of the URL.
        port: u16,
    },
    /// The operator's list does not have it.
    #[error(
        "{host} is not in the operator's allow list; add it to [host] allow_hosts if the plugin may go there"
    )]
    Operator {
        /// Host of the URL.
        host: String,
    },
    /// An address written as a literal that is not public.
    #[error(transparent)]
    Address(#[from] address::AddressRefused),
}

/// A widening that cannot be granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWidening {
    /// No such group.
    #[error("the plugin's manifest has no [[egress]] group called {0}; the plugin is broken")]
    Group(String),
    /// Plain text towards another machine.
    #[error(
        "{scheme}://{host} is not encrypted; use https or wss (plain http and ws work towards localhost only)"
    )]
    Plain {
        /// Scheme of the URL.
        scheme: String,
        /// Host of the URL.
        host: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    group: usize,
    host: String,
    port: u16,
    /// Path of the configured URL.
    base: String,
}

/// The rules of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressPolicy {
    groups: Vec<EgressGroup>,
    operator: OperatorEgress,
    addresses: AddressPolicy,
    widened: Vec<Origin>,
    /// What the operator's table widens, as it was given.
    widenings: Vec<Widening>,
}

/// The name under which the usual spellings of this machine are compared.
const LOOPBACK: &str = "localhost";

impl EgressPolicy {
    /// Puts manifest, operator and configuration together.
    ///
    /// # Errors
    /// A configured URL cannot widen its group.
    pub fn new(
        groups: Vec<EgressGroup>,
        operator: OperatorEgress,
        addresses: AddressPolicy,
        widenings: &[Widening],
    ) -> Result<Self, BadWidening> {
        let mut widened = Vec::new();
        for widening in widenings {
            let group = groups.iter().position(|g| g.name == widening.group);
            let group = group.ok_or_else(|| BadWidening::Group(widening.group.clone()))?;
            let url = &widening.url;
            let host = machine(url).unwrap_or_default();
            let port = url.port_or_known_default().unwrap_or(0);
            if !encrypted(url.scheme()) && !is_loopback(url) {
                let scheme = url.scheme().to_owned();
                return Err(BadWidening::Plain { scheme, host });
            }
            let base = url.path().to_owned();
            widened.push(Origin {
                group,
                host,
                port,
                base,
            });
        }
        Ok(Self {
            groups,
            operator,
            addresses,
            widened,
            widenings: widenings.to_vec(),
        })
    }

    /// The same rules with what the operator's table widens now.
    ///
    /// # Errors
    /// A configured URL cannot widen its group.
    pub fn widened_by(&self, widenings: &[Widening]) -> Result<Self, BadWidening> {
        let (groups, operator) = (self.groups.clone(), self.operator.clone());
        Self::new(groups, operator, self.addresses.clone(), widenings)
    }

    /// The rules for another manifest, on the same machine, for the same operator, and widened by the same.
    ///
    /// # Errors
    /// A configured URL cannot widen its group: the manifest has it no more.
    pub fn of_groups(&self, groups: Vec<EgressGroup>) -> Result<Self, BadWidening> {
        let operator = self.operator.clone();
        Self::new(groups, operator, self.addresses.clone(), &self.widenings)
    }

    /// The rules of this manifest, widened as those others are; as they are where that cannot be.
    #[must_use]
    pub fn widened_like(&self, other: &Self) -> Self {
        self.widened_by(&other.widenings)
            .unwrap_or_else(|_| self.clone())
    }

    /// Whether a URL may be used, and which secrets may go there.
    ///
    /// # Errors
    /// The reason why not, without the URL's path and query.
    pub fn decide(&self, url: &str, scheme: Scheme) -> Result<Grant, EgressDenied> {
        let url = Url::parse(url).map_err(|_| EgressDenied::Invalid)?;
        self.decide_url(url, scheme)
    }

    /// [`EgressPolicy::decide`] for a URL that is parsed, such as a redirect's.
    ///
    /// # Errors
    /// The reason why not.
    pub fn decide_url(&self, url: Url, scheme: Scheme) -> Result<Grant, EgressDenied> {
        let host = machine(&url).ok_or(EgressDenied::Invalid)?;
        let port = url.port_or_known_default().ok_or(EgressDenied::Invalid)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressDenied::Credentials);
        }
        let wanted = match scheme {
            Scheme::Http => ["https", "http"],
            Scheme::Socket => ["wss", "ws"],
        };
        let loopback = is_loopback(&url);
        let listed = loopback && self.addresses.opens_port(port);
        let opened = listed || (loopback && self.is_widened_by(&host, port));
        let plain_ok = opened && wanted.contains(&url.scheme());
        if url.scheme() != wanted[0] && !plain_ok {
            let scheme = url.scheme().to_owned();
            return Err(match loopback && wanted.contains(&url.scheme()) {
                true => EgressDenied::Loopback { host, port },
                false => EgressDenied::Scheme { scheme, host },
            });
        }
        let groups = match self.allowed_groups(&host, port) {
            // A port that the operator has listed is in no group, so no secret goes there.
            Err(_) if listed => Vec::new(),
            Err(EgressDenied::Manifest { host, port }) if loopback => {
                return Err(EgressDenied::Loopback { host, port });
            }
            groups => groups?,
        };
        if let Some(address) = literal(&url).filter(|_| !opened) {
            self.addresses.check(&host, address)?;
        }
        let (path, host) = (url.path(), host.as_str());
        let positions = groups.into_iter().flat_map(|(index, group)| {
            let fits = move |p: &&Arc<Position>| {
                let mut bases = self.bases(index, host, port);
                p.path.matches_strictly(path)
                    || bases.any(|base| p.path.matches_strictly_below(base, path))
            };
            group.positions.iter().filter(fits)
        });
        let positions = positions.cloned().collect();
        Ok(Grant { url, positions })
    }

    /// The secrets that an answer of this URL may bring. Not empty: the guest sees only what they show.
    pub fn captures_at(&self, url: &Url) -> Vec<Arc<Capture>> {
        let (Some(host), Some(port)) = (machine(url), url.port_or_known_default()) else {
            return Vec::new();
        };
        let (path, host) = (url.path(), host.as_str());
        let captures = self.groups_of(host, port).flat_map(|(index, group)| {
            let fits = move |c: &&Arc<Capture>| {
                let mut bases = self.bases(index, host, port);
                c.path.matches_loosely(path)
                    || bases.any(|base| c.path.matches_loosely_below(base, path))
            };
            group.captures.iter().filter(fits)
        });
        captures.cloned().collect()
    }

    fn is_widened_by(&self, host: &str, port: u16) -> bool {
        let mut widened = self.widened.iter();
        widened.any(|o| o.host == host && o.port == port)
    }

    /// The groups of a host, by the manifest or the operator's table.
    fn groups_of<'p, 'h>(
        &'p self,
        host: &'h str,
        port: u16,
    ) -> impl Iterator<Item = (usize, &'p EgressGroup)> + use<'p, 'h> {
        let by_config = move |index: usize| {
            let mut widened = self.widened.iter();
            widened.any(|o| o.group == index && o.host == host && o.port == port)
        };
        let in_manifest = move |g: &EgressGroup| {
            g.ports.contains(&port) && g.hosts.iter().any(|h| h.matches(host))
        };
        let all = self.groups.iter().enumerate();
        all.filter(move |(index, group)| by_config(*index) || in_manifest(group))
    }

    /// Paths of the URLs that the operator configured for a group at this host and port.
    fn bases<'p>(
        &'p self,
        group: usize,
        host: &'p str,
        port: u16,
    ) -> impl Iterator<Item = &'p str> {
        let widened = self.widened.iter();
        let here = widened.filter(move |o| o.group == group && o.host == host && o.port == port);
        here.map(|o| o.base.as_str())
    }

    fn allowed_groups<'p>(
        &'p self,
        host: &str,
        port: u16,
    ) -> Result<Vec<(usize, &'p EgressGroup)>, EgressDenied> {
        let matching: Vec<(usize, &EgressGroup)> = self.groups_of(host, port).collect();
        if matching.is_empty() {
            let host = host.to_owned();
            return Err(EgressDenied::Manifest { host, port });
        }
        // What the operator wrote into the channel's own table needs no second permission.
        if let (OperatorEgress::Only(hosts), false) =
            (&self.operator, self.is_widened_by(host, port))
            && !hosts.iter().any(|pattern| pattern.matches(host))
        {
            let host = host.to_owned();
            return Err(EgressDenied::Operator { host });
        }
        Ok(matching)
    }
}

fn encrypted(scheme: &str) -> bool {
    matches!(scheme, "https" | "wss")
}

/// The host as text, without the brackets of IPv6.
fn host_text(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// The same, with one name for the usual spellings of this machine.
fn machine(url: &Url) -> Option<String> {
    let address = literal(url).map(|address| address.to_canonical());
    match address {
        Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) | Some(IpAddr::V6(Ipv6Addr::LOCALHOST)) => {
            Some(LOOPBACK.to_owned())
        }
        Some(address) => Some(address.to_string()),
        None => host_text(url),
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        // For schemes that it does not know, the parser leaves an address as a name.
        Host::Domain(name) => name.parse().ok(),
    }
}

/// True for a literal loopback address and for `localhost`, and for no other name.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        _ => literal(url)
            .is_some_and(|address| address::classify(address) == address::AddressClass::Loopback),
    }
}

#[cfg(test)]
mod tests;
