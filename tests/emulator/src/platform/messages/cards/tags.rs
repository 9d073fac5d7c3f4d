//! Tags in text and Markdown: mentions and commands.

use super::super::Refusal;
use super::super::fields::chars;
use crate::ledger::Scene;
use crate::settings::Grants;

/// Characters of a command, decoded.
const COMMAND: usize = 100;

/// Checks the tags of a text for a scene.
pub(crate) fn check_tags(
    text: &str,
    scene: Scene,
    markdown: bool,
    grants: &Grants,
) -> Result<(), Refusal> {
    let everyone = text.contains("<qqbot-at-everyone") || text.contains("@everyone");
    if everyone && scene == Scene::Channel && !grants.at_everyone {
        return Err(Refusal::code(304_019));
    }
    for (name, allowed) in [
        ("<qqbot-cmd-enter", markdown && scene == Scene::C2c),
        ("<qqbot-cmd-input", markdown),
    ] {
        for rest in text.split(name).skip(1) {
            if !allowed {
                return Err(Refusal::malformed(
                    40_034_106,
                    format!("{name} is not supported here"),
                ));
            }
            check_command(name, rest)?;
        }
    }
    Ok(())
}

fn check_command(name: &str, rest: &str) -> Result<(), Refusal> {
    let broken = || Refusal::malformed(40_034_109, format!("{name} is not closed or has no text"));
    let (tag, _) = rest.split_once('>').ok_or_else(broken)?;
    let (_, value) = tag.split_once("text=\"").ok_or_else(broken)?;
    let (command, _) = value.split_once('"').ok_or_else(broken)?;
    let decoded = crate::wire::percent_decoded(command).ok_or_else(broken)?;
    if decoded.is_empty() {
        return Err(broken());
    }
    let shown = tag
        .split_once("show=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(shown, _)| shown);
    let shown = crate::wire::percent_decoded(shown).ok_or_else(broken)?;
    if chars(&decoded) > COMMAND || chars(&shown) > COMMAND {
        return Err(Refusal::malformed(
            40_034_108,
            format!("{name} is longer than {COMMAND} characters"),
        ));
    }
    Ok(())
}
