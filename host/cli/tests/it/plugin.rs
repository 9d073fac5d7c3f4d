//! A plugin on its way: packed and signed by one, looked at, verified and run by another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Home, Said};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A key pair: the file of the secret half, and the public half.
fn key(home: &Home, name: &str) -> (PathBuf, String) {
    let file = home.dir.path().join(name);
    let said = home.ask(&["plugin", "keygen", text(&file)]);
    assert_eq!(said.code, 0, "{said:?}");
    let again = home.ask(&["plugin", "keygen", text(&file)]);
    assert_eq!(again.code, 2, "a key is not overwritten: {again:?}");
    (file, said.out.trim().to_owned())
}

fn pack(home: &Home, more: &[&str]) -> Said {
    let plugins = home.dir.path().join("plugins");
    let mut all = vec!["plugin", "pack", "tiny", "--out", text(&plugins)];
    all.extend(more);
    home.ask(&all)
}

#[test]
fn a_signed_plugin_runs_where_its_key_is_trusted_and_nowhere_else() {
    let home = Home::new();
    let (secret, public) = key(&home, "release.key");
    let (_, other) = key(&home, "other.key");
    let trusting = |key: &str| home.write(&format!("trusted_keys = [{key:?}]\n"));
    trusting(&public);
    let said = home.ask(&["channel", "run"]);
    assert!(
        said.code == 2 && said.err.contains("is not signed"),
        "{said:?}"
    );
    let said = pack(&home, &["--sign-with", text(&secret)]);
    assert!(said.code == 0 && said.out.contains(&public), "{said:?}");
    let (run, mut line) = home.run();
    line.say("hi");
    assert_eq!(line.hear(), "echo: hi");
    run.kill();
    trusting(&other);
    for asked in [&["channel", "run"][..], &["config", "check"]] {
        let said = home.ask(asked);
        assert!(said.code == 2 && said.err.contains(&public), "{said:?}");
        assert!(
            said.err.contains("not among [host] trusted_keys"),
            "{said:?}"
        );
    }
    let said = home.ask(&["plugin", "verify", "tiny"]);
    assert!(
        said.code == 1 && said.out.contains("trusted_keys"),
        "{said:?}"
    );
    let said = home.ask(&["plugin", "verify", "tiny", "--key", &public]);
    assert_eq!(said.out, "[ok]   plugin  tiny 0.1.0 would be run\n");
    trusting("ed25519:short");
    let said = home.ask(&["config", "check"]);
    assert!(
        said.err.contains("channels.toml:4: trusted_keys:"),
        "{said:?}"
    );
}

