//! What this program says to an operator, in one table for each language. What comes from a channel or
//! from the configuration is said as it comes.

mod en;
mod zh;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A text; `{}` is filled in, in order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Text { $($(#[$doc])* $name),* }

        #[cfg(test)]
        const ALL: &[Text] = &[$(Text::$name),*];
    };
}

texts! {
    NothingRuns, StartIt, ChannelNotRunning, NeverStarted, Kept, NoStore, HeldSilently, HeldFix,
    TopicProcess, TopicStore, TopicHealth, TopicPlugin, TopicUptime, TopicMemory, TopicBlobs,
    TopicWork, TopicCounted, TopicRecent, TopicAnswer,
    Uptime, UptimeBroke, UptimeFix, Share, BlobShare, Work, Counted, LookAtLog, Ago,
    Seconds, Minutes, Hours, Days,
    Fix, AllGood, LevelOk, LevelDegraded, LevelStopped, NotRunning, NoPlugin,
    TopicSignature, TopicInterface, TopicState, TopicImports, TopicKeys, TopicEgress,
    TopicSecrets, TopicLimits, TopicPlace,
    PluginNamed, BuiltIn, SizeAndDigest, DigestRecorded, DigestMissing, DigestFix, Unsigned, SignedBy,
    SignatureFix, StateVersions, AlsoWrites, EgressGroup, NoEgress, Captured, LimitMemory, LimitCalls,
    LimitWork, LimitStored, NoManifest, Packed, PackedSigned, Verified,
    TopicLoad, TopicDescribe, TopicProbe, TopicEvents, TopicDeterminism, TopicCheckpoint, TopicHoldings,
    TopicNames, TopicRestart, TopicBlank, TopicTime,
    Loaded, Described, CallsItself, ReadsNotItsOwn, AlsoWritesNewer, KeyTwice, KeyDefault, KeyGroup, KeysSilent,
    ProbeGood, EventsGood, DeterminismGood, CheckpointGood, HoldingsGood, NamesGood, RestartGood, BlankGood, BlankOther, NotReached,
    BreaksAt, RefusesConfig, GiveValues, ProbeActs, ProbeSilent, Differs, CheckpointsDiffer, CheckpointRefused,
    Unstable, CannotWrite, HoldsOther, ForeignId, IdTwice, UnknownSecret, BindSecret, MisplacedSecret, PlaceSecret, SlowestCall,
    Conforms, DoesNotConform,
    Healthy, Unhealthy, TimedOut, Summary, SummaryFix,
    Sent, TakenUp, Done, NoAnswer,
    Recording, Recorded, ReplaySame, ReplayDiffers,
    TopicFiles, NotStored, NotStoredFix,
    TopicComponent, Generation, TookOver, RolledBack, LookAtComponent,
}

impl Language {
    /// A text of this language, filled in.
    pub(crate) fn say(self, text: Text, values: &[&dyn std::fmt::Display]) -> String {
        let template = match self {
            Self::English => en::text(text),
            Self::Chinese => zh::text(text),
        };
        let mut said = String::new();
        let mut values = values.iter();
        for (index, piece) in template.split("{}").enumerate() {
            if index > 0 {
                said.extend(values.next().map(ToString::to_string));
            }
            said.push_str(piece);
        }
        said
    }

    /// A duration, in its two largest units at most.
    pub(crate) fn duration(self, seconds: u64) -> String {
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        let (text, a, b) = match seconds {
            0..60 => (Text::Seconds, seconds, 0),
            60..3600 => (Text::Minutes, minutes, 0),
            3600..86_400 => (Text::Hours, hours, minutes % 60),
            _ => (Text::Days, hours / 24, hours % 24),
        };
        self.say(text, &[&a, &b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_fill_in_the_same_values() {
        let holes = |text: &str| text.matches("{}").count();
        for text in ALL {
            let (en, zh) = (en::text(*text), zh::text(*text));
            assert_eq!(holes(en), holes(zh), "{text:?}");
            assert!(!zh.is_ascii() || en == zh, "{text:?} is not translated");
        }
    }

    #[test]
    fn durations_are_short() {
        for (seconds, expected) in [
            (5, "5 s"),
            (125, "2 min"),
            (3 * 3600 + 300, "3 h 5 min"),
            (50 * 3600, "2 d 2 h"),
        ] {
            assert_eq!(Language::English.duration(seconds), expected);
        }
        assert_eq!(Language::Chinese.duration(125), "2 分钟");
    }
}
