//! What a small server gets: one program, the folder of plugins, a unit for systemd, an example of a configuration,
//! and the checksums of all of it. [`try_out`] runs it from there, as a server would.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::run as command;
use crate::walk::Running;

/// Files that are shipped as they are, besides the licences.
const FILES: [&str; 3] = ["prx-channel.service", "channels.toml", "INSTALL.md"];
const LICENCES: [&str; 3] = ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT"];
/// The plugin that is shipped, which the program carries with it.
const PLUGIN: &str = "qq";
const CHECKSUMS: &str = "SHA256SUMS";

/// Makes the folder, and an archive of it. `--dev`: of the development build; `--sign-with FILE`: signed.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let (mut dev, mut key) = (false, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--dev" => dev = true,
            "--sign-with" => key = Some(*words.next().context("--sign-with needs a file")?),
            other => bail!("{other:?}: say cargo xtask dist [--dev] [--sign-with FILE]"),
        }
    }
    let folder = make(root, dev, key, &[])?;
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let parent = folder.parent().unwrap_or(root);
    let archive = format!("{name}.tar.gz");
    command(
        parent,
        &["tar", "--owner=0", "--group=0", "-czf", &archive, &name],
        &[],
    )?;
    println!("{}\n{}", folder.display(), parent.join(archive).display());
    Ok(())
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from)
}

