//! Owns tasks about failures: `try` with its catch, `raise`, and retry policies.
//!
//! Invariant: attempts are counted with the first one, so `limit.attempt.count: 3` is one try and two
//! more. Exponential backoff doubles.

use graph::ir::{Backoff, BodyIndex, Catch, Kind, Next, Retry, Try};
use graph::value::{Str, Value};
use graph::{Delay, Template};

use super::list::Flow;
use crate::expression::unwrap;
use crate::lowering::{Lowering, Scope};
use crate::tree::{At, Data};

/// By what exponential backoff multiplies.
pub(crate) const BACKOFF_FACTOR: f64 = 2.0;

/// The most that it can be told to multiply by.
const BACKOFF_FACTOR_MAX: f64 = 1_000.0;

/// The pause between attempts of a policy that names none, so that no retry spins.
const DELAY_DEFAULT_MS: u64 = 1_000;

/// The most attempts that can be asked for.
const ATTEMPTS_MAX: u32 = 1_000_000;

/// Keys of a retry policy in the language.
const KEYS_RETRY: [&str; 6] = ["when", "exceptWhen", "delay", "backoff", "limit", "jitter"];

/// Keys that retry policies in `call: task` have in addition.
const KEYS_RETRY_TASK: [&str; 2] = ["maxDelay", "nonRetryable"];

/// Members of an error, of which `details` is an old name of `detail`.
const KEYS_ERROR: [&str; 6] = ["type", "status", "instance", "title", "detail", "details"];

/// Variable that holds a caught error, and the error of a task for its retry policy.
pub(crate) const ERROR: &str = "error";

impl<'t> Lowering<'t> {
    pub(super) fn try_catch(
        &mut self,
        task: At<'t>,
        at: At<'t>,
        scope: &Scope,
        flow: &Flow<'t>,
    ) -> Option<Kind> {
        let body = self.body(at, scope);
        let catch = self
            .require(task, "catch")
            .and_then(|catch| self.catch(catch, scope, flow));
        let body = match self.attempt_timeout(task, scope) {
            Some(timeout) => self.timed(at, body?, timeout, scope)?,
            None => body?,
        };
        Some(Kind::Try(Try {
            body,
            catch: Some(catch?),
            finally: None,
        }))
    }

    /// The longest each attempt of a `try` may take.
    fn attempt_timeout(&mut self, task: At<'t>, scope: &Scope) -> Option<Delay> {
        let retry = task.member("catch")?.member("retry")?;
        let policy = match retry.text() {
            Some(name) => self.component("retries", name)?,
            None => retry,
        };
        let attempt = policy.member("limit")?.member("attempt")?;
        self.delay(attempt.member("duration")?, scope)
    }

    /// A body with a limit to the time that it may take.
    fn timed(
        &mut self,
        at: At<'t>,
        inner: BodyIndex,
        timeout: Delay,
        scope: &Scope,
    ) -> Option<BodyIndex> {
        let body = self.add_body(at, scope)?;
        let node = self.add_node(at, at.key(), body)?;
        self.enter(body, Next::Node(node));
        let node = self.node(node);
        (node.kind, node.timeout) = (Kind::Do(inner), Some(timeout));
        Some(body)
    }

    pub(super) fn catch(&mut self, at: At<'t>, scope: &Scope, flow: &Flow<'t>) -> Option<Catch> {
        self.known(
            at,
            &["errors", "as", "when", "exceptWhen", "retry", "do", "then"],
        );
        let with = at
            .member("errors")
            .map_or(Some(Vec::new()), |errors| self.error_filter(errors));
        let (bind, inner) = self.bind(at.member("as"), ERROR, scope);
        let further = if self.is_drawn {
            &KEYS_RETRY_TASK[..]
        } else {
            &[]
        };
        Some(Catch {
            when: self.optional_condition(at, "when", &inner),
            except_when: self.optional_condition(at, "exceptWhen", &inner),
            retry: at
                .member("retry")
                .and_then(|retry| self.retry(retry, further, &inner)),
            body: at.member("do").and_then(|list| self.body(list, &inner)),
            next: at.member("then").map(|then| self.directive(then, flow)),
            with: with?,
            bind,
        })
    }

