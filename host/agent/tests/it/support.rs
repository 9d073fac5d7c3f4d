//! A channel that listens to an agent.

use std::sync::Arc;
use std::time::Duration;

use prx_agent::Agent;
use prx_host::agent::{AgentAsk, AgentLine, AgentPort};
use prx_host::bindings::v0_1::{
    AnswerPart, Occasion, SceneShows, Sender, TurnBegin, TurnCancel, TurnEvent, TurnMessage,
    TurnNews,
};
use prx_host::drivers::blobs::Blobs;
use tokio::sync::mpsc;

pub(crate) const CHANNEL: &str = "bot";

/// No test waits longer for anything.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(3600);
    tokio::time::timeout(patience, what)
        .await
        .expect("this takes too long")
}

pub(crate) struct Bench {
    pub(crate) agent: Agent,
    news: mpsc::UnboundedReceiver<TurnEvent>,
    _dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(agent: Agent) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().join("blobs"), 1000, 1000).unwrap();
        let (sender, news) = mpsc::unbounded_channel();
        let send = move |event: TurnEvent| -> futures_util::future::BoxFuture<'static, bool> {
            let sent = sender.send(event).is_ok();
            Box::pin(async move { sent })
        };
        agent.attach(CHANNEL, AgentLine::new(Arc::new(send), blobs));
        Self {
            agent,
            news,
            _dir: dir,
        }
    }

    pub(crate) fn ask(&self, ask: AgentAsk) {
        self.agent.ask(CHANNEL, ask);
    }

    pub(crate) fn begin(&self, id: u64, text: &str) {
        self.ask(AgentAsk::Begin(begin(id, 1, text)));
    }

    pub(crate) fn cancel(&self, id: u64) {
        let reason = "a newer message".into();
        self.ask(AgentAsk::Cancel(TurnCancel { id, reason }));
    }

    pub(crate) async fn next(&mut self) -> TurnEvent {
        soon(self.news.recv()).await.unwrap()
    }

    /// What the turn ends with; what was said before it is passed over.
    pub(crate) async fn end(&mut self, turn: u64) -> TurnNews {
        loop {
            let event = self.next().await;
            assert_eq!(event.turn, turn);
            if !matches!(event.news, TurnNews::Delta(_)) {
                return event.news;
            }
        }
    }

    pub(crate) async fn answer(&mut self, turn: u64) -> String {
        match self.end(turn).await {
            TurnNews::Finished(parts) => match &parts[..] {
                [AnswerPart::Text(text)] => text.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn failure(&mut self, turn: u64) -> String {
        match self.end(turn).await {
            TurnNews::Failed(why) => why,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn begin(id: u64, attempt: u32, text: &str) -> TurnBegin {
    TurnBegin {
        id,
        attempt,
        conversation: "c".into(),
        message: TurnMessage {
            occasion: Occasion::Message,
            platform_id: format!("m{id}"),
            scene: "room".into(),
            private: true,
            addressed: true,
            sender: Sender {
                id: "u1".into(),
                name: Some("Anna".into()),
                role: None,
                bot: false,
            },
            text: text.into(),
            quoted: None,
            attachments: vec![],
            sent_wall_ms: 0,
        },
        shows: SceneShows {
            markdown: true,
            media: vec![],
            buttons: false,
            cards: vec![],
            streaming: true,
            max_chars: 2000,
            notes: vec![],
        },
        deadline_wall_ms: None,
    }
}
