//! Owns the profile of a document outside of its tasks: its head, shared components, schedule and data.
//!
//! Invariant: every sample compiles by itself in the frame of its shape.

use super::shape::Takes::{
    Either, Expression, Flag, List, Map, Named, Number, Shape as Of, Text, Value, Words,
};
use super::shape::{DURATION, Key, Shape, TASKS, key, shape};

const IDENTITY: &str = "{dsl: '1.0.3', namespace: default, name: a, version: '1.0.0'}";

/// An endpoint in its three forms.
pub(super) const ENDPOINT: super::shape::Takes = Either(&[Text, Of("endpoint")]);

/// A timeout, or its name in `use.timeouts`.
pub(super) const TIMEOUT: super::shape::Takes = Either(&[Of("timeout"), Text]);

/// What shapes data.
const SHAPING: super::shape::Takes = Either(&[Expression, Map(&Value)]);

const WORKFLOW: &[Key] = &[
    key("document", Of("document"), IDENTITY, "Who the workflow is.").required(),
    key(
        "input",
        Of("input"),
        "{from: .a}",
        "What a run's input must be and becomes.",
    ),
    key(
        "use",
        Of("use"),
        "{errors: {}}",
        "What tasks share by name. A component that nothing uses is warned of.",
    ),
    key(
        "do",
        TASKS,
        "[a: {wait: PT1S}]",
        "The tasks. An empty list ends at once with the input as output.",
    )
    .required(),
    key(
        "timeout",
        TIMEOUT,
        "{after: PT1H}",
        "The longest a run may take; past it the run fails with the type `timeout`, status 408. Time in which a run is suspended counts.",
    ),
    key(
        "output",
        Of("output"),
        "{as: .a}",
        "What the last output becomes.",
    ),
    key(
        "schedule",
        Of("schedule"),
        "{every: PT1H}",
        "When runs start by themselves.",
    ),
    key(
        "evaluate",
        Of("evaluate"),
        "{language: jq}",
        "How expressions are read.",
    )
    .later(),
];

const DOCUMENT: &[Key] = &[
    key(
        "dsl",
        Text,
        "'1.0.3'",
        "Any 1.0.x; the same language is read for all of them.",
    )
    .required(),
    key(
        "namespace",
        Text,
        "default",
        "Letters, digits and `-`. Outside of `default` the workflow is called `namespace/name`.",
    )
    .required(),
    key("name", Text, "a", "As the namespace.").required(),
    key(
        "version",
        Text,
        "'1.0.0'",
        "A semantic version. An applied version never changes.",
    )
    .required(),
    key("title", Text, "A", "Kept with the text."),
    key("summary", Text, "A", "Kept with the text."),
    key(
        "tags",
        Map(&Either(&[Text, Number(i64::MIN, i64::MAX), Flag])),
        "{team: a}",
        "Labels of every run.",
    ),
    key(
        "metadata",
        Of("metadata"),
        "{owner: a}",
        "Free, but for the keys below.",
    ),
];

const USE: &[Key] = &[
    key("authentications", Map(&Of("authentication")), "{}", "Referred to as `authentication: {use: name}`."),
    key("errors", Map(&Of("error")), "{}", "Referred to as `raise: {error: name}`."),
    key("extensions", List(&Named(&Of("extension"))), "[]", "Tasks around tasks."),
    key("functions", Map(&super::shape::Takes::Task), "{}", "Called by name; put in place of the call, so a function may not reach itself."),
    key("retries", Map(&Of("retry")), "{}", "Referred to as `retry: name`."),
    key("secrets", List(&Text), "[a]", "Named as `$secrets.name` in the `with` of calls, and in `environment` and `arguments` of `run`; the server's configuration says where they are."),
    key("timeouts", Map(&Of("timeout")), "{}", "Referred to as `timeout: name`."),
    key("catalogs", Map(&Of("catalog")), "{a: {endpoint: 'https://example.com'}}", "What a workflow does would depend on another machine: copy the function into `use.functions`. The catalogue `default` is built in.").refused(),
];

