//! Owns [`Graph`]: what a workflow compiles to, and all that the kernel knows of it.
//!
//! A graph is a list of nodes grouped into bodies. A *body* is what a container opens: the root, a
//! loop body, a fork branch, a catch. Tokens walk along [`Next`] inside one body and never jump into
//! another, so a body can be cancelled, completed or undone as a region. The JSON form of these types
//! is the published contract and what definitions are stored as: fields are added, never renamed.

mod human;
mod schemas;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::duration::Delay;
use crate::template::{Expr, Template};
use crate::value::{Str, Value};

pub use human::{Assignment, Escalate, FORM, Human};
pub use schemas::Schemas;

/// Index of a node in [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeIndex(pub u32);

/// Index of a body in [`Graph::bodies`]. The root is body 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BodyIndex(pub u32);

/// The root body.
pub const ROOT: BodyIndex = BodyIndex(0);

/// The namespace that names without one belong to.
pub const NAMESPACE_DEFAULT: &str = "default";

/// The most urgent priority; 0 is the least.
pub const PRIORITY_MAX: u8 = 9;

/// The priority of tasks when nobody says one.
pub const PRIORITY_DEFAULT: u8 = 5;

/// A compiled workflow: one immutable version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// `name` in the default namespace, else `namespace/name`.
    pub workflow: Str,
    /// Semantic version, unique within the workflow.
    pub version: Str,
    /// Shapes the run's input before the first node sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Template>,
    /// Shapes the last node's output into the run's output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Template>,
    /// What data must look like: the raw input, the shaped output, and `$context` after each export.
    #[serde(default, skip_serializing_if = "Schemas::is_empty")]
    pub schemas: Schemas,
    /// Events that start runs of it, if a schedule asks for that: the input is the array of those events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Listen>,
    /// What `$context` is at first; none is an empty object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// The longest a run may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Delay>,
    /// How long a finished run is kept, in milliseconds; none takes the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_ms: Option<u64>,
    /// Labels that every run of this version carries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(Str, Str)>,
    /// Typed values that runs are searched by, computed from the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// How many runs may go on at once, and what becomes of those that come too early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// How urgent the tasks of a run are that say nothing themselves: a number from 0 (last) to
    /// [`PRIORITY_MAX`] (first), on the run's input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Expr>,
    /// What the author wrote, for expressions that ask for it; none if none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Value>,
    /// Names of the variables that bodies bind (loop items, caught errors), without `$`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locals: Vec<Str>,
    /// Bodies; the first is the root.
    pub bodies: Vec<Body>,
    /// Nodes of all bodies.
    pub nodes: Vec<Node>,
}

impl Graph {
    /// Where a token enters a body.
    #[must_use]
    pub fn entrance(&self, body: BodyIndex) -> Next {
        self.bodies
            .get(body.0 as usize)
            .and_then(|body| body.first)
            .map_or(Next::Exit, Next::Node)
    }

    /// Every schema: of which node (none for the workflow), of what, and itself.
    pub fn schemas(&self) -> impl Iterator<Item = (Option<u32>, &'static str, &Value)> {
        let nodes = (0_u32..).zip(&self.nodes).flat_map(|(index, node)| {
            let form = match &node.kind {
                Kind::Human(human) => human.form.as_ref().map(|form| (FORM, form)),
                _ => None,
            };
            let schemas = node.schemas.iter().chain(form);
            schemas.map(move |(word, schema)| (Some(index), word, schema))
        });
        nodes.chain(
            self.schemas
                .iter()
                .map(|(word, schema)| (None, word, schema)),
        )
    }
}

/// A region of nodes that runs, ends and is cancelled as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Where it stands in the source, as a JSON pointer.
    pub path: Str,
    /// Where a token enters; none ends at once.
    pub first: Option<NodeIndex>,
}

/// One step of the workflow as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The author's name for it.
    pub name: Str,
    /// Where it stands in the source, as a JSON pointer.
    pub path: Str,
    /// The body it belongs to; every [`Next::Node`] stays inside it.
    pub body: BodyIndex,
    /// Skips the node when false, on the raw input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Shapes the raw input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Template>,
    /// Shapes the raw output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Template>,
    /// Replaces `$context`, computed from the shaped output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Template>,
    /// What data must look like: the raw input, the shaped output, and `$context` after the export.
    #[serde(default, skip_serializing_if = "Schemas::is_empty")]
    pub schemas: Schemas,
    /// The longest one visit may take; past it the step fails with a timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Delay>,
    /// Compensation: the body that takes back what this step did, when the enclosing saga fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<BodyIndex>,
    /// Where the token goes afterwards.
    pub next: Next,
    /// What it does.
    pub kind: Kind,
}

