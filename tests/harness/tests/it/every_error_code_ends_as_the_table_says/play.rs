//! One person, one question, one refusal: and what the person sees of the answer.

use harness::sim::Stage;
use prx_host::bindings::v0_1 as host;
use qq_emulator::actions::{Act, ActionOutcome};
use qq_emulator::ids::Openid;
use qq_emulator::ledger::{BotForm, BotMessage};
use serde_json::{Value, json};

use super::agent::{WORDS, stage};

/// Where somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    C2c,
    Group,
    Channel,
    Dm,
}

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plain text, as a reply.
    Words(Place),
    /// A text with a link, as a reply.
    Linked(Place),
    /// Markdown, as a reply.
    Marked(Place),
    /// A text to everybody in a channel.
    Everyone,
    /// Markdown with buttons.
    Buttons(Place),
    /// A picture, when it is uploaded.
    Upload(Place),
    /// A picture, when it is sent.
    Picture(Place),
    /// A card.
    Ark,
    /// An embed.
    Embed,
    /// The first piece of a growing text.
    StreamBegin,
    /// A later piece.
    StreamMiddle,
    /// The piece that closes it.
    StreamEnd,
    /// What the operator sends, and nobody asked for.
    Unasked(Place),
    /// Taking a message back.
    Recall,
    /// A reaction.
    Reaction,
    /// The acknowledgement of a press.
    Ack,
}

impl Kind {
    fn place(self) -> Place {
        match self {
            Self::Words(place)
            | Self::Linked(place)
            | Self::Marked(place)
            | Self::Buttons(place)
            | Self::Upload(place)
            | Self::Picture(place)
            | Self::Unasked(place) => place,
            Self::Ark | Self::Embed | Self::Reaction | Self::Everyone => Place::Channel,
            Self::StreamBegin | Self::StreamMiddle | Self::StreamEnd | Self::Recall | Self::Ack => {
                Place::C2c
            }
        }
    }

    /// The word that the agent knows the question by.
    fn word(self) -> &'static str {
        match self {
            Self::Words(_) | Self::Unasked(_) | Self::Ack => "words",
            Self::Linked(_) => "linked",
            Self::Marked(_) => "marked",
            Self::Everyone => "everyone",
            Self::Buttons(_) => "buttons",
            Self::Upload(_) | Self::Picture(_) => "picture",
            Self::Ark => "ark",
            Self::Embed => "embed",
            Self::StreamBegin | Self::StreamMiddle | Self::StreamEnd => "growing",
            Self::Recall => "recall",
            Self::Reaction => "reaction",
        }
    }

    /// Which request the refusal waits for.
    fn point(self) -> &'static str {
        match self {
            Self::Upload(_) => "upload",
            Self::Ack => "ack",
            // Nothing else is asked of the platform before these.
            Self::Recall | Self::Reaction => "any",
            _ => "post",
        }
    }
}

/// A message as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) form: BotForm,
    pub(super) text: String,
    pub(super) buttons: bool,
    /// 1 for a picture, 4 for a file.
    pub(super) file: Option<u8>,
}

impl End {
    /// How this is not what it should be, in short.
    pub(super) fn unlike(&self, other: &Self) -> Vec<String> {
        let lines = |end: &Self| {
            let mut lines: Vec<String> = vec![format!("{:?}", end.shown)];
            lines.push(format!("{} {:?}", end.outcome, end.code));
            lines.push(format!("learned {:?}", end.learned));
            lines.push(format!("gone {} health {:?}", end.gone, end.health));
            lines.push(format!(
                "recalled {} reactions {}",
                end.recalled, end.reactions
            ));
            lines.push(format!("broken {:?} unstruck {}", end.broken, end.unstruck));
            lines
        };
        let pairs = lines(self).into_iter().zip(lines(other));
        let unlike = pairs.filter(|(is, should)| is != should);
        unlike
            .map(|(is, should)| format!("{is}, and not {should}"))
            .collect()
    }
}

impl Shown {
    pub(super) fn new(form: BotForm, text: &str) -> Self {
        Self {
            form,
            text: text.to_owned(),
            buttons: false,
            file: None,
        }
    }

    fn of(message: &BotMessage) -> Self {
        Self {
            form: message.form,
            text: message.text.trim().to_owned(),
            buttons: message.keyboard.is_some(),
            file: message.media.as_ref().map(|media| media.file_type),
        }
    }
}

/// What came of an answer: on the person's screen, for the agent, and for the next answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) shown: Vec<Shown>,
    /// The word of the outcome, as the agent or the operator is told it.
    pub(super) outcome: String,
    /// The code that comes with it.
    pub(super) code: Option<i64>,
    /// What was learned of the place, each as feature and what of it.
    pub(super) learned: Vec<String>,
    /// The place is remembered as gone.
    pub(super) gone: bool,
    /// What the operator reads of the channel's health.
    pub(super) health: Option<String>,
    /// The message was taken back.
    pub(super) recalled: bool,
    /// Reactions of the bot's to the question.
    pub(super) reactions: usize,
    /// Rules of the platform that were broken.
    pub(super) broken: Vec<String>,
    /// The refusal was not asked for so often.
    pub(super) unstruck: bool,
}

