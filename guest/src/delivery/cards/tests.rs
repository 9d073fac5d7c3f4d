use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::Language;

fn card(value: &Value) -> Card {
    read(&value.to_string()).unwrap()
}

fn sentence(value: &Value) -> String {
    read(&value.to_string()).unwrap_err().to_string()
}

fn buttons(rows: Value) -> Value {
    json!({"type": "buttons", "text": "Deploy?", "rows": rows})
}

fn keyboard(rows: Value) -> Value {
    let Card::Buttons(card) = card(&buttons(rows)) else {
        panic!("not buttons");
    };
    card.keyboard(Language::En)
}

#[test]
fn buttons_become_a_keyboard() {
    let rows = json!([
        [
            {"label": "Yes", "callback": "deploy yes", "style": "primary", "visited": "Deployed",
             "users": ["7A"], "confirm": "Really?", "of a later version": 1},
            {"label": "Docs", "link": "https://example.com/a?b=c"},
        ],
        [{"label": "Do it again please", "command": "/deploy", "send": true, "style": "danger", "admins": true}],
    ]);
    assert_eq!(
        keyboard(rows),
        json!({"content": {"rows": [
            {"buttons": [
                {"id": "1", "render_data": {"label": "Yes", "visited_label": "Deployed", "style": 1},
                 "action": {"type": 1, "data": "deploy yes", "unsupport_tips": "Please update QQ to use this button",
                            "permission": {"type": 0, "specify_user_ids": ["7A"]},
                            "modal": {"content": "Really?", "confirm_text": "Yes", "cancel_text": "No"}}},
                {"id": "2", "render_data": {"label": "Docs", "visited_label": "Docs", "style": 0},
                 "action": {"type": 0, "data": "https://example.com/a?b=c",
                            "unsupport_tips": "Please update QQ to use this button", "permission": {"type": 2}}},
            ]},
            {"buttons": [
                {"id": "3", "render_data": {"label": "Do it aga…", "visited_label": "Do it aga…", "style": 3},
                 "action": {"type": 2, "data": "/deploy", "enter": true,
                            "unsupport_tips": "Please update QQ to use this button", "permission": {"type": 1}}},
            ]},
        ]}})
    );
}

#[test]
fn no_button_of_a_model_carries_what_belongs_to_the_channel() {
    for action in [
        json!({"label": "Sunny", "command": "/allow", "send": true}),
        json!({"label": "Sunny", "command": "／Allow"}),
        json!({"label": "Sunny", "command": "\u{200b}/allow"}),
        json!({"label": "Sunny", "command": "<@1> /bind 123456"}),
        json!({"label": "Sunny", "command": "/new@bot"}),
        json!({"label": "Sunny", "callback": "prx.ask:yes:abab"}),
        json!({"label": "Sunny", "callback": " \u{feff}prx.pair:yes:1:abab"}),
    ] {
        assert!(
            sentence(&buttons(json!([[action]]))).contains("belongs to the channel itself"),
            "{action}"
        );
    }
    card(&buttons(
        json!([[{"label": "Go", "command": "/weather", "send": true}, {"label": "A", "callback": "allow"}]]),
    ));
}

#[test]
fn the_text_of_buttons_is_markdown() {
    let wire = json!({"type": "buttons", "text": "### Deploy?\n- now", "rows": [[{"label": "A", "callback": "a"}]]});
    let Card::Buttons(card) = card(&wire) else {
        panic!("not buttons");
    };
    assert_eq!(card.markdown(), "**Deploy?**\n\n- now");
    assert_eq!(card.plain(), "Deploy?\n• now\n\n1. A");
}

#[test]
fn a_button_is_found_by_the_id_that_an_interaction_names() {
    let rows = json!([[{"label": "A", "callback": "a"}], [{"label": "B", "callback": "b"}]]);
    let Card::Buttons(card) = card(&buttons(rows)) else {
        panic!("not buttons");
    };
    assert_eq!(card.button("2").unwrap().label, "B");
    assert_eq!(card.button("0"), None);
    assert_eq!(card.button("3"), None);
    assert_eq!(card.button("ok"), None);
}

