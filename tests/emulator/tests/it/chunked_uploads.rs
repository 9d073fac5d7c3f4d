//! Uploading in parts, to an object storage that knows nothing of QQ.

use std::time::Duration;

use md5::{Digest as _, Md5};
use qq_emulator::actions::Act;
use qq_emulator::ledger::Violation;
use qq_emulator::settings::NumberForm;
use qq_emulator::wire::HttpRequest;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::support::{Bench, code};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

struct Upload {
    base: String,
    bytes: Vec<u8>,
}

impl Upload {
    fn new(path: &str, bytes: Vec<u8>) -> Self {
        let base = path.strip_suffix("/messages").unwrap().to_owned();
        Self { base, bytes }
    }

    fn prepare(&self) -> Value {
        let start = self.bytes.get(..10_002_432).unwrap_or(&self.bytes);
        json!({"file_type": 4, "file_name": "report.pdf", "file_size": self.bytes.len().to_string(),
            "md5": md5(&self.bytes), "sha1": hex(&Sha1::digest(&self.bytes)), "md5_10m": md5(start)})
    }

    fn prepared(&self, bench: &mut Bench) -> Value {
        let path = format!("{}/upload_prepare", self.base);
        bench.post(&path, &self.prepare()).unwrap().json()
    }

    fn put(bench: &mut Bench, part: &Value, bytes: &[u8], auth: bool) -> u16 {
        let url = part["presigned_url"].as_str().unwrap();
        let path = url.strip_prefix("http://emulator.invalid").unwrap();
        let (path, query) = path.split_once('?').unwrap();
        let mut request = HttpRequest::new("PUT", path);
        request.query = Some(query.to_owned());
        request.body = bytes.to_vec();
        if auth {
            let token = format!("QQBot {}", bench.token());
            request = request.with_header("authorization", &token);
        }
        bench.http(request).unwrap().status
    }

    fn finish(&self, bench: &mut Bench, upload: &Value, part: &Value, bytes: &[u8]) -> u64 {
        let path = format!("{}/upload_part_finish", self.base);
        let body = json!({"upload_id": upload["upload_id"], "part_index": part["index"],
            "block_size": bytes.len(), "md5": md5(bytes)});
        bench.post_code(&path, &body)
    }

    fn name(&self, bench: &mut Bench, upload: &Value) -> Value {
        let path = format!("{}/files", self.base);
        let body = json!({"upload_id": upload["upload_id"]});
        bench.post(&path, &body).unwrap().json()
    }
}

#[test]
fn a_file_goes_up_in_parts_and_is_put_together() {
    let mut bench = Bench::with(|bot| {
        bot.media.part_bytes = 4 << 20;
        bot.media.first_part_c2c = 1;
    });
    let (id, path) = bench.asked(Act::c2c("alice", "report"));
    let bytes: Vec<u8> = (0..11_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let upload = Upload::new(&path, bytes.clone());
    let prepared = upload.prepared(&mut bench);
    assert!(prepared["block_size"].is_string());
    assert_eq!(prepared["upload_config"]["concurrency"], 1);
    let parts = prepared["parts"].as_array().unwrap().clone();
    assert_eq!((parts.len(), &parts[0]["index"]), (3, &json!(1)));
    for (part, bytes) in parts.iter().zip(bytes.chunks(4 << 20)) {
        assert_eq!(
            upload.finish(&mut bench, &prepared, part, bytes),
            40_093_001
        );
        assert_eq!(Upload::put(&mut bench, part, bytes, false), 200);
        assert_eq!(upload.finish(&mut bench, &prepared, part, bytes), 0);
    }
    let info = upload.name(&mut bench, &prepared)["file_info"].clone();
    let body = json!({"msg_type": 7, "media": {"file_info": info}, "msg_id": id});
    assert_eq!(bench.post_code(&path, &body), 0);
    let sent = bench.platform.ledger().bot_messages().next().unwrap();
    let media = sent.media.as_ref().unwrap();
    assert_eq!(
        (media.name.as_str(), media.size),
        ("report.pdf", Some(11_000_000))
    );
    assert!(bench.violations().is_empty());
}

#[test]
fn object_storage_wants_its_signature_and_no_authorization() {
    let mut bench = Bench::new();
    let (_, path) = bench.asked(Act::group_at("room", "bob", "report"));
    let upload = Upload::new(&path, b"twelve bytes".to_vec());
    let prepared = upload.prepared(&mut bench);
    let mut part = prepared["parts"][0].clone();
    assert_eq!(part["index"], 0);
    assert_eq!(Upload::put(&mut bench, &part, b"twelve bytes", true), 403);
    assert!(matches!(
        bench.violations().last(),
        Some(Violation::LeakedAuthorization { .. })
    ));
    assert_eq!(Upload::put(&mut bench, &part, b"short", false), 400);
    part["presigned_url"] = json!(format!("{}x", part["presigned_url"].as_str().unwrap()));
    assert_eq!(Upload::put(&mut bench, &part, b"twelve bytes", false), 403);
}

#[test]
fn a_part_is_visible_only_after_a_while_and_wrong_hashes_are_told() {
    let mut bench = Bench::with(|bot| bot.media.part_lag = Duration::from_secs(2));
    let (_, path) = bench.asked(Act::c2c("alice", "report"));
    let upload = Upload::new(&path, b"twelve bytes".to_vec());
    let prepared = upload.prepared(&mut bench);
    let part = prepared["parts"][0].clone();
    Upload::put(&mut bench, &part, b"twelve bytes", false);
    assert_eq!(
        upload.finish(&mut bench, &prepared, &part, b"twelve bytes"),
        40_093_001
    );
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        upload.finish(&mut bench, &prepared, &part, b"twelve BYTES"),
        40_093_001
    );
    assert_eq!(upload.name(&mut bench, &prepared)["code"], 40_093_001);
    assert_eq!(
        upload.finish(&mut bench, &prepared, &part, b"twelve bytes"),
        0
    );
    assert_eq!(upload.name(&mut bench, &prepared)["ttl"], 259_200);
    let mut lying = upload.prepare();
    lying["md5_10m"] = json!("0".repeat(32));
    let prepare = format!("{}/upload_prepare", upload.base);
    let prepared = bench.post(&prepare, &lying).unwrap().json();
    let part = prepared["parts"][0].clone();
    Upload::put(&mut bench, &part, b"twelve bytes", false);
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        upload.finish(&mut bench, &prepared, &part, b"twelve bytes"),
        0
    );
    assert_eq!(upload.name(&mut bench, &prepared)["code"], 40_093_001);
}

#[test]
fn sizes_and_configuration_have_two_forms_and_a_day_its_volume() {
    let mut bench = Bench::with(|bot| {
        bot.media.sizes = NumberForm::Number;
        bot.media.config_nested = false;
        bot.media.daily_bytes = 20;
    });
    let (_, path) = bench.asked(Act::c2c("alice", "report"));
    let upload = Upload::new(&path, b"twelve bytes".to_vec());
    let prepared = upload.prepared(&mut bench);
    assert_eq!(
        (&prepared["block_size"], &prepared["retry_delay"]),
        (&json!(12), &json!(1))
    );
    assert_eq!(upload.prepared(&mut bench)["code"], 40_093_002);
    bench.pass(Duration::from_secs(86_400));
    assert!(upload.prepared(&mut bench)["upload_id"].is_string());
    let path = format!("{}/upload_prepare", upload.base);
    let mut body = upload.prepare();
    body["sha1"] = json!("short");
    assert_eq!(code(&bench.post(&path, &body).unwrap()), 12_002);
}
