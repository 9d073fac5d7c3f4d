//! `bench`: how fast the channel is and what it uses, beside a bare loop and the clients that others wrote.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use harness::bench::load::{self, Phase};
use harness::bench::machine::{self, Cores};
use harness::bench::subject::{Kind, Places, Subject};
use harness::bench::table::{LOADS, Results, median};
use harness::bench::{many, plot, soak, subjects, swap};

/// Measures the channel, side by side with others, and writes one table and its pictures.
#[derive(Debug, Parser)]
struct Args {
    /// What to measure; without it, everything but the long run
    #[command(subcommand)]
    what: Option<What>,
    /// Where table and pictures go
    #[arg(long, default_value = "target/bench", global = true)]
    out: PathBuf,
    /// Subjects, such as `bare,host`; without it, all that can be started
    #[arg(long, value_delimiter = ',', global = true)]
    only: Vec<String>,
    /// Rounds; each measures every subject once
    #[arg(long, default_value_t = 3, global = true)]
    rounds: usize,
    /// Seconds of one measurement
    #[arg(long, default_value_t = 4.0, global = true)]
    seconds: f64,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Throughput and latency against others
    Compare,
    /// 1, 100 and 1,000 channels in one process
    Many {
        /// Channels
        #[arg(long, value_delimiter = ',', default_value = "1,100,1000")]
        channels: Vec<usize>,
    },
    /// The pause of a swap at 10,000 remembered messages, under load
    Swap {
        /// Swaps
        #[arg(long, default_value_t = 200)]
        swaps: usize,
    },
    /// Starts from the compile cache
    Start {
        /// Starts
        #[arg(long, default_value_t = 10)]
        starts: usize,
    },
    /// A long run at a steady rate; the connection breaks every minute
    Soak {
        /// Minutes
        #[arg(long, default_value_t = 60)]
        minutes: u64,
        /// Messages a second
        #[arg(long, default_value_t = 100)]
        rate: u64,
    },
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|first| first == "--be") {
        return be(words.get(1..).unwrap_or_default());
    }
    ended(measure(&Args::parse()))
}

