//! What is loaded, and what is refused with a reason.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use prx_host::engine;
use prx_host::guest::Component;
use prx_host::guest::wasm::{LoadError, WasmComponent, imports};
use prx_host::limits::Limits;

use crate::support::tiny;

#[test]
fn the_fixture_imports_nothing_but_the_log_and_the_standard_librarys_stdio() {
    let engine = engine::new(None).unwrap();
    let names = imports(&engine, tiny()).unwrap();
    for name in &names {
        let known = name.starts_with("prx:channel/")
            || name.starts_with("wasi:cli/")
            || name.starts_with("wasi:io/");
        assert!(known, "{name}");
    }
    assert!(
        names.contains(&"prx:channel/log@0.1.0".to_owned()),
        "{names:?}"
    );
}

#[test]
fn things_that_are_no_component_are_refused() {
    let engine = engine::new(None).unwrap();
    let load = |bytes: &[u8]| WasmComponent::load(&engine, bytes, Limits::STANDARD).unwrap_err();
    let truncated = &tiny()[..tiny().len() / 2];
    let module = b"\0asm\x01\0\0\0";
    for bytes in [&b"hello"[..], b"", truncated, module] {
        assert!(matches!(load(bytes), LoadError::Invalid(_)));
    }
    let empty_component = b"\0asm\x0d\0\x01\0";
    assert!(matches!(load(empty_component), LoadError::NoChannel));
}

#[test]
fn a_component_of_another_version_is_refused_with_both_versions() {
    let engine = engine::new(None).unwrap();
    let from = b"prx:channel/channel@0.1.0";
    let to = b"prx:channel/channel@0.2.0";
    let mut bytes = tiny().to_vec();
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    let error = WasmComponent::load(&engine, &bytes, Limits::STANDARD)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("@0.1.0") && error.contains("@0.2.0"),
        "{error}"
    );
}

#[test]
fn a_second_engine_finds_the_compiled_code_in_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let load = || {
        let engine = engine::new(Some(dir.path())).unwrap();
        let started = std::time::Instant::now();
        WasmComponent::load(&engine, tiny(), Limits::STANDARD).unwrap();
        started.elapsed()
    };
    let (cold, warm) = (load(), load());
    println!("compiled in {cold:?}, from the cache in {warm:?}");
    assert!(warm < cold, "{warm:?} {cold:?}");
}

#[test]
fn compiled_code_that_others_could_have_written_is_not_executed() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("compiled");
    let engine = engine::new(Some(&cache)).unwrap();
    WasmComponent::load(&engine, tiny(), Limits::STANDARD).unwrap();
    let mode = |mode| fs::set_permissions(&cache, fs::Permissions::from_mode(mode)).unwrap();
    let is_empty = || fs::read_dir(&cache).unwrap().next().is_none();
    assert!(!is_empty());
    // Readable by others is no harm to what is in it.
    mode(0o755);
    engine::new(Some(&cache)).unwrap();
    assert!(!is_empty());
    for open in [0o777, 0o770, 0o702] {
        mode(open);
        fs::write(cache.join("planted"), "code of somebody's").unwrap();
        engine::new(Some(&cache)).unwrap();
        // An engine of before may write there again, but what was there is gone.
        assert!(!cache.join("planted").exists(), "{open:o}");
        let now = fs::metadata(&cache).unwrap().permissions().mode();
        assert_eq!(now & 0o777, 0o700);
    }
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&cache, &link).unwrap();
    let error = engine::new(Some(&link)).unwrap_err().to_string();
    assert!(error.contains("is a link"), "{error}");
}

#[test]
fn a_component_says_what_it_is_without_being_started() {
    let engine = engine::new(None).unwrap();
    let component = WasmComponent::load(&engine, tiny(), Limits::STANDARD).unwrap();
    let info = component.describe().unwrap();
    assert_eq!((info.name.as_str(), info.keys.len()), ("tiny", 2));
}
