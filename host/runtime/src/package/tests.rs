use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;

const MANIFEST_TEXT: &str = r#"
    # A comment that stays.
    [plugin]
    name = "tiny"
    version = "0.1.0"
    api_version = "0.1.0"
    [[capabilities]]
    type = "channel"
"#;
const WASM: &[u8] = b"\0asm, or so it says";

struct Place {
    dir: tempfile::TempDir,
    key: SecretKey,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SecretKey::generate().unwrap();
        Self { dir, key }
    }

    fn write(&self, sign_with: Option<&SecretKey>) -> PathBuf {
        let source = Source {
            manifest: MANIFEST_TEXT,
            wasm: WASM,
            sign_with,
        };
        write(source, self.dir.path()).unwrap()
    }

    fn trust(&self) -> Trust {
        Trust::Only(vec![self.key.public()])
    }
}

fn refused(folder: &Path, trust: &Trust) -> String {
    Package::open(folder, trust).unwrap_err().to_string()
}

#[test]
fn what_was_packed_is_read_again_with_its_digest() {
    let place = Place::new();
    let folder = place.write(None);
    assert!(folder.ends_with("tiny"));
    let package = Package::open(&folder, &Trust::Anyone).unwrap();
    assert_eq!(package.wasm, WASM);
    assert_eq!(package.manifest.sha256.as_ref(), Some(&package.sha256));
    assert_eq!(package.sha256, digest(WASM));
    assert!(package.manifest_text.contains("# A comment that stays."));
    assert_eq!(package.signature, SignatureState::Unsigned);
    // Packed again over itself, signed this time: nothing else is left behind.
    place.write(Some(&place.key));
    Package::open(&folder, &place.trust()).unwrap();
    assert_eq!(fs::read_dir(place.dir.path()).unwrap().count(), 1);
}

#[test]
fn a_component_that_was_changed_is_refused_with_both_digests() {
    let place = Place::new();
    let folder = place.write(None);
    fs::write(folder.join("plugin.wasm"), b"another").unwrap();
    let said = refused(&folder, &Trust::Anyone);
    assert!(
        said.contains(&digest(WASM)) && said.contains(&digest(b"another")),
        "{said}"
    );
    assert!(Package::look(&folder).is_err());
}

#[test]
fn only_what_a_trusted_key_signed_is_run_where_keys_are_named() {
    let place = Place::new();
    let folder = place.write(None);
    assert!(refused(&folder, &place.trust()).contains("is not signed"));
    place.write(Some(&place.key));
    Package::open(&folder, &place.trust()).unwrap();
    let other = SecretKey::generate().unwrap();
    let said = refused(&folder, &Trust::Only(vec![other.public()]));
    assert!(said.contains(&place.key.public().to_string()), "{said}");
    assert!(said.contains("not among [host] trusted_keys"), "{said}");
    assert!(refused(&folder, &Trust::Only(vec![])).contains("not among"));
}

#[test]
fn a_signature_covers_the_manifest_and_the_component() {
    let place = Place::new();
    let folder = place.write(Some(&place.key));
    let manifest = fs::read_to_string(folder.join(MANIFEST)).unwrap();
    let widened = format!("{manifest}\n[resources]\nmax_memory_mb = 512\n");
    fs::write(folder.join(MANIFEST), widened).unwrap();
    let said = refused(&folder, &place.trust());
    assert!(
        said.contains("is not of this plugin.toml with this component"),
        "{said}"
    );
    // Damage is damage, even where no signature is asked for.
    assert!(refused(&folder, &Trust::Anyone).contains("is not of this"));
    // The other half: a component with a manifest that fits it, under the old signature.
    let unsigned = manifest.replace(&digest(WASM), &digest(b"another"));
    fs::write(folder.join(MANIFEST), unsigned).unwrap();
    fs::write(folder.join("plugin.wasm"), b"another").unwrap();
    assert!(refused(&folder, &place.trust()).contains("is not of this"));
}