const SCHEDULE: &[Key] = &[
    key(
        "every",
        DURATION,
        "PT1H",
        "A fixed length of time, a second at least, counted from the apply.",
    ),
    key(
        "cron",
        Text,
        "'0 6 * * *'",
        "Five fields, or six with seconds first; names, `L`, `#`, `W`; in UTC, or the time zone of `dev.quadrille/schedule`.",
    ),
    key(
        "after",
        DURATION,
        "PT1H",
        "A fixed length of time between the end of a run and the next start; first counted from the apply.",
    ),
    key(
        "on",
        Of("event strategy"),
        "{one: {with: {type: a}}}",
        "Each event, or with `all` each set of events that agree in what they correlate, starts a run; the input is the list of these events. Expressions in filters see the event only; there is no `until`.",
    ),
    key(
        "read",
        Words(&["data", "envelope", "raw"]),
        "data",
        "How `on` reads its events; whole ones if left out.",
    )
    .later(),
];

const EVALUATE: &[Key] = &[
    key(
        "language",
        Words(&["jq"]),
        "jq",
        "Only jq, which is the default.",
    )
    .later(),
    key(
        "mode",
        Words(&["strict"]),
        "strict",
        "Only strict, which is the default: in loose mode a slip in an expression becomes data.",
    )
    .later(),
];

const SCHEMA: &[Key] = &[
    key("format", Text, "json", "`json`, alone or with a version behind a colon."),
    key("document", Value, "{type: object}", "A JSON Schema: 2020-12, 2019-09 or draft 7. One that does not compile is a finding. References stay inside of it."),
    key("resource", Of("external resource"), "{endpoint: 'https://example.com'}", "Put the schema here as `document`, so that a version of a workflow never changes its meaning.").refused(),
];

const INPUT: &[Key] = &[
    key(
        "schema",
        Of("schema"),
        "{document: {}}",
        "Of the raw input.",
    ),
    key(
        "from",
        SHAPING,
        ".a",
        "Shapes the raw input. Its result is `$input`.",
    ),
];

const OUTPUT: &[Key] = &[
    key(
        "schema",
        Of("schema"),
        "{document: {}}",
        "Of the shaped output.",
    ),
    key(
        "as",
        SHAPING,
        ".a",
        "Shapes the raw output. Its result is `$output`, and the next task's input.",
    ),
];

const EXPORT: &[Key] = &[
    key(
        "schema",
        Of("schema"),
        "{document: {}}",
        "Of the new `$context`.",
    ),
    key(
        "as",
        SHAPING,
        ".a",
        "Replaces `$context`; it does not merge. Computed from the shaped output.",
    ),
];

const DURATION_KEYS: &[Key] = &[
    key("weeks", Number(0, i64::MAX), "1", "").ours(),
    key("days", Number(0, i64::MAX), "1", ""),
    key("hours", Number(0, i64::MAX), "1", ""),
    key("minutes", Number(0, i64::MAX), "1", ""),
    key("seconds", Number(0, i64::MAX), "1", ""),
    key("milliseconds", Number(0, i64::MAX), "1", ""),
];

const EXTENSION: &[Key] = &[
    key("extend", Words(crate::task::extension::TARGETS), "all", "`composite` means `do` and `fork`. `all` leaves out tasks that jump from within, a `switch` and a `try` with `catch.then`, and so can only be asked for with `all`: `switch` by itself is refused.").required().differs(),
    key("when", Expression, "'$task.call == \"http\"'", "On the raw input of the task. `$task` is the extended task here and in both lists: `name`, `reference`, `definition`, and the members of the definition themselves."),
    key("before", TASKS, "[b: {wait: PT1S}]", "On the raw input; what it gives is dropped. A list left with `then: exit` replaces the task: its output is the task's."),
    key("after", TASKS, "[b: {wait: PT1S}]", "On the task's output; what it gives is dropped, unless left with `then: exit`. Not run when the task fails."),
];

