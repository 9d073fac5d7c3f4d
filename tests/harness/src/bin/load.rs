//! `load`: many users write to the bot at once, things go wrong, and everything is counted.
//!
//! Without `--emulator` it starts an emulator in this process and the bot in another one, so that the bot can be
//! killed. Either way it speaks only HTTP and WebSocket to the emulator, and nothing to the bot.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use harness::bot::{ALL_SCENES, Target};
use harness::load::swaps::{self, Swaps};
use harness::load::{Bot, Client, Flood, Load, drive, flood};
use qq_emulator::settings::Settings;
use qq_emulator::{Emulator, EmulatorOptions};

/// Sends messages as many QQ users and counts the answers: lost, doubled, latency.
#[derive(Debug, Parser)]
struct Args {
    /// An emulator that runs already, such as http://127.0.0.1:7701; its bot is whatever is connected there
    #[arg(long, value_name = "URL")]
    emulator: Option<String>,
    /// Users
    #[arg(long, default_value_t = 500)]
    users: u64,
    /// Messages that wait for an answer at a time
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Messages in all
    #[arg(long, default_value_t = 5_000)]
    messages: u64,
    /// Stop writing after so many seconds
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Faults, spread over the messages
    #[arg(long, default_value_t = 0)]
    faults: u64,
    /// Kills of the bot's process (SIGKILL), spread over the messages
    #[arg(long, default_value_t = 0)]
    kills: u64,
    /// Swaps of the bot's component while it runs, spread over the messages
    #[arg(long, default_value_t = 0)]
    swaps: u64,
    /// Write in guild channels and guild direct messages, too
    #[arg(long)]
    all_scenes: bool,
    /// Before all that, flood the bot with so many messages that nobody waits for
    #[arg(long, default_value_t = 0)]
    flood: u64,
    /// People that flood
    #[arg(long, default_value_t = 1)]
    flooders: u64,
    /// Characters of a flooding message
    #[arg(long, default_value_t = 20_000)]
    flood_chars: usize,
    /// Seconds that the platform takes for a send during the flood
    #[arg(long, default_value_t = 0)]
    flood_slow: u64,
    /// Kill the bot's process in the middle of the flood
    #[arg(long)]
    flood_kill: bool,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments
        .next()
        .is_some_and(|first| first == "--be-the-bot")
    {
        let config = arguments.next().unwrap_or_default();
        let words: [OsString; 5] = [
            "prx".into(),
            "channel".into(),
            "run".into(),
            "--config".into(),
            config,
        ];
        return prx::main(words);
    }
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(args: &Args) -> Result<bool> {
    let load = Load {
        users: args.users,
        in_flight: args.in_flight,
        messages: args.messages,
        span: Duration::from_secs(args.seconds),
        faults: args.faults,
        kills: args.kills,
        swaps: args.swaps,
        all_scenes: args.all_scenes,
        patience: Duration::from_secs(120),
    };
    let report = match &args.emulator {
        Some(url) => {
            let mut client = Client::connect(url).await?;
            drive(&mut client, &load, &mut Elsewhere).await?
        }
        None => {
            let flood = Flood {
                messages: args.flood,
                users: args.flooders,
                chars: args.flood_chars,
                slow_s: args.flood_slow,
                kill: args.flood_kill,
            };
            with_own_bot(&load, &flood).await?
        }
    };
    print!("{report}");
    Ok(report.is_clean())
}

async fn with_own_bot(load: &Load, before: &Flood) -> Result<harness::load::Report> {
    let mut settings = Settings::default();
    // A platform that forgets a session during an outage would lose messages, and no bot could help that.
    for bot in &mut settings.bots {
        bot.sessions.replay_keep = Duration::from_secs(3_600);
        bot.sessions.start_total = 100_000;
    }
    let emulator = Emulator::start(EmulatorOptions {
        settings,
        ..EmulatorOptions::default()
    })
    .await?;
    let folder = private_folder().context("no folder for the bot")?;
    let mut bot = BotProcess::start(folder.path(), &target(&emulator)?)?;
    let connected = emulator.wait_for(Duration::from_secs(120), |platform| {
        let app = platform.default_app()?;
        (platform.stats(app)?.live_connections > 0 && !platform.sessions(app).is_empty())
            .then_some(())
    });
    connected
        .await
        .context("the bot does not connect; see its log above")?;
    let base = emulator.urls().api_base.clone();
    let mut client = Client::connect(&base).await?;
    if before.messages > 0 {
        let flooded = flood(&mut client, before, &mut bot).await?;
        print!("{flooded}{}", bot.memory());
    }
    let mut report = drive(&mut client, load, &mut bot).await?;
    report.pauses = bot.swaps.take().context("no swaps")?.finish().await?;
    report.pauses.sort();
    let logins = emulator.with(|platform| {
        let app = platform.default_app()?;
        let stats = platform.stats(app)?;
        Some((stats.identifies, stats.resumes))
    });
    if let Some((identifies, resumes)) = logins {
        println!("sessions    {identifies} identified, {resumes} resumed");
    }
    Ok(report)
}

/// A bot that somebody else started.
struct Elsewhere;

impl Bot for Elsewhere {
    fn kill(&mut self) -> Result<()> {
        anyhow::bail!("only a bot that was started here can be killed")
    }

