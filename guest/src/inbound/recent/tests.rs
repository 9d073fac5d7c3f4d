//! What is remembered, in memory and in the store.

use proptest::prelude::*;

use super::*;
use crate::bindings::Action;
use crate::channel::tests::test_env;
use crate::state::tests::{Store, keep, stored};

fn theirs(text: &str) -> Said {
    Said {
        author: "Li".into(),
        text: text.into(),
        own: None,
    }
}

fn ours(id: &str, text: &str) -> Said {
    Said {
        author: String::new(),
        text: text.into(),
        own: Some(Own {
            id: MessageId(id.into()),
            sent_ms: 7,
        }),
    }
}

#[test]
fn a_message_is_found_by_its_id_and_its_index_where_it_was_said() {
    let mut env = test_env();
    let mut recent = Recent::restore(&mut Entries::default());
    recent.note(&mut env, Scene::C2c, "A", &["id", "REFIDX_1"], theirs("hi"));
    for name in ["id", "REFIDX_1"] {
        assert_eq!(
            recent
                .find(env.now.wall_ms, Scene::C2c, "A", name)
                .unwrap()
                .text,
            "hi"
        );
        assert_eq!(recent.find(env.now.wall_ms, Scene::C2c, "B", name), None);
        assert_eq!(recent.find(env.now.wall_ms, Scene::Group, "A", name), None);
    }
    assert_eq!(recent.find(env.now.wall_ms, Scene::C2c, "A", ""), None);
    assert_eq!(recent.latest_own(Scene::C2c, "A"), None);
}

#[test]
fn a_quote_that_only_has_an_index_is_resolved() {
    let mut env = test_env();
    let mut recent = Recent::restore(&mut Entries::default());
    let picture = r#"{"id":"m1","author":{"member_openid":"A","username":"Li"},"group_openid":"G","content":"look",
        "message_scene":{"ext":["msg_idx=REFIDX_1"]},"attachments":[{"content_type":"image/png"}]}"#;
    recent.heard(&mut env, &Inbound::group(picture, true, 0).unwrap());
    recent.note(
        &mut env,
        Scene::Group,
        "G",
        &["m2", "REFIDX_2"],
        ours("m2", "nice"),
    );
    let mut reply = |index: &str| {
        let body = format!(
            r#"{{"id":"m3","author":{{"member_openid":"B"}},"group_openid":"G","content":"why",
            "message_scene":{{"ext":["ref_msg_idx={index}"]}}}}"#
        );
        let mut inbound = Inbound::group(&body, false, 0).unwrap();
        inbound.resolve(&mut recent, 0);
        inbound
    };
    let to_person = reply("REFIDX_1");
    let quoted = to_person.for_agent().quoted.unwrap();
    assert_eq!(
        (quoted.text.as_deref(), quoted.author.as_deref()),
        (Some("look [image]"), Some("Li"))
    );
    assert!(!to_person.addressed && !quoted.by_bot);
    let to_bot = reply("REFIDX_2");
    assert!(to_bot.addressed, "a reply to the bot is meant for the bot");
    assert_eq!(to_bot.quoted.unwrap().text, "nice");
    assert_eq!(reply("REFIDX_9").for_agent().quoted.unwrap().text, None);
}

#[test]
fn the_bots_last_message_is_known_in_each_place_until_it_is_taken_back() {
    let mut env = test_env();
    let mut recent = Recent::restore(&mut Entries::default());
    recent.note(
        &mut env,
        Scene::Group,
        "G",
        &["a", "REFIDX_a"],
        ours("a", "one"),
    );
    recent.note(&mut env, Scene::Group, "G", &["b"], ours("b", "two"));
    recent.note(&mut env, Scene::Group, "G", &["c"], theirs("three"));
    recent.note(&mut env, Scene::Group, "H", &["d"], ours("d", "elsewhere"));
    assert_eq!(recent.latest_own(Scene::Group, "G").unwrap().text, "two");
    recent.forget(&mut env, Scene::Group, "G", "b");
    assert_eq!(recent.latest_own(Scene::Group, "G").unwrap().text, "one");
    let taken_back = recent
        .find(env.now.wall_ms, Scene::Group, "G", "b")
        .unwrap();
    assert_eq!(
        (taken_back.text.as_str(), taken_back.own.is_some()),
        ("", true)
    );
    recent.forget(&mut env, Scene::Group, "G", "unknown");
}

