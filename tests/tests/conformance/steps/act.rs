//! Steps that do something.

use serde_json::{Value, json};

use super::Meaning;

pub(super) const STEPS: &[Meaning] = &[
    ("the workflow is applied", |world, _| {
        Box::pin(async move { world.apply().await })
    }),
    ("the workflow is checked", |world, _| {
        Box::pin(async move { world.check().await })
    }),
    ("the workflow is executed", |world, _| {
        Box::pin(async move {
            world.start(None).await?;
            world.end().await.map(drop)
        })
    }),
    ("the workflow is started", |world, _| {
        Box::pin(async move { world.start(None).await })
    }),
    (
        "the workflow is started and waits at {task}",
        |world, said| {
            Box::pin(async move {
                world.start(None).await?;
                world.waits_at(said.word(0)).await
            })
        },
    ),
    ("the workflow '{name}' is executed", |world, said| {
        Box::pin(async move {
            world.start(Some(said.word(0))).await?;
            world.end().await?;
            world.runs.pop();
            Ok(())
        })
    }),
    ("the workflow waits at {task}", |world, said| {
        Box::pin(async move { world.waits_at(said.word(0)).await })
    }),
    ("the signal '{name}' is sent", |world, said| {
        Box::pin(async move {
            let signal = json!({"name": said.word(0)});
            world.act("signal", signal).await.map(drop)
        })
    }),
    ("the signal '{name}' is sent with data:", |world, said| {
        Box::pin(async move {
            let signal = json!({"name": said.word(0), "data": said.value()?});
            world.act("signal", signal).await.map(drop)
        })
    }),
    ("the event is published:", |world, said| {
        Box::pin(async move { world.publish(said.value()?).await })
    }),
    ("the workflow is cancelled", |world, _| {
        Box::pin(async move { world.act("cancel", json!({})).await.map(drop) })
    }),
    ("the workflow is terminated", |world, _| {
        Box::pin(async move { world.act("terminate", json!({})).await.map(drop) })
    }),
    ("the workflow is suspended", |world, _| {
        Box::pin(async move {
            world.act("suspend", Value::Null).await?;
            world.stands("suspended").await
        })
    }),
    ("the workflow is resumed", |world, _| {
        Box::pin(async move { world.act("resume", Value::Null).await.map(drop) })
    }),
    ("the parked tasks are tried again", |world, _| {
        Box::pin(async move { world.act("retry", json!({})).await.map(drop) })
    }),
    ("the person '{name}' claims {task}", |world, said| {
        Box::pin(async move {
            let by = json!({"by": said.word(0)});
            world.decide(said.word(1), "claim", by).await
        })
    }),
    (
        "the person '{name}' completes {task} with:",
        |world, said| {
            Box::pin(async move {
                let mut decision = said.value()?;
                decision["by"] = said.word(0).into();
                world.decide(said.word(1), "complete", decision).await
            })
        },
    ),
    ("the person '{name}' rejects {task}", |world, said| {
        Box::pin(async move {
            let by = json!({"by": said.word(0)});
            world.decide(said.word(1), "reject", by).await
        })
    }),
    ("the runtime crashes and starts again", |world, _| {
        Box::pin(async move { world.crash().await })
    }),
];
