//! What others could change or read is reported before a run, and refused where it decides what runs.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::{Home, KEY, Said, hostile, write_private};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn refused(said: &Said, part: &str) {
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains(part), "{part}: {said:?}");
}

#[test]
fn a_state_or_media_folder_that_others_can_write_is_refused_and_keeps_its_mode() {
    let home = Home::new();
    home.write("[agent]\nmedia_dir = \"media\"\n");
    let (state, media) = (home.state(), home.dir.path().join("media"));
    fs::create_dir(&state).unwrap();
    fs::create_dir(&media).unwrap();
    for (folder, open) in [
        (&state, 0o777),
        (&state, 0o1777),
        (&state, 0o2775),
        (&media, 0o777),
        (&media, 0o1777),
    ] {
        set_mode(folder, open);
        let says = format!("others can write {}", folder.display());
        for asked in [&["config", "check"][..], &["channel", "run"]] {
            refused(&home.ask(asked), &says);
        }
        let said = home.ask(&["channel", "doctor", "bot"]);
        let all = format!("{}{}", said.out, said.err);
        assert!(said.code != 0 && all.contains(&says), "{said:?}");
        assert_eq!(mode(folder), open);
        set_mode(folder, 0o755);
    }
    set_mode(&media, 0o2775);
    assert_eq!(home.ask(&["config", "check"]).code, 0);
    let (_run, _line) = home.run();
    assert_eq!((mode(&state), mode(&media)), (0o755, 0o2775));
}

#[test]
fn a_folder_above_that_others_can_write_is_refused_too() {
    let home = Home::new();
    home.write("state_dir = \"open/inner/state\"\n");
    let open = home.dir.path().join("open");
    fs::create_dir(&open).unwrap();
    set_mode(&open, 0o777);
    let says = format!("others can write {}", open.display());
    refused(&home.ask(&["config", "check"]), &says);
    refused(&home.ask(&["channel", "run"]), &says);
    assert!(!open.join("inner").exists() || mode(&open.join("inner")) == 0o700);
}

#[test]
fn no_link_in_the_state_directory_is_followed() {
    let home = Home::new();
    let victim = home.dir.path().join("victim");
    fs::write(&victim, "IMPORTANT FILE CONTENT").unwrap();
    fs::create_dir(home.state()).unwrap();
    for name in ["store.lock", "store.db", "agent.sqlite3"] {
        let link = home.state().join(name);
        for target in [victim.as_path(), Path::new("nowhere")] {
            let _ = fs::remove_file(&link);
            symlink(target, &link).unwrap();
            let said = home.ask(&["channel", "run"]);
            assert!(said.code == 2 && said.err.contains(name), "{said:?}");
            assert!(!home.state().join("nowhere").exists());
        }
        fs::remove_file(&link).unwrap();
        fs::hard_link(&victim, &link).unwrap();
        let said = home.ask(&["channel", "run"]);
        assert!(
            said.code == 2 && said.err.contains("a hard link"),
            "{said:?}"
        );
        fs::remove_file(&link).unwrap();
    }
    for name in ["incidents", "blobs", "media"] {
        let home = Home::new();
        fs::create_dir(home.state()).unwrap();
        let away = home.dir.path().join("away");
        let _ = fs::create_dir(&away);
        set_mode(&away, 0o777);
        let link = home.state().join(name);
        symlink(&away, &link).unwrap();
        if name != "incidents" {
            let said = home.ask(&["channel", "run"]);
            assert!(
                said.code != 0 && said.err.contains("others can write"),
                "{said:?}"
            );
        }
        fs::remove_file(&link).unwrap();
    }
    let said = fs::read_to_string(&victim).unwrap();
    assert_eq!(said, "IMPORTANT FILE CONTENT");
}

#[test]
fn a_configuration_that_others_can_write_is_refused_where_it_names_programs() {
    let home = Home::new();
    let file = home.dir.path().join("channels.toml");
    let tools =
        "[agent]\nkind = \"openai\"\nmodel = \"m\"\n[agent.tools.x]\ncommand = [\"true\"]\n";
    for (agent, programs) in [
        ("", false),
        ("[agent]\nkind = \"command\"\ncommand = [\"true\"]\n", true),
        (tools, true),
    ] {
        home.write(agent);
        assert_eq!(home.ask(&["config", "check"]).code, 0, "{agent}");
        for (path, open, good) in [
            (file.as_path(), 0o666, 0o600),
            (&file, 0o620, 0o600),
            (home.dir.path(), 0o777, 0o700),
            (home.dir.path(), 0o770, 0o700),
        ] {
            set_mode(path, open);
            let says = format!("others can write {}", path.display());
            let said = home.ask(&["config", "check"]);
            // A folder that others can write is no place for the state either.
            let bad = programs || path == home.dir.path();
            assert_eq!(
                said.code,
                if bad { 2 } else { 0 },
                "{agent} {open:o}: {said:?}"
            );
            assert!(said.err.contains(&says), "{said:?}");
            if path == file {
                assert_eq!(said.err.contains("names programs"), programs, "{said:?}");
            }
            if programs {
                refused(&home.ask(&["channel", "run"]), &says);
                let doctor = home.ask(&["channel", "doctor", "bot"]);
                let all = format!("{}{}", doctor.out, doctor.err);
                assert!(doctor.code != 0 && all.contains(&says), "{doctor:?}");
            }
            set_mode(path, good);
        }
    }
    home.write("");
    set_mode(&file, 0o666);
    let (_run, _line) = home.run();
    let doctor = home.ask(&["channel", "doctor", "bot"]);
    assert!(
        doctor.code == 0 && doctor.out.contains("[warn] files"),
        "{doctor:?}"
    );
}

