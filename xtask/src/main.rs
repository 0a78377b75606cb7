//! The project's own tasks, one word each: `cargo xtask demo`, `test`, `dashboard`, `tidy`, `sim`, `bench`.
//!
//! Invariant: whatever continuous integration does is one of these, so that it can be done at any desk.

mod bench;
mod dashboard;
mod demo;
mod process;
mod project;
mod sim;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  demo [--exit] [--debug]   run the examples, kill the server in the middle, check that nothing is lost
  test                      format, tidy, lints, all tests
  dashboard                 build the dashboard with Node; the next build of the server carries it
  tidy                      what no compiler checks: rings, names, sizes, links
  sim [ARGUMENTS]           seeded simulation of a partition on a faulty disk
  bench [ARGUMENTS]         how fast, next to the limits of this machine";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let done = match task.as_str() {
        "demo" => demo::run(&arguments),
        "test" => test::run(&arguments),
        "dashboard" => dashboard::run(&arguments),
        "tidy" => tidy::run(&arguments),
        "sim" => sim::run(&arguments),
        "bench" => bench::run(&arguments),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => Err(anyhow::anyhow!("no task is named {other:?}\n\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
