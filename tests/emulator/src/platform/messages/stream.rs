//! Streaming in C2C: one message that grows piece by piece.
//!
//! Source: the documentation's page on streaming messages.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fields::{Kind, chars, check_types, number_of, text_of};
use super::offers::{Offers, read_offers};
use super::passive::key_of;
use super::publish::Sent;
use super::{Outgoing, Refusal, body, check_standing, json_body};
use crate::ids::{AppId, MessageId, RefIdx};
use crate::ledger::{BotForm, Happening, Piece as Shown, ReplyTo, Scene, Violation};
use crate::platform::Platform;
use crate::platform::due::Delayed;
use crate::platform::place::Spot;
use crate::platform::routes::{Answer, Call};
use crate::record::What;
use crate::settings::BotSettings;
use crate::time::Millis;

/// A stream that has begun and not finished.
#[derive(Debug)]
pub(crate) struct Stream {
    spot: Spot,
    text: String,
    index: u64,
    last: Millis,
    reply_to: Option<ReplyTo>,
    msg_seq: u32,
    slot: Option<u32>,
    ref_idx: RefIdx,
    offers: Offers,
}

impl Stream {
    /// Where it grows, and what it offers meanwhile.
    pub(crate) fn offered(&self) -> (&Spot, &Offers) {
        (&self.spot, &self.offers)
    }
}

/// One piece, as it came.
struct Piece {
    replace: bool,
    done: bool,
    index: u64,
    text: String,
    stream: Option<String>,
    reply_to: Option<ReplyTo>,
    msg_seq: u32,
    is_wakeup: bool,
    offers: Offers,
}

const FIELDS: &[(&str, Kind)] = &[
    ("input_mode", Kind::Text),
    ("input_state", Kind::Whole),
    ("index", Kind::Whole),
    ("content_type", Kind::Text),
    ("content_raw", Kind::Text),
    ("stream_msg_id", Kind::Text),
    ("msg_id", Kind::Text),
    ("event_id", Kind::Text),
    ("msg_seq", Kind::Whole),
    ("is_wakeup", Kind::Flag),
    ("prompt_keyboard", Kind::Object),
    ("action_button", Kind::Object),
];

impl Platform {
    /// `POST /v2/users/{openid}/stream_messages`.
    pub(in crate::platform) fn post_stream(&mut self, call: &Call, app: &AppId) -> Answer {
        let outcome = self.try_stream(call, app);
        self.settle(app, outcome)
    }

    fn try_stream(&mut self, call: &Call, app: &AppId) -> Result<Answer, Refusal> {
        let bot = self.bots.get(app).ok_or_else(|| Refusal::code(10_001))?;
        if !bot.settings.streams.enabled {
            return Err(Refusal::code(11_253));
        }
        check_standing(&bot.settings)?;
        let fields = json_body(call)?.as_object();
        let fields = fields.ok_or_else(|| bad("a body that is no object"))?;
        check_types(fields, FIELDS, bot.settings.messages.nulls)?;
        let piece = Piece::read(fields, &bot.settings)?;
        let spot = self.find_chat(app, Scene::C2c, call.segment(2))?;
        let id = match piece.stream.clone() {
            None => self.begin_stream(app, spot, &piece)?,
            Some(id) => {
                self.grow_stream(app, &spot, &id, &piece)?;
                id
            }
        };
        Ok(self.stream_answer(app, &id, &piece, &call.text))
    }

    fn begin_stream(&mut self, app: &AppId, spot: Spot, piece: &Piece) -> Result<String, Refusal> {
        if piece.index != 0 {
            return Err(bad("the first piece has another index than 0"));
        }
        if piece.text.trim().is_empty() {
            return Err(bad("the first piece is blank"));
        }
        self.check_words(app, &piece.text)?;
        let mut outgoing = Outgoing::new(BotForm::Stream, String::new());
        outgoing.msg_seq = piece.msg_seq;
        let slot = match &piece.reply_to {
            // A wake-up stream may name a message whose window has closed.
            Some(_) if piece.is_wakeup => {
                self.check_wakeup(app, &spot)?;
                None
            }
            Some(reply_to) => self.check_passive(app, &spot, reply_to, &outgoing)?,
            None => {
                outgoing.is_wakeup = piece.is_wakeup;
                self.check_proactive(app, &spot, &outgoing)?;
                None
            }
        };
        let (id, ref_idx) = (self.ids.uuid(), self.ids.ref_idx());
        let stream = Stream {
            spot,
            text: piece.text.clone(),
            index: 0,
            last: self.now,
            reply_to: piece.reply_to.clone(),
            msg_seq: piece.msg_seq,
            slot,
            ref_idx,
            offers: piece.offers.clone(),
        };
        if let Some(bot) = self.bots.get_mut(app) {
            bot.streams.insert(id.clone(), stream);
            let patience = bot.settings.streams.patience;
            let (app, stream) = (app.clone(), id.clone());
            self.due.plan(
                self.now.plus(patience),
                Delayed::StreamCheck { app, stream },
            );
        }
        Ok(id)
    }