    fn error_filter(&mut self, at: At<'t>) -> Option<Vec<(Str, Value)>> {
        self.known(at, &["with"]);
        let Some(with) = at.member("with") else {
            return Some(Vec::new());
        };
        if !self.known(with, &KEYS_ERROR) {
            return None;
        }
        let mut members = Vec::new();
        for member in with
            .children()
            .filter(|member| KEYS_ERROR.contains(&member.key()))
        {
            let value = match (member.key(), member.data()) {
                ("status", Data::Int(status)) => Some(Value::Int(*status)),
                ("status", _) => {
                    self.wrong(member, "a whole number such as 503");
                    None
                }
                _ => self.constant(member).map(Value::Text),
            };
            let key = if member.key() == "details" {
                "detail"
            } else {
                member.key()
            };
            members.push(value.map(|value| (key.into(), value)));
        }
        members.into_iter().collect()
    }

    /// Text that an error is compared with.
    fn constant(&mut self, at: At<'t>) -> Option<Str> {
        if at.text().is_some_and(|text| unwrap(text).is_some()) {
            let message = "errors are filtered by fixed values; put the expression into `catch.when`, where the error is $error";
            self.findings.error(at, "not-literal", message);
            return None;
        }
        self.literal(at)
    }

    pub(super) fn raise(&mut self, at: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(at, &["error"]);
        let error = self.require(at, "error")?;
        let error = match error.text() {
            Some(text) if self.is_drawn && unwrap(text).is_some() => {
                return self.template(error, scope).map(Kind::Raise);
            }
            Some(name) => self.reuse("errors", name, error)?,
            None => error,
        };
        if !self.known(error, &["type", "status", "title", "detail", "instance"]) {
            return None;
        }
        let kind = self.require(error, "type");
        let status = self.require(error, "status");
        let mut members = Vec::new();
        for member in error.children() {
            let value = match member.data() {
                Data::Int(status) if member.key() == "status" => {
                    Some(Template::Literal(Value::Int(*status)))
                }
                _ if member.key() == "status"
                    && member.text().is_none_or(|text| unwrap(text).is_none()) =>
                {
                    self.wrong(
                        member,
                        "a whole number such as 500, or an expression wrapped in ${ }",
                    );
                    None
                }
                _ if member.key() == "status" => self.template_of(member, &["number"], scope),
                _ => self.text_template(member, scope),
            };
            members.push(value.map(|value| (Str::from(member.key()), value)));
        }
        let members: Vec<_> = members.into_iter().collect::<Option<_>>()?;
        (kind.is_some() && status.is_some()).then_some(Kind::Raise(Template::Object(members)))
    }

    /// The retry policy of `call: task`; it sees the error as `$error`.
    pub(super) fn task_retry(&mut self, at: At<'t>, scope: &Scope) -> Option<Retry> {
        let mut inner = scope.clone();
        inner.locals.push(ERROR.into());
        let retry = self.retry(at, &KEYS_RETRY_TASK, &inner)?;
        let is_computed = matches!(retry.delay, Delay::Computed(_));
        if retry.when.is_some() || retry.except_when.is_some() || is_computed {
            self.declare(&ERROR.into());
        }
        Some(retry)
    }

