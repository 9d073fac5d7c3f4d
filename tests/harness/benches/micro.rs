//! What single steps cost: calls into the guest, native and in wasm; checkpoints and starts; loading; storing.
//!
//! `cargo bench -p harness --bench micro -- FILTER`. Numbers of one run can be compared with each other; the gate
//! that CI runs counts fuel in place of time (`tests/it/a_message_costs_what_it_did.rs`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark ends where it cannot go on; criterion's macros write functions"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use harness::corpus::Corpus;
use harness::native::{NativeComponent, convert};
use prx_host::actor::{Actor, ActorSpec, BootInput, Candidate, Change, Command, Input, Swap};
use prx_host::bindings::v0_1::{Boot, CheckpointMode, Instant};
use prx_host::egress::address::AddressPolicy;
use prx_host::egress::{EgressPolicy, OperatorEgress};
use prx_host::engine;
use prx_host::guest::Component;
use prx_host::guest::wasm::WasmComponent;
use prx_host::limits::Limits;
use prx_host::manifest::Manifest;
use prx_host::store::Store;
use prx_host::vault::{Hidden, Vault};
use qq_channel::bindings as guest;
use qq_channel::channel::Channel;
use wasmtime::{Config, Engine};

/// Messages that are remembered when a checkpoint or a start is measured.
const REMEMBERED: [usize; 3] = [0, 1_000, 10_000];

/// Calls that are common in a bot's life.
const KINDS: [&str; 8] = [
    "frame C2C_MESSAGE_CREATE",
    "frame GROUP_AT_MESSAGE_CREATE",
    "frame AT_MESSAGE_CREATE",
    "frame DIRECT_MESSAGE_CREATE",
    "frame op 11",
    "turn",
    "http-done",
    "timer-fired",
];

fn load(engine: &Engine) -> Arc<dyn Component> {
    let loaded = WasmComponent::load(engine, qq_channel_embed::COMPONENT, Limits::STANDARD);
    Arc::new(loaded.unwrap())
}

/// The host's engine without its epochs: what the deadline costs is the difference.
fn without_epochs() -> Engine {
    let mut config = Config::new();
    config.concurrency_support(false).wasm_component_model(true);
    Engine::new(&config).unwrap()
}

/// Makes all calls of the corpus on fresh instances until enough of the kind were timed.
fn replayed(component: &dyn Component, corpus: &Corpus, kind: &str, calls: u64) -> Duration {
    let (mut timed, mut total) = (0, Duration::ZERO);
    while timed < calls {
        let mut instance = component.instantiate().unwrap();
        let (now, boot) = &corpus.boot;
        instance.start(*now, boot).unwrap().unwrap();
        for call in &corpus.calls {
            let begin = std::time::Instant::now();
            let effects = instance.handle(call.now, &call.event).unwrap();
            let took = begin.elapsed();
            black_box(effects);
            if call.kind == kind && timed < calls {
                (timed, total) = (timed + 1, total + took);
            }
        }
    }
    total
}

/// The same on the guest's own types, with nothing carried over.
fn replayed_natively(corpus: &Corpus, kind: &str, calls: u64) -> Duration {
    let (now, boot) = &corpus.boot;
    let events: Vec<(guest::Instant, guest::Event, bool)> = corpus
        .calls
        .iter()
        .map(|c| {
            (
                convert(&c.now).unwrap(),
                convert(&c.event).unwrap(),
                c.kind == kind,
            )
        })
        .collect();
    let (mut timed, mut total) = (0, Duration::ZERO);
    while timed < calls {
        let boot: guest::Boot = convert(boot).unwrap();
        let started = Channel::start(convert(now).unwrap(), boot, Box::new(|_, _| {}));
        let (mut channel, _) = started.map_err(|_| "problems").unwrap();
        for (now, event, counts) in &events {
            let event = event.clone();
            let begin = std::time::Instant::now();
            let effects = channel.handle(*now, event);
            let took = begin.elapsed();
            black_box(effects);
            if *counts && timed < calls {
                (timed, total) = (timed + 1, total + took);
            }
        }
    }
    total
}

fn handle(c: &mut Criterion) {
    let corpus = Corpus::of_all_scenes(200).unwrap();
    let kinds = corpus.kinds();
    let wasm = load(&engine::new(None).unwrap());
    let free = load(&without_epochs());
    let counting = load(&engine::counting().unwrap());
    for kind in KINDS {
        if !kinds.iter().any(|there| there == kind) {
            eprintln!("there is no {kind} in the corpus; there are {kinds:?}");
            continue;
        }
        let mut group = c.benchmark_group(format!("handle/{kind}"));
        group.bench_function("native", |b| {
            b.iter_custom(|calls| replayed_natively(&corpus, kind, calls));
        });
        for (name, component) in [
            ("wasm", &wasm),
            ("wasm without epochs", &free),
            ("wasm with fuel", &counting),
        ] {
            group.bench_function(name, |b| {
                b.iter_custom(|calls| replayed(&**component, &corpus, kind, calls));
            });
        }
        group.finish();
    }
}

