//! Owns the size of answers: how much of a page fits into one message.
//!
//! Invariant: an answer stays below what clients accept by default, unless a single entry is larger.

use engine::human::{HumanPage, HumanSummary};
use engine::query::{HistoryPage, PAGE_MAX, Page, Summary};
use graph::Value;
use kernel::codec::Wire;

use crate::refusal::Refusal;

/// Bytes of data, roughly as JSON, that a page holds before it ends early.
pub(crate) const PAGE_BYTES_MAX: usize = 3 << 20;

/// Runs a page holds when the request does not say.
const LIMIT_DEFAULT: usize = 100;

/// Cuts a page of runs where it gets too large.
pub(crate) fn fit_runs(mut page: Page) -> Page {
    let count = fitting(page.runs.iter().map(weigh_summary));
    if count < page.runs.len() {
        page.runs.truncate(count);
        page.next = page.runs.last().map(Summary::cursor);
    }
    page
}

/// Cuts a page of events where it gets too large.
pub(crate) fn fit_history(mut page: HistoryPage) -> HistoryPage {
    let count = fitting(
        page.events
            .iter()
            .map(|event| weigh(&event.event.to_value())),
    );
    if let Some(cut) = page.events.get(count) {
        page.next = Some(cut.number);
        page.events.truncate(count);
    }
    page
}

/// Cuts a page of human tasks where it gets too large.
pub(crate) fn fit_humans(mut page: HumanPage) -> HumanPage {
    let count = fitting(page.tasks.iter().map(|task| {
        let groups = task.whose.groups.iter().map(|group| group.len() + 3);
        task.title.len() + groups.sum::<usize>() + 512
    }));
    if count < page.tasks.len() {
        page.tasks.truncate(count);
        page.next = page.tasks.last().map(HumanSummary::place);
    }
    page
}

/// How many runs or human tasks a page is to hold.
pub(crate) fn limit_runs(wanted: Option<usize>) -> Result<usize, Refusal> {
    limit(wanted, LIMIT_DEFAULT)
}

/// How many events a page is to hold.
pub(crate) fn limit_events(wanted: Option<usize>) -> Result<usize, Refusal> {
    limit(wanted, PAGE_MAX)
}

fn limit(wanted: Option<usize>, default: usize) -> Result<usize, Refusal> {
    match wanted {
        None | Some(0) => Ok(default),
        Some(limit) if limit <= PAGE_MAX => Ok(limit),
        Some(limit) => {
            let why = format!("{limit} is more than the {PAGE_MAX} of one page");
            Err(Refusal::argument("limit", why))
        }
    }
}

/// How many entries of these weights fit; at least one.
fn fitting(weights: impl Iterator<Item = usize>) -> usize {
    let mut sum = 0_usize;
    let mut count = 0;
    for weight in weights {
        sum = sum.saturating_add(weight);
        if count > 0 && sum > PAGE_BYTES_MAX {
            break;
        }
        count += 1;
    }
    count
}

fn weigh_summary(run: &Summary) -> usize {
    let attributes: usize = run.attributes.values().map(weigh).sum();
    weigh(&run.input) + run.output.as_ref().map_or(0, weigh) + attributes + 256
}

/// The size of data as JSON, roughly.
fn weigh(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 8,
        Value::Text(text) => text.len() + 3,
        Value::Array(elements) => 2 + elements.iter().map(weigh).sum::<usize>(),
        Value::Object(members) => {
            2 + members
                .iter()
                .map(|(key, value)| key.len() + 4 + weigh(value))
                .sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_what_fits_and_at_least_one_entry() {
        let half = PAGE_BYTES_MAX / 2;
        for (weights, count) in [
            (vec![], 0),
            (vec![PAGE_BYTES_MAX + 1], 1),
            (vec![half, half, 1], 2),
            (vec![1, PAGE_BYTES_MAX], 1),
            (vec![1, 2, 3], 3),
        ] {
            assert_eq!(fitting(weights.iter().copied()), count, "{weights:?}");
        }
    }
}
