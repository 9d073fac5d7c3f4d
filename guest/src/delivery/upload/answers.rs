//! What the platform and object storage answer to the steps of an upload.

use serde::Deserialize;

use crate::bindings::{HttpDone, HttpOutcome, HttpResponse, MediaKind};
use crate::env::{Env, Level};
use crate::gateway::Want;
use crate::ids::TurnId;
use crate::turns::Turns;

use super::super::answer::{Flight, Ready};
use super::super::errors::{self, Class};
use super::super::{MAX_REFRESHES, fallback, files};
use super::{PieceOf, Step, file_type};

/// The platform does not take this format as this type.
const WRONG_FORMAT: i64 = 850_019;
/// Milliseconds taken off the life of uploaded media, so that a send still finds it.
const EARLIER_MS: u64 = 60_000;

impl Turns {
    /// An answer of the platform's, or of object storage.
    pub fn on_uploaded(
        &mut self,
        env: &mut Env,
        (id, index): (TurnId, usize),
        done: &HttpDone,
    ) -> Want {
        self.schedule(id);
        let Some(flight) = self.flights.get_mut(&id) else {
            return Want::Nothing;
        };
        flight.request = None;
        let response = match &done.outcome {
            HttpOutcome::Response(response) => response,
            HttpOutcome::Failed(failure) => {
                let line = format!(
                    "turn {id}: part {index}: upload: {:?}: {}",
                    failure.stage, failure.detail
                );
                env.log(Level::Warn, line);
                self.again(env, id, index, None);
                return Want::Nothing;
            }
        };
        if (200..300).contains(&response.status) {
            self.uploaded(env, id, index, response);
            return Want::Nothing;
        }
        self.upload_refused(env, id, index, response)
    }

    fn uploaded(&mut self, env: &mut Env, id: TurnId, index: usize, response: &HttpResponse) {
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        let Some(upload) = flight.upload.as_mut() else {
            return;
        };
        flight.tries = 0;
        flight.backoff.reset();
        match upload.step {
            Step::Posting | Step::Completing => self.ready(env, id, index, &response.body),
            Step::Preparing => {
                let size = self.media(id, index).map_or(0, |media| media.size);
                let read = read_prepared(&response.body, size);
                let Some(upload) = self.flights.get_mut(&id).and_then(|f| f.upload.as_mut()) else {
                    return;
                };
                match read {
                    Some((upload_id, pieces)) => {
                        upload.id = upload_id;
                        upload.pieces = pieces;
                        upload.step = Step::Putting;
                    }
                    None => self.unreadable(env, id, index),
                }
            }
            Step::Putting => upload.step = Step::Noting,
            Step::Noting => {
                upload.at += 1;
                upload.step = if upload.at < upload.pieces.len() {
                    Step::Putting
                } else {
                    Step::Completing
                };
            }
            Step::Making | Step::Hashing | Step::HashingStart | Step::HashingPiece => {}
        }
    }

    fn unreadable(&mut self, env: &mut Env, id: TurnId, index: usize) {
        env.log(
            Level::Warn,
            format!("turn {id}: part {index}: the answer to an upload cannot be read"),
        );
        self.as_text(env, id, index, None);
    }

    fn ready(&mut self, env: &mut Env, id: TurnId, index: usize, body: &str) {
        let now = env.now.wall_ms;
        let Some(ready) = read_ready(body, now) else {
            return self.unreadable(env, id, index);
        };
        let place = self.place(id);
        let sha1 = self.upload_of(id);
        let sha1 = sha1.map(|upload| upload.sha1.clone()).unwrap_or_default();
        self.flights.insert(id, Flight::default());
        let Some(media) = self.media_mut(id, index) else {
            return;
        };
        media.ready = Some(ready.clone());
        let kind = file_type(media);
        if let (Some((scene, target)), false) = (place, sha1.is_empty()) {
            self.files
                .keep(env, files::name(scene, &target, kind, &sha1), ready);
        }
        env.count("uploads", "ready");
    }

