//! What several tests need.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use harness::bot::{ALL_SCENES, Bot, Target};
use prx_host::drivers::network::{NetworkOptions, ProxyChoice};
use prx_host::egress::address::AddressPolicy;
use prx_host::guest::Component;
use prx_host::guest::wasm::WasmComponent;
use prx_host::limits::Limits;
use qq_emulator::actions::Act;
use qq_emulator::ids::MessageId;
use qq_emulator::{Emulator, EmulatorOptions};

/// The engine of this test process; compiled code is not kept, so that each run compiles what it tests.
pub(crate) fn engine() -> &'static wasmtime::Engine {
    static ENGINE: OnceLock<wasmtime::Engine> = OnceLock::new();
    ENGINE.get_or_init(|| prx_host::engine::new(None).unwrap())
}

/// The real component, compiled once for all tests.
pub(crate) fn component() -> Arc<dyn Component> {
    static COMPONENT: OnceLock<Arc<WasmComponent>> = OnceLock::new();
    let loaded = COMPONENT.get_or_init(|| {
        Arc::new(
            WasmComponent::load(engine(), qq_channel_embed::COMPONENT, Limits::STANDARD).unwrap(),
        )
    });
    Arc::<WasmComponent>::clone(loaded)
}

/// An emulator and a bot on it, over real sockets.
pub(crate) struct Pair {
    pub(crate) emulator: Emulator,
    pub(crate) bot: Bot,
    _state: tempfile::TempDir,
}

impl Pair {
    pub(crate) async fn start() -> Self {
        Self::with(EmulatorOptions::default(), direct(None)).await
    }

    pub(crate) async fn with(options: EmulatorOptions, network: NetworkOptions) -> Self {
        Self::limited(options, network, None).await
    }

    /// The same with other limits than the manifest's.
    pub(crate) async fn limited(
        options: EmulatorOptions,
        network: NetworkOptions,
        limits: Option<Limits>,
    ) -> Self {
        let emulator = Emulator::start(options).await.unwrap();
        let state = tempfile::tempdir().unwrap();
        let target = target(&emulator);
        let bot = Bot::limited(&target, "", state.path(), network, limits);
        let bot = bot.await.unwrap();
        Self {
            emulator,
            bot,
            _state: state,
        }
    }

    /// Writes, and waits for the readable answers of the bot.
    pub(crate) async fn ask(&self, act: Act) -> Vec<String> {
        let id = self.emulator.user(act).unwrap().message_id.unwrap();
        self.answers(&id).await
    }

    pub(crate) async fn answers(&self, id: &MessageId) -> Vec<String> {
        let answered = self.emulator.wait_for(PATIENCE, |platform| {
            let texts: Vec<String> = platform
                .ledger()
                .reply_texts(id)
                .into_iter()
                .map(str::to_owned)
                .collect();
            (!texts.is_empty()).then_some(texts)
        });
        answered.await.unwrap_or_default()
    }

    pub(crate) async fn until_connected(&self) {
        let ready = self.emulator.wait_for(PATIENCE, |platform| {
            let app = platform.default_app()?;
            (platform.stats(app)?.live_connections > 0 && !platform.sessions(app).is_empty())
                .then_some(())
        });
        ready.await.unwrap();
    }
}

/// How long something may take before the test has failed; nothing waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn target(emulator: &Emulator) -> Target {
    let (app_id, secret) = emulator.with(|platform| {
        let app = platform.default_app().unwrap();
        (
            app.to_string(),
            platform.bot_settings(app).unwrap().secret.clone(),
        )
    });
    let urls = emulator.urls();
    Target {
        api_base: urls.api_base.clone(),
        token_url: urls.token_url.clone(),
        app_id,
        secret,
        intents: Some(ALL_SCENES),
    }
}

/// No proxy, whatever the environment says.
pub(crate) fn direct(extra_ca: Option<std::path::PathBuf>) -> NetworkOptions {
    NetworkOptions {
        proxy: ProxyChoice::Direct,
        extra_ca,
        addresses: AddressPolicy::default(),
    }
}
