//! A 20 MB file comes in and goes out again: the guest stays under 4 MiB, and the host grows by less than 16 MiB.

use std::process::{Child, Command, Stdio};

use prx_host::limits::Limits;
use qq_emulator::actions::{Act, Attachment};
use qq_emulator::{Emulator, EmulatorOptions};

use crate::common::{PATIENCE, Pair, direct, target};

/// As much as the channel takes with its defaults.
const LARGE: usize = 20_000_000;

/// Bytes that no compression and no sniffer finds anything in.
fn noise(length: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(9);
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

/// Somebody sends a file and wants it back; waits until it is there.
async fn there_and_back(emulator: &Emulator, bytes: Vec<u8>) {
    let length = bytes.len() as u64;
    let file =
        emulator.with_mut(|platform| platform.add_file("data.bin", Some("file"), bytes.clone()));
    let mut act = Act::c2c("ann", "/back");
    if let Some(message) = act.message_mut() {
        message.attachments.push(Attachment {
            file: Some(file),
            ..Attachment::default()
        });
    }
    let id = emulator.user(act).unwrap().message_id.unwrap();
    let back = emulator.wait_for(PATIENCE, |platform| {
        let replies = platform.ledger().replies_to(&id);
        replies.filter_map(|reply| reply.media.clone()).next()
    });
    let back = back.await.unwrap_or_else(|| {
        panic!(
            "nothing came back: {:?}",
            emulator.with(|platform| platform
                .ledger()
                .replies_to(&id)
                .map(|reply| reply.text.clone())
                .collect::<Vec<_>>())
        )
    });
    assert_eq!(
        (back.file_type, back.size, back.name.as_str()),
        (4, Some(length), "data.bin")
    );
    let kept = emulator.with(|platform| platform.own_bytes(&back.url));
    assert!(*kept.unwrap() == *bytes, "other bytes came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_passes_a_large_file_on_in_four_mebibytes() {
    // With less memory than that it could not grow, and would trap.
    let limits = Limits {
        memory_bytes: 4 << 20,
        ..Limits::STANDARD
    };
    let pair = Pair::limited(EmulatorOptions::default(), direct(None), Some(limits)).await;
    pair.until_connected().await;
    there_and_back(&pair.emulator, noise(LARGE)).await;
    assert_eq!(
        pair.emulator
            .with(|platform| platform.ledger().violation_count()),
        0
    );
    pair.bot.channel.stop().await;
}

/// A bot in a process of its own, killed when dropped.
struct BotProcess(Child);

impl Drop for BotProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl BotProcess {
    /// A line of what the kernel says about the process, in KiB.
    fn kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.trim_start_matches(':')
            .trim()
            .trim_end_matches("kB")
            .trim()
            .parse()
            .unwrap()
    }

    /// The highest mark is the present one.
    fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.0.id()), "5").unwrap();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_host_passes_a_large_file_on_without_holding_it() {
    let emulator = Emulator::start(EmulatorOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("channels.toml");
    std::fs::write(&config, target(&emulator).toml("")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["--be-the-bot".as_ref(), config.as_os_str()])
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let bot = BotProcess(child);
    let ready = emulator.wait_for(PATIENCE, |platform| {
        let app = platform.default_app()?;
        (!platform.sessions(app).is_empty()).then_some(())
    });
    ready.await.unwrap();
    // Once in small, so that what is needed anyway is there.
    there_and_back(&emulator, noise(6_000_000)).await;
    bot.forget_peak();
    let before = bot.kib("VmRSS");
    there_and_back(&emulator, noise(LARGE)).await;
    let grown = bot.kib("VmHWM").saturating_sub(before);
    eprintln!("a 20 MB file in and out: {before} KiB before, {grown} KiB more at the peak");
    assert!(grown < 16 * 1024, "{grown} KiB more than {before} KiB");
}
