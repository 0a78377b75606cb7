//! Owns the rules for Rust files: how they open, how long they are, what they must not say.
//!
//! Invariant: rules look at lines alone. What would need a parser is left to the compiler and its lints.

use super::{File, Flaw};

/// The longest file.
const LINES_MAX: usize = 800;

/// How many lines of a long file's head say what it owns, and which invariant it keeps.
const HEAD_LINES_MIN: usize = 2;

/// Up to here a file is short: one line says it.
const SHORT_LINES_MAX: usize = 200;

/// Words that stand for a noun that was not found, anywhere in the name of a type.
const NAMES_BANNED: [&str; 10] = [
    "Manager",
    "Helper",
    "Helpers",
    "Util",
    "Utils",
    "Common",
    "Base",
    "Handler",
    "Processor",
    "Behavior",
];

/// The same at the end of a name.
const ENDS_BANNED: [&str; 3] = ["Impl", "Info", "V2"];

/// What begins the name of a type.
const DECLARATIONS: [&str; 4] = ["struct ", "enum ", "trait ", "type "];

/// What is left to do is done, or written down where it is planned. In pieces, so that this file may hold it.
const UNFINISHED: [&str; 5] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("#[ig", "nore"),
];

/// Folders, and words that must not be said there.
const ROOMS: [(&str, &[&str]); 4] = [
    (
        "crates/journal/",
        &["workflow", "workflows", "graph", "graphs", "kernel"],
    ),
    (
        "crates/store/",
        &["workflow", "workflows", "graph", "graphs", "kernel"],
    ),
    ("crates/engine/src/partition/", &["tokio"]),
    ("crates/engine/src/query.rs", &["tokio"]),
];

/// Holds one Rust file against all rules.
pub(super) fn check(file: &File) -> Vec<Flaw> {
    let mut flaws: Vec<Flaw> = head(file).into_iter().collect();
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        let what = format!("{lines} lines, at most {LINES_MAX}");
        flaws.push(Flaw::new(
            &file.path,
            0,
            what,
            "give each noun a file of its own, or move the tests to tests.rs",
        ));
    }
    for (index, line) in file.text.lines().enumerate() {
        flaws.extend(words(&file.path, index + 1, line));
    }
    flaws
}

fn head(file: &File) -> Option<Flaw> {
    let head = file
        .text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .count();
    let fix = "say first what the file owns and which invariant it keeps";
    let is_long = file.text.lines().count() > SHORT_LINES_MAX && !is_test(&file.path);
    let what = match head {
        0 => "the file does not open with //!",
        lines if lines < HEAD_LINES_MIN && is_long => "the head of the file says too little",
        _ => return None,
    };
    Some(Flaw::new(&file.path, 1, what, fix))
}

/// Whether a file holds tests alone, which own nothing.
fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn words(path: &str, number: usize, line: &str) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
        let what = format!("{} is left unfinished", word.trim_end_matches('('));
        flaws.push(Flaw::new(path, number, what, "finish it, or remove it"));
    }
    if let Some(name) = declared(line)
        && let Some(word) = banned(name)
    {
        let what = format!("the type {name} is named with {word:?}");
        flaws.push(Flaw::new(path, number, what, "find the noun that it is"));
    }
    for (room, banned) in ROOMS.iter().filter(|(room, _)| path.starts_with(room)) {
        let lower = line.to_lowercase();
        let mut said = lower.split(|c: char| !c.is_alphanumeric());
        if let Some(word) = said.find(|word| banned.contains(word)) {
            let what = format!("{word:?} must not be said in {room}");
            flaws.push(Flaw::new(
                path,
                number,
                what,
                "use this room's own words, or move the code",
            ));
        }
    }
    flaws
}

