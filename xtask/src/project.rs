//! Owns [`Project`]: where the workspace is, which packages it has, and which files belong to it.
//!
//! Everything is asked of cargo and git, so that nothing here has to be kept in step with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The workspace.
pub(crate) struct Project {
    /// Its root.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// Its packages.
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Its name for cargo.
    pub(crate) name: String,
    /// What its manifest says about it.
    pub(crate) description: String,
    /// Its folder, from the root on.
    pub(crate) folder: String,
    /// Names of the packages it is built from; not those of its tests.
    pub(crate) uses: Vec<String>,
}

impl Project {
    /// The workspace that this program was built from.
    pub(crate) fn find() -> anyhow::Result<Project> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask has no parent folder")?;
        let mut command = Command::new(crate::process::cargo_path());
        command
            .current_dir(root)
            .args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata = output(&mut command)?;
        let metadata: Value =
            serde_json::from_str(&metadata).context("cargo metadata is not JSON")?;
        let root = PathBuf::from(text(&metadata["workspace_root"]));
        let target = PathBuf::from(text(&metadata["target_directory"]));
        let packages = list(&metadata["packages"])
            .iter()
            .map(|package| read_package(package, &root))
            .collect();
        Ok(Project {
            root,
            target,
            packages,
        })
    }

    /// Every file that is in version control or would be added to it, from the root on.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<String>> {
        let mut command = Command::new("git");
        command.current_dir(&self.root);
        command.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let listed = output(&mut command)?;
        let mut files: Vec<String> = listed
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(Into::into)
            .collect();
        files.retain(|name| self.root.join(name).is_file());
        files.sort();
        files.dedup();
        Ok(files)
    }
}

fn read_package(package: &Value, root: &Path) -> Package {
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let folder = manifest
        .parent()
        .and_then(|folder| folder.strip_prefix(root).ok());
    let uses = list(&package["dependencies"])
        .iter()
        .filter(|dependency| dependency["kind"] != "dev");
    Package {
        name: text(&package["name"]).into(),
        description: text(&package["description"]).into(),
        folder: folder
            .map(|folder| folder.display().to_string())
            .unwrap_or_default(),
        uses: uses
            .map(|dependency| text(&dependency["name"]).into())
            .collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What a command prints.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().display().to_string();
    let output = command
        .output()
        .with_context(|| format!("cannot start {program}; is it installed?"))?;
    if !output.status.success() {
        bail!(
            "{program} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{program} printed something that is not text"))
}
