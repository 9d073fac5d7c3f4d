//! The shell: HTTP and WebSocket on loopback around one [`Platform`], and the time.
//!
//! Every input takes the lock, steps the core and hands its commands to the sockets in order; no
//! await happens under the lock. Nothing here decides what QQ would do.

mod api;
mod clock;
mod control;
mod guard;
mod hub;
mod inside;
mod page;
mod server;
mod socket;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::actions::{ActionError, ActionOutcome, UserAction};
use crate::faults::{FaultOrder, FaultTextError, parse_orders};
use crate::ids::AppId;
use crate::platform::Platform;
use crate::settings::Settings;
use crate::time::Millis;
use clock::Clock;
use hub::Shared;

pub use clock::ClockMode;
pub use inside::{BotControl, Manner, Said};

/// How to start an emulator. The default is one bot on a free port of 127.0.0.1, in plain HTTP.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// The platform. `gateway_url` and `media_url` are filled in.
    pub settings: Settings,
    /// The seed of all ids.
    pub seed: u64,
    /// Where to listen: a loopback address; port 0 means any free one.
    pub listen: SocketAddr,
    /// The host name in the URLs that are handed out; none means the address.
    pub host_name: Option<String>,
    /// With this, everything is https and wss.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Whether time passes by itself.
    pub clock: ClockMode,
    /// Serve the page from the files of this folder instead of those in the binary, to work on it.
    pub page: Option<PathBuf>,
}

impl Default for EmulatorOptions {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            seed: 1,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            host_name: None,
            tls: None,
            clock: ClockMode::Real,
            page: None,
        }
    }
}

/// Why an emulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The emulator knows no passwords and stays on its machine.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The address is taken, or not there.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// Why a fault given as text was not ordered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// The text is no fault.
    #[error(transparent)]
    Text(#[from] FaultTextError),
    /// There is no such bot.
    #[error(transparent)]
    Bot(#[from] ActionError),
}

/// Where to reach a running emulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    /// Base of the API, without a slash at the end.
    pub api_base: String,
    /// The token endpoint.
    pub token_url: String,
    /// The gateway, as `/gateway` answers it.
    pub gateway_url: String,
    /// Base of the control API, without a slash at the end.
    pub control_base: String,
    /// The page to chat on.
    pub page: String,
}

/// A running emulator. It stops when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    handle: Handle,
    tasks: Vec<JoinHandle<()>>,
}

/// A way to a running emulator; can be cloned. After the emulator has stopped it still answers
/// questions, but nothing is served any more.
#[derive(Debug, Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Emulator {
    /// Starts an emulator on the running tokio runtime.
    ///
    /// # Errors
    ///
    /// If the address is not loopback, or cannot be listened on.
    pub async fn start(options: EmulatorOptions) -> Result<Self, StartError> {
        let address = options.listen;
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let urls = Urls::new(bound, options.host_name.as_deref(), options.tls.is_some());
        let mut settings = options.settings;
        settings.gateway_url.clone_from(&urls.gateway_url);
        settings.media_url.clone_from(&urls.api_base);
        let platform = Platform::new(settings, options.seed);
        let shared = Arc::new(Shared::new(platform, Clock::new(options.clock), urls));
        let expected = guard::Expected::new(options.host_name.as_deref());
        let scheme = match options.tls.is_some() {
            true => guard::Scheme::Https,
            false => guard::Scheme::Http,
        };
        let router = api::router(Arc::clone(&shared), options.page, expected, scheme);
        let tasks = vec![
            tokio::spawn(server::serve(listener, options.tls, router)),
            tokio::spawn(hub::keep_time(Arc::clone(&shared))),
        ];
        Ok(Self {
            handle: Handle { shared },
            tasks,
        })
    }

    /// A handle to it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl std::ops::Deref for Emulator {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.handle.shared.hang_up();
    }
}

impl Handle {
    /// Where to reach it.
    #[must_use]
    pub fn urls(&self) -> &Urls {
        &self.shared.urls
    }

    /// Lets a user act.
    ///
    /// # Errors
    ///
    /// If there is no such bot, or the user and the bot have parted.
    pub fn user(&self, action: impl Into<UserAction>) -> Result<ActionOutcome, ActionError> {
        let action = action.into();
        self.shared
            .change(|platform, now| platform.act(now, &action))
    }

    /// Orders a fault for a bot; without a bot, for the first one.
    ///
    /// # Errors
    ///
    /// If there is no such bot.
    pub fn fault(
        &self,
        app: Option<&AppId>,
        order: impl Into<FaultOrder>,
    ) -> Result<(), ActionError> {
        let order = order.into();
        self.shared
            .change(|platform, now| platform.fault(now, app, order))
    }

    /// Orders the faults that a text stands for.
    ///
    /// # Errors
    ///
    /// If the text is no fault, or there is no such bot.
    pub fn fault_text(&self, app: Option<&AppId>, text: &str) -> Result<(), FaultError> {
        for order in parse_orders(text)? {
            self.fault(app, order)?;
        }
        Ok(())
    }

    /// Looks at the platform. Nothing is served meanwhile: be quick, and copy little.
    pub fn with<T>(&self, look: impl FnOnce(&Platform) -> T) -> T {
        look(self.shared.lock().platform())
    }

    /// Changes the platform: settings, waiting faults.
    pub fn with_mut<T>(&self, change: impl FnOnce(&mut Platform) -> T) -> T {
        self.shared.change(|platform, now| {
            let commands = platform.step(now, crate::wire::Input::Tick);
            (change(platform), commands)
        })
    }

    /// Tells the page that a bot lives in this process, and what can be asked of it.
    pub fn offer(&self, bot: Arc<dyn BotControl>) {
        self.shared.inside.offer(bot);
        self.shared.tick();
    }

    /// Moves the clock ahead; everything that is due until then happens now.
    pub fn advance(&self, span: Duration) {
        let by_ms = crate::time::whole_millis(span);
        self.with_mut(|platform| platform.note_clock(by_ms));
        self.shared.clock.advance(span);
        self.shared.tick();
    }

    /// What the emulator's clock says.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.shared.clock.now()
    }

    /// Changes of the platform, to be woken by them: the value counts them.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Waits until a look at the platform finds something; none if `limit` (of real time) passes
    /// first. The look is repeated after each change, under the lock.
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&Platform) -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.shared.changed.subscribe();
        let wait = async {
            loop {
                if let Some(found) = self.with(&mut look) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(limit, wait).await.ok().flatten()
    }
}

impl Urls {
    fn new(bound: SocketAddr, host_name: Option<&str>, tls: bool) -> Self {
        let host = match host_name {
            Some(name) => format!("{name}:{}", bound.port()),
            None => bound.to_string(),
        };
        let (http, ws) = if tls {
            ("https", "wss")
        } else {
            ("http", "ws")
        };
        Self {
            api_base: format!("{http}://{host}"),
            token_url: format!("{http}://{host}/app/getAppAccessToken"),
            gateway_url: format!("{ws}://{host}/websocket"),
            control_base: format!("{http}://{host}/_emulator"),
            page: format!("{http}://{host}/"),
        }
    }
}
