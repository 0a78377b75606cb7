//! The command line as scripts use it: exit codes, JSON, and which stream says what.
//!
//! Invariant: these are contracts; changing one is a breaking change.

use std::path::{Path, PathBuf};
use std::time::Duration;

use quadrille_tests::{Ended, PATIENCE, Quadrille, Server, until};
use sdk::RunState;
use serde_json::{Value, json};

use super::workflow;

const GREET: &str = "- greet: {set: {hello: '${ .name }'}}";
const FAIL: &str = "- fail: {raise: {error: {type: 'https://example.com/no-stock', status: 409, title: no stock}}}";
const LISTEN: &str = "- hear: {listen: {to: {one: {with: {type: go}}}}}";

/// An address where nobody listens: the port is reserved.
const NOBODY: &str = "http://127.0.0.1:1";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

async fn exec(path: &Path, arguments: &[&str]) -> Ended {
    Quadrille::new(
        ["exec", path.to_str().unwrap()]
            .into_iter()
            .chain(arguments.iter().copied()),
    )
    .run()
    .await
}

#[tokio::test]
async fn exec_prints_the_output_or_the_error() {
    let folder = Folder::new();
    let greet = folder.file("greet.yaml", &workflow("greet", GREET));
    let done = exec(&greet, &["--input", r#"{"name": "Ada"}"#]).await;
    assert_eq!(done.json(), json!({"hello": "Ada"}));
    assert_eq!(done.stderr, "");

    let fail = folder.file("fail.yaml", &workflow("fail", FAIL));
    let failed = exec(&fail, &[]).await;
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""), "{failed:?}");
    let error = failed.error();
    assert_eq!(
        (&error["type"], &error["status"]),
        (&json!("https://example.com/no-stock"), &json!(409))
    );

    let wrong = folder.file("wrong.yaml", &workflow("wrong", "- greet: {sett: {a: 1}}"));
    let refused = exec(&wrong, &[]).await;
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (4, ""),
        "{refused:?}"
    );
    let findings: Value =
        serde_json::from_str(&refused.stderr).expect("JSON, not being a terminal");
    assert_eq!(findings[0]["code"], "unknown-task", "{findings}");

    let long = folder.file("long.yaml", &workflow("long", "- rest: {wait: PT1H}"));
    let goes_on = exec(&long, &["--timeout", "100ms"]).await;
    assert_eq!(
        (goes_on.code, goes_on.stdout.as_str()),
        (6, ""),
        "{goes_on:?}"
    );

    let lonely = folder.file(
        "lonely.yaml",
        &workflow(
            "lonely",
            "- pack: {call: task, with: {name: pack, queue: depot}}",
        ),
    );
    let parent = folder.file(
        "parent.yaml",
        &workflow(
            "parent",
            "- child: {run: {workflow: {namespace: default, name: lonely, version: '1.0.0'}}}",
        ),
    );
    let child = ["--with", lonely.to_str().unwrap()];
    for stranded in [exec(&lonely, &[]).await, exec(&parent, &child).await] {
        assert_eq!(stranded.code, 1, "{stranded:?}");
        assert!(
            stranded.stderr.contains("/do/0/pack") && stranded.stderr.contains("depot"),
            "{stranded:?}"
        );
    }

    for arguments in [&["--input", "{"][..], &["--nonsense"]] {
        let wrong_usage = exec(&greet, arguments).await;
        assert_eq!(
            (wrong_usage.code, wrong_usage.stdout.as_str()),
            (2, ""),
            "{wrong_usage:?}"
        );
    }
}

