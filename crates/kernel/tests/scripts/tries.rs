//! Scripts of try: what is caught, tried again, and cleaned up.
//!
//! The invariant behind them: the clean-up runs once on every way out, and to its end.

use graph::ir::{Backoff, Need, Retry};
use insta::assert_snapshot;

use crate::graphs::{N, attempt, block, fork, json, raise, retry, set, task};
use crate::world::{run, run_on};

#[test]
fn a_caught_failure_is_bound_and_the_run_goes_on() {
    let mut world = run_on(
        "1",
        vec![
            attempt("t", vec![raise("r", "broken")]).catch(vec![set("c", "[., $error.type]")]),
            task("b"),
        ],
    );
    assert_snapshot!(world.log(), @r#"
    start w 1
    +1 t region
    [2 1#0
    !r broken: raised at /r
    ending 2 failed
    ]2 -
    turn 1 catch #1
    [3 1#0 catch
    . c [1,"broken"]
    ]3 [1,"broken"]
    =1 [1,"broken"]
    +4 b task [1,"broken"]
    "#);
}

#[test]
fn a_catch_without_body_passes_the_input_on() {
    let mut world = run_on(
        "1",
        vec![attempt("t", vec![set("a", "2"), raise("r", "broken")]).catch_with(None, |_| {})],
    );
    assert_snapshot!(world.log(), @r"
    start w 1
    +1 t region
    [2 1#0
    . a 2
    !r broken: raised at /r
    ending 2 failed
    ]2 -
    turn 1 catch #1
    =1 1
    completed 1
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn filters_say_what_is_caught() {
    let caught = |told: &str, node: N| {
        let mut world = run(vec![node]);
        format!("{told}: {}", world.log().lines().last().unwrap())
    };
    let broken = || attempt("t", vec![raise("r", "broken")]);
    let timeout = || {
        attempt(
            "t",
            vec![raise(
                "r",
                "https://serverlessworkflow.io/spec/1.0.0/errors/timeout",
            )],
        )
    };
    let body = || Some(vec![set("c", "\"caught\"")]);
    let typed = |kind: &str| ("type".into(), json(&format!("\"{kind}\"")));
    let lines = [
        caught(
            "same type",
            broken().catch_with(body(), |catch| catch.with = vec![typed("broken")]),
        ),
        caught(
            "other type",
            broken().catch_with(body(), |catch| catch.with = vec![typed("other")]),
        ),
        caught(
            "bare type",
            timeout().catch_with(body(), |catch| catch.with = vec![typed("timeout")]),
        ),
        caught(
            "status",
            broken().catch_with(body(), |catch| {
                catch.with = vec![("status".into(), json("418"))];
            }),
        ),
        caught(
            "other status",
            broken().catch_with(body(), |catch| {
                catch.with = vec![("status".into(), json("500"))];
            }),
        ),
        caught(
            "when",
            broken().catch_with(body(), |catch| {
                catch.when = Some("$error.status == 418".into());
            }),
        ),
        caught(
            "when not",
            broken().catch_with(body(), |catch| {
                catch.when = Some("$error.status == 500".into());
            }),
        ),
        caught(
            "except",
            broken().catch_with(body(), |catch| {
                catch.except_when = Some("$error.status == 418".into());
            }),
        ),
        caught(
            "failing when",
            broken().catch_with(body(), |catch| catch.when = Some("error(\"no\")".into())),
        ),
        caught("failing catch", broken().catch(vec![raise("c", "worse")])),
    ];
    assert_snapshot!(lines.join("\n"), @r#"
    same type: completed "caught"
    other type: failed broken: raised at /r
    bare type: completed "caught"
    status: completed "caught"
    other status: failed broken: raised at /r
    when: completed "caught"
    when not: failed broken: raised at /r
    except: failed broken: raised at /r
    failing when: failed expression: error("no"): no at /t
    failing catch: failed worse: raised at /c
    "#);
}

fn again(body: Option<Vec<N>>) -> N {
    let policy = Retry {
        backoff: Backoff::Exponential(2.0),
        attempts_max: Some(3),
        ..retry(10)
    };
    attempt("t", vec![task("a")]).catch_with(body, |catch| catch.retry = Some(policy))
}

#[test]
fn a_tried_body_is_tried_again_after_a_pause() {
    let mut world = run(vec![again(None)]);
    world.fail("a", "broken");
    world.tick(9);
    assert!(!world.has_offer("a"));
    world.tick(1);
    world.fail("a", "broken");
    world.tick(20);
    world.done("a", "1");
    assert_snapshot!(world.log(), @r"
    start w null
    +1 t region
    [2 1#0
    +3 a task null
    claim 3 #1
    !3 broken: flop at /a
    ending 2 failed
    ]2 -
    turn 1 backoff #2, due 10
    turn 1 body #2
    [4 1#0
    +5 a task null
    claim 5 #1
    !5 broken: flop at /a
    ending 4 failed
    ]4 -
    turn 1 backoff #3, due 30
    turn 1 body #3
    [6 1#0
    +7 a task null
    claim 7 #1
    =7 1
    ]6 1
    =1 1
    completed 1
    ");
}

#[test]
fn a_try_that_gives_up_runs_its_catch_or_fails() {
    for body in [None, Some(vec![set("c", "\"caught\"")])] {
        let mut world = run(vec![again(body)]);
        for _ in 0..3 {
            world.hush();
            world.fail("a", "broken");
            world.tick(20);
        }
        let what = world.log();
        if what.contains("caught") {
            assert_snapshot!(what, @r#"
            claim 7 #1
            !7 broken: flop at /a
            ending 6 failed
            ]6 -
            turn 1 catch #3
            [8 1#0 catch
            . c "caught"
            ]8 "caught"
            =1 "caught"
            completed "caught"
            "#);
        } else {
            assert_snapshot!(what, @r"
            claim 7 #1
            !7 broken: flop at /a
            ending 6 failed
            ]6 -
            withdraw 1
            !1 broken: flop at /a
            ending 0 failed
            failed broken: flop at /a
            ");
        }
    }
}

#[test]
fn a_catch_may_lead_elsewhere() {
    let failing = attempt("t", vec![raise("r", "broken")])
        .catch_with(None, |_| {})
        .catch_to("rescue");
    let mut world = run(vec![
        failing,
        set("normal", "1").to("exit"),
        set("rescue", "2"),
    ]);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 t region
    [2 1#0
    !r broken: raised at /r
    ending 2 failed
    ]2 -
    turn 1 catch #1
    =1 null
    . rescue 2
    completed 2
    ");
    let passing = attempt("t", vec![set("a", "0")])
        .catch_with(None, |_| {})
        .catch_to("rescue");
    let mut world = run(vec![
        passing,
        set("normal", "1").to("exit"),
        set("rescue", "2"),
    ]);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 t region
    [2 1#0
    . a 0
    ]2 0
    =1 0
    . normal 1
    completed 1
    ");
}

#[test]
fn what_is_not_caught_inside_is_caught_outside() {
    let inner = attempt("inner", vec![raise("r", "broken")])
        .catch_with(None, |catch| {
            catch.with = vec![("type".into(), json("\"other\""))];
        })
        .finally(vec![set("f", "0")]);
    let mut world = run(vec![
        attempt("outer", vec![block("b", vec![inner])]).catch(vec![set("c", "$error.instance")]),
    ]);
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 outer region
    [2 1#0
    +3 b region
    [4 3#0
    +5 inner region
    [6 5#0
    !r broken: raised at /r
    ending 6 failed
    ]6 -
    withdraw 5
    turn 5 finally #1
    [7 5#0 finally
    . f 0
    ]7 0
    !5 broken: raised at /r
    ending 4 failed
    ]4 -
    withdraw 3
    !3 broken: raised at /r
    ending 2 failed
    ]2 -
    turn 1 catch #1
    [8 1#0 catch
    . c "/r"
    ]8 "/r"
    =1 "/r"
    completed "/r"
    "#);
}

#[test]
fn the_clean_up_runs_after_success_and_its_output_is_dropped() {
    let mut world = run(vec![
        attempt("t", vec![set("a", "1")]).finally(vec![task("f")]),
        task("b"),
    ]);
    world.done("f", "\"dropped\"");
    assert_snapshot!(world.log(), @r#"
    start w null
    +1 t region
    [2 1#0
    . a 1
    ]2 1
    turn 1 finally #1
    [3 1#0 finally
    +4 f task 1
    claim 4 #1
    =4 "dropped"
    ]3 "dropped"
    =1 1
    +5 b task 1
    "#);
}

#[test]
fn the_clean_up_runs_after_a_failure_which_then_goes_on() {
    let mut world = run(vec![
        attempt("t", vec![raise("r", "broken")]).finally(vec![task("f")]),
    ]);
    world.hush();
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    claim 4 #1
    =4 null
    ]3 null
    !1 broken: raised at /r
    ending 0 failed
    failed broken: raised at /r
    ");
}

#[test]
fn the_clean_up_runs_when_the_run_is_cancelled_also_twice() {
    let mut world = run(vec![attempt("t", vec![task("a")]).finally(vec![task("f")])]);
    world.hush();
    world.cancel();
    world.cancel();
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    cancel requested
    ending 0 withdrawn
    withdraw 1
    ending 2 withdrawn
    x3
    ]2 -
    turn 1 finally #1
    [4 1#0 finally
    +5 f task null
    claim 5 #1
    =5 null
    ]4 null
    x1
    cancelled cancelled: cancelled on request
    ");
}

#[test]
fn a_clean_up_that_has_begun_runs_to_its_end() {
    let mut world = run(vec![
        attempt("t", vec![set("a", "1")]).finally(vec![task("f")]),
        task("never"),
    ]);
    world.hush();
    world.cancel();
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    cancel requested
    ending 0 withdrawn
    withdraw 1
    claim 4 #1
    =4 null
    ]3 null
    x1
    cancelled cancelled: cancelled on request
    ");
}

#[test]
fn a_clean_up_that_fails_fails_the_step_unless_it_failed_already() {
    let mut world = run(vec![
        attempt("t", vec![set("a", "1")]).finally(vec![raise("f", "unclean")]),
    ]);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 t region
    [2 1#0
    . a 1
    ]2 1
    turn 1 finally #1
    [3 1#0 finally
    !f unclean: raised at /f
    ending 3 failed
    ]3 -
    withdraw 1
    !1 unclean: raised at /f
    ending 0 failed
    failed unclean: raised at /f
    ");
    let mut world = run(vec![
        attempt("t", vec![raise("r", "broken")]).finally(vec![raise("f", "unclean")]),
    ]);
    assert_snapshot!(world.log(), @r"
    start w null
    +1 t region
    [2 1#0
    !r broken: raised at /r
    ending 2 failed
    ]2 -
    withdraw 1
    turn 1 finally #1
    [3 1#0 finally
    !f unclean: raised at /f
    ending 3 failed
    ]3 -
    !1 broken: raised at /r
    ending 0 failed
    failed broken: raised at /r
    ");
}

#[test]
fn the_clean_up_runs_after_a_timeout() {
    let mut world = run(vec![
        attempt("t", vec![task("a")])
            .finally(vec![task("f")])
            .timeout(10),
    ]);
    world.hush();
    world.tick(10);
    world.done("f", "null");
    assert_snapshot!(world.log(), @r"
    withdraw 1
    ending 2 withdrawn
    x3
    ]2 -
    turn 1 finally #1
    [4 1#0 finally
    +5 f task null
    claim 5 #1
    =5 null
    ]4 null
    !1 timeout: the step took longer than its timeout at /t
    ending 0 failed
    failed timeout: the step took longer than its timeout at /t
    ");
}

#[test]
fn a_fork_waits_for_the_clean_up_of_its_losers() {
    let loser = vec![attempt("t", vec![task("a")]).finally(vec![task("f")])];
    let mut world = run(vec![
        fork("k", Need::Count(1), vec![loser, vec![task("b")]]),
        task("next"),
    ]);
    world.hush();
    world.done("b", "1");
    assert!(!world.has_offer("next"));
    world.done("f", "null");
    assert!(world.has_offer("next"));
    assert_snapshot!(world.log(), @r"
    claim 6 #1
    =6 1
    ]3 1
    turn 1 leftover #1
    ending 2 withdrawn
    withdraw 4
    ending 5 withdrawn
    x7
    ]5 -
    turn 4 finally #1
    [8 4#0 finally
    +9 f task null
    claim 9 #1
    =9 null
    ]8 null
    x4
    ]2 -
    =1 [null,1]
    +10 next task [null,1]
    ");
}
