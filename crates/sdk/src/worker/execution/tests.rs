//! One task at a time, on a clock that jumps.

use super::*;

/// Does a task and answers with its outcome and the beats before it.
async fn run(task: v1::Task, function: Function, cancel: &CancellationToken) -> (Outcome, usize) {
    let functions: Functions = Arc::new(HashMap::from([("t".to_owned(), function)]));
    let (sender, mut notes) = mpsc::channel(64);
    tokio::spawn(execution(task, &functions, cancel.clone(), sender));
    let mut beats = 0;
    loop {
        match notes.recv().await.unwrap() {
            Note::Beat(_) => beats += 1,
            Note::Done(result) => return (result.outcome.unwrap(), beats),
        }
    }
}

fn task(input: &'static str) -> v1::Task {
    v1::Task {
        name: "t".to_owned(),
        input: Bytes::from_static(input.as_bytes()),
        ..v1::Task::default()
    }
}

/// The last word of the failure's type, whether it is retryable, and its detail.
fn failure(outcome: Outcome) -> (String, bool, String) {
    let Outcome::Failure(failure) = outcome else {
        panic!("it succeeded: {outcome:?}");
    };
    let word = failure.r#type.rsplit('/').next().unwrap().to_owned();
    (word, failure.retryable, failure.detail)
}

fn double() -> Function {
    untyped(|_, input: u64| async move { Ok(input * 2) })
}

fn endless() -> Function {
    untyped(|_, ()| async move {
        std::future::pending::<()>().await;
        Ok(())
    })
}

#[tokio::test]
async fn what_can_go_wrong_becomes_a_failure() {
    fn never(_: TaskContext, (): ()) -> std::future::Ready<Result<(), TaskError>> {
        panic!("at once")
    }
    let panics = untyped(|_, ()| async move {
        tokio::task::yield_now().await;
        if true {
            panic!("number {}", 7);
        }
        Ok(())
    });
    let questions = untyped(|_, ()| async move {
        let number: u32 = "x".parse()?;
        Ok(number)
    });
    let large = untyped(|_, ()| async move { Ok("x".repeat(OUTPUT_BYTES_MAX)) });
    let cases = [
        (
            "\"word\"",
            double(),
            "validation",
            false,
            "the input does not fit",
        ),
        ("null", panics, "runtime", true, "panicked: number 7"),
        ("null", untyped(never), "runtime", true, "panicked: at once"),
        ("null", questions, "runtime", true, "invalid digit"),
        (
            "null",
            large,
            "runtime",
            false,
            "1048578 bytes, more than 1048576",
        ),
    ];
    for (input, function, word, retryable, part) in cases {
        let (outcome, _) = run(task(input), function, &CancellationToken::new()).await;
        let (kind, again, detail) = failure(outcome);
        assert_eq!((kind.as_str(), again), (word, retryable), "{detail}");
        assert!(detail.contains(part), "{detail}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_a_mistake_of_configuration() {
    let mut task = task("1");
    task.name = "other".to_owned();
    let (outcome, _) = run(task, double(), &CancellationToken::new()).await;
    let (kind, retryable, detail) = failure(outcome);
    assert_eq!((kind.as_str(), retryable), ("configuration", false));
    assert!(
        detail.contains("no function for task \"other\""),
        "{detail}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_beats_until_its_time_is_over() {
    let mut task = task("null");
    task.heartbeat_timeout_ms = 3_000;
    task.run_timeout_ms = 10_500;
    let (outcome, beats) = run(task, endless(), &CancellationToken::new()).await;
    let (kind, retryable, _) = failure(outcome);
    assert_eq!((kind.as_str(), retryable, beats), ("timeout", true, 10));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_function_may_end_by_itself_and_must_end() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let polite = untyped(|ctx: TaskContext, ()| async move {
        ctx.cancelled().await;
        Ok(ctx.is_cancelled())
    });
    let (outcome, _) = run(task("null"), polite, &cancel).await;
    assert_eq!(outcome, Outcome::Output(Bytes::from_static(b"true")));
    let (outcome, _) = run(task("null"), endless(), &cancel).await;
    assert_eq!(failure(outcome).0, "cancelled");
}
