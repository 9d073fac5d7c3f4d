//! Each mistake an operator can make, and the sentence it gets.

use super::*;
use crate::bindings::v0_1::ValueAlias;

fn keys() -> Vec<KeySpec> {
    let mut secret = text("app_secret", "").secret();
    secret.required = true;
    let mut mode = text("stream_mode", "")
        .one_of(&["none", "typing"])
        .default_text("none");
    mode.aliases = vec![ValueAlias {
        written: "off".into(),
        means: "none".into(),
    }];
    let mut ack = boolean("ack_reactions", false, "");
    ack.inherits_from = Some("ack_reactions".into());
    let mut base = text("api_base", "");
    base.widens_egress = Some("api".into());
    vec![
        secret,
        mode,
        ack,
        base,
        integer("limit", 5, 1..=10, ""),
        text_list("allowed_users", ""),
    ]
}

fn env(name: &str) -> Option<String> {
    (name == "SECRET").then(|| " from-the-environment\n".to_owned())
}

fn check(body: &str) -> Result<Checked, Vec<String>> {
    let text = format!("# first line\n[channels_config.bot]\n{body}");
    let layers = Layers::from_text("c.toml", &text).map_err(|e| vec![e.to_string()])?;
    let checked = layers.channel("bot", &keys(), &env);
    checked.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn one_error(body: &str) -> String {
    let mut errors = check(&format!("app_secret = \"x\"\n{body}")).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.remove(0)
}

#[test]
fn defaults_are_filled_in_and_secrets_are_withheld() {
    let checked = check("app_secret = \"env:SECRET\"").unwrap();
    assert_eq!(
        checked.json_text(),
        r#"{"ack_reactions":false,"limit":5,"stream_mode":"none"}"#
    );
    let secret = checked.secret("app_secret").unwrap();
    assert_eq!(secret.expose(), "from-the-environment");
    assert!(!format!("{checked:?}").contains("from-the"));
}

#[test]
fn each_mistake_is_one_sentence_with_its_line() {
    for (body, says) in [
        (
            "alowed_users = []",
            "c.toml:4: `alowed_users` is not a key of [channels_config.bot]; did you mean `allowed_users`?",
        ),
        ("zzz = 1", "its keys are app_secret"),
        (
            "limit = \"3\"",
            "c.toml:4: `limit` must be a whole number, and is a string; write for example `limit = 1`",
        ),
        (
            "limit = 11",
            "c.toml:4: `limit` is 11, and must be from 1 to 10",
        ),
        (
            "stream_mode = \"typng\"",
            "c.toml:4: \"typng\" is not a value of `stream_mode`; allowed are \"none\", \"typing\"; did you mean \"typing\"?",
        ),
        ("allowed_users = [1]", "must be a list of strings"),
        ("ack_reactions = \"yes\"", "must be true or false"),
        ("api_base = \"nonsense\"", "must be a URL"),
        ("api_base = \"ftp://a.org\"", "ftp is not a scheme"),
        ("api_base = \"https://u:p@a.org\"", "user name or password"),
    ] {
        let error = one_error(body);
        assert!(error.contains(says), "{body}: {error}");
    }
}

#[test]
fn a_missing_secret_says_what_to_write() {
    let errors = check("").unwrap_err();
    assert_eq!(
        errors,
        [
            "c.toml:2: [channels_config.bot] needs `app_secret`; add `app_secret = \"env:APP_SECRET\"`"
        ]
    );
    let errors = check("app_secret = \"env:NOPE\"").unwrap_err();
    assert!(errors[0].contains("NOPE is not set"), "{errors:?}");
    let errors = check("app_secret = \"file:/does/not/exist\"").unwrap_err();
    assert!(errors[0].contains("cannot be read"), "{errors:?}");
    let errors = check("app_secret = \"\"").unwrap_err();
    assert!(errors[0].contains("empty"), "{errors:?}");
}

#[test]
fn several_mistakes_are_reported_together_in_the_order_of_the_file() {
    let errors = check("limit = 99\napp_secret = \"x\"\nstream_mode = \"x\"").unwrap_err();
    assert_eq!(errors.len(), 2);
    assert!(errors[0].starts_with("c.toml:3") && errors[1].starts_with("c.toml:5"));
}

#[test]
fn aliases_mean_what_they_stand_for() {
    let checked = check("app_secret = \"x\"\nstream_mode = \"off\"").unwrap();
    assert_eq!(checked.text("stream_mode"), Some("none"));
}

#[test]
fn a_key_is_inherited_from_the_table_above_and_overridden_below() {
    let above =
        "[channels_config]\nack_reactions = true\n[channels_config.bot]\napp_secret = \"x\"\n";
    let layers = Layers::from_text("c.toml", above).unwrap();
    let checked = layers.channel("bot", &keys(), &env).unwrap();
    assert_eq!(checked.boolean("ack_reactions"), Some(true));
    let below = format!("{above}ack_reactions = false\n");
    let layers = Layers::from_text("c.toml", &below).unwrap();
    let checked = layers.channel("bot", &keys(), &env).unwrap();
    assert_eq!(checked.boolean("ack_reactions"), Some(false));
}

#[test]
fn a_second_file_is_laid_over_the_first_key_by_key() {
    let first = "[channels_config.bot]\napp_secret = \"x\"\nlimit = 3\nstream_mode = \"typing\"\n";
    let mut layers = Layers::from_text("first.toml", first).unwrap();
    layers
        .lay_over("second.toml", "[channels_config.bot]\nlimit = 70\n")
        .unwrap();
    let errors = layers.channel("bot", &keys(), &env).unwrap_err();
    assert!(
        errors[0]
            .to_string()
            .starts_with("second.toml:2: `limit` is 70")
    );
    layers
        .lay_over("third.toml", "\n[channels_config.bot]\nlimit = 7\n")
        .unwrap();
    let checked = layers.channel("bot", &keys(), &env).unwrap();
    assert_eq!(checked.integer("limit"), Some(7));
    assert_eq!(checked.text("stream_mode"), Some("typing"));
}

#[test]
fn of_another_programs_file_only_the_channels_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(
        &path,
        "[agent]\nkind = 3\n[channels_config.bot]\nplugin = \"tiny\"\n",
    )
    .unwrap();
    let layer = |only_channels| Layer {
        path: path.clone(),
        only_channels,
        required: true,
    };
    let kind = [text("kind", "")];
    let foreign = Layers::read(&[layer(true)]).unwrap();
    assert!(foreign.table("agent", &kind, &env).is_ok());
    assert_eq!(foreign.channels()["bot"], "tiny");
    let ours = Layers::read(&[layer(false)]).unwrap();
    assert!(ours.table("agent", &kind, &env).is_err());
}

