//! Owns [`Context`]: what all commands share: the server they mean, how they print, and where to.
//!
//! Invariant: results go to standard output and nothing else does; a reader who has gone ends the command
//! quietly.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::complaint::Complaint;
use crate::output::paint::{Paint, Tone};

/// What all commands share.
#[derive(Args, Clone, Debug)]
pub(crate) struct Context {
    /// The server, for commands that talk to one.
    #[arg(
        long = "server",
        value_name = "URL",
        env = "QUADRILLE_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    pub(crate) url: String,
    /// How results are printed: text for people, json for machines.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        global = true
    )]
    output: Format,
    /// Whether errors are JSON even without being asked: for commands whose output always is.
    #[arg(skip)]
    pub(crate) json_errors: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
    /// Test results for other machines.
    Junit,
}

impl Context {
    /// A client of the server.
    pub(crate) async fn client(&self) -> Result<sdk::Client, Complaint> {
        Ok(sdk::Client::connect(&self.url).await?)
    }

    /// Whether results are for machines.
    pub(crate) fn is_json(&self) -> bool {
        self.output == Format::Json
    }

    /// Whether results are for people.
    pub(crate) fn is_text(&self) -> bool {
        self.output == Format::Text
    }

    /// Whether results are test results as JUnit writes them.
    pub(crate) fn is_junit(&self) -> bool {
        self.output == Format::Junit
    }

    /// Whether errors are for machines too. At a terminal there is a person.
    pub(crate) fn has_json_errors(&self) -> bool {
        self.is_json() || (self.json_errors && !stderr().is_terminal())
    }

    /// How text on standard output is coloured.
    pub(crate) fn paint(&self) -> Paint {
        Paint::of(&stdout())
    }

    /// Prints a result: as a JSON document, or as the text for people.
    pub(crate) fn show<T: Serialize + ?Sized>(
        &self,
        record: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Complaint> {
        if !self.is_json() {
            return self.print(&text());
        }
        let json = serde_json::to_string_pretty(record)
            .map_err(|error| Complaint::Broken(error.to_string()))?;
        self.print(&(json + "\n"))
    }

    /// Prints to standard output.
    pub(crate) fn print(&self, text: &str) -> Result<(), Complaint> {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| match error.kind() {
                ErrorKind::BrokenPipe => Complaint::Unread,
                _ => Complaint::Broken(format!("cannot write to standard output: {error}")),
            })
    }

    /// Says something beside the result, on standard error.
    pub(crate) fn note(&self, text: &str) {
        let word = Paint::of(&stderr()).tone("note", Tone::Faint);
        self.say(&format!("{word}: {text}\n"));
    }

    /// Prints to standard error. If nobody reads it, nothing is lost.
    pub(crate) fn say(&self, text: &str) {
        let _ = stderr().lock().write_all(text.as_bytes());
    }

    /// Whether somebody watches standard error.
    pub(crate) fn is_watched(&self) -> bool {
        stderr().is_terminal()
    }
}
