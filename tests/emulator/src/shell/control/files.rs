//! `POST /_emulator/files?name=cat.png`: a file that users can attach by its id.
//! `GET /_emulator/download?fileid=…`: what users and bots sent, for the page.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shell::hub::Shared;
use crate::shell::{Handle, guard};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FileQuery {
    name: String,
    /// What events call it; none means what its bytes and its name say.
    content_type: Option<String>,
}

/// The body is the file; the answer tells its id and where people can fetch it.
pub(super) async fn upload(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<FileQuery>,
    body: Bytes,
) -> Json<Value> {
    let kind = query.content_type.as_deref();
    let (file, url) = (Handle { shared }).with_mut(|platform| {
        let file = platform.add_file(&query.name, kind, body.to_vec());
        let url = platform.file_url(&file);
        (file, url)
    });
    Json(json!({"file": file, "url": url}))
}

/// A file by the query that its address has on the bots' side. The wire shows what bots do, so that
/// people who look at a picture must not be in it.
pub(super) async fn download(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let found = (Handle { shared }).with(|platform| platform.own_file(&query));
    let Some((kind, bytes)) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = bytes.to_vec().into_response();
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    guard::keep_inert(&mut response);
    response
}
