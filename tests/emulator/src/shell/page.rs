//! The page to chat on: files that are in the binary, and nothing from anywhere else.
//!
//! It is served as it was written, without a build: modules of the browser's own kind on top of
//! lit-html, which was chosen because it is small, maintained, without dependencies, published in a
//! form that browsers take as it is, and puts every text into the page as text.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::guard;
use super::hub::Shared;

/// Everything is the emulator's own. Pictures and sounds may be made in the page itself; styles are
/// set on elements by the script.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; \
    style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
    form-action 'none'";

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("../../page/", $name)))),*]
    };
}

/// Every file of the page; a test compares them with the folder.
const FILES: &[(&str, &[u8])] = files! {
    "app.js"
    "chat/actions.js"
    "chat/cards.js"
    "chat/composer.js"
    "chat/details.js"
    "chat/elsewhere.js"
    "chat/keyboard.js"
    "chat/list.js"
    "chat/markdown.js"
    "chat/media.js"
    "chat/message.js"
    "chat/new-chat.js"
    "chat/offers.js"
    "chat/room.js"
    "chat/suggest.js"
    "chat/text.js"
    "core/api.js"
    "core/chats.js"
    "core/feed.js"
    "core/prefs.js"
    "core/store.js"
    "core/told.js"
    "core/words.js"
    "icon.svg"
    "index.html"
    "style/base.css"
    "style/chat.css"
    "style/content.css"
    "style/wall.css"
    "ui/avatar.js"
    "ui/faces.js"
    "ui/icons.js"
    "ui/lit.js"
    "ui/popup.js"
    "ui/toast.js"
    "ui/virtual-list.js"
    "vendor/lit-html/LICENSE"
    "vendor/lit-html/async-directive.js"
    "vendor/lit-html/directive-helpers.js"
    "vendor/lit-html/directive.js"
    "vendor/lit-html/directives/keyed.js"
    "vendor/lit-html/directives/live.js"
    "vendor/lit-html/directives/ref.js"
    "vendor/lit-html/directives/repeat.js"
    "vendor/lit-html/lit-html.js"
    "wall/bots.js"
    "wall/causes.js"
    "wall/explain.js"
    "wall/export.js"
    "wall/faults.js"
    "wall/fields.js"
    "wall/gateway.js"
    "wall/replies.js"
    "wall/rights.js"
    "wall/wall.js"
    "wall/wire.js"
    "words/acts.js"
    "words/chat.js"
    "words/closes.js"
    "words/faults.js"
    "words/rights.js"
    "words/sentences.js"
    "words/wall.js"
};

pub(super) fn router(folder: Option<PathBuf>, scheme: guard::Scheme) -> Router<Arc<Shared>> {
    let folder = folder.map(Arc::new);
    let index = folder.clone();
    Router::new()
        .route("/", get(async move || file(index.as_deref(), "index.html")))
        .route(
            "/_page/{*path}",
            get(async move |extract::Path(path): extract::Path<String>| {
                file(folder.as_deref(), &path)
            }),
        )
        .layer(from_fn_with_state(scheme, guard::only_own))
}

fn file(folder: Option<&PathBuf>, name: &str) -> Response {
    let bytes = match folder {
        Some(folder) => read(folder, name),
        None => embedded(name),
    };
    let Some(bytes) = bytes else {
        return (StatusCode::NOT_FOUND, "no such file of the page").into_response();
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    for (key, value) in [
        (header::CONTENT_TYPE, kind_of(name)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(key, HeaderValue::from_static(value));
    }
    response
}

fn embedded(name: &str) -> Option<Vec<u8>> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, bytes)| bytes.to_vec())
}

/// A file of the folder, and of nowhere else.
fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let name = Path::new(name);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let inside = name.components().all(plain);
    inside.then(|| std::fs::read(folder.join(name)).ok())?
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path, prefix: &str, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => names(&entry.path(), &format!("{name}/"), into),
                false => into.push(name),
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_binary() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut there = Vec::new();
        names(&folder, "", &mut there);
        there.sort();
        let mut embedded: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        embedded.sort_unstable();
        assert_eq!(embedded, there);
    }

    #[test]
    fn nothing_outside_the_folder_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        assert!(read(&folder, "index.html").is_some());
        assert!(read(&folder, "../Cargo.toml").is_none());
        assert!(read(&folder, "/etc/hostname").is_none());
    }

    #[test]
    fn nothing_of_the_page_names_an_address_outside() {
        for (name, bytes) in FILES
            .iter()
            .filter(|(name, _)| !name.starts_with("vendor/"))
        {
            let text = String::from_utf8_lossy(bytes);
            let loads = [
                "src=\"http",
                "href=\"http",
                "from \"http",
                "url(http",
                "import(\"http",
            ];
            assert!(loads.iter().all(|it| !text.contains(it)), "{name}");
        }
    }
}
