//! What each way in which a gateway connection ends asks of us, as a table (`PROTOCOL.md`, "Close codes").

use std::ops::RangeInclusive;

/// What to do after a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Resume the session if there is one, after the usual backoff.
    Resume,
    /// Resume the session at once: the platform only wanted a fresh connection.
    ResumeNow,
    /// Resume the session after a minute: we were too fast.
    ResumeAfterAMinute,
    /// The session is gone: identify anew, after the usual backoff.
    Identify,
    /// The token was refused: get a new one, then resume or identify.
    RefreshToken,
    /// An intent was refused: ask for less, then identify.
    StepDown,
    /// Stop hammering: only somebody at the console, or a new version, can mend it.
    Stop(Stop),
}

/// Why the bot has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Stop {
    /// The platform found a fault in what we sent.
    ProtocolFault,
    /// The shard numbers were refused.
    BadShard,
    /// One connection may not hold so many guilds.
    TooManyGuilds,
    /// The API version was refused.
    BadVersion,
    /// An unknown intent bit.
    BadIntents,
    /// Not one of the intents that were asked for is granted.
    NoIntents,
    /// The bot is not published: only the sandbox may be used.
    SandboxOnly,
    /// The bot is banned.
    Banned,
    /// The AppID is unknown, banned or deleted.
    BadAppId,
    /// AppID and AppSecret do not belong together.
    BadSecret,
    /// Our address is not on the bot's allow-list.
    AddressNotAllowed,
    /// The platform refused the bot for another reason.
    Refused,
}

/// The table. What is not in it is an ordinary disconnect.
const TABLE: [(RangeInclusive<u16>, Reaction); 19] = [
    (1000..=1015, Reaction::Resume),
    (4000..=4000, Reaction::Identify),
    (4001..=4002, Reaction::Stop(Stop::ProtocolFault)),
    (4003..=4003, Reaction::Identify),
    (4004..=4004, Reaction::RefreshToken),
    (4005..=4005, Reaction::Stop(Stop::ProtocolFault)),
    (4006..=4006, Reaction::Identify),
    (4007..=4007, Reaction::Identify),
    (4008..=4008, Reaction::ResumeAfterAMinute),
    (4009..=4009, Reaction::ResumeNow),
    (4010..=4010, Reaction::Stop(Stop::BadShard)),
    (4011..=4011, Reaction::Stop(Stop::TooManyGuilds)),
    (4012..=4012, Reaction::Stop(Stop::BadVersion)),
    (4013..=4013, Reaction::Stop(Stop::BadIntents)),
    (4014..=4014, Reaction::StepDown),
    (4900..=4913, Reaction::Identify),
    (4914..=4914, Reaction::Stop(Stop::SandboxOnly)),
    (4915..=4915, Reaction::Stop(Stop::Banned)),
    (4916..=4999, Reaction::Resume),
];

/// What a close code asks for.
#[must_use]
pub fn reaction(code: u16) -> Reaction {
    TABLE
        .iter()
        .find(|(codes, _)| codes.contains(&code))
        .map_or(Reaction::Resume, |(_, reaction)| *reaction)
}

impl Stop {
    /// A stable word for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ProtocolFault => "protocol-fault",
            Self::BadShard => "bad-shard",
            Self::TooManyGuilds => "too-many-guilds",
            Self::BadVersion => "bad-version",
            Self::BadIntents => "bad-intents",
            Self::NoIntents => "no-intents",
            Self::SandboxOnly => "sandbox-only",
            Self::Banned => "banned",
            Self::BadAppId => "bad-app-id",
            Self::BadSecret => "bad-secret",
            Self::AddressNotAllowed => "address-not-allowed",
            Self::Refused => "refused",
        }
    }

    /// Milliseconds until one more try, in case somebody mended it and did not tell us.
    #[must_use]
    pub fn retry_after_ms(self) -> u64 {
        const MINUTE: u64 = 60_000;
        match self {
            Self::ProtocolFault => 10 * MINUTE,
            _ => 60 * MINUTE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_code_gets_the_reaction_that_the_protocol_asks_for() {
        let expected = [
            (1000, Reaction::Resume),
            (1001, Reaction::Resume),
            (1006, Reaction::Resume),
            (4000, Reaction::Identify),
            (4001, Reaction::Stop(Stop::ProtocolFault)),
            (4002, Reaction::Stop(Stop::ProtocolFault)),
            (4003, Reaction::Identify),
            (4004, Reaction::RefreshToken),
            (4005, Reaction::Stop(Stop::ProtocolFault)),
            (4006, Reaction::Identify),
            (4007, Reaction::Identify),
            (4008, Reaction::ResumeAfterAMinute),
            (4009, Reaction::ResumeNow),
            (4010, Reaction::Stop(Stop::BadShard)),
            (4011, Reaction::Stop(Stop::TooManyGuilds)),
            (4012, Reaction::Stop(Stop::BadVersion)),
            (4013, Reaction::Stop(Stop::BadIntents)),
            (4014, Reaction::StepDown),
            (4900, Reaction::Identify),
            (4913, Reaction::Identify),
            (4914, Reaction::Stop(Stop::SandboxOnly)),
            (4915, Reaction::Stop(Stop::Banned)),
        ];
        for (code, reaction_expected) in expected {
            assert_eq!(reaction(code), reaction_expected, "close code {code}");
        }
    }

    #[test]
    fn an_unknown_code_is_an_ordinary_disconnect() {
        for code in [0, 999, 3000, 4015, 4100, 4999, 5000, u16::MAX] {
            assert_eq!(reaction(code), Reaction::Resume, "close code {code}");
        }
    }
}
