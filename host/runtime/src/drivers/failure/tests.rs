//! Each way in which a TLS handshake fails is told as one, and nothing else is.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::drivers::network::{Network, NetworkOptions, ProxyChoice};
use crate::egress::address::AddressPolicy;

/// A certificate of an authority of its own, and the file that makes a client trust it.
fn certified(dir: &tempfile::TempDir, name: &str, expired: bool) -> (TlsAcceptor, PathBuf) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap();
    let path = dir.path().join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        leaf.not_after = date_time_ymd(2020, 1, 1);
    }
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), path)
}

/// How a request over TLS ends, when its connection is served like this.
async fn end<F: Future<Output = ()>>(
    extra_ca: Option<PathBuf>,
    serve: impl FnOnce(TcpStream) -> F,
) -> Failure {
    let network = Network::new(&NetworkOptions {
        proxy: ProxyChoice::Direct,
        extra_ca,
        addresses: AddressPolicy::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("https://localhost:{port}/");
    let ask = network.unwrap().http.get(url).send();
    let serve = async { serve(listener.accept().await.unwrap().0).await };
    let (asked, ()) = tokio::join!(ask, serve);
    of_client(asked.unwrap_err(), true)
}

#[tokio::test]
async fn a_handshake_that_fails_is_a_tls_failure() {
    let dir = tempfile::tempdir().unwrap();
    for (name, expired, trusted) in [
        ("localhost", false, false),
        ("other.example.org", false, true),
        ("localhost", true, true),
    ] {
        let (acceptor, ca) = certified(&dir, name, expired);
        let failure = end(trusted.then_some(ca), |stream| async move {
            assert!(acceptor.accept(stream).await.is_err());
        });
        let failure = failure.await;
        assert_eq!(
            failure.stage,
            Stage::Tls,
            "{name} {expired} {trusted}: {}",
            failure.detail
        );
        assert!(!failure.maybe_received);
    }
    // Something else than TLS, and an end in the middle of it.
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let failure = end(None, |mut stream| async move {
            let mut hello = [0; 1024];
            assert!(stream.read(&mut hello).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let failure = failure.await;
        assert_eq!(failure.stage, Stage::Tls, "{answer:?}: {}", failure.detail);
    }
}

#[tokio::test]
async fn what_ends_after_the_handshake_or_before_it_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let (acceptor, ca) = certified(&dir, "localhost", false);
    let failure = end(Some(ca), |stream| async move {
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.shutdown().await.unwrap();
    });
    let failure = failure.await;
    assert_eq!(
        (failure.stage, failure.maybe_received),
        (Stage::Protocol, true)
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    drop(listener);
    let network = Network::new(&NetworkOptions {
        proxy: ProxyChoice::Direct,
        extra_ca: None,
        addresses: AddressPolicy::default(),
    });
    let refused = network.unwrap().http.get(url).send().await.unwrap_err();
    assert_eq!(of_client(refused, true).stage, Stage::Connect);
}
