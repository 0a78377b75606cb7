//! Owns the rings: which of our packages may use which, and what none of them may be built from.
//!
//! Invariant: a package that is not in the table is a flaw, so that nobody adds one without a thought.

use super::Flaw;
use crate::project::Package;

/// What all our packages but the task runner are named by.
const PREFIX: &str = "quadrille-";

/// A package: its name without the prefix, which of ours it may use, which of others it must not.
struct Rule {
    name: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
}

const PURE: &[&str] = &[
    "tokio",
    "futures",
    "tracing",
    "log",
    "thiserror",
    "anyhow",
    "rustix",
    "tonic",
    "axum",
];
const BYTES: &[&str] = &[
    "tokio", "futures", "tonic", "axum", "prost", "hyper", "reqwest",
];
const DRIVER: &[&str] = &[
    "tonic",
    "axum",
    "prost",
    "hyper",
    "reqwest",
    "clap",
    "serde-saphyr",
    "utoipa",
];
const TEXTS: &[&str] = &["tokio", "reqwest", "tonic", "axum", "rustix"];
const BORDER: &[&str] = &["lsm-tree", "rustix", "clap"];
const CLIENT: &[&str] = &["axum", "lsm-tree", "rustix", "clap"];

const RULES: [Rule; 16] = [
    Rule {
        name: "graph",
        may: &[],
        never: PURE,
    },
    Rule {
        name: "kernel",
        may: &["graph"],
        never: PURE,
    },
    Rule {
        name: "journal",
        may: &[],
        never: BYTES,
    },
    Rule {
        name: "store",
        may: &[],
        never: BYTES,
    },
    Rule {
        name: "engine",
        may: &["graph", "kernel", "journal", "store"],
        never: DRIVER,
    },
    Rule {
        name: "authoring",
        may: &["graph"],
        never: TEXTS,
    },
    Rule {
        name: "api",
        may: &[],
        never: BORDER,
    },
    Rule {
        name: "edge",
        may: &["graph", "kernel", "engine", "authoring", "api", "security"],
        never: BORDER,
    },
    Rule {
        name: "sdk",
        may: &["api"],
        never: CLIENT,
    },
    Rule {
        name: "connectors",
        may: &["sdk"],
        // Ending a group of processes needs the system.
        never: &["axum", "lsm-tree", "clap"],
    },
    Rule {
        name: "server",
        may: &[
            "graph",
            "kernel",
            "journal",
            "store",
            "engine",
            "authoring",
            "api",
            "edge",
            "sdk",
            "connectors",
            "security",
        ],
        never: &[],
    },
    Rule {
        name: "sim",
        may: &["graph", "kernel", "journal", "store", "engine", "authoring"],
        never: &["tonic", "axum"],
    },
    Rule {
        name: "example-services",
        may: &["sdk"],
        never: &[],
    },
    Rule {
        name: "tests",
        may: &["api", "sdk", "example-services"],
        never: &[],
    },
    Rule {
        name: "benches",
        may: &["graph", "api", "sdk"],
        never: &[],
    },
    Rule {
        name: "xtask",
        may: &["api", "sdk"],
        never: &[],
    },
];

/// Holds the packages against the table.
pub(super) fn check(packages: &[Package]) -> Vec<Flaw> {
    packages
        .iter()
        .flat_map(|package| check_one(package, packages))
        .collect()
}

fn check_one(package: &Package, ours: &[Package]) -> Vec<Flaw> {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let Some(rule) = RULES.iter().find(|rule| rule.name == short(&package.name)) else {
        let what = format!("the package {} is in no ring", package.name);
        return vec![Flaw::new(
            &manifest,
            0,
            what,
            "add it to xtask/src/tidy/rings.rs, or make it a module",
        )];
    };
    let mut flaws = Vec::new();
    for used in &package.uses {
        let is_ours = ours.iter().any(|package| package.name == *used);
        if is_ours && !rule.may.contains(&short(used)) {
            let what = format!("{} must not use {used}", package.name);
            let fix = match rule.may {
                [] => "it uses none of ours".to_owned(),
                may => format!("of ours it may use only {}", may.join(", ")),
            };
            flaws.push(Flaw::new(&manifest, 0, what, fix));
        }
        if rule.never.contains(&used.as_str()) {
            let what = format!("{} must not be built from {used}", package.name);
            flaws.push(Flaw::new(
                &manifest,
                0,
                what,
                "move what needs it to an outer ring",
            ));
        }
    }
    flaws
}

fn short(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            name: name.into(),
            description: String::new(),
            folder: format!("crates/{}", short(name)),
            uses: uses.iter().map(|name| (*name).into()).collect(),
        }
    }

    fn flaws(packages: &[Package]) -> Vec<String> {
        check(packages).iter().map(Flaw::to_string).collect()
    }

    #[test]
    fn inward_is_allowed_and_outward_is_not() {
        let graph = package("quadrille-graph", &["serde"]);
        let kernel = package("quadrille-kernel", &["quadrille-graph"]);
        assert_eq!(flaws(&[graph.clone(), kernel]), Vec::<String>::new());
        let kernel = package(
            "quadrille-kernel",
            &["quadrille-graph", "quadrille-engine", "tokio"],
        );
        let engine = package("quadrille-engine", &["tokio"]);
        assert_eq!(
            flaws(&[graph, kernel, engine]),
            [
                "crates/kernel/Cargo.toml: quadrille-kernel must not use quadrille-engine; of ours it may use only graph",
                "crates/kernel/Cargo.toml: quadrille-kernel must not be built from tokio; move what needs it to an outer ring",
            ]
        );
    }

    #[test]
    fn an_unknown_package_is_a_flaw() {
        let found = flaws(&[package("quadrille-types", &[])]);
        assert_eq!(
            found,
            [
                "crates/types/Cargo.toml: the package quadrille-types is in no ring; add it to xtask/src/tidy/rings.rs, or make it a module"
            ]
        );
    }

    #[test]
    fn the_table_uses_only_packages_that_it_has_or_that_are_planned() {
        let known =
            |name: &&&str| RULES.iter().any(|rule| rule.name == **name) || **name == "security";
        for rule in &RULES {
            assert_eq!(
                rule.may.iter().filter(|name| !known(name)).count(),
                0,
                "{}",
                rule.name
            );
        }
    }
}
