//! The table `[agent]`.

use std::path::PathBuf;
use std::time::Duration;

use prx_host::bindings::v0_1::KeySpec;
use prx_host::config::{Checked, ConfigError, Layers, Mistake, boolean, integer, text, text_list};
use prx_host::vault::Hidden;
use url::Url;

use crate::history::Bounds;

/// Where OpenAI itself is.
const OPENAI_URL: &str = "https://api.openai.com/v1";

/// The tables of tools in `[agent]`.
const TOOLS: &str = "tools";

/// How the agent is set up.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// What answers.
    pub mind: Mind,
    /// Time for one turn, from its beginning to the last word.
    pub time_limit: Duration,
    /// Turns at once, of all channels together; others wait.
    pub at_once: usize,
    /// How much is remembered of a conversation.
    pub history: Bounds,
    /// The folder for attachments and for the files that an answer can send. As it is written in the
    /// table: whoever knows where the table is makes it a place. Without one, there are neither.
    pub media_dir: Option<PathBuf>,
    /// Servers of tools, for `openai`.
    pub tools: Vec<ToolServer>,
    /// Secrets that other users can read where they are written: one sentence each.
    pub exposed: Vec<String>,
    /// The folder in which histories outlive the process. Not in the table: it is the host's.
    pub state_dir: Option<PathBuf>,
}

/// What answers.
#[derive(Debug, Clone)]
pub enum Mind {
    /// Says what it heard.
    Echo,
    /// A model behind an OpenAI-compatible endpoint.
    OpenAi(OpenAiConfig),
    /// A program, started for each turn.
    Command(CommandConfig),
}

/// A program that offers tools over MCP, `[agent.tools.NAME]`.
#[derive(Debug, Clone)]
pub struct ToolServer {
    /// The table's name; its tools are called `NAME_tool`.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Names of variables that it is told, besides `PATH`, `HOME` and `LANG`.
    pub env: Vec<String>,
    /// Which of its tools ask first.
    pub approve: Approve,
    /// Time for one call.
    pub time_limit: Duration,
}

/// Which tools ask a person before they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approve {
    /// All.
    Always,
    /// None.
    Never,
    /// Those that do not say that they only read.
    Marked,
}

/// A program that answers.
#[derive(Debug, Clone)]
pub struct CommandConfig {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Names of variables that it is told, besides `PATH`, `HOME` and `LANG`.
    pub env: Vec<String>,
    /// What it is told before every conversation.
    pub system_prompt: String,
}

/// An OpenAI-compatible endpoint.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// Without `/chat/completions`.
    pub base_url: Url,
    /// The model's name.
    pub model: String,
    /// The key; many local servers need none.
    pub api_key: Option<Hidden>,
    /// What the model is told before every conversation.
    pub system_prompt: String,
    /// The longest silence within an answer.
    pub silence_limit: Duration,
    /// Whether the model sees pictures.
    pub images: bool,
}

impl Default for AgentConfig {
    /// The echo agent, as an empty `[agent]` means it.
    fn default() -> Self {
        Self {
            mind: Mind::Echo,
            time_limit: Duration::from_secs(120),
            at_once: 8,
            history: Bounds::default(),
            media_dir: None,
            tools: Vec::new(),
            exposed: Vec::new(),
            state_dir: None,
        }
    }
}

/// The keys of `[agent]`.
pub fn keys() -> Vec<KeySpec> {
    vec![
        text("kind", "What answers: `echo` says what it heard, `openai` asks any OpenAI-compatible server, `command` starts a program.")
            .one_of(&["echo", "openai", "command"])
            .default_text("echo"),
        text("base_url", "Address of the server, up to and including `/v1`.").default_text(OPENAI_URL),
        text("model", "Name of the model; required with `openai`."),
        text("api_key", "Key of the server: `env:NAME`, `file:PATH` or the key itself.").secret(),
        text("system_prompt", "What the model is told before every conversation.")
            .default_text("You are a helpful assistant in a chat. Answer in the language of the message, and briefly."),
        text_list("command", "The program to start for each turn, and its arguments; required with `command`."),
        text_list("command_env", "Variables of the environment that the program is told, besides `PATH`, `HOME` and `LANG`."),
        integer("timeout_seconds", 120, 1..=3600, "Time for one answer."),
        integer("at_once", 8, 1..=1024, "Answers that are worked on at once, of all channels together. Others wait, a channel and a conversation after the other."),
        integer("silence_seconds", 60, 1..=3600, "Longest silence of the server within one answer."),
        boolean("images", false, "Show the model the pictures of a message. The model must be able to see; without it, it is told their names."),
        text("media_dir", "Folder for attachments, and the only one whose files an answer can send; default: `media` in the state directory."),
        integer("history_messages", 40, 0..=1000, "Messages of a conversation that the model sees."),
        integer("history_chars", 24_000, 0..=1_000_000, "Characters of a conversation that the model sees."),
        integer("retention_days", 30, 1..=3650, "Days for which what was said is kept."),
    ]
}

