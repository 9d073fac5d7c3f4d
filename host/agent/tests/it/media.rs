//! What is attached comes in, and what the agent makes goes out.

use prx_agent::Agent;
use prx_host::agent::AgentAsk;
use prx_host::bindings::v0_1::{AnswerPart, Attachment, MediaKind, TurnBegin, TurnNews};

use crate::support::{Bench, begin};

fn bench() -> Bench {
    Bench::with_media(|dir| Agent::echo_with_media(dir).unwrap())
}

fn attached(kind: MediaKind, name: &str, blob: u64) -> Attachment {
    Attachment {
        kind,
        name: Some(name.into()),
        blob: Some(blob),
        transcript: None,
        missing: None,
    }
}

fn with(text: &str, attachments: Vec<Attachment>) -> TurnBegin {
    let mut turn = begin(1, 1, text);
    turn.message.attachments = attachments;
    turn
}

#[tokio::test(start_paused = true)]
async fn what_came_goes_back_in_its_kind_under_its_name() {
    let mut bench = bench();
    bench.blobs.put(1, None, b"picture").await.unwrap();
    bench.blobs.put(2, None, b"voice").await.unwrap();
    let missing = Attachment {
        blob: None,
        missing: Some("too large".into()),
        ..attached(MediaKind::Video, "film.mp4", 0)
    };
    bench.ask(AgentAsk::Begin(with(
        "/back",
        vec![
            attached(MediaKind::Image, "猫 [1].png", 1),
            attached(MediaKind::Voice, "a.amr", 2),
            missing,
            attached(MediaKind::Document, "gone.pdf", 99),
        ],
    )));
    let parts = bench.parts(1).await;
    assert_eq!(parts[0], AnswerPart::Text("echo: 4 back".into()));
    let picture = (MediaKind::Image, "猫__1_.png".into(), b"picture".to_vec());
    assert_eq!(bench.file(&parts[1]).await, picture);
    let voice = (MediaKind::Voice, "a.amr".into(), b"voice".to_vec());
    assert_eq!(bench.file(&parts[2]).await, voice);
    let why = "(video film.mp4: too large)\n(file gone.pdf: it could not be kept)";
    assert_eq!(parts[3..], [AnswerPart::Text(why.into())]);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_file_can_be_made_and_is_what_it_says() {
    let mut bench = bench();
    for (order, kind, name, media_type) in [
        ("/image", MediaKind::Image, "sample.png", "image/png"),
        ("/voice", MediaKind::Voice, "sample.wav", "audio/x-wav"),
        ("/video", MediaKind::Video, "sample.mp4", "video/mp4"),
        (
            "/file 合同.txt",
            MediaKind::Document,
            "合同.txt",
            "application/octet-stream",
        ),
        (
            "/file",
            MediaKind::Document,
            "sample.txt",
            "application/octet-stream",
        ),
    ] {
        let parts = bench.order(order).await;
        let (made, named, bytes) = bench.file(&parts[0]).await;
        assert_eq!(
            (parts.len(), made, named.as_str()),
            (1, kind, name),
            "{order}"
        );
        let AnswerPart::Media(part) = &parts[0] else {
            panic!("{order}")
        };
        assert!(
            format!("{part:?}").contains(media_type),
            "{order}: {part:?}"
        );
        assert!(!bytes.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_file_has_its_size_and_one_that_is_too_large_stays_text() {
    let mut bench = bench();
    let parts = bench.order("/filemb 3").await;
    let (_, name, bytes) = bench.file(&parts[0]).await;
    assert_eq!((name.as_str(), bytes.len()), ("sample-3-mb.bin", 3 << 20));
    let parts = bench.order("/filemb 5").await;
    assert!(matches!(&parts[..], [AnswerPart::Text(text)] if text.starts_with("[DOCUMENT:")));
    bench.begin(2, "/filemb 99999999999");
    assert!(bench.failure(2).await.contains("more than"));
}

#[tokio::test(start_paused = true)]
async fn cards_reach_the_channel_as_they_were_written() {
    let mut bench = bench();
    for word in ["buttons", "list", "article", "picture", "embed", "recall"] {
        let parts = bench.order(&format!("/{word}")).await;
        let [AnswerPart::Card(json)] = &parts[..] else {
            panic!("{parts:?}")
        };
        let card: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(card["type"], word);
    }
    let parts = bench.order("/react 🎉").await;
    assert!(matches!(&parts[..], [AnswerPart::Card(json)] if json.contains("🎉")));
    // Code of another language is no card.
    assert!(matches!(
        &bench.order("/markdown").await[..],
        [AnswerPart::Text(_)]
    ));
}

#[tokio::test(start_paused = true)]
async fn a_streamed_answer_grows_in_steps_into_the_whole() {
    let mut bench = bench();
    bench.begin(1, "/stream 1000");
    let started = tokio::time::Instant::now();
    let (mut shown, mut steps) = (String::new(), 0);
    let whole = loop {
        match bench.next().await.news {
            TurnNews::Delta(more) => shown.push_str(&more),
            TurnNews::Finished(parts) => break parts,
            other => panic!("{other:?}"),
        }
        steps += 1;
    };
    assert_eq!((steps, started.elapsed().as_millis()), (10, 2000));
    let [AnswerPart::Text(whole)] = &whole[..] else {
        panic!("{whole:?}")
    };
    assert_eq!(whole.len(), 1000);
    assert_eq!(shown, whole.trim_end());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("media");
    std::fs::write(&path, "a file").unwrap();
    let error = Agent::echo_with_media(&path).unwrap_err().to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
    assert!(error.contains("[agent] media_dir"), "{error}");
}
