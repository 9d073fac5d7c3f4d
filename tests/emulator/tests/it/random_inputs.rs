//! Whatever comes, in whatever order: the core does not panic, answers each request once, and
//! equal inputs give equal outputs.

use std::time::Duration;

use proptest::prelude::*;
use qq_emulator::actions::{Act, Emoji, InChannel, InGuild};
use qq_emulator::faults::FAULT_HELP;
use qq_emulator::ids::{AppId, ConnId, Ticket};
use qq_emulator::settings::Settings;
use qq_emulator::time::Millis;
use qq_emulator::wire::{Command, HttpRequest, Input};
use qq_emulator::{Platform, faults};
use serde_json::{Value, json};

use crate::support::{APP, SECRET};

/// Calls with bodies that are right until something random is mixed in.
const CALLS: &[(&str, &str, &str)] = &[
    ("POST", "/channels/PLACE/messages", r#"{"content":"x"}"#),
    (
        "PATCH",
        "/channels/PLACE/messages/MESSAGE",
        r#"{"content":"x"}"#,
    ),
    ("DELETE", "/channels/PLACE/messages/MESSAGE", "{}"),
    (
        "PUT",
        "/channels/PLACE/messages/MESSAGE/reactions/1/4",
        "{}",
    ),
    (
        "POST",
        "/v2/users/USER/files",
        r#"{"file_type":1,"url":"https://x.example/a.png"}"#,
    ),
    (
        "POST",
        "/v2/users/USER/files",
        r#"{"file_type":4,"file_data":"aGVsbG8="}"#,
    ),
    (
        "POST",
        "/v2/users/USER/upload_prepare",
        r#"{"file_type":4,"file_name":"x","file_size":"9","md5":"00000000000000000000000000000000","sha1":"0000000000000000000000000000000000000000","md5_10m":"00000000000000000000000000000000"}"#,
    ),
    (
        "POST",
        "/v2/users/USER/stream_messages",
        r#"{"input_state":1,"index":0,"content_raw":"x","is_wakeup":true}"#,
    ),
    ("PUT", "/interactions/x", r#"{"code":0}"#),
    (
        "POST",
        "/users/@me/dms",
        r#"{"recipient_id":"1","source_guild_id":"1"}"#,
    ),
];

#[derive(Debug, Clone)]
enum Move {
    Open(u64),
    Text(u64, String),
    Login(u64, u64),
    Resume(u64, u64),
    Gone(u64),
    Http(String, String, String),
    Post(u32, Value),
    Act(u8),
    Call(usize, Value),
    Fault(usize, u32),
    Pass(u64),
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(
                prop_oneof![
                    Just("op".to_owned()),
                    Just("d".to_owned()),
                    Just("content".to_owned()),
                    Just("msg_type".to_owned()),
                    Just("msg_id".to_owned()),
                    Just("markdown".to_owned()),
                    Just("keyboard".to_owned()),
                    Just("ark".to_owned()),
                    Just("embed".to_owned()),
                    Just("file_type".to_owned()),
                    Just("url".to_owned()),
                    Just("index".to_owned()),
                    Just("content_raw".to_owned()),
                    "[a-z_]{1,8}",
                ],
                inner,
                0..5
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..4_u64).prop_map(Move::Open),
        (0..4_u64, json_value()).prop_map(|(conn, value)| Move::Text(conn, value.to_string())),
        (0..4_u64, ".{0,20}").prop_map(|(conn, text)| Move::Text(conn, text)),
        (0..4_u64, any::<u64>()).prop_map(|(conn, bits)| Move::Login(conn, bits)),
        (0..4_u64).prop_map(|conn| Move::Login(conn, 1 << 25)),
        (0..4_u64).prop_map(|conn| Move::Login(conn, 1 << 12 | 1 << 25 | 1 << 26 | 1 << 30)),
        (0..4_u64, 0..9_u64).prop_map(|(conn, seq)| Move::Resume(conn, seq)),
        (0..4_u64).prop_map(Move::Gone),
        ("[A-Z]{3,6}", "/[a-z0-9/@%.]{0,30}", ".{0,30}")
            .prop_map(|(method, path, body)| Move::Http(method, path, body)),
        (0..9_u32, json_value()).prop_map(|(seq, body)| Move::Post(seq, body)),
        (0..30_u8).prop_map(Move::Act),
        (0..CALLS.len(), json_value()).prop_map(|(which, body)| Move::Call(which, body)),
        (0..FAULT_HELP.len(), 1..3_u32).prop_map(|(which, times)| Move::Fault(which, times)),
        (0..400_000_u64).prop_map(Move::Pass),
    ];
    prop::collection::vec(one, 0..60)
}

/// Plays moves on a fresh platform and gives back everything that it said.
struct Player {
    platform: Platform,
    now: Millis,
    tickets: u64,
    said: Vec<Command>,
    session: String,
    last_message: String,
    /// The channel of the last message in a guild.
    place: String,
}

impl Player {
    fn play(moves: &[Move]) -> Self {
        let mut player = Self {
            platform: Platform::new(Settings::default(), 3),
            now: Millis(1_000),
            tickets: 0,
            said: Vec::new(),
            session: String::new(),
            last_message: String::new(),
            place: "1".to_owned(),
        };
        for it in moves {
            player.make(it);
        }
        player.make(&Move::Pass(10_000_000));
        player
    }

    fn step(&mut self, input: Input) {
        let commands = self.platform.step(self.now, input);
        for command in &commands {
            if let Command::SocketText { text, .. } = command {
                let frame: Value = serde_json::from_str(text).unwrap_or_default();
                if let Some(id) = frame["d"]["session_id"].as_str() {
                    id.clone_into(&mut self.session);
                }
                if let Some(id) = frame["d"]["id"].as_str() {
                    id.clone_into(&mut self.last_message);
                }
                if let Some(id) = frame["d"]["channel_id"].as_str() {
                    id.clone_into(&mut self.place);
                }
            }
        }
        self.said.extend(commands);
    }

    fn http(&mut self, request: HttpRequest) -> Option<String> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.step(Input::Http { ticket, request });
        self.said.iter().rev().find_map(|command| match command {
            Command::HttpReply {
                ticket: it,
                response,
            } if *it == ticket => Some(response.body.to_string()),
            _ => None,
        })
    }

    fn token(&mut self) -> String {
        let body = json!({"appId": APP, "clientSecret": SECRET});
        let request = HttpRequest::new("POST", "/app/getAppAccessToken").with_json(&body);
        let body: Value =
            serde_json::from_str(&self.http(request).unwrap_or_default()).unwrap_or_default();
        format!("QQBot {}", body["access_token"].as_str().unwrap_or("none"))
    }

    fn make(&mut self, it: &Move) {
        match it {
            Move::Open(conn) => {
                self.step(Input::SocketGone {
                    conn: ConnId(*conn),
                    code: None,
                });
                let request = HttpRequest::new("GET", "/websocket");
                self.step(Input::SocketOpen {
                    conn: ConnId(*conn),
                    request,
                });
            }
            Move::Text(conn, text) => {
                self.step(Input::SocketText {
                    conn: ConnId(*conn),
                    text: text.clone(),
                });
            }
            Move::Login(conn, intents) => {
                let d = json!({"token": self.token(), "intents": intents});
                let text = json!({"op": 2, "d": d}).to_string();
                self.step(Input::SocketText {
                    conn: ConnId(*conn),
                    text,
                });
            }
            Move::Resume(conn, seq) => {
                let token = self.token();
                let d = json!({"token": token, "session_id": self.session, "seq": seq});
                let text = json!({"op": 6, "d": d}).to_string();
                self.step(Input::SocketText {
                    conn: ConnId(*conn),
                    text,
                });
            }
            Move::Gone(conn) => {
                self.step(Input::SocketGone {
                    conn: ConnId(*conn),
                    code: Some(1000),
                });
            }
            Move::Http(method, path, body) => {
                let token = self.token();
                let mut request =
                    HttpRequest::new(method, path).with_header("authorization", &token);
                request.body = body.clone().into_bytes();
                self.http(request);
            }
            Move::Post(seq, extra) => self.post(*seq, extra),
            Move::Call(which, body) => self.call(*which, body),
            Move::Act(which) => self.step(Input::User(act(*which).into())),
            Move::Fault(which, times) => self.fault(*which, *times),
            Move::Pass(millis) => {
                self.now = self.now.plus(Duration::from_millis(*millis));
                self.step(Input::Tick);
            }
        }
    }

    fn post(&mut self, seq: u32, extra: &Value) {
        let app = AppId::from(APP);
        let target = self.platform.user_openid(&app, &"u1".into());
        let mut body = json!({"content": "x", "msg_id": self.last_message, "msg_seq": seq});
        if let (Some(body), Some(extra)) = (body.as_object_mut(), extra.as_object()) {
            body.extend(extra.clone());
        }
        let token = self.token();
        let path = format!("/v2/users/{target}/messages");
        let request = HttpRequest::new("POST", &path).with_json(&body);
        self.http(request.with_header("authorization", &token));
    }

    /// A call with everything right but its body.
    fn call(&mut self, which: usize, extra: &Value) {
        let (method, path, base) = CALLS[which];
        let app = AppId::from(APP);
        let user = self.platform.user_openid(&app, &"u1".into());
        let path = path
            .replace("USER", user.as_str())
            .replace("PLACE", &self.place)
            .replace("MESSAGE", &self.last_message);
        let mut body: Value = serde_json::from_str(base).unwrap();
        if let (Some(body), Some(extra)) = (body.as_object_mut(), extra.as_object()) {
            body.extend(extra.clone());
        }
        let token = self.token();
        let request = HttpRequest::new(method, &path).with_json(&body);
        self.http(request.with_header("authorization", &token));
    }

    fn fault(&mut self, which: usize, times: u32) {
        let form = FAULT_HELP[which].form;
        let text = form
            .replace("true|false|missing", "true")
            .replace("SPAN", "3s")
            .replace("[KIND]", "odd-body")
            .replace("CODE", "500")
            .replace(" N", " 2");
        let mut order: faults::FaultOrder = text.parse().unwrap();
        order.times = times;
        self.step(Input::Fault {
            app: AppId::from(APP),
            order,
        });
    }
}