/// The keys of `[agent.tools.NAME]`.
pub fn tool_keys() -> Vec<KeySpec> {
    vec![
        text_list("command", "The program that offers the tools over MCP on its standard input and output, and its arguments; required."),
        text_list("command_env", "Variables of the environment that the program is told, besides `PATH`, `HOME` and `LANG`."),
        text("approve", "Which tools ask a person first: `marked` are those that do not say that they only read.")
            .one_of(&["marked", "always", "never"])
            .default_text("marked"),
        integer("timeout_seconds", 60, 1..=3600, "Time for one call, without the wait for a person."),
    ]
}

impl AgentConfig {
    /// Whether programs are started: whoever writes the table decides which.
    pub fn names_programs(&self) -> bool {
        matches!(self.mind, Mind::Command(_)) || !self.tools.is_empty()
    }

    /// Reads `[agent]` and the tables within it.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn read(
        layers: &Layers,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<ConfigError>> {
        let agent = layers.table_with("agent", &keys(), &[TOOLS], env);
        let agent = agent.and_then(|table| Self::from_table(&table).map_err(|e| vec![e]));
        let tools = layers.tables("agent", TOOLS, &tool_keys(), env);
        let tools = tools.and_then(|tables| {
            let tools = tables.into_iter().map(|(name, table)| tool(name, &table));
            tools.collect::<Result<Vec<_>, _>>().map_err(|e| vec![e])
        });
        match (agent, tools) {
            (Ok(agent), Ok(tools)) => Ok(Self { tools, ..agent }),
            (agent, tools) => {
                let mut mistakes = agent.err().unwrap_or_default();
                mistakes.extend(tools.err().into_iter().flatten());
                Err(mistakes)
            }
        }
    }

    /// Reads the checked table.
    ///
    /// # Errors
    /// Something that the key table cannot say: a model is missing, an address is not one.
    pub fn from_table(table: &Checked) -> Result<Self, ConfigError> {
        let number = |key| u64::try_from(table.integer(key).unwrap_or(0)).unwrap_or(0);
        let count = |key| usize::try_from(number(key)).unwrap_or(usize::MAX);
        let seconds = |key| Duration::from_secs(number(key));
        let mind = match table.text("kind") {
            Some("openai") => Mind::OpenAi(openai(table, seconds("silence_seconds"))?),
            Some("command") => Mind::Command(command(table)?),
            _ => Mind::Echo,
        };
        Ok(Self {
            mind,
            time_limit: seconds("timeout_seconds"),
            at_once: count("at_once"),
            history: Bounds {
                messages: count("history_messages"),
                chars: count("history_chars"),
                retention: Duration::from_secs(86_400 * number("retention_days")),
            },
            media_dir: table.text("media_dir").map(PathBuf::from),
            tools: Vec::new(),
            exposed: table.exposed.clone(),
            state_dir: None,
        })
    }
}

fn tool(name: String, table: &Checked) -> Result<ToolServer, ConfigError> {
    let command = table.list("command");
    if command.first().is_none_or(String::is_empty) {
        let table_name = format!("agent.{TOOLS}.{name}");
        return Err(missing(table, &table_name, "command", "[\"./tools\"]"));
    }
    let seconds = u64::try_from(table.integer("timeout_seconds").unwrap_or(0));
    Ok(ToolServer {
        name,
        command,
        env: table.list("command_env"),
        approve: match table.text("approve") {
            Some("always") => Approve::Always,
            Some("never") => Approve::Never,
            _ => Approve::Marked,
        },
        time_limit: Duration::from_secs(seconds.unwrap_or(0)),
    })
}

fn missing(table: &Checked, name: &str, key: &str, example: &str) -> ConfigError {
    let place = table.places.get("kind").or(table.place.as_ref());
    let missing = Mistake::Missing {
        key: key.into(),
        table: name.into(),
        example: example.into(),
    };
    ConfigError::new(place.cloned(), missing)
}

fn command(table: &Checked) -> Result<CommandConfig, ConfigError> {
    let command = table.list("command");
    if command.first().is_none_or(String::is_empty) {
        return Err(missing(table, "agent", "command", "[\"./answer\"]"));
    }
    Ok(CommandConfig {
        command,
        env: table.list("command_env"),
        system_prompt: table.text("system_prompt").unwrap_or_default().to_owned(),
    })
}

