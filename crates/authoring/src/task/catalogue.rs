//! Owns the functions of the catalogue: what the language lacks, spelled as calls that its schema allows.
//!
//! `task` offers work to a worker, `map` goes through a list side by side, `race` waits for some of many,
//! `lock` keeps others out, `saga` takes back, `finally` cleans up, `loop` repeats on a condition.

use graph::check::{BRANCHES_MAX, CONCURRENCY_MAX, MORE_MAX, ROUNDS_MAX, THREADS_MAX};
use graph::ir::{
    Exhausted, Filter, ForEach, Fork, Kind, Lock, LockScope, Loop, Losers, More, Need,
    PRIORITY_MAX, Task, Try,
};
use graph::value::Value;
use graph::{Expr, Template};

use super::list::Flow;
use crate::lowering::{Lowering, Scope};
use crate::tree::{At, Data};

/// The queue of tasks that name none.
const QUEUE_DEFAULT: &str = "default";

/// How many elements of a map are worked on at once, if nothing is said.
pub(crate) const CONCURRENCY_DEFAULT: u32 = 10;

/// How many more elements a map takes, if nothing is said.
const MORE_DEFAULT: u32 = 1_000;

/// The most elements that a map can be said to need.
const ITEMS_MAX: u32 = 100_000;

/// Variables that hold an element and its index, if nothing is said.
pub(crate) const ITEM_DEFAULT: &str = "item";
pub(crate) const INDEX_DEFAULT: &str = "index";

/// After how many rounds a loop fails, if nothing is said.
const ROUNDS_DEFAULT: u32 = 1_000;

