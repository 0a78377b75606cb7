//! Owns the profile of what the language lacks: functions of the built-in catalogue, and keys of metadata.
//!
//! Invariant: a document that uses them is still valid by the official schema.

use super::shape::Takes::{
    Either, Expression, Flag, List, Map, Number, Shape as Of, Text, Value, Words,
};
use super::shape::{DURATION, Key, Shape, TASKS, key, shape, task};

pub(super) const METADATA: &[Key] = &[
    key("dev.quadrille/labels", Map(&Text), "{team: a}", "Labels of every run, as `tags`.").ours(),
    key("dev.quadrille/attributes", Map(&Of("attribute")), "{total: {type: number, from: .total}}", "Typed values of every run, computed from its input, that lists filter and sort by. Short: `attributes`.").ours(),
    key("dev.quadrille/concurrency", Of("concurrency"), "{key: .customer, limit: 1, policy: queue}", "How many runs of the workflow go on at once.").ours(),
    key("dev.quadrille/priority", Either(&[Number(0, 9), Expression]), "7", "How urgent the tasks of a run are: 0 is last, 9 first, 5 the default. An expression sees the run's input.").ours(),
    key("dev.quadrille/retention", DURATION, "P30D", "How long a finished run is kept; a fixed duration. Short: `retention`.").ours(),
    key("dev.quadrille/variables", Of("variables"), "{initial: {total: 0}}", "What `$context` is. Without it, an empty map at first.").ours(),
    key("dev.quadrille/schedule", Of("schedule hints"), "{}", "The window and policies of `schedule`.").ours(),
    key("attributes", Map(&Of("attribute")), "{total: {type: number, from: .total}}", "Short for `dev.quadrille/attributes`.").ours(),
    key("retention", DURATION, "P30D", "Short for `dev.quadrille/retention`.").ours(),
];

pub(super) const VARIABLES: &[Key] = &[
    key(
        "schema",
        Value,
        "{type: object}",
        "A JSON Schema that every export must fit.",
    )
    .ours(),
    key(
        "initial",
        Value,
        "{total: 0}",
        "Its first value, as it stands; it must fit the schema.",
    )
    .ours(),
];

pub(super) const CONCURRENCY: &[Key] = &[
    key("key", Expression, ".customer", "Runs for which it gives the same text, number or bool count together, those for which it gives null not at all. Default: all count together.").ours(),
    key("limit", Number(1, 1_000), "1", "How many go on at once. Default: 1.").ours(),
    key("policy", Words(&["queue", "drop", "replace"]), "queue", "A start above the limit waits for its turn (the run is `waiting`), is refused, or cancels the oldest run and waits for its clean-up. Default: `queue`.").ours(),
];

pub(super) const ATTRIBUTE: &[Key] = &[
    key(
        "type",
        Words(&["text", "number", "bool", "time"]),
        "number",
        "",
    )
    .required()
    .ours(),
    key("from", Expression, ".total", "On the shaped input.")
        .required()
        .ours(),
];

pub(super) const SCHEDULE_HINTS: &[Key] = &[
    key("timezone", Text, "Europe/Berlin", "Of a cron expression; UTC if left out.").ours(),
    key("from", Text, "'2030-01-31T09:00:00Z'", "No starts before.").ours(),
    key("until", Text, "'2031-01-31T09:00:00Z'", "No starts after.").ours(),
    key("overlap", Words(&["skip", "queue", "allow", "cancel", "terminate"]), "allow", "When the run before goes on; `skip` if left out, with `on` `allow`. `queue` does not go with `on`.").ours(),
    key("catchUp", Words(&["skip", "one", "all"]), "one", "Of starts that were missed; `skip` if left out.").ours(),
];

const TASK: &[Key] = &[
    key("queue", Text, "a", "Default: `default`. May be an expression.").ours(),
    key("name", Text, "a", "What the worker is to do. May be an expression.").required().ours(),
    key("input", Value, "{a: 1}", "Default: the task's input.").ours(),
    key("timeouts", Of("task timeouts"), "{run: PT1M}", "").ours(),
    key("retry", Of("task retry"), "{delay: PT1S}", "Default: fails at once.").ours(),
    key("priority", Either(&[Number(0, 9), Expression]), "7", "How urgent it is in its queue: 0 is last, 9 first. Default: the run's.").ours(),
    key("exhausted", Words(&["fail", "park"]), "park", "After the last attempt: `fail` raises the error, `park` makes an incident that `quadrille retry` resumes.").ours(),
];

