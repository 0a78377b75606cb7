//! The programs that `cargo xtask bench` starts, one subcommand each.
//!
//! Each prints JSON or plain lines on standard output for the one that started it: `begin` and `end` around
//! what is measured, then one line with the figures. None of them judges a figure.

mod arguments;
mod closed_loop;
mod disk;
mod echo;
mod expressions;
mod latencies;
mod load;
mod worker;

use std::process::ExitCode;

use arguments::Arguments;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: quadrille-bench COMMAND

  echo-server                  answers gRPC calls with what they sent
  echo-load --url URL [LOAD]   calls it, 64 bytes at a time
  worker    --url URL [--queue bench] [--concurrency 512]
  load      --url URL [LOAD] [--workflow one-step] [--wait-ms 60000] [--by calls|stream]
  disk      --file PATH [--seconds 1]
  expressions                  evaluates simple expressions, ours and jaq by turns

  LOAD: [--concurrency 1] [--channels 1] [--seconds 4] [--warmup-ms 1000] [--count 0]";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let done = Arguments::read(words).and_then(|arguments| run(&command, &arguments));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, arguments: &Arguments) -> anyhow::Result<()> {
    match command {
        "echo-server" => echo::serve(),
        "echo-load" => echo::load(arguments),
        "worker" => worker::run(arguments),
        "load" => load::run(arguments),
        "disk" => disk::run(arguments),
        "expressions" => expressions::run(),
        other => anyhow::bail!("no command is named {other:?}\n\n{USAGE}"),
    }
}
