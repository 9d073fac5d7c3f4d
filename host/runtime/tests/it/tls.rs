//! wss with a certificate of a private authority, trusted and not.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prx_host::runtime::Host;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Line, Server, options, soon, start};

/// A throw-away authority: its certificate as a file, and a server that it vouches for.
pub(crate) fn authority(dir: &Path, name: &str) -> (PathBuf, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let path = dir.join("ca.pem");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(ca.pem().as_bytes()).unwrap();
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (path, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_private_authority_opens_wss() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, acceptor) = authority(dir.path(), "localhost");
    let mut options = options(&dir.path().join("state"));
    options.network.extra_ca = Some(ca);
    let host = Host::new(options).unwrap();
    let server = Server::new().await;
    let url = format!("wss://localhost:{}/", server.port());
    let _handle = start(&host, "bot", &url).await.unwrap();
    let stream = soon(acceptor.accept(server.tcp().await)).await.unwrap();
    let mut line = Line::accept(stream).await;
    assert_eq!(line.hear().await, "hello");
    assert_eq!(line.ask("over tls").await, "echo: over tls");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_authority_is_a_tls_failure() {
    let dir = tempfile::tempdir().unwrap();
    let (_, acceptor) = authority(dir.path(), "localhost");
    let host = Host::new(options(&dir.path().join("state"))).unwrap();
    let server = Server::new().await;
    let url = format!("wss://localhost:{}/", server.port());
    let _handle = start(&host, "bot", &url).await.unwrap();
    assert!(soon(acceptor.accept(server.tcp().await)).await.is_err());
    // It tries again, and is refused again: nothing went through.
    assert!(soon(acceptor.accept(server.tcp().await)).await.is_err());
}
