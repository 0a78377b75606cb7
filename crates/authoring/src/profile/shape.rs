//! Owns [`Shape`] and [`Key`]: how one map of the language is described, once, for people, editors and tests.
//!
//! Invariant: every description carries a sample, and the tests compile it, so that a row of the profile cannot say
//! what the compiler does not do.

/// What a place of the language takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    /// Text as it stands.
    Text,
    /// An expression, bare or as `${ … }`.
    Expression,
    /// Anything, computed where it is `${ … }` as a whole.
    Value,
    /// A map of values, or one expression as `${ … }`.
    Values,
    /// True or false.
    Flag,
    /// A whole number within these bounds.
    Number(i64, i64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// Text that is none of these words.
    Except(&'static [&'static str]),
    /// A map of this shape.
    Shape(&'static str),
    /// A task of any kind.
    Task,
    /// A map with exactly one member, which names what it holds.
    Named(&'static Takes),
    /// A list.
    List(&'static Takes),
    /// A map of the author's own names.
    Map(&'static Takes),
    /// A map that must be empty.
    Empty,
    /// Any of these.
    Either(&'static [Takes]),
}

/// A list of named tasks.
pub(crate) const TASKS: Takes = Takes::List(&Takes::Named(&Takes::Task));

/// A length of time.
pub(crate) const DURATION: Takes = Takes::Either(&[Takes::Text, Takes::Shape("duration")]);

/// What is done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// What the language says.
    Supported,
    /// Something else than the language says, in the way the row tells.
    Differs,
    /// A finding of the code `unsupported`.
    Refused,
    /// Not in the language.
    Ours,
}

/// A key of a map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    /// A value as it may stand in a text.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only the tests need it, beside what it is about")
    )]
    pub(crate) sample: &'static str,
    pub(crate) says: &'static str,
    pub(crate) standing: Standing,
    pub(crate) required: bool,
    /// Part of the language, but not of the schema that the profile is pinned to.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only the tests need it, beside what it is about")
    )]
    pub(crate) later: bool,
}

/// A map of the language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// The places in the official schema whose properties it has.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only the tests need it, beside what it is about")
    )]
    pub(crate) of: &'static [&'static str],
    /// The rest of a document around it, in which `@` stands for the map.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only the tests need it, beside what it is about")
    )]
    pub(crate) frame: &'static str,
    pub(crate) says: &'static str,
    pub(crate) keys: &'static [Key],
    /// Keys of which exactly one must be there; at least one, if it may be several.
    pub(crate) one_of: &'static [&'static str],
    pub(crate) several: bool,
    /// Whether it is a task, and so has the keys that all tasks have.
    pub(crate) task: bool,
    /// Whether it may have keys that are not listed.
    pub(crate) open: bool,
    /// Whether it is refused as a whole.
    pub(crate) refused: bool,
}

/// A key that does what the language says.
pub(crate) const fn key(
    name: &'static str,
    takes: Takes,
    sample: &'static str,
    says: &'static str,
) -> Key {
    Key {
        name,
        takes,
        sample,
        says,
        standing: Standing::Supported,
        required: false,
        later: false,
    }
}

impl Key {
    pub(crate) const fn required(self) -> Key {
        Key {
            required: true,
            ..self
        }
    }

    pub(crate) const fn differs(self) -> Key {
        Key {
            standing: Standing::Differs,
            ..self
        }
    }

    pub(crate) const fn refused(self) -> Key {
        Key {
            standing: Standing::Refused,
            ..self
        }
    }

    pub(crate) const fn ours(self) -> Key {
        Key {
            standing: Standing::Ours,
            ..self
        }
    }

    pub(crate) const fn later(self) -> Key {
        Key {
            later: true,
            ..self
        }
    }
}

/// A closed map.
pub(crate) const fn shape(
    name: &'static str,
    of: &'static [&'static str],
    frame: &'static str,
    says: &'static str,
    keys: &'static [Key],
) -> Shape {
    Shape {
        name,
        of,
        frame,
        says,
        keys,
        one_of: &[],
        several: false,
        task: false,
        open: false,
        refused: false,
    }
}

/// A task that stands by itself in a document.
pub(crate) const fn task(
    name: &'static str,
    of: &'static [&'static str],
    says: &'static str,
    keys: &'static [Key],
) -> Shape {
    shape(name, of, "do: [a: @]", says, keys).as_task()
}

impl Shape {
    pub(crate) const fn as_task(self) -> Shape {
        Shape { task: true, ..self }
    }

    pub(crate) const fn one_of(self, keys: &'static [&'static str]) -> Shape {
        Shape {
            one_of: keys,
            ..self
        }
    }

    pub(crate) const fn some_of(self, keys: &'static [&'static str]) -> Shape {
        Shape {
            one_of: keys,
            several: true,
            ..self
        }
    }

    pub(crate) const fn open(self) -> Shape {
        Shape { open: true, ..self }
    }

    pub(crate) const fn refused(self) -> Shape {
        Shape {
            refused: true,
            ..self
        }
    }
}
