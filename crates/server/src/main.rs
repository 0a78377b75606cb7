//! The `quadrille` binary: the server and its command line in one.
//!
//! What the commands do is in `cli`, what can be set in `config`, how a server is put together in
//! `assembly`, how things look on a screen in `output`.

use std::process::ExitCode;

mod assembly;
mod cli;
mod config;
#[cfg(test)]
mod contract;
mod logging;
mod output;
mod secrets;
mod signals;
mod spelling;
mod trial;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