    fn upload_refused(
        &mut self,
        env: &mut Env,
        id: TurnId,
        index: usize,
        response: &HttpResponse,
    ) -> Want {
        let problem = errors::read(response.status, &response.body);
        let class = errors::class(response.status, problem.code);
        let evidence = problem.evidence(response.status, errors::trace_header(response));
        let line = format!("turn {id}: part {index}: upload: {evidence}");
        env.log(Level::Warn, line);
        env.count("uploads", "refused");
        let Some(flight) = self.flights.get_mut(&id) else {
            return Want::Nothing;
        };
        // Object storage speaks no code of the platform's: a piece is tried again.
        let storage = flight
            .upload
            .as_ref()
            .is_some_and(|upload| upload.step == Step::Putting);
        match class {
            _ if storage => self.again(env, id, index, problem.code),
            Class::Backoff => self.again(env, id, index, problem.code),
            Class::RetryOnce if !flight.retried => {
                flight.retried = true;
                self.again(env, id, index, problem.code);
            }
            Class::Token if flight.refreshes < MAX_REFRESHES => {
                flight.refreshes += 1;
                if flight.refreshes > 1 {
                    self.again(env, id, index, problem.code);
                }
                return Want::NewToken;
            }
            Class::Fatal(stop) => {
                fallback::report(env, stop);
                self.as_text(env, id, index, problem.code);
            }
            Class::Reupload if !flight.retried => {
                flight.retried = true;
                self.again(env, id, index, problem.code);
            }
            // As a plain file it may pass, where its type was what the platform did not like.
            _ if problem.code == Some(WRONG_FORMAT) && self.as_file(id, index) => {}
            _ => self.as_text(env, id, index, problem.code),
        }
        Want::Nothing
    }

    /// Sends it as a plain file instead. False when that was tried, or it is one.
    fn as_file(&mut self, id: TurnId, index: usize) -> bool {
        let Some(media) = self.media_mut(id, index) else {
            return false;
        };
        if media.retried || file_type(media) == 4 {
            return false;
        }
        media.retried = true;
        media.kind = MediaKind::Document;
        self.flights.insert(id, Flight::default());
        true
    }
}

#[derive(Deserialize)]
struct ReadyBody {
    file_info: String,
    #[serde(default)]
    ttl: u64,
}

fn read_ready(body: &str, now_ms: u64) -> Option<Ready> {
    let body: ReadyBody = serde_json::from_str(body).ok()?;
    let until_ms = (body.ttl > 0).then(|| {
        now_ms.saturating_add((body.ttl.saturating_mul(1_000)).saturating_sub(EARLIER_MS))
    });
    Some(Ready {
        file_info: body.file_info,
        until_ms,
    })
}

/// A number, or a number as text: the documentation has strings, and clients saw both.
fn number(value: &serde_json::Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn read_prepared(body: &str, size: u64) -> Option<(String, Vec<PieceOf>)> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let id = body.get("upload_id")?.as_str()?.to_owned();
    let block = u64::try_from(number(body.get("block_size")?)?)
        .ok()
        .filter(|&block| block > 0)?;
    let parts = body.get("parts")?.as_array()?;
    let index = |part: &serde_json::Value| number(part.get("index")?);
    // Some scenes count from 0, some from 1.
    let first = parts.iter().filter_map(index).min()?;
    let mut pieces = Vec::new();
    for part in parts {
        let index = index(part)?;
        let offset = u64::try_from(index - first).ok()?.checked_mul(block)?;
        pieces.push(PieceOf {
            index,
            offset,
            size: block.min(size.checked_sub(offset).filter(|&left| left > 0)?),
            url: part.get("presigned_url")?.as_str()?.to_owned(),
            md5: String::new(),
        });
    }
    pieces.sort_by_key(|piece| piece.index);
    let covered: u64 = pieces.iter().map(|piece| piece.size).sum();
    (covered == size).then_some((id, pieces))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_cover_the_file_whatever_they_are_counted_from() {
        for first in [0, 1] {
            let part = |index: i64| json!({"index": first + index, "presigned_url": "https://s/x"});
            let body =
                json!({"upload_id": "u", "block_size": "10", "parts": [part(1), part(0), part(2)]});
            let (id, pieces) = read_prepared(&body.to_string(), 25).unwrap();
            let ranges: Vec<_> = pieces.iter().map(|p| (p.index, p.offset, p.size)).collect();
            assert_eq!(id, "u");
            assert_eq!(
                ranges,
                [(first, 0, 10), (first + 1, 10, 10), (first + 2, 20, 5)]
            );
        }
    }

    #[test]
    fn pieces_that_do_not_cover_the_file_are_no_answer() {
        let body = json!({"upload_id": "u", "block_size": 10, "parts": [{"index": 0, "presigned_url": "x"}]});
        assert_eq!(read_prepared(&body.to_string(), 25), None);
        assert_eq!(read_prepared("{}", 25), None);
        assert_eq!(read_prepared(&body.to_string(), 0), None);
    }

    #[test]
    fn uploaded_media_lives_as_long_as_the_platform_says() {
        let ready = |ttl: u64| {
            read_ready(
                &json!({"file_info": "f", "ttl": ttl}).to_string(),
                1_000_000,
            )
        };
        assert_eq!(ready(0).unwrap().until_ms, None);
        assert_eq!(
            ready(259_200).unwrap().until_ms,
            Some(1_000_000 + 259_200_000 - EARLIER_MS)
        );
        assert_eq!(read_ready("<html>", 0), None);
    }
}
