//! Owns the film: what happened in a seed, line by line, with the number of the step.
//!
//! Invariant: the same seed gives the same lines, byte for byte.

use std::fmt::Arguments;

/// The longest line; the rest of it is left out.
const LINE_BYTES_MAX: usize = 400;

/// The lines so far.
#[derive(Debug, Default)]
pub struct Film {
    step: u64,
    runs: bool,
    lines: Vec<String>,
}

impl Film {
    /// A film that is shot, or one that stays empty.
    #[must_use]
    pub fn new(runs: bool) -> Film {
        Film {
            runs,
            ..Film::default()
        }
    }

    pub(crate) fn step(&mut self, step: u64) {
        self.step = step;
    }

    pub(crate) fn shoot(&mut self, what: Arguments<'_>) {
        if !self.runs {
            return;
        }
        let mut line = format!("{:>5}  {what}", self.step);
        if line.len() > LINE_BYTES_MAX {
            let end = (0..=LINE_BYTES_MAX)
                .rev()
                .find(|end| line.is_char_boundary(*end))
                .unwrap_or(0);
            line.truncate(end);
            line.push_str(" ...");
        }
        self.lines.push(line);
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// Adds a line to a film.
macro_rules! shoot {
    ($film:expr, $($what:tt)*) => { $film.shoot(format_args!($($what)*)) };
}

pub(crate) use shoot;
