//! Attack-shaped cases: each row is a way in that somebody would try.

use super::*;

fn group(name: &str, hosts: &[&str], secrets: &[&str]) -> EgressGroup {
    EgressGroup {
        name: name.into(),
        hosts: hosts.iter().map(|h| h.parse().unwrap()).collect(),
        ports: vec![443],
        secrets: secrets.iter().map(|s| (*s).to_owned()).collect(),
    }
}

fn policy_with(operator: OperatorEgress, widen: &[(&str, &str)]) -> EgressPolicy {
    let groups = vec![
        group("api", &["api.example.org"], &["token"]),
        group("media", &["*.files.example.org", "cdn.example.net"], &[]),
    ];
    let widen: Vec<Widening> = widen
        .iter()
        .map(|(group, url)| Widening {
            group: (*group).to_owned(),
            url: url.parse().unwrap(),
        })
        .collect();
    EgressPolicy::new(groups, operator, AddressPolicy::default(), &widen).unwrap()
}

fn policy() -> EgressPolicy {
    policy_with(OperatorEgress::AsManifest, &[])
}

#[test]
fn a_host_of_the_manifest_is_reached_with_its_own_secrets_only() {
    let api = policy().decide("https://api.example.org/v1?x=1", Scheme::Http);
    assert!(api.unwrap().secrets.contains("token"));
    let media = policy().decide("https://a.b.files.example.org/x", Scheme::Http);
    assert!(media.unwrap().secrets.is_empty());
    assert!(
        policy()
            .decide("wss://api.example.org/ws", Scheme::Socket)
            .is_ok()
    );
}

#[test]
fn lookalikes_and_disguises_are_refused() {
    for url in [
        "https://api.example.org.evil.com/",
        "https://evil.com/api.example.org",
        "https://evil.com?api.example.org",
        "https://evil.com#api.example.org",
        "https://api.example.org@evil.com/",
        "https://user:pass@api.example.org/",
        "https://evilapi.example.org/",
        "https://xfiles.example.org/",
        "https://files.example.org/",
        "https://api.example.org:8443/",
        "https://api.example.org./",
        "https:\\\\evil.com\\api.example.org",
        "https://аpi.example.org/",
        "http://api.example.org/",
        "ftp://api.example.org/",
        "file:///etc/passwd",
        "data:text/plain,hello",
        "javascript:alert(1)",
        "api.example.org",
        "",
        "https://127.0.0.1/",
        "http://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://169.254.169.254/latest/meta-data",
        "http://localhost:9000/",
        "wss://api.example.org/",
    ] {
        let decided = policy().decide(url, Scheme::Http);
        assert!(decided.is_err(), "{url} was let through: {decided:?}");
    }
}

#[test]
fn upper_case_and_a_default_port_are_the_same_host() {
    assert!(
        policy()
            .decide("HTTPS://API.Example.ORG:443/", Scheme::Http)
            .is_ok()
    );
}

#[test]
fn the_operators_list_narrows_and_an_empty_one_is_nothing() {
    let only = OperatorEgress::Only(vec!["api.example.org".parse().unwrap()]);
    let narrowed = policy_with(only, &[]);
    assert!(
        narrowed
            .decide("https://api.example.org/", Scheme::Http)
            .is_ok()
    );
    let refused = narrowed.decide("https://cdn.example.net/", Scheme::Http);
    assert!(matches!(refused, Err(EgressDenied::Operator { .. })));
    let nothing = policy_with(OperatorEgress::Only(vec![]), &[]);
    assert!(
        nothing
            .decide("https://api.example.org/", Scheme::Http)
            .is_err()
    );
}

#[test]
fn the_operator_cannot_open_what_the_manifest_does_not_ask_for() {
    let only = OperatorEgress::Only(vec!["evil.com".parse().unwrap()]);
    let refused = policy_with(only, &[]).decide("https://evil.com/", Scheme::Http);
    assert!(matches!(refused, Err(EgressDenied::Manifest { .. })));
}

#[test]
fn a_configured_base_is_added_to_its_group_with_its_port() {
    let wide = policy_with(
        OperatorEgress::Only(vec![]),
        &[("api", "https://proxy.example.com:8443/base")],
    );
    let grant = wide.decide("https://proxy.example.com:8443/v1", Scheme::Http);
    assert!(grant.unwrap().secrets.contains("token"));
    assert!(
        wide.decide("https://proxy.example.com/v1", Scheme::Http)
            .is_err()
    );
    assert!(
        wide.decide("http://proxy.example.com:8443/", Scheme::Http)
            .is_err()
    );
}

#[test]
fn a_plain_base_on_another_machine_is_refused() {
    for url in [
        "http://proxy.example.com/",
        "http://10.0.0.5/",
        "http://localhost.evil.com/",
    ] {
        let widening = Widening {
            group: "api".into(),
            url: url.parse().unwrap(),
        };
        let groups = vec![group("api", &["api.example.org"], &[])];
        let built = EgressPolicy::new(
            groups,
            OperatorEgress::AsManifest,
            AddressPolicy::default(),
            &[widening],
        );
        assert!(matches!(built, Err(BadWidening::Plain { .. })), "{url}");
    }
}

#[test]
fn a_loopback_base_opens_loopback_on_every_port_and_nothing_else() {
    let open = policy_with(
        OperatorEgress::AsManifest,
        &[("api", "http://127.0.0.1:8080")],
    );
    for url in [
        "http://127.0.0.1:9/x",
        "http://localhost:1234/",
        "https://[::1]:8/",
    ] {
        let grant = open.decide(url, Scheme::Http);
        assert!(grant.unwrap().secrets.contains("token"), "{url}");
    }
    assert!(
        open.decide("ws://127.0.0.1:5555/ws", Scheme::Socket)
            .is_ok()
    );
    for url in [
        "http://10.0.0.1/",
        "http://localhost.example.org/",
        "http://127.0.0.1.example.org/",
        "ftp://127.0.0.1/",
        "http://user@127.0.0.1/",
    ] {
        assert!(open.decide(url, Scheme::Http).is_err(), "{url}");
    }
}

#[test]
fn a_private_base_needs_the_operators_word_for_the_address() {
    let widening = [("api", "https://10.0.0.5/")];
    let refused = policy_with(OperatorEgress::AsManifest, &widening);
    let refused = refused.decide("https://10.0.0.5/v1", Scheme::Http);
    assert!(matches!(refused, Err(EgressDenied::Address(_))));
}

#[test]
fn patterns_that_mean_everything_or_nothing_are_refused() {
    for bad in [
        "*",
        "*.",
        "*.org",
        "",
        "a..b",
        "API.example.org",
        "https://a.org",
        "a.org:443",
        "a.org/x",
        "a*.org",
        "*.*.org",
        "user@a.org",
        ".a.org",
    ] {
        assert!(bad.parse::<HostPattern>().is_err(), "{bad:?}");
    }
}
