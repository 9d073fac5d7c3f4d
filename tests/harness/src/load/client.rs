//! The emulator's control API, from outside.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A connection to the control API.
#[derive(Debug)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// Where somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A private chat.
    C2c,
    /// A group, where the bot is mentioned.
    Group(String),
    /// A guild's channel, where the bot is mentioned.
    Channel(String, String),
    /// A direct message session of a guild.
    Dm(String),
}

impl Place {
    /// True where nothing protects against repetition, so that what may have arrived is not repeated.
    #[must_use]
    pub fn of_guild(&self) -> bool {
        matches!(self, Self::Channel(..) | Self::Dm(_))
    }
}

/// Something that the emulator told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message was sent; this is its id.
    Sent {
        /// The number it was sent under.
        tag: u64,
        /// Its id.
        id: String,
    },
    /// A message could not be sent.
    NotSent {
        /// Why.
        error: String,
    },
    /// The bot's answer to a message.
    Reply {
        /// The message.
        to: String,
        /// Its number.
        msg_seq: u64,
        /// What it says.
        text: String,
    },
    /// Something else.
    Other,
}

impl Client {
    /// Connects to an emulator at a base such as `http://127.0.0.1:8090`.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn connect(base: &str) -> Result<Self> {
        // Another part of the process may have chosen the provider already; that is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("{}/_emulator/events", base.replacen("http", "ws", 1));
        let (socket, _) = tokio_tungstenite::connect_async(&url)
            .await
            .with_context(|| format!("no emulator at {base}"))?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .context("HTTP client")?;
        Ok(Self {
            base: base.to_owned(),
            http,
            socket,
        })
    }

    /// Lets a user write. The answer comes as [`Heard::Sent`] with the tag.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn write(&mut self, tag: u64, place: &Place, user: &str, text: &str) -> Result<()> {
        let mut action = match place {
            Place::C2c => json!({"action": "c2c"}),
            Place::Group(group) => json!({"action": "group_at", "group": group}),
            Place::Channel(guild, channel) => {
                json!({"action": "channel_at", "guild": guild, "channel": channel})
            }
            Place::Dm(guild) => json!({"action": "dm", "guild": guild}),
        };
        if let Some(action) = action.as_object_mut() {
            action.insert("tag".into(), tag.into());
            action.insert("user".into(), user.into());
            action.insert("text".into(), text.into());
        }
        self.socket
            .send(Message::text(action.to_string()))
            .await
            .context("the emulator is gone")
    }

    /// What the emulator tells next.
    ///
    /// # Errors
    /// When the connection is gone, or this side was too slow and something was left out.
    pub async fn hear(&mut self) -> Result<Heard> {
        loop {
            let message = self.socket.next().await.context("the emulator is gone")??;
            if let Message::Text(text) = message {
                return read(
                    &serde_json::from_str(&text).context("the emulator says something odd")?,
                );
            }
        }
    }

    /// Orders a fault, in the emulator's words.
    ///
    /// # Errors
    /// When the emulator does not know it.
    pub async fn fault(&self, text: &str) -> Result<()> {
        let request = self
            .http
            .post(format!("{}/_emulator/fault", self.base))
            .header("content-type", "application/json");
        let answer = request
            .body(json!({"fault": text}).to_string())
            .send()
            .await?;
        if !answer.status().is_success() {
            bail!(
                "the emulator does not take the fault {text:?}: {}",
                answer.text().await?
            );
        }
        Ok(())
    }

    /// How often bots have identified so far, with success.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn identifies(&self) -> Result<u64> {
        let state = self.get("state").await?;
        let bots = state
            .get("bots")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let of = |bot: &Value| {
            bot.pointer("/stats/identifies")
                .and_then(Value::as_u64)
                .unwrap_or_default()
        };
        Ok(bots.iter().map(of).sum())
    }

    /// What broke the platform's rules.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn violations(&self) -> Result<Vec<Value>> {
        let ledger = self.get("ledger?limit=0").await?;
        Ok(ledger
            .get("violations")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let answer = self
            .http
            .get(format!("{}/_emulator/{path}", self.base))
            .send()
            .await?;
        Ok(serde_json::from_str(&answer.text().await?)?)
    }
}

fn read(told: &Value) -> Result<Heard> {
    if let Some(missed) = told.get("missed") {
        bail!("this side was too slow: {missed} messages were left out");
    }
    if let Some(tag) = told.get("tag").and_then(Value::as_u64) {
        if let Some(error) = told.get("error").and_then(Value::as_str) {
            return Ok(Heard::NotSent {
                error: error.to_owned(),
            });
        }
        let id = told
            .pointer("/outcome/message_id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        return Ok(Heard::Sent {
            tag,
            id: id.to_owned(),
        });
    }
    let to = told.pointer("/reply_to/msg_id").and_then(Value::as_str);
    let readable = told.get("form").and_then(Value::as_str) != Some("typing");
    Ok(match to.filter(|_| readable) {
        Some(to) => Heard::Reply {
            to: to.to_owned(),
            msg_seq: told
                .get("msg_seq")
                .and_then(Value::as_u64)
                .unwrap_or_default(),
            text: told
                .get("text")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        },
        None => Heard::Other,
    })
}
