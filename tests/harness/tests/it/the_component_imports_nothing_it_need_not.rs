//! The import list is pinned: a clock, randomness or a file anywhere in the dependencies would change it.

use prx_host::guest::wasm::imports;

use crate::common::engine;

#[test]
fn imports_are_the_log_and_what_a_panic_needs() {
    let names: Vec<String> = imports(engine(), qq_channel_embed::COMPONENT).unwrap();
    let without_patch: Vec<&str> = names
        .iter()
        .map(|name| name.split('@').next().unwrap())
        .collect();
    assert_eq!(
        without_patch,
        [
            "prx:channel/log",
            "prx:channel/types",
            "wasi:cli/environment",
            "wasi:cli/exit",
            "wasi:cli/stderr",
            "wasi:cli/stdin",
            "wasi:cli/stdout",
            "wasi:cli/terminal-input",
            "wasi:cli/terminal-output",
            "wasi:cli/terminal-stderr",
            "wasi:cli/terminal-stdin",
            "wasi:cli/terminal-stdout",
            "wasi:io/error",
            "wasi:io/poll",
            "wasi:io/streams",
        ]
    );
}

#[test]
fn the_component_stays_under_two_mebibytes() {
    assert!(
        qq_channel_embed::COMPONENT.len() < 2 << 20,
        "{} bytes",
        qq_channel_embed::COMPONENT.len()
    );
}
