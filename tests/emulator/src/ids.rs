//! The names and numbers that the platform hands out, each in a type of its own.
//!
//! Text ids are shared (`Arc<str>`): cloning one is a counter, not a copy.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a text that came from outside; no form is enforced.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The id as it goes over the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

text_id! {
    /// A bot's AppID: a decimal number in a string.
    AppId
}
text_id! {
    /// What people call a user of the emulator ("alice"); never goes over the wire as an id.
    UserName
}
text_id! {
    /// What people call a group of the emulator; never goes over the wire as an id.
    GroupName
}
text_id! {
    /// What people call a guild of the emulator; never goes over the wire as an id.
    GuildName
}

text_id! {
    /// What people call a channel of a guild; unique within its guild.
    ChannelName
}

text_id! {
    /// A user, a group or a member of a group as one bot sees it: 32 upper-case hex characters.
    /// Where a target or an author of any scene is meant, it also carries the decimal ids of
    /// guild scenes: the channel, the guild of a direct message session, the guild user.
    Openid
}

text_id! {
    /// A guild, a channel or a guild user: a decimal number in a string.
    Snowflake
}

text_id! {
    /// A press of a button or the like: the `d.id` of its event, a UUID without prefix.
    InteractionId
}

impl Snowflake {
    /// The same id where a target or an author of any scene is meant.
    #[must_use]
    pub fn as_target(&self) -> Openid {
        Openid::from(self.as_str())
    }
}
text_id! {
    /// A C2C or group message: `ROBOT1.0_` and opaque text that needs percent-encoding in a path.
    /// In guild scenes: hex that begins with `08`.
    MessageId
}
text_id! {
    /// The outer id of a pushed event: `EVENT_NAME:` and a UUID.
    EventId
}
text_id! {
    /// A gateway session: a UUID.
    SessionId
}
text_id! {
    /// A message index, `REFIDX_…==`: what a quote refers to in C2C and groups.
    RefIdx
}
text_id! {
    /// An access token: 32 letters and digits.
    AccessToken
}

/// One WebSocket connection, numbered by the shell that accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnId(pub u64);

/// One HTTP request that wants an answer, numbered by the shell that read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ticket(pub u64);
