//! Owns the table of patterns: what happens outside, and the rule that the history must keep.

use crate::stage::Do::{self, Cancel, Done, Gives, Idle, Signal, Start, Wait};
use crate::trace::Trace;

/// One pattern.
pub(crate) struct Pattern {
    /// Its number in the catalogue.
    pub(crate) number: usize,
    /// What happens outside.
    pub(crate) script: &'static [Do],
    /// What must hold of the history.
    pub(crate) rule: fn(&Trace) -> bool,
}

const fn pattern(number: usize, script: &'static [Do], rule: fn(&Trace) -> bool) -> Pattern {
    Pattern {
        number,
        script,
        rule,
    }
}

const NULL: Do = Start("null");

pub(crate) const PATTERNS: [Pattern; 43] = [
    pattern(1, &[NULL, Idle("b"), Done("a"), Done("b")], |t| {
        t.order(&["+a", "-a", "+b", "-b"]) && t.completed(1)
    }),
    pattern(2, &[NULL, Done("a"), Done("b"), Done("c")], |t| {
        t.order(&["-a", "+b", "-b"]) && t.at_once(&["b", "c"]) == 2 && t.completed(1)
    }),
    pattern(
        3,
        &[NULL, Done("c"), Idle("d"), Done("b"), Done("d")],
        |t| {
            t.order(&["-b", "+d"]) && t.order(&["-c", "+d"]) && t.count("+d") == 1 && t.completed(1)
        },
    ),
    pattern(4, &[Start(r#"{"total": 7}"#), Idle("b"), Done("c")], |t| {
        t.never("+b") && t.count("-c") == 1 && t.completed(1)
    }),
    pattern(
        5,
        &[Start(r#"{"total": 700}"#), Done("b"), Done("d")],
        |t| t.never("+c") && t.order(&["-b", "+d"]) && t.count("+d") == 1 && t.completed(1),
    ),
    pattern(
        6,
        &[Start(r#"{"b": true, "d": true}"#), Done("d"), Done("b")],
        |t| t.at_once(&["b", "d"]) == 2 && t.never("+c") && t.completed(1),
    ),
    pattern(
        7,
        &[
            Start(r#"{"b": true, "d": true}"#),
            Done("d"),
            Idle("e"),
            Done("b"),
            Done("e"),
        ],
        |t| {
            let waits = t.order(&["-b", "+e"]) && t.order(&["-d", "+e"]);
            waits && t.never("+c") && t.count("+e") == 1 && t.completed(1)
        },
    ),
    pattern(
        8,
        &[NULL, Done("b"), Done("d"), Done("c"), Done("d")],
        |t| t.count("-d") == 2 && t.order(&["-b", "+d", "-d", "-c"]) && t.completed(1),
    ),
    pattern(
        9,
        &[
            NULL,
            Done("b"),
            Done("d"),
            Done("c"),
            Done("c"),
            Done("d"),
            Done("b"),
        ],
        |t| {
            let first = t.order(&["-b", "+d", "-c"]);
            let resets = t.place("-c", 0) < t.place("+b", 1) && t.place("-c", 1) < t.place("+d", 1);
            first && resets && t.count("+d") == 2 && t.completed(1)
        },
    ),
    pattern(
        10,
        &[
            Start(r#"{"at": "b"}"#),
            Done("b"),
            Done("c"),
            Gives("b", r#"{"leave": true}"#),
            Start(r#"{"at": "c"}"#),
            Gives("c", r#"{"leave": true}"#),
        ],
        |t| {
            let first = t.order(&["+b", "-b", "+c", "-c"]) && t.place("-c", 0) < t.place("+b", 1);
            first && t.count("-b") == 2 && t.count("-c") == 2 && t.completed(2)
        },
    ),
    pattern(11, &[NULL, Done("c"), Done("b"), Done("d")], |t| {
        t.order(&["-b", ".completed"]) && t.order(&["-d", ".completed"]) && t.completed(1)
    }),
    pattern(
        12,
        &[Start("{}"), Done("work"), Done("work"), Done("work")],
        |t| t.order(&[".completed", "-work"]) && t.count("-work") == 3 && t.completed(4),
    ),
    pattern(
        13,
        &[NULL, Done("b"), Done("b"), Idle("c"), Done("b"), Done("c")],
        |t| {
            t.at_once(&["b"]) == 3
                && t.place("-b", 2) < t.place("+c", 0)
                && t.count("+c") == 1
                && t.completed(1)
        },
    ),
    pattern(
        14,
        &[
            Start(r#"{"items": [1, 2]}"#),
            Done("b"),
            Idle("c"),
            Done("b"),
            Done("c"),
        ],
        |t| {
            t.count("-b") == 2
                && t.place("-b", 1) < t.place("+c", 0)
                && t.count("+c") == 1
                && t.completed(1)
        },
    ),
    pattern(
        15,
        &[
            Start(r#"{"items": [1]}"#),
            Signal("added", "2"),
            Done("b"),
            Signal("added", "3"),
            Done("b"),
            Idle("c"),
            Done("b"),
            Done("c"),
        ],
        |t| {
            t.count("-b") == 3
                && t.place("-b", 2) < t.place("+c", 0)
                && t.count("+c") == 1
                && t.completed(1)
        },
    ),
    pattern(
        16,
        &[
            NULL,
            Idle("b"),
            Signal("right", "1"),
            Signal("left", "2"),
            Done("c"),
        ],
        |t| {
            t.order(&["-right", "xleft", "+c"])
                && t.never("-left")
                && t.never("+b")
                && t.completed(1)
        },
    ),
    pattern(17, &[NULL, Done("d"), Done("b"), Done("c")], |t| {
        t.at_once(&["b", "c", "d"]) == 1
            && t.order(&["-b", "+c"])
            && t.count("-d") == 1
            && t.completed(1)
    }),
    pattern(
        18,
        &[
            NULL,
            Done("c"),
            Done("d"),
            Done("b"),
            Start("null"),
            Done("b"),
            Done("c"),
            Idle("d"),
            Done("late"),
        ],
        |t| {
            let in_time = t.place("+d", 0) < t.place("-b", 0);
            let late = t.place("-b", 1) < t.place("+late", 0);
            in_time && late && t.count("+d") == 1 && t.count("+late") == 1 && t.completed(2)
        },
    ),
    pattern(
        19,
        &[NULL, Signal("stop", "1"), Idle("b"), Done("c")],
        |t| t.order(&["+b", "xb", "-c"]) && t.never("-b") && t.never("xc") && t.completed(1),
    ),
    pattern(20, &[Start("{}"), Cancel, Idle("b"), Idle("c")], |t| {
        let all = t.ends.len() == 2 && t.count(".cancelled") == 2;
        all && t.order(&["+b", "xb"]) && t.order(&["+c", "xc"]) && t.never("-b") && t.never("-c")
    }),
    pattern(
        21,
        &[
            Start(r#"{"tries": 2}"#),
            Done("b"),
            Done("b"),
            Done("c"),
            Gives("c", r#"{"done": true}"#),
            Start(r#"{"tries": 0}"#),
            Gives("c", r#"{"done": true}"#),
        ],
        |t| {
            t.count("-b") == 2
                && t.place("-b", 1) < t.place("+c", 0)
                && t.count("-c") == 3
                && t.completed(2)
        },
    ),
    pattern(
        22,
        &[Start(r#"{"depth": 2}"#), Done("b"), Done("b"), Done("b")],
        |t| t.at_once(&["below"]) == 2 && t.place("+b", 2) < t.place("-below", 0) && t.completed(3),
    ),
    pattern(
        23,
        &[
            NULL,
            Signal("go", "1"),
            Done("b"),
            Idle("c"),
            Signal("go", "2"),
            Done("c"),
        ],
        |t| t.order(&["-b", "+heard", "-heard", "+c"]) && t.output() == "[2]" && t.completed(1),
    ),
    pattern(24, &[NULL, Signal("go", "1"), Done("b"), Done("c")], |t| {
        t.order(&["-b", "+heard", "-heard", "+c"]) && t.output() == "[1]" && t.completed(1)
    }),
    pattern(
        25,
        &[
            NULL,
            Signal("stop", "1"),
            Idle("b"),
            Idle("c"),
            Done("d"),
            Done("e"),
        ],
        |t| {
            let together =
                t.never("-b") && t.never("-c") && t.order(&["xb", "+e"]) && t.order(&["xc", "+e"]);
            together && t.count("-d") == 1 && t.completed(1)
        },
    ),
    pattern(
        26,
        &[
            Start(r#"{"items": [1, 2, 3]}"#),
            Done("b"),
            Signal("stop", "1"),
            Idle("b"),
            Idle("c"),
        ],
        |t| t.count("-b") == 1 && t.count("xb") == 2 && t.never("+c") && t.completed(1),
    ),
    pattern(
        27,
        &[
            Start(r#"{"items": [1, 2, 3]}"#),
            Done("b"),
            Signal("stop", "1"),
            Idle("b"),
            Done("c"),
        ],
        |t| {
            t.count("-b") == 1
                && t.count("xb") == 2
                && t.order(&["xb", "+c"])
                && t.count("-c") == 1
                && t.completed(1)
        },
    ),
    pattern(
        28,
        &[
            NULL,
            Done("b"),
            Done("e"),
            Done("b"),
            Idle("e"),
            Done("c"),
            Done("e"),
            Done("c"),
        ],
        |t| {
            let first = t.place("+e", 0) < t.place("-b", 1);
            let blocked = t.place("-c", 0) < t.place("+e", 1);
            first && blocked && t.count("+e") == 2 && t.completed(1)
        },
    ),
    pattern(29, &[NULL, Done("c"), Idle("b"), Done("d")], |t| {
        t.order(&["-c", "xb", "+d"]) && t.never("-b") && t.count("+d") == 1 && t.completed(1)
    }),
    pattern(
        30,
        &[NULL, Done("d"), Idle("e"), Done("b"), Done("e"), Done("c")],
        |t| {
            t.order(&["-d", "-b", "+e", "-c"])
                && t.never("xc")
                && t.count("+e") == 1
                && t.completed(1)
        },
    ),
    pattern(
        31,
        &[
            NULL,
            Done("b"),
            Idle("e"),
            Done("c"),
            Done("e"),
            Done("b"),
            Done("c"),
            Idle("e"),
            Done("d"),
            Done("e"),
            Done("d"),
        ],
        |t| {
            let enough = t.place("-c", 0) < t.place("+e", 0) && t.place("+e", 0) < t.place("-d", 0);
            enough && t.place("-d", 0) < t.place("+e", 1) && t.count("+e") == 2 && t.completed(1)
        },
    ),
    pattern(
        32,
        &[NULL, Done("d"), Idle("e"), Done("b"), Idle("c"), Done("e")],
        |t| {
            t.order(&["-d", "-b", "xc", "+e"])
                && t.never("-c")
                && t.count("+e") == 1
                && t.completed(1)
        },
    ),
    pattern(
        33,
        &[
            NULL,
            Done("b"),
            Done("b"),
            Idle("e"),
            Done("c"),
            Done("e"),
            Idle("e"),
            Done("c"),
            Done("e"),
        ],
        |t| {
            let pairs = t.place("-c", 0) < t.place("+e", 0) && t.place("-c", 1) < t.place("+e", 1);
            pairs && t.count("+e") == 2 && t.completed(1)
        },
    ),
    pattern(
        34,
        &[
            Start(r#"{"items": [1, 2, 3]}"#),
            Done("b"),
            Idle("c"),
            Done("b"),
            Done("c"),
            Done("b"),
        ],
        |t| {
            let enough = t.place("-b", 1) < t.place("+c", 0) && t.place("+c", 0) < t.place("-b", 2);
            enough && t.never("xb") && t.count("+c") == 1 && t.completed(1)
        },
    ),
    pattern(
        35,
        &[
            Start(r#"{"items": [1, 2, 3]}"#),
            Done("b"),
            Idle("c"),
            Done("b"),
            Idle("b"),
            Done("c"),
        ],
        |t| t.count("-b") == 2 && t.count("xb") == 1 && t.order(&["xb", "+c"]) && t.completed(1),
    ),
    pattern(
        36,
        &[
            Start(r#"{"items": [1, 2]}"#),
            Gives("b", r#"{"found": 2}"#),
            Signal("added", "3"),
            Idle("c"),
            Gives("b", r#"{"found": 3}"#),
            Idle("b"),
            Done("c"),
        ],
        |t| {
            t.count("+b") == 3
                && t.count("-b") == 2
                && t.count("xb") == 1
                && t.count("+c") == 1
                && t.completed(1)
        },
    ),
    pattern(
        37,
        &[
            Start(r#"{"b": true, "c": true}"#),
            Done("b"),
            Idle("d"),
            Gives("c", r#"{"away": true}"#),
            Done("d"),
            Start(r#"{"b": true, "c": true}"#),
            Done("c"),
            Idle("d"),
            Done("b"),
            Done("d"),
        ],
        |t| {
            let waits = t.place("-c", 0) < t.place("+d", 0) && t.place("-b", 1) < t.place("+d", 1);
            waits && t.count("+d") == 2 && t.completed(2)
        },
    ),
    pattern(
        38,
        &[
            NULL,
            Done("b"),
            Idle("d"),
            Gives("c", r#"{"again": true}"#),
            Idle("d"),
            Gives("c", "{}"),
            Done("d"),
        ],
        |t| t.place("-c", 1) < t.place("+d", 0) && t.count("+d") == 1 && t.completed(1),
    ),
    pattern(
        39,
        &[
            NULL,
            Start("null"),
            Done("b"),
            Done("b"),
            Done("c"),
            Done("c"),
        ],
        |t| {
            t.at_once(&["b"]) == 1 && t.at_once(&["c"]) == 2 && t.count("-b") == 2 && t.completed(2)
        },
    ),
    pattern(40, &[NULL, Done("b"), Done("c"), Done("d")], |t| {
        t.at_once(&["b", "c", "d"]) == 1
            && t.count("-c") == 1
            && t.count("-d") == 1
            && t.completed(1)
    }),
    pattern(
        41,
        &[NULL, Done("b"), Done("b"), Idle("c"), Done("b"), Done("c")],
        |t| {
            t.count("-b") == 3
                && t.place("-b", 2) < t.place("+c", 0)
                && t.count("+c") == 1
                && t.completed(1)
        },
    ),
    pattern(
        42,
        &[
            NULL,
            Gives("a", r#"{"count": 3}"#),
            Done("b"),
            Done("b"),
            Done("b"),
        ],
        |t| {
            t.at_once(&["b"]) == 3 && t.order(&["-a", "+b"]) && t.count("-b") == 3 && t.completed(1)
        },
    ),
    pattern(43, &[NULL, Done("c"), Idle("b"), Idle("d"), Wait(1)], |t| {
        t.order(&["-c", "xb", ".completed"]) && t.never("-b") && t.never("+d") && t.completed(1)
    }),
];
