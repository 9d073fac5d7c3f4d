//! The real thing in this process: host, component, echo agent and sockets, pointed at an emulator.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use prx_agent::Agent;
use prx_host::config::Layers;
use prx_host::drivers::network::NetworkOptions;
use prx_host::limits::Limits;
use prx_host::manifest::Manifest;
use prx_host::runtime::{ChannelHandle, ChannelSpec, Host, HostOptions};

/// Where a bot finds its platform.
#[derive(Debug, Clone)]
pub struct Target {
    /// Base of the API.
    pub api_base: String,
    /// Where tokens come from.
    pub token_url: String,
    /// AppID.
    pub app_id: String,
    /// AppSecret.
    pub secret: String,
    /// Intents, as the operator's file has them; `None` = not written, so the defaults.
    pub intents: Option<&'static str>,
}

/// Everything that the channel listens to.
pub const ALL_SCENES: &str = r#"["group_and_c2c", "public_guild_messages", "direct_messages"]"#;

impl Target {
    /// The operator's file for it. `more` is added to the table of the channel.
    #[must_use]
    pub fn toml(&self, more: &str) -> String {
        let intents = self
            .intents
            .map(|intents| format!("intents = {intents}\n"))
            .unwrap_or_default();
        format!(
            "[channels_config.qq]\napp_id = {:?}\napp_secret = {:?}\napi_base = {:?}\ntoken_url = {:?}\n\
             allowed_users = [\"*\"]\n{intents}{more}\n",
            self.app_id, self.secret, self.api_base, self.token_url
        )
    }
}

/// A running bot.
#[derive(Debug)]
pub struct Bot {
    /// The host.
    pub host: Host,
    /// The channel.
    pub channel: ChannelHandle,
}

impl Bot {
    /// Starts the embedded component against a target. Its state goes to `state_dir`; compiled code is shared.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub async fn start(
        target: &Target,
        more: &str,
        state_dir: &Path,
        network: NetworkOptions,
    ) -> Result<Self> {
        Self::limited(target, more, state_dir, network, None).await
    }

    /// The same, with limits other than the manifest's.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub async fn limited(
        target: &Target,
        more: &str,
        state_dir: &Path,
        network: NetworkOptions,
        limits: Option<Limits>,
    ) -> Result<Self> {
        let options = HostOptions {
            state_dir: state_dir.to_owned(),
            operator: prx_host::egress::OperatorEgress::AsManifest,
            network,
            compiled_dir: Some(compiled_dir()),
            guest_threads: None,
        };
        let host = Host::new(options)?;
        let mut manifest = Manifest::parse(qq_channel_embed::MANIFEST)?;
        manifest.limits = limits.unwrap_or(manifest.limits);
        let component = host.load(qq_channel_embed::COMPONENT, manifest.limits)?;
        let layers = Layers::from_text("channels.toml", &target.toml(more))?;
        let config = layers
            .channel("qq", &component.describe()?.keys, &|name| {
                std::env::var(name).ok()
            })
            .map_err(|errors| {
                anyhow!(
                    errors
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("\n")
                )
            })?;
        let spec = ChannelSpec {
            name: "qq".into(),
            component,
            manifest,
            config,
            agent: Arc::new(Agent::echo_with_media(&state_dir.join("media"))?),
        };
        let channel = host
            .start_channel(spec)
            .await
            .context("the channel does not start")?;
        Ok(Self { host, channel })
    }
}

/// Compiled components, for all tests of this build: compiling takes seconds.
fn compiled_dir() -> std::path::PathBuf {
    let exe = std::env::current_exe().ok();
    let target = exe
        .as_deref()
        .and_then(Path::parent)
        .map_or_else(std::env::temp_dir, Path::to_owned);
    target.join("compiled-components")
}
