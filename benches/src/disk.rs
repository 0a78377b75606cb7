//! Owns the limit of the disk: how often a 4 KiB write can be made durable, one after the other.
//!
//! The file is written with zeros and synced before, so that a sync carries data and no metadata, as an
//! append to a preallocated journal does.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::arguments::Arguments;
use crate::latencies::Latencies;

const PAGE_BYTES: usize = 4096;
const FILE_BYTES: u64 = 64 << 20;

/// Measures and prints.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let path = arguments.required("file")?;
    let run_for = Duration::from_secs(arguments.number("seconds", 1)?);
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .with_context(|| format!("cannot create {path}"))?;
    let measured = measure(&file, run_for);
    std::fs::remove_file(path).with_context(|| format!("cannot remove {path}"))?;
    println!("{}", measured?);
    Ok(())
}

fn measure(file: &File, run_for: Duration) -> anyhow::Result<serde_json::Value> {
    let zeros = vec![0; 1 << 20];
    for offset in (0..FILE_BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, offset)?;
    }
    file.sync_all()?;
    let page = [0x5A; PAGE_BYTES];
    let mut latencies = Latencies::new();
    let begun = Instant::now();
    for offset in (0..FILE_BYTES).step_by(PAGE_BYTES).cycle() {
        let sent = Instant::now();
        if sent.duration_since(begun) >= run_for {
            break;
        }
        file.write_all_at(&page, offset)?;
        file.sync_data()?;
        latencies.record(sent.elapsed());
    }
    Ok(latencies.report(begun.elapsed()))
}
