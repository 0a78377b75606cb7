//! Owns the profile of events: `emit`, `listen`, and what they share.
//!
//! Invariant: a row holds wherever its shape is used, for emitted events and for filters.

use super::shape::Takes::{Either, Expression, List, Map, Shape as Of, Text, Value, Words};
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
        "In a filter: fixed text, so that a waiting run is found by it.",
    )
    .required(),
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
        "The first event that matches one of them. An empty list, which means every event, is refused.",
    ),
    key("one", Of("event filter"), "{with: {type: a}}", ""),
    key(
        "until",
        Either(&[Expression, Of("event strategy")]),
        ".a",
        "Listen inside of a `call: loop` with its own `until`.",
    )
    .refused(),
];

const FILTER: &[Key] = &[
    key(
        "with",
        Of("event"),
        "{type: a}",
        "What the event must be; `type` is required.",
    )
    .required()
    .differs(),
    key(
        "correlate",
        Map(&Of("correlation")),
        "{b: {from: .data.a, expect: 1}}",
        "All must be equal.",
    ),
];

const CORRELATION: &[Key] = &[
    key("from", Expression, ".data.a", "On the event.").required(),
    key(
        "expect",
        Value,
        "1",
        "Required: whatever comes first is not taken.",
    )
    .required()
    .differs(),
];

const ITERATOR: &[Key] = &[
    key("item", Text, "a", ""),
    key("at", Text, "a", ""),
    key("do", TASKS, "[]", ""),
    key("output", Of("output"), "{as: .a}", ""),
    key("export", Of("export"), "{as: .a}", ""),
];

/// The shapes of this file, in the order of the page.
pub(super) const SHAPES: &[Shape] = &[
    task(
        "emit",
        &["emitTask"],
        "Its output is the event as it was published.",
        &[key("emit", Of("emission"), "{event: {with: {type: a}}}", "").required()],
    ),
    shape(
        "emission",
        &["emitTask.emit"],
        "do: [a: {emit: @}]",
        "",
        &[key("event", Of("emitted"), "{with: {type: a}}", "").required()],
    ),
    shape(
        "emitted",
        &["emitTask.emit.event"],
        "do: [a: {emit: {event: @}}]",
        "",
        &[key(
            "with",
            Of("event"),
            "{type: a}",
            "The event; only its `type` is required.",
        )
        .required()],
    ),
    shape(
        "event",
        &["eventProperties"],
        "do: [a: {emit: {event: {with: @}}}]",
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
                "Listen inside of a `call: loop` and handle one event each round.",
            )
            .refused(),
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
                Words(&["data", "envelope"]),
                "envelope",
                "`raw` is refused: an event is kept as data, not as bytes.",
            )
            .differs(),
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
        "do: [a: {listen: {to: {one: {with: {type: a}}}}, foreach: {}}]",
        "",
        ITERATOR,
    )
    .refused(),
];
