//! Names to addresses, each checked before anybody can dial it. There is no second resolution
//! between the check and the connection.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::egress::address::{AddressClass, AddressPolicy, AddressRefused, classify};

/// The resolver of the host's clients.
#[derive(Debug, Clone)]
pub(super) struct CheckedResolver {
    policy: Arc<AddressPolicy>,
    /// Names of configured proxies: the operator chose them, and they resolve the rest.
    exempt: Arc<BTreeSet<String>>,
}

impl CheckedResolver {
    pub(super) fn new(policy: AddressPolicy, exempt: BTreeSet<String>) -> Self {
        Self {
            policy: Arc::new(policy),
            exempt: Arc::new(exempt),
        }
    }

    /// Keeps the addresses that may be dialled for a name.
    ///
    /// # Errors
    /// None may; the first refusal is returned.
    fn checked(
        &self,
        name: &str,
        found: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, AddressRefused> {
        if self.exempt.contains(name) {
            return Ok(found);
        }
        let mut refused = None;
        let mut kept = Vec::new();
        for address in found {
            match self.check(name, address) {
                Ok(()) => kept.push(address),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        match refused {
            Some(refusal) if kept.is_empty() => Err(refusal),
            _ => Ok(kept),
        }
    }

    fn check(&self, name: &str, address: SocketAddr) -> Result<(), AddressRefused> {
        let class = classify(address.ip());
        // This name means this machine, and nothing else does. Whether it may be used at all is
        // the egress policy's to say, before anything is resolved.
        if name == "localhost" && class == AddressClass::Loopback {
            return Ok(());
        }
        self.policy.check(name, address.ip())
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept = resolver.checked(&name, found.collect())?;
            let addresses: Addrs = Box::new(kept.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver() -> CheckedResolver {
        let exempt = BTreeSet::from(["proxy.corp".to_owned()]);
        CheckedResolver::new(AddressPolicy::default(), exempt)
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts
            .iter()
            .map(|t| SocketAddr::new(t.parse().unwrap(), 0))
            .collect()
    }

    #[test]
    fn a_public_name_that_points_inside_is_refused() {
        for inside in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "::ffff:10.0.0.1",
        ] {
            let checked = resolver().checked("api.example.org", addresses(&[inside]));
            assert!(checked.is_err(), "{inside}");
        }
    }

    #[test]
    fn of_mixed_answers_only_the_checked_ones_are_dialled() {
        let mixed = addresses(&["10.0.0.1", "1.1.1.1", "127.0.0.1"]);
        let kept = resolver().checked("api.example.org", mixed).unwrap();
        assert_eq!(kept, addresses(&["1.1.1.1"]));
    }

    #[test]
    fn localhost_is_this_machine_and_nothing_else() {
        assert!(
            resolver()
                .checked("localhost", addresses(&["127.0.0.1"]))
                .is_ok()
        );
        assert!(
            resolver()
                .checked("localhost", addresses(&["10.0.0.1"]))
                .is_err()
        );
    }

    #[test]
    fn a_configured_proxy_may_be_anywhere() {
        assert!(
            resolver()
                .checked("proxy.corp", addresses(&["10.0.0.1"]))
                .is_ok()
        );
    }
}
