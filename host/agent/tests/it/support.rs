//! A channel that listens to an agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prx_agent::Agent;
use prx_host::agent::{AgentAsk, AgentLine, AgentPort};
use prx_host::bindings::v0_1::{
    AnswerPart, MediaKind, MediaPart, MediaSource, Occasion, SceneShows, Sender, TurnBegin,
    TurnCancel, TurnEvent, TurnMessage, TurnNews,
};
use prx_host::drivers::blobs::Blobs;
use tokio::io::AsyncReadExt;
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
    pub(crate) blobs: Blobs,
    news: mpsc::UnboundedReceiver<TurnEvent>,
    dir: tempfile::TempDir,
}

/// Largest blob of a bench, bytes.
pub(crate) const MAX_BLOB: u64 = 4 << 20;

impl Bench {
    pub(crate) fn new(agent: Agent) -> Self {
        Self::within(tempfile::tempdir().unwrap(), |_| agent)
    }

    /// With an agent that has a media folder.
    pub(crate) fn with_media(agent: impl FnOnce(&Path) -> Agent) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::within(dir, |dir| agent(&dir.join("media")))
    }

    fn within(dir: tempfile::TempDir, agent: impl FnOnce(&Path) -> Agent) -> Self {
        let agent = agent(dir.path());
        let blobs = Blobs::open(dir.path().join("blobs"), MAX_BLOB, 2 * MAX_BLOB).unwrap();
        let (sender, news) = mpsc::unbounded_channel();
        let send = move |event: TurnEvent| -> futures_util::future::BoxFuture<'static, bool> {
            let sent = sender.send(event).is_ok();
            Box::pin(async move { sent })
        };
        agent.attach(CHANNEL, AgentLine::new(Arc::new(send), blobs.clone()));
        Self {
            agent,
            blobs,
            news,
            dir,
        }
    }

    /// The folder in which everything of this bench is.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The media folder.
    pub(crate) fn media(&self) -> PathBuf {
        self.dir().join("media")
    }

    /// How many blobs there are, finished or not.
    pub(crate) fn blob_files(&self) -> usize {
        std::fs::read_dir(self.dir().join("blobs")).unwrap().count()
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
        match &self.parts(turn).await[..] {
            [AnswerPart::Text(text)] => text.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn parts(&mut self, turn: u64) -> Vec<AnswerPart> {
        match self.end(turn).await {
            TurnNews::Finished(parts) => parts,
            other => panic!("{other:?}"),
        }
    }

    /// What an order of the echo agent comes to.
    pub(crate) async fn order(&mut self, text: &str) -> Vec<AnswerPart> {
        self.begin(1, text);
        self.parts(1).await
    }

    /// The bytes and the name of a part in a blob.
    pub(crate) async fn file(&self, part: &AnswerPart) -> (MediaKind, String, Vec<u8>) {
        let AnswerPart::Media(MediaPart {
            kind,
            source: MediaSource::Blob(info),
            ..
        }) = part
        else {
            panic!("{part:?}")
        };
        let (mut reader, _) = self.blobs.read(info.blob, 0, None).await.unwrap();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await.unwrap();
        (*kind, info.name.clone().unwrap(), bytes)
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
