//! Owns the profile of tasks that the kernel does by itself, and of what they share.
//!
//! Invariant: what all tasks have stands once, in `COMMON`.

use super::document::TIMEOUT;
use super::shape::Takes::{
    Either, Empty, Expression, Flag, List, Map, Named, Number, Shape as Of, Text, Value, Values,
};
use super::shape::{DURATION, Key, Shape, TASKS, key, shape, task};

/// The keys of every task.
pub(super) const COMMON: &[Key] = &[
    key(
        "if",
        Expression,
        ".a",
        "On the raw input. False or null: the task is skipped, its input goes on to the next task of the list, and `then` is not followed.",
    ),
    key("input", Of("input"), "{from: .a}", ""),
    key("output", Of("output"), "{as: .a}", ""),
    key("export", Of("export"), "{as: .a}", ""),
    key(
        "timeout",
        TIMEOUT,
        "{after: PT1H}",
        "The longest one visit may take, retries and waits inside counted.",
    ),
    key(
        "then",
        Text,
        "end",
        "`continue`, `exit` (leaves this list: a branch, an iteration, a `do`), `end` (the run is done with this output, all else is withdrawn), or the name of a task of the same list, backwards too.",
    ),
    key(
        "metadata",
        Map(&Value),
        "{a: 1}",
        "Free. On a `listen`, `dev.quadrille/transient: true` means only what comes while the task waits: signals and events that were kept from before are left to others.",
    ),
];

/// The key that tasks of a saga have besides.
pub(super) const COMPENSATE: Key = key(
    "compensate",
    TASKS,
    "[]",
    "Takes back what the task did: see `call: saga`.",
)
.ours();

pub(super) const ERROR: &[Key] = &[
    key(
        "type",
        Text,
        "https://example.com/errors/a",
        "A URI, a bare name, or an expression.",
    )
    .required(),
    key(
        "status",
        Either(&[Number(0, 999), Text]),
        "409",
        "A number, or an expression.",
    )
    .required(),
    key(
        "instance",
        Text,
        "/do/0/a",
        "Defaults to the place of the task.",
    ),
    key("title", Text, "A", "May be an expression."),
    key("detail", Text, "A", "May be an expression."),
];

pub(super) const RETRY: &[Key] = &[
    key(
        "when",
        Expression,
        "'$error.status == 503'",
        "Must hold for another attempt.",
    ),
    key(
        "exceptWhen",
        Expression,
        "'$error.status == 404'",
        "Must not hold.",
    ),
    key(
        "delay",
        DURATION,
        "PT1S",
        "Default: a second, so that no retry spins.",
    ),
    key(
        "backoff",
        Of("backoff"),
        "{linear: {}}",
        "Default: constant.",
    ),
    key(
        "limit",
        Of("retry limit"),
        "{duration: PT1H}",
        "Default: none.",
    ),
    key(
        "jitter",
        Of("jitter"),
        "{from: PT0S, to: PT1S}",
        "Default: none.",
    ),
];

pub(super) const BACKOFF: &[Key] = &[
    key("constant", Empty, "{}", "The same pause each time."),
    key(
        "exponential",
        Empty,
        "{}",
        "Twice as long each time. The language gives no factor and no cap.",
    ),
    key(
        "linear",
        Empty,
        "{}",
        "Longer by the first pause each time.",
    ),
];

pub(super) const LIMIT: &[Key] = &[
    key("attempt", Of("attempt limit"), "{count: 3}", ""),
    key(
        "duration",
        DURATION,
        "PT1H",
        "From the first attempt on; a fixed duration.",
    ),
];

pub(super) const ATTEMPT: &[Key] = &[
    key(
        "count",
        Number(1, 1_000_000),
        "3",
        "Attempts in all: the first one counts.",
    ),
    key(
        "duration",
        DURATION,
        "PT1M",
        "The longest each attempt may take; one that takes longer fails with the type `timeout`. (The prose can be read as all attempts together: that is `limit.duration`.)",
    ),
];

const FOR: &[Key] = &[
    key("for", Of("iteration"), "{in: .a}", "").required(),
    key("while", Expression, ".a", "Checked before each round, on that round's input, with the element bound; false ends the loop."),
    key("do", TASKS, "[b: {wait: PT1S}]", "One round after the other. A round's output is the next one's input, the last one's the result. `exit` ends the round, not the loop.").required(),
];

const ITERATION: &[Key] = &[
    key("each", Text, "b", "Default: `item`. A name without `$`, not that of another variable of the language."),
    key("in", Either(&[Expression, List(&Value)]), ".a", "An expression that gives a list, or a list as it stands. Anything else fails with the type `expression`.").required(),
    key("at", Text, "b", "Default: `index`. Counts from 0."),
];

