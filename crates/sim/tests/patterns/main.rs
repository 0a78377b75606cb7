//! The 43 control-flow patterns keep their rules, also as the graph form writes them, and wherever the process dies.
//!
//! One row of [`table::PATTERNS`] is one pattern: what happens outside, and its rule as a predicate on the history.
//! Its workflow is `examples/patterns/NN-*.yaml`.

mod stage;
mod table;
mod trace;

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use stage::{Crash, Stage};
use table::{PATTERNS, Pattern};
use trace::Trace;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/patterns")
}

/// The texts of the workflows by number.
fn texts() -> BTreeMap<usize, (String, String)> {
    let entries = fs::read_dir(folder()).expect("the folder of the patterns");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name")
    });
    let yaml = names.filter(|name| name.ends_with(".yaml"));
    let read = yaml.map(|name| {
        let number = name[..2].parse().expect("a name begins with a number");
        let text = fs::read_to_string(folder().join(&name)).expect("a text");
        (number, (name, text))
    });
    read.collect()
}

/// Plays a pattern; gives its history, how many batches it had, and whether the crash came.
fn play(pattern: &Pattern, text: &str, crash: Option<Crash>) -> (Trace, usize, bool) {
    let mut stage = Stage::new(text.to_owned(), crash);
    pattern.script.iter().for_each(|act| stage.play(*act));
    (stage.trace(), stage.batches(), stage.has_crashed())
}

/// Plays a pattern to its end, again as the graph form writes it, and again with a crash at each place there is.
fn check(pattern: &Pattern, text: &str) {
    let (trace, batches, _) = play(pattern, text, None);
    assert!((pattern.rule)(&trace), "it breaks its rule:\n{trace}");
    assert!(
        !(pattern.rule)(&Trace::default()),
        "its rule asks for nothing"
    );
    let compiled = authoring::compile(text).expect("it compiled before");
    let (drawn, ..) = play(pattern, &authoring::to_text(&compiled), None);
    assert!((pattern.rule)(&drawn), "drawn it breaks its rule:\n{drawn}");
    assert_eq!(drawn.ends, trace.ends, "drawn it ends otherwise:\n{drawn}");
    for batch in 0..batches {
        for is_durable in [false, true] {
            let crash = Crash { batch, is_durable };
            let (after, _, crashed) = play(pattern, text, Some(crash));
            assert!(crashed, "there is no {crash:?}");
            assert!(
                (pattern.rule)(&after),
                "after {crash:?} it breaks its rule:\n{after}"
            );
            assert_eq!(
                after.ends, trace.ends,
                "after {crash:?} it ends otherwise:\n{after}"
            );
        }
    }
}

#[test]
fn every_pattern_keeps_its_rule_wherever_the_process_dies() {
    let texts = texts();
    let broken = PATTERNS.iter().filter(|pattern| {
        let (name, text) = &texts[&pattern.number];
        println!("{name}");
        catch_unwind(|| check(pattern, text)).is_err()
    });
    let broken: Vec<usize> = broken.map(|pattern| pattern.number).collect();
    assert!(broken.is_empty(), "patterns {broken:?} do not hold");
}

#[test]
fn every_pattern_has_a_workflow_a_line_and_a_row() {
    let texts = texts();
    let numbers: Vec<usize> = (1..=43).collect();
    assert_eq!(texts.keys().copied().collect::<Vec<_>>(), numbers);
    assert_eq!(
        PATTERNS
            .iter()
            .map(|pattern| pattern.number)
            .collect::<Vec<_>>(),
        numbers
    );
    let page = fs::read_to_string(folder().join("README.md")).expect("the page");
    for (number, (name, text)) in &texts {
        // The comment that opens a workflow is what the page says: number, name and rule.
        let comment = text
            .lines()
            .find(|line| !line.starts_with("# yaml-language-server:"))
            .and_then(|line| line.strip_prefix(&format!("# {number}. ")));
        let (title, rule) = comment
            .and_then(|line| line.split_once(". "))
            .expect("a title and a rule");
        let form = if text.contains("\ngraph: '1.0'\n") {
            "graph"
        } else {
            "DSL"
        };
        let row = format!("| [{number}]({name}) | {title} | {rule} | {form} |");
        assert!(
            page.lines().any(|line| line == row),
            "the page lacks\n{row}"
        );
    }
}
