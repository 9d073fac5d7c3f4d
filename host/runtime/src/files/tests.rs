use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Gives a file to another user; false where only root could.
fn give_away(path: &Path) -> bool {
    let given = std::os::unix::fs::lchown(path, Some(4711), Some(4711)).is_ok();
    if !given {
        println!(
            "skipped: only root gives {} to another user",
            path.display()
        );
    }
    given
}

#[test]
fn a_folder_that_is_made_is_the_owners_and_one_that_is_there_keeps_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("a/b");
    private_dir(&made).unwrap();
    assert_eq!((mode(&made), mode(&dir.path().join("a"))), (0o700, 0o700));
    for kept in [0o755, 0o750, 0o500, 0o700, 0o1755] {
        set_mode(&made, kept);
        private_dir(&made).unwrap();
        group_dir(&made).unwrap();
        assert_eq!(mode(&made), kept);
    }
}

#[test]
fn a_folder_that_others_can_write_is_refused_and_keeps_its_mode() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    for (writable, group_too) in [
        (0o777, true),
        (0o1777, true),
        (0o757, true),
        (0o702, true),
        (0o770, false),
        (0o2775, false),
        (0o720, false),
    ] {
        set_mode(&state, writable);
        let said = private_dir(&state).unwrap_err();
        assert!(matches!(said, PlaceError::Writable { mode, .. } if mode == writable));
        assert!(said.to_string().contains("chmod go-w"), "{said}");
        assert_eq!(group_dir(&state).is_err(), group_too, "{writable:o}");
        assert_eq!(mode(&state), writable);
    }
}

#[test]
fn each_folder_on_the_way_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("1/2/3/4");
    private_dir(&deep).unwrap();
    for above in ["1", "1/2", "1/2/3"].map(|name| dir.path().join(name)) {
        for open in [0o777, 0o775] {
            set_mode(&above, open);
            let said = private_dir(&deep).unwrap_err().to_string();
            assert!(said.contains(&format!("{} (", above.display())), "{said}");
        }
        // Only owners rename there.
        set_mode(&above, 0o1777);
        private_dir(&deep).unwrap();
        set_mode(&above, 0o755);
    }
}

#[test]
fn what_belongs_to_another_user_is_refused_wherever_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let (above, state) = (dir.path().join("above"), dir.path().join("above/state"));
    private_dir(&state).unwrap();
    for (theirs, sticky) in [(&state, false), (&above, false), (&above, true)] {
        if !give_away(theirs) {
            return;
        }
        if sticky {
            set_mode(theirs, 0o1777);
        }
        let said = private_dir(&state).unwrap_err();
        assert!(
            matches!(said, PlaceError::Owner { owner: 4711, .. }),
            "{said}"
        );
        std::os::unix::fs::chown(theirs, Some(0), Some(0)).unwrap();
    }
}

#[test]
fn a_link_counts_as_what_it_leads_to() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    private_dir(&real.join("state")).unwrap();
    let found = fs::canonicalize(real.join("state")).unwrap();
    for target in [real.as_path(), Path::new("real"), Path::new("./x/../real")] {
        fs::create_dir_all(dir.path().join("x")).unwrap();
        symlink(target, &link).unwrap();
        assert_eq!(private_dir(&link.join("state")).unwrap(), found);
        fs::remove_file(&link).unwrap();
    }
    set_mode(&real, 0o777);
    symlink(&real, &link).unwrap();
    let said = private_dir(&link.join("state")).unwrap_err().to_string();
    assert!(said.contains("real (its mode"), "{said}");
    set_mode(&real, 0o755);
    if give_away(&link) {
        let said = private_dir(&link.join("state")).unwrap_err();
        assert!(matches!(said, PlaceError::Owner { .. }), "{said}");
    }
    fs::remove_file(&link).unwrap();
    symlink("link", &link).unwrap();
    assert!(private_dir(&link.join("state")).is_err(), "a circle");
}

#[test]
fn no_file_is_made_opened_or_replaced_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    fs::write(&victim, "IMPORTANT").unwrap();
    let state = PrivateDir::open(&dir.path().join("state")).unwrap();
    let path = state.path().join("file");
    symlink(&victim, &path).unwrap();
    assert!(state.file("file").is_err() && state.look("file").is_err());
    assert!(private_file(&path).is_err() && kept_file(&path).is_err());
    assert!(new_private_file(&path).is_err());
    // What is made whole stands in the place of the link.
    state.replace("file", b"ours").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"ours");
    assert_eq!(mode(&path), 0o600);
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    assert!(state.file("file").is_err(), "nothing is made at its end");
    assert!(!state.path().join("nowhere").exists());
    fs::remove_file(&path).unwrap();
    // A second name of a file that somebody wants to have written.
    fs::hard_link(&victim, &path).unwrap();
    assert!(state.file("file").is_err() && private_file(&path).is_err());
    fs::remove_file(&path).unwrap();
    symlink(dir.path(), state.path().join("sub")).unwrap();
    assert!(state.within("sub").is_err());
    for name in ["", ".", "..", "a/b", "/etc"] {
        assert!(
            state.file(name).is_err() && state.within(name).is_err(),
            "{name}"
        );
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "IMPORTANT");
}

#[test]
fn a_folder_that_others_could_fill_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::write(cache.join("theirs"), "").unwrap();
    emptied_dir(&cache).unwrap();
    assert!(cache.join("theirs").exists());
    set_mode(&cache, 0o777);
    emptied_dir(&cache).unwrap();
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
    assert_eq!(mode(&cache), 0o700);
    fs::remove_dir(&cache).unwrap();
    symlink(dir.path(), &cache).unwrap();
    assert!(emptied_dir(&cache).is_err());
}

#[test]
fn a_folder_or_a_file_that_is_not_the_same_any_more_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let state = PrivateDir::open(&dir.path().join("state")).unwrap();
    // Held open, so that no other file is given its number.
    let file = state.file("file").unwrap();
    let id = FileId::of_file(&file).unwrap();
    let (path, aside) = (state.path().to_owned(), dir.path().join("aside"));
    assert!(state.still_holds("file", id));
    fs::rename(&path, &aside).unwrap();
    assert!(!state.still_holds("file", id), "gone");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "").unwrap();
    assert!(!state.still_holds("file", id), "another one");
    fs::remove_dir_all(&path).unwrap();
    symlink(&aside, &path).unwrap();
    assert!(!state.still_holds("file", id), "a link to it");
    fs::remove_file(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    assert!(state.still_holds("file", id), "put back");
    fs::remove_file(path.join("file")).unwrap();
    fs::write(path.join("file"), "").unwrap();
    assert!(!state.still_holds("file", id), "another file");
}