/// Where a token goes after a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// To this node of the same body.
    Node(NodeIndex),
    /// Out of the body: it ends when no token is left in it.
    Exit,
    /// Ends the whole run as completed, withdrawing all other work.
    End,
}

/// What a node does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Offers work to a worker queue and waits for the result.
    Task(Task),
    /// Replaces the data.
    Set(Template),
    /// Goes to the first case that holds; to the node's `next` when none does.
    Switch(Vec<Case>),
    /// Runs a body once.
    Do(BodyIndex),
    /// Repeats a body.
    Loop(Loop),
    /// Runs a body for each element of a list.
    ForEach(ForEach),
    /// Runs bodies side by side.
    Fork(Fork),
    /// Runs a body and deals with its failure.
    Try(Try),
    /// Runs a body; when it fails or the run is cancelled, undoes its completed steps in reverse order.
    Saga(BodyIndex),
    /// Fails with this error: an object with `type`, `status`, `title`, `detail`.
    Raise(Template),
    /// Waits for a time.
    Wait(Wait),
    /// Waits for signals or correlated events.
    Listen(Listen),
    /// Publishes an event: an object with `type` and optionally `id`, `source`, `subject`, `data`.
    Emit(Template),
    /// Starts another run.
    Child(Child),
    /// Gives work to a person and waits for what they decide.
    Human(Human),
    /// Sends one token along every case that holds (all of them, when none has a condition).
    Split(Vec<Case>),
    /// Sends so many tokens with the same data along its `next`: a number from 1 to
    /// [`crate::check::THREADS_MAX`].
    Threads(Expr),
    /// Holds tokens until enough have come, then lets one go with the array of their data.
    Join(Join),
    /// Holds tokens until no other token of its body can still come here along the edges, then lets one go
    /// with the array of their data, in order of arrival. It does not wait for tokens held by a join or merge that
    /// lies behind it; so of two merges that can reach each other the first one written goes on.
    Merge,
    /// Runs a body while it holds a named lock; waits for the lock first, in order of arrival.
    Lock(Lock),
    /// Ends what goes on at other nodes, and goes on itself.
    Withdraw(Withdraw),
    /// Lets a token pass only while something goes on at another node.
    Milestone(Milestone),
}

/// Lets at most so many steps at once run its body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// Its name: text. Steps that give the same name in the same scope mean the same lock.
    pub name: Template,
    /// Where the name is known.
    #[serde(default)]
    pub scope: LockScope,
    /// How many may hold it at once.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub limit: u32,
    /// What is run by whoever holds it.
    pub body: BodyIndex,
}

/// Where the name of a lock is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockScope {
    /// In one run.
    #[default]
    Run,
    /// In all runs of the workflow, whatever their version.
    Workflow,
    /// In all runs of the server.
    Server,
}

/// Ends what goes on at other nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withdraw {
    /// Which: nodes of its own body or of those around it, in the same opening of them. A join or
    /// merge loses the tokens that wait there.
    pub nodes: Vec<NodeIndex>,
    /// False: what goes on there is withdrawn, and its tokens are gone. True: it is cut short and goes on to
    /// its `next`: a for-each that collects and a fork with the outputs that they have, a join or merge with the
    /// tokens that it has, anything else with the data that came in.
    #[serde(default)]
    pub complete: bool,
}

/// Lets a token pass only while something goes on at another node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Milestone {
    /// Which: a node that takes time, of its own body or of one around it, in the same opening of it.
    pub node: NodeIndex,
    /// Where a token goes that comes at another time; none lets it wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Next>,
}

/// Holds tokens until enough have come. Its JSON is that of `need` alone where the rest is as if left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "JoinForm", into = "JoinForm")]
pub struct Join {
    /// How many must come.
    pub need: Need,
    /// What is counted.
    pub by: JoinBy,
}

/// What a join counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinBy {
    /// Tokens, whatever edge they come by. When as many have come as there are edges the next cycle begins;
    /// those that were not needed are swallowed.
    #[default]
    Tokens,
    /// Edges: the first token of each edge belongs to the first cycle, the second to the next. A cycle is over when
    /// every edge has delivered; a token that comes earlier waits for the next.
    Edges,
    /// Tokens that need no edge of their own: so many make a cycle.
    Threads,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum JoinForm {
    Plain(Need),
    Full {
        need: Need,
        #[serde(default)]
        by: JoinBy,
    },
}

impl From<JoinForm> for Join {
    fn from(form: JoinForm) -> Join {
        match form {
            JoinForm::Plain(need) => need.into(),
            JoinForm::Full { need, by } => Join { need, by },
        }
    }
}

impl From<Join> for JoinForm {
    fn from(join: Join) -> JoinForm {
        match join.by {
            JoinBy::Tokens => JoinForm::Plain(join.need),
            by => JoinForm::Full {
                need: join.need,
                by,
            },
        }
    }
}