const TASK_TIMEOUTS: &[Key] = &[
    key("queue", DURATION, "PT1H", "The longest wait for a worker.").ours(),
    key("run", DURATION, "PT1M", "The longest one attempt may take.").ours(),
    key(
        "heartbeat",
        DURATION,
        "PT5S",
        "The longest silence of a worker.",
    )
    .ours(),
];

const TASK_RETRY: &[Key] = &[
    key("when", Expression, "'$error.status == 503'", "").ours(),
    key("exceptWhen", Expression, "'$error.status == 404'", "").ours(),
    key("delay", DURATION, "PT1S", "").ours(),
    key("backoff", Of("backoff"), "{linear: {}}", "").ours(),
    key(
        "limit",
        Of("retry limit"),
        "{attempt: {count: 3}}",
        "`attempt.duration` belongs in `timeouts.run` here.",
    )
    .ours(),
    key("jitter", Of("jitter"), "{from: PT0S, to: PT1S}", "").ours(),
    key(
        "maxDelay",
        DURATION,
        "PT1M",
        "The longest pause; a fixed duration.",
    )
    .ours(),
    key(
        "nonRetryable",
        List(&Text),
        "[card-declined]",
        "Error types that are not tried again.",
    )
    .ours(),
];

const MAP: &[Key] = &[
    key("in", Either(&[Expression, List(&Value)]), ".a", "The list.")
        .required()
        .ours(),
    key("each", Text, "b", "Default: `item`.").ours(),
    key("at", Text, "b", "Default: `index`.").ours(),
    key(
        "concurrency",
        Number(1, 1_000),
        "8",
        "How many at once. Default: 10.",
    )
    .ours(),
    key(
        "do",
        TASKS,
        "[b: {wait: PT1S}]",
        "Each on the task's input.",
    )
    .required()
    .ours(),
    key("while", Expression, ".a", "Begins no more elements once it does not hold before one.").ours(),
    key("need", Number(1, 100_000), "2", "How many must end well, at most all. Others may fail as long as enough are left. Default: all.").ours(),
    key("until", Expression, "'length > 2'", "Checked after each element on the list of outputs so far; when it holds that is enough.").ours(),
    key("losers", Words(&["cancel", "leave"]), "cancel", "What becomes of elements under way when it is enough. Default: `cancel`.").ours(),
    key("more", Of("more elements"), "{with: {type: a}}", "Takes more elements while it goes on: until nothing of it runs, or with `need` or `until` until these are met.").ours(),
];

const MORE: &[Key] = &[
    key(
        "with",
        Of("event"),
        "{type: a}",
        "Which signals or events bring one; their data is the element.",
    )
    .required()
    .ours(),
    key(
        "correlate",
        Map(&Of("correlation")),
        "{a: {from: .data.id, expect: '${ .id }'}}",
        "",
    )
    .ours(),
    key(
        "max",
        Number(1, 10_000),
        "5",
        "How many may come. Default: 1000.",
    )
    .ours(),
    key(
        "transient",
        Flag,
        "true",
        "True takes only those that come while it goes on, none that were kept from before.",
    )
    .ours(),
];

const LOCK: &[Key] = &[
    key("name", Text, "a", "May be an expression.").required().ours(),
    key("scope", Words(&["run", "workflow", "server"]), "workflow", "Where the name is known: in one run, in all runs of the workflow, or in all runs. Default: `run`.").ours(),
    key("limit", Number(1, 1_000), "2", "How many may hold it at once. Default: 1.").ours(),
    key("do", TASKS, "[b: {wait: PT1S}]", "").required().ours(),
];

const RACE: &[Key] = &[
    key("branches", TASKS, "[b: {wait: PT1S}]", "")
        .required()
        .ours(),
    key(
        "need",
        Either(&[Number(1, 1_000), Words(&["all"])]),
        "1",
        "How many must end, at most all. Default: 1.",
    )
    .ours(),
    key(
        "losers",
        Words(&["cancel", "leave"]),
        "leave",
        "Default: `cancel`.",
    )
    .ours(),
    key(
        "first",
        Flag,
        "true",
        "The output is that of the branch that ended first.",
    )
    .ours(),
];

