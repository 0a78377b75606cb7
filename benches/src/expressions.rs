//! Owns the bench of expressions: ours and jaq side by side, compiled before, on the same document.
//!
//! Invariant: both give the same result before either is timed. The two take turns within one run, and of
//! several rounds the best counts, since other users of the machine only make a round slower.

use std::hint::black_box;
use std::time::Instant;

use graph::Value;
use graph::expr::{Budget, Program};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use serde_json::json;

/// Evaluations of one round.
const EVALUATIONS: u32 = 20_000;

/// Rounds of each expression, by turns.
const ROUNDS: usize = 7;

/// What is measured: a name, and the simple and common expressions of workflows.
const EXPRESSIONS: [(&str, &str); 10] = [
    ("path", ".order.customer.address.city"),
    ("index", ".order.items[2].sku"),
    ("compare", ".order.total > 100"),
    ("arithmetic", ".order.total * 2 + 1"),
    (
        "and-or",
        ".order.paid and (.order.total > 100 or .order.vip)",
    ),
    (
        "text",
        "\"Order \\(.order.id) for \\(.order.customer.name)\"",
    ),
    ("object", "{id: .order.id, total: .order.total}"),
    ("map-add", ".order.items | map(.price) | add"),
    ("select", "[.order.items[] | select(.price > 20)] | length"),
    ("length", ".order.items | length"),
];

/// A document of about 1 KB.
fn document() -> String {
    let items: Vec<_> = (0..8)
        .map(|number| json!({"sku": format!("item-{number:04}"), "name": "a thing to sell", "price": 10 * number + 5, "count": number}))
        .collect();
    let address = json!({"street": "12 St James's Square", "city": "London", "zip": "SW1Y 4JH"});
    json!({"order": {
        "id": "order-4711", "total": 250, "paid": true, "vip": false, "items": items,
        "customer": {"name": "Ada Lovelace", "mail": "ada@example.com", "address": address},
        "note": "leave it with the neighbours if nobody opens the door",
    }})
    .to_string()
}

/// Measures, and prints of each expression its name and the nanoseconds of one evaluation: ours, theirs.
pub(crate) fn run() -> anyhow::Result<()> {
    let text = document();
    let mut figures = Vec::new();
    for (name, source) in EXPRESSIONS {
        let (ours, theirs) = measure(&text, source)?;
        figures.push(json!({"name": name, "source": source, "ours": ours, "jaq": theirs}));
    }
    println!("{}", json!({"bytes": text.len(), "expressions": figures}));
    Ok(())
}

/// Nanoseconds of one evaluation: ours, theirs.
fn measure(text: &str, source: &str) -> anyhow::Result<(f64, f64)> {
    let input = Value::from_json(text.as_bytes())?;
    let program = Program::compile(source, &[])
        .map_err(|error| anyhow::anyhow!("{source} does not compile: {error}"))?;
    let ours = || program.run(&input, &[], &mut Budget::default());

    let their_input = read::parse_single(text.as_bytes())
        .map_err(|error| anyhow::anyhow!("jaq does not read the document: {error}"))?;
    let definitions = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let arena = Arena::default();
    let file = File {
        code: source,
        path: (),
    };
    let modules = Loader::new(definitions)
        .load(&arena, file)
        .map_err(|errors| anyhow::anyhow!("jaq does not read {source}: {errors:?}"))?;
    let functions = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let filter = Compiler::default()
        .with_funs(functions)
        .compile(modules)
        .map_err(|errors| anyhow::anyhow!("jaq does not compile {source}: {errors:?}"))?;
    let context = || Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let theirs = || {
        let mut results = filter.id.run((context(), their_input.clone()));
        results.next().map(unwrap_valr)
    };

    let ours_text = ours().map_err(|error| anyhow::anyhow!("{source}: {error}"))?;
    let theirs_text = theirs().and_then(Result::ok).map(|value| value.to_string());
    anyhow::ensure!(
        theirs_text
            .as_deref()
            .map(str::as_bytes)
            .map(Value::from_json)
            .and_then(Result::ok)
            == Some(ours_text.clone()),
        "{source}: {ours_text} here, {theirs_text:?} there"
    );
    let (mut best_ours, mut best_theirs) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        best_ours = best_ours.min(time(|| drop(black_box(ours()))));
        best_theirs = best_theirs.min(time(|| drop(black_box(theirs()))));
    }
    Ok((best_ours, best_theirs))
}

/// Nanoseconds of one of many evaluations.
fn time(evaluate: impl Fn()) -> f64 {
    let begun = Instant::now();
    for _ in 0..EVALUATIONS {
        evaluate();
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(EVALUATIONS)
}
