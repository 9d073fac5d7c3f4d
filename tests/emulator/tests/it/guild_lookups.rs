//! Looking up guilds, channels, members, groups; and opening direct messages.

use qq_emulator::actions::Act;
use serde_json::json;

use crate::support::guilds::{ALL_PUBLIC, private};
use crate::support::{Bench, code};

#[test]
fn a_bot_finds_its_guilds_and_what_is_in_them() {
    let mut bench = Bench::with(private);
    bench.channel_asked("hi");
    let guilds = bench.get("/users/@me/guilds").json();
    let guild = guilds[0]["id"].as_str().unwrap().to_owned();
    let of = |tail: &str| format!("/guilds/{guild}{tail}");
    assert_eq!(bench.get(&of("")).json()["name"], "club");
    let channel = bench.get(&of("/channels")).json()[0].clone();
    assert_eq!(channel["name"], "chat");
    let path = format!("/channels/{}", channel["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).json()["guild_id"], guild.as_str());
    let members = bench
        .call("GET", &of("/members?after=0&limit=400"), None)
        .json();
    let bob = members[0]["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        bench.get(&of(&format!("/members/{bob}"))).json()["nick"],
        "bob"
    );
    assert_eq!(bench.get(&of("/roles")).json()["roles"][0]["id"], "1");
    assert!(bench.get(&of("/message/setting")).json()["channel_push_max_num"].is_u64());
    assert!(
        bench.get(&of("/api_permission")).json()["apis"]
            .as_array()
            .unwrap()
            .len()
            > 20
    );
    let dm = json!({"recipient_id": bob, "source_guild_id": guild});
    let session = bench.post("/users/@me/dms", &dm).unwrap().json();
    assert!(session["create_time"].is_string());
    bench.identify(ALL_PUBLIC);
    let path = format!("/dms/{}/messages", session["guild_id"].as_str().unwrap());
    assert_eq!(bench.post_code(&path, &json!({"content": "hello"})), 0);
    let stranger = json!({"recipient_id": "1", "source_guild_id": guild});
    assert_eq!(bench.post_code("/users/@me/dms", &stranger), 304_034);
}

#[test]
fn some_lookups_need_a_right() {
    let mut bench = Bench::new();
    bench.channel_asked("hi");
    let guilds = bench.call("GET", "/users/@me/guilds?limit=1", None).json();
    let guild = guilds[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        code(&bench.get(&format!("/guilds/{guild}/members"))),
        11_253
    );
    assert_eq!(code(&bench.get("/guilds/1")), 10_004);
    assert_eq!(code(&bench.get("/channels/1")), 10_003);
    bench.change(|bot| bot.grants.denied.push("/guilds".to_owned()));
    assert_eq!(code(&bench.get(&format!("/guilds/{guild}"))), 11_253);
}

#[test]
fn a_groups_state_and_members_can_be_looked_up() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::group_at("room", "bob", "hi"));
    let group = path.strip_suffix("/messages").unwrap();
    let state = bench.get(&format!("{group}/bot_state")).json();
    assert_eq!(state["recv_msg_setting"], "only_mention");
    assert_eq!(state["allow_proactive_msg"], false);
    assert_eq!(
        bench.get(&format!("{group}/info")).json()["group_name"],
        "room"
    );
    let members = bench.get(&format!("{group}/members")).json();
    let bob = members["members"][0]["member_openid"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        bench.get(&format!("{group}/members/{bob}")).json()["username"],
        "bob"
    );
    assert_eq!(
        code(&bench.get(&format!("{group}/members/nobody"))),
        40_034_101
    );
    bench.change(|bot| bot.grants.group_management = false);
    assert_eq!(code(&bench.get(&format!("{group}/info"))), 11_253);
}