    /// A retry policy, or the name of one in `use.retries`.
    fn retry(&mut self, at: At<'t>, further: &[&str], scope: &Scope) -> Option<Retry> {
        let of_task = !further.is_empty();
        let (policy, further) = match at.text() {
            Some(name) => (self.reuse("retries", name, at)?, &[][..]),
            None => (at, further),
        };
        if !self.known(policy, &[&KEYS_RETRY, further].concat()) {
            return None;
        }
        let mut retry = Retry {
            delay: Delay::Ms(DELAY_DEFAULT_MS),
            backoff: policy
                .member("backoff")
                .map_or(Backoff::Constant, |backoff| self.backoff(backoff)),
            delay_max_ms: policy.member("maxDelay").and_then(|at| self.fixed_ms(at)),
            jitter_ms: policy
                .member("jitter")
                .and_then(|jitter| self.jitter(jitter)),
            attempts_max: None,
            duration_max_ms: None,
            fatal_types: policy
                .member("nonRetryable")
                .map_or(Vec::new(), |types| self.names_of(types)),
            when: self.optional_condition(policy, "when", scope),
            except_when: self.optional_condition(policy, "exceptWhen", scope),
        };
        if let Some(delay) = policy
            .member("delay")
            .and_then(|delay| self.delay(delay, scope))
        {
            retry.delay = delay;
        }
        if let Some(limit) = policy.member("limit") {
            self.limit(limit, &mut retry, of_task);
        }
        Some(retry)
    }

    fn limit(&mut self, at: At<'t>, retry: &mut Retry, of_task: bool) {
        self.known(at, &["attempt", "duration"]);
        retry.duration_max_ms = at
            .member("duration")
            .and_then(|duration| self.fixed_ms(duration));
        if let Some(attempt) = at.member("attempt") {
            self.known(attempt, &["count", "duration"]);
            if of_task {
                let advice = "write `timeouts: {run: …}` beside `retry`";
                self.refuse(attempt, &[("duration", advice)]);
            }
            retry.attempts_max = self.count(attempt, "count", 1, ATTEMPTS_MAX);
        }
    }

    fn backoff(&mut self, at: At<'t>) -> Backoff {
        self.known(at, &["constant", "linear", "exponential"]);
        let kinds: Vec<At<'t>> = at.children().collect();
        if kinds.len() != 1 {
            self.findings.error(
                at,
                "bad-value",
                "backoff is exactly one of constant: {}, linear: {}, exponential: {}",
            );
        }
        let mut factor = BACKOFF_FACTOR;
        for kind in &kinds {
            match kind.member("factor") {
                Some(given) if self.is_drawn && kind.key() == "exponential" => {
                    self.known(*kind, &["factor"]);
                    factor = self.factor(given).unwrap_or(factor);
                }
                _ => self.nothing(*kind),
            }
        }
        match kinds.first().map(|kind| kind.key()) {
            Some("linear") => Backoff::Linear,
            Some("exponential") => Backoff::Exponential(factor),
            _ => Backoff::Constant,
        }
    }

    /// By what a pause grows each time.
    fn factor(&mut self, at: At<'t>) -> Option<f64> {
        let factor = match at.data() {
            Data::Float(factor) => *factor,
            Data::Int(factor) => f64::from(i32::try_from(*factor).unwrap_or(i32::MAX)),
            _ => {
                self.wrong(at, "a number");
                return None;
            }
        };
        let fits = (1.0..=BACKOFF_FACTOR_MAX).contains(&factor);
        if !fits {
            let message = format!("`factor` must be from 1 to {BACKOFF_FACTOR_MAX}, not {factor}");
            self.findings.error(at, "bad-value", message);
        }
        fits.then_some(factor)
    }

    fn jitter(&mut self, at: At<'t>) -> Option<(u64, u64)> {
        self.known(at, &["from", "to"]);
        let from = self
            .require(at, "from")
            .and_then(|from| self.fixed_ms(from));
        let to = self.require(at, "to").and_then(|to| self.fixed_ms(to));
        let bounds = (from?, to?);
        if bounds.0 > bounds.1 {
            self.findings.error(
                at,
                "bad-value",
                "jitter goes from the shorter to the longer time; swap `from` and `to`",
            );
        }
        Some(bounds)
    }

    fn names_of(&mut self, at: At<'t>) -> Vec<Str> {
        let elements = self.list(at).unwrap_or_default();
        elements
            .into_iter()
            .filter_map(|element| self.literal(element))
            .collect()
    }
}