impl<'t> Lowering<'t> {
    pub(super) fn worker_task(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            with,
            &[
                "queue",
                "name",
                "input",
                "timeouts",
                "retry",
                "exhausted",
                "priority",
            ],
        );
        let queue = match with.member("queue") {
            Some(queue) => self.text_template(queue, scope),
            None => Some(Template::Literal(Value::from(QUEUE_DEFAULT))),
        };
        let name = self
            .require(with, "name")
            .and_then(|name| self.text_template(name, scope));
        let input = self.template_or(with, "input", Template::identity(), &scope.with_secrets());
        let [mut queue_timeout, mut run_timeout, mut heartbeat_timeout] = [None, None, None];
        if let Some(timeouts) = with.member("timeouts") {
            self.known(timeouts, &["queue", "run", "heartbeat"]);
            queue_timeout = timeouts
                .member("queue")
                .and_then(|at| self.delay(at, scope));
            run_timeout = timeouts.member("run").and_then(|at| self.delay(at, scope));
            heartbeat_timeout = timeouts
                .member("heartbeat")
                .and_then(|at| self.delay(at, scope));
        }
        let retry = with
            .member("retry")
            .and_then(|retry| self.task_retry(retry, scope));
        let exhausted = match with
            .member("exhausted")
            .and_then(|at| self.word(at, &["fail", "park"]))
        {
            Some("park") => Exhausted::Park,
            _ => Exhausted::Fail,
        };
        let priority = with
            .member("priority")
            .and_then(|at| self.urgency(at, scope));
        let mut input = input?;
        let sealed = self.seal(with, &mut input);
        Some(Kind::Task(Task {
            queue: queue?,
            name: name?,
            input,
            sealed,
            queue_timeout,
            run_timeout,
            heartbeat_timeout,
            retry,
            exhausted,
            priority,
        }))
    }

    pub(super) fn map(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(
            with,
            &[
                "in",
                "each",
                "at",
                "concurrency",
                "while",
                "do",
                "need",
                "until",
                "losers",
                "more",
            ],
        );
        let items = self
            .require(with, "in")
            .and_then(|items| self.items(items, scope));
        let (each, at, inner) = self.bind_each(with, "each", scope);
        let concurrency = self
            .count(with, "concurrency", 1, CONCURRENCY_MAX)
            .unwrap_or(CONCURRENCY_DEFAULT);
        let repeat_while = self.optional_condition(with, "while", &inner);
        let need = self.count(with, "need", 1, ITEMS_MAX);
        let until = self.optional_condition(with, "until", scope);
        let losers = self.losers(with);
        let is_partial = with.member("need").is_some() || with.member("until").is_some();
        if losers == Losers::Leave && !is_partial {
            self.findings.error_key(
                with,
                "bad-value",
                "without `need` or `until` no element is left over; add one of them, or leave `losers` out",
            );
        }
        let more = match with.member("more") {
            Some(more) => Some(self.more(more, scope)?),
            None => None,
        };
        let body = self.required_body(with, "do", &inner);
        Some(Kind::ForEach(ForEach {
            items: items?,
            each,
            at,
            body: body?,
            repeat_while,
            concurrency,
            collect: true,
            need: need.map_or(Need::All, Need::Count),
            until,
            losers,
            more,
        }))
    }

    /// Elements that come while a map goes on.
    fn more(&mut self, at: At<'t>, scope: &Scope) -> Option<More> {
        let condition = if self.is_drawn { &["when"][..] } else { &[] };
        let keys = ["with", "correlate", "max", "transient"];
        self.known(at, &[&keys, condition].concat());
        let max = self.count(at, "max", 1, MORE_MAX).unwrap_or(MORE_DEFAULT);
        let transient = self.flag(at, "transient", false);
        let filter = self.filter_of(at, scope)?;
        Some(More {
            filter: Filter {
                transient,
                ..filter
            },
            max,
        })
    }

    /// What becomes of bodies that nobody waits for any more.
    fn losers(&mut self, with: At<'t>) -> Losers {
        let word = with
            .member("losers")
            .and_then(|at| self.word(at, &["cancel", "leave"]));
        match word {
            Some("leave") => Losers::Leave,
            _ => Losers::Cancel,
        }
    }

    /// A critical section.
    pub(super) fn lock(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(with, &["name", "scope", "limit", "do"]);
        let name = self
            .require(with, "name")
            .and_then(|name| self.text_template(name, scope));
        let known_in = with
            .member("scope")
            .and_then(|at| self.word(at, &["run", "workflow", "server"]));
        let limit = self.count(with, "limit", 1, THREADS_MAX).unwrap_or(1);
        let body = self.required_body(with, "do", scope);
        Some(Kind::Lock(Lock {
            name: name?,
            scope: match known_in {
                Some("workflow") => LockScope::Workflow,
                Some("server") => LockScope::Server,
                _ => LockScope::Run,
            },
            limit,
            body: body?,
        }))
    }

    /// A number from 0 to 9, or an expression that gives one.
    pub(crate) fn urgency(&mut self, at: At<'t>, scope: &Scope) -> Option<Expr> {
        let Data::Int(number) = at.data() else {
            return self.expression_of(at, &["number"], scope);
        };
        if (0..=i64::from(PRIORITY_MAX)).contains(number) {
            return Some(Expr(number.to_string().into()));
        }
        let message =
            format!("a priority is a number from 0 (last) to {PRIORITY_MAX} (first), not {number}");
        self.findings.error(at, "bad-value", message);
        None
    }

    pub(super) fn race(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(with, &["branches", "need", "losers", "first"]);
        let branches = self.branches(with, scope)?;
        let count = u32::try_from(branches.len())
            .unwrap_or(u32::MAX)
            .min(u32::try_from(BRANCHES_MAX).unwrap_or(u32::MAX));
        let need = self.need(with, count).unwrap_or(Need::Count(1));
        let losers = self.losers(with);
        Some(Kind::Fork(Fork {
            branches,
            need,
            losers,
            first: self.flag(with, "first", false),
        }))
    }

    pub(super) fn saga(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(with, &["do"]);
        self.required_body(
            with,
            "do",
            &Scope {
                saga: true,
                ..scope.clone()
            },
        )
        .map(Kind::Saga)
    }

    pub(super) fn finally(&mut self, with: At<'t>, scope: &Scope, flow: &Flow<'t>) -> Option<Kind> {
        self.known(with, &["do", "catch", "finally"]);
        let body = self.required_body(with, "do", scope);
        let catch = match with.member("catch") {
            Some(catch) => Some(self.catch(catch, scope, flow)?),
            None => None,
        };
        let finally = self.required_body(
            with,
            "finally",
            &Scope {
                saga: false,
                ..scope.clone()
            },
        );
        Some(Kind::Try(Try {
            body: body?,
            catch,
            finally: Some(finally?),
        }))
    }

    pub(super) fn repeat(&mut self, with: At<'t>, scope: &Scope) -> Option<Kind> {
        self.known(with, &["do", "while", "until", "max"]);
        if with.is_map() && with.member("while").is_none() && with.member("until").is_none() {
            self.findings.error_key(
                with,
                "missing-key",
                "a loop needs `while` (checked before each round) or `until` (checked after it)",
            );
        }
        let repeat_while = self.optional_condition(with, "while", scope);
        let repeat_until = self.optional_condition(with, "until", scope);
        let rounds_max = self
            .count(with, "max", 1, ROUNDS_MAX)
            .unwrap_or(ROUNDS_DEFAULT);
        let body = self.required_body(with, "do", scope)?;
        Some(Kind::Loop(Loop {
            body,
            repeat_while,
            repeat_until,
            rounds_max,
        }))
    }
}
