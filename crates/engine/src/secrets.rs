//! Owns [`SecretSource`], where secrets come from, and [`Unsealer`], which puts them into the input of a task on
//! its way to the worker.
//!
//! Invariant: a secret exists in the frame to its worker and in nothing that is kept: the partition, the journal
//! and the store have null in its place, and where a worker repeats it in a result, dots stand instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use graph::Failure;
use graph::expr::{Budget, Program};
use graph::ir::Sealed;
use graph::template::SECRETS_VARIABLE;
use graph::value::{Object, Str, Value};
use kernel::{Delivery, TaskToken};

use crate::driver::handle::{TaskOutcome, ToWorker};

/// Claims whose secrets are remembered, to hide them in the results; the oldest are forgotten first.
const REMEMBERED_MAX: usize = 65_536;

/// Texts of one task that are hidden: what it was given, then what else its secrets hold.
const HIDDEN_MAX: usize = 256;

/// Shorter texts are not hidden: they would be found everywhere.
const HIDDEN_BYTES_MIN: usize = 4;

/// What stands in the place of a secret.
const DOTS: &str = "•••";

/// Where secrets come from.
pub trait SecretSource: fmt::Debug + Send + Sync {
    /// The secret of this name: text, or an object of texts.
    ///
    /// # Errors
    /// Why there is none, and what to do about it; never a part of a secret.
    fn find(&self, name: &str) -> Result<Value, String>;
}

/// No secrets.
#[derive(Clone, Copy, Debug)]
pub struct NoSecrets;

impl SecretSource for NoSecrets {
    fn find(&self, name: &str) -> Result<Value, String> {
        Err(format!("there is no secret {name:?}"))
    }
}

/// Puts secrets into the inputs of tasks, and takes them out of results. Clones share what they remember.
#[derive(Clone, Debug)]
pub(crate) struct Unsealer {
    source: Arc<dyn SecretSource>,
    hidden: Arc<Mutex<BTreeMap<TaskToken, Vec<Str>>>>,
}

impl Unsealer {
    pub(crate) fn new(source: Arc<dyn SecretSource>) -> Unsealer {
        Unsealer {
            source,
            hidden: Arc::default(),
        }
    }

    /// Completes the tasks of a frame; those that cannot be are taken out and failed.
    pub(crate) fn unseal(&self, frame: &mut ToWorker) -> Vec<(TaskToken, TaskOutcome)> {
        for token in &frame.cancels {
            self.forget(*token);
        }
        let mut failed = Vec::new();
        frame.tasks.retain_mut(|delivery| {
            let done = self.complete(delivery);
            let is_done = done.is_ok();
            failed.extend(done.err().map(|failure| {
                let outcome = TaskOutcome::Failed {
                    failure,
                    retryable: false,
                };
                (delivery.token, outcome)
            }));
            is_done
        });
        failed
    }

    fn complete(&self, delivery: &mut Delivery) -> Result<(), Failure> {
        let sealed = std::mem::take(&mut delivery.sealed);
        if sealed.is_empty() {
            return Ok(());
        }
        let (mut used, mut others) = (BTreeSet::new(), BTreeSet::new());
        for member in &sealed {
            let value = self.value(member, &mut others)?;
            note(&value, &mut used);
            let steps: Vec<String> = member
                .at
                .split('/')
                .skip(1)
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect();
            delivery.input = placed(&delivery.input, &steps, value);
        }
        // The longest first: a secret may hold another.
        let texts = used.iter().chain(others.difference(&used)).cloned();
        let mut texts: Vec<Str> = texts.take(HIDDEN_MAX).collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let mut hidden = self.hidden();
        hidden.insert(delivery.token, texts);
        if hidden.len() > REMEMBERED_MAX {
            hidden.pop_first();
        }
        Ok(())
    }

    /// The value of a sealed member; the texts of the secrets in it are noted.
    fn value(&self, member: &Sealed, texts: &mut BTreeSet<Str>) -> Result<Value, Failure> {
        let mut secrets = Object::new();
        for name in &member.secrets {
            let secret = self
                .source
                .find(name)
                .map_err(|why| Failure::new("configuration", why))?;
            note(&secret, texts);
            secrets.insert(name.clone(), secret);
        }
        // What the engine of expressions says about a value could repeat it.
        let failed = || {
            let detail = format!(
                "the expression on $secrets for {:?} does not work on what these secrets hold: {}",
                member.at, member.value.0
            );
            Failure::new("expression", detail)
        };
        let program =
            Program::compile(&member.value.0, &[SECRETS_VARIABLE]).map_err(|_| failed())?;
        let value = program
            .run(
                &Value::Null,
                &[Value::object(secrets)],
                &mut Budget::default(),
            )
            .map_err(|_| failed())?;
        Ok(value)
    }

