//! The pages in `host/docs` say what the program reads: compared, or rewritten with `UPDATE_EXPECT=1`.

use std::path::Path;

fn check(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text, wanted,
        "run: UPDATE_EXPECT=1 cargo test -p prx reference"
    );
}

#[test]
fn the_page_of_commands_is_as_the_program_is() {
    check("cli.md", &prx::reference::cli());
}

#[test]
fn the_page_of_tables_is_as_the_program_is() {
    check("config.md", &prx::reference::config());
}
