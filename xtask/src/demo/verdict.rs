//! Owns the verdict: whether all runs and all effects are as promised.
//!
//! Pure functions from what was seen to what is wrong with it, so that a test can show that they see it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::cast::Part;

/// One request that reached the world.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    number: u64,
    action: String,
    subject: String,
    key: String,
}

impl Effect {
    /// An effect as the services write it down.
    pub(super) fn read(line: &str) -> Option<Effect> {
        let effect: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| effect[key].as_str().map(str::to_owned);
        Some(Effect {
            number: effect["number"].as_u64()?,
            action: text("action")?,
            subject: text("subject")?,
            key: text("key")?,
        })
    }
}

/// What is not as promised; a sentence each.
pub(super) fn judge(
    parts: &[Part],
    acknowledged: &[(String, String)],
    runs: &[Value],
    ledger: &[Effect],
) -> Vec<String> {
    let mut flaws = Vec::new();
    for part in parts {
        let found: Vec<&Value> = of_key(part, runs).collect();
        let [run] = found[..] else {
            flaws.push(format!("{} has {} runs", part.key, found.len()));
            continue;
        };
        if run["state"] != part.state {
            flaws.push(format!(
                "{} is {} but must be {}: {}",
                part.key, run["state"], part.state, run["error"]
            ));
        }
        if !holds(&run["output"], &part.output) {
            flaws.push(format!(
                "the output of {} is {} but must hold {}",
                part.key, run["output"], part.output
            ));
        }
        let lost = acknowledged
            .iter()
            .find(|(key, id)| *key == part.key && run["id"] != **id);
        flaws.extend(
            lost.map(|(key, id)| format!("{key} was acknowledged as {id} but is {}", run["id"])),
        );
    }
    let live = runs
        .iter()
        .filter(|run| run["state"] != "completed" && run["state"] != "failed");
    flaws.extend(live.map(|run| format!("{} {} is {}", run["workflow"], run["id"], run["state"])));
    flaws.extend(judge_effects(parts, ledger));
    flaws
}

fn judge_effects(parts: &[Part], ledger: &[Effect]) -> Vec<String> {
    let mut flaws = Vec::new();
    let mut done: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for effect in first_times(ledger) {
        done.entry(&effect.subject)
            .or_default()
            .push(&effect.action);
    }
    for (subject, wanted) in parts.iter().flat_map(|part| &part.effects) {
        let actions = done.remove(subject.as_str()).unwrap_or_default();
        if actions != *wanted {
            flaws.push(format!(
                "for {subject} happened {actions:?} but must {wanted:?}"
            ));
        }
    }
    flaws.extend(
        done.iter().map(|(subject, actions)| {
            format!("for {subject} happened {actions:?}, and nobody asked")
        }),
    );
    flaws
}

/// How much happened in the world, in a sentence.
pub(super) fn summary(ledger: &[Effect]) -> String {
    let effects = first_times(ledger).len();
    let repeats = ledger.len() - effects;
    format!(
        "{effects} effects; {repeats} requests came again after the crash and were recognised by their key"
    )
}

/// A line for each group of runs.
pub(super) fn table(parts: &[Part], runs: &[Value]) -> String {
    let mut groups: Vec<(&str, &str, Vec<f64>)> = Vec::new();
    for part in parts {
        let seconds = of_key(part, runs).filter_map(seconds);
        match groups.iter_mut().find(|(group, ..)| *group == part.group) {
            Some((.., times)) => times.extend(seconds),
            None => groups.push((part.group, part.state, seconds.collect())),
        }
    }
    let mut table = format!(
        "{:<38} {:>4}  {:<10} {:>8} {:>8}\n",
        "WHAT", "RUNS", "ENDED", "MEDIAN", "LONGEST"
    );
    for (group, state, mut times) in groups {
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let longest = times.last().copied().unwrap_or_default();
        table += &format!(
            "{group:<38} {:>4}  {state:<10} {median:>6.2} s {longest:>6.2} s\n",
            times.len()
        );
    }
    table
}

fn of_key<'r>(part: &Part, runs: &'r [Value]) -> impl Iterator<Item = &'r Value> {
    runs.iter()
        .filter(move |run| run["workflow"] == part.workflow && run["key"] == *part.key)
}

/// How many runs had begun and not ended at an instant.
pub(super) fn open_at(then: Timestamp, runs: &[Value]) -> usize {
    let by_then = |run: &Value, key: &str| instant(run, key).is_some_and(|at| at <= then);
    let is_open = |run: &&Value| by_then(run, "started_at") && !by_then(run, "ended_at");
    runs.iter().filter(is_open).count()
}

fn instant(run: &Value, key: &str) -> Option<Timestamp> {
    run[key].as_str()?.parse().ok()
}

