//! Has this crate compiled again when the dashboard was built again: it carries what Vite wrote.

fn main() {
    // The folder is there on a fresh clone, so that a build without the dashboard is not done anew each time.
    println!("cargo::rerun-if-changed=../../dashboard/dist");
}
