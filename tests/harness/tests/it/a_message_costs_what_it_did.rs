//! What the component costs, counted in ways that are the same on any machine: fuel for each kind of event, its
//! memory, its size. Compared with what is committed; rewritten with `UPDATE_EXPECT=1`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use harness::meter::Meter;
use harness::sim::{Setup, Stage, bot, echo};
use prx_host::guest::wasm::WasmComponent;
use prx_host::limits::Limits;
use qq_emulator::actions::Act;
use serde_json::Map;

use crate::common::component;

/// Fuel may differ by this much, either way: what is cheaper now must not become dearer again unseen.
const TOLERANCE: f64 = 0.02;
/// Guest memory at 10,000 remembered messages, bytes: as they come, and in an instance that was started with them.
const MEMORY: u64 = 4 << 20;
/// Messages of each scene.
const MESSAGES: u64 = 12;

/// What somebody with a number writes.
type Writes = fn(u64) -> Act;

fn setup() -> Setup {
    Setup {
        keys: Map::new(),
        bot: bot(),
        mind: echo(),
    }
}

fn fuel_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuel.txt")
}

/// Fuel, which is about one for each instruction of wasm: for one message in each scene, from its frame to the end of its turn, with the
/// checkpoints in between; and for one event of each kind. For a message also what it stores.
fn measured() -> BTreeMap<String, u64> {
    let engine = prx_host::engine::counting().unwrap();
    let wasm = WasmComponent::load(&engine, qq_channel_embed::COMPONENT, Limits::STANDARD).unwrap();
    let meter = Meter::new(Arc::new(wasm));
    let mut stage = Stage::new(Arc::new(meter.clone()), setup());
    let scenes: [(&str, Writes); 4] = [
        ("a message in a private chat", |n| {
            Act::c2c(&format!("u{n}"), "今天天气怎么样？")
        }),
        ("a message in a group", |n| {
            Act::group_at("g", &format!("u{n}"), "今天天气怎么样？")
        }),
        ("a message in a guild channel", |n| {
            Act::channel_at("guild", "channel", &format!("u{n}"), "今天天气怎么样？")
        }),
        ("a message in a guild DM", |n| {
            Act::dm("guild", &format!("u{n}"), "今天天气怎么样？")
        }),
    ];
    let mut found = BTreeMap::new();
    for (name, act) in scenes {
        // The first one of a scene does what the others need not.
        stage.act(act(0));
        let (before, (commits, stored)) = (meter.fuel(), meter.stored());
        for number in 0..MESSAGES {
            stage.begin(act(number));
            stage.pass(2_000);
        }
        let (fuel, (commits_now, stored_now)) = (meter.fuel() - before, meter.stored());
        found.insert(name.to_owned(), fuel / MESSAGES);
        // What the host does for it is for the most part to write it down.
        let commits = commits_now - commits;
        found.insert(format!("commits of {MESSAGES}: {name}"), commits);
        let stored = stored_now - stored;
        found.insert(format!("bytes stored: {name}"), stored / MESSAGES);
    }
    stage.fault("drop");
    stage.pass(60_000);
    assert!(stage.connected(), "{:?}", stage.log());
    for (kind, cost) in meter.costs() {
        found.insert(format!("one call: {kind}"), cost.fuel / cost.calls);
    }
    found
}

#[test]
fn an_event_uses_as_much_fuel_as_is_committed() {
    let found = measured();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let lines = found.iter().map(|(name, fuel)| format!("{fuel} {name}\n"));
        std::fs::write(fuel_file(), lines.collect::<String>()).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(fuel_file()).unwrap();
    let committed: BTreeMap<String, u64> = committed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(fuel, name)| (name.to_owned(), fuel.parse().unwrap()))
        .collect();
    let mut differences = Vec::new();
    for name in committed.keys().chain(found.keys()) {
        let (was, is) = (committed.get(name), found.get(name));
        let near = match (was, is) {
            (Some(was), Some(is)) => (*is as f64 / *was as f64 - 1.0).abs() <= TOLERANCE,
            _ => false,
        };
        if !near {
            differences.push(format!("{name}: {was:?} is committed, and it is {is:?}"));
        }
    }
    differences.dedup();
    assert!(
        differences.is_empty(),
        "{}\nIf that is meant: UPDATE_EXPECT=1 cargo test -p harness fuel",
        differences.join("\n")
    );
}

#[test]
fn ten_thousand_remembered_messages_fit_in_four_mebibytes() {
    let meter = Meter::new(component());
    let mut stage = Stage::new(Arc::new(meter.clone()), setup());
    for number in 0..10_000 {
        stage.begin(Act::c2c(&format!("u{}", number % 500), "hello"));
        stage.pass(500);
    }
    let grown = meter.memory();
    assert!(grown < MEMORY, "{grown} bytes after 10,000 messages");
    // An instance that takes them over is given all that is stored in one list, beside what it makes of it, and
    // wasm gives no memory back.
    let (now, boot) = (
        meter.calls().last().unwrap().now,
        meter.successor().unwrap(),
    );
    let mut successor = component().instantiate().unwrap();
    successor.start(now, &boot).unwrap().unwrap();
    let started = successor.memory_bytes();
    let stored: usize = boot
        .entries
        .iter()
        .map(|e| e.key.len() + e.value.len())
        .sum();
    assert!(
        started < MEMORY,
        "{started} bytes after a start with {} entries of {stored} bytes",
        boot.entries.len()
    );
}