/// The shapes of this file, in the order of the page.
pub(super) const SHAPES: &[Shape] = &[
    shape("workflow", &["(root)"], "@", "The root of a document. Other keys are refused, though the schema lets them pass.", WORKFLOW),
    shape("document", &["document"], "document: @\ndo: []", "", DOCUMENT),
    shape("metadata", &[], "document: {dsl: '1.0.3', namespace: default, name: a, version: '1.0.0', metadata: @}\ndo: []", "Metadata is for the author, except for keys that begin with `dev.quadrille/`, which mean something here: an unknown one is a mistake and is refused.", super::own::METADATA).open(),
    shape("variables", &[], "document: {dsl: '1.0.3', namespace: default, name: a, version: '1.0.0', metadata: {dev.quadrille/variables: @}}\ndo: []", "", super::own::VARIABLES),
    shape("concurrency", &[], "document: {dsl: '1.0.3', namespace: default, name: a, version: '1.0.0', metadata: {dev.quadrille/concurrency: @}}\ndo: []", "", super::own::CONCURRENCY),
    shape("attribute", &[], "document: {dsl: '1.0.3', namespace: default, name: a, version: '1.0.0', metadata: {dev.quadrille/attributes: {b: @}}}\ndo: []", "A typed value that runs are searched by.", super::own::ATTRIBUTE),
    shape("schedule hints", &[], "document: {dsl: '1.0.3', namespace: default, name: a, version: '1.0.0', metadata: {dev.quadrille/schedule: @}}\nschedule: {cron: '0 6 * * *'}\ndo: []", "What the language cannot say of a schedule.", super::own::SCHEDULE_HINTS),
    shape("use", &["use"], "use: @\ndo: []", "", USE),
    shape("schedule", &["schedule"], "schedule: @\ndo: []", "Applying the workflow makes a schedule of its name. Its window and policies stand in the metadata under `dev.quadrille/schedule`, or are set with `quadrille schedule`.", SCHEDULE).one_of(&["every", "cron", "after", "on"]),
    shape("evaluate", &[], "evaluate: @\ndo: []", "", EVALUATE),
    shape("input", &["input"], "input: @\ndo: []", "For the workflow and for each task.", INPUT),
    shape("output", &["output"], "output: @\ndo: []", "For the workflow and for each task.", OUTPUT),
    shape("export", &["export"], "do: [a: {wait: PT1S, export: @}]", "", EXPORT),
    shape("schema", &["schema"], "input: {schema: @}\ndo: []", "Data that does not fit is a failure of the type `validation`, status 400, whose `detail` names up to ten places.", SCHEMA).one_of(&["document", "resource"]),
    shape("timeout", &["timeout"], "timeout: @\ndo: []", "", &[key("after", DURATION, "PT1H", "A duration, computed or not. A task that is too late fails with the type `timeout`, status 408, and can be caught.").required()]),
    shape("duration", &["duration"], "do: [a: {wait: @}]", "A duration is such a map, ISO 8601 text (`PT1H30M`, `P2W`), or an expression that gives either or milliseconds as a number. At most 100 years, in whole milliseconds. Years and months are refused, because their length depends on the calendar.", DURATION_KEYS),
    shape("extension", &["extension"], "use: {extensions: [e: @]}\ndo: [a: {wait: PT1S}]", "Extensions apply to all tasks of the document, those of functions too, but not to tasks inside of an extension. The first one is the outermost.", EXTENSION),
    shape("catalog", &["catalog"], "use: {catalogs: {a: {endpoint: 'https://example.com'}}}\ndo: []", "See `use.catalogs`.", &[key("endpoint", ENDPOINT, "'https://example.com'", "")]).refused(),
    shape("external resource", &["externalResource"], "do: [a: {call: openapi, with: {operationId: b, document: @}}]", "Fetched by the connector that needs it, while a run goes on.", &[key("name", Text, "a", ""), key("endpoint", ENDPOINT, "'https://example.com/a.json'", "").required()]),
    shape("error", &["error"], "do: [a: {raise: {error: @}}]", "Standard types match under every prefix that the specification has had, and bare: see *Errors*.", super::task::ERROR),
    shape("retry", &["retryPolicy"], "do: [a: {try: [], catch: {retry: @}}]", "A pause and another attempt at the whole tried list. Once attempts have run out `catch.do` runs; without one the error is raised again.", super::task::RETRY),
    shape("backoff", &["retryPolicy.backoff"], "do: [a: {try: [], catch: {retry: {backoff: @}}}]", "How the pause grows.", super::task::BACKOFF).one_of(&["constant", "exponential", "linear"]),
    shape("retry limit", &["retryPolicy.limit"], "do: [a: {try: [], catch: {retry: {limit: @}}}]", "", super::task::LIMIT),
    shape("attempt limit", &["retryPolicy.limit.attempt"], "do: [a: {try: [], catch: {retry: {limit: {attempt: @}}}}]", "", super::task::ATTEMPT),
    shape("jitter", &["retryPolicy.jitter"], "do: [a: {try: [], catch: {retry: {jitter: @}}}]", "A further pause between these bounds. Which one follows from the run's id, so it is the same after a restart.", &[
        key("from", DURATION, "PT0S", "A fixed duration.").required(),
        key("to", DURATION, "PT1S", "A fixed duration, not shorter.").required(),
    ]),
];
