//! `qq-emulator`: starts QQ in a box, says how to point a bot at it, and lets one chat with the
//! bot in the terminal, or from a script through standard input.

#[cfg(feature = "bot")]
mod bot;
mod session;
mod terminal;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use qq_emulator::console::{Console, Language};
use qq_emulator::ids::AppId;
use qq_emulator::settings::Settings;
use qq_emulator::{Emulator, EmulatorOptions};

/// QQ in a box: an emulator of the QQ bot platform on this machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Port on 127.0.0.1; 0 means any free one
    #[arg(long, default_value_t = 7701)]
    port: u16,
    /// AppID of the bot
    #[arg(long)]
    app_id: Option<String>,
    /// Client secret of the bot
    #[arg(long)]
    secret: Option<String>,
    /// Settings of the platform and its bots, as JSON
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Seed of all ids
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The user that types first
    #[arg(long, default_value = "alice")]
    user: String,
    /// With piped input: seconds to wait for a bot before, and for answers after
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    wait: u64,
    /// Language of the terminal; by default that of the locale
    #[arg(long)]
    lang: Option<Lang>,
    /// Serve the page from this folder instead of from the binary, to work on it
    #[arg(long, value_name = "FOLDER")]
    page: Option<PathBuf>,
    /// Without the built-in bot
    #[cfg(feature = "bot")]
    #[arg(long)]
    no_bot: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    En,
    Zh,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let options = EmulatorOptions {
        settings: settings(&args)?,
        seed: args.seed,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        page: args.page.clone(),
        ..EmulatorOptions::default()
    };
    let bots: Vec<(String, String)> = options
        .settings
        .bots
        .iter()
        .map(|bot| (bot.app_id.to_string(), bot.secret.clone()))
        .collect();
    let emulator = Emulator::start(options).await?;
    let console = Console::new(args.user.as_str().into(), language(args.lang));
    println!("{}", console.greeting(emulator.urls(), &bots));
    #[cfg(feature = "bot")]
    let inside = match bots.first().filter(|_| !args.no_bot) {
        Some(bot) => Some(bot::start(&emulator, bot).await?),
        None => None,
    };
    #[cfg(not(feature = "bot"))]
    let inside = None;
    let patience = Duration::from_secs(args.wait);
    session::run(&emulator.handle(), console, patience, inside).await
}

fn settings(args: &Args) -> anyhow::Result<Settings> {
    let mut settings = match &args.settings {
        None => Settings::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not a settings file", path.display()))?
        }
    };
    if let Some(bot) = settings.bots.first_mut() {
        if let Some(app_id) = &args.app_id {
            bot.app_id = AppId::from(app_id.as_str());
        }
        if let Some(secret) = &args.secret {
            bot.secret.clone_from(secret);
        }
    }
    Ok(settings)
}

fn language(wanted: Option<Lang>) -> Language {
    match wanted {
        Some(Lang::En) => Language::English,
        Some(Lang::Zh) => Language::Chinese,
        None => {
            let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
            let set = names.iter().filter_map(|name| std::env::var(name).ok());
            let locale = set.into_iter().find(|locale| !locale.is_empty());
            Language::of_locale(&locale.unwrap_or_default())
        }
    }
}
