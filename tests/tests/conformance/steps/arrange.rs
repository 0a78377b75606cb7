//! Steps that set the scene. Nothing happens before the first act.

use super::Meaning;
use crate::feature::folder;
use crate::service::Answer;
use crate::workforce::Outcome;

pub(super) const STEPS: &[Meaning] = &[
    ("a workflow with definition:", |world, said| {
        Box::pin(async move {
            world.definition = said.text().to_owned();
            Ok(())
        })
    }),
    ("the workflow of the example '{name}'", |world, said| {
        Box::pin(async move {
            let examples = folder().join("serverless-workflow/examples");
            let file = examples.join(format!("{}.yaml", said.word(0)));
            world.definition = std::fs::read_to_string(file)?;
            Ok(())
        })
    }),
    ("another workflow with definition:", |world, said| {
        Box::pin(async move {
            world.others.push(said.text().to_owned());
            Ok(())
        })
    }),
    ("the workflow input is:", |world, said| {
        Box::pin(async move {
            world.input = Some(said.value()?);
            Ok(())
        })
    }),
    ("the business key is '{key}'", |world, said| {
        Box::pin(async move {
            world.key = Some(said.word(0).to_owned());
            Ok(())
        })
    }),
    ("a server that starts processes", |world, _| {
        Box::pin(async move {
            world.processes = true;
            Ok(())
        })
    }),
    ("a worker that answers '{task}' with:", |world, said| {
        Box::pin(async move {
            let outcome = Outcome::Output(said.value()?);
            world.workforce.does(said.word(0), &outcome, 1);
            Ok(())
        })
    }),
    (
        "a worker that answers '{task}' with its input",
        |world, said| {
            Box::pin(async move {
                world.workforce.does(said.word(0), &Outcome::Input, 1);
                Ok(())
            })
        },
    ),
    (
        "a worker that fails '{task}' {count} times with:",
        |world, said| {
            Box::pin(async move {
                let outcome = Outcome::Failure(said.value()?);
                world
                    .workforce
                    .does(said.word(0), &outcome, said.number(1)?);
                Ok(())
            })
        },
    ),
    ("a worker that fails '{task}' with:", |world, said| {
        Box::pin(async move {
            let outcome = Outcome::Failure(said.value()?);
            world.workforce.does(said.word(0), &outcome, 1);
            Ok(())
        })
    }),
    ("a worker that never answers '{task}'", |world, said| {
        Box::pin(async move {
            world.workforce.does(said.word(0), &Outcome::Never, 1);
            Ok(())
        })
    }),
    ("a service that answers '{request}' with:", |world, said| {
        Box::pin(async move {
            let answer = Answer::With(said.value()?);
            world.service.answer(said.word(0), answer);
            Ok(())
        })
    }),
    ("a service that never answers '{request}'", |world, said| {
        Box::pin(async move {
            world.service.answer(said.word(0), Answer::Never);
            Ok(())
        })
    }),
];
