//! Owns the profile of events: `emit`, `listen`, and what they share.
//!
//! Invariant: a row holds wherever its shape is used, for emitted events and for filters.

use super::shape::Takes::{Either, Expression, Flag, List, Map, Shape as Of, Text, Value, Words};
use super::shape::{Key, Shape, TASKS, key, shape, task};

const EVENT: &[Key] = &[
    key(
        "id",
        Text,
        "a",
        "Emitted: the run's id and a number, the same after a crash.",
    ),
    key(
        "source",
        Text,
        "https://example.com",
        "Emitted: `/workflows/` and the workflow's name.",
    ),
    key(
        "type",
        Text,
        "a",
        "Emitted: required. In a filter: fixed text, so that a waiting run is found by it, or left out.",
    ),
    key("time", Text, "'2030-01-31T09:00:00Z'", "Emitted: now."),
    key("subject", Text, "a", ""),
    key("datacontenttype", Text, "application/json", ""),
    key("dataschema", Text, "https://example.com/a", ""),
    key(
        "data",
        Value,
        "{a: 1}",
        "In a filter: an expression is a condition on the data, anything else must be equal.",
    ),
];

const STRATEGY: &[Key] = &[
    key(
        "all",
        List(&Of("event filter")),
        "[{with: {type: a}}]",
        "One event for each filter, in any order.",
    ),
    key(
        "any",
        List(&Of("event filter")),
        "[{with: {type: a}}]",
        "The first event that matches one of them; of an empty list, any event.",
    ),
    key("one", Of("event filter"), "{with: {type: a}}", ""),
    key(
        "until",
        Either(&[Expression, Flag, Of("ending events")]),
        "length > 3",
        "With `any` only. A condition on the output as it would be now, asked after each event (and its `foreach`); or events, which are no part of the output and win over those that are; or `false`: for ever.",
    ),
];

const ENDING: &[Key] = &[
    key("all", List(&Of("event filter")), "[{with: {type: a}}]", ""),
    key("any", List(&Of("event filter")), "[{with: {type: a}}]", ""),
    key("one", Of("event filter"), "{with: {type: a}}", ""),
];

const FILTER: &[Key] = &[
    key(
        "with",
        Of("event"),
        "{type: a}",
        "What the event must be; at least one member.",
    )
    .required(),
    key(
        "correlate",
        Map(&Of("correlation")),
        "{b: {from: .data.a, expect: '1'}}",
        "All must be equal.",
    ),
];

const CORRELATION: &[Key] = &[
    key("from", Expression, ".data.a", "On the event.").required(),
    key(
        "expect",
        Value,
        "1",
        "Without it, the first event that has the value settles it for the others of this `listen` under the same name.",
    ),
];

const ITERATOR: &[Key] = &[
    key(
        "item",
        Text,
        "a",
        "The variable that holds the event; `item` if left out.",
    ),
    key(
        "at",
        Text,
        "a",
        "The variable that holds its place, from 0; `index` if left out.",
    ),
    key(
        "do",
        TASKS,
        "[]",
        "Without tasks the event itself is the output.",
    ),
    key(
        "output",
        Of("output"),
        "{as: .a}",
        "Of the tasks of one event.",
    ),
    key("export", Of("export"), "{as: .a}", "After each event."),
];

/// The shapes of this file, in the order of the page.
pub(super) const SHAPES: &[Shape] = &[
    task(
        "emit",
        &["emitTask"],
        "Its output is the event as it was published.",
        &[key(
            "emit",
            Of("emission"),
            "{event: {with: {source: 'https://example.com', type: a}}}",
            "",
        )
        .required()],
    ),
    shape(
        "emission",
        &["emitTask.emit"],
        "do: [a: {emit: @}]",
        "",
        &[key(
            "event",
            Of("emitted"),
            "{with: {source: 'https://example.com', type: a}}",
            "",
        )
        .required()],
    ),
    shape(
        "emitted",
        &["emitTask.emit.event"],
        "do: [a: {emit: {event: @}}]",
        "",
        &[key(
            "with",
            Of("event"),
            "{source: 'https://example.com', type: a}",
            "The event; only its `type` is required.",
        )
        .required()],
    ),
    shape(
        "event",
        &["eventProperties"],
        "do: [a: {listen: {to: {one: {with: @}}}}]",
        "Any further member is an extension attribute.",
        EVENT,
    )
    .open(),
    task(
        "listen",
        &["listenTask"],
        "The output is always a list, also of one event.",
        &[
            key(
                "listen",
                Of("listening"),
                "{to: {one: {with: {type: a}}}}",
                "",
            )
            .required(),
            key(
                "foreach",
                Of("iterator"),
                "{do: []}",
                "Its tasks run for each event, one event after the other; the output is the list of their outputs. Events that come meanwhile wait.",
            ),
        ],
    ),
    shape(
        "listening",
        &["listenTask.listen"],
        "do: [a: {listen: @}]",
        "",
        &[
            key("to", Of("event strategy"), "{one: {with: {type: a}}}", "").required(),
            key(
                "read",
                Words(&["data", "envelope", "raw"]),
                "envelope",
                "`raw` means `data`: events come in as JSON.",
            ),
        ],
    ),
    shape(
        "event strategy",
        &["eventConsumptionStrategy", "eventConsumptionStrategy.until"],
        "do: [a: {listen: {to: @}}]",
        "",
        STRATEGY,
    )
    .one_of(&["one", "any", "all"]),
    shape(
        "ending events",
        &["eventConsumptionStrategy"],
        "do: [a: {listen: {to: {any: [], until: @}}}]",
        "Events that end a `listen`.",
        ENDING,
    )
    .one_of(&["one", "any", "all"]),
    shape(
        "event filter",
        &["eventFilter"],
        "do: [a: {listen: {to: {one: @}}}]",
        "",
        FILTER,
    ),
    shape(
        "correlation",
        &["eventFilter.correlate{}"],
        "do: [a: {listen: {to: {one: {with: {type: a}, correlate: {b: @}}}}}]",
        "",
        CORRELATION,
    ),
    shape(
        "iterator",
        &["subscriptionIterator"],
        "do: [a: {listen: {to: {one: {with: {type: a}}}}, foreach: @}]",
        "The tasks get the event as it is read as their data.",
        ITERATOR,
    ),
];
