//! English.

use super::Text;

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::NothingRuns => "nothing runs here",
        Text::StartIt => "start it with `{} run {}`",
        Text::ChannelNotRunning => "the running process does not run {}",
        Text::NeverStarted => "it has never been started here",
        Text::Kept => "{} entries, {}; started {} times, last written {}",
        Text::NoStore => "there is no store yet in {}",
        Text::HeldSilently => "{}",
        Text::HeldFix => "restart that process; it offers no control socket",
        Text::TopicProcess => "process",
        Text::TopicStore => "store",
        Text::TopicHealth => "health",
        Text::TopicPlugin => "plugin",
        Text::TopicUptime => "uptime",
        Text::TopicMemory => "memory",
        Text::TopicBlobs => "blobs",
        Text::TopicWork => "work",
        Text::TopicCounted => "so far",
        Text::TopicRecent => "said",
        Text::TopicAnswer => "answer",
        Text::Uptime => "{}",
        Text::UptimeBroke => "{}; the component broke {} times and was started over {} times",
        Text::UptimeFix => "look into the incident files in {}",
        Text::Share => "{} of {}",
        Text::BlobShare => "{} files, {} of {}",
        Text::Work => {
            "{} inputs waiting, {} turns ({} of them waiting), {} requests, {} sockets, {} timers"
        }
        Text::Counted => "{} inputs, {} effects, {} requests ({} failed), {} sockets",
        Text::LookAtLog => "look into the log",
        Text::Ago => "{} ago",
        Text::Seconds => "{} s",
        Text::Minutes => "{} min",
        Text::Hours => "{} h {} min",
        Text::Days => "{} d {} h",
        Text::Fix => "fix: {}",
        Text::AllGood => "nothing to do",
        Text::LevelOk => "ok",
        Text::LevelDegraded => "degraded",
        Text::LevelStopped => "stopped",
        Text::NotRunning => "not running",
        Text::NoPlugin => "no plugin {}",
        Text::TopicSignature => "signature",
        Text::TopicInterface => "interface",
        Text::TopicState => "state",
        Text::TopicImports => "imports",
        Text::TopicKeys => "keys",
        Text::TopicEgress => "egress",
        Text::TopicSecrets => "secrets",
        Text::TopicLimits => "limits",
        Text::TopicPlace => "place",
        Text::PluginNamed => "{} {}: {}",
        Text::BuiltIn => "built into this program",
        Text::SizeAndDigest => "{}, SHA-256 {}",
        Text::DigestRecorded => "as its manifest says",
        Text::DigestMissing => "its manifest names no digest",
        Text::DigestFix => "pack it with `prx plugin pack`",
        Text::Unsigned => "nobody signed it",
        Text::SignedBy => "signed by {}",
        Text::SignatureFix => "take the whole folder anew, or pack and sign it again",
        Text::StateVersions => "writes version {}, reads from {}",
        Text::AlsoWrites => "writes version {}, reads from {}, also writes {}",
        Text::EgressGroup => "{}: {} on {}; secrets: {}",
        Text::NoEgress => "connects to nothing",
        Text::Captured => "responses bring {}",
        Text::LimitMemory => "memory {}, {} table elements, {} instances",
        Text::LimitCalls => {
            "a call {} ms of CPU time, the start {} ms; {} effects of {}; checkpoint {}"
        }
        Text::LimitWork => "{} requests at once, {} in a minute; {} sockets, {} timers",
        Text::LimitStored => "stored {}, a blob {}, all blobs {}",
        Text::NoManifest => {
            "there is no manifest beside it: standard limits, and no host that it may connect to"
        }
        Text::Packed => "{} is ready to be copied; SHA-256 {}",
        Text::PackedSigned => "{} is ready to be copied; SHA-256 {}, signed by {}",
        Text::Verified => "{} would be run",
        Text::TopicLoad => "load",
        Text::TopicDescribe => "describe",
        Text::TopicProbe => "probe",
        Text::TopicEvents => "events",
        Text::TopicDeterminism => "determinism",
        Text::TopicCheckpoint => "checkpoint",
        Text::TopicHoldings => "holdings",
        Text::TopicNames => "names",
        Text::TopicRestart => "restart",
        Text::TopicBlank => "blank",
        Text::BlankGood => "makes texts of events and entries unreadable, always in the same way",
        Text::BlankOther => "made unreadable twice, or as an event of another kind, {} differs",
        Text::TopicTime => "time",
        Text::Loaded => "a component of this interface, with {} imports, all of them allowed",
        Text::Described => "{} keys, state version {}",
        Text::CallsItself => "it calls itself {}, and its manifest {}",
        Text::ReadsNotItsOwn => "it reads state from version {} on, and writes version {}",
        Text::AlsoWritesNewer => {
            "it also writes state version {}, which is not older than its own, {}"
        }
        Text::KeyTwice => "the key {} is there twice",
        Text::KeyDefault => "the default of the key {} does not fit it: {}",
        Text::KeyGroup => "the key {} widens the egress group {}, which the manifest does not have",
        Text::KeysSilent => "these keys have no text for the operator: {}",
        Text::ProbeGood => "opens nothing, and answers",
        Text::EventsGood => "{} made-up events, none of which broke it",
        Text::DeterminismGood => "two instances did the same at the same calls",
        Text::CheckpointGood => {
            "{} were read by another instance, which went on as if it had never stopped; the largest has {}"
        }
        Text::HoldingsGood => "what it counts on is what is held, after each event",
        Text::NamesGood => {
            "its ids are new and its own, its secrets known; {} connections outside of its manifest were refused"
        }
        Text::RestartGood => "starts from what is stored",
        Text::NotReached => "not reached",
        Text::BreaksAt => "breaks in {}: {}",
        Text::RefusesConfig => "refuses a made-up table: {}",
        Text::GiveValues => "give what it needs with --set KEY=VALUE",
        Text::ProbeActs => "asked for {}, though it was started only to be asked something",
        Text::ProbeSilent => "does not answer a command while it is a probe",
        Text::Differs => "the same calls led to other effects, at {}: {} and {}",
        Text::CheckpointsDiffer => "two instances wrote other checkpoints, after {}",
        Text::CheckpointRefused => "its own checkpoint is refused: {}",
        Text::Unstable => "a checkpoint that was read is written as another one: {} and {} bytes",
        Text::CannotWrite => {
            "takes no checkpoint in state version {}, which it claims to write: {}"
        }
        Text::HoldsOther => "after {} it counts on the {} {}, and held are {}",
        Text::ForeignId => "the id {} does not begin with the boot number",
        Text::IdTwice => "the id {} is used a second time",
        Text::UnknownSecret => "it asks for the secret {}, which no key and no response brings",
        Text::MisplacedSecret => {
            "puts the secret {} into {}, where the manifest has no position for it"
        }
        Text::PlaceSecret => "put it elsewhere, or add an [[egress.secret]] to plugin.toml",
        Text::BindSecret => {
            "mark the key as secret, or declare an [[egress.capture]] that brings it in plugin.toml"
        }
        Text::SlowestCall => {
            "the slowest call took {} ms, {} of CPU time are allowed; the most effects of one call were {}, {} are allowed"
        }
        Text::Conforms => "{} keeps the rules",
        Text::DoesNotConform => "{} breaks rules: {} checks failed",
        Text::Healthy => "healthy",
        Text::Unhealthy => "unhealthy: {}",
        Text::TimedOut => "timed out",
        Text::Summary => "Summary: {} healthy, {} unhealthy, {} timed out",
        Text::SummaryFix => "more with `{} doctor NAME`",
        Text::Sent => "handed over",
        Text::TakenUp => "the new configuration is in force",
        Text::Done => "done",
        Text::Recording => "recording {} into {}; ctrl-c ends it",
        Text::Recorded => "{} lines in {}",
        Text::ReplaySame => "all {} events were answered as in the recording",
        Text::ReplayDiffers => "{} events were answered as in the recording",
        Text::TopicFiles => "files",
        Text::NotStored => {
            "nothing is being stored, and what happens now is forgotten with the process: {}"
        }
        Text::NotStoredFix => {
            "make room on the disk, or mend the state directory; the log says when everything is stored again"
        }
        Text::TopicComponent => "component",
        Text::Generation => "generation {}",
        Text::TookOver => "generation {}; {} took over from {} {}, after a pause of {} ms",
        Text::RolledBack => "generation {}; {} goes on in the place of {}, which broke {}: {}",
        Text::LookAtComponent => "report the incident file to the author of the plugin",
        Text::NoAnswer => "the channel said nothing",
    }
}
