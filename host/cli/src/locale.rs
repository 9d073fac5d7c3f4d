//! What the environment says about language and characters.

use std::io::IsTerminal;

use crate::texts::Language;

/// The settings of a terminal that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Locale {
    pub(crate) language: Language,
    /// True where marks outside of ASCII can be shown.
    pub(crate) marks: bool,
    /// True where the screen can be cleared.
    pub(crate) terminal: bool,
}

impl Locale {
    /// Of this process, with its standard output.
    pub(crate) fn here() -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self::of(&|name| std::env::var(name).ok(), terminal)
    }

    fn of(env: &dyn Fn(&str) -> Option<String>, terminal: bool) -> Self {
        // The order that POSIX gives them; an empty one says nothing.
        let set = |name: &&str| env(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
        let locale = locale.unwrap_or_default().to_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let plain = set(&"NO_COLOR").is_some();
        Self {
            language: match locale.starts_with("zh") {
                true => Language::Chinese,
                false => Language::English,
            },
            marks: terminal && utf8 && !plain,
            terminal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_says_something_counts() {
        for (variables, terminal, language, marks) in [
            (
                &[("LANG", "zh_CN.UTF-8")][..],
                true,
                Language::Chinese,
                true,
            ),
            (
                &[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")],
                true,
                Language::English,
                false,
            ),
            (
                &[("LC_ALL", ""), ("LANG", "zh_TW.utf8")],
                true,
                Language::Chinese,
                true,
            ),
            (
                &[("LANG", "en_US.UTF-8"), ("NO_COLOR", "1")],
                true,
                Language::English,
                false,
            ),
            (&[("LANG", "en_US.UTF-8")], false, Language::English, false),
            (&[], true, Language::English, false),
        ] {
            let env = |name: &str| {
                let found = variables.iter().find(|(n, _)| *n == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let expected = Locale {
                language,
                marks,
                terminal,
            };
            assert_eq!(Locale::of(&env, terminal), expected, "{variables:?}");
        }
    }
}
