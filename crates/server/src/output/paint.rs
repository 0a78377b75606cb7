//! Owns [`Paint`]: whether text is coloured, and how.
//!
//! Invariant: what comes from outside cannot move the cursor or change colours: see [`plain`].

use std::io::IsTerminal;

/// What a piece of text says by its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// That it is a heading.
    Strong,
    /// That it matters less.
    Faint,
    /// That all is well.
    Good,
    /// That somebody should look at it.
    Warning,
    /// That it went wrong.
    Bad,
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// It is not.
    Plain,
    /// It is.
    Coloured,
}

impl Paint {
    /// Colours for a terminal, unless `NO_COLOR` is set or the terminal is a dumb one.
    pub(crate) fn of(stream: &impl IsTerminal) -> Paint {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if stream.is_terminal() && !unwanted {
            Paint::Coloured
        } else {
            Paint::Plain
        }
    }

    /// The text in a tone.
    pub(crate) fn tone(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
        };
        match self {
            Paint::Plain => text.to_owned(),
            Paint::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// Whether a character steers a terminal or the order of what stands around it, instead of being seen.
pub(crate) fn is_steering(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// The text on one line, with steering characters written out.
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_steering(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

/// At most so many letters of a text, and a sign that there were more.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_cannot_steer_the_terminal() {
        assert_eq!(
            plain("a\u{1b}[31mb\nc\u{9b}d é\u{202e}f\u{2028}"),
            "a\\u{1b}[31mb\\nc\\u{9b}d é\\u{202e}f\\u{2028}"
        );
    }

    #[test]
    fn long_text_is_cut_between_letters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äöü…");
    }

    #[test]
    fn tones_are_only_seen_when_coloured() {
        assert_eq!(Paint::Plain.tone("x", Tone::Bad), "x");
        assert_eq!(Paint::Coloured.tone("x", Tone::Bad), "\u{1b}[31mx\u{1b}[0m");
    }
}
