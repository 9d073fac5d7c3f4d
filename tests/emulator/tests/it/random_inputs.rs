//! Whatever comes, in whatever order: the core does not panic, answers each request once, and
//! equal inputs give equal outputs.

use std::time::Duration;

use proptest::prelude::*;
use qq_emulator::actions::Act;
use qq_emulator::faults::FAULT_HELP;
use qq_emulator::ids::{AppId, ConnId, Ticket};
use qq_emulator::settings::Settings;
use qq_emulator::time::Millis;
use qq_emulator::wire::{Command, HttpRequest, Input};
use qq_emulator::{Platform, faults};
use serde_json::{Value, json};

use crate::support::{APP, SECRET};

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
        (0..4_u64, 0..9_u64).prop_map(|(conn, seq)| Move::Resume(conn, seq)),
        (0..4_u64).prop_map(Move::Gone),
        ("[A-Z]{3,6}", "/[a-z0-9/@%.]{0,30}", ".{0,30}")
            .prop_map(|(method, path, body)| Move::Http(method, path, body)),
        (0..9_u32, json_value()).prop_map(|(seq, body)| Move::Post(seq, body)),
        (0..12_u8).prop_map(Move::Act),
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