    /// The same outcome with dots for the secrets that its task was given.
    pub(crate) fn hide(&self, token: TaskToken, outcome: TaskOutcome) -> TaskOutcome {
        let Some(texts) = self.forget(token) else {
            return outcome;
        };
        match outcome {
            TaskOutcome::Done(value) => TaskOutcome::Done(hidden(&value, &texts)),
            TaskOutcome::Failed { failure, retryable } => TaskOutcome::Failed {
                failure: Failure::from_value(&hidden(&failure.to_value(), &texts)),
                retryable,
            },
        }
    }

    fn forget(&self, token: TaskToken) -> Option<Vec<Str>> {
        self.hidden().remove(&token)
    }

    fn hidden(&self) -> MutexGuard<'_, BTreeMap<TaskToken, Vec<Str>>> {
        self.hidden
            .lock()
            .expect("nobody panics while holding what is hidden")
    }
}

/// The same data with a value at this place, as far as the place is there.
fn placed(data: &Value, steps: &[String], value: Value) -> Value {
    let Some((step, below)) = steps.split_first() else {
        return value;
    };
    match data {
        Value::Object(members) => {
            let mut members = (**members).clone();
            if let Some(member) = data.get(step) {
                members.insert(step.as_str().into(), placed(member, below, value));
            }
            Value::object(members)
        }
        Value::Array(elements) => {
            let mut elements = (**elements).clone();
            if let Some(element) = step.parse().ok().and_then(|at: usize| elements.get_mut(at)) {
                *element = placed(element, below, value);
            }
            Value::array(elements)
        }
        other => other.clone(),
    }
}

/// Notes the texts that are to be hidden.
fn note(value: &Value, texts: &mut BTreeSet<Str>) {
    match value {
        Value::Text(text) if text.len() >= HIDDEN_BYTES_MIN => {
            texts.insert(text.clone());
        }
        Value::Array(elements) => elements.iter().for_each(|element| note(element, texts)),
        Value::Object(members) => members.iter().for_each(|(_, member)| note(member, texts)),
        _ => {}
    }
}

