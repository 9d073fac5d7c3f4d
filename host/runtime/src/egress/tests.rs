//! Attack-shaped cases: each row is a way in that somebody would try.

use super::*;

fn group(name: &str, hosts: &[&str], secrets: &[&str]) -> EgressGroup {
    EgressGroup {
        name: name.into(),
        hosts: hosts.iter().map(|h| h.parse().unwrap()).collect(),
        ports: vec![443],
        positions: secrets.iter().map(|s| position(s, "/**")).collect(),
        captures: vec![],
    }
}

fn position(secret: &str, path: &str) -> Arc<Position> {
    Arc::new(Position {
        secret: secret.to_owned(),
        place: secrets::Place::Header("authorization".into()),
        prefix: String::new(),
        method: None,
        path: path.parse().unwrap(),
    })
}

/// Names of the secrets that may go to a URL.
fn secrets_at(policy: &EgressPolicy, url: &str) -> Vec<String> {
    let grant = policy.decide(url, Scheme::Http).unwrap();
    grant.positions.iter().map(|p| p.secret.clone()).collect()
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
    assert_eq!(
        secrets_at(&policy(), "https://api.example.org/v1?x=1"),
        ["token"]
    );
    assert!(secrets_at(&policy(), "https://a.b.files.example.org/x").is_empty());
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
    assert_eq!(
        secrets_at(&wide, "https://proxy.example.com:8443/v1"),
        ["token"]
    );
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
fn a_loopback_base_opens_its_own_port_for_its_own_group_and_nothing_else() {
    let open = policy_with(
        OperatorEgress::AsManifest,
        &[
            ("api", "http://127.0.0.1:8080"),
            ("media", "http://[::1]:8081/x"),
        ],
    );
    // However this machine is spelled.
    for url in [
        "http://127.0.0.1:8080/x",
        "http://localhost:8080/",
        "https://[::1]:8080/",
        "http://2130706433:8080/",
        "http://0x7f.1:8080/",
        "http://0177.0.0.1:8080/",
        "http://127.1:8080/",
        "http://[::ffff:127.0.0.1]:8080/",
    ] {
        assert_eq!(secrets_at(&open, url), ["token"], "{url}");
    }
    assert!(secrets_at(&open, "http://localhost:8081/y").is_empty());
    assert!(
        open.decide("ws://127.0.0.1:8080/ws", Scheme::Socket)
            .is_ok()
    );
    for url in [
        "http://127.0.0.1:9/x",
        "http://localhost/",
        "http://localhost:1234/",
        "https://localhost:1234/",
        "http://2130706433:1234/",
        "http://[::ffff:127.0.0.1]:1234/",
        // Another of this machine's addresses is another service.
        "http://127.0.0.2:8080/",
    ] {
        let refused = open.decide(url, Scheme::Http);
        assert!(
            matches!(refused, Err(EgressDenied::Loopback { .. })),
            "{url}: {refused:?}"
        );
    }
    for url in [
        "http://10.0.0.1:8080/",
        "http://localhost.example.org:8080/",
        "http://127.0.0.1.example.org:8080/",
        "ftp://127.0.0.1:8080/",
        "http://user@127.0.0.1:8080/",
        "ws://127.0.0.1:8080/",
    ] {
        assert!(open.decide(url, Scheme::Http).is_err(), "{url}");
    }
    assert!(open.decide("ws://127.0.0.1:9/ws", Scheme::Socket).is_err());
}

#[test]
fn ports_of_this_machine_that_the_operator_lists_are_open_without_secrets() {
    let groups = vec![group("api", &["api.example.org"], &["token"])];
    let addresses = AddressPolicy::default().with_loopback_ports([9000].into());
    let policy = EgressPolicy::new(groups, OperatorEgress::Only(vec![]), addresses, &[]).unwrap();
    for url in [
        "http://localhost:9000/",
        "https://127.0.0.1:9000/x",
        "http://127.0.0.2:9000/",
    ] {
        assert!(secrets_at(&policy, url).is_empty(), "{url}");
    }
    assert!(
        policy
            .decide("http://localhost:9001/", Scheme::Http)
            .is_err()
    );
    assert!(
        policy
            .decide("http://10.0.0.1:9000/", Scheme::Http)
            .is_err()
    );
}

#[test]
fn a_secret_goes_to_its_paths_and_an_answer_of_its_endpoint_brings_one_however_it_is_spelled() {
    let mut api = group("api", &["api.example.org"], &[]);
    api.positions = vec![position("key", "/app/token"), position("token", "/v2/**")];
    api.captures = vec![Arc::new(Capture {
        secret: "token".into(),
        method: "POST".into(),
        path: "/app/token".parse().unwrap(),
        pointer: "/token".parse().unwrap(),
        show: vec![],
    })];
    let widening = Widening {
        group: "api".into(),
        url: "https://proxy.example.com/my/token".parse().unwrap(),
    };
    let addresses = AddressPolicy::default();
    let policy = EgressPolicy::new(
        vec![api],
        OperatorEgress::AsManifest,
        addresses,
        &[widening],
    );
    let policy = policy.unwrap();
    for (url, secret) in [
        ("https://api.example.org/app/token", Some("key")),
        ("https://api.example.org/app/token?x=1#y", Some("key")),
        ("https://api.example.org/x/../app/token", Some("key")),
        ("https://api.example.org/v2/x", Some("token")),
        ("https://proxy.example.com/my/token", Some("key")),
        ("https://api.example.org/app/token/", None),
        ("https://api.example.org//app/token", None),
        ("https://api.example.org/v2/%2e%2e/app/token", Some("key")),
        ("https://api.example.org/v2/..%2fapp%2ftoken", None),
        ("https://api.example.org/", None),
    ] {
        let secrets = secrets_at(&policy, url);
        // A configured address may be a whole endpoint: all positions of its group are good there.
        assert_eq!(secrets.first().map(String::as_str), secret, "{url}");
    }
    let brings = |url: &str| !policy.captures_at(&url.parse().unwrap()).is_empty();
    for url in [
        "https://api.example.org/app/token",
        "https://api.example.org//app/%74oken/?x",
        "https://api.example.org/v2/..%2fapp%2ftoken",
        "https://proxy.example.com/my/token",
        "https://proxy.example.com/My//token/",
    ] {
        assert!(brings(url), "{url}");
    }
    for url in [
        "https://api.example.org/v2/x",
        "https://cdn.example.net/app/token",
    ] {
        assert!(!brings(url), "{url}");
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
