//! Disks that fill up: nothing acknowledged is lost, nobody waits for ever, and with room again it goes on.
//!
//! Small disks are file systems in memory, which only some users may mount; for others those tests do nothing.

use std::path::{Path, PathBuf};
use std::process::Command as Program;

use graph::Value;
use journal::{Journal, MemoryJournal};
use kernel::{Command, RunId, StartRun, Time};
use quadrille_engine::driver::view::{TABLES, View};
use quadrille_engine::partition::{Answer, Input, Partition};
use quadrille_engine::{AskError, Data, Engine, Running, StartFault, ZonedCalendar};
use store::{Batch, Store, TableId};

use crate::stage::{PATIENCE, open, start_run, workflow};

/// Runs started at once.
const FLOODS: usize = 8;

/// Input of a run whose history does not fit into memory: the store takes part of it at once.
const LARGE_BYTES: usize = 50_000;

/// Input of a run that, as long as it waits, gets into the store by a checkpoint only.
const SMALL_BYTES: usize = 20_000;

/// A file system of its own over a folder.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None if it may not be mounted.
    fn mount(path: PathBuf, mebibytes: u32) -> Option<SmallDisk> {
        std::fs::create_dir_all(&path).expect("a folder");
        let size = format!("size={mebibytes}m");
        let is_mounted = mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], &path);
        is_mounted.then_some(SmallDisk(path))
    }

    fn grow(&self, mebibytes: u32) {
        let size = format!("remount,size={mebibytes}m");
        assert!(mount(&["-o", &size], &self.0), "grows");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Program::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let mut program = Program::new("mount");
    let status = program.args(arguments).arg(path).output();
    status.is_ok_and(|output| output.status.success())
}

/// Starts runs that wait until one is refused; returns those that were acknowledged.
async fn flood(engine: &Engine, input_bytes: usize) -> Vec<RunId> {
    let start = |place: usize| {
        let engine = engine.clone();
        async move {
            let mut acknowledged = Vec::new();
            for number in 0..2_000 {
                let start = start_run("gated", &format!("{place}-{number}"));
                let run = start.run;
                let start = StartRun {
                    input: Value::text("x".repeat(input_bytes)),
                    ..start
                };
                match tokio::time::timeout(PATIENCE, engine.ask(Command::StartRun(start))).await {
                    Ok(Ok(_)) => acknowledged.push(run),
                    Ok(Err(_)) => return acknowledged,
                    Err(_) => panic!("nobody answered"),
                }
            }
            panic!("the disk is never full");
        }
    };
    let floods: Vec<_> = (0..FLOODS)
        .map(|place| tokio::spawn(start(place)))
        .collect();
    let mut acknowledged = Vec::new();
    for flood in floods {
        acknowledged.extend(flood.await.expect("is answered"));
    }
    acknowledged
}

async fn begin(data: &Path) -> (Engine, Running) {
    let (engine, running) = open(Data::Folder(data.to_owned()));
    engine
        .ask(workflow("gated", 2, true))
        .await
        .expect("deploys");
    (engine, running)
}

async fn all_are_there(engine: &Engine, runs: &[RunId]) {
    assert!(runs.len() > 10, "{}", runs.len());
    for run in runs {
        let view = engine.run(*run).await.expect("was acknowledged");
        assert_eq!(view.summary.state, "waiting");
    }
}

/// The engine stops by itself because its store cannot be written, and starts again when it can.
async fn the_store_fails_and_heals(
    data: &Path,
    input_bytes: usize,
    break_it: impl FnOnce(),
    heal_it: impl FnOnce(),
) {
    let (engine, mut running) = begin(data).await;
    break_it();
    let acknowledged = flood(&engine, input_bytes).await;
    let ended = tokio::time::timeout(PATIENCE, running.ended());
    ended.await.expect("stops by itself");
    running.stop().await;
    drop(engine);

    heal_it();
    let (engine, running) = open(Data::Folder(data.to_owned()));
    all_are_there(&engine, &acknowledged).await;
    let start = Command::StartRun(start_run("gated", "later"));
    engine.ask(start).await.expect("goes on");
    running.stop().await;
}

async fn the_tables_are_away(input_bytes: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (tables, away) = (data.join("store/tables"), data.join("store/away"));
    let take = || std::fs::rename(&tables, &away).expect("is taken away");
    let give = || std::fs::rename(&away, &tables).expect("is given back");
    the_store_fails_and_heals(&data, input_bytes, take, give).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_written_stops_the_engine_and_loses_nothing() {
    the_tables_are_away(LARGE_BYTES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_cannot_be_written_stops_the_engine_and_loses_nothing() {
    the_tables_are_away(SMALL_BYTES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_store_stops_the_engine_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let Some(disk) = SmallDisk::mount(data.join("store"), 20) else {
        return;
    };
    the_store_fails_and_heals(&data, LARGE_BYTES, || {}, || disk.grow(400)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_journal_refuses_until_there_is_room_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let Some(disk) = SmallDisk::mount(data.join("journal"), 40) else {
        return;
    };
    let (engine, running) = begin(&data).await;
    let acknowledged = flood(&engine, LARGE_BYTES).await;
    disk.grow(400);
    let started = tokio::time::timeout(PATIENCE, async {
        loop {
            let start = Command::StartRun(start_run("gated", "later"));
            if engine.ask(start).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    started.await.expect("goes on by itself");
    all_are_there(&engine, &acknowledged).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_cannot_recover_stops_when_it_is_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (journal, away) = (data.join("journal"), data.join("away"));
    let (engine, running) = begin(&data).await;
    std::fs::rename(&journal, &away).expect("is taken away");
    std::fs::write(&journal, "in the way").expect("is written");
    // Until the segment that is open is full.
    let acknowledged = flood(&engine, LARGE_BYTES).await;
    while engine.is_ready() {
        tokio::task::yield_now().await;
    }
    let stopped = tokio::time::timeout(PATIENCE, running.stop());
    stopped.await.expect("stops");
    assert!(matches!(
        engine.run(acknowledged[0]).await,
        Err(AskError::Stopped)
    ));
    drop(engine);

    std::fs::remove_file(&journal).expect("is removed");
    std::fs::rename(&away, &journal).expect("is given back");
    let (engine, running) = open(Data::Folder(data));
    all_are_there(&engine, &acknowledged).await;
    running.stop().await;
}

#[test]
fn a_store_that_failed_before_makes_recovery_fail_for_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), &TABLES, Default::default()).expect("opens");
    let view = View::open(store.clone()).expect("is readable");
    let mut partition = Partition::new(Box::new(ZonedCalendar), Box::new(view.clone()), 0);
    let start = start_run("gated", "ended");
    let (run, reason) = (start.run, None);
    for command in [
        workflow("gated", 2, true),
        Command::StartRun(start),
        Command::TerminateRun { run, reason },
    ] {
        let input = Input::Ask {
            command: Box::new(command),
            answer: Answer::new(|reply: Result<_, _>| {
                reply.expect("is accepted");
            }),
        };
        partition.take(input, Time(1));
    }
    let mut journal = MemoryJournal::new();
    let records = partition.take_batch().records;
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    journal.append(&records).expect("takes them");

    std::fs::remove_dir_all(folder.path().join("tables")).expect("is taken away");
    let mut batch = Batch::new();
    batch.put(TableId(TABLES.len() - 1), "key", "value");
    store.apply(batch, 0).expect("is in memory");
    store.sync().expect_err("has nowhere to go");
    let recovered = view.recover(Box::new(journal));
    assert!(
        matches!(recovered, Err(StartFault::Write(_))),
        "{:?}",
        recovered.err()
    );
}
