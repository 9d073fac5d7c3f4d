//! The core alone, with a guest written for each case.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::command::Command;
use super::*;
use crate::agent::AgentAsk;
use crate::bindings::v0_1::*;
use crate::egress::address::AddressPolicy;
use crate::egress::secrets::{Place, Position};
use crate::egress::{EgressGroup, OperatorEgress};
use crate::guest::{FaultKind, GuestFault, StartAnswer};
use crate::vault::Hidden;

mod breaking;
mod secrets;
mod shedding;
mod swapping;

type Script = dyn FnMut(&Event) -> Result<Vec<Action>, GuestFault> + Send;

/// A guest whose state is the list of kinds it has handled.
struct Scripted {
    script: Arc<Mutex<Box<Script>>>,
    seen: String,
}

#[derive(Clone)]
struct Factory {
    script: Arc<Mutex<Box<Script>>>,
    starts: Arc<Mutex<Vec<(StartReason, String, usize)>>>,
    instances: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Factory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Factory")
    }
}

struct Instance {
    guest: Scripted,
    factory: Factory,
}

impl Component for Factory {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        self.instances.fetch_add(1, Ordering::Relaxed);
        let guest = Scripted {
            script: Arc::clone(&self.script),
            seen: String::new(),
        };
        let factory = self.clone();
        Ok(Box::new(Instance { guest, factory }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        Err(trap("not described"))
    }
}

fn plain(actions: Vec<Action>) -> Vec<Effect> {
    let effect = |action: Action| Effect {
        after_commit: matches!(&action, Action::SocketSend(_)),
        action,
    };
    actions.into_iter().map(effect).collect()
}

impl Guest for Instance {
    fn start(&mut self, _: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        self.guest.seen = String::from_utf8(boot.checkpoint.clone().unwrap_or_default()).unwrap();
        let start = (boot.reason, self.guest.seen.clone(), boot.entries.len());
        self.factory.starts.lock().unwrap().push(start);
        let fresh = boot.checkpoint.is_none();
        let open = Action::SocketOpen(open(1, "wss://api.example.org/"));
        Ok(Ok(plain(if fresh { vec![open] } else { vec![] })))
    }

    fn handle(&mut self, _: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        let actions = (self.guest.script.lock().unwrap())(event)?;
        if let Event::SocketText(text) = event {
            self.guest.seen.push_str(&text.text);
        }
        Ok(plain(actions))
    }

    fn checkpoint(&mut self, _: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        Ok(Ok(self.guest.seen.clone().into_bytes()))
    }

    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault> {
        Ok(event.clone())
    }

    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault> {
        Ok(entry.clone())
    }

