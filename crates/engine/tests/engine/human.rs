//! Human tasks: found by whose they are, told the same way open and closed, and found again after a restart.

use std::sync::Arc;

use graph::{Graph, Value};
use kernel::{Command, HumanAct, Rejection, RunId, StepId, StepRef};
use quadrille_engine::human::{HumanFilter, HumanState};
use quadrille_engine::{AskError, Data, Engine};

use crate::stage::{open, start_run};

/// A workflow of one task for the reviewers, as urgent as the key of its run is long.
fn review() -> Command {
    let json = r#"{"workflow":"review","version":"1.0.0","bodies":[{"path":"","first":0}],"nodes":[
        {"name":"look","path":"/do/0/look","body":0,"next":"exit","kind":{"human":{
            "title":{"literal":"Look"},"to":{"groups":{"literal":"reviewers"}},"data":{"expr":"."},
            "form":{"type":"integer"},"outcomes":["yes","no"],"priority":{"expr":".key | length"}}}}]}"#;
    let graph: Graph = serde_json::from_str(json).expect("a graph");
    Command::DeployWorkflow {
        graph: Arc::new(graph),
        source: "test".into(),
    }
}

fn task(key: &str) -> StepRef {
    StepRef {
        run: RunId::of_key("review", key),
        step: StepId(1),
    }
}

async fn act(engine: &Engine, key: &str, by: &str, act: HumanAct) {
    let (task, by) = (task(key), by.into());
    let reply = engine.ask(Command::ActOnHuman { task, by, act }).await;
    reply.expect("it is done");
}

async fn keys(engine: &Engine, filter: HumanFilter) -> Vec<RunId> {
    let (mut runs, mut after) = (Vec::new(), None);
    loop {
        let page = engine.humans(filter.clone(), after, 2).await;
        let page = page.expect("a page");
        runs.extend(page.tasks.iter().map(|task| task.task.run));
        after = page.next;
        if after.is_none() {
            return runs;
        }
    }
}

fn of_state(state: HumanState) -> HumanFilter {
    HumanFilter {
        states: vec![state],
        ..HumanFilter::default()
    }
}

fn of_assignee(name: &str) -> HumanFilter {
    HumanFilter {
        assignee: Some(name.into()),
        ..HumanFilter::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn human_tasks_are_listed_decided_and_found_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = || Data::Folder(folder.path().join("data"));
    let (engine, running) = open(data());
    engine.ask(review()).await.expect("is deployed");
    for key in ["a", "bb", "ccc"] {
        let start = Command::StartRun(start_run("review", key));
        engine.ask(start).await.expect("starts");
    }
    let [a, bb, ccc] = ["a", "bb", "ccc"].map(|key| task(key).run);
    assert_eq!(keys(&engine, HumanFilter::default()).await, [ccc, bb, a]);
    act(&engine, "bb", "ann", HumanAct::Claim).await;
    let text = "hm".into();
    act(&engine, "bb", "bob", HumanAct::Comment { text }).await;
    drop(engine);
    running.stop().await;

    let (engine, running) = open(data());
    assert_eq!(keys(&engine, of_state(HumanState::Ready)).await, [ccc, a]);
    assert_eq!(keys(&engine, of_assignee("ann")).await, [bb]);
    let open = engine.human(task("bb")).await.expect("is open");
    assert_eq!(open.summary.state, HumanState::Claimed);
    assert_eq!(
        (&*open.summary.name, &*open.summary.title),
        ("look", "Look")
    );
    assert_eq!(open.data.get("key"), Some(&Value::from("bb")));
    assert!(open.form.is_some() && open.outcomes.len() == 2);
    assert_eq!(open.comments.len(), 1);
    let complete = HumanAct::Complete {
        outcome: Some("yes".into()),
        data: Value::Int(5),
        comment: None,
    };
    act(&engine, "bb", "ann", complete).await;
    act(&engine, "a", "bob", HumanAct::Reject { reason: None }).await;
    let (run, reason) = (ccc, None);
    let cancel = engine.ask(Command::CancelRun { run, reason }).await;
    cancel.expect("is cancelled");

    assert!(keys(&engine, HumanFilter::default()).await.is_empty());
    let closed = engine.human(task("bb")).await.expect("was open");
    let decision = closed.decision.as_ref().expect("was decided");
    assert_eq!(closed.summary.state, HumanState::Completed);
    assert_eq!((&*decision.by, &decision.data), ("ann", &Value::Int(5)));
    assert_eq!((closed.form, closed.data), (open.form, open.data));
    assert_eq!(closed.comments, open.comments);
    for (key, state) in [("a", HumanState::Rejected), ("ccc", HumanState::Withdrawn)] {
        let closed = engine.human(task(key)).await.expect("was open");
        assert_eq!(closed.summary.state, state);
        let filter = HumanFilter {
            run: Some(task(key).run),
            ..of_state(state)
        };
        assert_eq!(keys(&engine, filter).await, [task(key).run]);
    }
    let nowhere = engine
        .humans(of_state(HumanState::Completed), None, 1)
        .await;
    assert!(matches!(
        nowhere,
        Err(AskError::Rejected(Rejection::Invalid(_)))
    ));
    let never = StepRef {
        step: StepId(9),
        ..task("a")
    };
    let missing = engine.human(never).await;
    assert!(matches!(
        missing,
        Err(AskError::Rejected(Rejection::HumanTaskMissing(_)))
    ));
    running.stop().await;
}
