//! Owns [`Program`]: a program beside us whose process id is known, so that its use of the machine is too.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::Child;

/// How long a program may take to come up.
const START_MAX: Duration = Duration::from_secs(30);

/// Says its process id and becomes the program.
const SAY_AND_BECOME: &str = "echo $$; exec \"$@\"";

/// A running program. Dropping it kills it.
pub(super) struct Program {
    pub(super) child: Child,
    pub(super) process: u32,
}

impl Program {
    /// Starts a program in a folder; what it complains about goes to `log`.
    pub(super) fn start(
        name: &'static str,
        words: &[String],
        folder: &Path,
        log: &Path,
        realtime: bool,
    ) -> anyhow::Result<Program> {
        let mut command = Command::new("sh");
        command
            .args(["-c", SAY_AND_BECOME, "sh"])
            .current_dir(folder);
        if realtime {
            command.args(["chrt", "-f", "1"]);
        }
        let log = File::options().create(true).append(true).open(log)?;
        command.args(words).stderr(Stdio::from(log));
        let child = Child::start(name, &mut command)?;
        let process = child.hear(START_MAX, |line| line.parse().ok())?;
        Ok(Program { child, process })
    }

    /// The address that it listens on.
    pub(super) fn address(&self) -> anyhow::Result<String> {
        self.child.hear(START_MAX, |line| {
            line.strip_prefix("listening on http://").map(str::to_owned)
        })
    }
}
