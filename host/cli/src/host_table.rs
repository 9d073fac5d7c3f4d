//! The table `[host]`: where things are kept, and how the world is reached.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use prx_host::bindings::v0_1::KeySpec;
use prx_host::config::{Checked, ConfigError, Mistake, boolean, integer, text, text_list};
use prx_host::drivers::network::{NetworkOptions, ProxyChoice};
use prx_host::egress::address::AddressPolicy;
use prx_host::egress::{HostPattern, OperatorEgress};
use prx_host::package::{PublicKey, Trust};
use prx_host::runtime::HostOptions;

use crate::files::Files;
use crate::plugins::Plugins;

/// The host as configured.
#[derive(Debug)]
pub(crate) struct HostTable {
    pub(crate) options: HostOptions,
    /// Time for answers in flight when the program is asked to end.
    pub(crate) drain: Duration,
    /// Where numbers are offered to a monitoring.
    pub(crate) metrics: Option<SocketAddr>,
    /// Components besides the ones that are built in.
    pub(crate) plugins: Plugins,
    /// Whether a plugin that changes in its folder takes over by itself.
    pub(crate) watch: bool,
}

impl HostTable {
    /// What is allowed, and should be known.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let exposed = self.metrics.filter(|address| !address.ip().is_loopback());
        let warning = exposed.map(|address| {
            format!(
                "[host] metrics = \"{address}\" is not on loopback: whoever reaches it reads the names and numbers of all channels"
            )
        });
        warning.into_iter().collect()
    }
}

/// The keys of `[host]`.
pub(crate) fn keys() -> Vec<KeySpec> {
    vec![
        text(
            "state_dir",
            "Where everything is kept; default: `channels-state` beside this file.",
        ),
        text(
            "proxy",
            "`http://host:port`, `socks5h://host:port` or `none`; default: what the environment says.",
        ),
        text_list("no_proxy", "Hosts that are reached without the proxy."),
        text(
            "extra_ca",
            "A PEM file of CA certificates to trust besides the public ones.",
        ),
        text_list(
            "allow_hosts",
            "The only hosts that plugins may reach, of those that their manifests ask for. Default: all of these.",
        ),
        text_list(
            "allow_addresses",
            "Networks besides the public Internet that names may lead to, such as `10.0.0.0/8`.",
        ),
        text_list(
            "loopback_ports",
            "Ports of this machine that plugins may reach, such as `8080`, besides those that a channel's own table names. No secret goes there.",
        ),
        integer(
            "drain_seconds",
            20,
            0..=600,
            "Time for answers in flight when the program is asked to end.",
        ),
        text(
            "metrics",
            "Offers `/metrics` for Prometheus and `/healthz` here: a port of this machine alone, such as `9310`, or an address with a port. Default: not at all.",
        ),
        text(
            "plugin_dir",
            "Folder of plugins besides the ones that are built in, as `NAME/plugin.toml` with `NAME/plugin.wasm`. Whoever may write there decides what runs; files that others can write are refused. Default: none.",
        ),
        text_list(
            "trusted_keys",
            "Public keys, as `prx plugin keygen` prints them: a plugin of `plugin_dir` runs only when one of them has signed it. Default: signatures are not asked for.",
        ),
        boolean(
            "watch_plugins",
            true,
            "Whether a plugin that changes in its folder takes over by itself. Without it, `reload` or SIGHUP brings it.",
        ),
    ]
}

/// Reads the checked table.
pub(crate) fn read(table: &Checked, files: &Files) -> Result<HostTable, ConfigError> {
    let wrong = |key: &str, sentence: String| {
        ConfigError::new(table.places.get(key).cloned(), Mistake::Other(sentence))
    };
    let each = |key: &'static str| table.list(key).into_iter();
    let hosts: Result<Vec<HostPattern>, _> = each("allow_hosts").map(|h| h.parse()).collect();
    let hosts = hosts.map_err(|e| wrong("allow_hosts", format!("allow_hosts: {e}")))?;
    let nets: Result<Vec<IpNet>, ConfigError> = each("allow_addresses")
        .map(|net| {
            let whole = net.parse::<std::net::IpAddr>().map(IpNet::from);
            net.parse().or(whole).map_err(|_| {
                let sentence = format!(
                    "allow_addresses: {net:?} is not a network; write for example \"10.0.0.0/8\""
                );
                wrong("allow_addresses", sentence)
            })
        })
        .collect();
    let ports: Result<BTreeSet<u16>, ConfigError> = each("loopback_ports")
        .map(|port| {
            port.parse().map_err(|_| {
                let sentence = format!(
                    "loopback_ports: {port:?} is not a port; write a number of 1 to 65535, in quotes"
                );
                wrong("loopback_ports", sentence)
            })
        })
        .collect();
    let drain = u64::try_from(table.integer("drain_seconds").unwrap_or(0)).unwrap_or(0);
    Ok(HostTable {
        options: HostOptions {
            state_dir: files.state_dir(table.text("state_dir")),
            operator: match table.json.contains_key("allow_hosts") {
                true => OperatorEgress::Only(hosts),
                false => OperatorEgress::AsManifest,
            },
            network: NetworkOptions {
                proxy: proxy(table),
                extra_ca: table.text("extra_ca").map(|path| files.beside(path)),
                addresses: AddressPolicy::new(nets?).with_loopback_ports(ports?),
            },
            compiled_dir: None,
            guest_threads: None,
        },
        drain: Duration::from_secs(drain),
        metrics: table
            .text("metrics")
            .map(|written| metrics(written).map_err(|sentence| wrong("metrics", sentence)))
            .transpose()?,
        watch: table.boolean("watch_plugins").unwrap_or(true),
        plugins: Plugins::new(
            table.text("plugin_dir").map(|path| files.beside(path)),
            trust(table).map_err(|sentence| wrong("trusted_keys", sentence))?,
        ),
    })
}

/// Without the key anybody is trusted; with an empty list nobody is.
fn trust(table: &Checked) -> Result<Trust, String> {
    if !table.json.contains_key("trusted_keys") {
        return Ok(Trust::Anyone);
    }
    let keys = table.list("trusted_keys").into_iter();
    let keys: Result<Vec<PublicKey>, _> = keys.map(|key| key.parse()).collect();
    keys.map(Trust::Only)
        .map_err(|error| format!("trusted_keys: {error}"))
}

/// A port alone is meant for this machine alone.
fn metrics(written: &str) -> Result<SocketAddr, String> {
    let port = written.parse::<u16>().ok();
    let local = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    local.or_else(|| written.parse().ok()).ok_or_else(|| {
        format!(
            "metrics: {written:?} is no address with a port; write for example \"127.0.0.1:9310\""
        )
    })
}

fn proxy(table: &Checked) -> ProxyChoice {
    match table.text("proxy") {
        None => ProxyChoice::from_env(&|name| std::env::var(name).ok()),
        Some("none") => ProxyChoice::Direct,
        Some(url) => ProxyChoice::Through {
            url: url.to_owned(),
            except: table.list("no_proxy").join(","),
        },
    }
}