const LOOP: &[Key] = &[
    key(
        "do",
        TASKS,
        "[b: {wait: PT1S}]",
        "Each round's output is the next one's input.",
    )
    .required()
    .ours(),
    key("while", Expression, ".a", "Before each round.").ours(),
    key(
        "until",
        Expression,
        ".a",
        "After each round. One of `while` and `until` is needed.",
    )
    .ours(),
    key(
        "max",
        Number(1, 1_000_000),
        "10",
        "Rounds after which the task fails. Default: 1000.",
    )
    .ours(),
];

const CHILD: &[Key] = &[
    key("workflow", Text, "a", "May be an expression.")
        .required()
        .ours(),
    key(
        "version",
        Text,
        "'1.0.0'",
        "Default, and `latest`: the newest.",
    )
    .ours(),
    key("input", Value, "{a: 1}", "Default: the task's input.").ours(),
    key(
        "key",
        Text,
        "a",
        "The business key: one active run of the workflow has it. May be an expression.",
    )
    .ours(),
    key(
        "await",
        Flag,
        "false",
        "False leaves it to itself; the output is its id.",
    )
    .ours(),
    key(
        "echo",
        Flag,
        "true",
        "With `await: false` the output is the input of the task instead.",
    )
    .ours(),
];

const HUMAN: &[Key] = &[
    key(
        "title",
        Text,
        "Approve",
        "What is to be done, in a line. May be an expression.",
    )
    .required()
    .ours(),
    key(
        "description",
        Text,
        "Read it first.",
        "May be an expression.",
    )
    .ours(),
    key(
        "assignee",
        Text,
        "alice",
        "Who it is assigned to. May be an expression.",
    )
    .ours(),
    key(
        "group",
        Either(&[Text, List(&Text)]),
        "reviewers",
        "Who may claim it: a group or several. May be an expression.",
    )
    .ours(),
    key(
        "data",
        Value,
        "{a: 1}",
        "What the person sees. Default: the task's input.",
    )
    .ours(),
    key("form", Of("form"), "{schema: {type: object}}", "").ours(),
    key(
        "priority",
        Either(&[Number(0, 9), Text]),
        "5",
        "9 is the most urgent. May be an expression.",
    )
    .ours(),
    key("due", DURATION, "PT24H", "When it should be done.").ours(),
    key(
        "remind",
        List(&DURATION),
        "[PT1H]",
        "When to remind, at most 32 times.",
    )
    .ours(),
    key(
        "escalate",
        Of("escalation"),
        "{after: PT1H, to: {group: leads}}",
        "",
    )
    .ours(),
    key(
        "outcomes",
        List(&Text),
        "[approved, rejected]",
        "What it can end as.",
    )
    .ours(),
];

const ESCALATION: &[Key] = &[
    key("after", DURATION, "PT1H", "Default: when the task is due.").ours(),
    key("to", Of("whom"), "{group: leads}", "")
        .required()
        .ours(),
];

const WHOM: &[Key] = &[
    key("assignee", Text, "alice", "").ours(),
    key("group", Either(&[Text, List(&Text)]), "leads", "").ours(),
];

/// A function's own name and the full one, with its arguments.
macro_rules! function {
    ($name:literal, $arguments:literal, $sample:literal, $says:literal) => {
        task(
            concat!("call: ", $name),
            &[],
            $says,
            &[
                key(
                    "call",
                    Words(&[$name, concat!($name, ":1.0.0@default")]),
                    $name,
                    "",
                )
                .required()
                .ours(),
                key("with", Of($arguments), $sample, "").required().ours(),
            ],
        )
    };
}

