//! Owns the list of commands, and [`main`], which does the one that was asked for.

use std::future::Future;
use std::io::stderr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::complaint::Complaint;
use super::context::Context;
use super::{
    apply, cancel, check, completion, config, describe, exec, get, history, human, lifecycle, list,
    publish, retry, run, schedule, schema, server, signal, steer, test,
};
use crate::output::paint::Paint;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "quadrille",
    version,
    about = "Runs workflows durably",
    after_help = "Exit codes: 0 well, 1 failed or refused, 2 wrong usage, 3 run cancelled or terminated,\n\
                  4 refused by the check, 5 server not reachable, 6 still going on when --timeout was over",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub(crate) struct Line {
    #[command(flatten)]
    pub(crate) context: Context,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Server(server::Server),
    Apply(apply::Apply),
    Check(check::Check),
    Test(test::Test),
    Run(run::Run),
    Exec(exec::Exec),
    Get(get::Get),
    List(list::List),
    Describe(describe::Describe),
    History(history::History),
    Lifecycle(lifecycle::Lifecycle),
    Cancel(cancel::Cancel),
    Suspend(steer::Suspend),
    Resume(steer::Resume),
    Signal(signal::Signal),
    Publish(publish::Publish),
    Retry(retry::Retry),
    Human(human::Human),
    Schedule(schedule::Schedule),
    Config(config::Config),
    Schema(schema::Schema),
    Completion(completion::Completion),
}

/// Does what the arguments of the process ask for.
pub(crate) fn main() -> ExitCode {
    let line = Line::parse();
    let mut context = line.context;
    context.json_errors = line.command.prints_json();
    match line.command.run(&context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            context.say(&match context.has_json_errors() {
                true => complaint.json(&context.url),
                false => complaint.text(&context.url, Paint::of(&stderr())),
            });
            complaint.exit_code()
        }
    }
}

impl Command {
    /// Whether what it prints is JSON whatever the format: the output of a run.
    fn prints_json(&self) -> bool {
        match self {
            Command::Exec(_) => true,
            Command::Run(command) => command.waits(),
            _ => false,
        }
    }

    fn run(self, context: &Context) -> Result<(), Complaint> {
        if context.is_junit() && !matches!(self, Command::Test(_)) {
            let message = "-o junit is for `quadrille test`; use -o json";
            return Err(Complaint::Usage(message.to_owned()));
        }
        match self {
            Command::Server(command) => command.run(context),
            Command::Exec(command) => command.run(context),
            Command::Check(command) => command.run(context),
            Command::Test(command) => command.run(context),
            Command::Config(command) => command.run(context),
            Command::Schema(command) => command.run(context),
            Command::Completion(command) => command.run(context),
            Command::Apply(command) => wait_for(command.run(context)),
            Command::Run(command) => wait_for(command.run(context)),
            Command::Get(command) => wait_for(command.run(context)),
            Command::List(command) => wait_for(command.run(context)),
            Command::Describe(command) => wait_for(command.run(context)),
            Command::History(command) => wait_for(command.run(context)),
            Command::Lifecycle(command) => wait_for(command.run(context)),
            Command::Cancel(command) => wait_for(command.run(context)),
            Command::Suspend(command) => wait_for(command.run(context)),
            Command::Resume(command) => wait_for(command.run(context)),
            Command::Signal(command) => wait_for(command.run(context)),
            Command::Publish(command) => wait_for(command.run(context)),
            Command::Retry(command) => wait_for(command.run(context)),
            Command::Human(command) => wait_for(command.run(context)),
            Command::Schedule(command) => wait_for(command.run(context)),
        }
    }
}

/// Waits for a client's work on this thread alone: it starts faster than a pool.
fn wait_for(work: impl Future<Output = Result<(), Complaint>>) -> Result<(), Complaint> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Complaint::Broken(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}
