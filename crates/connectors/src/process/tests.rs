//! Processes that really run, and containers as command lines of a stand-in.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;

fn starter(path: &str) -> Starter {
    let outgoing = Outgoing::default();
    Starter {
        caller: Caller::new(&outgoing).unwrap(),
        options: Arc::new(ProcessOptions {
            enabled: true,
            path: path.into(),
            outgoing,
            files: Files::default(),
        }),
        background: Arc::default(),
    }
}

fn system_path() -> String {
    std::env::var("PATH").unwrap()
}

async fn done(path: &str, kind: &str, input: Value) -> Result<Value, TaskError> {
    let (job, rest) = starter(path).job(kind, "shop/order", input).await?;
    job.run(rest.returned).await
}

async fn shell(input: Value) -> Result<Value, TaskError> {
    done(&system_path(), "shell", input).await
}

#[tokio::test]
async fn a_command_gets_what_it_is_given_and_nothing_else() {
    let command = "read line; echo \"$line,$1,$2,$T,${CARGO_MANIFEST_DIR:-unset}\"; echo oops >&2; exit ${CODE:-0}";
    let input = json!({"command": command, "stdin": "in\n", "arguments": ["a b", 2], "environment": {"T": "t"}});
    assert_eq!(shell(input.clone()).await.unwrap(), "in,a b,2,t,unset\n");
    for (returned, expected) in [
        ("stderr", json!("oops\n")),
        ("none", json!(null)),
        ("code", json!(0)),
        (
            "all",
            json!({"code": 0, "stdout": "in,a b,2,t,unset\n", "stderr": "oops\n"}),
        ),
    ] {
        let mut input = input.clone();
        input["return"] = returned.into();
        assert_eq!(shell(input).await.unwrap(), expected);
    }
    let mut failing = input;
    failing["environment"] = json!({"CODE": 3});
    let error = shell(failing.clone()).await.unwrap_err();
    assert!(
        error.detail.contains("3: oops") && !error.retryable,
        "{}",
        error.detail
    );
    failing["return"] = "code".into();
    assert_eq!(shell(failing).await.unwrap(), 3);
}

#[tokio::test]
async fn every_process_has_a_directory_of_its_own_that_goes_with_it() {
    let place =
        shell(json!({"command": "echo x > file; ls; pwd; test \"$HOME\" = \"$(pwd)\""})).await;
    let place = place.unwrap();
    let place = place
        .as_str()
        .unwrap()
        .trim()
        .strip_prefix("file\n")
        .unwrap();
    assert!(!std::path::Path::new(place).exists());
}

#[tokio::test]
async fn what_is_too_much_ends_it() {
    let error =
        shell(json!({"command": "while :; do echo 0123456789012345678901234567890; done"})).await;
    assert!(error.unwrap_err().detail.contains("393216 bytes"));
    let error = shell(json!({"command": "x", "arguments": vec!["a"; 1001]})).await;
    assert!(error.unwrap_err().detail.contains("1000 arguments"));
}

#[tokio::test]
async fn a_job_that_is_given_up_takes_its_children_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    // The grandchild holds the pipe open until it is killed.
    let command = format!("(echo up; exec sleep 1000) > {} & wait", pipe.display());
    let (job, rest) = starter(&system_path())
        .job("shell", "w", json!({"command": command}))
        .await
        .unwrap();
    let running = tokio::spawn(async move { job.run(rest.returned).await });
    let mut heard = String::new();
    let mut reader = tokio::fs::File::open(&pipe).await.unwrap();
    let mut first = [0; 3];
    tokio::io::AsyncReadExt::read_exact(&mut reader, &mut first)
        .await
        .unwrap();
    running.abort();
    let ended = tokio::io::AsyncReadExt::read_to_string(&mut reader, &mut heard);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), ended).await;
    assert_eq!((first, ended.unwrap().unwrap()), (*b"up\n", 0));
}