#[test]
fn it_outlives_the_process_and_what_was_taken_back_is_gone_from_the_store() {
    let mut env = test_env();
    let mut store = Store::new();
    let mut recent = Recent::restore(&mut Entries::default());
    for number in 0..40 {
        let id = format!("id{number}");
        recent.note(
            &mut env,
            Scene::C2c,
            "A",
            &[&id],
            theirs(&format!("secret{number}.")),
        );
    }
    recent.forget(&mut env, Scene::C2c, "A", "id3");
    let mut entries = stored(&mut env, &mut store);
    let holds = |needle: &str| {
        store.values().any(|bytes| {
            bytes
                .windows(needle.len())
                .any(|part| part == needle.as_bytes())
        })
    };
    assert!(holds("secret4.") && !holds("secret3."));
    let mut again = Recent::restore(&mut entries);
    assert_eq!(again.len(), 40);
    assert_eq!(
        again
            .find(env.now.wall_ms, Scene::C2c, "A", "id39")
            .unwrap()
            .text,
        "secret39."
    );
    assert_eq!(
        again
            .find(env.now.wall_ms, Scene::C2c, "A", "id3")
            .unwrap()
            .text,
        ""
    );
    again.note(&mut env, Scene::C2c, "A", &["id40"], theirs("more"));
    again.forget(&mut env, Scene::C2c, "A", "id40");
    let mut entries = stored(&mut env, &mut store);
    assert_eq!(Recent::restore(&mut entries).len(), 41);
}

#[test]
fn memory_and_store_are_bounded_and_texts_are_cut() {
    let mut env = test_env();
    let mut store = Store::new();
    let mut recent = Recent::restore(&mut Entries::default());
    let long = "长".repeat(500);
    for number in 0..CAPACITY + 500 {
        recent.note(
            &mut env,
            Scene::C2c,
            "A",
            &[&format!("id{number}")],
            theirs(&long),
        );
        stored(&mut env, &mut store);
    }
    assert!((CAPACITY - BLOCK..=CAPACITY).contains(&recent.len()));
    assert_eq!(recent.by_name.len(), recent.len());
    assert!(store.len() <= CAPACITY / BLOCK);
    let last = recent
        .find(
            env.now.wall_ms,
            Scene::C2c,
            "A",
            &format!("id{}", CAPACITY + 499),
        )
        .unwrap();
    assert_eq!(last.text.chars().count(), TEXT_CHARS);
    assert_eq!(recent.find(env.now.wall_ms, Scene::C2c, "A", "id499"), None);
    let mut entries = stored(&mut env, &mut store);
    let mut again = Recent::restore(&mut entries);
    assert!(
        again
            .find(
                env.now.wall_ms,
                Scene::C2c,
                "A",
                &format!("id{}", CAPACITY + 499)
            )
            .is_some()
    );
    assert_eq!(again.len(), recent.len());
}

#[test]
fn a_busy_bot_writes_one_block_for_a_message() {
    let mut env = test_env();
    let mut recent = Recent::restore(&mut Entries::default());
    let mut puts = 0;
    for number in 0..CAPACITY * 2 {
        let name = format!("id{number}");
        recent.note(&mut env, Scene::C2c, "A", &[&name], theirs("hi"));
        let effects = env.take_effects().into_iter();
        puts += effects
            .filter(|effect| matches!(effect.action, Action::StorePut(_)))
            .count();
    }
    assert_eq!(puts, CAPACITY * 2);
}