#[test]
fn verify_names_the_one_reason() {
    let home = Home::new();
    assert_eq!(pack(&home, &[]).code, 0);
    let folder = home.dir.path().join("plugins/tiny");
    let verify = |says: &str| {
        let said = home.ask(&["plugin", "verify", text(&folder)]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.out.contains(says), "{says}: {said:?}");
        assert_eq!(said.out.lines().count(), 1, "{said:?}");
        let json = home.json(&["plugin", "verify", text(&folder)]);
        assert_eq!(json["ok"], false);
        assert!(json["summary"].as_str().unwrap().contains(says), "{json}");
    };
    let wasm = folder.join("plugin.wasm");
    let whole = fs::read(&wasm).unwrap();
    fs::set_permissions(&wasm, fs::Permissions::from_mode(0o666)).unwrap();
    verify("others can write");
    fs::set_permissions(&wasm, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&wasm, &whole[..whole.len() / 2]).unwrap();
    verify("is not the component that plugin.toml was packed with");
    // A manifest that was never packed says nothing of the component: the damage is found all the same.
    let manifest = folder.join("plugin.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let unpacked = text.split("[integrity]").next().unwrap();
    fs::write(&manifest, unpacked).unwrap();
    verify("not a valid wasm component");
    fs::write(&manifest, "[plugin").unwrap();
    verify("plugin.toml:");
    let said = home.ask(&["plugin", "verify", "nothing"]);
    assert!(
        said.code == 2 && said.err.contains("known are:"),
        "{said:?}"
    );
}

#[test]
fn inspect_says_what_a_plugin_is_and_may() {
    let home = Home::new();
    let said = home.ask(&["plugin", "inspect", "tiny"]);
    for part in [
        "tiny 0.1.0: Talks to one WebSocket server",
        "prx:channel/log@0.1.0",
        "its manifest names no digest",
        "fix: pack it with `prx plugin pack`",
        "nobody signed it",
        "writes version 1, reads from 1",
        "url, key",
        "server: - on 443; secrets: key (/key of a JSON body), key (/it is of a JSON message), token",
        "responses bring token (POST /t)",
        "memory 16 MiB",
        "60000 in a minute",
    ] {
        assert!(said.out.contains(part), "{part} is not in\n{}", said.out);
    }
    assert_eq!(said.code, 0);
    pack(&home, &[]);
    let json = home.json(&["plugin", "inspect", "tiny"]);
    let data = &json["data"];
    assert_eq!(data["sha256"], data["recorded_sha256"]);
    assert_eq!(data["signature"]["state"], "unsigned");
    assert_eq!(data["says"]["keys"][1]["secret"], true);
    assert_eq!(data["limits"]["call_cpu_ms"], 100);
    // A component alone is looked at as well.
    let alone = home.dir.path().join("alone.wasm");
    fs::copy(home.dir.path().join("plugins/tiny/plugin.wasm"), &alone).unwrap();
    let said = home.ask(&["plugin", "inspect", text(&alone)]);
    assert!(
        said.out.contains("there is no manifest beside it"),
        "{said:?}"
    );
    let chinese = home
        .program(&["plugin", "inspect", "tiny"])
        .env("LC_ALL", "zh_CN.UTF-8")
        .output();
    let said = Said::of(chinese.unwrap());
    assert!(said.out.contains("没有签名"), "{said:?}");
}

#[test]
fn what_is_built_in_can_be_packed_and_put_into_the_folder() {
    let home = Home::new();
    let said = home.ask(&["config", "check"]);
    assert_eq!(said.code, 0, "{said:?}");
    let unknown = home.ask(&["plugin", "inspect", "nothing"]);
    let known = unknown.err.split("known are: ").nth(1).unwrap();
    let builtin = known.split(", ").find(|name| name.trim() != "tiny");
    let builtin = builtin.unwrap().trim();
    let plugins = home.dir.path().join("plugins");
    let said = home.ask(&["plugin", "pack", builtin, "--out", text(&plugins)]);
    assert_eq!(said.code, 0, "{said:?}");
    let json = home.json(&["plugin", "inspect", text(&plugins.join(builtin))]);
    assert_eq!(json["data"]["sha256"], json["data"]["recorded_sha256"]);
    let said = home.ask(&["plugin", "verify", builtin]);
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn what_does_not_load_is_not_packed() {
    let home = Home::new();
    let other = home.dir.path().join("other.wasm");
    fs::write(&other, b"\0asm\x01\0\0\0").unwrap();
    let said = pack(&home, &["--wasm", text(&other)]);
    assert!(
        said.code == 2 && said.err.contains("not a valid wasm component"),
        "{said:?}"
    );
    let said = home.ask(&["plugin", "pack", text(&other)]);
    assert!(
        said.code == 2 && said.err.contains("without a manifest"),
        "{said:?}"
    );
}

#[test]
fn a_signed_plugin_older_than_the_last_one_needs_a_word_of_the_operator() {
    let home = Home::new();
    let (secret, public) = key(&home, "release.key");
    home.write(&format!(
        "watch_plugins = false\ntrusted_keys = [{public:?}]\n"
    ));
    let manifest = home.dir.path().join("plugins/tiny/plugin.toml");
    let release = |version: &str, build: u8| {
        let text = fs::read_to_string(&manifest).unwrap();
        let lines = text
            .lines()
            .map(|line| match line.starts_with("version = ") {
                true => format!("version = {version:?}"),
                false => line.to_owned(),
            });
        let text: Vec<String> = lines.collect();
        fs::write(&manifest, text.join("\n")).unwrap();
        home.install(&Home::build(build));
        let said = pack(&home, &["--sign-with", self::text(&secret)]);
        assert_eq!(said.code, 0, "{said:?}");
    };
    release("0.2.0", 1);
    let (run, mut line) = home.run();
    line.say("one");
    assert_eq!(line.hear(), "echo: one");
    // While it runs.
    release("0.1.9", 2);
    let said = home.ask(&["channel", "reload", "bot"]);
    assert!(
        said.code == 2 && said.err.contains("older than 0.2.0"),
        "{said:?}"
    );
    let said = home.ask(&["channel", "reload", "bot", "--allow-downgrade"]);
    assert!(said.code == 0 && said.out.contains("took over"), "{said:?}");
    // The newer version becomes the last one run without any option.
    release("0.3.0", 3);
    assert_eq!(home.ask(&["channel", "reload", "bot"]).code, 0);
    run.kill();
    release("0.2.0", 1);
    let said = home.ask(&["channel", "run"]);
    assert!(
        said.code == 2 && said.err.contains("--allow-downgrade"),
        "{said:?}"
    );
    let run = home.begin(&["channel", "run", "--allow-downgrade"]);
    let _line = home.server.line();
    run.wait_for("running; SIGTERM");
    run.kill();
    let (_run, _line) = home.run();
}
