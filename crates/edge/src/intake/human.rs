//! Owns the words and tokens that human tasks are asked for with.
//!
//! Invariant: as in lists of runs, a page token names a place.

use std::cmp::Reverse;

use engine::human::{HumanPlace, HumanState};
use graph::value::Str;
use kernel::{Command, HumanAct, StepRef, Time};

use crate::refusal::Refusal;

/// Every state a human task can be in.
pub(crate) fn human_states() -> [&'static str; 5] {
    HumanState::ALL.map(HumanState::word)
}

/// A state that exists.
pub(crate) fn human_state(word: &str) -> Result<HumanState, Refusal> {
    let found = HumanState::ALL
        .into_iter()
        .find(|state| state.word() == word);
    found.ok_or_else(|| {
        let states = human_states().join(", ");
        Refusal::argument(
            "state",
            format!("{word:?} is no state; states are {states}"),
        )
    })
}

/// The id of a human task.
pub(crate) fn human_task(text: &str) -> Result<StepRef, Refusal> {
    text.parse()
        .map_err(|error: kernel::id::NotStepRef| Refusal::argument("id", error.to_string()))
}

/// What someone does about a human task.
pub(crate) fn about_human(id: &str, by: String, act: HumanAct) -> Result<Command, Refusal> {
    Ok(Command::ActOnHuman {
        task: human_task(id)?,
        by: by.into(),
        act,
    })
}

/// Names, where they are given.
pub(crate) fn names(names: Option<Vec<String>>) -> Option<Vec<Str>> {
    names.map(|names| names.into_iter().map(Str::from).collect())
}

/// The token of a place in the list.
pub(crate) fn place_token(place: HumanPlace) -> String {
    format!("{:x}.{:x}.{}", place.priority.0, place.since.0, place.task)
}

/// The place that a token names; none for the beginning.
pub(crate) fn place(token: &str) -> Result<Option<HumanPlace>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let mut parts = token.splitn(3, '.');
        let priority = u32::from_str_radix(parts.next()?, 16).ok()?;
        let since = u64::from_str_radix(parts.next()?, 16).ok()?;
        Some(HumanPlace {
            priority: Reverse(priority),
            since: Time(since),
            task: parts.next()?.parse().ok()?,
        })
    };
    match read() {
        Some(place) => Ok(Some(place)),
        None => Err(Refusal::argument(
            "page_token",
            "is none that this server gave; leave it out for the first page",
        )),
    }
}

#[cfg(test)]
mod tests {
    use kernel::{RunId, StepId};

    use super::*;

    #[test]
    fn tokens_lead_back() {
        let there = HumanPlace {
            priority: Reverse(9),
            since: Time(1_700_000_000_000),
            task: StepRef {
                run: RunId([7; 16]),
                step: StepId(3),
            },
        };
        assert_eq!(place(&place_token(there)).unwrap(), Some(there));
        assert_eq!(place("").unwrap(), None);
        for token in ["x", "9.1", "9.1.00000000-0000-0000-0000-000000000000", ".."] {
            assert_eq!(
                place(token).unwrap_err().code(),
                "invalid-argument",
                "{token}"
            );
        }
    }
}