    fn inventory(&mut self) -> Result<Holdings, GuestFault> {
        Ok(Holdings {
            sockets: vec![1],
            requests: vec![],
            timers: vec![],
            turns: vec![],
        })
    }
}

fn trap(text: &str) -> GuestFault {
    GuestFault::new(FaultKind::Trap, text)
}

fn open(id: u64, url: &str) -> SocketOpen {
    SocketOpen {
        id,
        url: url.into(),
        headers: vec![],
        timeout_ms: 1,
        max_message: 1,
    }
}

fn now(mono_ms: u64) -> Instant {
    let wall_ms = 1_700_000_000_000 + mono_ms;
    Instant { mono_ms, wall_ms }
}

struct Bench {
    actor: Actor,
    factory: Factory,
}

/// A started actor with an open socket 1.
fn bench(script: impl FnMut(&Event) -> Result<Vec<Action>, GuestFault> + Send + 'static) -> Bench {
    let mut script = script;
    let quiet_open = move |event: &Event| match event {
        Event::SocketOpened(_) => Ok(vec![]),
        event => script(event),
    };
    let factory = Factory {
        script: Arc::new(Mutex::new(Box::new(quiet_open))),
        starts: Arc::default(),
        instances: Arc::default(),
    };
    let actor = bench_of(Arc::new(factory.clone()));
    Bench { actor, factory }
}

/// A started actor of this component, with an open socket 1.
fn bench_of(component: Arc<dyn Component>) -> Actor {
    let (mut actor, commands) = booted(component, Limits::STANDARD, Vec::new());
    assert!(matches!(
        commands[..],
        [Command::SocketOpen(_), Command::Started]
    ));
    let commands = actor.step(now(0), Input::SocketOpened(1));
    assert!(commands.is_empty(), "{commands:?}");
    actor
}

/// An actor of this component at its first start with these entries, and its first commands.
fn booted(
    component: Arc<dyn Component>,
    limits: Limits,
    entries: Vec<Entry>,
) -> (Actor, Vec<Command>) {
    let group = EgressGroup {
        name: "api".into(),
        hosts: vec!["api.example.org".parse().unwrap()],
        ports: vec![443],
        positions: positions(),
        captures: vec![Arc::new(secrets::capture("/token", "/t"))],
    };
    let other = EgressGroup {
        name: "media".into(),
        hosts: vec!["files.example.org".parse().unwrap()],
        ports: vec![443],
        positions: vec![],
        captures: vec![],
    };
    let egress = EgressPolicy::new(
        vec![group, other],
        OperatorEgress::AsManifest,
        AddressPolicy::default(),
        &[],
    );
    let (mut actor, commands) = Actor::new(ActorSpec {
        instance: "bot".into(),
        component,
        config: "{}".into(),
        vault: Vault::new(
            [("key".to_owned(), Hidden::new("canary-key"))],
            ["token".to_owned()],
        ),
        egress: Arc::new(egress.unwrap()),
        limits,
        entries,
        host: "test".into(),
    });
    assert!(matches!(commands[..], [Command::AskBoot]));
    let boot = BootInput {
        number: 1,
        entropy: [7; 32],
    };
    let commands = actor.step(now(0), Input::Boot(boot));
    (actor, commands)
}

fn text(text: &str) -> Input {
    let text = text.to_owned();
    Input::SocketText(SocketText { id: 1, text })
}

impl Bench {
    fn say(&mut self, mono_ms: u64, said: &str) -> Vec<Command> {
        self.actor.step(now(mono_ms), text(said))
    }

    fn starts(&self) -> Vec<(StartReason, String, usize)> {
        self.factory.starts.lock().unwrap().clone()
    }
}

fn put(key: &str) -> Action {
    Action::StorePut(Entry {
        key: key.into(),
        value: vec![1],
    })
}

fn say(payload: Vec<Piece>) -> Action {
    Action::SocketSend(SocketSend {
        id: 1,
        binary: false,
        payload,
    })
}

/// A secret as the inside of a JSON string.
fn secret(name: &str) -> Piece {
    Piece::Secret(SecretRef {
        name: name.into(),
        encoding: Encoding::JsonString,
    })
}

fn own(text: &str) -> Piece {
    Piece::Text(text.into())
}

/// Where secrets may stand towards `api.example.org`.
fn positions() -> Vec<Arc<Position>> {
    use secrets::position;
    vec![
        Arc::new(position(
            "token",
            Place::Header("authorization".into()),
            "Bearer ",
            "/**",
        )),
        Arc::new(position("key", Place::Upgrade("x-key".into()), "", "/**")),
        Arc::new(position(
            "key",
            Place::Body("/key".parse().unwrap()),
            "",
            "/token",
        )),
        Arc::new(position(
            "token",
            Place::Frame("/d/token".parse().unwrap()),
            "Bot ",
            "/",
        )),
    ]
}

fn request(id: u64, url: &str, body: Vec<Piece>) -> HttpRequest {
    HttpRequest {
        id,
        method: "POST".into(),
        url: url.into(),
        headers: vec![],
        body,
        timeout_ms: 1000,
        redirects: 0,
        sink: BodySink::Text(1000),
        want_headers: vec![],
        purpose: "test".into(),
    }
}

fn names(commands: &[Command]) -> Vec<&'static str> {
    let name = |command: &Command| match command {
        Command::Commit(_) => "commit",
        Command::SocketSend(_) => "send",
        Command::SocketClose(_) => "close",
        Command::Metric(_) => "metric",
        Command::Incident(_) => "incident",
        Command::Health(_) => "health",
        Command::Log(_) => "log",
        Command::Http(_) => "http",
        Command::HttpCancel(_) => "cancel",
        Command::Agent(_) => "agent",
        Command::AskBoot => "boot",
        _ => "other",
    };
    commands.iter().map(name).collect()
}