#[test]
fn a_file_of_signatures_that_is_none_is_refused() {
    let place = Place::new();
    let folder = place.write(Some(&place.key));
    let good = fs::read_to_string(folder.join(SIGNATURE)).unwrap();
    for (text, says) in [
        ("".to_owned(), "no signature"),
        ("hello".to_owned(), "line 1"),
        (format!("{good}ed25519:AAAA BBBB"), "line 2"),
        (good.replace("ed25519:", "rsa:"), "line 1"),
        ("x".repeat(MAX_SIGNATURE_BYTES + 1), "are allowed"),
    ] {
        fs::write(folder.join(SIGNATURE), text).unwrap();
        let said = refused(&folder, &Trust::Anyone);
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn files_that_others_can_write_are_refused() {
    let place = Place::new();
    let folder = place.write(Some(&place.key));
    for (path, mode, good) in [
        (folder.join(MANIFEST), 0o664, 0o644),
        (folder.join("plugin.wasm"), 0o646, 0o644),
        (folder.join(SIGNATURE), 0o666, 0o600),
        (folder.clone(), 0o775, 0o755),
        (place.dir.path().to_owned(), 0o777, 0o755),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let said = refused(&folder, &Trust::Anyone);
        assert!(
            said.contains("others can write") && said.contains("chmod go-w"),
            "{said}"
        );
        assert!(said.contains(&format!("{mode:o}")), "{said}");
        Package::look(&folder).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(good)).unwrap();
    }
    Package::open(&folder, &Trust::Anyone).unwrap();
}

#[test]
fn the_whole_path_of_a_folder_is_looked_at() {
    let place = Place::new();
    let deep = place.dir.path().join("1/2/3");
    fs::create_dir_all(&deep).unwrap();
    let folder = deep.join("tiny");
    fs::rename(place.write(None), &folder).unwrap();
    Package::open(&folder, &Trust::Anyone).unwrap();
    for above in ["1", "1/2", "1/2/3"].map(|name| place.dir.path().join(name)) {
        for open in [0o777, 0o775, 0o757] {
            fs::set_permissions(&above, fs::Permissions::from_mode(open)).unwrap();
            let said = refused(&folder, &Trust::Anyone);
            assert!(
                said.contains(&format!("others can write {} ", above.display())),
                "{said}"
            );
        }
        // Only owners rename there: what stands in it is looked at by itself.
        fs::set_permissions(&above, fs::Permissions::from_mode(0o1777)).unwrap();
        Package::open(&folder, &Trust::Anyone).unwrap();
        fs::set_permissions(&above, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_folder_of_another_name_than_its_plugins_is_refused() {
    let place = Place::new();
    let folder = place.write(Some(&place.key));
    for name in ["other", "Tiny", "tiny2", "tiny.old"] {
        let other = place.dir.path().join(name);
        fs::rename(&folder, &other).unwrap();
        for trust in [Trust::Anyone, place.trust()] {
            let said = refused(&other, &trust);
            assert!(
                said.contains("is the folder of the plugin \"tiny\""),
                "{said}"
            );
        }
        Package::look(&other).unwrap();
        fs::rename(&other, &folder).unwrap();
    }
    Package::open(&folder.join("../tiny"), &place.trust()).unwrap();
}

#[test]
fn nothing_is_read_through_a_link() {
    let place = Place::new();
    let folder = place.write(None);
    let link = place.dir.path().join("link");
    symlink(&folder, &link).unwrap();
    assert!(refused(&link, &Trust::Anyone).contains("is a link"));
    assert!(refused(&link.join(""), &Trust::Anyone).contains("is a link"));
    for name in [MANIFEST, "plugin.wasm"] {
        let outside = place.dir.path().join(name);
        fs::rename(folder.join(name), &outside).unwrap();
        symlink(&outside, folder.join(name)).unwrap();
        assert!(
            refused(&folder, &Trust::Anyone).contains("is a link"),
            "{name}"
        );
        fs::remove_file(folder.join(name)).unwrap();
        fs::create_dir(folder.join(name)).unwrap();
        assert!(
            refused(&folder, &Trust::Anyone).contains("no regular file"),
            "{name}"
        );
        fs::remove_dir(folder.join(name)).unwrap();
        assert!(refused(&folder, &Trust::Anyone).contains(name), "{name}");
        fs::rename(&outside, folder.join(name)).unwrap();
    }
    let manifest = fs::read_to_string(folder.join(MANIFEST)).unwrap();
    let escaping =
        format!("{manifest}\n").replace("[plugin]", "[plugin]\nwasm = \"../plugin.wasm\"");
    fs::write(folder.join(MANIFEST), escaping).unwrap();
    assert!(refused(&folder, &Trust::Anyone).contains("without a path"));
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let place = Place::new();
    let folder = place.write(None);
    // Sparse: nothing of this is on the disk.
    let huge = fs::File::create(folder.join("plugin.wasm")).unwrap();
    huge.set_len(MAX_COMPONENT_BYTES as u64 + 1).unwrap();
    assert!(refused(&folder, &Trust::Anyone).contains("134217728 are allowed"));
    let long = fs::File::create(folder.join(MANIFEST)).unwrap();
    long.set_len(MAX_MANIFEST_BYTES as u64 + 1).unwrap();
    assert!(refused(&folder, &Trust::Anyone).contains("262144 are allowed"));
}

#[test]
fn a_secret_key_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let key = SecretKey::generate().unwrap();
    key.save(&path).unwrap();
    assert!(key.save(&path).is_err(), "a key is not overwritten");
    assert_eq!(SecretKey::load(&path).unwrap().public(), key.public());
    let shown = key.public().to_string();
    assert_eq!(shown.parse::<PublicKey>().unwrap(), key.public());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(
        SecretKey::load(&path)
            .unwrap_err()
            .to_string()
            .contains("chmod 600")
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "ed25519-secret:AAAA").unwrap();
    assert!(
        SecretKey::load(&path)
            .unwrap_err()
            .to_string()
            .contains("no secret key")
    );
    for wrong in ["", "ed25519:", "ed25519:AAAA", &shown[8..]] {
        assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
    }
}