fn hidden(value: &Value, texts: &[Str]) -> Value {
    let clean = |text: &Str| clean(text, texts);
    match value {
        Value::Text(text) => Value::Text(clean(text)),
        Value::Array(elements) => Value::array(
            elements
                .iter()
                .map(|element| hidden(element, texts))
                .collect(),
        ),
        Value::Object(members) => {
            let members = members.iter();
            Value::object(
                members
                    .map(|(key, member)| (clean(key), hidden(member, texts)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// A text with dots for secrets, also for those that an address holds escaped; it is then shown without escapes.
fn clean(text: &Str, secrets: &[Str]) -> Str {
    let dotted = |text: &str| {
        let found = secrets.iter().filter(|secret| text.contains(&***secret));
        found.fold(text.to_owned(), |text, secret| {
            text.replace(&**secret, DOTS)
        })
    };
    let text = dotted(text);
    if !text.contains(['%', '+']) {
        return text.into();
    }
    let unescaped = [unescape(&text), unescape(&text.replace('+', " "))];
    let mut held = unescaped.into_iter().filter_map(|plain| {
        let hidden = dotted(&plain);
        (hidden != plain).then_some(hidden)
    });
    held.next().unwrap_or(text).into()
}

/// A text with the bytes that its `%41` and the like stand for.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).filter(|digits| !digits.starts_with('+'));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct One;

    impl SecretSource for One {
        fn find(&self, name: &str) -> Result<Value, String> {
            match name {
                "shop" => Ok(json(r#"{"user":"ada","token":"s3cr3t-token"}"#)),
                "many" => {
                    let member = |number: usize| {
                        (
                            format!("k{number:03}").as_str().into(),
                            Value::text(format!("text {number:03}")),
                        )
                    };
                    Ok(Value::object((0..300).map(member).collect()))
                }
                _ => NoSecrets.find(name),
            }
        }
    }

    fn json(text: &str) -> Value {
        Value::from_json(text.as_bytes()).unwrap()
    }

    fn sealed(at: &str, name: &str, value: &str) -> Sealed {
        Sealed {
            at: at.into(),
            secrets: vec![name.into()],
            value: value.into(),
        }
    }

    fn delivery(input: &str, sealed: Vec<Sealed>) -> ToWorker {
        let token = TaskToken {
            run: kernel::RunId([1; 16]),
            step: kernel::StepId(1),
            claim: 1,
        };
        let delivery = Delivery {
            token,
            session: kernel::SessionId(1),
            queue: "q".into(),
            name: "n".into(),
            input: json(input),
            sealed,
            attempt: 1,
            workflow: "w".into(),
            heartbeat_timeout_ms: None,
            run_timeout_ms: None,
        };
        ToWorker {
            tasks: vec![delivery],
            ..ToWorker::default()
        }
    }

    #[test]
    fn secrets_are_put_in_on_the_way_out_and_hidden_on_the_way_back() {
        let unsealer = Unsealer::new(Arc::new(One));
        let input = r#"{"a/b":[1,null],"c":null}"#;
        let mut frame = delivery(
            input,
            vec![
                sealed("/a~1b/1", "shop", "$secrets.shop.token"),
                sealed("/c", "shop", r#""Bearer " + $secrets.shop.token"#),
            ],
        );
        assert!(unsealer.unseal(&mut frame).is_empty());
        let expected = r#"{"a/b":[1,"s3cr3t-token"],"c":"Bearer s3cr3t-token"}"#;
        assert_eq!(frame.tasks[0].input, json(expected));
        let token = frame.tasks[0].token;
        let said = json(r#"{"s3cr3t-token":["got s3cr3t-token from ada","Bearer s3cr3t-token"]}"#);
        let hidden = unsealer.hide(token, TaskOutcome::Done(said));
        let expected = json(r#"{"•••":["got ••• from ada","•••"]}"#);
        assert_eq!(hidden, TaskOutcome::Done(expected));
        assert!(unsealer.hidden().is_empty());
    }

    #[test]
    fn what_a_task_was_given_is_hidden_before_what_else_a_secret_holds() {
        let unsealer = Unsealer::new(Arc::new(One));
        let mut frame = delivery(
            r#"{"a":null}"#,
            vec![sealed("/a", "many", "$secrets.many.k299")],
        );
        assert!(unsealer.unseal(&mut frame).is_empty());
        let said = TaskOutcome::Done(json(r#""got text 299 and text 000""#));
        let hidden = unsealer.hide(frame.tasks[0].token, said);
        assert_eq!(hidden, TaskOutcome::Done(json(r#""got ••• and •••""#)));
    }

    #[test]
    fn a_secret_in_an_address_is_hidden_however_it_is_escaped() {
        let secrets = ["tok en/+\"%ü".into(), "plain-token".into()];
        for (said, expected) in [
            (
                "GET http://x/bot/tok%20en%2F+%22%25%C3%BC/y: 100% refused",
                "GET http://x/bot/•••/y: 100% refused",
            ),
            ("?k=tok+en%2f%2B%22%25%c3%bc&l=1", "?k=•••&l=1"),
            ("?k=plain-token&l=a+b%20c", "?k=•••&l=a+b%20c"),
            ("100%, 1+1, %zz, %", "100%, 1+1, %zz, %"),
        ] {
            assert_eq!(&*clean(&said.into(), &secrets), expected, "{said}");
        }
    }

    #[test]
    fn a_task_whose_secret_is_missing_fails_by_its_name_and_goes_to_nobody() {
        let unsealer = Unsealer::new(Arc::new(One));
        for (member, part) in [
            (sealed("/a", "none", "$secrets.none"), r#"no secret "none""#),
            (
                sealed("/a", "shop", "$secrets.shop.token + 1"),
                "does not work",
            ),
        ] {
            let mut frame = delivery(r#"{"a":null}"#, vec![member]);
            let failed = unsealer.unseal(&mut frame);
            assert!(frame.tasks.is_empty());
            let [(_, TaskOutcome::Failed { failure, retryable })] = &failed[..] else {
                panic!("{failed:?}");
            };
            let detail = failure.detail.as_deref().unwrap();
            assert!(
                detail.contains(part) && !detail.contains("s3cr3t"),
                "{detail}"
            );
            assert!(!retryable);
        }
    }
}
