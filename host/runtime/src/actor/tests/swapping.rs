//! Another component takes over, or does not, with a component built for each case.

use super::*;

/// A component whose state is the text it has heard, written as `VERSION:TEXT`.
#[derive(Debug, Clone)]
pub(super) struct Build {
    name: &'static str,
    state: u32,
    reads_from: u32,
    also_writes: Vec<u32>,
    digest: &'static str,
    /// What it does wrong.
    wrong: Wrong,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    TrapsAtStart,
    Refuses,
    CountsOnATimer,
    MakesAnotherState,
    WritesTooMuch,
    Floods,
    TrapsOn(&'static str),
    TrapsAtCheckpointAfter(&'static str),
}

pub(super) const GOOD: Build = Build {
    name: "tiny",
    state: 1,
    reads_from: 1,
    also_writes: Vec::new(),
    digest: "a",
    wrong: Wrong::Nothing,
};

impl Build {
    fn wrong(wrong: Wrong) -> Self {
        Self {
            wrong,
            digest: "b",
            ..GOOD
        }
    }

    /// A build with state version 2.
    fn newer(also_writes: &[u32], wrong: Wrong) -> Self {
        Self {
            state: 2,
            also_writes: also_writes.to_vec(),
            ..Self::wrong(wrong)
        }
    }
}

struct Running {
    build: Build,
    heard: String,
}

impl Component for Build {
    fn instantiate(&self) -> Result<Box<dyn Guest>, GuestFault> {
        Ok(Box::new(Running {
            build: self.clone(),
            heard: String::new(),
        }))
    }

    fn describe(&self) -> Result<ChannelInfo, GuestFault> {
        Ok(ChannelInfo {
            name: self.name.into(),
            version: format!("{}.0.0", self.state),
            state_version: self.state,
            reads_from: self.reads_from,
            also_writes: self.also_writes.clone(),
            stores: Stored {
                entries: 10,
                bytes: 1 << 10,
            },
            sheds: vec!["old/".into()],
            keys: vec![],
        })
    }

    fn digest(&self) -> String {
        self.digest.into()
    }
}

impl Guest for Running {
    fn start(&mut self, _: Instant, boot: &Boot) -> Result<StartAnswer, GuestFault> {
        match self.build.wrong {
            Wrong::TrapsAtStart => return Err(trap("at the start")),
            Wrong::Refuses => {
                return Ok(Err(vec![Problem {
                    key: Some("url".into()),
                    sentence: "no url".into(),
                    fix: "write one".into(),
                }]));
            }
            Wrong::Floods => {
                let many = vec![put("x"); Limits::STANDARD.effects_per_call + 1];
                return Ok(Ok(plain(many)));
            }
            _ => {}
        }
        let Some(state) = boot.checkpoint.clone() else {
            return Ok(Ok(plain(vec![Action::SocketOpen(open(
                1,
                "wss://api.example.org/",
            ))])));
        };
        let state = String::from_utf8(state).unwrap();
        let (version, heard) = state.split_once(':').unwrap();
        let version: u32 = version.parse().unwrap();
        assert!((self.build.reads_from..=self.build.state).contains(&version));
        self.heard = heard.into();
        if self.build.wrong == Wrong::MakesAnotherState {
            self.heard.push('!');
        }
        Ok(Ok(vec![]))
    }

    fn handle(&mut self, _: Instant, event: &Event) -> Result<Vec<Effect>, GuestFault> {
        match event {
            Event::SocketText(text) if self.build.wrong == Wrong::TrapsOn(leak(&text.text)) => {
                Err(trap("on a text"))
            }
            Event::SocketText(text) => {
                self.heard.push_str(&text.text);
                let version = self.build.state;
                let answer = format!("{version}:{}", self.heard);
                let send = say(vec![Piece::Text(answer)]);
                Ok(plain(vec![put("heard"), send]))
            }
            Event::Skipped(_) => {
                self.heard.push('?');
                Ok(vec![])
            }
            _ => Ok(vec![]),
        }
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Result<Vec<u8>, String>, GuestFault> {
        if let Wrong::TrapsAtCheckpointAfter(text) = self.build.wrong
            && self.heard.ends_with(text)
        {
            return Err(trap("at a checkpoint"));
        }
        if self.build.wrong == Wrong::WritesTooMuch {
            return Ok(Ok(vec![0; Limits::STANDARD.checkpoint_bytes + 1]));
        }
        let version = match mode {
            CheckpointMode::AsVersion(version) if version != self.build.state => {
                if !self.build.also_writes.contains(&version) {
                    return Ok(Err(format!("no version {version}")));
                }
                version
            }
            _ => self.build.state,
        };
        Ok(Ok(format!("{version}:{}", self.heard).into_bytes()))
    }

    fn blank_event(&mut self, event: &Event) -> Result<Event, GuestFault> {
        Ok(event.clone())
    }

    fn blank_entry(&mut self, entry: &Entry) -> Result<Entry, GuestFault> {
        Ok(entry.clone())
    }

    fn inventory(&mut self) -> Result<Holdings, GuestFault> {
        let timers = match self.build.wrong {
            Wrong::CountsOnATimer => vec![7],
            _ => vec![],
        };
        Ok(Holdings {
            sockets: vec![1],
            requests: vec![],
            timers,
            turns: vec![],
        })
    }
}

/// Texts of a test are few and short.
fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// A channel that runs this build and has heard `a`.
fn channel(build: Build) -> Actor {
    let mut bench = bench_of(Arc::new(build));
    bench.step(now(1), text("a"));
    bench
}

fn offer(actor: &mut Actor, at: u64, build: Build) -> (Result<Taken, SwapRefused>, Vec<Command>) {
    offer_shared(actor, at, Arc::new(build))
}

fn offer_shared(
    actor: &mut Actor,
    at: u64,
    component: Arc<Build>,
) -> (Result<Taken, SwapRefused>, Vec<Command>) {
    let candidate = Candidate {
        component,
        limits: Limits::STANDARD,
        config: "{}".into(),
        secrets: vec![("key".to_owned(), Hidden::new("canary-key"))],
        captured: BTreeSet::from(["token".to_owned()]),
        egress: actor.egress(),
    };
    let swap = Swap {
        ticket: 9,
        candidate,
    };
    let mut commands = actor.step(now(at), Input::Swap(Box::new(swap)));
    let at = commands
        .iter()
        .position(|c| matches!(c, Command::Swapped { .. }));
    let Command::Swapped { ticket: 9, outcome } = commands.remove(at.unwrap()) else {
        panic!()
    };
    (*outcome, commands)
}

/// What was sent for a text.
fn answer(actor: &mut Actor, at: u64, said: &str) -> Vec<String> {
    sent(&actor.step(now(at), text(said)))
}

fn sent(commands: &[Command]) -> Vec<String> {
    let sent = commands.iter().filter_map(|command| match command {
        Command::SocketSend(message) => match &message.payload[..] {
            [BodyPiece::Text(text)] => Some(text.expose().to_owned()),
            _ => None,
        },
        _ => None,
    });
    sent.collect()
}

#[test]
fn a_component_takes_over_between_two_events_and_the_world_does_not_notice() {
    let mut actor = channel(GOOD);
    let held = actor.holdings();
    let (taken, commands) = offer(&mut actor, 2, Build::newer(&[1], Wrong::Nothing));
    let taken = taken.unwrap();
    assert_eq!(
        (taken.standing.generation, taken.from.as_str()),
        (2, "1.0.0")
    );
    assert_eq!(taken.standing.digest, "b");
    assert!(taken.way_back && commands.is_empty(), "{commands:?}");
    assert_eq!(actor.holdings(), held);
    assert_eq!(answer(&mut actor, 3, "b"), ["2:ab"]);
}

#[test]
fn a_candidate_that_fails_leaves_no_trace_and_the_reason_is_said() {
    let other = Build {
        name: "other",
        ..Build::wrong(Wrong::Nothing)
    };
    let too_new = Build {
        state: 4,
        reads_from: 3,
        ..Build::wrong(Wrong::Nothing)
    };
    for (build, says) in [
        (other, "put it into a folder of its own name"),
        (
            too_new,
            "writes state version 1, and the candidate reads 3 to 4",
        ),
        (
            Build::wrong(Wrong::TrapsAtStart),
            "broke when it was to start",
        ),
        (Build::wrong(Wrong::Refuses), "url: no url; write one"),
        (
            Build::wrong(Wrong::CountsOnATimer),
            "counts on other timers",
        ),
        (Build::wrong(Wrong::MakesAnotherState), "made another state"),
        (Build::wrong(Wrong::WritesTooMuch), "the checkpoint has"),
        (Build::wrong(Wrong::Floods), "effects in one call"),
        (
            Build::wrong(Wrong::TrapsAtCheckpointAfter("a")),
            "broke when it was to write its state",
        ),
        (
            Build::newer(&[1], Wrong::TrapsAtCheckpointAfter("a")),
            "broke when it was to write its state",
        ),
    ] {
        let mut actor = channel(GOOD);
        let held = actor.holdings();
        let (refused, commands) = offer(&mut actor, 2, build.clone());
        let sentence = refused.unwrap_err().to_string();
        assert!(sentence.contains(says), "{build:?}: {sentence}");
        assert_eq!(names(&commands), ["log"], "{build:?}");
        assert_eq!((actor.generation(), actor.holdings()), (1, held));
        assert_eq!(answer(&mut actor, 3, "b"), ["1:ab"], "{build:?}");
    }
}

#[test]
fn one_that_breaks_soon_after_gives_way_to_the_one_before_which_takes_the_event() {
    for also_writes in [vec![1], vec![]] {
        let way_back = also_writes.contains(&1);
        let mut actor = channel(GOOD);
        let bad = Build::newer(&also_writes, Wrong::TrapsOn("c"));
        let (taken, _) = offer(&mut actor, 2, bad);
        assert_eq!(taken.unwrap().way_back, way_back);
        answer(&mut actor, 3, "b");
        let commands = actor.step(now(4), text("c"));
        let rolled_back = commands.iter().any(|c| {
            matches!(c, Command::RolledBack { broke, standing, .. } if broke == "b" && standing.digest == "a" && standing.generation == 3)
        });
        assert_eq!(rolled_back, way_back, "{commands:?}");
        if way_back {
            assert_eq!(sent(&commands), ["1:abc"]);
            assert_eq!(answer(&mut actor, 5, "d"), ["1:abcd"]);
        } else {
            // There the event is to blame, as ever.
            assert_eq!(answer(&mut actor, 5, "d"), ["2:ab?d"]);
        }
    }
}

#[test]
fn one_that_breaks_when_it_writes_its_state_loses_no_event() {
    let mut actor = channel(GOOD);
    let bad = Build::newer(&[1], Wrong::TrapsAtCheckpointAfter("c"));
    offer(&mut actor, 2, bad).0.unwrap();
    let commands = actor.step(now(3), text("c"));
    // Its effects were out before it broke; they are not repeated.
    assert_eq!(sent(&commands), ["2:ac"]);
    assert_eq!(answer(&mut actor, 4, "d"), ["1:acd"]);
}

#[test]
fn the_rules_of_one_that_was_sent_back_go_with_it() {
    let mut actor = channel(GOOD);
    let before = actor.egress();
    let group = EgressGroup {
        name: "api".into(),
        hosts: vec!["elsewhere.example.org".parse().unwrap()],
        ports: vec![443],
        positions: vec![],
        captures: vec![],
    };
    let other = before.of_groups(vec![group]).unwrap();
    let candidate = Candidate {
        component: Arc::new(Build::newer(&[1], Wrong::TrapsOn("c"))),
        limits: Limits::STANDARD,
        config: "{}".into(),
        secrets: vec![],
        captured: BTreeSet::new(),
        egress: Arc::new(other.clone()),
    };
    let swap = Swap {
        ticket: 9,
        candidate,
    };
    actor.step(now(2), Input::Swap(Box::new(swap)));
    assert_eq!(*actor.egress(), other);
    actor.step(now(3), text("c"));
    assert_eq!(actor.egress(), before);
}

#[test]
fn one_that_has_not_proved_itself_is_nothing_to_go_back_to() {
    let mut actor = channel(GOOD);
    let unproven = Build::newer(&[1], Wrong::TrapsOn("c"));
    offer(&mut actor, 2, unproven).0.unwrap();
    let third = Build {
        digest: "c",
        ..Build::newer(&[1], Wrong::TrapsOn("d"))
    };
    offer(&mut actor, 3, third).0.unwrap();
    assert_eq!(sent(&actor.step(now(4), text("d"))), ["1:ad"]);
    assert_eq!(actor.standing().digest, "a");
}

#[test]
fn an_event_that_breaks_both_is_the_events_fault() {
    let mut actor = channel(Build {
        wrong: Wrong::TrapsOn("c"),
        ..GOOD
    });
    let bad = Build::newer(&[1], Wrong::TrapsOn("c"));
    offer(&mut actor, 2, bad).0.unwrap();
    let commands = actor.step(now(3), text("c"));
    let settled: Vec<Settled> = commands
        .iter()
        .filter_map(|c| match c {
            Command::Incident(incident) => Some(incident.settled),
            _ => None,
        })
        .collect();
    assert_eq!(settled, [Settled::RolledBack, Settled::Skipped]);
    assert_eq!(answer(&mut actor, 4, "d"), ["1:a?d"]);
}

#[test]
fn after_a_hundred_events_and_ten_minutes_a_component_has_proved_itself() {
    let mut actor = channel(GOOD);
    let bad = Build::newer(&[1], Wrong::TrapsOn("late"));
    offer(&mut actor, 2, bad).0.unwrap();
    for n in 0..100 {
        actor.step(now(3 + n), text("."));
    }
    assert!(actor.on_probation());
    actor.step(now(600_002), text("."));
    assert!(!actor.on_probation());
    // From here on it is the event's fault, and the state is the component's own.
    actor.step(now(600_003), text("late"));
    assert_eq!(actor.generation(), 2);
    assert!(answer(&mut actor, 600_004, "x")[0].starts_with("2:a...."));
}

#[test]
fn going_back_on_purpose_works_through_the_older_form_or_is_refused_with_both_versions() {
    let mut actor = channel(Build::newer(&[1], Wrong::Nothing));
    let (taken, _) = offer(&mut actor, 2, GOOD);
    let taken = taken.unwrap();
    assert_eq!(taken.standing.state_version, 1);
    assert!(
        taken.way_back,
        "the newer one reads what the older one writes"
    );
    assert_eq!(answer(&mut actor, 3, "b"), ["1:ab"]);

    let mut actor = channel(Build::newer(&[], Wrong::Nothing));
    let (refused, _) = offer(&mut actor, 2, GOOD);
    let sentence = refused.unwrap_err().to_string();
    assert!(
        sentence.contains("writes state version 2, and the candidate reads 1 to 1"),
        "{sentence}"
    );
    assert_eq!(answer(&mut actor, 3, "b"), ["2:ab"]);
}

#[test]
fn a_rehearsal_finds_what_the_last_events_would_break() {
    let mut actor = channel(GOOD);
    actor.step(now(2), text("b"));
    let candidate = |wrong| Candidate {
        component: Arc::new(Build::newer(&[1], wrong)),
        limits: Limits::STANDARD,
        config: "{}".into(),
        secrets: vec![],
        captured: BTreeSet::new(),
        egress: actor.egress(),
    };
    let play = |wrong| actor.rehearsal().play(&candidate(wrong), now(3));
    let played = play(Wrong::Nothing).unwrap();
    assert_eq!(played, 3, "the opened socket, and two texts");
    let error = play(Wrong::TrapsOn("b")).unwrap_err().to_string();
    assert!(error.contains("event 3 of the last 3"), "{error}");
}

#[test]
fn a_component_whose_channel_is_down_hands_nothing_on() {
    let mut actor = channel(Build {
        wrong: Wrong::TrapsOn("c"),
        ..GOOD
    });
    for n in 0..30 {
        actor.step(now(2 + n), text("c"));
    }
    assert!(!actor.is_running());
    let (refused, _) = offer(&mut actor, 40, Build::wrong(Wrong::Nothing));
    assert!(matches!(refused, Err(SwapRefused::NotRunning)));
}

#[test]
fn what_a_swap_replaces_is_handed_over_and_not_let_go_of_in_the_pause() {
    let mut actor = channel(GOOD);
    let second = Arc::new(Build::wrong(Wrong::Nothing));
    let code = Arc::downgrade(&second);
    offer_shared(&mut actor, 2, second).0.unwrap();
    drop(actor.take_retired());
    assert!(code.upgrade().is_some(), "it runs");
    offer(&mut actor, 3, GOOD).0.unwrap();
    assert!(code.upgrade().is_some(), "it is with what the swap left");
    drop(actor.take_retired());
    assert!(code.upgrade().is_none());
    assert!(actor.take_retired().is_empty());
}
