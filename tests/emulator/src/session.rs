//! A session at the prompt: lines in, actions on the emulator, the bot's answers out.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use qq_emulator::actions::{Act, Attachment};
use qq_emulator::console::{Console, Do};
use qq_emulator::ids::AppId;
use qq_emulator::ledger::BotMessage;
use qq_emulator::shell::BotControl;
use qq_emulator::{Handle, Platform};

use crate::terminal::{Read, Terminal};

/// With piped input, how long nothing must come after the last answer: it may have more parts.
const SETTLE: Duration = Duration::from_millis(300);

/// Runs until the end of input or `:quit`. With piped input, unanswered messages are a failure.
pub(crate) async fn run(
    handle: &Handle,
    console: Console,
    patience: Duration,
    inside: Option<Arc<dyn BotControl>>,
) -> anyhow::Result<ExitCode> {
    let mut session = Session {
        handle,
        inside,
        console,
        terminal: Terminal::open()?,
        printed: handle.with(|platform| platform.ledger().bot_message_count()),
    };
    if !session.terminal.interactive {
        handle
            .wait_for(patience, |platform| is_live(platform).then_some(()))
            .await;
    }
    let ended = session.talk().await;
    if ended == Read::End && !session.terminal.interactive {
        session.wait_for_answers(patience).await;
    }
    session.print_new();
    let open = handle.with(|platform| platform.ledger().unanswered_count());
    if session.terminal.interactive || open == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    // A script wants to know; a person has seen it.
    eprintln!("{open} message(s) without an answer");
    Ok(ExitCode::FAILURE)
}

struct Session<'a> {
    handle: &'a Handle,
    /// The built-in bot; none without one.
    inside: Option<Arc<dyn BotControl>>,
    console: Console,
    terminal: Terminal,
    /// Messages of bots that were printed.
    printed: u64,
}

impl Session<'_> {
    async fn talk(&mut self) -> Read {
        let mut changes = self.handle.changes();
        self.terminal.ask(self.console.prompt());
        loop {
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() {
                        return Read::Interrupted;
                    }
                    self.print_new();
                }
                read = self.terminal.next() => {
                    let Read::Line(line) = read else { return read };
                    if !self.obey(&line).await {
                        return Read::Interrupted;
                    }
                    self.terminal.ask(self.console.prompt());
                }
            }
        }
    }

    /// False if the line ends the session.
    async fn obey(&mut self, line: &str) -> bool {
        match self.console.line(line) {
            Do::Nothing => {}
            Do::Quit => return false,
            Do::RestartBot => match self.inside.clone() {
                // It says itself how it went.
                Some(bot) => drop(tokio::spawn(async move { bot.restart().await })),
                None => self.terminal.print("(there is no built-in bot here)"),
            },
            Do::Print(text) => self.terminal.print(&text),
            Do::Wait(span) => self.wait_for_answers(span).await,
            Do::Act(act) => self.act(act),
            Do::Attach { path, act } => self.attach(&path, act),
            Do::Fault(orders) => {
                for order in orders {
                    if let Err(error) = self.handle.fault(None, order) {
                        self.terminal.print(&error.to_string());
                    }
                }
            }
            Do::ClearFaults => self.handle.with_mut(|platform| {
                for app in apps(platform) {
                    platform.clear_faults(&app);
                }
            }),
            Do::Advance(span) => {
                self.handle.advance(span);
                let now = self.handle.now();
                self.terminal.print(&format!("{} ({})", now.rfc3339(), now));
            }
            Do::ShowLog(count) => self.show_log(count),
            Do::ShowFaults => self.show_faults(),
            Do::ShowState => self.show_state(),
            Do::ShowViolations => self.show_violations(),
        }
        true
    }

    fn act(&mut self, act: Act) {
        match self.handle.user(act) {
            Ok(outcome) => {
                if let Some(text) = self.console.outcome_line(&outcome) {
                    self.terminal.print(&text);
                }
            }
            Err(error) => self.terminal.print(&error.to_string()),
        }
    }

    fn attach(&mut self, path: &Path, mut act: Act) {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let text = format!("{}: {error}", path.display());
                return self.terminal.print(&text);
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = self
            .handle
            .with_mut(|platform| platform.add_file(&name, None, bytes));
        if let Some(message) = act.message_mut() {
            message.attachments.push(Attachment {
                file: Some(file),
                ..Attachment::default()
            });
        }
        self.act(act);
    }

    fn show_log(&mut self, count: usize) {
        let entries: Vec<_> = self.handle.with(|platform| {
            let newest = platform.record().entries().rev().take(count);
            newest.cloned().collect()
        });
        for entry in entries.iter().rev() {
            self.terminal.print(&entry.to_string());
        }
    }

    fn show_faults(&mut self) {
        let waiting = self.handle.with(|platform| {
            let app = platform.default_app();
            app.map(|app| platform.waiting_faults(app).to_vec())
                .unwrap_or_default()
        });
        self.terminal.print(&self.console.faults_text(&waiting));
    }

    fn show_state(&mut self) {
        let lines: Vec<String> = self.handle.with(|platform| {
            let bots = platform.apps().filter_map(|app| {
                let stats = platform.stats(app)?;
                Some(self.console.state_line(app.as_str(), &stats))
            });
            bots.collect()
        });
        self.terminal.print(&lines.join("\n"));
    }

    fn show_violations(&mut self) {
        let (mut lines, count) = self.handle.with(|platform| {
            let ledger = platform.ledger();
            let lines = ledger
                .violations()
                .map(|entry| self.console.violation_line(entry));
            (lines.collect::<Vec<_>>(), ledger.violation_count())
        });
        lines.push(format!("{count} in all"));
        self.terminal.print(&lines.join("\n"));
    }

    /// Waits until nothing said is unanswered and nothing more comes, printing what comes.
    async fn wait_for_answers(&mut self, limit: Duration) {
        let mut changes = self.handle.changes();
        let waiting = async {
            loop {
                self.print_new();
                let open = self
                    .handle
                    .with(|platform| platform.ledger().unanswered_count());
                let settle = if open == 0 { SETTLE } else { limit };
                match tokio::time::timeout(settle, changes.changed()).await {
                    Ok(Ok(())) => {}
                    // Quiet for long enough, or no emulator any more.
                    Ok(Err(_)) | Err(_) => return,
                }
            }
        };
        // Past the limit there is nobody left to wait for.
        tokio::time::timeout(limit, waiting).await.ok();
    }

    fn print_new(&mut self) {
        let new: Vec<Arc<BotMessage>> = self.handle.with(|platform| {
            platform
                .ledger()
                .bot_messages_since(self.printed)
                .cloned()
                .collect()
        });
        for message in new {
            self.terminal.print(&self.console.bot_line(&message));
            self.printed = message.n + 1;
        }
    }
}

fn apps(platform: &Platform) -> Vec<AppId> {
    platform.apps().cloned().collect()
}

fn is_live(platform: &Platform) -> bool {
    platform.apps().any(|app| {
        platform
            .stats(app)
            .is_some_and(|stats| stats.live_connections > 0)
    })
}
