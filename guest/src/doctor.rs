//! The doctor's findings: one line for each stage, with what it rests on and what to do about it.
//!
//! What is asked, and in which order, is in `channel/examining.rs`. Here are the sentences.

use serde::{Deserialize, Serialize};

use crate::bindings::{Failure, Mark, ReportLine, Stage};
use crate::delivery::errors::{self, Class};
use crate::health;

/// Seconds that this machine's clock may differ from the platform's before it is worth a word.
const SKEW_S: u64 = 60;

/// How a finding stands. As in the interface, in a form that can be compared and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stands {
    /// Good.
    Ok,
    /// A fact.
    Info,
    /// Not tested.
    Skip,
    /// Works, but.
    Warn,
    /// Does not work.
    Fail,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How it stands.
    pub stands: Stands,
    /// What it is about.
    pub topic: String,
    /// One sentence.
    pub text: String,
    /// Code, trace id, number.
    pub evidence: Option<String>,
    /// What to do.
    pub fix: Option<String>,
}

impl Finding {
    /// A finding without evidence or remedy.
    #[must_use]
    pub fn new(stands: Stands, topic: &str, text: impl Into<String>) -> Self {
        Self {
            stands,
            topic: topic.to_owned(),
            text: text.into(),
            evidence: None,
            fix: None,
        }
    }

    /// With what it rests on.
    #[must_use]
    pub fn evidence(self, evidence: impl Into<String>) -> Self {
        Self {
            evidence: Some(evidence.into()),
            ..self
        }
    }

    /// With what to do.
    #[must_use]
    pub fn fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }

    /// As the host shows it.
    #[must_use]
    pub fn line(&self) -> ReportLine {
        ReportLine {
            mark: match self.stands {
                Stands::Ok => Mark::Ok,
                Stands::Info => Mark::Info,
                Stands::Skip => Mark::Skip,
                Stands::Warn => Mark::Warn,
                Stands::Fail => Mark::Fail,
            },
            topic: self.topic.clone(),
            text: self.text.clone(),
            evidence: self.evidence.clone(),
            fix: self.fix.clone(),
        }
    }
}

/// The one sentence to act on: the worst finding and its remedy.
#[must_use]
pub fn summary(findings: &[Finding]) -> String {
    let worst = findings
        .iter()
        .filter(|finding| finding.stands >= Stands::Warn)
        // The first of the worst: what comes after it may only be its consequence.
        .rev()
        .max_by_key(|finding| finding.stands);
    match worst {
        Some(finding) => {
            let fix = finding.fix.as_deref().unwrap_or("See the evidence above.");
            format!("{}: {}. {fix}", finding.topic, finding.text)
        }
        None => "everything that can be tested from here works".to_owned(),
    }
}

/// A request that got no answer.
#[must_use]
pub fn unreachable(topic: &str, failure: &Failure) -> Finding {
    let (text, fix) = match failure.stage {
        Stage::Dns => (
            "the platform's name does not resolve",
            "Check DNS on this machine; behind a proxy set [host] proxy to socks5h:// or http://.",
        ),
        Stage::Connect => (
            "no connection to the platform",
            "Check the network and the firewall: port 443 outward is needed.",
        ),
        Stage::Proxy => (
            "the proxy refused or broke off",
            "Check [host] proxy, or HTTPS_PROXY and NO_PROXY in the environment.",
        ),
        Stage::Tls => (
            "the encrypted connection was refused",
            "Check this machine's date; behind an inspecting proxy set [host] extra_ca.",
        ),
        Stage::Upgrade => (
            "the gateway did not take the connection as a WebSocket",
            "Something between this machine and the platform does not let WebSockets through.",
        ),
        Stage::Timeout => (
            "the platform did not answer in time",
            "Check the network, and try again.",
        ),
        Stage::Policy => (
            "this host's own rules do not let it out",
            "Check [host] allow_hosts and allow_addresses.",
        ),
        Stage::Protocol | Stage::TooLarge | Stage::Cancelled | Stage::Host => (
            "the answer broke off or cannot be read",
            "Try again; if it stays, look for what stands between this machine and the platform.",
        ),
    };
    Finding::new(Stands::Fail, topic, text)
        .evidence(failure.detail.clone())
        .fix(fix)
}

