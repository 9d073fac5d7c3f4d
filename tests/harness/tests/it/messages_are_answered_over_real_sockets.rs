//! The real component on the real host, over real sockets; once over real TLS.

use std::sync::Arc;

use qq_emulator::EmulatorOptions;
use qq_emulator::actions::Act;

use crate::common::{Pair, direct};

#[tokio::test(flavor = "multi_thread")]
async fn private_and_group_messages_get_their_answers() {
    let pair = Pair::start().await;
    pair.until_connected().await;
    assert!(pair.ask(Act::c2c("alice", "hello")).await[0].contains("hello"));
    assert!(
        pair.ask(Act::group_at("friends", "bob", "good morning"))
            .await[0]
            .contains("good morning")
    );
    let long = pair
        .emulator
        .user(Act::c2c("alice", "/long 5000"))
        .unwrap()
        .message_id
        .unwrap();
    let parts = pair.emulator.wait_for(crate::common::PATIENCE, |platform| {
        let texts = platform.ledger().reply_texts(&long);
        (texts.len() >= 3).then(|| {
            texts
                .iter()
                .map(|text| text.chars().count())
                .collect::<Vec<_>>()
        })
    });
    assert!(parts.await.unwrap().iter().all(|length| *length <= 2_048));
    let violations = pair
        .emulator
        .with(|platform| platform.ledger().violation_count());
    assert_eq!(violations, 0);
    pair.bot.channel.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_with_a_certificate_of_a_private_authority() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key);
    let options = EmulatorOptions {
        tls: Some(Arc::new(config.unwrap())),
        host_name: Some("localhost".into()),
        ..EmulatorOptions::default()
    };
    let pair = Pair::with(options, direct(Some(ca))).await;
    assert!(
        pair.emulator
            .urls()
            .api_base
            .starts_with("https://localhost:")
    );
    pair.until_connected().await;
    assert!(pair.ask(Act::c2c("alice", "hello")).await[0].contains("hello"));
}
