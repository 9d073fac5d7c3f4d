//! `POST /_emulator/files?name=cat.png`: a file that users can attach by its id.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::shell::Handle;
use crate::shell::hub::Shared;

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
