//! How a command ends.

use prx_host::config::ConfigError;

/// How a command ends that has something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well.
    Good,
    /// Somebody must act.
    Act,
}

impl Verdict {
    pub(crate) fn of(good: bool) -> Self {
        if good { Self::Good } else { Self::Act }
    }
}

/// What went wrong, by whose hand it is put right.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something the operator wrote. One sentence each.
    Mistakes(Vec<String>),
    /// Something else.
    Failed(anyhow::Error),
}

impl Trouble {
    pub(crate) fn mistake(sentence: impl ToString) -> Self {
        Self::Mistakes(vec![sentence.to_string()])
    }

    /// As one error, for a program that has no exit codes of ours.
    pub(crate) fn into_error(self) -> anyhow::Error {
        match self {
            Self::Mistakes(sentences) => anyhow::anyhow!(sentences.join("\n")),
            Self::Failed(error) => error,
        }
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Vec<ConfigError>> for Trouble {
    fn from(errors: Vec<ConfigError>) -> Self {
        Self::Mistakes(errors.iter().map(ToString::to_string).collect())
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Self {
        Self::mistake(error)
    }
}
