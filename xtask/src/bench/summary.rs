//! Owns what a person reads: limits, workloads, where the time goes, the life of a server, targets.
//!
//! Invariant: it only shows; every figure here is one that the JSON has too.

use std::collections::BTreeSet;

use super::case::CASES;
use super::figure::Figure;
use super::table::{Table, number};
use super::target::{Bound, TARGETS};

/// The figures of a workload with their headings.
const WORKLOAD: [(&str, &str); 10] = [
    ("throughput", "runs/s"),
    ("slowest", "slowest"),
    ("p50", "p50 ms"),
    ("p90", "p90"),
    ("p99", "p99"),
    ("max", "max"),
    ("server-cpu", "server us/run"),
    ("switches", "switches/run"),
    ("syncs", "syncs/run"),
    ("journal", "journal B/run"),
];

/// Everything, for people.
pub(super) fn text(figures: &[Figure]) -> String {
    let parts = [
        ("Limits of this machine", limits(figures)),
        (
            "Workloads, the best of three bursts; x is the ratio to the limit measured here",
            workloads(figures),
        ),
        (
            "Where the time goes: CPU us per run, server threads by name",
            threads(figures),
        ),
        ("Expressions, on a document of 1 KB", expressions(figures)),
        ("Life of a server", lifetime(figures)),
        ("Targets", targets(figures)),
    ];
    let parts = parts.into_iter().filter(|(_, table)| !table.is_empty());
    parts
        .map(|(title, table)| format!("{title}\n{}", table.text()))
        .collect::<Vec<_>>()
        .join("\n")
}

fn find<'a>(figures: &'a [Figure], title: &str, name: &str) -> Option<&'a Figure> {
    let wanted = format!("{title}/{name}");
    figures.iter().find(|figure| figure.name == wanted)
}

fn cell(figure: Option<&Figure>) -> String {
    figure.map_or_else(String::new, |figure| number(figure.value))
}

fn ratio(figure: Option<&Figure>) -> String {
    figure
        .and_then(Figure::ratio)
        .map_or_else(String::new, |ratio| format!("x{}", number(ratio)))
}

fn expressions(figures: &[Figure]) -> Table {
    let mut table = Table::new(["", "ns", "jaq ns", "ratio"]);
    for figure in figures {
        if let Some(name) = figure.name.strip_prefix("expressions/") {
            let jaq = figure.limit.map_or_else(String::new, number);
            table.row(vec![
                name.to_owned(),
                number(figure.value),
                jaq,
                ratio(Some(figure)),
            ]);
        }
    }
    table
}

fn limits(figures: &[Figure]) -> Table {
    let mut table = Table::new([
        "",
        "/s",
        "p50 ms",
        "p90",
        "p99",
        "max",
        "server us/call",
        "switches/call",
    ]);
    let titles = CASES
        .iter()
        .map(|case| format!("limit/echo/{}", case.concurrency))
        .collect::<Vec<_>>();
    let mut seen = BTreeSet::new();
    for title in ["limit/sync".to_owned()].into_iter().chain(titles) {
        if find(figures, &title, "p50").is_none() || !seen.insert(title.clone()) {
            continue;
        }
        let names = [
            "throughput",
            "p50",
            "p90",
            "p99",
            "max",
            "server-cpu",
            "switches",
        ];
        let label = title
            .replace("limit/sync", "write 4 KiB and fdatasync")
            .replace("limit/echo/", "gRPC echo at ");
        let cells = names.iter().map(|name| cell(find(figures, &title, name)));
        table.row([label].into_iter().chain(cells).collect());
    }
    table
}

fn workloads(figures: &[Figure]) -> Table {
    let mut heading = vec![String::new()];
    for (name, label) in WORKLOAD {
        heading.push(label.into());
        if matches!(name, "throughput" | "p50" | "server-cpu") {
            heading.push("x".into());
        }
    }
    heading.push("steps/s".into());
    let mut table = Table::new(heading);
    for title in CASES.map(super::case::Case::title) {
        if find(figures, &title, "throughput").is_none() {
            continue;
        }
        let mut row = vec![title.clone()];
        for (name, _) in WORKLOAD {
            let figure = find(figures, &title, name);
            row.push(cell(figure));
            if matches!(name, "throughput" | "p50" | "server-cpu") {
                row.push(ratio(figure));
            }
        }
        row.push(cell(find(figures, &title, "steps")));
        table.row(row);
    }
    table
}

fn threads(figures: &[Figure]) -> Table {
    let thread = |figure: &Figure| Some(figure.name.split_once("/thread/")?.1.to_owned());
    let names: BTreeSet<String> = figures
        .iter()
        .filter(|figure| figure.value >= 0.1)
        .filter_map(thread)
        .collect();
    let mut heading = vec![String::new()];
    heading.extend(names.iter().cloned());
    heading.extend(["server", "worker", "load"].map(str::to_owned));
    let mut table = Table::new(heading);
    for title in CASES.map(super::case::Case::title) {
        let Some(server) = find(figures, &title, "server-cpu") else {
            continue;
        };
        let mut row = vec![title.clone()];
        for name in &names {
            let micros =
                find(figures, &title, &format!("thread/{name}")).map_or(0.0, |figure| figure.value);
            row.push(format!(
                "{} ({:.0}%)",
                number(micros),
                100.0 * micros / server.value.max(f64::EPSILON)
            ));
        }
        row.push(number(server.value));
        row.extend(["worker-cpu", "load-cpu"].map(|name| cell(find(figures, &title, name))));
        table.row(row);
    }
    table
}

fn lifetime(figures: &[Figure]) -> Table {
    let mut table = Table::new(["", "value", "unit", "x"]);
    let prefixes = [
        "binary/",
        "ready/",
        "memory/",
        "disk/",
        "footprint/",
        "recovery/",
    ];
    for figure in figures.iter().filter(|figure| {
        prefixes
            .iter()
            .any(|prefix| figure.name.starts_with(prefix))
    }) {
        table.row(vec![
            figure.name.clone(),
            number(figure.value),
            figure.unit.into(),
            ratio(Some(figure)),
        ]);
    }
    table
}

fn targets(figures: &[Figure]) -> Table {
    let mut table = Table::new(["", "value", "target", "unit", "", "x", "Restate"]);
    for target in TARGETS {
        let Some(figure) = figures.iter().find(|figure| figure.name == target.figure) else {
            continue;
        };
        let bound = match target.bound {
            Bound::AtMost(bound) => format!("<= {}", number(bound)),
            Bound::AtLeast(bound) => format!(">= {}", number(bound)),
        };
        let verdict = if target.is_met(figure.value) {
            "met"
        } else {
            "missed"
        };
        table.row(vec![
            target.what.into(),
            number(figure.value),
            bound,
            figure.unit.into(),
            verdict.into(),
            ratio(Some(figure)),
            target.peer.into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_without_figures_are_left_out() {
        let figures = [
            Figure::of_value("one-step/64", "throughput", 7_500.0, Some(30_000.0)),
            Figure::new("memory/idle", 48.0, "MiB"),
        ];
        let text = text(&figures);
        assert!(!text.contains("Limits of this machine"), "{text}");
        let target = text
            .lines()
            .find(|line| line.starts_with("one-step runs at 64"))
            .unwrap();
        let words: Vec<&str> = target.split_whitespace().skip(4).collect();
        assert_eq!(
            words,
            [
                "7,500", ">=", "15,000", "/s", "missed", "x0.25", "2,258", "(4,581)"
            ]
        );
        assert!(
            text.lines()
                .any(|line| line.starts_with("memory, idle") && line.contains("met")),
            "{text}"
        );
    }
}
