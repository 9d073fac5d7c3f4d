//! What a model writes cannot make the host read a file outside the agent's media folder or fetch a
//! private address. The echo agent says what it is told to, which is as bad as a model gets.

use prx_agent::Agent;
use prx_host::bindings::v0_1::{AnswerPart, MediaKind, MediaPart, MediaSource};

use crate::support::{Bench, MAX_BLOB};

const SECRET: &str = "canary";

/// A media folder with a picture, beside a file that nobody may have.
fn bench() -> Bench {
    let bench = Bench::with_media(|dir| Agent::echo_with_media(dir).unwrap());
    std::fs::write(bench.media().join("cat.png"), "meow").unwrap();
    std::fs::create_dir(bench.media().join("album")).unwrap();
    std::fs::write(bench.media().join("album/dog.png"), "woof").unwrap();
    std::fs::write(bench.dir().join("secret.txt"), SECRET).unwrap();
    bench
}

/// Each of these is answered with exactly what was written, and leaves no blob behind.
async fn stay_text(bench: &mut Bench, tricks: &[(&str, &str)]) {
    for (written, why) in tricks {
        let parts = bench.order(written).await;
        let text = AnswerPart::Text(format!("echo: {written}"));
        assert_eq!(parts, [text], "{why}: {written}");
        assert_eq!(bench.blob_files(), 0, "{why}: {written}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_of_the_folder_is_sent_however_its_path_is_written() {
    let mut bench = bench();
    let absolute = bench.media().canonicalize().unwrap().join("cat.png");
    let absolute = format!("[IMAGE:{}]", absolute.display());
    #[cfg(unix)]
    std::os::unix::fs::symlink("cat.png", bench.media().join("link.png")).unwrap();
    for (written, name, bytes) in [
        ("[IMAGE:cat.png]", "cat.png", "meow"),
        ("[IMAGE: ./cat.png ]", "cat.png", "meow"),
        ("[IMAGE:album/dog.png]", "dog.png", "woof"),
        ("[IMAGE:album/../cat.png]", "cat.png", "meow"),
        (absolute.as_str(), "cat.png", "meow"),
        #[cfg(unix)]
        ("[IMAGE:link.png]", "link.png", "meow"),
    ] {
        let parts = bench.order(written).await;
        assert_eq!(parts.len(), 2, "{written}: {parts:?}");
        let expected = (MediaKind::Image, name.to_owned(), bytes.as_bytes().to_vec());
        assert_eq!(bench.file(&parts[1]).await, expected, "{written}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_path_leads_out_of_the_folder() {
    let mut bench = bench();
    let outside = format!("[IMAGE:{}]", bench.dir().join("secret.txt").display());
    let root = bench.media().canonicalize().unwrap();
    let around = format!("[IMAGE:{}/../secret.txt]", root.display());
    let twice = format!("[IMAGE:{0}/../media/../secret.txt]", root.display());
    stay_text(
        &mut bench,
        &[
            (
                "[IMAGE:../secret.txt]",
                "the folder above is not the agent's",
            ),
            (
                "[DOCUMENT:album/../../secret.txt]",
                "nor is it through a folder inside",
            ),
            (
                "[IMAGE:media/../media/../../etc/passwd]",
                "steps back and forth add up",
            ),
            (
                "[IMAGE:/etc/passwd]",
                "an absolute path is meant as it is written",
            ),
            (
                &outside,
                "the folder beside is outside, whatever its path begins with",
            ),
            (
                &around,
                "beginning with the folder's own path does not help",
            ),
            (&twice, "nor does coming back into it on the way"),
            (
                "[DOCUMENT:/proc/self/environ]",
                "the environment has secrets",
            ),
            (
                "[DOCUMENT:~/.ssh/id_rsa]",
                "a home folder means nothing here",
            ),
            (
                "[IMAGE:file:///etc/passwd]",
                "a file's address is no way around the folder",
            ),
            (
                "[IMAGE:file://localhost/etc/passwd]",
                "nor is it with a host",
            ),
            (
                "[IMAGE:..\\secret.txt]",
                "other separators separate nothing",
            ),
            ("[IMAGE:%2e%2e/secret.txt]", "a path is not decoded"),
            ("[IMAGE:cat.png\0.txt]", "a name does not end early"),
        ],
    )
    .await;
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn no_link_leads_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let mut bench = bench();
    let media = bench.media();
    symlink("../secret.txt", media.join("relative.png")).unwrap();
    symlink(bench.dir().join("secret.txt"), media.join("absolute.png")).unwrap();
    symlink("..", media.join("up")).unwrap();
    symlink("/", media.join("root")).unwrap();
    symlink("up", media.join("chain")).unwrap();
    symlink("loop", media.join("loop")).unwrap();
    symlink("/dev/zero", media.join("zero")).unwrap();
    stay_text(
        &mut bench,
        &[
            (
                "[IMAGE:relative.png]",
                "a link to a file outside is outside",
            ),
            ("[IMAGE:absolute.png]", "so is one with an absolute target"),
            (
                "[IMAGE:up/secret.txt]",
                "a link to a folder outside leads out",
            ),
            ("[IMAGE:root/etc/passwd]", "so does one to the root"),
            (
                "[IMAGE:chain/secret.txt]",
                "a link to a link is followed to its end",
            ),
            ("[IMAGE:up/media/cat.png]", "out and in again is out"),
            ("[IMAGE:loop]", "a link to itself leads nowhere"),
            ("[IMAGE:zero]", "a device without an end is not read"),
        ],
    )
    .await;
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn only_regular_files_that_fit_are_read() {
    let mut bench = bench();
    let fifo = bench.media().join("pipe");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(bench.media().join("socket")).unwrap();
    let huge = std::fs::File::create(bench.media().join("huge.bin")).unwrap();
    huge.set_len(MAX_BLOB + 1).unwrap();
    stay_text(
        &mut bench,
        &[
            ("[IMAGE:album]", "a folder is not a file"),
            ("[IMAGE:.]", "nor is the media folder itself"),
            ("[IMAGE:pipe]", "nobody waits for a pipe to be written to"),
            ("[IMAGE:socket]", "a socket is not a file"),
            (
                "[DOCUMENT:huge.bin]",
                "what is larger than a blob may be is not begun",
            ),
            ("[IMAGE:nothing.png]", "what is not there is not made up"),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_private_address_is_passed_on() {
    let long = format!("[IMAGE:https://example.com/{}]", "x".repeat(2048));
    stay_text(
        &mut bench(),
        &[
            ("[IMAGE:http://127.0.0.1/x]", "this machine"),
            ("[IMAGE:http://127.1/x]", "the same, shorter"),
            ("[IMAGE:http://0x7f.1/x]", "the same in hexadecimal"),
            ("[IMAGE:http://2130706433/x]", "the same as one number"),
            ("[IMAGE:http://017700000001/x]", "the same in octal"),
            ("[IMAGE:http://[::1]/x]", "the same in IPv6"),
            (
                "[IMAGE:http://[::ffff:127.0.0.1]/x]",
                "IPv4 dressed as IPv6",
            ),
            (
                "[IMAGE:http://[64:ff9b::7f00:1]/x]",
                "IPv4 behind a translation",
            ),
            (
                "[IMAGE:http://①②⑦.⓪.⓪.①/x]",
                "digits that only look different",
            ),
            ("[IMAGE:http://0.0.0.0/x]", "any address of this machine"),
            ("[IMAGE:http://10.1.2.3/x]", "a private network"),
            ("[IMAGE:http://192.168.0.1:8080/x]", "a router at home"),
            ("[IMAGE:http://[fd12::1]/x]", "a private network in IPv6"),
            ("[IMAGE:http://[fe80::1]/x]", "this link"),
            (
                "[IMAGE:http://169.254.169.254/latest/meta-data/]",
                "a cloud's credentials",
            ),
            (
                "[IMAGE:http://100.100.100.200/]",
                "another cloud's credentials",
            ),
            ("[IMAGE:http://localhost/x]", "this machine by name"),
            (
                "[IMAGE:http://localhost./x]",
                "the same with the root's dot",
            ),
            ("[IMAGE:http://LOCALHOST/x]", "the same in capitals"),
            (
                "[IMAGE:http://a.localhost/x]",
                "every name below it is this machine too",
            ),
            (
                "[IMAGE:http://router/x]",
                "a name without a dot is found on the local network",
            ),
            (
                "[IMAGE:http://printer.local/x]",
                "so is one that is announced there",
            ),
            (
                "[IMAGE:http://metadata.google.internal/x]",
                "so is a cloud's own",
            ),
            (
                "[IMAGE:https://user:pw@example.com/x]",
                "a password in an address is for nobody",
            ),
            ("[IMAGE:https://user@example.com/x]", "nor is a user name"),
            ("[IMAGE:ftp://example.com/x]", "only the web is fetched"),
            ("[IMAGE:gopher://example.com/x]", "and nothing older"),
            (
                "[IMAGE:data:image/png;base64,iVBORw0KGgo=]",
                "what is in the text is not an address",
            ),
            ("[IMAGE:javascript:alert(1)]", "nor is a program"),
            ("[IMAGE:http://]", "nor is nothing"),
            (&long, "nobody takes an address that long"),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_quite_a_marker_stays_text() {
    stay_text(
        &mut bench(),
        &[
            ("[IMAGE:cat.png", "it is never closed"),
            ("[IMAGE:[IMAGE:cat.png]]", "a marker is no path"),
            ("[IMAGE:cat\n.png]", "a path has one line"),
            ("[IMAGE:]", "nothing is no path"),
            ("[IMAGE: ]", "nor is a space"),
            (
                "x\n```\n[IMAGE:cat.png]\n```",
                "code is shown and not carried out",
            ),
            (
                "x\n~~~md\n[IMAGE:cat.png]\n",
                "so is code that goes on to the end",
            ),
            ("write `[IMAGE:cat.png]` for it", "so is a word of code"),
            ("[image:cat.png]", "markers are written in capitals"),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_public_address_goes_on_for_the_platform_to_fetch() {
    let mut bench = bench();
    for (written, url) in [
        ("https://example.com/cat.png", "https://example.com/cat.png"),
        // How storage services give access.
        (
            "https://s.example.com/x?user=a&password=b@c",
            "https://s.example.com/x?user=a&password=b@c",
        ),
        ("http://1.1.1.1/x", "http://1.1.1.1/x"),
        // One reader takes what is before the `@` for a user, another for the host. What goes on
        // has only one reading.
        (
            "http://example.com\\@127.0.0.1/",
            "http://example.com/@127.0.0.1/",
        ),
    ] {
        let order = format!("/url-image {written}");
        let parts = bench.order(&order).await;
        let expected = AnswerPart::Media(MediaPart {
            kind: MediaKind::Image,
            source: MediaSource::Url(url.into()),
            caption: None,
        });
        assert_eq!(parts, [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_fills_the_disk_with_few_files_only() {
    let mut bench = bench();
    let parts = bench.order(&"[IMAGE:cat.png]".repeat(50)).await;
    assert_eq!(
        parts.len(),
        12,
        "a greeting, ten pictures, and the rest as text"
    );
    assert!(matches!(&parts[11], AnswerPart::Text(rest) if rest.starts_with("[IMAGE:")));
    // Each has a second file that describes it.
    assert_eq!(bench.blob_files(), 20);
}

#[tokio::test(start_paused = true)]
async fn without_a_media_folder_no_path_is_looked_at() {
    let mut bench = Bench::new(Agent::echo());
    stay_text(&mut bench, &[("[IMAGE:/etc/passwd]", "there is no folder")]).await;
    bench.begin(2, "/image");
    assert!(bench.failure(2).await.contains("no media folder"));
}