fn openai(table: &Checked, silence_limit: Duration) -> Result<OpenAiConfig, ConfigError> {
    let at = |key: &str| table.places.get(key).or(table.place.as_ref()).cloned();
    let model = table.text("model").map(str::to_owned);
    let model = model.ok_or_else(|| missing(table, "agent", "model", "\"gpt-4o-mini\""))?;
    let base_url = table.text("base_url").unwrap_or(OPENAI_URL);
    let bad_url = |cause: String| {
        let key = "base_url".into();
        ConfigError::new(at("base_url"), Mistake::Url { key, cause })
    };
    let base_url = Url::parse(base_url).map_err(|e| bad_url(e.to_string()))?;
    if !matches!(base_url.scheme(), "http" | "https") {
        return Err(bad_url(format!(
            "{} is not http or https",
            base_url.scheme()
        )));
    }
    // What is in the address ends up in error messages.
    if !base_url.username().is_empty()
        || base_url.password().is_some()
        || base_url.query().is_some()
    {
        return Err(bad_url(
            "a user name, a password or a query does not belong there; put the key into api_key"
                .into(),
        ));
    }
    Ok(OpenAiConfig {
        base_url,
        model,
        api_key: table.secret("api_key").cloned(),
        system_prompt: table.text("system_prompt").unwrap_or_default().to_owned(),
        silence_limit,
        images: table.boolean("images").unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AgentConfig, String> {
        let layers = Layers::from_text("c.toml", text).unwrap();
        let read = AgentConfig::read(&layers, &|_| None);
        read.map_err(|e| e[0].to_string())
    }

    #[test]
    fn nothing_written_means_echo() {
        let config = read("").unwrap();
        assert!(matches!(config.mind, Mind::Echo));
        assert_eq!(config.time_limit, AgentConfig::default().time_limit);
        assert_eq!(config.at_once, AgentConfig::default().at_once);
        assert_eq!(config.history, AgentConfig::default().history);
    }

    #[test]
    fn a_model_is_asked_for_with_its_line() {
        let error = read("[agent]\nkind = \"openai\"\n").unwrap_err();
        assert_eq!(
            error,
            "c.toml:2: [agent] needs `model`; add `model = \"gpt-4o-mini\"`"
        );
    }

    #[test]
    fn a_program_is_asked_for_with_its_line() {
        let base = "[agent]\nkind = \"command\"\n";
        for more in ["", "command = []\n", "command = [\"\"]\n"] {
            let error = read(&format!("{base}{more}")).unwrap_err();
            let expected = "c.toml:2: [agent] needs `command`; add `command = [\"./answer\"]`";
            assert_eq!(error, expected);
        }
        let more = "command = [\"a\", \"b\"]\ncommand_env = [\"KEY\"]\n";
        let Mind::Command(command) = read(&format!("{base}{more}")).unwrap().mind else {
            panic!()
        };
        assert_eq!(command.command, ["a", "b"]);
        assert_eq!(command.env, ["KEY"]);
    }

    #[test]
    fn tools_have_tables_of_their_own_with_lines_and_hints() {
        let config = read("[agent.tools.files]\ncommand = [\"f\"]\n").unwrap();
        let [files] = &config.tools[..] else { panic!() };
        assert_eq!(
            (files.name.as_str(), files.approve),
            ("files", Approve::Marked)
        );
        for (text, sentence) in [
            (
                "[agent.tools.x]\n",
                "c.toml:1: [agent.tools.x] needs `command`; add `command = [\"./tools\"]`",
            ),
            (
                "[agent.tools.x]\naprove = 1\n",
                "c.toml:2: `aprove` is not a key of [agent.tools.x]; did you mean `approve`?",
            ),
            (
                "[agent.tools]\nx = 1\n",
                "c.toml:2: [agent.tools.x] must be a table",
            ),
            (
                "[agent]\ntools = 1\n",
                "c.toml:2: [agent.tools] must be a table",
            ),
            (
                "[agent.tool.x]\n",
                "c.toml:1: `tool` is not a key of [agent]; did you mean `tools`?",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), sentence);
        }
    }

    #[test]
    fn pictures_are_shown_only_where_that_is_asked_for() {
        let base = "[agent]\nkind = \"openai\"\nmodel = \"m\"\n";
        for (more, expected) in [("", false), ("images = true\nmedia_dir = \"m\"\n", true)] {
            let config = read(&format!("{base}{more}")).unwrap();
            let Mind::OpenAi(openai) = config.mind else {
                panic!()
            };
            assert_eq!(openai.images, expected);
            assert_eq!(config.media_dir.is_some(), expected);
        }
    }

    #[test]
    fn the_key_does_not_show() {
        let text = "[agent]\nkind = \"openai\"\nmodel = \"m\"\napi_key = \"canary\"\n";
        let config = read(text).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
        let Mind::OpenAi(openai) = config.mind else {
            panic!()
        };
        assert_eq!(openai.api_key.unwrap().expose(), "canary");
    }
}
