//! The clients of the process: one for HTTP, one for WebSocket upgrades, over the same TLS, the
//! same resolver and the same proxy.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, NoProxy, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::resolver::CheckedResolver;
use crate::egress::address::AddressPolicy;

/// Idle connections are kept a little shorter than common servers keep them (60 s), so that a
/// request rarely meets one that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(50);
/// TCP, TLS and proxy together; a request's own time limit may be shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Finds connections that a middlebox forgot.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The network cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The extra certificates cannot be read.
    #[error(
        "the certificates in {path} cannot be used: {cause}; it must be a PEM file of CA certificates"
    )]
    ExtraCa {
        /// Where.
        path: String,
        /// Why.
        cause: String,
    },
    /// The proxy is not one.
    #[error(
        "the proxy {url:?} cannot be used: {cause}; write http://host:port or socks5h://host:port"
    )]
    Proxy {
        /// As it is written, without a password.
        url: String,
        /// Why.
        cause: String,
    },
    /// The client refuses its settings.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// Which proxy to use, for HTTP and WebSockets alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyChoice {
    /// None, whatever the environment says.
    Direct,
    /// This one for everything but the exceptions.
    Through {
        /// `http`, `https`, `socks5` or `socks5h`.
        url: String,
        /// Hosts that are reached directly, as in `NO_PROXY`.
        except: String,
    },
}

impl ProxyChoice {
    /// What the environment says: `HTTPS_PROXY`, else `ALL_PROXY`, and `NO_PROXY`; lower case wins.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            let lower = env(&name.to_lowercase()).filter(|v| !v.is_empty());
            lower.or_else(|| env(name).filter(|v| !v.is_empty()))
        };
        match get("HTTPS_PROXY").or_else(|| get("ALL_PROXY")) {
            Some(url) => Self::Through {
                url,
                except: get("NO_PROXY").unwrap_or_default(),
            },
            None => Self::Direct,
        }
    }
}

/// How to reach the world.
#[derive(Debug, Clone)]
pub struct NetworkOptions {
    /// The proxy.
    pub proxy: ProxyChoice,
    /// CA certificates to trust besides the public ones, as PEM.
    pub extra_ca: Option<PathBuf>,
    /// Addresses that may be dialled besides public ones.
    pub addresses: AddressPolicy,
}

/// The clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Network {
    pub(super) http: Client,
    pub(super) upgrade: Client,
    options: Arc<NetworkOptions>,
}

impl Network {
    /// Sets both clients up.
    ///
    /// # Errors
    /// See [`NetworkError`].
    pub fn new(options: &NetworkOptions) -> Result<Self, NetworkError> {
        let base = || builder(options, None);
        Ok(Self {
            http: build(base()?.pool_idle_timeout(POOL_IDLE))?,
            // An upgraded connection never comes back, and HTTP/2 has no upgrade.
            upgrade: build(base()?.http1_only().pool_max_idle_per_host(0))?,
            options: Arc::new(options.clone()),
        })
    }

    /// A client for a service that the operator named in the configuration, wherever it is: same
    /// TLS and proxy, and no address check for this one host. Redirects are not followed.
    ///
    /// # Errors
    /// See [`NetworkError`].
    pub fn client_for(&self, url: &Url) -> Result<Client, NetworkError> {
        let host = url.host_str().map(str::to_owned);
        build(builder(&self.options, host)?.pool_idle_timeout(POOL_IDLE))
    }
}

/// What all clients have in common.
fn builder(
    options: &NetworkOptions,
    trusted: Option<String>,
) -> Result<ClientBuilder, NetworkError> {
    let tls = tls(options.extra_ca.as_deref())?;
    let (proxy, mut exempt) = proxy(&options.proxy)?;
    exempt.extend(trusted);
    let resolver = CheckedResolver::new(options.addresses.clone(), exempt);
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
        // Followed by hand, with every hop checked.
        .redirect(Policy::none())
        .referer(false)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .connect_timeout(CONNECT_TIMEOUT)
        // The environment was read once, for all clients, with its exceptions.
        .no_proxy();
    Ok(match proxy {
        Some(proxy) => builder.proxy(proxy),
        None => builder,
    })
}

fn build(builder: ClientBuilder) -> Result<Client, NetworkError> {
    let built = builder.build();
    built.map_err(|e| NetworkError::Client(e.to_string()))
}

/// rustls with ring (no C++ tool chain) and the roots of the web, so that a small server without a
/// certificate store works too.
fn tls(extra_ca: Option<&Path>) -> Result<ClientConfig, NetworkError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = extra_ca {
        add_extra(&mut roots, path)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| NetworkError::Client(e.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn add_extra(roots: &mut RootCertStore, path: &Path) -> Result<(), NetworkError> {
    let bad = |cause: String| NetworkError::ExtraCa {
        path: path.display().to_string(),
        cause,
    };
    let found = CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))?;
    let mut count = 0;
    for certificate in found {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        roots.add(certificate).map_err(|e| bad(e.to_string()))?;
        count += 1;
    }
    if count == 0 {
        return Err(bad("there is no certificate in it".into()));
    }
    Ok(())
}

fn proxy(choice: &ProxyChoice) -> Result<(Option<Proxy>, BTreeSet<String>), NetworkError> {
    let ProxyChoice::Through { url, except } = choice else {
        return Ok((None, BTreeSet::new()));
    };
    let written = if url.contains("://") {
        url.clone()
    } else {
        format!("http://{url}")
    };
    let bad = |cause: String| NetworkError::Proxy {
        url: without_password(&written),
        cause,
    };
    let parsed = Url::parse(&written).map_err(|e| bad(e.to_string()))?;
    let proxy = Proxy::all(written.as_str()).map_err(|e| bad(e.to_string()))?;
    // This machine is never behind a proxy, and an emulator or a local model has to be reachable.
    let except = format!("localhost,127.0.0.0/8,::1,{except}");
    let proxy = proxy.no_proxy(NoProxy::from_string(&except));
    let exempt = parsed.host_str().map(str::to_owned).into_iter().collect();
    Ok((Some(proxy), exempt))
}

fn without_password(url: &str) -> String {
    match url.split_once('@') {
        Some((before, after)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://...@{after}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(vars: &[(&str, &str)]) -> ProxyChoice {
        ProxyChoice::from_env(&|name| {
            let found = vars.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_names_one_proxy_for_everything() {
        assert_eq!(from(&[]), ProxyChoice::Direct);
        assert_eq!(from(&[("HTTPS_PROXY", "")]), ProxyChoice::Direct);
        let through = |url: &str, except: &str| ProxyChoice::Through {
            url: url.into(),
            except: except.into(),
        };
        assert_eq!(
            from(&[
                ("https_proxy", "http://a:1"),
                ("HTTPS_PROXY", "http://b:1"),
                ("NO_PROXY", "x")
            ]),
            through("http://a:1", "x")
        );
        assert_eq!(
            from(&[("ALL_PROXY", "socks5h://c:1")]),
            through("socks5h://c:1", "")
        );
    }

    #[test]
    fn a_wrong_proxy_is_named_without_its_password() {
        let choice = ProxyChoice::Through {
            url: "http://user:hunter2@ho st".into(),
            except: String::new(),
        };
        let error = proxy(&choice).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
