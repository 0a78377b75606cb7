//! Scripts of human tasks: taking, handing on, deciding, and what time does to them.
//!
//! The invariant behind them: at most one person has a task, and it is decided once.

use graph::ir::{Assignment, Escalate};
use graph::{Delay, Value};
use insta::assert_snapshot;
use kernel::limits::{COMMENTS_MAX, GROUPS_MAX, REASON_BYTES_MAX};
use kernel::{Command, HumanAct, Rejection, Reply, StepId, StepRef};

use crate::graphs::{N, attempt, expr, graph, hear, human, json, set, task};
use crate::world::{World, run, run_on};

fn groups(names: &str) -> Assignment {
    Assignment {
        assignee: None,
        groups: Some(expr(names)),
    }
}

fn review() -> N {
    human("review").with_human(|human| {
        human.to = groups("[\"reviewers\"]");
        human.outcomes = ["approve", "refuse"].map(Into::into).to_vec();
    })
}

fn complete(outcome: &str, data: &str) -> HumanAct {
    HumanAct::Complete {
        outcome: (!outcome.is_empty()).then(|| outcome.into()),
        data: json(data),
        comment: None,
    }
}

fn assign(assignee: Option<&str>, groups: Option<&[&str]>) -> HumanAct {
    HumanAct::Assign {
        assignee: assignee.map(Into::into),
        groups: groups.map(|names| names.iter().map(|name| (*name).into()).collect()),
    }
}

