//! Owns [`Answers`]: what stands in for the world that a workflow calls.
//!
//! Invariant: nothing is answered that no mock of the author answers.

use authoring::suite::{Answer, Mock};
use engine::TaskOutcome;
use engine::rehearsal::Claimed;
use graph::expr::{Budget, Program};
use graph::template::VARIABLES;
use graph::value::{Object, Value};
use graph::{Failure, Template};

use super::difference::includes;

/// Where runs of mocked workflows ask for their answer.
pub(super) const WORKFLOWS: &str = "mocked workflows";

/// The mocks of a case, those of its file behind them.
pub(super) struct Answers<'s> {
    mocks: Vec<(&'s Mock, usize)>,
}

impl<'s> Answers<'s> {
    pub(super) fn new(mocks: impl Iterator<Item = &'s Mock>) -> Answers<'s> {
        Answers {
            mocks: mocks.map(|mock| (mock, 0)).collect(),
        }
    }

    /// The answer to a call of the task at this place, and how many milliseconds it takes; none if no mock
    /// has one (any more).
    pub(super) fn find(&mut self, claimed: &Claimed, pointer: &str) -> Option<(u64, TaskOutcome)> {
        let (mock, used) = self
            .mocks
            .iter_mut()
            .find(|(mock, used)| fits(mock, claimed, pointer) && is_left(mock, *used))?;
        let answer = match mock.answers.len() {
            1 => &mock.answers[0],
            _ => &mock.answers[*used],
        };
        *used += 1;
        Some((answer.delay_ms, outcome(answer, &claimed.work.input)))
    }

    /// How many answers there were to calls like this one, all used up.
    pub(super) fn used(&self, claimed: &Claimed, pointer: &str) -> usize {
        let fitting = self
            .mocks
            .iter()
            .filter(|(mock, _)| fits(mock, claimed, pointer));
        fitting.map(|(_, used)| used).sum()
    }
}

/// One answer is given again and again, each of several once.
fn is_left(mock: &Mock, used: usize) -> bool {
    mock.answers.len() == 1 || used < mock.answers.len()
}

fn fits(mock: &Mock, claimed: &Claimed, pointer: &str) -> bool {
    let work = &claimed.work;
    let is_workflow = *work.queue == *WORKFLOWS;
    let whose = match &mock.workflow {
        Some(workflow) => is_workflow && *workflow == work.name,
        None => {
            !is_workflow
                && mock.task.as_ref().is_none_or(|task| task.is_at(pointer))
                && mock.call.as_ref().is_none_or(|call| *call == work.name)
                && mock.queue.as_ref().is_none_or(|queue| *queue == work.queue)
        }
    };
    whose
        && mock
            .input
            .as_ref()
            .is_none_or(|input| includes(input, &work.input))
}

fn outcome(answer: &Answer, input: &Value) -> TaskOutcome {
    let failed = |failure: Failure, retryable| TaskOutcome::Failed { failure, retryable };
    match &answer.outcome {
        Err(failure) => failed(failure.clone(), answer.retryable),
        Ok(template) => match fill(template, input) {
            Ok(output) => TaskOutcome::Done(output),
            Err(why) => failed(
                Failure::new("expression", format!("in a mock: {why}")),
                false,
            ),
        },
    }
}

/// The value of a template whose expressions see the call's input.
fn fill(template: &Template, input: &Value) -> Result<Value, String> {
    Ok(match template {
        Template::Literal(value) => value.clone(),
        Template::Expr(expr) => {
            let program =
                Program::compile(&expr.0, &VARIABLES).map_err(|error| error.to_string())?;
            let variables = [const { Value::Null }; VARIABLES.len()];
            program
                .run(input, &variables, &mut Budget::default())
                .map_err(|error| error.to_string())?
        }
        Template::Object(members) => Value::object(
            members
                .iter()
                .map(|(key, member)| Ok((key.clone(), fill(member, input)?)))
                .collect::<Result<Object, String>>()?,
        ),
        Template::Array(elements) => Value::array(
            elements
                .iter()
                .map(|element| fill(element, input))
                .collect::<Result<_, String>>()?,
        ),
    })
}
