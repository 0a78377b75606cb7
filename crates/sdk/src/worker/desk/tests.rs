//! The desk by its frames alone.

use super::*;

fn task(token: &'static str) -> v1::Task {
    v1::Task {
        token: Bytes::from_static(token.as_bytes()),
        ..v1::Task::default()
    }
}

fn result(token: &'static str, output: impl Into<Bytes>) -> v1::TaskResult {
    v1::TaskResult {
        token: Bytes::from_static(token.as_bytes()),
        outcome: Some(Outcome::Output(output.into())),
    }
}

fn receipt(token: &'static str) -> v1::ServerFrame {
    let token = Bytes::from_static(token.as_bytes());
    v1::ServerFrame {
        receipts: vec![v1::Receipt {
            token,
            accepted: true,
        }],
        ..v1::ServerFrame::default()
    }
}

/// Hands tasks to the desk and begins those that it accepts; answers how many.
fn offer(desk: &mut Desk, tokens: &[&'static str]) -> usize {
    let mut frame = v1::ServerFrame {
        tasks: tokens.iter().map(|token| task(token)).collect(),
        ..v1::ServerFrame::default()
    };
    desk.take(&mut frame);
    for task in &frame.tasks {
        let cancel = CancellationToken::new();
        let _work = AbortOnDropHandle::new(tokio::spawn(std::future::pending()));
        desk.begin(task.token.clone(), AtWork { cancel, _work });
    }
    frame.tasks.len()
}

fn desk(concurrency: usize) -> Desk {
    Desk::new("w".to_owned(), vec!["q".to_owned()], concurrency)
}

#[tokio::test]
async fn tasks_at_work_and_credits_are_the_concurrency() {
    let mut desk = desk(3);
    assert_eq!(desk.hello().credits, 3);
    assert!(!desk.has_news());
    assert_eq!(offer(&mut desk, &["a", "b"]), 2);
    assert!(!desk.has_news(), "nothing has ended");
    desk.finished(result("a", "1"));
    desk.finished(result("b", "2"));
    let frame = desk.frame();
    assert_eq!((frame.results.len(), frame.credits), (2, 2));
    assert!(!desk.has_news(), "all was said");
}

#[tokio::test]
async fn an_answer_is_sent_again_on_a_new_stream_until_its_receipt() {
    let mut desk = desk(2);
    desk.hello();
    offer(&mut desk, &["a", "b"]);
    desk.finished(result("a", "1"));
    assert_eq!(desk.frame().results.len(), 1);

    let mut again = desk.hello();
    assert_eq!((again.results.len(), again.credits), (1, 1));
    let mut holding = again.hello.take().unwrap().holding;
    holding.sort();
    assert_eq!(holding, ["a", "b"], "at work, or without a receipt");

    desk.take(&mut receipt("a"));
    let once_more = desk.hello();
    assert!(once_more.results.is_empty());
    assert_eq!(once_more.hello.unwrap().holding, ["b"]);
}

#[tokio::test]
async fn what_was_not_asked_for_goes_back() {
    let mut desk = desk(1);
    desk.hello();
    assert_eq!(offer(&mut desk, &["a", "b"]), 1);
    assert_eq!(desk.frame().returned, ["b"]);
    assert_eq!(
        offer(&mut desk, &["a"]),
        0,
        "the same task again changes nothing"
    );
    assert!(!desk.has_news());
}

#[tokio::test]
async fn a_stopped_desk_is_done_when_all_has_its_receipt() {
    let mut desk = desk(2);
    desk.hello();
    offer(&mut desk, &["a"]);
    desk.stop();
    assert_eq!(offer(&mut desk, &["late"]), 0);
    desk.finished(result("a", "1"));
    let frame = desk.frame();
    assert_eq!(
        (frame.results.len(), frame.returned.len(), frame.credits),
        (1, 1, 0)
    );
    desk.take(&mut receipt("a"));
    assert!(!desk.is_done(), "the returned task has no receipt yet");
    desk.take(&mut receipt("late"));
    assert!(desk.is_done());
}

#[tokio::test]
async fn large_results_are_spread_over_frames() {
    let mut desk = desk(3);
    desk.hello();
    offer(&mut desk, &["a", "b", "c"]);
    for token in ["a", "b", "c"] {
        desk.finished(result(token, vec![b'1'; FRAME_BYTES_TARGET]));
    }
    let sizes: Vec<usize> = (0..3).map(|_| desk.frame().results.len()).collect();
    assert_eq!(sizes, [1, 1, 1]);
    assert!(!desk.has_news());
}

#[tokio::test]
async fn only_tasks_at_work_beat_and_once_a_frame() {
    let mut desk = desk(2);
    desk.hello();
    offer(&mut desk, &["a", "b"]);
    desk.finished(result("b", "1"));
    for token in ["a", "a", "b"] {
        desk.beat(Bytes::from_static(token.as_bytes()));
    }
    assert_eq!(desk.frame().heartbeats, ["a"]);
}