#[test]
fn a_keyboard_of_five_by_five_is_allowed_and_a_larger_one_is_not() {
    let button = json!({"label": "A", "callback": "a"});
    let board = |rows: usize, columns: usize| json!(vec![vec![button.clone(); columns]; rows]);
    let ids: Vec<String> = keyboard(board(5, 5))["content"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row["buttons"].as_array().unwrap())
        .map(|button| button["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, (1..=25).map(|id| id.to_string()).collect::<Vec<_>>());
    for (rows, columns) in [(6, 1), (1, 6), (0, 0), (1, 0)] {
        assert!(sentence(&buttons(board(rows, columns))).contains("1 to 5 rows"));
    }
}

#[test]
fn what_is_wrong_with_a_button_is_said_with_its_label() {
    for (button, part) in [
        (json!({"label": "A"}), "needs one of"),
        (
            json!({"label": "A", "callback": "a", "link": "https://a.cn"}),
            "only one",
        ),
        (
            json!({"label": "A", "command": "x".repeat(101)}),
            "longer than 100",
        ),
        (
            json!({"label": "A", "link": "javascript:alert(1)"}),
            "begins with https://",
        ),
        (
            json!({"label": "A", "callback": "a", "users": ["7A"], "admins": true}),
            "either for",
        ),
        (
            json!({"label": " ", "callback": "a"}),
            "\"label\" must be a text",
        ),
        (
            json!({"label": "A", "callback": "a", "style": "green"}),
            "must be primary, secondary or danger; write the card as {\"type\":\"buttons\"",
        ),
    ] {
        let said = sentence(&buttons(json!([[button]])));
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_question_is_short_and_without_links_where_it_is_asked() {
    let rows = json!([[{"label": "A", "callback": "a", "confirm": "问".repeat(50)}]]);
    let modal = &keyboard(rows)["content"]["rows"][0]["buttons"][0]["action"]["modal"];
    assert_eq!(
        modal["content"].as_str().unwrap(),
        format!("{}…", "问".repeat(39))
    );
    let rows =
        json!([[{"label": "A", "callback": "a", "confirm": "As in [the docs](https://a.cn)?"}]]);
    let modal = &keyboard(rows)["content"]["rows"][0]["buttons"][0]["action"]["modal"];
    assert_eq!(modal["content"], "As in the docs?");
}

#[test]
fn a_label_is_not_cut_inside_an_emoji() {
    assert_eq!(shortened("abcdef👨‍👩‍👧‍👦xyz", 10), "abcdef…");
    assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
}

#[test]
fn templates_get_only_the_keys_that_have_a_value() {
    for (wire, expected) in [
        (
            json!({"type": "list", "title": "News", "items": [{"text": "One", "link": "https://a.cn"}, {"text": "Two"}]}),
            json!({"template_id": 23, "kv": [
                {"key": "#DESC#", "value": "News"}, {"key": "#PROMPT#", "value": "News"},
                {"key": "#LIST#", "obj": [
                    {"obj_kv": [{"key": "desc", "value": "News"}]},
                    {"obj_kv": [{"key": "desc", "value": "One"}, {"key": "link", "value": "https://a.cn"}]},
                    {"obj_kv": [{"key": "desc", "value": "Two"}]},
                ]},
            ]}),
        ),
        (
            json!({"type": "article", "title": "T", "text": "x", "image": "https://a.cn/a.png", "source": " "}),
            json!({"template_id": 24, "kv": [
                {"key": "#DESC#", "value": "T"}, {"key": "#PROMPT#", "value": "T"}, {"key": "#TITLE#", "value": "T"},
                {"key": "#METADESC#", "value": "x"}, {"key": "#IMG#", "value": "https://a.cn/a.png"},
            ]}),
        ),
        (
            json!({"type": "picture", "title": "T", "subtitle": "s", "image": "https://a.cn/a.jpg", "link": "http://a.cn"}),
            json!({"template_id": 37, "kv": [
                {"key": "#PROMPT#", "value": "T"}, {"key": "#METATITLE#", "value": "T"},
                {"key": "#METASUBTITLE#", "value": "s"}, {"key": "#METACOVER#", "value": "https://a.cn/a.jpg"},
                {"key": "#METAURL#", "value": "http://a.cn"},
            ]}),
        ),
    ] {
        let Card::Ark(ark) = card(&wire) else {
            panic!("no template: {wire}");
        };
        assert_eq!(ark.ark(), expected);
    }
}

#[test]
fn the_description_of_an_embed_becomes_its_first_lines() {
    let wire = json!({"type": "embed", "title": "Server", "description": "all\n\nis well", "thumbnail": "https://a.cn/t.png",
                      "fields": ["load: 0.3"]});
    let Card::Embed(embed) = card(&wire) else {
        panic!("no embed");
    };
    assert_eq!(
        embed.embed(),
        json!({"title": "Server", "prompt": "Server", "thumbnail": {"url": "https://a.cn/t.png"},
               "fields": [{"name": "all"}, {"name": "is well"}, {"name": "load: 0.3"}]})
    );
}

#[test]
fn reactions_are_faces_by_number_and_emoji_by_code_point() {
    for (wire, kind, id, plain) in [
        (json!({"emoji": "👍"}), 2, "128077", "👍"),
        (json!({"emoji": "👍🏽"}), 2, "128077", "👍"),
        (json!({"emoji": "☀\u{fe0f}"}), 2, "9728", "☀"),
        (json!({"face": "76"}), 1, "76", "👍"),
        (json!({"face": 277}), 1, "277", "[表情277]"),
    ] {
        let mut wire = wire;
        wire["type"] = json!("reaction");
        let Card::Reaction(reaction) = card(&wire) else {
            panic!("no reaction");
        };
        assert_eq!((reaction.kind(), reaction.id().as_str()), (kind, id));
        assert_eq!(reaction.plain(), plain);
    }
    for wire in [
        json!({"type": "reaction"}),
        json!({"type": "reaction", "emoji": "👨‍👩‍👧"}),
        json!({"type": "reaction", "emoji": "A"}),
        json!({"type": "reaction", "emoji": "赞"}),
        json!({"type": "reaction", "face": "thumb"}),
        json!({"type": "reaction", "face": 76, "emoji": "👍"}),
    ] {
        assert!(sentence(&wire).contains("one emoji"), "{wire}");
    }
}

#[test]
fn where_a_card_is_impossible_all_of_it_is_text() {
    for (wire, expected) in [
        (
            buttons(
                json!([[{"label": "Yes, do it right now", "callback": "y"}, {"label": "Docs", "link": "https://a.cn"}],
                           [{"label": "Again", "command": "/deploy"}]]),
            ),
            "Deploy?\n\n1. Yes, do it right now\n2. Docs: https://a.cn\n3. Again: /deploy",
        ),
        (
            json!({"type": "list", "title": "News", "items": [{"text": "One", "link": "https://a.cn"}, {"link": "https://b.cn"}]}),
            "News\n• One: https://a.cn\n• https://b.cn",
        ),
        (
            json!({"type": "article", "title": "T", "text": "x", "link": "https://a.cn"}),
            "T\nx\nhttps://a.cn",
        ),
        (
            json!({"type": "picture", "title": "T", "image": "https://a.cn/a.jpg"}),
            "T\nhttps://a.cn/a.jpg",
        ),
        (
            json!({"type": "embed", "title": "T", "description": "d", "fields": ["f"]}),
            "T\nd\nf",
        ),
        (json!({"type": "recall"}), ""),
    ] {
        assert_eq!(card(&wire).plain(), expected);
    }
}

#[test]
fn what_is_no_card_is_said_with_what_to_write() {
    for (json, part) in [
        ("", "one JSON object"),
        ("[1]", "write one of: buttons"),
        (r#"{"text":"x"}"#, "write one of: buttons"),
        (
            r#"{"type":"poll"}"#,
            "there is no card of type \"poll\"; write one of: buttons",
        ),
        (r#"{"type":"list","title":"x"}"#, "\"items\" must be a list"),
        (
            r#"{"type":"list","title":"x","items":[]}"#,
            "a list with something in it",
        ),
        (
            r#"{"type":"picture","title":"x"}"#,
            "\"image\" must be a link",
        ),
        (r#"{"type":"embed"}"#, "\"title\" must be a text"),
    ] {
        let said = read(json).unwrap_err().to_string();
        assert!(said.contains(part), "{said}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "text",
        "rows",
        "label",
        "callback",
        "link",
        "command",
        "send",
        "users",
        "admins",
        "confirm",
        "title",
        "items",
        "image",
        "fields",
        "emoji",
        "face",
        "style",
        "primary",
        "https://a.cn",
        "👍",
        "76",
    ]);
    let text = prop_oneof![
        word.clone().prop_map(str::to_owned),
        prop::sample::select(&TYPES[..]).prop_map(str::to_owned),
        "\\PC{0,12}"
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|map| Value::from(map.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic_and_what_is_read_can_be_stored(kind in prop::sample::select(&TYPES[..]), mut value in any_json()) {
        if let Some(object) = value.as_object_mut() {
            object.insert("type".to_owned(), Value::from(kind));
        }
        if let Ok(card) = read(&value.to_string()) {
            let _ = card.plain();
            prop_assert_eq!(&serde_json::from_slice::<Card>(&serde_json::to_vec(&card).unwrap()).unwrap(), &card);
            prop_assert_eq!(&postcard::from_bytes::<Card>(&postcard::to_allocvec(&card).unwrap()).unwrap(), &card);
        }
    }

    #[test]
    fn no_text_makes_it_panic(json in "\\PC{0,60}") {
        let _ = read(&json);
    }
}