/// How long a run took; none if it goes on.
fn seconds(run: &Value) -> Option<f64> {
    let took = instant(run, "ended_at")?.duration_since(instant(run, "started_at")?);
    Some(took.as_secs_f64())
}

/// Effects without those that had happened before, in the order in which they happened.
fn first_times(ledger: &[Effect]) -> Vec<&Effect> {
    let mut seen = BTreeSet::new();
    let mut first: Vec<&Effect> = ledger
        .iter()
        .filter(|effect| seen.insert(&effect.key))
        .collect();
    first.sort_by_key(|effect| effect.number);
    first
}

/// Whether a value holds what is wanted, and perhaps more.
fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| value.get(key).is_some_and(|value| holds(value, wanted))),
        (value, wanted) => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cast::parts;
    use super::*;

    /// A world in which everything went as promised.
    fn all_well() -> (Vec<Part>, Vec<Value>, Vec<Effect>) {
        let parts = parts(&json!({}));
        let run = |part: &Part| {
            json!({"id": format!("run of {}", part.key), "workflow": part.workflow, "key": part.key, "state": part.state,
                "output": part.output, "started_at": "2030-01-01T00:00:00Z", "ended_at": "2030-01-01T00:00:01.5Z"})
        };
        let runs = parts.iter().map(run).collect();
        let mut ledger = Vec::new();
        for (subject, actions) in parts.iter().flat_map(|part| &part.effects) {
            for action in *actions {
                let (action, key) = ((*action).to_owned(), format!("{subject}:{action}"));
                ledger.push(Effect {
                    number: ledger.len() as u64,
                    action,
                    subject: subject.clone(),
                    key,
                });
            }
        }
        (parts, runs, ledger)
    }

    #[test]
    fn nothing_is_wrong_when_all_is_well() {
        let (parts, runs, mut ledger) = all_well();
        ledger.push(ledger[0].clone());
        let acknowledged = [("order-1".to_owned(), "run of order-1".to_owned())];
        assert_eq!(
            judge(&parts, &acknowledged, &runs, &ledger),
            Vec::<String>::new()
        );
        assert!(
            summary(&ledger).contains("; 1 requests came again"),
            "{}",
            summary(&ledger)
        );
        let at = |text: &str| open_at(text.parse().unwrap(), &runs);
        assert_eq!(at("2030-01-01T00:00:01Z"), runs.len());
        assert_eq!(at("2030-01-01T00:00:01.5Z"), 0);
        assert_eq!(at("2029-12-31T23:59:59Z"), 0);
        assert!(
            table(&parts, &runs).contains("   1.50 s"),
            "{}",
            table(&parts, &runs)
        );
    }

    #[test]
    fn every_broken_promise_is_seen() {
        type Breach = fn(&mut Vec<Value>, &mut Vec<Effect>);
        let breaches: [(&str, Breach); 7] = [
            ("order-1 has 0 runs", |runs, _| drop(runs.remove(0))),
            ("order-1 has 2 runs", |runs, _| runs.push(runs[0].clone())),
            ("order-1 was acknowledged as", |runs, _| {
                runs[0]["id"] = "another".into();
            }),
            ("order-1 is \"failed\" but must be completed", |runs, _| {
                runs[0]["state"] = "failed".into();
            }),
            ("the output of order-1", |runs, _| {
                runs[0]["output"] = json!({});
            }),
            ("for order-1 happened", |_, ledger| {
                // Charged under another key: a second time.
                let twice = Effect {
                    key: "other".into(),
                    number: 1_000,
                    ..ledger[1].clone()
                };
                ledger.push(twice);
            }),
            (
                "for order-18 happened [\"reserve\", \"charge\", \"release\", \"refund\"]",
                |_, ledger| {
                    let undone = |effect: &Effect, action: &str| {
                        effect.subject == "order-18" && effect.action == action
                    };
                    let refund = ledger
                        .iter()
                        .position(|effect| undone(effect, "refund"))
                        .unwrap();
                    let release = ledger
                        .iter()
                        .position(|effect| undone(effect, "release"))
                        .unwrap();
                    let number = ledger[refund].number;
                    ledger[refund].number = ledger[release].number;
                    ledger[release].number = number;
                },
            ),
        ];
        for (said, breach) in breaches {
            let (parts, mut runs, mut ledger) = all_well();
            breach(&mut runs, &mut ledger);
            let acknowledged = [("order-1".to_owned(), "run of order-1".to_owned())];
            let flaws = judge(&parts, &acknowledged, &runs, &ledger);
            assert!(
                flaws.iter().any(|flaw| flaw.starts_with(said)),
                "{said}: {flaws:?}"
            );
        }
    }
}