fn remembered(c: &mut Criterion) {
    let wasm = load(&engine::new(None).unwrap());
    let native: Arc<dyn Component> = Arc::new(NativeComponent);
    for messages in REMEMBERED {
        let corpus = Corpus::of_private_chats(messages).unwrap();
        let (now, boot) = &corpus.successor;
        for (name, component) in [("native", &native), ("wasm", &wasm)] {
            let mut started = component.instantiate().unwrap();
            started.start(*now, boot).unwrap().unwrap();
            c.bench_function(&format!("checkpoint/{name}/{messages}"), |b| {
                b.iter(|| started.checkpoint(CheckpointMode::Normal).unwrap().unwrap());
            });
            c.bench_function(&format!("start/{name}/{messages}"), |b| {
                b.iter(|| {
                    let mut next = component.instantiate().unwrap();
                    next.start(*now, boot).unwrap().unwrap()
                });
            });
            c.bench_function(&format!("swap/{name}/{messages}"), |b| {
                let (mut actor, candidate) = channel(component, *now, boot);
                b.iter(|| {
                    let (ticket, candidate) = (1, candidate.clone());
                    let swap = Input::Swap(Box::new(Swap { ticket, candidate }));
                    let commands = actor.step(*now, swap);
                    let swapped = commands.into_iter().find_map(|command| match command {
                        Command::Swapped { outcome, .. } => Some(*outcome),
                        _ => None,
                    });
                    swapped.unwrap().unwrap()
                });
            });
        }
    }
}

/// A channel that runs and remembers, and another build for it: the same component once more.
fn channel(component: &Arc<dyn Component>, now: Instant, boot: &Boot) -> (Actor, Candidate) {
    let manifest = Manifest::parse(qq_channel_embed::MANIFEST).unwrap();
    let (operator, addresses) = (OperatorEgress::AsManifest, AddressPolicy::default());
    let captured = manifest.captured();
    let egress = EgressPolicy::new(manifest.egress, operator, addresses, &[]).unwrap();
    let candidate = Candidate {
        component: Arc::clone(component),
        limits: Limits::STANDARD,
        config: boot.config.clone(),
        secrets: Vec::new(),
        captured: captured.clone(),
        egress: Arc::new(egress),
    };
    let secrets = boot.secrets.iter();
    let secrets = secrets.map(|name| (name.clone(), Hidden::new("value")));
    let (mut actor, _) = Actor::new(ActorSpec {
        instance: boot.instance.clone(),
        component: Arc::clone(component),
        config: boot.config.clone(),
        vault: Vault::new(secrets, captured),
        egress: Arc::clone(&candidate.egress),
        limits: Limits::STANDARD,
        entries: boot.entries.clone(),
        host: "bench".into(),
    });
    let (number, entropy) = (boot.boot_number + 1, [7; 32]);
    actor.step(now, Input::Boot(BootInput { number, entropy }));
    assert!(actor.is_running());
    (actor, candidate)
}

/// A guest that asks for one page of memory more.
const GROWS: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x05\x03\x01\0\x01\
    \x07\x08\x01\x04grow\0\0\x0a\x08\x01\x06\0\x41\x01\x40\0\x0b";

/// What the bound on memory costs: it is asked once for each growth, and at no other time.
fn growing(c: &mut Criterion) {
    let engine = engine::new(None).unwrap();
    let module = wasmtime::Module::new(&engine, GROWS).unwrap();
    let mut group = c.benchmark_group("a page of memory more");
    for limited in [false, true] {
        let name = if limited { "limited" } else { "not limited" };
        group.bench_function(name, |b| {
            let fresh = || {
                let limits = wasmtime::StoreLimitsBuilder::new();
                let limits = limits.memory_size(Limits::STANDARD.memory_bytes).build();
                let mut store = wasmtime::Store::new(&engine, limits);
                store.set_epoch_deadline(u64::MAX >> 1);
                if limited {
                    store.limiter(|limits| limits);
                }
                let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
                let grow = instance.get_typed_func::<(), i32>(&mut store, "grow");
                (store, grow.unwrap())
            };
            b.iter_batched_ref(
                fresh,
                |(store, grow)| assert!(grow.call(store, ()).unwrap() > 0),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn loading(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    group.sample_size(10);
    group.bench_function("compiled from .wasm", |b| {
        b.iter(|| load(&engine::new(None).unwrap()));
    });
    let folder = tempfile::tempdir().unwrap();
    load(&engine::new(Some(folder.path())).unwrap());
    group.bench_function("from the compile cache", |b| {
        b.iter(|| load(&engine::new(Some(folder.path())).unwrap()));
    });
    group.finish();
    let wasm = load(&engine::new(None).unwrap());
    c.bench_function("load/instantiate", |b| {
        b.iter(|| wasm.instantiate().unwrap())
    });
}

fn store(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut number = 0_u32;
    let mut group = c.benchmark_group("store");
    for puts in [1, 4] {
        group.bench_with_input(BenchmarkId::new("commit", puts), &puts, |b, puts| {
            b.iter(|| {
                number = number.wrapping_add(1);
                let changes: Vec<Change> = (0..*puts)
                    .map(|put| Change::Put {
                        key: format!("turn/{}", (number + put) % 1_000),
                        value: Bytes::from(vec![7; 300]),
                    })
                    .collect();
                store.commit("qq", &changes).unwrap();
            });
        });
    }
    group.finish();
}

fn parsing(c: &mut Criterion) {
    let corpus = Corpus::of_all_scenes(4).unwrap();
    let frame = corpus.frame("frame C2C_MESSAGE_CREATE").unwrap();
    let mut group = c.benchmark_group("parse");
    group.bench_function("the envelope, as the guest does", |b| {
        b.iter(|| qq_channel::gateway::frame::read(black_box(frame)));
    });
    group.bench_function("everything into a tree", |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(frame)));
    });
    group.finish();
}

criterion_group! {
    name = micro;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = handle, remembered, growing, loading, store, parsing
}
criterion_main!(micro);
