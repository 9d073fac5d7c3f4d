//! Builds the component from `guest/` and puts it where `lib.rs` includes it from.
//!
//! The nested build has a target folder of its own: sharing the outer one would wait for its lock for ever.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};

const TARGET: &str = "wasm32-wasip2";

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?)
        .join("../..")
        .canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for input in [
        "guest/src",
        "guest/Cargo.toml",
        "guest/plugin.toml",
        "wit",
        "Cargo.lock",
        "Cargo.toml",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo::rerun-if-env-changed=QQ_CHANNEL_WASM");
    if let Some(given) = env::var_os("QQ_CHANNEL_WASM") {
        // A component that was built and checked elsewhere, for packagers.
        fs::copy(given, out.join("qq_channel.wasm"))?;
        return Ok(());
    }
    ensure_target()?;
    let built = build(&root, &target_dir(&out))?;
    fs::copy(built, out.join("qq_channel.wasm"))?;
    Ok(())
}

/// One folder for all profiles and for all that build this crate: `target/component` of the outer build.
fn target_dir(out: &Path) -> PathBuf {
    // OUT_DIR is TARGET/PROFILE/build/PACKAGE-HASH/out.
    let outer = out.ancestors().nth(4).unwrap_or(out);
    outer.join("component-build")
}

fn ensure_target() -> Result<()> {
    let sysroot = Command::new(rustc())
        .args(["--print", "sysroot"])
        .output()
        .context("rustc")?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    if sysroot.join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    println!("cargo::warning=adding the target {TARGET} with rustup");
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    match added {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("the target {TARGET} is missing; run: rustup target add {TARGET}"),
    }
}

fn rustc() -> String {
    env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned())
}

fn build(root: &Path, target_dir: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo
        .current_dir(root)
        .args([
            "build",
            "--package",
            "qq-channel",
            "--lib",
            "--profile",
            "component",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(target_dir);
    // Settings of the outer build are meant for the host, and clippy's wrapper must not check the guest.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_ENCODED_RUSTFLAGS")
            || text == "RUSTFLAGS"
            || text.contains("RUSTC_WRAPPER")
            || text.contains("RUSTC_WORKSPACE_WRAPPER")
        {
            cargo.env_remove(&name);
        }
    }
    let output = cargo.output()?;
    if !output.status.success() {
        bail!(
            "the component does not build:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(target_dir
        .join(TARGET)
        .join("component")
        .join("qq_channel.wasm"))
}
