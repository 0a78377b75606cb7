//! Owns the meaning of query parameters.
//!
//! Invariant: a parameter that is not known is refused with its name; nothing is ignored.

use engine::human::HumanFilter;
use engine::query::Filter;
use graph::Value;
use jiff::Timestamp;
use kernel::Time;
use utoipa::IntoParams;

use crate::intake;
use crate::refusal::Refusal;
use crate::rest::extract::Pairs;
use crate::rest::words::{HumanTaskState, RunState};

/// Which runs are meant; all that is given must hold.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one"
)]
pub(super) struct FilterParams {
    /// Name of the workflow.
    workflow: Option<String>,
    /// Any of these states; repeated or separated by commas.
    state: Option<Vec<RunState>>,
    /// Started at this instant or later.
    #[param(format = DateTime)]
    started_after: Option<String>,
    /// Started before this instant.
    #[param(format = DateTime)]
    started_before: Option<String>,
    /// `name=value`, repeatable.
    label: Option<Vec<String>>,
    /// `name=value`, repeatable; the value is JSON, or else a text as it stands.
    attribute: Option<Vec<String>>,
    /// Children of this run.
    parent: Option<String>,
}

/// Which human tasks are meant; all that is given must hold.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one"
)]
pub(super) struct HumanParams {
    /// Any of these states; repeated or separated by commas. All that are open if left out; those that are closed
    /// only together with `run`.
    state: Option<Vec<HumanTaskState>>,
    /// Who has it.
    assignee: Option<String>,
    /// A group whose members may take it.
    group: Option<String>,
    /// Name of the workflow.
    workflow: Option<String>,
    /// Its run.
    run: Option<String>,
}

/// Which page of a list.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// At most 1000; 100 if left out.
    pub(super) limit: Option<usize>,
    /// From the page before; left out for the first page.
    pub(super) page_token: Option<String>,
}

/// Reads a filter and, where a list is asked for, its page.
pub(super) fn filter(pairs: Pairs, mut page: Option<&mut PageParams>) -> Result<Filter, Refusal> {
    let mut filter = Filter::default();
    for (name, value) in pairs.0 {
        match (name.as_str(), page.as_deref_mut()) {
            ("workflow", _) => {
                filter.workflow = Some(intake::workflow_name(&value).into());
            }
            ("state", _) => {
                for word in words(&value) {
                    filter.states.push(intake::state(word)?);
                }
            }
            ("started_after", _) => filter.started_after = Some(time("started_after", &value)?),
            ("started_before", _) => filter.started_before = Some(time("started_before", &value)?),
            ("label", _) => {
                let (name, value) = name_value("label", &value)?;
                filter.labels.insert(name.into(), value.into());
            }
            ("attribute", _) => {
                let (name, value) = name_value("attribute", &value)?;
                let value =
                    Value::from_json(value.as_bytes()).unwrap_or_else(|_| Value::text(value));
                filter.attributes.insert(name.into(), value);
            }
            ("parent", _) => filter.parent = Some(intake::run_id("parent", &value)?),
            ("limit", Some(page)) => page.limit = Some(number("limit", &value)?),
            ("page_token", Some(page)) => page.page_token = Some(value),
            (_, None) => return Err(unknown(&name, FILTER_NAMES)),
            (_, Some(_)) => {
                return Err(unknown(
                    &name,
                    &format!("{FILTER_NAMES}, limit, page_token"),
                ));
            }
        }
    }
    Ok(filter)
}

/// Words between commas.
fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// Reads which human tasks are meant, and which page of them.
pub(super) fn human_filter(pairs: Pairs) -> Result<(HumanFilter, PageParams), Refusal> {
    let (mut filter, mut page) = (HumanFilter::default(), PageParams::default());
    for (name, value) in pairs.0 {
        match name.as_str() {
            "state" => {
                for word in words(&value) {
                    filter.states.push(intake::human_state(word)?);
                }
            }
            "assignee" => filter.assignee = Some(value.into()),
            "group" => filter.group = Some(value.into()),
            "workflow" => filter.workflow = Some(intake::workflow_name(&value).into()),
            "run" => filter.run = Some(intake::run_id("run", &value)?),
            "limit" => page.limit = Some(number("limit", &value)?),
            "page_token" => page.page_token = Some(value),
            _ => {
                let known = "state, assignee, group, workflow, run, limit, page_token";
                return Err(unknown(&name, known));
            }
        }
    }
    Ok((filter, page))
}