/// The shapes of this file, in the order of the page.
pub(super) const SHAPES: &[Shape] = &[
    function!(
        "task",
        "work",
        "{name: a}",
        "Work for a queue, done by a worker of yours."
    ),
    shape("work", &[], "do: [a: {call: task, with: @}]", "", TASK),
    shape(
        "task timeouts",
        &[],
        "do: [a: {call: task, with: {name: a, timeouts: @}}]",
        "",
        TASK_TIMEOUTS,
    ),
    shape(
        "task retry",
        &[],
        "do: [a: {call: task, with: {name: a, retry: @}}]",
        "As *retry*, and more; or the name of a policy in `use.retries`.",
        TASK_RETRY,
    ),
    function!(
        "human-task",
        "human work",
        "{title: Approve}",
        "Work that waits for a person: see `quadrille human`."
    ),
    shape(
        "human work",
        &[],
        "do: [a: {call: human-task, with: @}]",
        "",
        HUMAN,
    ),
    shape(
        "form",
        &[],
        "do: [a: {call: human-task, with: {title: a, form: @}}]",
        "",
        &[key(
            "schema",
            Map(&Value),
            "{type: object}",
            "A JSON Schema that the result must fit.",
        )
        .required()
        .ours()],
    ),
    shape(
        "escalation",
        &[],
        "do: [a: {call: human-task, with: {title: a, due: PT1H, escalate: @}}]",
        "",
        ESCALATION,
    ),
    shape(
        "whom",
        &[],
        "do: [a: {call: human-task, with: {title: a, escalate: {after: PT1H, to: @}}}]",
        "",
        WHOM,
    )
    .some_of(&["assignee", "group"]),
    function!(
        "map",
        "mapping",
        "{in: .a, do: []}",
        "A list side by side. The output is the list of outputs, in the order of the list."
    ),
    shape("mapping", &[], "do: [a: {call: map, with: @}]", "", MAP),
    function!(
        "race",
        "racing",
        "{branches: [b: {wait: PT1S}]}",
        "Like `fork`, until enough branches have ended. The output is the list of outputs, null for branches that did not end."
    ),
    shape("racing", &[], "do: [a: {call: race, with: @}]", "", RACE),
    shape(
        "more elements",
        &[],
        "do: [a: {call: map, with: {in: .a, do: [], more: @}}]",
        "",
        MORE,
    ),
    function!(
        "lock",
        "critical section",
        "{name: a, do: []}",
        "Runs its tasks while it holds the lock; waits for it first, in order of arrival. Any way out lets go of it. Tasks inside that want the same lock have it already; two locks taken in different orders may wait for each other for ever, so give the task a `timeout`."
    ),
    shape(
        "critical section",
        &[],
        "do: [a: {call: lock, with: @}]",
        "",
        LOCK,
    ),
    function!(
        "saga",
        "steps",
        "{do: []}",
        "When a step fails or the run is cancelled, the `compensate` lists of completed steps run in reverse order, each on its step's output; then the failure goes on."
    ),
    shape(
        "steps",
        &[],
        "do: [a: {call: saga, with: @}]",
        "",
        &[key(
            "do",
            TASKS,
            "[b: {wait: PT1S, compensate: []}]",
            "Tasks here, and inside of them, may have `compensate`.",
        )
        .required()
        .ours()],
    ),
    function!("finally", "cleaning", "{do: [], finally: []}", ""),
    shape(
        "cleaning",
        &[],
        "do: [a: {call: finally, with: @}]",
        "",
        &[
            key("do", TASKS, "[b: {wait: PT1S}]", "").required().ours(),
            key("catch", Of("catch"), "{}", "As in `try`.").ours(),
            key(
                "finally",
                TASKS,
                "[b: {wait: PT1S}]",
                "On every way out, cancellation too; its output is dropped.",
            )
            .required()
            .ours(),
        ],
    ),
    function!("loop", "rounds", "{do: [], while: .a}", ""),
    shape("rounds", &[], "do: [a: {call: loop, with: @}]", "", LOOP).some_of(&["while", "until"]),
    function!("wait-until", "instant", "{at: '2030-01-31T09:00:00Z'}", ""),
    shape(
        "instant",
        &[],
        "do: [a: {call: wait-until, with: @}]",
        "",
        &[key(
            "at",
            Text,
            "'2030-01-31T09:00:00Z'",
            "RFC 3339, or an expression; a past instant does not wait.",
        )
        .required()
        .ours()],
    ),
    function!(
        "child",
        "child",
        "{workflow: a}",
        "Starts another run; more than `run.workflow` can."
    ),
    shape("child", &[], "do: [a: {call: child, with: @}]", "", CHILD),
];
