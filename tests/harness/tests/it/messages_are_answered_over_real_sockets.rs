//! The real component on the real host, over real sockets; once over real TLS.

use std::sync::Arc;

use harness::bot::{Bot, Target};
use qq_emulator::actions::Act;
use qq_emulator::{Emulator, EmulatorOptions};

use crate::common::{PATIENCE, Pair, direct, target};

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
async fn guild_channels_and_direct_messages_get_their_answers() {
    let pair = Pair::start().await;
    pair.until_connected().await;
    let answer = pair
        .ask(Act::channel_at("guild", "general", "alice", "a < b & c"))
        .await;
    assert!(answer[0].contains("a < b & c"), "{answer:?}");
    let answer = pair.ask(Act::dm("guild", "alice", "just us")).await;
    assert!(answer[0].contains("just us"), "{answer:?}");
    assert_eq!(
        pair.emulator
            .with(|platform| platform.ledger().violation_count()),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_bot_with_the_default_intents_comes_up_and_answers_when_mentioned() {
    let emulator = Emulator::start(EmulatorOptions::default()).await.unwrap();
    let state = tempfile::tempdir().unwrap();
    let target = Target {
        intents: None,
        ..target(&emulator)
    };
    let bot = Bot::start(&target, "", state.path(), direct(None))
        .await
        .unwrap();
    let mut health = bot.channel.health();
    let settled = health
        .wait_for(|health| health.code == "ready" || health.code == "missing-intents")
        .await
        .unwrap()
        .clone();
    assert!(
        settled.summary.contains("guild_messages"),
        "what is missing is named: {settled:?}"
    );
    let id = emulator
        .user(Act::channel_at("guild", "general", "alice", "hello"))
        .unwrap()
        .message_id
        .unwrap();
    let answered = emulator.wait_for(PATIENCE, |platform| {
        platform
            .ledger()
            .reply_texts(&id)
            .first()
            .map(|text| (*text).to_owned())
    });
    assert!(answered.await.unwrap().contains("hello"));
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
