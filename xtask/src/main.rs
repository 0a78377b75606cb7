//! The project task runner.
fn main() {}