#[tokio::test]
async fn what_a_process_leaves_behind_ends_with_it() {
    let said = shell(json!({"command": "sleep 1000 & echo done"})).await;
    assert_eq!(said.unwrap(), "done\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_leaves_the_group_of_a_process_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("pid");
    // It has left once it says so.
    let command = format!(
        "mkfifo up; setsid sh -c 'echo $$ > {0}; echo > up; exec sleep 1000' & read line < up",
        place.display()
    );
    let error = shell(json!({"command": command})).await.unwrap_err();
    assert!(
        error.detail.contains("holds its output open"),
        "{}",
        error.detail
    );
    let left = std::fs::read_to_string(&place).unwrap();
    let left = rustix::process::Pid::from_raw(left.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn scripts_are_run_by_their_language() {
    if program::find("python3", system_path().as_ref()).is_ok() {
        let code = "import sys\nprint(sys.stdin.read(), sys.argv[1])";
        let input =
            json!({"language": "python", "code": code, "stdin": {"a": 1}, "arguments": ["x"]});
        let said = done(&system_path(), "script", input).await.unwrap();
        assert_eq!(said, "{\"a\":1} x\n");
    }
    if program::find("node", system_path().as_ref()).is_ok() {
        let code = "import { readFileSync } from 'node:fs';\nconsole.log(readFileSync(0, 'utf8'), process.argv[2])";
        let input = json!({"language": "js", "code": code, "stdin": "in", "arguments": ["x"]});
        assert_eq!(
            done(&system_path(), "script", input).await.unwrap(),
            "in x\n"
        );
    }
    let input = json!({"language": "js", "code": ""});
    let error = done("/nowhere", "script", input).await.unwrap_err();
    assert!(
        error.detail.contains("no node in the PATH"),
        "{}",
        error.detail
    );
}

#[tokio::test]
async fn the_container_that_was_made_is_ended_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let script = format!(
        "#!/bin/sh\ncase $1 in run) echo 4f5e > started; echo > {0}/up; exec sleep 1000;; *) echo \"$@\" > {0}/told;; esac\n",
        place.display()
    );
    let docker = place.join("docker");
    std::fs::write(&docker, script).unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    for pipe in ["up", "told"] {
        let made = std::process::Command::new("mkfifo")
            .arg(place.join(pipe))
            .status();
        assert!(made.unwrap().success());
    }
    let path = format!("{}:{}", place.display(), system_path());
    for (cleanup, expected) in [("never", "kill 4f5e\n"), ("always", "rm --force 4f5e\n")] {
        let input = json!({"image": "alpine", "name": "mine", "cleanup": cleanup});
        let (job, rest) = starter(&path).job("container", "w", input).await.unwrap();
        let running = tokio::spawn(async move { job.run(rest.returned).await });
        tokio::fs::read_to_string(place.join("up")).await.unwrap();
        running.abort();
        let told = tokio::fs::read_to_string(place.join("told")).await;
        assert_eq!(told.unwrap(), expected);
    }
}

#[tokio::test]
async fn containers_are_command_lines() {
    let folder = tempfile::tempdir().unwrap();
    let podman = folder.path().join("podman");
    std::fs::write(
        &podman,
        "#!/bin/sh\nfor a in \"$@\"; do echo \"$a\"; done; echo \"$TOKEN\"; exec cat\n",
    )
    .unwrap();
    std::fs::set_permissions(&podman, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), system_path());
    let input = json!({"image": "alpine:3", "name": "mine", "command": "echo $1", "arguments": ["a b"],
        "ports": {"8080": 80}, "volumes": {"/data": "/mnt"}, "environment": {"TOKEN": "s3cr3t"}, "stdin": "in",
        "pullPolicy": "never", "cleanup": "always"});
    if program::find("docker", path.as_ref()).is_err() {
        let said = done(&path, "container", input).await.unwrap();
        let expected = "run\n--name\nmine\n--pull=never\n--cidfile=started\n--rm\n--interactive\n--env=TOKEN\n--publish=8080:80\n\
            --volume=/data:/mnt\nalpine:3\n/bin/sh\n-c\necho $1\nsh\na b\ns3cr3t\nin";
        assert_eq!(said, expected);
    }
    let starter = starter(&path);
    let (job, _) = starter
        .job(
            "container",
            "shop/order",
            json!({"image": "x", "cleanup": 5}),
        )
        .await
        .unwrap();
    assert!(job.arguments[2].starts_with("shop.order-"));
    let (pause, remove) = job.afterwards.unwrap();
    assert_eq!(
        (pause.as_millis(), remove.join(" ")),
        (5, "rm --force".to_owned())
    );
    let wrong = starter
        .job("container", "w", json!({"image": "--privileged"}))
        .await;
    assert!(wrong.err().unwrap().detail.contains("begins with -"));
    let error = done("/nowhere", "container", json!({"image": "x"}))
        .await
        .unwrap_err();
    assert!(
        error.detail.contains("no docker nor podman"),
        "{}",
        error.detail
    );
}