/// The name of the type that a line declares.
fn declared(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(after) = rest.strip_prefix("pub") {
        rest = after
            .strip_prefix('(')
            .and_then(|after| after.split_once(')'))
            .map_or(after, |(_, after)| after);
        rest = rest.trim_start();
    }
    let rest = DECLARATIONS
        .iter()
        .find_map(|word| rest.strip_prefix(word))?;
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The banned word in a name in camel case.
fn banned(name: &str) -> Option<&str> {
    let mut starts: Vec<usize> = name
        .char_indices()
        .filter(|(_, letter)| letter.is_uppercase())
        .map(|(at, _)| at)
        .collect();
    starts.push(name.len());
    let word = starts
        .windows(2)
        .map(|pair| &name[pair[0]..pair[1]])
        .find(|word| NAMES_BANNED.contains(word));
    word.or_else(|| {
        ENDS_BANNED
            .iter()
            .find_map(|end| name.ends_with(end).then(|| &name[name.len() - end.len()..]))
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    const HEAD: &str = "//! Owns it.\n//! Invariant: it is kept.\n";

    fn flaws(path: &str, text: &str) -> Vec<String> {
        check(&file(path, text))
            .iter()
            .map(Flaw::to_string)
            .collect()
    }

    #[test]
    fn a_tidy_file_has_no_flaws() {
        let text = format!(
            "{HEAD}pub(crate) struct Database;\nenum Basement {{}}\ntype Information = u8;\n"
        );
        assert_eq!(flaws("crates/graph/src/a.rs", &text), Vec::<String>::new());
    }

    #[test]
    fn heads() {
        assert!(flaws("a.rs", "fn main() {}\n")[0].contains("does not open with //!"));
        let one = |lines| format!("//! One.{}", "\n".repeat(lines));
        assert_eq!(flaws("a.rs", &one(SHORT_LINES_MAX)).len(), 0);
        assert!(flaws("a.rs", &one(SHORT_LINES_MAX + 1))[0].contains("says too little"));
        assert_eq!(flaws("a/tests.rs", &one(SHORT_LINES_MAX + 1)).len(), 0);
    }

    #[test]
    fn long_files() {
        assert_eq!(
            flaws("a.rs", &format!("{HEAD}{}", "\n".repeat(LINES_MAX - 2))).len(),
            0
        );
        assert!(
            flaws("a.rs", &format!("{HEAD}{}", "\n".repeat(LINES_MAX - 1)))[0]
                .contains("801 lines")
        );
    }

    #[test]
    fn names() {
        for line in [
            "struct RunManager;",
            "pub struct UtilBox<T>(T);",
            "pub(crate) trait StoreImpl {",
            "  enum RunInfo {",
            "type RunV2 = Run;",
        ] {
            assert_eq!(flaws("a.rs", &format!("{HEAD}{line}\n")).len(), 1, "{line}");
        }
        assert_eq!(declared("pub(in crate::a) struct Name<T> {"), Some("Name"));
        assert_eq!(declared("let structure = 1;"), None);
    }

    #[test]
    fn unfinished_work() {
        for word in UNFINISHED {
            assert_eq!(
                flaws("a.rs", &format!("{HEAD}// {word}\n")).len(),
                1,
                "{word}"
            );
        }
    }

    #[test]
    fn rooms() {
        let said = format!("{HEAD}/// Keeps the Workflow of a paragraph.\n");
        assert_eq!(
            flaws("crates/journal/src/a.rs", &said),
            [
                "crates/journal/src/a.rs:3: \"workflow\" must not be said in crates/journal/; use this room's own words, or move the code"
            ]
        );
        assert_eq!(flaws("crates/kernel/src/a.rs", &said), Vec::<String>::new());
        assert_eq!(
            flaws(
                "crates/engine/src/partition/a.rs",
                &format!("{HEAD}use tokio::spawn;\n")
            )
            .len(),
            1
        );
        assert_eq!(
            flaws(
                "crates/engine/src/driver/a.rs",
                &format!("{HEAD}use tokio::spawn;\n")
            )
            .len(),
            0
        );
    }
}
