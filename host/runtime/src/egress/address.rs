//! Classes of IP addresses, and which of them may be dialled.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;

/// What an address is for. Everything but `Public` is refused unless the operator allowed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// The Internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network (RFC 1918, unique local).
    Private,
    /// Behind a carrier's address translation.
    CarrierNat,
    /// This link only.
    LinkLocal,
    /// The service that hands out a cloud machine's credentials.
    Metadata,
    /// Many machines at once.
    Multicast,
    /// For examples in documents.
    Documentation,
    /// For benchmarks; proxies with made-up addresses use it too.
    Benchmark,
    /// An IPv4 address inside an IPv6 one, by a translation that a host cannot look through.
    Translated,
    /// Anything else that is not global.
    Reserved,
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::CarrierNat => "carrier-grade NAT",
            Self::LinkLocal => "link-local",
            Self::Metadata => "cloud metadata",
            Self::Multicast => "multicast",
            Self::Documentation => "documentation",
            Self::Benchmark => "benchmark (also used by proxies that hand out made-up addresses)",
            Self::Translated => "translated IPv4",
            Self::Reserved => "reserved",
        })
    }
}

/// The registries of special-purpose addresses (IANA), narrow before wide.
const TABLE: &[(&str, AddressClass)] = &[
    ("169.254.169.254/32", AddressClass::Metadata),
    ("169.254.170.2/32", AddressClass::Metadata),
    ("100.100.100.200/32", AddressClass::Metadata),
    ("168.63.129.16/32", AddressClass::Metadata),
    ("fd00:ec2::254/128", AddressClass::Metadata),
    ("0.0.0.0/8", AddressClass::Reserved),
    ("10.0.0.0/8", AddressClass::Private),
    ("100.64.0.0/10", AddressClass::CarrierNat),
    ("127.0.0.0/8", AddressClass::Loopback),
    ("169.254.0.0/16", AddressClass::LinkLocal),
    ("172.16.0.0/12", AddressClass::Private),
    ("192.0.0.0/24", AddressClass::Reserved),
    ("192.0.2.0/24", AddressClass::Documentation),
    ("192.88.99.0/24", AddressClass::Reserved),
    ("192.168.0.0/16", AddressClass::Private),
    ("198.18.0.0/15", AddressClass::Benchmark),
    ("198.51.100.0/24", AddressClass::Documentation),
    ("203.0.113.0/24", AddressClass::Documentation),
    ("224.0.0.0/4", AddressClass::Multicast),
    ("240.0.0.0/4", AddressClass::Reserved),
    ("::1/128", AddressClass::Loopback),
    ("64:ff9b::/96", AddressClass::Translated),
    ("64:ff9b:1::/48", AddressClass::Translated),
    ("2001::/32", AddressClass::Translated),
    ("2002::/16", AddressClass::Translated),
    ("2001:db8::/32", AddressClass::Documentation),
    ("3fff::/20", AddressClass::Documentation),
    ("2001:2::/48", AddressClass::Benchmark),
    ("2001::/23", AddressClass::Reserved),
    ("fc00::/7", AddressClass::Private),
    ("fe80::/10", AddressClass::LinkLocal),
    ("ff00::/8", AddressClass::Multicast),
];

/// The part of IPv6 that is given out. What lies outside and is not in the table is reserved.
const GLOBAL_UNICAST_V6: &str = "2000::/3";

static NETS: LazyLock<Vec<(IpNet, AddressClass)>> = LazyLock::new(|| {
    let parsed = TABLE.iter().map(|(net, class)| (net.parse(), *class));
    parsed
        .filter_map(|(net, class)| Some((net.ok()?, class)))
        .collect()
});
static GLOBAL_V6: LazyLock<Option<IpNet>> = LazyLock::new(|| GLOBAL_UNICAST_V6.parse().ok());

/// What an address is for. IPv4 inside IPv6 (mapped) is judged as the IPv4 address it is.
pub fn classify(address: IpAddr) -> AddressClass {
    let address = address.to_canonical();
    let known = NETS.iter().find(|(net, _)| net.contains(&address));
    match (known, address) {
        (Some((_, class)), _) => *class,
        (None, IpAddr::V4(_)) => AddressClass::Public,
        (None, IpAddr::V6(v6)) => class_of_other_v6(v6),
    }
}