impl From<Need> for Join {
    fn from(need: Need) -> Join {
        Join {
            need,
            by: JoinBy::Tokens,
        }
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_one(limit: &u32) -> bool {
    *limit == 1
}

/// How many runs may go on at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concurrency {
    /// Runs of the workflow for which this is the same count together: text, number or bool, on the run's input.
    pub key: Expr,
    /// How many.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub limit: u32,
    /// What becomes of a start above the limit.
    #[serde(default)]
    pub policy: ConcurrencyPolicy,
}

/// What becomes of a start while too many runs go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcurrencyPolicy {
    /// The new run waits, in order of arrival.
    #[default]
    Queue,
    /// The start is refused.
    Drop,
    /// The oldest run is cancelled; the new one waits until it has cleaned up.
    Replace,
}

/// Work for a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Queue that workers poll: text.
    pub queue: Template,
    /// What the worker is to do, by name: text.
    pub name: Template,
    /// What the worker gets.
    pub input: Template,
    /// Members of the input that only the worker gets; null stands in their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed: Vec<Sealed>,
    /// The longest it may wait for a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_timeout: Option<Delay>,
    /// The longest one attempt may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_timeout: Option<Delay>,
    /// The longest silence between two heartbeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_timeout: Option<Delay>,
    /// What to do when an attempt fails; none fails at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// What to do when retries have run out.
    #[serde(default)]
    pub exhausted: Exhausted,
    /// How urgent it is: a number from 0 (last) to [`PRIORITY_MAX`] (first); none takes the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Expr>,
}

/// A member of a task's input that is made of secrets when a worker takes the task. It is never journaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// Where in the input, as a JSON pointer.
    pub at: Str,
    /// Names of the secrets that it needs.
    pub secrets: Vec<Str>,
    /// Its value; sees these secrets as `$secrets`, nothing else of the run, and null as the data.
    pub value: Expr,
}

/// What becomes of a task whose retries have run out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exhausted {
    /// The step fails and its error is raised.
    #[default]
    Fail,
    /// The step parks as an incident until someone resumes it.
    Park,
}

/// When and how often to try again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Pause before the second attempt.
    pub delay: Delay,
    /// How the pause grows.
    #[serde(default)]
    pub backoff: Backoff,
    /// The longest pause, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_max_ms: Option<u64>,
    /// A pause between these bounds, in milliseconds, is added; which one follows from the run's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<(u64, u64)>,
    /// Attempts in all, the first one counted; none is without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts_max: Option<u32>,
    /// The longest from the first attempt to the last, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_max_ms: Option<u64>,
    /// Error types that are not tried again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fatal_types: Vec<Str>,
    /// Tries again only when this holds; sees the error as the catch's variable (`$error` in a task).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Does not try again when this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_when: Option<Expr>,
}

/// How the pause between attempts grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// It does not.
    #[default]
    Constant,
    /// By the first delay each time.
    Linear,
    /// By this factor each time.
    Exponential(f64),
}

/// One way out of a switch or split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The condition; none always holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Where to.
    pub next: Next,
}

/// Repeats a body; each round's output is the next one's input, the last one's is the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loop {
    /// What is repeated.
    pub body: BodyIndex,
    /// Checked before each round on the current data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_while: Option<Expr>,
    /// Checked after each round on its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_until: Option<Expr>,
    /// Rounds after which the step fails.
    pub rounds_max: u32,
}

/// Runs a body for each element of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForEach {
    /// The list.
    pub items: Expr,
    /// Variable that holds the element.
    pub each: Str,
    /// Variable that holds its index.
    pub at: Str,
    /// What is run.
    pub body: BodyIndex,
    /// Stops before the first element for which this is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_while: Option<Expr>,
    /// How many bodies may run at once.
    pub concurrency: u32,
    /// True: each body gets the step's input and the result is the array of outputs in list order.
    /// False (needs concurrency 1): each body gets the one before's output, and the last is the result.
    pub collect: bool,
    /// How many bodies must end well before it is done; needs `collect`. Bodies may fail while enough are left.
    #[serde(default, skip_serializing_if = "is_all")]
    pub need: Need,
    /// Checked after each body on the array of outputs so far, in list order; done when it holds. Needs `collect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Expr>,
    /// What becomes of the bodies that run when enough have ended. Elements not begun are left out.
    #[serde(default, skip_serializing_if = "is_cancel")]
    pub losers: Losers,
    /// Takes more elements while it goes on; needs `collect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<More>,
}

/// Elements that come while a for-each goes on. It goes on until nothing of it runs, or, with `need` or
/// `until`, until these are met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct More {
    /// Which signals or events bring one: their data is the element.
    pub filter: Filter,
    /// How many may come; what comes after them is left to others.
    pub max: u32,
}

