//! Steps that demand something. Those about the whole run come first: "the workflow should fault" is no task.

use anyhow::ensure;

use super::{Meaning, needed};
use crate::verdict;

pub(super) const STEPS: &[Meaning] = &[
    ("the workflow should complete", |world, _| {
        Box::pin(async move { verdict::ended(world, "completed").await.map(drop) })
    }),
    (
        "the workflow should complete with output:",
        |world, said| Box::pin(async move { verdict::output(world, &said.value()?).await }),
    ),
    ("the workflow should fault", |world, _| {
        Box::pin(async move { verdict::ended(world, "failed").await.map(drop) })
    }),
    ("the workflow should fault with error:", |world, said| {
        Box::pin(async move { verdict::error(world, &said.value()?).await })
    }),
    ("the workflow should cancel", |world, _| {
        Box::pin(async move { verdict::ended(world, "cancelled").await.map(drop) })
    }),
    ("the workflow should terminate", |world, _| {
        Box::pin(async move { verdict::ended(world, "terminated").await.map(drop) })
    }),
    ("the workflow should stand as '{state}'", |world, said| {
        Box::pin(async move { world.stands(said.word(0)).await })
    }),
    (
        "the workflow output should have properties {names}",
        |world, said| Box::pin(async move { verdict::properties(world, &said, true).await }),
    ),
    (
        "the workflow output should lack properties {names}",
        |world, said| Box::pin(async move { verdict::properties(world, &said, false).await }),
    ),
    (
        "the workflow output should have a '{path}' property with value:",
        |world, said| Box::pin(async move { verdict::property(world, &said).await }),
    ),
    (
        "the workflow output should have a '{path}' property containing {count} items",
        |world, said| Box::pin(async move { verdict::items(world, &said).await }),
    ),
    (
        "the workflow should take at least {count} ms",
        |world, said| {
            Box::pin(async move {
                let least = said.number(0)?.into();
                verdict::took(world, |took| took >= least).await
            })
        },
    ),
    (
        "the workflow should take less than {count} ms",
        |world, said| {
            Box::pin(async move {
                let most = said.number(0)?.into();
                verdict::took(world, |took| took < most).await
            })
        },
    ),
    (
        "the workflow should have the label '{name}' with value:",
        |world, said| Box::pin(async move { verdict::carries(world, "labels", &said).await }),
    ),
    (
        "the workflow should have the attribute '{name}' with value:",
        |world, said| Box::pin(async move { verdict::carries(world, "attributes", &said).await }),
    ),
    ("at least {count} runs should complete", |world, said| {
        Box::pin(async move { world.completed(usize::try_from(said.number(0)?)?).await })
    }),
    ("both starts should mean the same run", |world, _| {
        Box::pin(async move {
            let [.., a, b] = world.runs.as_slice() else {
                anyhow::bail!("it was not started twice");
            };
            ensure!(a == b, "{a} and {b}");
            Ok(())
        })
    }),
    (
        "the check should find '{code}' in line {line}",
        |world, said| {
            Box::pin(async move { verdict::found(world, said.word(0), said.number(1)?, "error") })
        },
    ),
    (
        "the check should warn of '{code}' in line {line}",
        |world, said| {
            Box::pin(async move { verdict::found(world, said.word(0), said.number(1)?, "warning") })
        },
    ),
    ("the check should find no error", |world, _| {
        Box::pin(async move {
            let findings = needed(world.findings.as_ref(), "check")?;
            let errors = findings
                .iter()
                .filter(|finding| finding["severity"] == "error");
            let errors: Vec<_> = errors.collect();
            ensure!(errors.is_empty(), "found {errors:?}");
            Ok(())
        })
    }),
    ("the check should find nothing", |world, _| {
        Box::pin(async move {
            let findings = needed(world.findings.as_ref(), "check")?;
            ensure!(findings.is_empty(), "found {findings:?}");
            Ok(())
        })
    }),
    (
        "the worker should have been given '{task}' {count} times",
        |world, said| {
            Box::pin(async move {
                let given = world.workforce.given(said.word(0)).len() as u64;
                ensure!(given == said.number(1)?, "{given} times");
                Ok(())
            })
        },
    ),
    (
        "the worker should have been given '{task}' with:",
        |world, said| {
            Box::pin(async move {
                let given = world.workforce.given(said.word(0));
                verdict::equal(
                    "the task",
                    needed(given.last(), "such task")?,
                    &said.value()?,
                )
            })
        },
    ),
    (
        "the worker should have been given {names} in this order",
        |world, said| {
            Box::pin(async move {
                let names = world.workforce.names();
                ensure!(names == said.names(0), "the order is {names:?}");
                Ok(())
            })
        },
    ),
    (
        "the service should have been asked '{request}' {count} times",
        |world, said| {
            Box::pin(async move {
                let asked = world.service.asked(said.word(0)).len() as u64;
                ensure!(asked == said.number(1)?, "{asked} times");
                Ok(())
            })
        },
    ),
    (
        "the service should have been asked '{request}' with:",
        |world, said| {
            Box::pin(async move {
                let asked = world.service.asked(said.word(0));
                verdict::contains(
                    "the request",
                    needed(asked.last(), "such request")?,
                    &said.value()?,
                )
            })
        },
    ),
    ("{task} should run first", |world, said| {
        Box::pin(async move { verdict::ran(world, said.word(0), |visits| visits.first()).await })
    }),
    ("{task} should run last", |world, said| {
        Box::pin(async move { verdict::ran(world, said.word(0), |visits| visits.last()).await })
    }),
    ("{task} should run before {task}", |world, said| {
        Box::pin(async move { verdict::before(world, said.word(0), said.word(1)).await })
    }),
    ("{task} should run after {task}", |world, said| {
        Box::pin(async move { verdict::before(world, said.word(1), said.word(0)).await })
    }),
    ("{names} should run in this order", |world, said| {
        Box::pin(async move { verdict::order(world, &said.names(0)).await })
    }),
    ("{task} should run {count} times", |world, said| {
        Box::pin(async move { verdict::times(world, said.word(0), said.number(1)?).await })
    }),
    ("{task} should not run", |world, said| {
        Box::pin(async move { verdict::times(world, said.word(0), 0).await })
    }),
    ("{task} should complete", |world, said| {
        Box::pin(async move { verdict::completed(world, said.word(0)).await.map(drop) })
    }),
    ("{task} should complete with output:", |world, said| {
        Box::pin(async move {
            let output = verdict::completed(world, said.word(0)).await?;
            verdict::equal("the output", &output, &said.value()?)
        })
    }),
    ("{task} should fault", |world, said| {
        Box::pin(async move { verdict::faulted(world, said.word(0)).await.map(drop) })
    }),
    ("{task} should fault with error:", |world, said| {
        Box::pin(async move {
            let error = verdict::faulted(world, said.word(0)).await?;
            verdict::contains("the error", &error, &said.value()?)
        })
    }),
    ("{task} should cancel", |world, said| {
        Box::pin(async move { verdict::cancelled(world, said.word(0)).await })
    }),
];