/// Worlds for one case after the other: a new one wherever the last case taught the bot something about all places.
pub(super) struct Theatre {
    stage: Option<Stage>,
    cases: u32,
    /// People who write before the operator sends something to them.
    crowd: u32,
    /// People who wrote so long ago that nothing pays for a reply to them any more.
    waiting: Vec<(String, Openid)>,
}

/// Cases after which a world is replaced: what one person does costs more the more the bot remembers.
const CASES: u32 = 32;

impl Theatre {
    /// For so many cases.
    pub(super) fn new(crowd: usize) -> Self {
        Self {
            stage: None,
            cases: 0,
            crowd: u32::try_from(crowd).unwrap(),
            waiting: Vec::new(),
        }
    }

    /// Lets somebody ask for `kind` while the next so many requests are refused with `code`.
    pub(super) fn refuse(&mut self, kind: Kind, code: i64, times: u32) -> End {
        self.refuse_long(kind, (code, times), 0)
    }

    /// The same, and looks after so many milliseconds more.
    pub(super) fn refuse_long(
        &mut self,
        kind: Kind,
        (code, times): (i64, u32),
        wait_ms: u64,
    ) -> End {
        let mut stage = self.stage.take().unwrap_or_else(|| {
            let mode = match kind {
                Kind::StreamBegin | Kind::StreamMiddle | Kind::StreamEnd => "stream",
                _ => "none",
            };
            stage(&json!({"stream_mode": mode}))
        });
        self.cases += 1;
        let mut person = format!("p{}", self.cases);
        let mut silent = None;
        if let Kind::Unasked(place) = kind {
            if self.waiting.is_empty() {
                self.waiting = gather(&mut stage, place, self.crowd);
            }
            let (name, target) = self.waiting.pop().unwrap();
            (person, silent) = (name, Some(target));
        }
        let case = Case {
            kind,
            person,
            silent,
            wait_ms,
            fault: format!("refuse {code} at {} x{times}", kind.point()),
        };
        let (end, general) = case.play(&mut stage);
        let old = self.cases.is_multiple_of(CASES) && self.waiting.is_empty();
        self.stage = Some(stage).filter(|_| !general && !end.unstruck && !old);
        if self.stage.is_none() {
            self.waiting.clear();
        }
        end
    }
}

/// Lets a crowd write, and waits until nothing pays for a reply to them any more.
fn gather(stage: &mut Stage, place: Place, crowd: u32) -> Vec<(String, Openid)> {
    let gathered = (0..crowd).map(|number| {
        let name = format!("q{number}");
        let asked = stage.begin(place.asks(&name, "hello"));
        stage.pass(200);
        (name, asked.target.unwrap())
    });
    let gathered = gathered.collect();
    stage.pass(3_700_000);
    gathered
}

impl Place {
    fn asks(self, person: &str, word: &str) -> Act {
        match self {
            Self::C2c => Act::c2c(person, word),
            Self::Group => Act::group_at(person, person, word),
            Self::Channel => Act::channel_at("guild", person, person, word),
            Self::Dm => Act::dm("guild", person, word),
        }
    }

    /// A target there, as the operator writes it.
    fn target(self, id: &Openid) -> String {
        let word = match self {
            Self::C2c => "user",
            Self::Group => "group",
            Self::Channel => "channel",
            Self::Dm => "dm",
        };
        format!("{word}:{id}")
    }
}

struct Case {
    kind: Kind,
    person: String,
    /// Where the operator writes to.
    silent: Option<Openid>,
    wait_ms: u64,
    fault: String,
}

impl Case {
    fn asks(&self, word: &str) -> Act {
        self.kind.place().asks(&self.person, word)
    }

