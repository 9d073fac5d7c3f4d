//! The conformance kit passes an honest component, and finds each that is not.

use std::fs;

use crate::support::{Home, hostile};

/// The lines of a report that failed: topic and text.
fn failed(report: &serde_json::Value) -> Vec<(String, String)> {
    let lines = report["lines"].as_array().unwrap().iter();
    let word = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap().to_owned();
    lines
        .filter(|line| line["mark"] == "fail")
        .map(|line| (word(line, "topic"), word(line, "text")))
        .collect()
}

#[test]
fn an_honest_component_keeps_the_rules() {
    let home = Home::new();
    let said = home.ask(&["plugin", "check", "tiny"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.out.lines().last(), Some("tiny 0.1.0 keeps the rules"));
    for topic in [
        "load",
        "describe",
        "probe",
        "events",
        "determinism",
        "checkpoint",
        "holdings",
        "names",
        "restart",
        "blank",
        "memory",
        "time",
    ] {
        let line = said
            .out
            .lines()
            .find(|line| line.contains(&format!("  {topic} ")));
        assert!(
            line.is_some_and(|line| line.starts_with("[ok]")),
            "{topic}: {}",
            said.out
        );
    }
    // The same seeds make the same events.
    let seen = || {
        home.json(&["plugin", "check", "tiny", "--seed", "7", "--seeds", "1"])["data"]["largest_checkpoint_bytes"].clone()
    };
    assert_eq!(seen(), seen());
}

#[test]
fn each_kind_of_misbehaviour_is_found_in_its_line() {
    let home = Home::new();
    let folder = home.dir.path().join("hostile");
    let corpus = home.dir.path().join("corpus");
    fs::create_dir(&corpus).unwrap();
    fs::write(corpus.join("go.txt"), "go").unwrap();
    let (folder_text, corpus_text) = (folder.to_str().unwrap(), corpus.to_str().unwrap());
    for (how, topic, says) in [
        ("describe", "describe", "told to trap in describe"),
        ("start", "probe", "told to trap in start"),
        ("slow", "probe", "deadline"),
        ("trap-5", "events", "told to trap at event 5"),
        ("loop", "events", "deadline: the call used more than 100 ms"),
        ("hog", "events", "out of memory"),
        ("flood", "events", "5000 effects in one call"),
        ("inventory", "events", "told to trap in inventory"),
        ("checkpoint", "checkpoint", "bytes, 4194304 are allowed"),
        ("forgets", "holdings", "counts on the sockets []"),
        ("ids", "names", "is used a second time"),
        ("thief", "names", "asks for the secret other"),
        ("misplace", "names", "puts the secret key into a body"),
        ("misframe", "names", "puts the secret key into a message"),
    ] {
        hostile(how, &folder);
        // Only those that loop may run out of time: this host is not optimised, and the machine may be busy.
        if !matches!(how, "loop" | "slow") {
            let manifest = folder.join("plugin.toml");
            let text = fs::read_to_string(&manifest).unwrap();
            fs::write(
                &manifest,
                text.replace("max_call_ms = 100", "max_call_ms = 2000"),
            )
            .unwrap();
        }
        let brief = ["--events", "300", "--seeds", "2", "--corpus", corpus_text];
        let asked = [&["plugin", "check", folder_text][..], &brief].concat();
        let report = home.json(&asked);
        let failed = failed(&report);
        let found = failed
            .iter()
            .any(|(t, text)| t == topic && text.contains(says));
        assert!(found, "{how}: {failed:?}");
        assert_eq!(report["ok"], false);
    }
    fs::write(folder.join("plugin.wasm"), b"\0asm").unwrap();
    let said = home.ask(&["plugin", "check", folder_text]);
    assert!(
        said.code == 1 && said.out.starts_with("[FAIL] load"),
        "{said:?}"
    );
}

#[test]
fn a_table_that_nobody_wrote_can_be_helped() {
    let home = Home::new();
    let refused = [
        "plugin",
        "check",
        "tiny",
        "--set",
        "url=ws://localhost:9/refuse",
    ];
    let said = home.ask(&refused);
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("refuses a made-up table: this url is not to be used"),
        "{said:?}"
    );
    assert!(said.out.contains("--set KEY=VALUE"), "{said:?}");
    for (set, says) in [("url", "write KEY=VALUE"), ("ulr=x", "has no such key")] {
        let said = home.ask(&["plugin", "check", "tiny", "--set", set]);
        assert!(said.code == 2 && said.err.contains(says), "{said:?}");
    }
}

/// The page for authors, and the example that it walks through.
fn page_and_example() -> (String, Vec<String>) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let example = [
        "Cargo.toml",
        "plugin.toml",
        "src/lib.rs",
        "src/operator.rs",
        "src/unread.rs",
    ];
    let example = example.map(|file| read(&format!("tests/fixtures/tiny-channel/{file}")));
    (read("host/docs/channels.md"), example.to_vec())
}

#[test]
fn the_page_for_authors_quotes_the_example_as_it_is() {
    let (page, example) = page_and_example();
    let mut quoted = 0;
    for block in page.split("```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        if matches!(kind, "rust" | "toml") {
            quoted += 1;
            assert!(example.iter().any(|file| file.contains(text)), "{text}");
        }
    }
    assert!(quoted > 8);
}

#[test]
fn the_page_for_authors_knows_the_limits() {
    use prx_host::limits::Limits;
    use prx_host::manifest::Manifest;
    let (page, example) = page_and_example();
    let table = page.split("<!-- limits").nth(1).unwrap();
    let table = table.split("<!-- /limits").next().unwrap();
    let parse = |resources: &str| {
        let manifest = example[1].split("[resources]").next().unwrap();
        Manifest::parse(&format!("{manifest}[resources]\n{resources}"))
    };
    let standard = parse("").unwrap().limits;
    assert_eq!(standard, Limits::STANDARD);
    let mut keys = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (key, most) = (cells[1].trim_matches('`'), cells[3].parse::<u64>().unwrap());
        let usual = parse(&format!("{key} = {}\n", cells[2])).unwrap().limits;
        assert_eq!(usual, Limits::STANDARD, "{key}");
        // What is stored must fit into memory.
        let memory = match key {
            "max_store_mb" => "max_memory_mb = 512\n",
            _ => "",
        };
        parse(&format!("{memory}{key} = {most}\n")).unwrap();
        let more = parse(&format!("{memory}{key} = {}\n", most + 1));
        assert!(more.is_err(), "{key} = {}", most + 1);
        keys.push(format!("{key}\n"));
    }
    // And there is none besides: an unknown key names those that are known.
    let said = parse("max_nothing = 1\n").unwrap_err().to_string();
    assert_eq!(said.matches("`max_").count(), keys.len() + 1, "{said}");
}
