//! Turns at once are bounded, over all conversations; the others wait, and leave when they are cancelled.

use prx_agent::{Agent, AgentConfig, CommandConfig, Mind};
use prx_host::agent::{AgentAsk, AgentPort};
use prx_host::bindings::v0_1::{AnswerPart, TurnNews};
use prx_host::drivers::network::{Network, NetworkOptions, ProxyChoice};
use prx_host::egress::address::AddressPolicy;

use crate::support::{Bench, CHANNEL, begin};

/// A bench whose agent is a program that marks its beginning and answers once it is let.
fn bench(at_once: usize) -> Bench {
    let network = Network::new(&NetworkOptions {
        proxy: ProxyChoice::Direct,
        extra_ca: None,
        addresses: AddressPolicy::default(),
    });
    let network = network.unwrap();
    Bench::with_media(|media| {
        let script = r#"read -r line; mkdir -p ran; : > "ran/$$"; until [ -e go ]; do sleep 0.01; done; echo '{"finished":"done"}'"#;
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        let config = AgentConfig {
            mind: Mind::Command(CommandConfig {
                command,
                env: Vec::new(),
                system_prompt: String::new(),
            }),
            at_once,
            media_dir: Some(media.to_owned()),
            ..AgentConfig::default()
        };
        Agent::new(&config, &network).unwrap()
    })
}

impl Bench {
    fn begin_in(&self, id: u64, conversation: &str) {
        let mut turn = begin(id, 1, "hello");
        turn.conversation = conversation.into();
        self.ask(AgentAsk::Begin(turn));
    }

    fn programs(&self) -> usize {
        let ran = std::fs::read_dir(self.dir().join("ran"));
        ran.map_or(0, Iterator::count)
    }

    /// Until so many wait; the tasks of the turns take their places in their own time.
    async fn until_waiting(&self, count: usize) {
        while self.agent.waiting(CHANNEL) != count {
            tokio::task::yield_now().await;
        }
    }

    fn let_go(&self) {
        std::fs::write(self.dir().join("go"), "").unwrap();
    }
}

#[tokio::test]
async fn four_hundred_turns_are_eight_programs_at_once_and_all_are_answered() {
    let mut bench = bench(8);
    for id in 0..400 {
        bench.begin_in(id, &format!("c{}", id % 50));
    }
    bench.until_waiting(392).await;
    while bench.programs() < 8 {
        tokio::task::yield_now().await;
    }
    assert_eq!((bench.programs(), bench.agent.waiting(CHANNEL)), (8, 392));
    bench.let_go();
    for _ in 0..400 {
        let event = bench.next().await;
        assert_eq!(
            event.news,
            TurnNews::Finished(vec![AnswerPart::Text("done".into())])
        );
    }
    assert_eq!((bench.programs(), bench.agent.waiting(CHANNEL)), (400, 0));
}

#[tokio::test]
async fn a_turn_that_is_cancelled_while_it_waits_leaves_the_queue_and_never_runs() {
    let mut bench = bench(1);
    for id in 0..3 {
        bench.begin_in(id, "c");
    }
    bench.until_waiting(2).await;
    bench.cancel(1);
    let event = bench.next().await;
    assert_eq!((event.turn, event.news), (1, TurnNews::Cancelled));
    assert_eq!(bench.agent.waiting(CHANNEL), 1);
    bench.let_go();
    for turn in [0, 2] {
        assert_eq!(bench.answer(turn).await, "done");
    }
    assert_eq!(bench.programs(), 2);
    // The channel goes: so do those that wait.
    std::fs::remove_file(bench.dir().join("go")).unwrap();
    for id in 10..20 {
        bench.begin_in(id, "c");
    }
    bench.until_waiting(9).await;
    bench.agent.detach(CHANNEL);
    bench.until_waiting(0).await;
}

#[tokio::test]
async fn one_persons_flood_lets_the_next_person_in_before_its_second_turn() {
    let mut bench = bench(1);
    for id in 0..20 {
        bench.begin_in(id, "flood");
    }
    bench.begin_in(100, "other");
    bench.until_waiting(20).await;
    bench.let_go();
    let mut order = Vec::new();
    for _ in 0..21 {
        order.push(bench.next().await.turn);
    }
    let place = order.iter().position(|turn| *turn == 100);
    assert!(place <= Some(2), "{order:?}");
}
