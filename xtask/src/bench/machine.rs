//! Owns the description of the machine, because a figure means nothing without it.

use std::fs;
use std::path::Path;

/// One line: cores, processor, memory, kernel, file system below a folder, load by others.
pub(super) fn describe(folder: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor =
        value("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = value("/proc/meminfo", "MemTotal")
        .and_then(|total| total.split(' ').next()?.parse::<f64>().ok());
    let memory = memory.map_or_else(String::new, |kib| {
        format!(", {:.0} GiB", kib / f64::from(1 << 20))
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let disk = file_system(folder).unwrap_or_else(|| "unknown file system".to_owned());
    let busy = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let busy = busy.split(' ').next().unwrap_or("?");
    format!(
        "{cores} cores ({processor}){memory}, kernel {}, data on {disk}, load before {busy}",
        kernel.trim()
    )
}

/// What follows a name and a colon in a file of /proc.
fn value(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Type and device of the file system that holds a folder.
fn file_system(folder: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?))
    });
    let holding = mounts.filter(|(_, place, _)| folder.starts_with(place));
    let (device, _, kind) = holding.max_by_key(|(_, place, _)| place.len())?;
    Some(format!("{kind} ({device})"))
}
