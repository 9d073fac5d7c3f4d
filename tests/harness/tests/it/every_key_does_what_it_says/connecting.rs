//! Keys of the connection: whose bot it is, where QQ is, what it hears and to whom it listens.

use harness::sim::bot;
use qq_emulator::actions::Act;
use qq_emulator::intents::INTENTS;
use qq_emulator::record::What;
use qq_emulator::settings::MemberIds;
use serde_json::Value;

use super::{ask, echo, quiet, read, refused, rules, said, stage, stage_of, started};

#[test]
pub(super) fn app_id_is_whose_bot_it_is() {
    let mut mine = stage(r#"app_id = "102012345""#);
    assert_eq!(ask(&mut mine, Act::c2c("ann", "hi")), ["echo: hi"]);
    quiet(&mine);
    let other = read("", r#"app_id = "999""#, &[]).unwrap();
    assert!(!started(other, rules(), echo()).connected());
    let missing = read("", "", &["app_id"]).unwrap_err();
    assert!(missing.contains("needs `app_id`"), "{missing}");
    assert!(refused("app_id", r#""bot""#).contains("digits only"));
    refused("app_id", "102012345");
}

#[test]
pub(super) fn app_secret_is_written_out_or_found_in_the_environment_or_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, format!("{}\n", bot().secret)).unwrap();
    let file = format!("file:{}", file.display());
    for form in [bot().secret.as_str(), "env:SECRET_OF_QQ", &file] {
        let mut stage = stage(&format!("app_secret = {form:?}"));
        assert_eq!(ask(&mut stage, Act::c2c("ann", "hi")), ["echo: hi"]);
        let told = stage.log().join("\n");
        assert!(!told.contains(&bot().secret), "{form}: {told}");
        quiet(&stage);
    }
    let wrong = read("", r#"app_secret = "wrong""#, &[]).unwrap();
    assert!(!started(wrong, rules(), echo()).connected());
    for (form, why) in [
        ("env:NOT_SET", "NOT_SET"),
        ("file:not-there", "not-there"),
        ("", "empty"),
    ] {
        let sentence = refused("app_secret", &format!("{form:?}"));
        assert!(sentence.contains(why), "{sentence}");
    }
    let missing = read("", "", &["app_secret"]).unwrap_err();
    assert!(missing.contains("needs `app_secret`"), "{missing}");
}

/// Everywhere that ann and bob may write.
const WHERE: [fn() -> Act; 9] = [
    || Act::c2c("ann", "hi"),
    || Act::group_at("room", "ann", "hi"),
    || Act::group_at("hall", "ann", "hi"),
    || Act::channel_at("guild", "talk", "ann", "hi"),
    || Act::dm("guild", "ann", "hi"),
    || Act::c2c("bob", "hi"),
    || Act::group_at("room", "bob", "hi"),
    || Act::channel_at("guild", "talk", "bob", "hi"),
    || Act::channel_at("other", "talk", "bob", "hi"),
];

/// Where the bot answers with this list: `+` or `-` for each of [`WHERE`].
fn answered(list: &str, ids: MemberIds) -> String {
    let mut rules = rules();
    rules.events.member_ids = ids;
    let mut stage = stage_of(&format!("allowed_users = {list}"), rules, echo());
    let mut answered = String::new();
    for act in WHERE {
        let echoed = ask(&mut stage, act()) == ["echo: hi"];
        answered.push(if echoed { '+' } else { '-' });
    }
    assert_eq!(stage.begun().len(), answered.matches('+').count(), "{list}");
    quiet(&stage);
    answered
}

/// What `/whoami` says can be written to let in whoever asks.
fn whoami(place: fn() -> Act) -> Vec<String> {
    let mut stage = stage("");
    let mut texts = Vec::new();
    for act in WHERE {
        // People and places get their ids in the order in which they come up.
        let mut act = act();
        let here = act == place();
        if here {
            act.message_mut().unwrap().text = "/whoami".into();
        }
        let said = ask(&mut stage, act);
        if here {
            texts = said;
        }
    }
    let (_, entries) = texts[0].split_once("allowed_users").unwrap();
    let entries = entries.lines().skip(1).map(|line| line.trim().to_owned());
    entries.collect()
}

#[test]
pub(super) fn allowed_users_names_people_groups_and_guilds_and_none_means_pairing() {
    let (private, group, guild) = (whoami(WHERE[0]), whoami(WHERE[1]), whoami(WHERE[3]));
    let inner = |list: &str| list.trim_matches(['[', ']']).to_owned();
    let one = |list: &[String], wanted: &dyn Fn(&str) -> bool| {
        let found = list.iter().find(|entry| wanted(entry.trim_matches('"')));
        let found = found.unwrap_or_else(|| panic!("{list:?}"));
        format!("[{:?}]", found.trim_matches('"'))
    };
    let openid = one(&private, &|entry| !entry.contains(':'));
    let group_id = one(&group, &|entry| entry.starts_with("group:"));
    let in_group = one(&group, &|entry| entry.contains("@group:"));
    let guild_id = one(&guild, &|entry| entry.starts_with("guild:"));
    // In guilds people have an id of their own, and in each group another one.
    let guild_openid = one(&guild, &|entry| !entry.contains(':'));
    let member = in_group.replace(&in_group[in_group.find("@group").unwrap()..], "\"]");
    for (list, wanted) in [
        (r#"["*"]"#, "+++++++++"),
        (&openid, "+--------"),
        (&member, "-+-------"),
        (&guild_openid, "---++----"),
        (
            &format!("[{}, {}]", inner(&openid), inner(&group_id)),
            "++----+--",
        ),
        (&group_id, "-+----+--"),
        (&in_group, "-+-------"),
        (&guild_id, "---++--+-"),
        (r#"["nobody"]"#, "---------"),
        ("[]", "---------"),
    ] {
        assert_eq!(answered(list, MemberIds::PerGroup), wanted, "{list}");
    }
    // A platform that gives people one id everywhere but in guilds.
    let same = |list: &str| answered(list, MemberIds::SameAsUser);
    assert_eq!(same(&openid), "+++------");
    let here = group_id.trim_matches(['[', ']', '"']);
    let one_in_group = openid.replace("\"]", &format!("@{here}\"]"));
    assert_eq!(same(&one_in_group), "-+-------", "{one_in_group}");
    refused("allowed_users", r#""*""#);
    // Not written is empty: whoever has the code of the log is let in.
    let keys = read("", "", &["allowed_users"]).unwrap();
    let mut stage = started(keys, rules(), echo());
    let log = stage.log().join("\n");
    let code: String = log
        .rsplit_once("/bind ")
        .unwrap()
        .1
        .chars()
        .take(6)
        .collect();
    assert!(!ask(&mut stage, Act::c2c("ann", "hi")).contains(&"echo: hi".to_owned()));
    stage.act(Act::c2c("ann", &format!("/bind {code}")));
    assert_eq!(
        ask(&mut stage, Act::c2c("ann", "hi")),
        ["echo: hi"],
        "{log}"
    );
    quiet(&stage);
}

/// Where the requests of a bot went, that is asked and answers.
fn called(lines: &str) -> Vec<String> {
    let mut stage = stage(lines);
    assert_eq!(ask(&mut stage, Act::c2c("ann", "hi")), ["echo: hi"]);
    quiet(&stage);
    stage.called()
}

const TOKENS: &str = "https://bots.qq.com";

#[test]
pub(super) fn sandbox_is_another_address() {
    let real = ["https://api.sgroup.qq.com", TOKENS];
    assert_eq!(called(""), real);
    assert_eq!(called("sandbox = false"), real);
    let sandbox = [TOKENS, "https://sandbox.api.sgroup.qq.com"];
    assert_eq!(called("sandbox = true"), sandbox);
    refused("sandbox", "\"yes\"");
}

#[test]
pub(super) fn api_base_is_another_api() {
    assert_eq!(called(""), ["https://api.sgroup.qq.com", TOKENS]);
    let own = "api_base = \"http://127.0.0.1:9000\"\nsandbox = true";
    assert_eq!(called(own), ["http://127.0.0.1:9000", TOKENS]);
    let named = r#"api_base = "https://qq.example.org/""#;
    assert_eq!(called(named), [TOKENS, "https://qq.example.org"]);
    refused("api_base", r#""api.sgroup.qq.com""#);
    refused("api_base", r#""ftp://api.sgroup.qq.com""#);
    // Without encryption towards this machine only.
    let keys = read("", r#"api_base = "http://qq.example.org""#, &[]).unwrap();
    let findings = started(keys, rules(), echo()).findings();
    assert!(findings[0].contains("qq.example.org"), "{findings:?}");
}

#[test]
pub(super) fn token_url_is_another_token_endpoint() {
    let own = r#"token_url = "https://tokens.example.org/app/getAppAccessToken""#;
    let wanted = ["https://api.sgroup.qq.com", "https://tokens.example.org"];
    assert_eq!(called(own), wanted);
    let whole = "token_url = \"http://127.0.0.1:9000/app/getAppAccessToken\"";
    assert!(called(whole).contains(&"http://127.0.0.1:9000".to_owned()));
    refused("token_url", r#""tokens""#);
}

/// The intents of each login, as the platform got them.
fn asked_for(stage: &harness::sim::Stage) -> Vec<u64> {
    let entries = stage.platform().record().entries();
    let frames = entries.filter_map(|entry| match &entry.what {
        What::FrameIn { text, .. } => serde_json::from_str::<Value>(text).ok(),
        _ => None,
    });
    let logins = frames.filter(|frame| frame["op"] == 2);
    logins
        .filter_map(|frame| frame["d"]["intents"].as_u64())
        .collect()
}

#[test]
pub(super) fn intents_are_what_the_bot_hears_each_by_its_name() {
    let scenes = [
        Act::c2c("ann", "hi"),
        Act::group_at("room", "ann", "hi"),
        Act::channel_at("guild", "talk", "ann", "hi"),
        Act::channel_plain("guild", "talk", "ann", "hi"),
        Act::dm("guild", "ann", "hi"),
    ];
    let names = qq_channel::gateway::intents::Intents::names();
    for (name, bit, heard) in [
        ("guilds", 0, "-----"),
        ("guild_members", 1, "-----"),
        ("guild_messages", 9, "--++-"),
        ("guild_message_reactions", 10, "-----"),
        ("direct_messages", 12, "----+"),
        ("group_members", 24, "-----"),
        ("group_and_c2c", 25, "++---"),
        ("interaction", 26, "-----"),
        ("message_audit", 27, "-----"),
        ("forums", 28, "-----"),
        ("audio_action", 29, "-----"),
        ("public_guild_messages", 30, "--+--"),
    ] {
        assert!(names.contains(&name) && INTENTS.iter().any(|row| row.bit == bit));
        let mut stage = stage(&format!("intents = [{name:?}]"));
        assert_eq!(asked_for(&stage), [1 << bit], "{name}");
        let mut answered = String::new();
        for act in &scenes {
            let echoed = ask(&mut stage, act.clone()) == ["echo: hi"];
            answered.push(if echoed { '+' } else { '-' });
        }
        assert_eq!(answered, heard, "{name}: {:#?}", stage.log());
        quiet(&stage);
    }
    assert_eq!(names.len(), 12, "each of them is above");
    // By default a bot of the private domain hears its guilds; one of the public domain gets what it may have.
    let default = || read("", "", &["intents"]).unwrap();
    let private = started(default(), rules(), echo());
    assert_eq!(asked_for(&private), [1 | 1 << 9 | 1 << 12]);
    let mut public = started(default(), bot(), echo());
    assert!(public.connected(), "{:#?}", public.log());
    assert_eq!(
        ask(&mut public, Act::channel_at("guild", "talk", "ann", "hi")),
        ["echo: hi"]
    );
    let log = public.log().join("\n");
    assert!(log.contains("guild_messages"), "{log}");
    assert!(refused("intents", r#"["guild"]"#).contains("guilds"));
    let both = stage_of("intents = [\"guilds\", \"group_and_c2c\"]", bot(), echo());
    assert_eq!(
        (asked_for(&both), said(&both).len()),
        (vec![1 | 1 << 25], 0)
    );
}