    fn swap(&mut self) -> Result<()> {
        anyhow::bail!("only a bot that was started here can be given another component")
    }
}

fn target(emulator: &Emulator) -> Result<Target> {
    let known = emulator.with(|platform| {
        let app = platform.default_app()?;
        Some((app.to_string(), platform.bot_settings(app)?.secret.clone()))
    });
    let (app_id, secret) = known.context("the emulator has no bot")?;
    let urls = emulator.urls();
    Ok(Target {
        api_base: urls.api_base.clone(),
        token_url: urls.token_url.clone(),
        app_id,
        secret,
        intents: Some(ALL_SCENES),
    })
}

/// The bot in a process of its own, ended when dropped.
struct BotProcess {
    config: PathBuf,
    child: Child,
    swaps: Option<Swaps>,
}

impl BotProcess {
    fn start(folder: &Path, target: &Target) -> Result<Self> {
        let config = folder.join("channels.toml");
        let plugins = folder.join("plugins");
        swaps::install(&plugins, 0, qq_channel_embed::MANIFEST)?;
        let table = target.toml("\n[host]\nplugin_dir = \"plugins\"\nwatch_plugins = false\n");
        std::fs::write(&config, table).context("the bot's configuration")?;
        let child = Self::spawn(&config)?;
        let swaps = Some(Swaps::of(
            plugins,
            &folder.join("channels-state"),
            qq_channel_embed::MANIFEST.to_owned(),
        ));
        Ok(Self {
            config,
            child,
            swaps,
        })
    }

    /// What the process takes of the machine's memory, and what it took at most.
    fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or(": unknown")
                .trim_start_matches([':', ' ', '\t'])
                .to_owned()
        };
        format!("memory      {} now, {} at most\n", of("VmRSS"), of("VmHWM"))
    }

    fn spawn(config: &Path) -> Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--be-the-bot").arg(config).stdin(Stdio::null());
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "error");
        }
        command.spawn().context("the bot's process")
    }
}

impl Bot for BotProcess {
    fn kill(&mut self) -> Result<()> {
        self.child.kill().context("kill -9")?;
        self.child.wait()?;
        self.child = Self::spawn(&self.config)?;
        Ok(())
    }

    fn swap(&mut self) -> Result<()> {
        self.swaps.as_ref().context("no swaps")?.one_more()
    }
}

impl Drop for BotProcess {
    fn drop(&mut self) {
        // Nothing to do about a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for this process, which nobody else can write whatever the umask is: a state directory has to be in one.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let own = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(own).tempdir()
}
