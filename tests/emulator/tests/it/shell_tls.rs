//! The shell with TLS: https and wss with a certificate of one's own.

use std::sync::Arc;

use qq_emulator::actions::Act;
use qq_emulator::{Emulator, EmulatorOptions};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::support::live::Bot;

#[tokio::test]
async fn everything_goes_through_tls_if_a_certificate_is_given() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], der)
        .unwrap();
    let options = EmulatorOptions {
        tls: Some(Arc::new(config)),
        host_name: Some("localhost".to_owned()),
        ..EmulatorOptions::default()
    };
    let emulator = Emulator::start(options).await.unwrap();
    assert!(emulator.urls().api_base.starts_with("https://localhost:"));
    assert!(emulator.urls().gateway_url.starts_with("wss://localhost:"));
    let bot = Bot::trusting(&emulator, Some(key.cert.der().clone())).await;
    let mut socket = bot.connect().await;
    bot.identify(&mut socket).await;
    emulator.user(Act::c2c("alice", "secret")).unwrap();
    assert_eq!(socket.frame().await["d"]["content"], "secret");
}