#[test]
fn a_missing_table_and_broken_toml_are_named() {
    let layers = Layers::from_text("c.toml", "x = 1").unwrap();
    let error = layers.channel("bot", &keys(), &env).unwrap_err().remove(0);
    assert_eq!(
        error.to_string(),
        "there is no [channels_config.bot] in c.toml; write one"
    );
    let error = Layers::from_text("c.toml", "a = 1\nb = \n")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("c.toml:2: this is not valid TOML"),
        "{error}"
    );
}

#[test]
fn keys_that_the_daemon_refuses_are_found_where_they_are_written() {
    let mut keys = keys();
    keys[0].native = true;
    let text = "[channels_config]\nack_reactions = true\nother = 1\n[channels_config.bot]\napp_secret = \"x\"\nlimit = 3\nplugin = \"qx\"\n";
    let mut layers = Layers::from_text("one.toml", text).unwrap();
    let more = "[channels_config.bot]\nlimit = 4\n";
    layers.lay_over("two.toml", more).unwrap();
    let found = layers.not_native("bot", &keys).into_iter();
    let found: Vec<String> = found.map(|(key, place)| format!("{place} {key}")).collect();
    let expected = [
        "one.toml:2 ack_reactions",
        "one.toml:6 limit",
        "one.toml:7 plugin",
        "two.toml:2 limit",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_account_is_its_required_keys_and_its_addresses() {
    let required = |name: &str| KeySpec {
        required: true,
        ..text(name, "")
    };
    let keys = [
        required("account"),
        KeySpec {
            secret: true,
            ..required("password")
        },
        KeySpec {
            widens_egress: Some("api".into()),
            default: Some("\"https://api.example.org\"".into()),
            ..text("base", "")
        },
        text("colour", ""),
    ];
    let identity = |more: &str| {
        let toml = format!("[channels_config.x]\n{more}\n");
        let layers = Layers::from_text("test.toml", &toml).unwrap();
        layers
            .channel("x", &keys, &|_| None)
            .unwrap()
            .identity
            .unwrap()
    };
    let one = identity("account = \"1\"\npassword = \"a\"");
    assert_eq!(one.keys, ["account"]);
    for (more, same) in [
        ("account = \"1\"\npassword = \"b\"", true),
        ("account = \"1\"\npassword = \"a\"\ncolour = \"red\"", true),
        ("account = \"1\"\npassword = \"a\"\nplugin = \"p\"", true),
        (
            "account = \"1\"\npassword = \"a\"\nbase = \"https://api.example.org\"",
            true,
        ),
        ("account = \"2\"\npassword = \"a\"", false),
        (
            "account = \"1\"\npassword = \"a\"\nbase = \"https://other.example.org\"",
            false,
        ),
    ] {
        assert_eq!(identity(more) == one, same, "{more}");
        let names = (identity(more).name("p"), one.name("p"));
        assert_eq!(names.0 == names.1, same, "{more}");
    }
    assert_ne!(one.name("p"), one.name("q"), "another plugin's account");
    let layers = Layers::from_text("test.toml", "[channels_config.x]\ncolour = \"red\"\n").unwrap();
    let checked = layers.channel("x", &keys[2..], &|_| None).unwrap();
    assert_eq!(checked.identity, None, "no key says who it is");
}
