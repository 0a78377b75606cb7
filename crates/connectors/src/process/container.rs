//! Owns [`Container`]: a container as a command line of `docker`, or of `podman` where there is no docker.
//!
//! Invariant: what the workflow says is never read as an option, and the values of variables are not on the
//! command line, where others on the machine could see them.

use std::ffi::OsStr;
use std::time::Duration;

use sdk::TaskError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::job::{Job, STARTED};
use super::{Rest, program, word};
use crate::reading::wrong;

/// Variables of the server that tell the program where its containers are.
const INHERITED: [&str; 6] = [
    "HOME",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "CONTAINER_HOST",
    "XDG_RUNTIME_DIR",
];

/// The input of a task.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    image: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    command: Option<String>,
    #[serde(default)]
    ports: Map<String, Value>,
    #[serde(default)]
    volumes: Map<String, Value>,
    #[serde(default)]
    pull_policy: PullPolicy,
    #[serde(default)]
    cleanup: Cleanup,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
enum PullPolicy {
    #[default]
    IfNotPresent,
    Always,
    Never,
}

/// When a container is removed.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Cleanup {
    Word(CleanupWord),
    /// So many milliseconds after its end.
    AfterMs(u64),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CleanupWord {
    Never,
    Always,
}

impl Default for Cleanup {
    fn default() -> Cleanup {
        Cleanup::Word(CleanupWord::Never)
    }
}

impl Container {
    /// The command line, and what all kinds of processes take.
    pub(super) fn job(self, workflow: &str, path: &OsStr) -> Result<(Job, Rest), TaskError> {
        let program = program::first_of(&["docker", "podman"], path)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => format!("{}-{}", workflow.replace('/', "."), uuid::Uuid::now_v7()),
        };
        for (what, text) in [("image", &self.image), ("name", &name)] {
            if text.is_empty() || text.starts_with('-') || text.contains(char::is_whitespace) {
                let why = format!("`{what}` is empty, begins with - or has spaces");
                return Err(wrong("container", &why));
            }
        }
        let mut job = Job::new(program, path, &self.rest)?;
        let arguments = std::mem::take(&mut job.arguments);
        job.arguments = self.command_line(&name, arguments);
        for variable in INHERITED {
            if let Some(value) = std::env::var_os(variable) {
                job.environment.entry(variable.into()).or_insert(value);
            }
        }
        let remove = ["rm", "--force"].map(str::to_owned).to_vec();
        job.give_up = Some(match self.cleanup {
            Cleanup::Word(CleanupWord::Never) => vec!["kill".to_owned()],
            _ => remove.clone(),
        });
        if let Cleanup::AfterMs(ms) = self.cleanup {
            job.afterwards = Some((Duration::from_millis(ms), remove));
        }
        Ok((job, self.rest))
    }

    fn command_line(&self, name: &str, arguments: Vec<String>) -> Vec<String> {
        let mut line: Vec<String> = vec!["run".into(), "--name".into(), name.into()];
        let pull = match self.pull_policy {
            PullPolicy::IfNotPresent => "missing",
            PullPolicy::Always => "always",
            PullPolicy::Never => "never",
        };
        line.push(format!("--pull={pull}"));
        line.push(format!("--cidfile={STARTED}"));
        if matches!(self.cleanup, Cleanup::Word(CleanupWord::Always)) {
            line.push("--rm".into());
        }
        if !self.rest.stdin.is_null() {
            line.push("--interactive".into());
        }
        for variable in self.rest.environment.keys() {
            line.push(format!("--env={variable}"));
        }
        for (host, container) in &self.ports {
            line.push(format!("--publish={host}:{}", word(container)));
        }
        for (host, container) in &self.volumes {
            line.push(format!("--volume={host}:{}", word(container)));
        }
        line.push(self.image.clone());
        if let Some(command) = &self.command {
            line.extend(["/bin/sh".into(), "-c".into(), command.clone(), "sh".into()]);
        }
        line.extend(arguments);
        line
    }
}
