//! Owns [`Usage`]: what a process has used of the machine so far, and [`Spent`], the difference of two.
//!
//! CPU time is the scheduler's own count in nanoseconds, by thread: clock ticks are too coarse for a burst
//! of two seconds. A thread that ended between two samples is not in their difference.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// A sample of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    threads: BTreeMap<u32, Thread>,
    written_bytes: u64,
}

#[derive(Clone, Debug, Default)]
struct Thread {
    name: String,
    cpu_ns: u64,
    switches: u64,
}

/// What a process used between two samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Spent {
    /// CPU time by the names of its threads, in nanoseconds.
    pub(super) cpu_ns: BTreeMap<String, u64>,
    /// Context switches, voluntary and not.
    pub(super) switches: u64,
    /// Bytes given to the disk as the kernel counts them: where the page cache holds a file in large folios,
    /// a small write counts as its whole folio, far more than reaches the disk.
    pub(super) written_bytes: u64,
}

impl Usage {
    /// What a process has used.
    pub(super) fn of(process: u32) -> anyhow::Result<Usage> {
        let folder = format!("/proc/{process}");
        let tasks = fs::read_dir(format!("{folder}/task"))
            .with_context(|| format!("process {process} is gone"))?;
        let mut usage = Usage::default();
        for task in tasks.flatten() {
            let number = task.file_name().to_string_lossy().parse();
            // A thread that has just ended is not there any more.
            if let (Ok(number), Some(thread)) = (number, Thread::read(&task.path())) {
                usage.threads.insert(number, thread);
            }
        }
        let io = fs::read_to_string(format!("{folder}/io")).unwrap_or_default();
        usage.written_bytes = number_after(&io, "write_bytes:").unwrap_or_default();
        Ok(usage)
    }

    /// What was used since an earlier sample.
    pub(super) fn since(&self, before: &Usage) -> Spent {
        let mut spent = Spent {
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
            ..Spent::default()
        };
        let none = Thread::default();
        for (number, thread) in &self.threads {
            let earlier = before.threads.get(number).unwrap_or(&none);
            *spent.cpu_ns.entry(thread.name.clone()).or_default() +=
                thread.cpu_ns.saturating_sub(earlier.cpu_ns);
            spent.switches += thread.switches.saturating_sub(earlier.switches);
        }
        spent
    }
}

impl Spent {
    /// CPU time of all threads, in nanoseconds.
    pub(super) fn cpu_ns_total(&self) -> u64 {
        self.cpu_ns.values().sum()
    }
}

impl Thread {
    fn read(folder: &Path) -> Option<Thread> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let status = read("status")?;
        let switches = number_after(&status, "voluntary_ctxt_switches:")
            .zip(number_after(&status, "nonvoluntary_ctxt_switches:"))
            .map_or(0, |(voluntary, forced)| voluntary + forced);
        Some(Thread {
            name: short(read("comm")?.trim()),
            cpu_ns: read("schedstat")?.split(' ').next()?.parse().ok()?,
            switches,
        })
    }
}

/// The number that follows a word at the beginning of a line.
fn number_after(text: &str, word: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.trim().split(' ').next()?.parse().ok()
}

/// The name of a thread as a column heading.
fn short(name: &str) -> String {
    match name {
        "tokio-rt-worker" | "tokio-runtime-w" => "tokio",
        "quadrille" | "quadrille-bench" => "main",
        name => name.split(':').next().unwrap_or(name),
    }
    .to_owned()
}

/// Resident memory of a process now and at its highest, in bytes.
pub(super) fn memory(process: u32) -> anyhow::Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib = |word| {
        number_after(&status, word).with_context(|| format!("process {process} has no {word}"))
    };
    Ok((kib("VmRSS:")? << 10, kib("VmHWM:")? << 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(threads: &[(u32, &str, u64)]) -> Usage {
        let thread = |&(number, name, cpu_ns): &(u32, &str, u64)| {
            (
                number,
                Thread {
                    name: short(name),
                    cpu_ns,
                    switches: 1,
                },
            )
        };
        Usage {
            threads: threads.iter().map(thread).collect(),
            written_bytes: 0,
        }
    }

    #[test]
    fn threads_of_one_name_add_up_and_new_ones_count_whole() {
        let before = usage(&[
            (1, "quadrille", 5),
            (2, "tokio-rt-worker", 10),
            (9, "gone", 7),
        ]);
        let after = usage(&[
            (1, "quadrille", 6),
            (2, "tokio-rt-worker", 30),
            (3, "tokio-rt-worker", 4),
        ]);
        let spent = after.since(&before);
        assert_eq!(
            spent.cpu_ns,
            [("main".to_owned(), 1), ("tokio".to_owned(), 24)].into()
        );
        assert_eq!(spent.cpu_ns_total(), 25);
        assert_eq!(spent.switches, 1, "one new thread with one switch");
    }

    #[test]
    fn we_can_be_watched_ourselves() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.threads.values().any(|thread| thread.cpu_ns > 0));
        let (now, highest) = memory(std::process::id()).unwrap();
        assert!(0 < now && now <= highest);
    }
}