    /// What came of it, and whether something was learned that concerns all places.
    fn play(&self, stage: &mut Stage) -> (End, bool) {
        self.prepare(stage);
        let seen = stage.platform().ledger().bot_message_count();
        let told = stage.outcomes().len();
        let (ills, breaches) = (stage.health().len(), stage.violations().len());
        let asked = self.ask(stage);
        stage.pass(self.wait_ms);
        let unstruck = Self::unstruck(stage);
        let target = asked.target.or(self.silent.clone()).unwrap();
        let ledger = stage.platform().ledger();
        let shown = ledger
            .bot_messages_since(seen)
            .filter(|message| message.target == target && message.form != BotForm::Typing)
            .map(|message| Shown::of(message))
            .collect();
        let recalled = ledger.marks().any(|(id, mark)| {
            mark.recalled.is_some()
                && ledger
                    .bot_messages()
                    .any(|message| message.id == *id && message.target == target)
        });
        let mark = asked.message_id.as_ref().and_then(|id| ledger.mark(id));
        let reactions = mark.map_or(0, |mark| mark.reactions.len());
        // A press that was not acknowledged, because the platform refused it, is no fault of the bot's.
        let mut broken = stage.violations().split_off(breaches);
        broken.retain(|rule| self.kind != Kind::Ack || !rule.contains("not acknowledged in time"));
        let (outcome, code) = self.outcome(stage, told);
        let health = stage.health().get(ills..).unwrap_or_default();
        let ill = health.iter().find(|health| health.code != "ready");
        let health = ill.map(|health| health.code.clone());
        let scene = format!("{:?}", self.kind.place()).to_lowercase();
        let place = stage.stored(&format!("place/{scene}/{target}"));
        let gone = place.is_some_and(|place| place.contains("\"gone\":true"));
        let (learned, general) = learned(stage, target.as_str());
        assert_eq!(stage.findings(), Vec::<String>::new(), "{}", self.fault);
        let end = End {
            shown,
            outcome,
            code,
            learned,
            gone,
            health,
            recalled,
            reactions,
            broken,
            unstruck,
        };
        (end, general)
    }

    /// What must have happened before.
    fn prepare(&self, stage: &mut Stage) {
        let word = match self.kind {
            Kind::Recall => "hello",
            Kind::Ack => "buttons",
            _ => return,
        };
        stage.act(self.asks(word));
    }

    fn ask(&self, stage: &mut Stage) -> ActionOutcome {
        let question = self.asks(self.kind.word());
        match self.kind {
            // The pieces leave at 100 ms and at 20 s, and the end at 60 s, after up to 4 s of thinking.
            Kind::StreamMiddle | Kind::StreamEnd => {
                let asked = stage.begin(question);
                let shown = if self.kind == Kind::StreamMiddle {
                    12_000
                } else {
                    40_000
                };
                stage.pass(shown);
                stage.fault(&self.fault);
                stage.pass(120_000);
                asked
            }
            Kind::Unasked(_) => {
                stage.fault(&self.fault);
                let target = self.silent.as_ref().unwrap();
                let target = self.kind.place().target(target);
                stage.ask(host::OperatorCommand::Send(host::OperatorSend {
                    target,
                    parts: vec![host::AnswerPart::Text(WORDS.to_owned())],
                }));
                ActionOutcome::default()
            }
            Kind::Ack => {
                stage.fault(&self.fault);
                stage.act(Act::Press {
                    user: self.person.as_str().into(),
                    message_id: None,
                    button: "Yes".into(),
                })
            }
            Kind::StreamBegin => {
                stage.fault(&self.fault);
                let asked = stage.begin(question);
                stage.pass(120_000);
                asked
            }
            _ => {
                stage.fault(&self.fault);
                stage.act(question)
            }
        }
    }

    /// True when some of the refusals never struck.
    fn unstruck(stage: &Stage) -> bool {
        let app = stage.platform().default_app().unwrap();
        !stage.platform().waiting_faults(app).is_empty()
    }

    /// What the agent, or the operator, was told: once, and not more.
    fn outcome(&self, stage: &Stage, told: usize) -> (String, Option<i64>) {
        if matches!(self.kind, Kind::Unasked(_)) {
            let data = stage.replies().last().and_then(|reply| reply.data.clone());
            let data: Value = serde_json::from_str(&data.unwrap()).unwrap();
            let word = data["outcome"].as_str().unwrap().to_owned();
            return (word, data["code"].as_i64());
        }
        let outcomes = stage.outcomes().split_off(told);
        let [outcome] = outcomes.as_slice() else {
            panic!("{:?} {}: told {outcomes:?}", self.kind, self.fault);
        };
        let word = format!("{:?}", outcome.outcome);
        (
            word.trim_start_matches("Outcome::").to_owned(),
            outcome.code,
        )
    }
}

/// What status says was learned of a place, and whether some of it concerns all places of its kind.
pub(super) fn learned(stage: &mut Stage, target: &str) -> (Vec<String>, bool) {
    stage.ask(host::OperatorCommand::Status);
    let data = stage.replies().last().and_then(|reply| reply.data.clone());
    let data: Value = serde_json::from_str(&data.unwrap()).unwrap();
    let (mut lines, mut general) = (Vec::new(), false);
    for line in data["learned"].as_array().unwrap() {
        let of = line["target"].as_str().unwrap();
        general |= of.is_empty();
        if of.is_empty() || of == target {
            let what = match &line["learned"] {
                Value::String(word) => word.clone(),
                other => other.to_string(),
            };
            lines.push(format!("{} {what}", line["feature"].as_str().unwrap()));
        }
    }
    (lines, general)
}
