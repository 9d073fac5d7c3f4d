//! The README's walk "from nothing to a paired bot", taken as it stands there: files are written, commands are run,
//! lines are typed into the emulator, in the order of the page. Then the wrong turns on that way.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::run as command;

/// Longest wait for a line that must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the page shows in place of what differs each time.
const PORT: &str = "7701";
const CODE: &str = "123456";
const OPENID: &str = "OPENID";
/// The file that the page has its reader write.
const FILE: &str = "emulator.toml";

/// Wrong turns: what is replaced in the file, what is asked, the exit code, and the sentence that says what to do.
const WRONG_TURNS: &[(&str, &str, &str, i32, &str)] = &[
    (
        "app_secret = \"Zx8",
        "app_secret = \"Zx9",
        "channel doctor qq",
        1,
        "AppSecret",
    ),
    (
        "intents = [\"group_and_c2c\"]",
        "allowed_users = [\"*\"]\nintents = [\"guilds\"]",
        "channel doctor qq --identify",
        1,
        "Add group_and_c2c",
    ),
    (
        "intents =",
        "intent =",
        "config check",
        2,
        "did you mean `intents`",
    ),
    (
        "\"group_and_c2c\"",
        "\"group\"",
        "config check",
        2,
        "group_and_c2c",
    ),
];

/// Takes the walk in a folder of its own.
pub(crate) fn run(root: &Path) -> Result<()> {
    // Before the clock runs: a build may take longer than anything that is waited for here.
    let build = [
        "cargo",
        "build",
        "--locked",
        "--package",
        "prx",
        "--package",
        "qq-emulator",
    ];
    command(root, &build, &[])?;
    println!("\n== the README's walk from nothing to a paired bot");
    let folder = root.join("target").join("walk");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let readme = fs::read_to_string(root.join("README.md"))?;
    let page = readme
        .split("<!-- walk -->")
        .nth(1)
        .and_then(|rest| rest.split("<!-- /walk -->").next())
        .context("README.md has no walk")?;
    let mut walk = Walk {
        root: root.canonicalize()?,
        folder,
        port: port.to_string(),
        emulator: None,
        bot: None,
        code: String::new(),
    };
    for (kind, text) in blocks(page) {
        walk.block(kind, &text)?;
    }
    walk.end_of_the_bot()?;
    walk.wrong_turns()
}

/// The fenced blocks of a page: the word behind the fence, and the text.
fn blocks(page: &str) -> impl Iterator<Item = (&str, String)> {
    page.split("```").skip(1).step_by(2).map(|block| {
        let (kind, text) = block.split_once('\n').unwrap_or((block, ""));
        (kind.trim(), text.to_owned())
    })
}

struct Walk {
    root: PathBuf,
    folder: PathBuf,
    port: String,
    emulator: Option<Running>,
    bot: Option<Running>,
    code: String,
}

impl Walk {
    fn block(&mut self, kind: &str, text: &str) -> Result<()> {
        match kind {
            "toml" => {
                let text = text.replace(PORT, &self.port);
                Ok(fs::write(self.folder.join(FILE), text)?)
            }
            "sh" => text.lines().try_for_each(|line| self.command(line)),
            "text" => text.lines().try_for_each(|line| self.chat(line)),
            other => bail!("a block of {other:?} in the walk: nobody knows what to do with it"),
        }
    }

    /// A command of the page. Two of them stay: the platform and the bot.
    fn command(&mut self, line: &str) -> Result<()> {
        println!("$ {line}");
        if line.contains("qq-emulator") {
            let mut command = self.cargo(line)?;
            command.args(["--lang", "en", "--port", &self.port]);
            self.emulator = Some(Running::start(&mut command)?);
            return self.emulator()?.until("Point any bot here");
        }
        if line.contains("channel run") {
            self.bot = Some(Running::start(&mut self.cargo(line)?)?);
            return self.bot()?.until("connected and listening");
        }
        let line = if line.contains(OPENID) {
            line.replace(OPENID, &self.openid()?)
        } else {
            line.to_owned()
        };
        let said = self.asked(&line, 0)?;
        if line.contains("pair qq code") {
            let digits = |word: &&str| word.len() == CODE.len() && word.parse::<u32>().is_ok();
            let code = said.split_whitespace().find(digits);
            code.context("no code was shown")?
                .clone_into(&mut self.code);
        }
        Ok(())
    }

    /// A line that is typed, or one that must come.
    fn chat(&mut self, line: &str) -> Result<()> {
        println!("{line}");
        let typed = line
            .strip_prefix("> ")
            .map(|typed| typed.replace(CODE, &self.code));
        match typed {
            Some(typed) => self.emulator()?.write(&typed),
            None => self.emulator()?.until(line.trim()),
        }
    }

