//! Random valid documents: each lowers to a sound graph, and its run ends or waits for something that can come.
//!
//! A document is made of all kinds of tasks, nested, with jumps and expressions; its run is played on a clock that
//! jumps, with workers that answer, fail or fall silent, then with events, a cancellation and at last a
//! termination. A run that crashes at each of its first instants must come to the same. `PROPTEST_CASES` sets how many documents
//! are tried; a failing one is made smaller before it is shown.

mod document;
mod play;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use document::{Document, documents};
use play::{Ending, play};

/// How many documents are tried if the environment does not say.
const DOCUMENTS: u32 = 128;

fn holds(document: &Document) -> Result<(), TestCaseError> {
    let text = document.text();
    let fail = |why: String| Err(TestCaseError::fail(format!("{why}\n{text}")));
    let graph = match compile(&text) {
        Ok(graph) => graph,
        Err(why) => return fail(why),
    };
    if let Err(flaws) = graph::check::check(&graph) {
        return fail(format!("the graph is not sound: {flaws:?}"));
    }
    let json = serde_json::to_string(&graph).expect("a graph has a JSON form");
    if serde_json::from_str::<graph::Graph>(&json).ok().as_ref() != Some(&graph) {
        return fail(format!("the graph is another after its JSON form: {json}"));
    }
    let ending = |crashes| -> Result<Ending, String> { play(&graph, &text, crashes) };
    match (ending(false), ending(true)) {
        (Err(why), _) => fail(why),
        (_, Err(why)) => fail(format!("with crashes: {why}")),
        (Ok(plain), Ok(crashed)) if plain != crashed => fail(format!(
            "a crash changes what comes of it: {plain:?}, with crashes {crashed:?}"
        )),
        _ => Ok(()),
    }
}

fn compile(text: &str) -> Result<graph::Graph, String> {
    let compiled = authoring::compile(text).map_err(|findings| {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        format!("it does not compile: {}", findings.join("; "))
    })?;
    Ok(compiled.graph)
}

#[test]
fn whatever_is_written_ends_or_waits() {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(DOCUMENTS);
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::with_cases(cases)
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, random);
    let outcome = runner.run(&documents(), |document| holds(&document));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