#[test]
fn a_person_takes_a_task_and_decides_it() {
    let mut world = run_on(r#"{"id":7}"#, vec![review(), set("after", ".outcome")]);
    world.act("review", "alice", HumanAct::Claim);
    let comment = Some("looks good".into());
    world.act(
        "review",
        "alice",
        HumanAct::Complete {
            outcome: Some("approve".into()),
            data: json("1"),
            comment,
        },
    );
    assert_snapshot!(world.log(), @r#"
    start w {"id":7}
    +1 review human "review" for reviewers
    alice has 1
    alice decides 1: approve 1
    =1 {"by":"alice","comment":"looks good","data":1,"outcome":"approve"}
    . after "approve"
    completed "approve"
    "#);
}

#[test]
fn a_task_that_another_has_is_refused_and_says_who_has_it() {
    let mut world = run(vec![review()]);
    world.act("review", "alice", HumanAct::Claim);
    world.act("review", "alice", HumanAct::Claim);
    world.act("review", "bob", HumanAct::Claim);
    world.act("review", "bob", HumanAct::Release);
    world.act("review", "bob", complete("approve", "1"));
    world.act("review", "bob", HumanAct::Reject { reason: None });
    world.act("review", "alice", HumanAct::Release);
    world.act("review", "alice", HumanAct::Release);
    world.act("review", "bob", HumanAct::Claim);
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 review human "review" for reviewers
    alice has 1
    refused human-task-taken: alice has the human task; let them release it, or assign it to someone else
    refused human-task-taken: alice has the human task; let them release it, or assign it to someone else
    refused human-task-taken: alice has the human task; let them release it, or assign it to someone else
    refused human-task-taken: alice has the human task; let them release it, or assign it to someone else
    alice releases 1
    bob has 1
    "#);
}

#[test]
fn a_closed_task_is_not_decided_again() {
    let mut world = run(vec![human("a"), task("b")]);
    let closed = world.step_named("a");
    // Nobody has to take it first.
    world.act("a", "alice", complete("", "1"));
    let act = |task, act| Command::ActOnHuman {
        task,
        by: "bob".into(),
        act,
    };
    let again = world.ask(act(closed, complete("", "2")));
    assert_eq!(again, Err(Rejection::HumanTaskClosed(closed)));
    let never = StepRef {
        step: StepId(9),
        ..closed
    };
    let missing = world.ask(act(never, HumanAct::Claim));
    assert_eq!(missing, Err(Rejection::HumanTaskMissing(never)));
    let other = world.step_named("b");
    let missing = world.ask(act(other, HumanAct::Claim));
    assert_eq!(missing, Err(Rejection::HumanTaskMissing(other)));
    world.done("b", "null");
    let ended = world.ask(act(closed, HumanAct::Claim));
    assert_eq!(ended, Err(Rejection::HumanTaskClosed(closed)));
}

#[test]
fn a_rejection_fails_the_step_and_can_be_caught() {
    let tried = attempt("try", vec![review()]).catch(vec![set("caught", "$error")]);
    let mut world = run(vec![tried.output("{type, status, detail}")]);
    let reason = Some("too expensive".into());
    world.act("review", "alice", HumanAct::Reject { reason });
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 try region
    [2 1#0
    +3 review human "review" for reviewers
    alice decides 3: rejected null
    !3 rejected: alice: too expensive at /review
    ending 2 failed
    ]2 -
    turn 1 catch #1
    [4 1#0 catch
    . caught {"detail":"alice: too expensive","instance":"/review","status":422,"title":"Rejected by a Person","type":"https://quadrille.dev/errors/rejected"}
    ]4 {"detail":"alice: too expensive","instance":"/review","status":422,"title":"Rejected by a Person","type":"https://quadrille.dev/errors/rejected"}
    =1 {"detail":"alice: too expensive","status":422,"type":"https://quadrille.dev/errors/rejected"}
    completed {"detail":"alice: too expensive","status":422,"type":"https://quadrille.dev/errors/rejected"}
    "#);
}

#[test]
fn an_outcome_is_one_of_those_that_there_are() {
    let mut world = run(vec![review(), human("free"), human("bare")]);
    world.act("review", "alice", complete("maybe", "1"));
    world.act("review", "alice", complete("", "1"));
    world.act("review", "alice", complete("refuse", "1"));
    world.act("free", "alice", complete("maybe", "1"));
    world.act("bare", "alice", complete("", "1"));
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 review human "review" for reviewers
    refused invalid: the outcome must be one of approve, refuse; "maybe" was given
    refused invalid: the outcome must be one of approve, refuse; none was given
    alice decides 1: refuse 1
    =1 {"by":"alice","data":1,"outcome":"refuse"}
    +2 free human "free" for anyone
    alice decides 2: maybe 1
    =2 {"by":"alice","data":1,"outcome":"maybe"}
    +3 bare human "bare" for anyone
    alice decides 3: completed 1
    =3 {"by":"alice","data":1,"outcome":"completed"}
    completed {"by":"alice","data":1,"outcome":"completed"}
    "#);
}

#[test]
fn a_task_is_given_to_others() {
    let mut world = run(vec![review()]);
    world.act("review", "boss", assign(Some("alice"), None));
    world.act("review", "boss", assign(Some("alice"), None));
    world.act("review", "boss", assign(None, Some(&["a", "b"])));
    world.act("review", "boss", assign(None, Some(&[""])));
    let crowd = vec!["g"; GROUPS_MAX + 1];
    world.act("review", "boss", assign(None, Some(&crowd)));
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 review human "review" for reviewers
    boss gives 1 to alice reviewers
    boss gives 1 to a b
    refused invalid: the name of a group must have 1 to 256 bytes and no control characters
    refused invalid: a human task has at most 64 groups, not 65
    "#);
}

#[test]
fn comments_are_kept_up_to_a_bound() {
    let mut world = run(vec![review()]);
    let say = |text: &str| HumanAct::Comment { text: text.into() };
    world.act("review", "alice", say("hm"));
    world.act("review", "", say("hm"));
    world.act("review", "alice", say(""));
    world.act("review", "alice", say(&"x".repeat(REASON_BYTES_MAX + 1)));
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 review human "review" for reviewers
    alice says of 1: hm
    refused invalid: the name of who asks (`by`) must have 1 to 256 bytes and no control characters
    refused invalid: a comment must not be empty; leave it out instead
    refused limit-reached: limit reached: bytes of a comment (at most 4096)
    "#);
    (1..COMMENTS_MAX).for_each(|_| world.act("review", "bob", say("hm")));
    world.hush();
    world.act("review", "bob", say("hm"));
    assert_snapshot!(world.log(), @"refused limit-reached: limit reached: comments of one human task (at most 100)");
}

#[test]
fn reminders_and_the_escalation_come_once_and_in_time() {
    let mut world = World::default();
    world.deploy(graph(
        "w",
        vec![human("review").with_human(|human| {
            human.to.assignee = Some(expr("\"alice\""));
            human.remind = vec![Delay::Ms(200), Delay::Ms(100), Delay::Ms(200)];
            human.due = Some(Delay::Ms(250));
            human.escalate = Some(Escalate {
                after: Delay::Ms(250),
                to: groups("\"heads\""),
            });
        })],
    ));
    let told = "[.[0] | {assignee, groups, title, name, dueAt}]";
    world.deploy(graph(
        "ears",
        vec![
            hear("hears", "io.quadrille.human-task.reminded").output(told),
            hear("sees", "io.quadrille.human-task.escalated").output(told),
        ],
    ));
    world.start("w", "null");
    world.start("ears", "null");
    world.tick(99);
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 review human "review" for alice
    r2 start ears null
    r2 +1 hears listen
    "#);
    world.tick(10_000);
    world.act("review", "alice", HumanAct::Claim);
    assert_snapshot!(world.log(), @r#"
    remind 1
    r2 receive 1.0 {"assignee":"alice","createdAt":"1970-01-01T00:16:40Z","dueAt":"1970-01-01T00:16:40.25Z","groups":[],"name":"review","priority":5,"run":"01010101-0101-0101-0101-010101010101","task":"01010101-0101-0101-0101-010101010101.1","title":"review","workflow":"w"}
    r2 =1 [{"assignee":"alice","dueAt":"1970-01-01T00:16:40.25Z","groups":[],"name":"review","title":"review"}]
    r2 +2 sees listen
    remind 1
    escalate 1 to heads
    r2 receive 2.0 {"assignee":null,"createdAt":"1970-01-01T00:16:40Z","dueAt":"1970-01-01T00:16:40.25Z","groups":["heads"],"name":"review","priority":5,"run":"01010101-0101-0101-0101-010101010101","task":"01010101-0101-0101-0101-010101010101.1","title":"review","workflow":"w"}
    r2 =2 [{"assignee":null,"dueAt":"1970-01-01T00:16:40.25Z","groups":["heads"],"name":"review","title":"review"}]
    r2 completed [{"assignee":null,"dueAt":"1970-01-01T00:16:40.25Z","groups":["heads"],"name":"review","title":"review"}]
    alice has 1
    "#);
}

#[test]
fn what_is_asked_of_nobody_or_in_vain_fails_the_step() {
    let flawed = |change: fn(&mut graph::ir::Human)| {
        let mut world = run(vec![human("review").with_human(change)]);
        world.log().lines().last().unwrap_or_default().to_string()
    };
    let lines = [
        flawed(|human| human.title = expr("5")),
        flawed(|human| human.to.groups = Some(expr("{}"))),
        flawed(|human| human.to.assignee = Some(expr("[]"))),
        flawed(|human| human.to.assignee = Some(expr("\"\""))),
        flawed(|human| human.priority = Some(expr("10"))),
        flawed(|human| human.description = Some(expr("\"x\" * 70000"))),
    ];
    assert_snapshot!(lines.join("\n"), @r"
    failed expression: the title of a human task must be text that is not empty, not 5 at /review
    failed expression: the groups of a human task must be text or an array of texts at /review
    failed expression: the assignee of a human task must be text, not [] at /review
    failed configuration: the name of an assignee must have 1 to 256 bytes and no control characters at /review
    failed expression: the priority of a human task is a whole number from 0 to 9, not 10 at /review
    failed configuration: the description of a human task has at most 65536 bytes, not 70000 at /review
    ");
}

#[test]
fn a_timeout_ends_the_wait_for_a_person() {
    let mut world = run(vec![review().timeout(50)]);
    world.act("review", "alice", HumanAct::Claim);
    world.tick(50);
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 review human "review" for reviewers
    alice has 1
    !1 timeout: the step took longer than its timeout at /review
    ending 0 failed
    failed timeout: the step took longer than its timeout at /review
    "#);
    assert!(world.shown.is_empty());
}

#[test]
fn what_is_decided_while_the_run_is_suspended_counts_when_it_goes_on() {
    let mut world = run(vec![review(), set("after", ".by")]);
    let run = world.first();
    let task = world.step_named("review");
    world.tell(Command::SuspendRun { run });
    world.act("review", "alice", complete("approve", "1"));
    assert!(world.shown.is_empty());
    let again = world.ask(Command::ActOnHuman {
        task,
        by: "bob".into(),
        act: HumanAct::Claim,
    });
    assert_eq!(again, Err(Rejection::HumanTaskClosed(task)));
    world.tell(Command::ResumeRun { run });
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 review human "review" for reviewers
    suspended
    alice decides 1: approve 1
    keep 1 {"by":"alice","data":1,"outcome":"approve"}
    resumed
    =1 {"by":"alice","data":1,"outcome":"approve"}
    . after "alice"
    completed "alice"
    "#);
}

#[test]
fn a_run_that_ends_withdraws_its_tasks() {
    for end in [
        |run| Command::CancelRun { run, reason: None },
        |run| Command::TerminateRun { run, reason: None },
    ] {
        let mut world = run(vec![review()]);
        let run = world.first();
        assert_eq!(world.state.runs[&run].condition(), "waiting");
        assert_eq!(world.shown.len(), 1);
        assert_eq!(world.ask(end(run)), Ok(Reply::Done));
        assert!(world.shown.is_empty());
        world.verify();
    }
}

#[test]
fn a_failing_rejection_ends_the_run() {
    let mut world = run(vec![review()]);
    world.act("review", "alice", HumanAct::Reject { reason: None });
    let run = &world.state.runs[&world.first()];
    let failure = run.failure.as_ref().expect("the run failed");
    assert_eq!(&*failure.kind, "https://quadrille.dev/errors/rejected");
    assert_eq!(failure.to_value().get("status"), Some(&Value::Int(422)));
}

#[test]
fn what_a_person_gives_fits_the_form() {
    let form =
        r#"{"type":"object","required":["amount"],"properties":{"amount":{"type":"number"}}}"#;
    let mut world = run(vec![
        human("a").with_human(|human| human.form = Some(json(form))),
    ]);
    world.act("a", "alice", complete("", r#"{"amount":"much"}"#));
    world.act("a", "alice", complete("", "null"));
    world.act("a", "alice", complete("", r#"{"amount":5}"#));
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 a human "a" for anyone
    refused invalid: the data does not fit its schema: /amount must be number, not string (rule /properties/amount/type)
    refused invalid: the data does not fit its schema: must be object, not null (rule /type)
    alice decides 1: completed {"amount":5}
    =1 {"by":"alice","data":{"amount":5},"outcome":"completed"}
    completed {"by":"alice","data":{"amount":5},"outcome":"completed"}
    "#);
}