    fn grow_stream(
        &mut self,
        app: &AppId,
        spot: &Spot,
        id: &str,
        piece: &Piece,
    ) -> Result<(), Refusal> {
        let now = self.now;
        let bot = self.bots.get_mut(app);
        let bot = bot.ok_or_else(|| Refusal::code(10_001))?;
        let settings = &bot.settings.streams;
        let stream = bot
            .streams
            .get_mut(id)
            .filter(|stream| stream.spot == *spot);
        let stream = stream.ok_or_else(|| bad("stream_msg_id is of no running stream"))?;
        if piece.reply_to != stream.reply_to || piece.msg_seq != stream.msg_seq {
            return Err(bad(
                "the pieces of one stream have different msg_id or msg_seq",
            ));
        }
        if piece.index <= stream.index {
            return Err(bad("index does not rise"));
        }
        if now.since(stream.last) < settings.least_gap && !piece.done {
            return Err(Refusal::code(50_002));
        }
        let text = if piece.replace {
            if !piece.text.starts_with(&stream.text) {
                return Err(Refusal::malformed(
                    40_007,
                    "a stream changed what is shown already",
                ));
            }
            piece.text.clone()
        } else {
            format!("{}{}", stream.text, piece.text)
        };
        if chars(&text) > settings.max_chars {
            return Err(Refusal::code(40_054_007));
        }
        stream.text = text;
        stream.index = piece.index;
        stream.last = now;
        stream.offers.take(&piece.offers);
        Ok(())
    }

    fn stream_answer(&mut self, app: &AppId, id: &str, piece: &Piece, body: &Arc<str>) -> Answer {
        let now = self.now;
        let Some(bot) = self.bots.get_mut(app) else {
            return Answer::error(10_001);
        };
        let Some(stream) = bot.streams.get(id) else {
            return Answer::error(50_001);
        };
        let done = piece.done;
        let most = bot.settings.streams.max_chars;
        let answer = json!({
            "id": id, "timestamp": bot.settings.messages.timestamp.write(now),
            "ext_info": {"ref_idx": stream.ref_idx},
            "remain_msg_len": most.saturating_sub(chars(&stream.text)),
        });
        let shown = Shown {
            at: now,
            app: app.clone(),
            user: stream.spot.user.clone(),
            stream: id.to_owned(),
            text: stream.text.clone(),
            buttons: stream.offers.buttons.clone(),
            done,
        };
        self.ledger.happen(Happening::Piece(Arc::new(shown)));
        let what = What::Stream {
            id: MessageId::from(id),
            target: stream.spot.target.clone(),
            text: stream.text.clone(),
            done,
        };
        self.log(Some(app), what);
        if done {
            self.end_stream(app, id, body);
        }
        Answer::ok(&answer)
    }

    /// Enters what a stream has come to in the ledger.
    fn end_stream(&mut self, app: &AppId, id: &str, body: &Arc<str>) {
        let Some(stream) = self
            .bots
            .get_mut(app)
            .and_then(|bot| bot.streams.remove(id))
        else {
            return;
        };
        let mut outgoing = Outgoing::new(BotForm::Stream, stream.text);
        outgoing.reply_to = stream.reply_to;
        outgoing.msg_seq = stream.msg_seq;
        outgoing.stream = Some(id.to_owned());
        outgoing.offers = stream.offers;
        let sent = Sent {
            spot: stream.spot,
            outgoing,
            slot: stream.slot,
            body: Arc::clone(body),
        };
        let hidden = self.is_silenced(app, &sent.outgoing.text);
        self.publish(app, sent, hidden);
    }

    /// A stream without a piece for too long counts as never finished; what it showed stays.
    pub(in crate::platform) fn check_stream(&mut self, app: &AppId, id: &str) {
        let now = self.now;
        let Some(bot) = self.bots.get(app) else {
            return;
        };
        let Some(stream) = bot.streams.get(id) else {
            return;
        };
        let ends = stream.last.plus(bot.settings.streams.patience);
        if ends > now {
            let (app, stream) = (app.clone(), id.to_owned());
            self.due.plan(ends, Delayed::StreamCheck { app, stream });
            return;
        }
        let stream = id.to_owned();
        self.violation(Some(app), Violation::UnfinishedStream { stream });
        self.end_stream(app, id, &Arc::from(""));
    }
}

impl Piece {
    fn read(fields: &Map<String, Value>, bot: &BotSettings) -> Result<Self, Refusal> {
        let replace = match text_of(fields, "input_mode") {
            None | Some("append") => false,
            Some("replace") => true,
            Some(_) => return Err(bad("input_mode is neither append nor replace")),
        };
        let done = match number_of(fields, "input_state") {
            Some(1) => false,
            Some(10) => true,
            _ => return Err(bad("input_state is neither 1 nor 10")),
        };
        if !matches!(
            text_of(fields, "content_type"),
            None | Some("text" | "markdown")
        ) {
            return Err(bad("content_type is neither text nor markdown"));
        }
        // The official client puts the id of the message into `event_id` as well.
        let (message, event) = (text_of(fields, "msg_id"), text_of(fields, "event_id"));
        let is_wakeup = fields.get("is_wakeup").and_then(Value::as_bool) == Some(true);
        Ok(Self {
            replace,
            done,
            index: number_of(fields, "index").ok_or_else(|| bad("index is no number"))?,
            text: text_of(fields, "content_raw")
                .unwrap_or_default()
                .to_owned(),
            stream: text_of(fields, "stream_msg_id").map(str::to_owned),
            reply_to: key_of(message, event),
            msg_seq: body::read_seq(fields)?,
            is_wakeup,
            offers: read_offers(fields, Scene::C2c, bot)?,
        })
    }
}

fn bad(why: &str) -> Refusal {
    Refusal::malformed(12_002, format!("stream: {why}"))
}