/// Makes the folder, and says where it is. Builds others as well, in one go.
fn make(root: &Path, dev: bool, key: Option<&str>, others: &[&str]) -> Result<PathBuf> {
    let mut build = vec!["cargo", "build", "--locked", "--package", "prx"];
    build.extend(others);
    if !dev {
        build.push("--release");
    }
    command(root, &build, &[])?;
    let target = target(root);
    let program = target
        .join(if dev { "debug" } else { "release" })
        .join("prx");
    let version = Command::new(&program).arg("--version").output()?;
    let version = String::from_utf8(version.stdout)?.trim().replace(' ', "-");
    let (arch, system) = (std::env::consts::ARCH, std::env::consts::OS);
    let kind = if dev { "-dev" } else { "" };
    let folder = target
        .join("dist")
        .join(format!("{version}-{arch}-{system}{kind}"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let shipped = tests_folder(root).join("xtask/dist");
    let files = FILES.iter().map(|file| shipped.join(file));
    for file in files.chain(LICENCES.iter().map(|file| root.join(file))) {
        place(&file, &folder, 0o644)?;
    }
    place(&program, &folder, 0o755)?;
    let program = folder.join("prx").display().to_string();
    let mut pack = vec![
        program.as_str(),
        "plugin",
        "pack",
        PLUGIN,
        "--out",
        "plugins",
    ];
    if let Some(key) = key {
        pack.extend(["--sign-with", key]);
    }
    command(&folder, &pack, &[])?;
    fs::set_permissions(folder.join("plugins"), Permissions::from_mode(0o755))?;
    fs::write(folder.join(CHECKSUMS), checksums(&folder)?)?;
    Ok(folder)
}

fn tests_folder(root: &Path) -> PathBuf {
    root.join("tests")
}

fn place(file: &Path, folder: &Path, mode: u32) -> Result<()> {
    let to = folder.join(file.file_name().context("a file without a name")?);
    fs::copy(file, &to).with_context(|| file.display().to_string())?;
    Ok(fs::set_permissions(&to, Permissions::from_mode(mode))?)
}

/// What `sha256sum --check` reads, in the order of the paths.
fn checksums(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let mut sums = String::new();
    for file in files {
        let name = file.strip_prefix(folder)?.display().to_string();
        if name == CHECKSUMS {
            continue;
        }
        for byte in Sha256::digest(fs::read(&file)?) {
            write!(sums, "{byte:02x}")?;
        }
        writeln!(sums, "  {name}")?;
    }
    Ok(sums)
}

/// Runs what would be shipped, from its folder: checksums, the plugin, and a bot on the packed plugin that answers a
/// person, takes a reload and ends when it is told to.
pub(crate) fn try_out(root: &Path) -> Result<()> {
    let folder = make(root, true, None, &["--package", "qq-emulator"])?;
    println!("\n== what is shipped, as a server runs it");
    let written = fs::read_to_string(folder.join(CHECKSUMS))?;
    ensure!(written == checksums(&folder)?, "the checksums do not fit");
    let program = folder.join("prx").display().to_string();
    let plugin = folder.join("plugins").join(PLUGIN).display().to_string();
    command(&folder, &[&program, "plugin", "verify", &plugin], &[])?;
    check_unit(&folder)?;
    let place = folder.with_file_name("tried");
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(&place)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let config = config(&folder, port)?;
    fs::write(place.join("channels.toml"), config)?;
    fs::write(
        place.join("app_secret"),
        "Zx8kQ0r3TtY1bVn5cMq7WsLd2FgHjKpA\n",
    )?;
    fs::set_permissions(place.join("app_secret"), Permissions::from_mode(0o600))?;
    let check = [&program, "config", "check", "--config", "channels.toml"];
    command(&place, &check, &[])?;

    let mut emulator = Command::new("cargo");
    let words = [
        "run",
        "--locked",
        "--quiet",
        "--package",
        "qq-emulator",
        "--",
        "--no-bot",
    ];
    emulator
        .args(words)
        .args(["--lang", "en", "--port", &port.to_string()]);
    let mut emulator = Running::start(emulator.current_dir(root))?;
    emulator.until("Point any bot here")?;
    let mut bot = Command::new(&program);
    bot.args(["channel", "run", "--config", "channels.toml"])
        .env("RUST_LOG", "info,prx=debug")
        .env("LC_ALL", "C")
        .current_dir(&place);
    let mut bot = Running::start(&mut bot)?;
    // The packed one, and not the one that the program carries.
    let packed = written.lines().find(|line| line.ends_with("plugin.wasm"));
    let digest = packed.and_then(|line| line.split(' ').next());
    bot.until(digest.context("no component is shipped")?)?;
    bot.until("connected and listening")?;
    emulator.write("hello")?;
    emulator.until("echo: hello")?;
    // As ExecReload does; the answer to the next message shows that it goes on.
    bot.signal("HUP")?;
    emulator.write("again")?;
    emulator.until("echo: again")?;
    bot.until("a new configuration is in force")?;
    bot.signal("TERM")?;
    bot.end()
}

/// The shipped example, towards the emulator and with paths of this folder.
fn config(folder: &Path, port: u16) -> Result<String> {
    let example = fs::read_to_string(folder.join("channels.toml"))?;
    let plugins = folder.join("plugins").display().to_string();
    let mut text = example.clone();
    for (from, to) in [
        ("/var/lib/prx-channel", "state"),
        ("/opt/prx-channel/plugins", plugins.as_str()),
        (
            "/run/credentials/prx-channel.service/app_secret",
            "app_secret",
        ),
        ("allowed_users = []", "allowed_users = [\"*\"]"),
    ] {
        ensure!(
            text.contains(from),
            "channels.toml has no {from:?} any more"
        );
        text = text.replace(from, to);
    }
    let api = format!(
        "api_base = \"http://127.0.0.1:{port}\"\ntoken_url = \"http://127.0.0.1:{port}/app/getAppAccessToken\"\nintents"
    );
    Ok(text.replacen("intents", &api, 1))
}

/// Where there is a systemd, it reads the unit.
fn check_unit(folder: &Path) -> Result<()> {
    let unit = folder.join("prx-channel.service");
    let text = fs::read_to_string(&unit)?;
    for line in [
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "ExecReload=/bin/kill -HUP $MAINPID",
    ] {
        ensure!(text.lines().any(|l| l == line), "the unit has no {line}");
    }
    let analyzed = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&unit)
        .output();
    if let Ok(output) = analyzed {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // The program is not where it will be.
        let wrong =
            |line: &&str| line.contains("prx-channel.service") && !line.contains("not executable");
        let wrong: Vec<&str> = said.lines().filter(wrong).collect();
        ensure!(
            wrong.is_empty(),
            "systemd does not like the unit:\n{}",
            wrong.join("\n")
        );
    }
    Ok(())
}