fn ended(done: Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A subject, in a process that [`Subject::start`] made.
fn be(words: &[OsString]) -> ExitCode {
    let word = |at: usize| {
        words
            .get(at)
            .and_then(|word| word.to_str())
            .unwrap_or_default()
    };
    let folder = PathBuf::from(words.get(2).cloned().unwrap_or_default());
    if word(0) == "host" {
        let config = folder.join("channels.toml").into_os_string();
        let words: [OsString; 5] = [
            "prx".into(),
            "channel".into(),
            "run".into(),
            "--config".into(),
            config,
        ];
        return prx::main(words);
    }
    ended(be_ours(word(0), word(1), &folder, word(3)).map(|()| true))
}

fn be_ours(kind: &str, address: &str, folder: &Path, count: &str) -> Result<()> {
    let mut runtime = match kind {
        // One thread: on one core it is the fastest, and this is what others are held against.
        "null" | "bare" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().build()?.block_on(async {
        match kind {
            "null" => subjects::null(address).await,
            "bare" => subjects::bare(address).await,
            "native" => subjects::native(address, folder).await,
            "many" => many::be(address, folder, count.parse()?).await,
            other => bail!("there is no subject {other}"),
        }
    })
}

fn measure(args: &Args) -> Result<bool> {
    std::fs::create_dir_all(&args.out)?;
    let cores = Cores::of_this_machine();
    // Before there are other threads than this one.
    if let Some(cores) = cores {
        cores.pin_platform()?;
    }
    let scratch = private_folder().context("no folder for the subjects")?;
    let places = Places {
        interop: target().join("interop"),
        scratch: scratch.path().to_owned(),
        cores,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(all(args, &places))
}

async fn all(args: &Args, places: &Places) -> Result<bool> {
    let mut report = head(places);
    match &args.what {
        Some(What::Soak { minutes, rate }) => return soak::run(places, *minutes, *rate).await,
        Some(What::Compare) => report.push_str(&compare(args, places).await?),
        Some(What::Many { channels }) => report.push_str(&crowds(places, channels).await?),
        Some(What::Swap { swaps }) => report.push_str(&pauses(places, *swaps).await?),
        Some(What::Start { starts }) => report.push_str(&from_cache(places, *starts).await?),
        None => {
            report.push_str(&compare(args, places).await?);
            report.push_str(&from_cache(places, 10).await?);
            report.push_str(&pauses(places, 200).await?);
            report.push_str(&crowds(places, &[1, 100, 1_000]).await?);
        }
    }
    print!("{report}");
    let path = args.out.join("table.md");
    std::fs::write(&path, report).context("the table cannot be written")?;
    println!("\nwritten to {}", path.display());
    Ok(true)
}

fn head(places: &Places) -> String {
    let date = time::OffsetDateTime::now_utc().date();
    let command: Vec<String> = std::env::args().skip(1).collect();
    let cores = match places.cores {
        Some(cores) => format!(
            "The platform runs on core {}, the subject on core {}.",
            cores.platform, cores.subject
        ),
        None => "Nothing is bound to a core on this machine.".to_owned(),
    };
    let build = if cfg!(debug_assertions) {
        " This is no release build: its numbers mean nothing."
    } else {
        ""
    };
    format!(
        "{date}, {}. Command: `cargo run --release -p harness --bin bench -- {}`.{build}\n{cores} Plain HTTP on loopback; pacing is off: nothing limits the rate of replies.\n\n",
        machine::describe(),
        command.join(" ")
    )
}

fn target() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let target = exe.ancestors().nth(2).map(Path::to_owned);
    target.unwrap_or_else(|| PathBuf::from("target"))
}

async fn compare(args: &Args, places: &Places) -> Result<String> {
    let wanted = |kind: &Kind| args.only.is_empty() || args.only.iter().any(|w| w == kind.word());
    let mut results = Results::default();
    let mut subjects = Vec::new();
    install(places, Kind::ALL.into_iter().filter(wanted));
    let users = LOADS.iter().copied().max().unwrap_or(1);
    for kind in Kind::ALL.into_iter().filter(wanted) {
        match Subject::start(kind, places, users).await {
            Ok(subject) => subjects.push(subject),
            Err(error) => results.absent.push((kind, format!("{error:#}"))),
        }
    }
    for round in 0..args.rounds {
        for in_flight in LOADS {
            for subject in &subjects {
                let phase = Phase {
                    in_flight,
                    warm_up: Duration::from_secs_f64(args.seconds / 4.0),
                    span: Duration::from_secs_f64(args.seconds),
                };
                let measured = load::run(&subject.platform, subject.users, subject.pid(), phase);
                let measured = measured
                    .await
                    .with_context(|| format!("{} at {in_flight}", subject.kind.name()))?;
                eprintln!(
                    "round {}, {in_flight} in flight, {}: {:.0} a second, p50 {:.3} ms, {:.0} us CPU",
                    round + 1,
                    subject.kind.name(),
                    measured.rate(),
                    measured.latency_ms(0.5),
                    measured.cpu_us()
                );
                results.add(subject.kind, in_flight, measured);
                results.peak(subject.kind, subject.used()?.peak_rss);
            }
        }
    }
    plot::draw(&results, &args.out)?;
    let mut text = results.markdown();
    text.push('\n');
    for subject in &subjects {
        let _ = writeln!(
            text,
            "- {}: {}",
            subject.kind.name(),
            subject.kind.settings()
        );
    }
    text.push('\n');
    Ok(text)
}

/// Installs the clients that others wrote, where there is Python. What cannot be had is said in the table.
fn install(places: &Places, kinds: impl Iterator<Item = Kind>) {
    let clients: Vec<&str> = kinds.filter_map(Kind::folder).collect();
    if clients.is_empty() {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers.py");
    let installed = Command::new("python3")
        .arg(script)
        .arg(&places.interop)
        .args(clients)
        .stdout(Stdio::inherit())
        .status();
    if !installed.is_ok_and(|status| status.success()) {
        eprintln!("bench: not all clients of others could be installed");
    }
}

async fn from_cache(places: &Places, count: usize) -> Result<String> {
    let starts = swap::starts(places, count).await?;
    let ms = |start: &swap::Start| start.login.as_secs_f64() * 1e3;
    let mib = |start: &swap::Start| start.rss as f64 / f64::from(1 << 20);
    let worst = starts.iter().map(ms).fold(0.0, f64::max);
    Ok(format!(
        "| {count} starts from the compile cache | |\n|---|---|\n| process started to login sent, median / worst | {:.1} / {worst:.1} ms |\n| memory of the whole host, one bot, after 100 messages | {:.1} MiB |\n\n",
        median(starts.iter().map(ms).collect()),
        median(starts.iter().map(mib).collect())
    ))
}

async fn pauses(places: &Places, count: usize) -> Result<String> {
    let swapped = swap::measure(places, count).await?;
    let ms = |pause: &Duration| pause.as_secs_f64() * 1e3;
    let worst = swapped.pauses.last().map_or(0.0, ms);
    Ok(format!(
        "| {} swaps at 10,000 remembered messages, 16 in flight | |\n|---|---|\n| pause, median / worst | {:.2} / {worst:.2} ms |\n| answered meanwhile; lost, doubled | {}; {}, {} |\n\n",
        swapped.pauses.len(),
        median(swapped.pauses.iter().map(ms).collect()),
        swapped.answered,
        swapped.unclean.0,
        swapped.unclean.1
    ))
}

async fn crowds(places: &Places, counts: &[usize]) -> Result<String> {
    let mut text = format!("{}\n", many::HEAD);
    let mut crowds = Vec::new();
    many::compile(places)?;
    for count in counts {
        let crowd = many::measure(places, *count).await?;
        eprintln!("{crowd}");
        let _ = writeln!(text, "{crowd}");
        crowds.push(crowd);
    }
    if let (Some(first), Some(last)) = (crowds.first(), crowds.last())
        && last.channels > first.channels
    {
        let more = last.rss.saturating_sub(first.rss) / 1024;
        let each = more / (last.channels - first.channels) as u64;
        let _ = writeln!(
            text,
            "\nMemory for one more channel, of {}: {each} KiB.",
            last.channels
        );
    }
    text.push('\n');
    Ok(text)
}

/// A folder for this process, which nobody else can write whatever the umask is: a state directory has to be in one.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let own = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(own).tempdir()
}