fn act(which: u8) -> Act {
    let (user, group) = ("u1".into(), "g1".into());
    match which {
        0..=3 => Act::c2c("u1", "hello"),
        4 => Act::group_at("g1", "u1", "hello"),
        5 => Act::group_plain("g1", "u1", "hello"),
        6 => Act::AddFriend { user },
        7 => Act::RemoveFriend { user },
        8 => Act::AddToGroup { group, user },
        9 => Act::RemoveFromGroup { group, user },
        10 => Act::RejectMessages { user },
        12 => Act::channel_at("c1", "chat", "u1", "hello"),
        13 => Act::channel_plain("c1", "chat", "u1", "hello"),
        14 => Act::dm("c1", "u1", "hello"),
        15 => Act::AddToGuild(InGuild::new("c1", "u1")),
        16 => Act::RemoveFromGuild(InGuild::new("c1", "u1")),
        17 => Act::LeaveGuild(InGuild::new("c1", "u1")),
        18 => Act::DeleteChannel(InChannel::new("c1", "chat", "u1")),
        19 => Act::Press {
            user,
            message_id: None,
            button: "x".to_owned(),
        },
        20 => Act::React {
            user,
            message_id: None,
            emoji: Emoji {
                kind: 1,
                id: "4".to_owned(),
            },
            remove: false,
        },
        21 => Act::Interact {
            user,
            group: None,
            kind: 12,
            resolved: json!({"feature_id": 1}),
        },
        22 => Act::MuteBot { group, muted: true },
        23 => Act::Judge {
            audit_id: None,
            pass: true,
        },
        _ => Act::AcceptMessages { user },
    }
}

proptest! {
    #[test]
    fn the_core_survives_and_answers_each_request_exactly_once(moves in moves()) {
        let player = Player::play(&moves);
        let mut answered: Vec<u64> = player.said.iter().filter_map(|command| match command {
            Command::HttpReply { ticket, .. } | Command::HttpCut { ticket } => Some(ticket.0),
            _ => None,
        }).collect();
        answered.sort_unstable();
        prop_assert_eq!(answered, (1..=player.tickets).collect::<Vec<u64>>());
    }

    #[test]
    fn equal_inputs_give_equal_outputs(moves in moves()) {
        let (one, two) = (Player::play(&moves), Player::play(&moves));
        prop_assert_eq!(one.said, two.said);
    }
}
