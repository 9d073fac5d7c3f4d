//! The subjects that are written here: each runs in a process of its own, started by [`super::subject`].

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use futures_util::{SinkExt, StreamExt};
use prx_agent::{Agent, AgentConfig};
use prx_host::config::Layers;
use prx_host::drivers::network::{NetworkOptions, ProxyChoice};
use prx_host::egress::address::AddressPolicy;
use prx_host::guest::Component;
use prx_host::manifest::Manifest;
use prx_host::runtime::{ChannelHandle, ChannelSpec, Host, HostOptions};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::messages::reply_body;
use super::platform::{APP_ID, SECRET};
use crate::bot::Target;
use crate::load::swaps;
use crate::native::NativeComponent;

/// How the platform is found by a bot of ours.
#[must_use]
pub fn target(address: &str) -> Target {
    Target {
        api_base: format!("http://{address}"),
        token_url: format!("http://{address}/app/getAppAccessToken"),
        app_id: APP_ID.to_owned(),
        secret: SECRET.to_owned(),
        intents: Some(r#"["group_and_c2c"]"#),
    }
}

/// The manifest of the channel with room for a load that no platform allows.
#[must_use]
pub fn manifest() -> String {
    qq_channel_embed::MANIFEST
        .replace("max_requests = 256", "max_requests = 1024")
        .replace(
            "max_requests_per_minute = 60000",
            "max_requests_per_minute = 600000",
        )
}

/// Writes what `prx channel run` needs into a folder: the operator's file and the plugin.
///
/// # Errors
/// The disk does not take it.
pub fn install(folder: &Path, address: &str) -> Result<()> {
    swaps::install(&folder.join("plugins"), 0, &manifest())?;
    let table = target(address).toml("\n[host]\nplugin_dir = \"plugins\"\nwatch_plugins = false\n");
    std::fs::write(folder.join("channels.toml"), table).context("the bot's configuration")
}

/// A host for subjects, with its state in this folder.
///
/// # Errors
/// It cannot be set up.
pub fn host(folder: &Path, compiled: &Path) -> Result<Host> {
    Ok(Host::new(HostOptions {
        state_dir: folder.to_owned(),
        operator: prx_host::egress::OperatorEgress::AsManifest,
        network: NetworkOptions {
            proxy: ProxyChoice::Direct,
            extra_ca: None,
            addresses: AddressPolicy::default(),
        },
        compiled_dir: Some(compiled.to_owned()),
        guest_threads: None,
    })?)
}

/// The agent that `prx channel run` has when nothing is configured: it echoes, and keeps histories in a file.
///
/// # Errors
/// A folder cannot be used.
pub fn agent(host: &Host, folder: &Path) -> Result<Arc<Agent>> {
    let config = AgentConfig {
        state_dir: Some(folder.to_owned()),
        media_dir: Some(folder.join("media")),
        ..AgentConfig::default()
    };
    Ok(Arc::new(Agent::new(&config, host.network())?))
}

/// Starts one channel of a name.
///
/// # Errors
/// It does not start.
pub async fn channel(
    host: &Host,
    name: &str,
    address: &str,
    component: Arc<dyn Component>,
    agent: Arc<Agent>,
) -> Result<ChannelHandle> {
    let table = target(address).toml("");
    let table = table.replacen("channels_config.qq", &format!("channels_config.{name}"), 1);
    let layers = Layers::from_text("channels.toml", &table)?;
    let keys = component.describe()?.keys;
    let config = layers.channel(name, &keys, &|_| None).map_err(|errors| {
        let sentences: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow!(sentences.join("\n"))
    })?;
    let spec = ChannelSpec {
        name: name.to_owned(),
        component,
        manifest: Manifest::parse(&manifest())?,
        config,
        agent,
    };
    host.start_channel(spec)
        .await
        .context("the channel does not start")
}

/// The guest linked natively, in the same host: no sandbox, everything else as it is.
///
/// # Errors
/// It does not start.
pub async fn native(address: &str, folder: &Path) -> Result<()> {
    let host = host(folder, &folder.join("compiled"))?;
    let agent = agent(&host, folder)?;
    let _running = channel(&host, "qq", address, Arc::new(NativeComponent), agent).await?;
    std::future::pending().await
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Logs in at the gateway, as every client does.
async fn login(address: &str) -> Result<Socket> {
    let url = format!("ws://{address}/websocket");
    let (mut socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await?;
    socket.next().await.context("no hello")??;
    let identify = json!({"op": 2, "d": {
        "token": "QQBot bench-token", "intents": 1 << 25, "shard": [0, 1],
    }});
    socket.send(Message::text(identify.to_string())).await?;
    Ok(socket)
}

#[derive(Deserialize)]
struct Frame<'a> {
    op: u8,
    #[serde(borrow)]
    t: Option<&'a str>,
    #[serde(borrow)]
    d: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Said {
    id: String,
    content: String,
    author: Author,
}

#[derive(Deserialize)]
struct Author {
    user_openid: String,
}

/// The ceiling: a frame is read and parsed, and a reply is posted, by the same libraries as in the host, and
/// nothing is remembered, checked or repeated.
///
/// # Errors
/// The platform is gone.
pub async fn bare(address: &str) -> Result<()> {
    // Another part of the process may have chosen the provider already; that is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tcp_nodelay(true)
        .build()?;
    let mut socket = login(address).await?;
    let base = format!("http://{address}/v2/users");
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        let frame: Frame<'_> = serde_json::from_str(&text)?;
        let (Some("C2C_MESSAGE_CREATE"), Some(body), 0) = (frame.t, frame.d, frame.op) else {
            continue;
        };
        let said: Said = serde_json::from_str(body.get())?;
        let url = format!("{base}/{}/messages", said.author.user_openid);
        let reply = json!({
            "content": format!("echo: {}", said.content), "msg_type": 0, "msg_id": said.id, "msg_seq": 1,
        });
        let request = http
            .post(url)
            .header("authorization", "QQBot bench-token")
            .header("content-type", "application/json")
            .body(reply.to_string());
        tokio::spawn(async move {
            let answered = async {
                let answer = request.send().await?.bytes().await?;
                let _: serde_json::Value = serde_json::from_slice(&answer)?;
                anyhow::Ok(())
            };
            if let Err(error) = answered.await {
                eprintln!("bare: {error:#}");
            }
        });
    }
    Ok(())
}

/// What the platform itself can do at most: the id is found without parsing, and replies are written one after
/// the other on a single connection, without waiting for what the platform says to them.
///
/// # Errors
/// The platform is gone.
pub async fn null(address: &str) -> Result<()> {
    let mut socket = login(address).await?;
    let posting = TcpStream::connect(address).await?;
    posting.set_nodelay(true)?;
    let (mut answers, mut post) = posting.into_split();
    tokio::spawn(async move {
        let mut sink = vec![0; 64 << 10];
        while answers.read(&mut sink).await.is_ok_and(|bytes| bytes > 0) {}
    });
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else {
            continue;
        };
        let Some(at) = text.find("ROBOT1.0_") else {
            continue;
        };
        let id = text.get(at..).and_then(|rest| rest.split('"').next());
        let body = reply_body(id.unwrap_or_default());
        let head = format!(
            "POST /v2/users/x/messages HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        post.write_all(&[head.as_bytes(), &body].concat()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prx_host::limits::Limits;
    use prx_host::manifest::Manifest;

    #[test]
    fn the_manifest_leaves_room_for_the_load() {
        let limits = Manifest::parse(&super::manifest()).unwrap().limits;
        assert_eq!(limits.requests_at_once, Limits::CEILING.requests_at_once);
        assert_eq!(
            limits.requests_per_minute,
            Limits::CEILING.requests_per_minute
        );
    }
}
