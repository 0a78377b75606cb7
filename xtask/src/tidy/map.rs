//! Owns the rule for the map of the project: each package stands in it once, with its own description.
//!
//! Invariant: the manifest's description is the only one, so that the two cannot drift apart.

use super::{File, Flaw};
use crate::project::Package;

/// The map.
pub(super) const FILE: &str = "ARCHITECTURE.md";

/// Where the packages are that have to be in it.
const FOLDER: &str = "crates/";

/// Holds the map against the manifests.
pub(super) fn check(file: &File, packages: &[Package]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for package in packages
        .iter()
        .filter(|package| package.folder.starts_with(FOLDER))
    {
        let name = format!("`{}`", package.name);
        let is_said = |line: &&str| line.contains(&name) && line.contains(&package.description);
        let said = file.text.lines().filter(is_said).count();
        if said != 1 {
            let what = format!("{name} stands here {said} times with its description");
            let fix = format!("write one line with {name} and {:?}", package.description);
            flaws.push(Flaw::new(&file.path, 0, what, fix));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn each_package_stands_there_once() {
        let package = |name: &str, description: &str| Package {
            name: name.into(),
            description: description.into(),
            folder: if name == "tests" {
                name.into()
            } else {
                format!("crates/{name}")
            },
            uses: Vec::new(),
        };
        let packages = [
            package("a", "The first"),
            package("b", "The second"),
            package("c", "The third"),
            package("tests", "Others"),
        ];
        let text = "| `a` | The first |\n| `b` | Another |\n`c`: The third\n`c`: The third\n";
        let flaws = check(&file(FILE, text), &packages);
        let said: Vec<_> = flaws.iter().map(|flaw| flaw.what.as_str()).collect();
        assert_eq!(
            said,
            [
                "`b` stands here 0 times with its description",
                "`c` stands here 2 times with its description"
            ]
        );
    }
}