#[test]
fn effects_leave_as_at_once_then_one_commit_then_the_rest() {
    let metric = || {
        Action::Metric(Metric {
            name: "m".into(),
            label: String::new(),
            kind: MetricKind::Counter,
            value: 1,
        })
    };
    let mut bench = bench(move |_| {
        let hello = say(vec![Piece::Text("hello".into())]);
        Ok(vec![hello, put("a"), metric(), put("b"), metric()])
    });
    let commands = bench.say(1, "x");
    assert_eq!(names(&commands), ["metric", "metric", "commit", "send"]);
    let Command::Commit(changes) = &commands[2] else {
        panic!()
    };
    let keys: Vec<_> = changes.iter().map(Change::key).collect();
    assert_eq!(keys, ["a", "b"]);
}

#[test]
fn answers_for_unknown_ids_are_dropped_and_effects_on_them_ignored() {
    let mut bench = bench(|_| {
        Ok(vec![
            Action::TimerClear(99),
            Action::HttpCancel(99),
            Action::SocketClose(SocketClose {
                id: 99,
                code: 1000,
                reason: String::new(),
            }),
        ])
    });
    let foreign = Input::SocketText(SocketText {
        id: 99,
        text: "x".into(),
    });
    assert!(bench.actor.step(now(1), foreign).is_empty());
    let outcome = Err(Failure {
        stage: Stage::Dns,
        detail: String::new(),
        maybe_received: false,
    });
    let done = Input::HttpDone(RawHttpDone { id: 99, outcome });
    assert!(bench.actor.step(now(1), done).is_empty());
    assert_eq!(names(&bench.say(1, "x")), ["log", "log", "log"]);
}

#[test]
fn news_of_another_attempt_or_of_a_turn_that_is_over_is_dropped() {
    let begin = |id, attempt| {
        Action::TurnBegin(TurnBegin {
            id,
            attempt,
            conversation: "c".into(),
            message: TurnMessage {
                occasion: Occasion::Message,
                platform_id: "m".into(),
                scene: "s".into(),
                private: true,
                addressed: true,
                sender: Sender {
                    id: "u".into(),
                    name: None,
                    role: None,
                    bot: false,
                },
                text: "t".into(),
                quoted: None,
                attachments: vec![],
                sent_wall_ms: 0,
            },
            shows: SceneShows {
                markdown: false,
                media: vec![],
                buttons: false,
                cards: vec![],
                streaming: false,
                max_chars: 1,
                notes: vec![],
            },
            deadline_wall_ms: None,
        })
    };
    let mut bench = bench(move |event| match event {
        Event::SocketText(_) => Ok(vec![begin(9, 2)]),
        _ => Ok(vec![put("heard")]),
    });
    let commands = bench.say(1, "x");
    let [Command::Agent(ask)] = &commands[..] else {
        panic!("{commands:?}")
    };
    assert!(matches!(&**ask, AgentAsk::Begin(b) if b.attempt == 2));
    let news = |attempt, news| {
        Input::Turn(TurnEvent {
            turn: 9,
            attempt,
            news,
        })
    };
    assert!(
        bench
            .actor
            .step(now(2), news(1, TurnNews::Finished(vec![])))
            .is_empty()
    );
    assert_eq!(bench.actor.holdings().turns, [9]);
    assert!(
        !bench
            .actor
            .step(now(3), news(2, TurnNews::Cancelled))
            .is_empty()
    );
    assert!(bench.actor.holdings().turns.is_empty());
    assert!(
        bench
            .actor
            .step(now(4), news(2, TurnNews::Cancelled))
            .is_empty()
    );
}

#[test]
fn a_store_that_fails_shows_in_the_health_and_goes_away_with_its_trouble() {
    let mut bench = bench(|_| {
        Ok(vec![Action::Health(Health {
            level: HealthLevel::Ok,
            code: "ready".into(),
            summary: "ready".into(),
            fix: None,
        })])
    });
    let code = |commands: Vec<Command>| match commands.into_iter().next() {
        Some(Command::Health(health)) => health.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(bench.say(1, "x")), "ready");
    let trouble = Input::Store(Err("disk full".into()));
    assert_eq!(code(bench.actor.step(now(2), trouble)), "store-failing");
    assert_eq!(
        code(bench.actor.step(now(3), Input::Store(Ok(())))),
        "ready"
    );
}