/// A request that was answered with an error.
#[must_use]
pub fn refused(topic: &str, status: u16, body: &str, trace: Option<&str>) -> Finding {
    let problem = errors::read(status, body);
    let evidence = problem.evidence(status, trace);
    let (text, fix) = match errors::class(status, problem.code) {
        Class::Fatal(stop) => {
            let (sentence, fix) = health::explain(stop);
            (sentence.to_owned(), fix.to_owned())
        }
        Class::Token => (
            "the platform refuses the token that it has just given".to_owned(),
            "Compare app_id with 开发设置 (development settings) of the bot's console: AppID and AppSecret may be of two bots."
                .to_owned(),
        ),
        Class::Backoff if errors::too_fast(status, problem.code) => (
            "the platform asks for fewer requests".to_owned(),
            "Wait a minute; another program may be using the same AppID.".to_owned(),
        ),
        Class::Backoff => (
            "the platform has a fault of its own".to_owned(),
            "Wait, and try again; the trace id is what its support asks for.".to_owned(),
        ),
        _ => (
            "the platform refuses the request".to_owned(),
            "The code tells what: see the list of codes in guest/docs/errors.md.".to_owned(),
        ),
    };
    Finding::new(Stands::Fail, topic, text)
        .evidence(evidence)
        .fix(fix)
}

/// How this machine's clock compares with the platform's.
#[must_use]
pub fn clock(ours_ms: u64, theirs_ms: u64) -> Finding {
    let apart_s = ours_ms.abs_diff(theirs_ms) / 1_000;
    if apart_s < SKEW_S {
        return Finding::new(Stands::Ok, "clock", "agrees with the platform's");
    }
    let text = format!("this machine's clock is {apart_s} s off");
    Finding::new(Stands::Warn, "clock", text)
        .fix("Let the machine keep time by NTP; reply windows are counted on the platform's clock.")
}

/// What nobody can test from here.
#[must_use]
pub fn unseen() -> Finding {
    Finding::new(
        Stands::Info,
        "delivery",
        "QQ gives no receipt: what it accepts and then shows to nobody cannot be seen from here",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_first_of_the_worst_findings_with_its_remedy() {
        let findings = [
            Finding::new(Stands::Ok, "token", "granted"),
            Finding::new(Stands::Warn, "clock", "off").fix("Set it."),
            Finding::new(Stands::Fail, "gateway", "closed").fix("Open it."),
            Finding::new(Stands::Fail, "bot", "gone").fix("Find it."),
        ];
        assert_eq!(summary(&findings), "gateway: closed. Open it.");
        assert_eq!(summary(&findings[..2]), "clock: off. Set it.");
        assert!(summary(&findings[..1]).contains("works"));
    }

    #[test]
    fn each_cause_names_what_to_do() {
        for (code, word) in [
            (11_298, "allow-list"),
            (11_251, "AppID"),
            (11_265, "banned"),
            (40_054_016, "sandbox"),
        ] {
            let finding = refused("token", 400, &format!(r#"{{"code":{code}}}"#), None);
            let said = format!("{} {}", finding.text, finding.fix.unwrap_or_default());
            assert!(said.contains(word), "{code}: {said}");
        }
        for stage in [
            Stage::Dns,
            Stage::Connect,
            Stage::Proxy,
            Stage::Tls,
            Stage::Timeout,
        ] {
            let failure = Failure {
                stage,
                detail: "why".into(),
                maybe_received: false,
            };
            assert!(unreachable("token", &failure).fix.is_some());
        }
    }

    #[test]
    fn a_clock_that_is_off_is_said() {
        assert_eq!(clock(0, 30_000).stands, Stands::Ok);
        assert!(clock(0, 300_000).text.contains("300 s"));
    }
}