fn class_of_other_v6(address: Ipv6Addr) -> AddressClass {
    let global = GLOBAL_V6.as_ref();
    if global.is_some_and(|net| net.contains(&IpAddr::V6(address))) {
        AddressClass::Public
    } else {
        AddressClass::Reserved
    }
}

/// An address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} is at {address}, a {class} address; if that is meant, add it to [host] allow_addresses"
)]
pub struct AddressRefused {
    /// The name or literal that was asked for.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
    /// Why it was refused.
    pub class: AddressClass,
}

/// Networks that the operator allows besides the public Internet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    allowed: Vec<IpNet>,
    /// Ports of this machine that channels may reach, besides those of their own tables.
    loopback_ports: BTreeSet<u16>,
}

impl AddressPolicy {
    /// Allows these networks. A metadata service is opened only by naming its one address.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self {
            allowed,
            loopback_ports: BTreeSet::new(),
        }
    }

    /// Lets channels reach these ports of this machine too, without encryption and without secrets.
    #[must_use]
    pub fn with_loopback_ports(mut self, ports: BTreeSet<u16>) -> Self {
        self.loopback_ports = ports;
        self
    }

    /// True for a port of this machine that the operator lists.
    pub(super) fn opens_port(&self, port: u16) -> bool {
        self.loopback_ports.contains(&port)
    }

    /// Whether an address may be dialled for a name or literal.
    ///
    /// # Errors
    /// It is not public, and the operator has not allowed it.
    pub fn check(&self, host: &str, address: IpAddr) -> Result<(), AddressRefused> {
        let address = address.to_canonical();
        let class = classify(address);
        let whole = |net: &&IpNet| net.prefix_len() == net.max_prefix_len();
        let mut nets = self.allowed.iter().filter(|net| net.contains(&address));
        let granted = match class {
            AddressClass::Public => true,
            AddressClass::Metadata => nets.any(|net| whole(&net)),
            _ => nets.next().is_some(),
        };
        if granted {
            return Ok(());
        }
        Err(AddressRefused {
            host: host.to_owned(),
            address,
            class,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_a_network() {
        assert_eq!(NETS.len(), TABLE.len());
        assert!(GLOBAL_V6.is_some());
    }

    #[test]
    fn addresses_are_told_apart_whatever_they_are_dressed_as() {
        use AddressClass::*;
        for (address, class) in [
            ("1.1.1.1", Public),
            ("2400:3200::1", Public),
            ("::ffff:8.8.8.8", Public),
            ("127.0.0.1", Loopback),
            ("127.255.0.9", Loopback),
            ("::1", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("10.1.2.3", Private),
            ("172.31.255.255", Private),
            ("172.32.0.1", Public),
            ("192.168.0.1", Private),
            ("::ffff:192.168.0.1", Private),
            ("fd12::1", Private),
            ("100.64.0.1", CarrierNat),
            ("100.128.0.1", Public),
            ("169.254.1.1", LinkLocal),
            ("fe80::1", LinkLocal),
            ("169.254.169.254", Metadata),
            ("::ffff:169.254.169.254", Metadata),
            ("fd00:ec2::254", Metadata),
            ("100.100.100.200", Metadata),
            ("224.0.0.1", Multicast),
            ("ff02::1", Multicast),
            ("192.0.2.1", Documentation),
            ("2001:db8::1", Documentation),
            ("198.18.0.7", Benchmark),
            ("64:ff9b::a9fe:a9fe", Translated),
            ("2002:7f00:1::", Translated),
            ("0.0.0.0", Reserved),
            ("::", Reserved),
            ("::7f00:1", Reserved),
            ("255.255.255.255", Reserved),
            ("240.0.0.1", Reserved),
            ("100::1", Reserved),
        ] {
            assert_eq!(classify(address.parse().unwrap()), class, "{address}");
        }
    }

    #[test]
    fn an_allowed_network_does_not_open_the_metadata_service_inside_it() {
        let wide = AddressPolicy::new(vec!["169.254.0.0/16".parse().unwrap()]);
        assert!(wide.check("x", "169.254.1.1".parse().unwrap()).is_ok());
        assert!(wide.check("x", "169.254.169.254".parse().unwrap()).is_err());
        let exact = AddressPolicy::new(vec!["169.254.169.254/32".parse().unwrap()]);
        assert!(exact.check("x", "169.254.169.254".parse().unwrap()).is_ok());
    }
}