const FORK: &[Key] = &[
    key(
        "branches",
        TASKS,
        "[b: {wait: PT1S}]",
        "Side by side, 1 to 1000. The output is the list of their outputs in the order written.",
    )
    .required(),
    key(
        "compete",
        Flag,
        "true",
        "The output of the first branch that ends well; the others are withdrawn. If none does the last failure is raised.",
    ),
];

const CASE: &[Key] = &[
    key("when", Expression, ".a", "Cases are tried as written, but a case without condition is the default and is tried last. There can be only one."),
    key("then", Text, "end", "As `then` of a task. `continue` goes to the next task of the list, even where the switch has a `then`.").required(),
];

const CATCH: &[Key] = &[
    key(
        "errors",
        Of("error filters"),
        "{with: {status: 503}}",
        "Default: every error.",
    ),
    key("as", Text, "b", "Default: `error`."),
    key("when", Expression, "'$error.status == 503'", ""),
    key("exceptWhen", Expression, "'$error.status == 404'", ""),
    key("retry", Either(&[Of("retry"), Text]), "{delay: PT1S}", ""),
    key(
        "do",
        TASKS,
        "[b: {wait: PT1S}]",
        "On the input of the `try`. Its output is the task's.",
    ),
    key(
        "then",
        Text,
        "end",
        "Where to go after a caught error, instead of the task's `then`.",
    )
    .later(),
];

const FILTER: &[Key] = &[
    key(
        "type",
        Text,
        "timeout",
        "Matches under every prefix that standard types have had, and bare.",
    ),
    key("status", Number(0, 999), "503", ""),
    key("instance", Text, "/do/0/a", ""),
    key("title", Text, "A", ""),
    key("details", Text, "A", "An older name of `detail`."),
    key("detail", Text, "A", "").later(),
];

/// The shapes of this file, in the order of the page.
pub(super) const SHAPES: &[Shape] = &[
    task("task", &["taskBase"], "What all tasks have in common. A task does exactly one thing.", COMMON),
    task("do", &["doTask"], "Tasks one after the other.", &[key("do", TASKS, "[b: {wait: PT1S}]", "The output of each is the input of the next.").required()]),
    task("set", &["setTask"], "", &[key("set", Values, "{a: 1}", "Replaces the data; it does not merge.").required()]),
    task("switch", &["switchTask"], "", &[key("switch", List(&Named(&Of("case"))), "[b: {then: end}]", "The first case that holds. If none does the task's `then` is followed.").required()]),
    shape("case", &["switchTask.switch[]{}"], "do: [a: {switch: [b: @]}]", "", CASE),
    task("for", &["forTask"], "", FOR),
    shape("iteration", &["forTask.for"], "do: [a: {for: @, do: []}]", "", ITERATION),
    task("fork", &["forkTask"], "", &[key("fork", Of("branches"), "{branches: [b: {wait: PT1S}]}", "").required()]),
    shape("branches", &["forkTask.fork"], "do: [a: {fork: @}]", "A failing branch withdraws the others and fails the task.", FORK),
    task("try", &["tryTask"], "", &[
        key("try", TASKS, "[b: {wait: PT1S}]", "").required(),
        key("catch", Of("catch"), "{}", "").required(),
    ]),
    shape("catch", &["tryTask.catch"], "do: [a: {try: [], catch: @}]", "An error that is caught and neither retried nor handled by `do` is over: the task's output is its input.", CATCH),
    shape("error filters", &["tryTask.catch.errors"], "do: [a: {try: [], catch: {errors: @}}]", "", &[key("with", Of("error filter"), "{status: 503}", "")]),
    shape("error filter", &["errorFilter"], "do: [a: {try: [], catch: {errors: {with: @}}}]", "Fixed values that must be equal; conditions belong in `catch.when`.", FILTER),
    task("raise", &["raiseTask"], "", &[key("raise", Of("raised"), "{error: {type: 'https://example.com/a', status: 400}}", "").required()]),
    shape("raised", &["raiseTask.raise"], "do: [a: {raise: @}]", "", &[key("error", Either(&[Of("error"), Text]), "{type: 'https://example.com/a', status: 400}", "The error, or its name in `use.errors`.").required()]),
    task("wait", &["waitTask"], "", &[key("wait", DURATION, "PT1S", "A durable timer; nothing is held in memory beyond it. For an instant see `call: wait-until`.").required()]),
];