#[tokio::test]
async fn exec_gives_events_once_the_run_waits() {
    let folder = Folder::new();
    let order = folder.file(
        "order.yaml",
        &workflow(
            "order",
            "
  - number: {set: {order: 7}, export: {as: .}}
  - both:
      fork:
        branches:
          - paid: {listen: {to: {one: {with: {type: paid}, correlate: {o: {from: .data.order, expect: '${ $context.order }'}}}}}}
          - seen: {listen: {to: {one: {with: {type: paid}}}}}
  - sent: {listen: {to: {any: [], until: '${ length == 2 }'}}}",
        ),
    );
    let paid = folder.file("paid.json", r#"{"type": "paid", "data": {"order": 7}}"#);
    let sent = folder.file(
        "sent.yaml",
        "- {type: packed, source: /depot, id: '1', data: {box: 3}}\n- type: sent\n  data: 4\n",
    );
    let events = [
        "--event",
        paid.to_str().unwrap(),
        "--event",
        sent.to_str().unwrap(),
    ];
    let done = exec(&order, &events).await;
    // The first event reaches both that wait for it, the others come in their order.
    assert_eq!(done.json(), json!([{"box": 3}, 4]), "{done:?}");

    let first = ["--event", paid.to_str().unwrap()];
    let stranded = exec(&order, &first).await;
    assert_eq!(stranded.code, 1, "{stranded:?}");
    let told = "waits for any event, and nobody sends one";
    assert!(
        stranded.stderr.contains("/do/2/sent") && stranded.stderr.contains(told),
        "{stranded:?}"
    );

    let wrong = folder.file("wrong.yaml", "- type: paid\n- {typ: sent, id: 5}\n");
    let refused = exec(&order, &["--event", wrong.to_str().unwrap()]).await;
    let findings: Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!(
        (refused.code, findings[0]["line"].as_u64()),
        (4, Some(2)),
        "{findings}"
    );
    assert_eq!(findings[1]["path"], "/1/id", "{findings}");
}

#[tokio::test]
async fn http_works_where_the_system_trusts_nobody() {
    let folder = Folder::new();
    let call = format!("- get: {{call: http, with: {{method: get, endpoint: '{NOBODY}'}}}}");
    let file = folder.file("call.yaml", &workflow("call", &call));
    let ended = Quadrille::new(["exec", file.to_str().unwrap()])
        .env("SSL_CERT_FILE", "/nonexistent")
        .env("SSL_CERT_DIR", "/nonexistent")
        .run()
        .await;
    let error = ended.error();
    assert!(
        error["detail"].as_str().unwrap().contains("refused"),
        "{error}"
    );
}

#[tokio::test]
async fn check_lists_findings() {
    let folder = Folder::new();
    let text = workflow(
        "wrong",
        "- greet: {sett: {a: 1}}\n- jump: {set: {a: 1}, then: nowhere}",
    );
    let wrong = folder.file("wrong.yaml", &text);
    let checked = Quadrille::new(["check", wrong.to_str().unwrap(), "-o", "json"])
        .run()
        .await;
    assert_eq!(checked.code, 4, "{checked:?}");
    let findings: Value = serde_json::from_str(&checked.stdout).unwrap();
    let findings = findings.as_array().unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
    for finding in findings {
        for (key, is_right) in [
            ("line", finding["line"].is_u64()),
            ("column", finding["column"].is_u64()),
            (
                "path",
                finding["path"]
                    .as_str()
                    .is_some_and(|path| path.starts_with("/do/")),
            ),
            ("severity", finding["severity"] == "error"),
            ("code", finding["code"].is_string()),
            ("message", finding["message"].is_string()),
        ] {
            assert!(is_right, "{key} of {finding}");
        }
    }
    assert_eq!(
        (&findings[0]["line"], &findings[1]["line"]),
        (&json!(3), &json!(4))
    );

    let right = folder.file("right.yaml", &workflow("right", GREET));
    let checked = Quadrille::new(["check", right.to_str().unwrap(), "-o", "json"])
        .run()
        .await;
    assert_eq!(checked.json(), json!([]));
}

/// Demands that both runs are listed as they ended, and gives the completed one.
async fn listed(server: &Server) -> Value {
    let runs = until("both runs to be listed", async || {
        let runs = server.run(&["list", "runs", "-o", "json"]).await.json();
        (runs.as_array().unwrap().len() == 2).then_some(runs)
    })
    .await;
    let [fail, greet] = runs.as_array().unwrap().as_slice() else {
        panic!("{runs}")
    };
    for run in [fail, greet] {
        for key in [
            "id",
            "workflow",
            "version",
            "state",
            "started_at",
            "ended_at",
        ] {
            assert!(run[key].is_string(), "{key} of {run}");
        }
    }
    for (key, value) in [
        ("workflow", json!("greet")),
        ("version", json!("1.0.0")),
        ("key", json!("greet-1")),
        ("state", json!("completed")),
        ("input", json!({"name": "Ada"})),
        ("output", json!({"hello": "Ada"})),
        ("error", Value::Null),
        ("labels", json!({"team": "blue"})),
    ] {
        assert_eq!(greet[key], value, "{key}");
    }
    assert_eq!(
        (&fail["state"], &fail["key"], &fail["output"]),
        (&json!("failed"), &Value::Null, &Value::Null)
    );
    assert_eq!(fail["error"]["type"], "https://example.com/no-stock");
    greet.clone()
}

#[tokio::test]
async fn runs_as_scripts_see_them() {
    let server = Server::start().await;
    let folder = Folder::new();
    let greet = folder.file("greet.yaml", &workflow("greet", GREET));
    let fail = folder.file("fail.yaml", &workflow("fail", FAIL));
    for created in [true, false] {
        let applied = server
            .run(&[
                "apply",
                "-f",
                greet.to_str().unwrap(),
                "-f",
                fail.to_str().unwrap(),
                "-o",
                "json",
            ])
            .await;
        let expected = |name: &str| json!({"workflow": name, "version": "1.0.0", "created": created, "schedule": null});
        assert_eq!(applied.json(), json!([expected("greet"), expected("fail")]));
    }
    let input = r#"{"name": "Ada"}"#;
    let line = [
        "run",
        "greet",
        "--input",
        input,
        "--key",
        "greet-1",
        "--label",
        "team=blue",
        "--wait",
    ];
    for _ in 0..2 {
        assert_eq!(server.run(&line).await.json(), json!({"hello": "Ada"}));
    }
    let failed = server.run(&["run", "fail", "--wait"]).await;
    assert_eq!((failed.code, failed.stdout.as_str()), (1, ""), "{failed:?}");
    assert_eq!(failed.error()["status"], 409);

    let greet = listed(&server).await;
    let id = greet["id"].as_str().unwrap();
    assert_eq!(
        server.run(&["get", "run", id, "-o", "json"]).await.json()["output"],
        greet["output"]
    );
    let history = server.run(&["history", id, "-o", "json"]).await.json();
    assert_eq!(history[0]["number"], 0);
    let listed = server
        .run(&["list", "runs", "--state", "failed", "-o", "json"])
        .await
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let described = server.run(&["describe", "run", id]).await;
    assert!(
        described.code == 0 && described.stdout.contains(id),
        "{described:?}"
    );
}

#[tokio::test]
async fn waiting_for_a_run_that_others_end() {
    let server = Server::start().await;
    server.deploy(&[&workflow("patient", LISTEN)]).await;
    let client = server.client().await;
    for (number, ending) in ["cancel", "terminate"].into_iter().enumerate() {
        let key = format!("patient-{number}");
        let waiting = Quadrille::new(["run", "patient", "--key", &key, "--wait"])
            .env("QUADRILLE_URL", server.url())
            .spawn();
        let id = until("the run to wait", async || {
            let started = client.start("patient").key(&key).send().await.unwrap();
            (client.get(&started.id).await.unwrap().state == RunState::Waiting)
                .then_some(started.id)
        })
        .await;
        match ending {
            "cancel" => assert_eq!(server.run(&["cancel", &id]).await.code, 0),
            _ => client.terminate(&id, "the test says so").await.unwrap(),
        }
        let ended = Ended::of(waiting).await;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (3, ""),
            "{ending}: {ended:?}"
        );
        let problem = ended
            .stderr
            .lines()
            .find_map(|line| serde_json::from_str::<Value>(line).ok());
        assert!(
            problem.is_some_and(|problem| problem["type"].is_string()),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn steering_by_command() {
    let server = Server::start().await;
    server
        .deploy(&[&workflow(
            "patient",
            &format!("{LISTEN}\n- say: {{set: {{heard: '${{ .[0] }}'}}}}"),
        )])
        .await;
    let id = server.run(&["run", "patient", "-o", "json"]).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let state =
        async || server.run(&["get", "run", &id, "-o", "json"]).await.json()["state"].clone();
    assert_eq!(server.run(&["suspend", &id]).await.code, 0);
    assert_eq!(state().await, "suspended");
    assert_eq!(
        server
            .run(&["signal", &id, "go", "--data", "42"])
            .await
            .code,
        0
    );
    assert_eq!(
        state().await,
        "suspended",
        "nothing new begins before it is resumed"
    );
    assert_eq!(server.run(&["resume", &id]).await.code, 0);
    let client = server.client().await;
    let run = client.wait(&id, PATIENCE).await.unwrap();
    assert_eq!(
        run.output.decode::<Value>().unwrap(),
        json!({"heard": 42}),
        "{run:?}"
    );
    let late = server.run(&["cancel", &id]).await;
    assert!(
        late.code == 1 && late.stderr.contains("run-ended"),
        "{late:?}"
    );
}

#[tokio::test]
async fn schedules_by_command() {
    let server = Server::start().await;
    server.deploy(&[&workflow("greet", GREET)]).await;
    let put = [
        "schedule",
        "put",
        "often",
        "--workflow",
        "greet",
        "--every",
        "1s",
        "--overlap",
        "allow",
    ];
    assert_eq!(server.run(&put).await.code, 0);
    let client = server.client().await;
    until("two runs by the clock", async || {
        let count = client.count(sdk::RunFilter::default()).await.unwrap();
        (count.count >= 2).then_some(())
    })
    .await;
    assert_eq!(server.run(&["schedule", "pause", "often"]).await.code, 0);
    let listed = server.run(&["schedule", "list", "-o", "json"]).await.json();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["paused"]),
        (&json!("often"), &json!(true)),
        "{listed}"
    );
    assert_eq!(server.run(&["schedule", "delete", "often"]).await.code, 0);
    assert_eq!(
        server.run(&["schedule", "list", "-o", "json"]).await.json(),
        json!([])
    );
    let wrong = server
        .run(&[
            "schedule",
            "put",
            "wrong",
            "--workflow",
            "greet",
            "--cron",
            "every day",
        ])
        .await;
    assert!(wrong.code != 0 && !wrong.stderr.is_empty(), "{wrong:?}");
}

#[tokio::test]
async fn applying_takes_many_files_and_says_what_became_of_schedules() {
    let server = Server::start().await;
    let folder = Folder::new();
    let hourly = "schedule: {every: PT1H}\n";
    let version = |version: &str| workflow("greet", GREET).replace("1.0.0", version);
    let greet = folder.file("greet.yaml", &(version("1.0.0") + hourly));
    let echo = folder.file("echo.yaml", &workflow("echo", GREET));
    let files = [greet.to_str().unwrap(), echo.to_str().unwrap()];
    let apply = ["apply", "-f", files[0], files[1]];
    let applied = server.run(&apply).await;
    assert_eq!(
        (applied.code, applied.stdout.as_str()),
        (
            0,
            "greet 1.0.0 created, schedule created\necho 1.0.0 created\n"
        ),
        "{applied:?}"
    );
    let shown = server
        .run(&["schedule", "get", "greet", "-o", "json"])
        .await;
    assert_eq!(shown.json()["every_ms"], 3_600_000);
    let same = server.run(&["get", "schedule", "default/greet"]).await;
    assert_eq!(same.code, 1, "a schedule is no workflow: {same:?}");

    folder.file("greet.yaml", &version("1.1.0"));
    let applied = server.run(&["apply", "-f", files[0], "-o", "json"]).await;
    let expected = json!([{
        "workflow": "greet", "version": "1.1.0", "created": true, "schedule": "removed",
    }]);
    assert_eq!(applied.json(), expected);
    let gone = server.run(&["describe", "schedule", "greet"]).await;
    assert!(
        gone.code == 1 && gone.stderr.contains("schedule-missing"),
        "{gone:?}"
    );
}

/// What REST answers at a path.
async fn rest(server: &Server, path: &str) -> Value {
    let answer = reqwest::get(format!("{}/api/v1/{path}", server.url()))
        .await
        .unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn the_command_line_and_rest_print_the_same_json() {
    let server = Server::start().await;
    let many = "- one: {set: {a: 1}}\n- fail: {raise: {error: {type: 'urn:x', status: 409}}}";
    let waiting = workflow("wait", LISTEN) + "schedule: {every: PT1H}\n";
    server.deploy(&[&workflow("many", many), &waiting]).await;
    let cron = [
        "schedule",
        "put",
        "a",
        "--workflow",
        "wait",
        "--cron",
        "0 6 * * *",
    ];
    assert_eq!(server.run(&cron).await.code, 0);
    for run in [
        &["run", "many", "--label", "region=eu", "--attribute", "n=1"][..],
        &["run", "wait", "--key", "k"],
    ] {
        let started = server.run(run).await;
        let id = started.stdout.trim();
        server
            .client()
            .await
            .wait(id, Duration::from_millis(200))
            .await
            .unwrap();
        for (line, path, member) in [
            (&["get", "run", id][..], format!("runs/{id}"), ""),
            (&["history", id], format!("runs/{id}/history"), "/events"),
            (
                &["lifecycle", id],
                format!("runs/{id}/lifecycle"),
                "/events",
            ),
        ] {
            let printed = server.run(&[line, &["-o", "json"]].concat()).await.json();
            assert_eq!(Some(&printed), rest(&server, &path).await.pointer(member));
        }
    }
    for (line, path, member) in [
        (["list", "runs"], "runs", "/runs"),
        (["list", "workflows"], "workflows", "/workflows"),
        (["list", "schedules"], "schedules", "/schedules"),
    ] {
        let printed = server
            .run(&[&line[..], &["-o", "json"]].concat())
            .await
            .json();
        assert_eq!(Some(&printed), rest(&server, path).await.pointer(member));
    }
    for (line, path) in [
        (["get", "workflow", "wait"], "workflows/wait"),
        (["get", "schedule", "a"], "schedules/a"),
        (["get", "schedule", "wait"], "schedules/wait"),
    ] {
        let printed = server
            .run(&[&line[..], &["-o", "json"]].concat())
            .await
            .json();
        assert_eq!(printed, rest(&server, path).await);
    }
    let by_label = rest(&server, "runs?label=region=eu&attribute=n=1").await;
    assert_eq!(by_label["runs"][0]["workflow"], "many", "{by_label}");
}

#[tokio::test]
async fn nobody_there() {
    let folder = Folder::new();
    let greet = folder.file("greet.yaml", &workflow("greet", GREET));
    let lines: [&[&str]; 4] = [
        &["list", "runs"],
        &["run", "greet"],
        &["apply", "-f", greet.to_str().unwrap()],
        &["get", "run", "x"],
    ];
    for line in lines {
        let by_variable = Quadrille::new(line)
            .env("QUADRILLE_URL", NOBODY)
            .run()
            .await;
        assert_eq!(
            (by_variable.code, by_variable.stdout.as_str()),
            (5, ""),
            "{line:?}: {by_variable:?}"
        );
        assert!(
            by_variable.stderr.contains(NOBODY),
            "{line:?}: {by_variable:?}"
        );
        let by_option = Quadrille::new(line.iter().chain(&["--server", NOBODY]))
            .run()
            .await;
        assert_eq!(by_option.code, 5, "{line:?}: {by_option:?}");
    }
}

#[tokio::test]
async fn completions_for_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = Quadrille::new(["completion", shell]).run().await;
        assert!(
            ended.code == 0 && ended.stdout.contains("quadrille"),
            "{shell}: {ended:?}"
        );
    }
}
