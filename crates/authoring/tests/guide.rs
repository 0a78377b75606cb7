//! The listings of the guide compile as they stand, so that the guide cannot drift from the language.
//!
//! A listing is either a whole document, tasks (it begins with a list item), or part of a document's head.

use quadrille_authoring::compile;

const GUIDES: [(&str, &str); 3] = [
    (
        "docs/guide/authoring.md",
        include_str!("../../../docs/guide/authoring.md"),
    ),
    (
        "docs/reference/graph-form.md",
        include_str!("../../../docs/reference/graph-form.md"),
    ),
    ("README.md", include_str!("../../../README.md")),
];

/// The YAML listings of a page, each as a whole document.
fn listings(page: &str) -> Vec<String> {
    let blocks = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks.map(whole).collect()
}

fn whole(listing: &str) -> String {
    let head = "document:\n  dsl: 1.0.3\n  namespace: default\n  name: listing\n  version: 1.0.0\n";
    if listing.starts_with("- ") {
        return format!("{head}do:\n{listing}");
    }
    match listing.strip_prefix("document:\n") {
        Some(rest) => format!("{head}{rest}do:\n  - nothing: {{ set: {{}} }}\n"),
        None => listing.to_string(),
    }
}

#[test]
fn every_listing_of_the_guides_compiles() {
    let mut count = 0;
    for (name, page) in GUIDES {
        for listing in listings(page) {
            if let Err(findings) = compile(&listing) {
                let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
                panic!("{name}:\n{listing}\n{}", findings.join("\n"));
            }
            count += 1;
        }
    }
    assert!(count >= 6, "the listings were found");
}