#[test]
fn a_secret_that_others_can_read_is_a_warning() {
    let home = Home::new();
    let (file, key) = (
        home.dir.path().join("channels.toml"),
        home.dir.path().join("key"),
    );
    fs::write(&key, "k").unwrap();
    let url = home.server.url();
    for (written, config_mode, key_mode, warned) in [
        (KEY, 0o600, 0o600, None),
        (KEY, 0o640, 0o600, Some(&file)),
        (KEY, 0o604, 0o600, Some(&file)),
        ("env:HOME", 0o644, 0o600, None),
        ("file:key", 0o644, 0o600, None),
        ("file:key", 0o600, 0o644, Some(&key)),
    ] {
        home.write_channel("", &format!("url = {url:?}\nkey = {written:?}\n"));
        set_mode(&file, config_mode);
        set_mode(&key, key_mode);
        let said = home.ask(&["config", "check"]);
        assert_eq!(said.code, 0, "{said:?}");
        match warned {
            None => assert_eq!(said.err, "", "{written}"),
            Some(path) => {
                let says = format!(
                    "other users can read the secret `key` in {}",
                    path.display()
                );
                assert!(
                    said.err.contains(&says) && said.err.contains("chmod go-r"),
                    "{said:?}"
                );
                assert!(!said.err.contains(KEY), "{said:?}");
            }
        }
    }
    home.write("[agent]\nkind = \"openai\"\nmodel = \"m\"\napi_key = \"sk-canary\"\n");
    set_mode(&file, 0o644);
    let said = home.ask(&["config", "check"]);
    assert!(said.err.contains("the secret `api_key`"), "{said:?}");
}

/// A home with a plugin whose required key `account` says who it is.
fn with_accounts() -> Home {
    let home = Home::new();
    hostile("account", &home.dir.path().join("plugins/hostile"));
    home
}

fn table(name: &str, url: &str, account: &str, key: &str) -> String {
    format!(
        "[channels_config.{name}]\nplugin = \"hostile\"\nurl = {url:?}\naccount = {account:?}\nkey = {key:?}\n"
    )
}

fn write_tables(home: &Home, tables: &[String]) {
    let host = "[host]\nplugin_dir = \"plugins\"\nproxy = \"none\"\n".to_owned();
    let text = [&[host], tables].concat().concat();
    write_private(&home.dir.path().join("channels.toml"), &text);
}

#[test]
fn two_tables_of_one_account_are_a_mistake() {
    let home = with_accounts();
    let url = home.server.url();
    let other = format!("{url}other");
    for (first, second, twice) in [
        (("1", &url, "k"), ("1", &url, "k"), true),
        (("1", &url, "k"), ("1", &url, "another"), true),
        (("1", &url, "k"), ("2", &url, "k"), false),
        (("1", &url, "k"), ("1", &other, "k"), false),
    ] {
        let [a, b] = [("a", first), ("b", second)]
            .map(|(name, (account, url, key))| table(name, url, account, key));
        write_tables(&home, &[a, b]);
        let said = home.ask(&["config", "check"]);
        let says = "[channels_config.b] has the same account as [channels_config.a]";
        assert_eq!(said.err.contains(says), twice, "{said:?}");
        assert_eq!(said.code, if twice { 2 } else { 0 }, "{said:?}");
        if twice {
            refused(&home.ask(&["channel", "run"]), says);
        }
    }
}

#[test]
fn two_processes_of_one_account_refuse_each_other_wherever_their_state_is() {
    let (home, other) = (with_accounts(), with_accounts());
    // One server for both; its address is another one in each run of this test.
    let url = home.server.url();
    let set = |account: &str| {
        for home in [&home, &other] {
            write_tables(home, &[table("bot", &url, account, "k")]);
        }
    };
    set("1");
    let run = home.begin(&["channel", "run"]);
    let _line = home.server.line();
    run.wait_for("running; SIGTERM");
    let said = other.ask(&["channel", "run"]);
    refused(&said, &format!("(pid {})", run.pid()));
    assert!(said.err.contains("the account of bot"), "{said:?}");
    // What only asks disturbs nobody.
    assert_eq!(other.ask(&["channel", "doctor", "bot"]).code, 0);
    set("2");
    let second = other.begin(&["channel", "run"]);
    let _second = home.server.line();
    second.wait_for("running; SIGTERM");
    set("1");
    second.kill();
    run.kill();
    let again = other.begin(&["channel", "run"]);
    let _again = home.server.line();
    again.wait_for("running; SIGTERM");
}