const FILTER_NAMES: &str =
    "workflow, state, started_after, started_before, label, attribute, parent";

/// The only parameter there may be, if it is there.
pub(super) fn only(pairs: Pairs, known: &str) -> Result<Option<String>, Refusal> {
    let mut found = None;
    for (name, value) in pairs.0 {
        if name != known {
            return Err(unknown(&name, known));
        }
        found = Some(value);
    }
    Ok(found)
}

/// Reads where a history begins and how much of it is wanted.
pub(super) fn part(pairs: Pairs) -> Result<(u64, Option<usize>), Refusal> {
    let (mut from, mut limit) = (0, None);
    for (name, value) in pairs.0 {
        match name.as_str() {
            "from" => from = number("from", &value)?,
            "limit" => limit = Some(number("limit", &value)?),
            _ => return Err(unknown(&name, "from, limit")),
        }
    }
    Ok((from, limit))
}

fn unknown(name: &str, known: &str) -> Refusal {
    Refusal::argument(
        "query",
        format!("parameter {name:?} is not known here; known are {known}"),
    )
}

/// A whole number.
pub(super) fn number<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, Refusal> {
    text.parse()
        .map_err(|_| Refusal::argument(field, format!("{text:?} is not a whole number")))
}

fn time(field: &str, text: &str) -> Result<Time, Refusal> {
    let read = text
        .parse::<Timestamp>()
        .ok()
        .and_then(|stamp| u64::try_from(stamp.as_millisecond()).ok());
    read.map(Time).ok_or_else(|| {
        Refusal::argument(
            field,
            format!("{text:?} is not a time since 1970 such as 2030-01-31T12:00:00Z"),
        )
    })
}

fn name_value<'a>(field: &str, text: &'a str) -> Result<(&'a str, &'a str), Refusal> {
    text.split_once('=')
        .ok_or_else(|| Refusal::argument(field, format!("{text:?} is not name=value")))
}

/// Reads a duration in milliseconds: `500ms`, `30s`, `2m`, or a bare number of seconds.
pub(super) fn wait_ms(pairs: Pairs) -> Result<u64, Refusal> {
    let Some(text) = only(pairs, "wait")? else {
        return Ok(0);
    };
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let unit_ms = match &text[end..] {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let count = text[..end].parse::<u64>().ok();
    match count.zip(unit_ms) {
        Some((count, unit_ms)) => Ok(count.saturating_mul(unit_ms)),
        None => Err(Refusal::argument(
            "wait",
            format!("{text:?} is not a duration such as 500ms, 30s or 2m"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(name: &str, value: &str) -> Pairs {
        Pairs(vec![(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn waits() {
        for (text, ms) in [
            ("500ms", Some(500)),
            ("30", Some(30_000)),
            ("30s", Some(30_000)),
            ("2m", Some(120_000)),
        ]
        .into_iter()
        .chain(["", "s", "-1", "1h", "1.5s", "99999999999999999999"].map(|text| (text, None)))
        {
            assert_eq!(wait_ms(pairs("wait", text)).ok(), ms, "{text}");
        }
    }

    #[test]
    fn filters() {
        let meant = filter(pairs("attribute", "amount=5"), None).unwrap();
        assert_eq!(meant.attributes["amount"], Value::Int(5));
        let meant = filter(pairs("attribute", "url=http://x"), None).unwrap();
        assert_eq!(meant.attributes["url"], Value::text("http://x"));
        let meant = filter(pairs("started_after", "1970-01-01T00:00:01Z"), None).unwrap();
        assert_eq!(meant.started_after, Some(Time(1_000)));
        let meant = filter(pairs("state", "failed, incident"), None).unwrap();
        assert_eq!(meant.states, ["failed".into(), "incident".into()]);
        for (name, value) in [
            ("state", "gone"),
            ("label", "x"),
            ("parent", "1"),
            ("started_before", "yesterday"),
            ("limit", "5"),
            ("colour", "red"),
        ] {
            assert_eq!(
                filter(pairs(name, value), None).unwrap_err().code(),
                "invalid-argument",
                "{name}"
            );
        }
    }
}