    /// The command of a line of the page, as this profile and this folder have it.
    fn cargo(&self, line: &str) -> Result<Command> {
        let words = line
            .strip_prefix("cargo run --release ")
            .with_context(|| format!("{line:?} is no command of this workspace"))?;
        let mut command = Command::new("cargo");
        command
            .args(["run", "--locked", "--quiet", "--manifest-path"])
            .arg(self.root.join("Cargo.toml"))
            .args(words.split('"').enumerate().flat_map(quoted))
            .env("LANG", "C.UTF-8")
            .current_dir(&self.folder);
        Ok(command)
    }

    /// Runs a command to its end, and gives what it said.
    fn asked(&self, line: &str, code: i32) -> Result<String> {
        let output = self.cargo(line)?.output()?;
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        let said = said.concat();
        print!("{said}");
        ensure!(
            output.status.code() == Some(code),
            "{line:?} ended with {} in place of {code}",
            output.status
        );
        Ok(said)
    }

    fn openid(&self) -> Result<String> {
        let list = prx("channel pair qq list --json");
        let report: Value = serde_json::from_str(&self.asked(&list, 0)?)?;
        let openid = report.pointer("/data/bindings/0/openid");
        let openid = openid.and_then(Value::as_str);
        Ok(openid.context("nobody is paired")?.to_owned())
    }

    /// SIGTERM, as a service manager sends it.
    fn end_of_the_bot(&mut self) -> Result<()> {
        let bot = self.bot.take().context("the walk starts no bot")?;
        bot.signal("TERM")?;
        bot.end()
    }

    fn wrong_turns(&mut self) -> Result<()> {
        let good = fs::read_to_string(self.folder.join(FILE))?;
        for (right, wrong, asked, code, sentence) in WRONG_TURNS {
            ensure!(good.contains(right), "the page has no {right:?} any more");
            fs::write(self.folder.join(FILE), good.replace(right, wrong))?;
            self.wrong_turn(asked, *code, sentence)?;
        }
        fs::write(self.folder.join(FILE), good)?;
        // A bot that is not released may use the sandbox only.
        self.emulator()?.write(":fault login-close 4914")?;
        // Lines are taken in order: once the list is shown, the fault is set.
        self.emulator()?.write(":faults")?;
        self.emulator()?.until("login-close")?;
        self.wrong_turn("channel doctor qq --identify", 1, "sandbox")
    }

    fn wrong_turn(&self, asked: &str, code: i32, sentence: &str) -> Result<()> {
        println!("\n== a wrong turn, which must say {sentence:?}");
        let said = self.asked(&prx(asked), code)?;
        ensure!(said.contains(sentence), "it does not say {sentence:?}");
        Ok(())
    }

    fn emulator(&mut self) -> Result<&mut Running> {
        self.emulator
            .as_mut()
            .context("the walk has no emulator yet")
    }

    fn bot(&mut self) -> Result<&mut Running> {
        self.bot.as_mut().context("the walk has no bot yet")
    }
}

/// A command of the page that is not on it.
fn prx(words: &str) -> String {
    format!("cargo run --release -p prx -- {words} --config {FILE}")
}

/// Words of a line; those between quotation marks stay together.
fn quoted((index, text): (usize, &str)) -> Vec<String> {
    if index % 2 == 1 {
        vec![text.to_owned()]
    } else {
        text.split_whitespace().map(str::to_owned).collect()
    }
}

/// A program that stays, with what it says. It ends with this.
pub(crate) struct Running {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        let errors = child.stderr.take().context("no standard error")?;
        let (sender, lines) = channel();
        for stream in [
            Box::new(output) as Box<dyn std::io::Read + Send>,
            Box::new(errors),
        ] {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    println!("  | {line}");
                    // Nobody listens any more once the walk is over.
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Self {
            child,
            input,
            lines,
        })
    }

    pub(crate) fn write(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// As a service manager sends it.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        // The shell's own, since small machines have no program of that name.
        let kill = format!("kill -{name} {}", self.child.id());
        ensure!(Command::new("sh").args(["-c", &kill]).status()?.success());
        Ok(())
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn end(mut self) -> Result<()> {
        let status = self.child.wait()?;
        ensure!(status.success(), "the bot ended with {status}");
        Ok(())
    }

    /// Waits for a line that holds these words.
    pub(crate) fn until(&mut self, words: &str) -> Result<()> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.with_context(|| format!("{words:?} was not said"))?;
            if line.contains(words) {
                return Ok(());
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
