//! Owns the rules for texts: links lead somewhere, no file names a place on one machine, the lock file is small.
//!
//! Invariant: only what is written is looked at; nothing is fetched.

use super::{File, Flaw};

/// The most packages that the workspace is built from, ours included.
pub(super) const PACKAGES_MAX: usize = 450;

/// Where packages come from, as the lock file says it.
const SOURCE: &str = concat!("registry+https://github.com/rust-lang/", "crates.io-index");

/// Beginnings of paths that exist on one machine alone, and hosts of registries. In pieces, so that this
/// file may hold them.
const PLACES: [&str; 9] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("C:", "\\Users"),
    concat!("index.crates", ".io"),
    concat!("registry.npm", "js.org"),
    concat!("arti", "factory"),
    concat!("proxy.go", "lang.org"),
];

/// Files that hold places because it is their work.
const PLACES_FREE: [&str; 1] = ["Cargo.lock"];

/// Places on one machine, and registries.
pub(super) fn places(file: &File) -> Vec<Flaw> {
    if PLACES_FREE.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let mut flaws = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for place in PLACES.iter().filter(|place| says(line, place)) {
            let what = format!("{place:?} exists on some machines only");
            flaws.push(Flaw::new(
                &file.path,
                index + 1,
                what,
                "write a relative path, or leave it out",
            ));
        }
    }
    flaws
}

/// Whether a line names a place: a path counts from its root only.
fn says(line: &str, place: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "._-}/".contains(c);
    line.match_indices(place)
        .any(|(at, _)| !place.starts_with('/') || !line[..at].ends_with(inside))
}

/// Relative links that lead nowhere; `exists` answers for a path from the root on.
pub(super) fn links(file: &File, exists: impl Fn(&str) -> bool) -> Vec<Flaw> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut flaws, mut is_code) = (Vec::new(), false);
    for (index, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for target in targets(line) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !resolve(folder, path).is_some_and(|path| exists(&path)) {
                let what = format!("the link {target:?} leads nowhere");
                flaws.push(Flaw::new(
                    &file.path,
                    index + 1,
                    what,
                    "correct it, or add what it leads to",
                ));
            }
        }
    }
    flaws
}

/// What the links of a line lead to.
fn targets(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    // Every other piece between backquotes is code.
    for prose in line.split('`').step_by(2) {
        let inline = prose
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| target);
        targets.extend(inline.filter_map(|target| target.split_whitespace().next()));
    }
    let defined = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .map(|(_, target)| target.trim());
    targets.extend(defined);
    targets
}

/// A path from the root on; none if it leads out of the project.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let (mut parts, target): (Vec<&str>, _) = match target.strip_prefix('/') {
        Some(target) => (Vec::new(), target),
        None => (
            folder.split('/').filter(|part| !part.is_empty()).collect(),
            target,
        ),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// How many packages a lock file names.
pub(super) fn packages(file: &File) -> usize {
    file.text
        .lines()
        .filter(|line| *line == "[[package]]")
        .count()
}

/// The lock file: how much there is, and where it comes from.
pub(super) fn lock(file: &File) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let count = packages(file);
    if count > PACKAGES_MAX {
        let what = format!("{count} packages, at most {PACKAGES_MAX}");
        flaws.push(Flaw::new(
            &file.path,
            0,
            what,
            "drop a dependency, or features of one",
        ));
    }
    for (index, line) in file.text.lines().enumerate() {
        if let Some(source) = line.strip_prefix("source = ")
            && source.trim_matches('"') != SOURCE
        {
            let what = format!("a package comes from {source}");
            flaws.push(Flaw::new(
                &file.path,
                index + 1,
                what,
                "take it from the public registry",
            ));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn links_are_followed_from_their_file() {
        let text = "[a](b.md) [c](../README.md#top) [d](https://x.example/y) [e](#here) `[f](no.md)`\n\
                    ```\n[g](no.md)\n```\n[h](no.md \"title\")\n[i]: /docs/no.md\n[j](../../out.md)\n";
        let exists = |path: &str| ["docs/guide/b.md", "docs/README.md"].contains(&path);
        let flaws = links(&file("docs/guide/a.md", text), exists);
        let found: Vec<_> = flaws
            .iter()
            .map(|flaw| (flaw.line, flaw.what.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (5, "the link \"no.md\" leads nowhere"),
                (6, "the link \"/docs/no.md\" leads nowhere"),
                (7, "the link \"../../out.md\" leads nowhere"),
            ]
        );
    }

    #[test]
    fn places_on_one_machine() {
        let (home, work) = (PLACES[0], PLACES[2]);
        let text =
            format!("see {home}me\ntarget{work}x and $HOME{home}x\nGET /workflows\n\"{work}x\"\n");
        let lines: Vec<_> = places(&file("a.md", &text))
            .iter()
            .map(|flaw| flaw.line)
            .collect();
        assert_eq!(lines, [1, 4]);
        assert_eq!(places(&file("Cargo.lock", &text)), []);
    }

    #[test]
    fn the_lock_file_is_counted_and_its_sources_are_known() {
        let package = format!("[[package]]\nname = \"a\"\nsource = \"{SOURCE}\"\n");
        assert_eq!(lock(&file("Cargo.lock", &package.repeat(PACKAGES_MAX))), []);
        assert_eq!(
            lock(&file("Cargo.lock", &package.repeat(PACKAGES_MAX + 1))).len(),
            1
        );
        assert_eq!(
            lock(&file(
                "Cargo.lock",
                "[[package]]\nsource = \"git+https://x.example/y\"\n"
            ))
            .len(),
            1
        );
    }
}
