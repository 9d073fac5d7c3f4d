//! The component by itself, connected to a gateway that a test plays: one event in, effects out.

use prx_host::bindings::v0_1::*;
use prx_host::guest::wasm::WasmComponent;
use prx_host::guest::{Component, Guest};
use serde_json::{Map, Value, json};

/// A connected channel in the sandbox, whose requests nobody answers.
pub(crate) struct Wired {
    pub(crate) guest: Box<dyn Guest>,
    now: Instant,
    socket: u64,
    seq: u64,
}

impl Wired {
    /// Connects an instance of the component, with these keys besides the ones that it needs.
    pub(crate) fn new(component: &WasmComponent, keys: &Value) -> Self {
        let config = config(&component.describe().unwrap(), keys);
        let mut wired = Self {
            guest: component.instantiate().unwrap(),
            now: Instant {
                mono_ms: 1_000,
                wall_ms: 1_800_000_000_000,
            },
            socket: 0,
            seq: 0,
        };
        let boot = Boot {
            instance: "qq".into(),
            boot_number: 1,
            entropy: vec![7; 32],
            reason: StartReason::Cold,
            config,
            secrets: vec!["app_secret".into()],
            entries: Vec::new(),
            shed: 0,
            checkpoint: None,
            host: "test".into(),
        };
        let effects = wired
            .guest
            .start(wired.now, &boot)
            .unwrap()
            .unwrap_or_else(|_| panic!("refused"));
        let token = request(&effects);
        let captured = vec![Captured {
            name: "access_token".into(),
            generation: 1,
            changed: true,
        }];
        let effects = wired.answer(
            token,
            r#"{"access_token":"","expires_in":"7200"}"#,
            captured,
        );
        let effects = wired.answer(
            request(&effects),
            r#"{"url":"wss://api.sgroup.qq.com/websocket"}"#,
            vec![],
        );
        wired.socket = effects
            .iter()
            .find_map(|effect| match &effect.action {
                Action::SocketOpen(open) => Some(open.id),
                _ => None,
            })
            .unwrap();
        wired.handle(Event::SocketOpened(wired.socket));
        wired.frame(&json!({"op": 10, "d": {"heartbeat_interval": 41_250}}).to_string());
        wired.seq = 1;
        wired.frame(&json!({"op": 0, "s": 1, "t": "READY", "d": {"session_id": "s", "user": {"id": "9", "username": "bot"}}}).to_string());
        wired
    }

    pub(crate) fn handle(&mut self, event: Event) -> Vec<Effect> {
        self.now.mono_ms += 10;
        self.now.wall_ms += 10;
        self.guest
            .handle(self.now, &event)
            .unwrap_or_else(|fault| panic!("{fault} at {event:?}"))
    }

    pub(crate) fn answer(&mut self, id: u64, body: &str, captured: Vec<Captured>) -> Vec<Effect> {
        self.answer_with(id, 200, body, captured)
    }

    pub(crate) fn answer_with(
        &mut self,
        id: u64,
        status: u16,
        body: &str,
        captured: Vec<Captured>,
    ) -> Vec<Effect> {
        let response = HttpResponse {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
            truncated: false,
            blob: None,
        };
        self.handle(Event::HttpDone(HttpDone {
            id,
            outcome: HttpOutcome::Response(response),
            used: Vec::new(),
            captured,
        }))
    }

    pub(crate) fn frame(&mut self, text: &str) -> Vec<Effect> {
        let text = SocketText {
            id: self.socket,
            text: text.to_owned(),
        };
        self.handle(Event::SocketText(text))
    }

    /// An event with the next sequence number. True when the number counts as handled afterwards.
    pub(crate) fn event(&mut self, mut frame: Value) -> bool {
        self.seq += 1;
        frame["op"] = 0.into();
        frame["s"] = self.seq.into();
        let effects = self.frame(&frame.to_string());
        assert!(
            effects.len() < 200,
            "{} effects of one event",
            effects.len()
        );
        effects.iter().any(|effect| match &effect.action {
            Action::StorePut(entry) if entry.key == "session" => {
                let stored: Value = serde_json::from_slice(&entry.value).unwrap();
                stored["session"]["handled"] == self.seq
            }
            _ => false,
        })
    }
}

pub(crate) fn request(effects: &[Effect]) -> u64 {
    let found = effects.iter().find_map(|effect| match &effect.action {
        Action::Http(request) => Some(request.id),
        _ => None,
    });
    found.unwrap()
}

fn config(info: &ChannelInfo, keys: &Value) -> String {
    let mut table = Map::new();
    for key in info.keys.iter().filter(|key| !key.secret) {
        if let Some(default) = &key.default {
            table.insert(key.name.clone(), serde_json::from_str(default).unwrap());
        }
    }
    table.insert("app_id".into(), "102012345".into());
    table.insert("allowed_users".into(), json!(["*"]));
    table.insert("intents".into(), json!(["group_and_c2c"]));
    table.extend(keys.as_object().unwrap().clone());
    Value::Object(table).to_string()
}