/// Runs bodies side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fork {
    /// The bodies.
    pub branches: Vec<BodyIndex>,
    /// How many must end before the fork is done.
    pub need: Need,
    /// What becomes of the branches not needed.
    #[serde(default)]
    pub losers: Losers,
    /// True: the result is the output of the first branch to end. False: the array of outputs in
    /// branch order, null for a branch that did not end.
    #[serde(default)]
    pub first: bool,
}

/// How many of several must come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Every one.
    #[default]
    All,
    /// This many.
    Count(u32),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_all(need: &Need) -> bool {
    *need == Need::All
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_cancel(losers: &Losers) -> bool {
    *losers == Losers::Cancel
}

/// What becomes of branches not waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Losers {
    /// They are withdrawn.
    #[default]
    Cancel,
    /// They run on; the enclosing body ends only after them, their outputs are dropped.
    Leave,
}

/// Runs a body and deals with its failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// What is tried.
    pub body: BodyIndex,
    /// What is done when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch: Option<Catch>,
    /// What is done at the end in any case, cancellation too. Its output is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finally: Option<BodyIndex>,
}

/// Which failures are caught and what then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Catch {
    /// Error members that must be equal; an error type matches with or without its well-known prefix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<(Str, Value)>,
    /// Must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Must not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_when: Option<Expr>,
    /// Variable that holds the error, without `$`.
    pub bind: Str,
    /// Runs the tried body again instead, while it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Runs when the failure is caught and not retried (any more); none passes the step's input on.
    /// With `retry` and no body the failure is raised again once retries have run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyIndex>,
    /// Where the token goes after a caught failure instead of the node's `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
}

/// Waits for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// For this long.
    For(Delay),
    /// Until this instant: RFC 3339 text or milliseconds since 1970.
    Until(Template),
}

/// Waits for signals or correlated events. The result is an array, in order of arrival; an event that comes
/// twice (same `source` and `id`) counts once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listen {
    /// The filters.
    pub filters: Vec<Filter>,
    /// How many different filters must have met their event.
    pub need: Need,
    /// True: the result holds whole events. False: their data.
    #[serde(default)]
    pub envelope: bool,
    /// Takes every event that a filter means, until this; none ends when enough filters have met theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Runs a body for each event, one after the other; the result is the array of their outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<EachEvent>,
}

/// When a wait takes no more events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Never: it goes on until it is withdrawn or times out.
    Never,
    /// When this holds on what the result would be now; asked after each event, and after its body.
    Holds(Expr),
    /// When events that are no part of the result have come.
    Events {
        /// The filters.
        filters: Vec<Filter>,
        /// How many different filters must have met their event.
        need: Need,
    },
}

impl Listen {
    /// All filters: first those of the result, then those of the end.
    pub fn all_filters(&self) -> impl Iterator<Item = &Filter> {
        let until: &[Filter] = match &self.until {
            Some(Until::Events { filters, .. }) => filters,
            _ => &[],
        };
        self.filters.iter().chain(until)
    }
}

/// Runs a body for each event that has come, which it gets as its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EachEvent {
    /// Variable that holds the event or its data.
    pub each: Str,
    /// Variable that holds its place, from 0.
    pub at: Str,
    /// What is run.
    pub body: BodyIndex,
}

/// Which event is meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Type of the event, or name of the signal; empty for any.
    pub event_type: Str,
    /// Members of the event that must equal these, computed when the step is entered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<(Str, Template)>,
    /// A condition on the event as `.`; the run's variables are visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expr>,
    /// Pairs of what is taken from the event and what it must equal (computed when the step is entered).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correlate: Vec<(Expr, Template)>,
    /// Names, each with what is taken from the event: the first event with a name settles what the others must give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bind: Vec<(Str, Expr)>,
    /// True: only what comes while it is waited for counts; what was kept from before is left to others.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub transient: bool,
}

/// Starts another run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Workflow name: text.
    pub workflow: Template,
    /// Version; none takes the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Template>,
    /// The child's input.
    pub input: Template,
    /// Business key of the child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Template>,
    /// True: goes on at once and leaves the child to itself; the result is `{"id": …}`.
    #[serde(default)]
    pub detach: bool,
    /// True: the result of going on at once is the input of the step instead.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub echo: bool,
}

/// A typed value that runs are searched by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: Str,
    /// Its type.
    pub kind: AttributeKind,
    /// Where it comes from, on the run's input.
    pub from: Expr,
}

/// Type of a search attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// Text, compared exactly.
    Text,
    /// Number.
    Number,
    /// True or false.
    Bool,
    /// An instant, RFC 3339.
    Time,
}