fn nothing_is_left_after_a_day(restarted: bool) {
    let mut env = test_env();
    let mut store = Store::new();
    let mut recent = Recent::restore(&mut Entries::default());
    for number in 0..40 {
        recent.note(
            &mut env,
            Scene::C2c,
            "A",
            &[&format!("id{number}")],
            theirs("old"),
        );
    }
    let mut entries = stored(&mut env, &mut store);
    if restarted {
        recent = Recent::restore(&mut entries);
    }
    env.now.wall_ms += REMEMBER_MS;
    assert_eq!(recent.find(env.now.wall_ms, Scene::C2c, "A", "id7"), None);
    recent.note(&mut env, Scene::C2c, "A", &["new"], theirs("new"));
    assert_eq!((recent.len(), recent.by_name.len()), (1, 1));
    stored(&mut env, &mut store);
    assert_eq!(store.len(), 1, "the blocks of yesterday are deleted");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        store.values().all(|bytes| !text(bytes).contains("old")),
        "and so is the rest of it"
    );
}

#[test]
fn after_a_day_nothing_is_left_of_it() {
    nothing_is_left_after_a_day(false);
}

#[test]
fn after_a_day_nothing_is_left_of_what_an_earlier_process_stored() {
    nothing_is_left_after_a_day(true);
}

#[derive(Clone, Debug)]
enum Step {
    Said { number: u8, own: bool },
    TakenBack { number: u8 },
    Passed { hours: u64 },
    Restarted,
}

/// Few, so that most that is taken back was said.
const NUMBERS: u8 = 40;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => ((0..NUMBERS), any::<bool>()).prop_map(|(number, own)| Step::Said { number, own }),
        3 => (0..NUMBERS).prop_map(|number| Step::TakenBack { number }),
        1 => (0_u64..10).prop_map(|hours| Step::Passed { hours }),
        1 => Just(Step::Restarted),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_store_always_says_what_memory_says(steps in proptest::collection::vec(step(), 1..200)) {
        let mut env = test_env();
        let mut store = Store::new();
        let mut recent = Recent::restore(&mut Entries::default());
        let id = |number: u8| format!("id{number}");
        for step in steps {
            match step {
                Step::Said { number, own } => {
                    let said = if own { ours(&id(number), "ours") } else { theirs("theirs") };
                    let mut entries = stored(&mut env, &mut store);
                    let mut successor = Recent::restore(&mut entries);
                    successor.note(&mut env, Scene::C2c, "A", &[&id(number)], said.clone());
                    let done_by_it = env.take_effects();
                    recent.note(&mut env, Scene::C2c, "A", &[&id(number)], said);
                    let done = env.take_effects();
                    prop_assert_eq!(&done_by_it, &done, "one that takes over does the same");
                    keep(&mut store, done);
                }
                Step::TakenBack { number } => recent.forget(&mut env, Scene::C2c, "A", &id(number)),
                Step::Passed { hours } => env.now.wall_ms += hours * 3_600_000,
                Step::Restarted => {
                    let mut entries = stored(&mut env, &mut store);
                    recent = Recent::restore(&mut entries);
                }
            }
            let mut entries = stored(&mut env, &mut store);
            let mut again = Recent::restore(&mut entries);
            prop_assert_eq!(again.len(), recent.len());
            // A copy, since what is asked reads what was not read yet.
            let mut asked = recent.clone();
            prop_assert_eq!(again.latest_own(Scene::C2c, "A"), asked.latest_own(Scene::C2c, "A"));
            for number in 0..NUMBERS {
                let known = again.find(env.now.wall_ms, Scene::C2c, "A", &id(number));
                prop_assert_eq!(known, asked.find(env.now.wall_ms, Scene::C2c, "A", &id(number)));
            }
        }
        env.now.wall_ms += 1;
        recent.note(&mut env, Scene::C2c, "A", &["last"], theirs("last"));
        let mut entries = stored(&mut env, &mut store);
        prop_assert_eq!(Recent::restore(&mut entries).len(), recent.len());
    }
}
