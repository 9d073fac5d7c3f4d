//! What is kept, for how long, and under which name.

use super::*;

fn folder(dir: &tempfile::TempDir) -> Arc<MediaFolder> {
    Arc::new(MediaFolder::open(&dir.path().join("media")).unwrap())
}

fn names(folder: &MediaFolder) -> Vec<String> {
    let names = std::fs::read_dir(&folder.root).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// A file that was put there so long ago.
fn aged(folder: &MediaFolder, seconds: u64, bytes: u64) -> String {
    let then = SystemTime::now() - Duration::from_secs(seconds);
    let name = own_name("old.bin", then).unwrap();
    let file = std::fs::File::create(folder.root.join(&name)).unwrap();
    file.set_len(bytes).unwrap();
    name
}

#[test]
fn a_name_is_only_ever_a_name() {
    for (name, clean) in [
        ("cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\secret\\a b.txt", "a_b.txt"),
        ("x]\n[IMAGE:y].png", "x___IMAGE_y_.png"),
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("合同 (1).pdf", "合同__1_.pdf"),
    ] {
        assert_eq!(clean_name(name), clean, "{name:?}");
    }
    let long = clean_name(&format!("{}.jpeg", "长".repeat(100)));
    assert!(
        long.len() <= MAX_NAME && long.ends_with("长.jpeg"),
        "{long}"
    );
}

#[test]
fn what_has_no_name_gets_one_after_its_bytes() {
    for (kind, media_type, name) in [
        (MediaKind::Image, "image/jpeg", "image.jpg"),
        (MediaKind::Voice, "audio/x-wav", "voice.wav"),
        (MediaKind::Audio, "audio/mpeg", "audio.mp3"),
        (MediaKind::Video, "video/mp4", "video.mp4"),
        (
            MediaKind::Document,
            "application/octet-stream",
            "document.bin",
        ),
    ] {
        assert_eq!(nameless(kind, media_type), name);
    }
}

#[tokio::test]
async fn a_blob_comes_in_under_a_name_nobody_guesses_and_goes_out_under_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(&dir);
    let blobs = Blobs::open(dir.path().join("blobs"), 1000, 1000).unwrap();
    blobs.put(1, Some("cat.png".into()), b"png").await.unwrap();
    let first = folder
        .take_in(&blobs, 1, None, MediaKind::Image)
        .await
        .unwrap();
    let second = folder
        .take_in(&blobs, 1, Some("dog.png"), MediaKind::Image)
        .await
        .unwrap();
    assert!(first.ends_with("-cat.png") && second.ends_with("-dog.png"));
    assert_ne!(first[..PREFIX_DIGITS], second[..PREFIX_DIGITS]);
    // The blob goes with its turn, the file stays.
    blobs.remove(1);
    let opened = folder.open_file(&first).await.unwrap();
    assert_eq!((opened.name.as_str(), opened.bytes), ("cat.png", 3));
    let gone = folder.take_in(&blobs, 1, None, MediaKind::Image).await;
    assert!(matches!(gone, Err(MediaError::Blob(BlobError::Gone(1)))));
}

#[tokio::test]
async fn what_is_too_old_goes_when_something_new_comes_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let before = folder(&dir);
    let old = aged(&before, 3700, 1);
    let young = aged(&before, 3500, 1);
    std::fs::write(before.root.join("logo.png"), "the operator's").unwrap();
    let folder = folder(&dir);
    let new = folder.make("new.txt", 2, &b"hi"[..]).await.unwrap();
    let names = names(&folder);
    assert!(!names.contains(&old), "{names:?}");
    for kept in [young, new, "logo.png".into()] {
        assert!(names.contains(&kept), "{names:?}");
    }
}

#[tokio::test]
async fn with_too_many_files_the_oldest_goes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(&dir);
    for age in 0..MAX_FILES as u64 {
        aged(&folder, 100 + age, 1);
    }
    let oldest = names(&folder).remove(0);
    folder.make("new.txt", 2, &b"hi"[..]).await.unwrap();
    let names = names(&folder);
    assert_eq!(names.len(), MAX_FILES);
    assert!(!names.contains(&oldest));
}

#[tokio::test]
async fn with_too_many_bytes_the_oldest_goes_and_what_never_fits_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(&dir);
    let older = aged(&folder, 20, MAX_BYTES / 2);
    let newer = aged(&folder, 10, MAX_BYTES / 2);
    folder.make("new.txt", 2, &b"hi"[..]).await.unwrap();
    let left = names(&folder);
    assert!(!left.contains(&older) && left.contains(&newer), "{left:?}");
    let never = folder.make("huge", MAX_BYTES + 1, io::empty()).await;
    assert!(matches!(never, Err(MediaError::TooLarge(MAX_BYTES))));
    assert_eq!(names(&folder), left);
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_is_the_owners_alone_and_is_made_again_when_it_was_removed() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(&dir);
    std::fs::remove_dir_all(&folder.root).unwrap();
    let name = folder.make("a.txt", 2, &b"hi"[..]).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.root), 0o700);
    assert_eq!(mode(&folder.root.join(name)), 0o600);
}

#[tokio::test]
async fn a_file_with_a_second_name_is_not_sent_and_what_was_attached_is() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(&dir);
    let secret = dir.path().join("passwd");
    std::fs::write(&secret, "root:x:0:0").unwrap();
    for name in ["logo.png", "sub/logo.png"] {
        let path = folder.root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::hard_link(&secret, &path).unwrap();
        let said = folder.open_file(name).await.unwrap_err();
        assert!(matches!(said, NotThere::Linked), "{said}");
        std::fs::remove_file(path).unwrap();
    }
    std::fs::hard_link(&secret, folder.root.join("logo.png")).unwrap();
    std::fs::remove_file(&secret).unwrap();
    assert!(folder.open_file("logo.png").await.is_ok(), "its only name");
    // The blob is still there: what came in is a file of its own.
    let blobs = Blobs::open(dir.path().join("blobs"), 1000, 1000).unwrap();
    blobs.put(1, Some("cat.png".into()), b"png").await.unwrap();
    let taken = folder.take_in(&blobs, 1, None, MediaKind::Image).await;
    assert!(folder.open_file(&taken.unwrap()).await.is_ok());
}

#[test]
fn a_folder_of_a_group_keeps_its_mode_and_one_of_everybody_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("media");
    std::fs::create_dir(&root).unwrap();
    for (mode, good) in [
        (0o2775, true),
        (0o770, true),
        (0o755, true),
        (0o777, false),
        (0o1777, false),
    ] {
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(MediaFolder::open(&root).is_ok(), good, "{mode:o}");
        let kept = std::fs::metadata(&root).unwrap().permissions().mode();
        assert_eq!(kept & 0o7777, mode);
    }
}
