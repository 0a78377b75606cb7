//! Calls of real processes: small servers as shell scripts.

use std::path::Path;

use super::*;
use crate::process::{Job, Rest};

/// What a server does first: it greets, and answers the first two messages.
const WELCOME: &str = r#"echo 'Welcome to this server!'; read -r _
    echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{}}}'; read -r _; read -r asked;"#;

/// A job of a script, which has the variable `T`, and a call with these members.
fn prepared(script: &str, more: &Value) -> (Job, Wish) {
    let path = std::env::var_os("PATH").unwrap();
    let rest = json!({"arguments": ["-c", script, "server"], "environment": {"T": "t"}});
    let rest: Rest = serde_json::from_value(rest).unwrap();
    let job = Job::new("/bin/sh".into(), &path, &rest).unwrap();
    let mut input = json!({"method": "tools/call", "parameters": {"name": "add"}, "transport": {}});
    for (key, value) in more.as_object().unwrap() {
        input[key] = value.clone();
    }
    let (wish, _): (_, Value) = Wish::read(input).unwrap();
    (job, wish)
}

async fn called(script: &str) -> Result<Value, TaskError> {
    let (job, wish) = prepared(script, &json!({}));
    over_stdio(&job, &wish).await
}

#[tokio::test]
async fn a_process_is_asked_and_asks() {
    let script = format!(
        r#"{WELCOME} echo '{{"jsonrpc":"2.0","id":"p","method":"ping"}}'; read -r pong
        echo "{{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{{\"asked\":$asked,\"pong\":$pong,\"t\":\"$T ${{CARGO_MANIFEST_DIR:-unset}}\"}}}}"
        cat >/dev/null"#
    );
    let answer = called(&script).await.unwrap();
    assert_eq!(
        answer["asked"],
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "add"}})
    );
    assert_eq!(
        answer["pong"],
        json!({"jsonrpc": "2.0", "id": "p", "result": {}})
    );
    assert_eq!(answer["t"], "t unset");
}

#[tokio::test]
async fn lists_of_a_process_are_read_to_their_end() {
    let script = format!(
        r#"{WELCOME} echo '{{"id":2,"result":{{"tools":[1],"nextCursor":"c"}}}}'; read -r asked
        echo '{{"id":3,"result":{{"tools":[2]}}}}'"#
    );
    let (job, wish) = prepared(&script, &json!({"method": "tools/list", "parameters": {}}));
    let all = over_stdio(&job, &wish).await;
    assert_eq!(all.unwrap(), json!({"tools": [1, 2]}));
}

#[tokio::test]
async fn a_process_that_ends_says_why() {
    let error = called("echo 'no token' >&2; exit 3").await.unwrap_err();
    assert!(
        error.retryable && error.kind.ends_with("communication"),
        "{error:?}"
    );
    let said = error.detail;
    assert!(
        said.contains("the process sh ended with exit status: 3") && said.ends_with(": no token"),
        "{said}"
    );
    let script = format!("{WELCOME} yes complaint | head -c 100000 >&2; exec >&-; exec sleep 1000");
    let error = called(&script).await.unwrap_err();
    assert!(
        error
            .detail
            .contains("closed its output before it answered: "),
        "{error:?}"
    );
    assert!(error.detail.len() < 2000, "{}", error.detail.len());
}

#[tokio::test]
async fn hostile_processes_end_soon() {
    for (script, part) in [
        ("yes | tr -d '\\n'".to_owned(), "more than 1048576 bytes"),
        (
            "yes 'a long line that is no message, which comes again and again, to no end at all'"
                .to_owned(),
            "more than 10000 messages",
        ),
        (
            format!("{WELCOME} yes '{{\"id\":1,\"method\":\"ping\"}}'"),
            "more than 32 questions",
        ),
        (
            "x=$(head -c 100000 /dev/zero | tr '\\0' x); while echo \"$x\"; do :; done".to_owned(),
            "more than 8388608 bytes",
        ),
        (
            format!("{WELCOME} echo '{{\"id\":2,\"result\":7}}'"),
            "no object",
        ),
    ] {
        let error = called(&script).await.unwrap_err();
        assert!(error.detail.contains(part), "{script}: {}", error.detail);
    }
}

#[tokio::test]
async fn a_process_ends_with_its_call_and_so_do_its_children() {
    let folder = tempfile::tempdir().unwrap();
    for (number, given_up) in [false, true].into_iter().enumerate() {
        let pipe = folder.path().join(number.to_string());
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        // The child holds the pipe open until it is killed, and both do not care for the end of their input.
        let script = format!(
            "(echo up; exec sleep 1000) > {} & {WELCOME} sleep 1000",
            pipe.display()
        );
        let timeout_ms = if given_up { 600_000 } else { 2_000 };
        let (job, wish) = prepared(&script, &json!({"timeoutMs": timeout_ms}));
        let called = tokio::spawn(async move { over_stdio(&job, &wish).await });
        let give_up = || {
            if given_up {
                called.abort();
            }
        };
        assert_eq!(heard(&pipe, give_up).await, "up\n");
        if !given_up {
            let late = called.await.unwrap().unwrap_err();
            assert!(late.retryable && late.status == 408, "{late:?}");
        }
    }
}

/// All that is written into a pipe, which ends when nobody has it open any more; something happens at the first byte.
async fn heard(pipe: &Path, first: impl FnOnce()) -> String {
    use tokio::io::AsyncReadExt as _;
    let mut reader = tokio::fs::File::open(pipe).await.unwrap();
    let mut text = vec![0];
    reader.read_exact(&mut text).await.unwrap();
    first();
    let rest = reader.read_to_end(&mut text);
    let rest = tokio::time::timeout(Duration::from_secs(30), rest).await;
    rest.expect("it ends").unwrap();
    String::from_utf8(text).unwrap()
}
