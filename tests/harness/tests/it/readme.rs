//! Tables of the README that are printed from the code: compared, or rewritten with `UPDATE_EXPECT=1`.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// One table is rewritten at a time.
static README: Mutex<()> = Mutex::new(());

/// Compares what stands between `<!-- NAME:` and `<!-- /NAME -->` in the README with what should stand there.
pub(crate) fn check(name: &str, wanted: &str) {
    let _one = README.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = text.find(&format!("<!-- {name}:")).unwrap();
    let begin = begin + text[begin..].find('\n').unwrap() + 1;
    let end = begin + text[begin..].find(&format!("<!-- /{name} -->")).unwrap();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = format!("{}{wanted}{}", &text[..begin], &text[end..]);
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert_eq!(
        &text[begin..end],
        wanted,
        "run: UPDATE_EXPECT=1 cargo test -p harness readme"
    );
}
