//! The journal on real files: rolling, preparing aside, recycling, reopening, and the lock.

use std::fs;
use std::ops::ControlFlow;

use quadrille_journal::{
    Epoch, Journal, LocalDisk, LocalJournal, OpenFault, Options, Position, Recovery,
};

const OPTIONS: Options = Options {
    first_segment_bytes: 64 * 1024,
    segment_bytes: 128 * 1024,
    record_bytes_max: 64 * 1024,
};

fn open(folder: &std::path::Path) -> Result<(LocalJournal, Recovery), OpenFault> {
    LocalJournal::open(LocalDisk::open(folder).expect("folder"), OPTIONS)
}

fn record(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(40)
}

fn check(journal: &dyn Journal) {
    let mut expected = journal.start();
    let each = &mut |position: Position, bytes: &[u8]| {
        assert_eq!(position, expected);
        assert_eq!(bytes, record(position.0));
        expected = expected.next();
        ControlFlow::Continue(())
    };
    journal.read(journal.start(), each).expect("readable");
    assert_eq!(expected, journal.end().next());
}

#[test]
fn real_files_roll_recycle_and_reopen() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("a/journal");
    let (mut journal, recovery) = open(&folder).unwrap();
    assert_eq!((recovery.epoch, recovery.end), (Epoch(1), Position(0)));
    for number in 1..=2_000 {
        journal.append(&[&record(number)]).unwrap();
        if number % 500 == 0 {
            journal.trim(Position(number - 400)).unwrap();
        }
    }
    check(&journal);
    assert!(journal.start() > Position(1));
    let fault = open(&folder).err().unwrap();
    assert!(matches!(fault, OpenFault::Locked { .. }));
    assert!(
        fault
            .to_string()
            .contains("a/journal/lock is held by another owner"),
        "{fault}"
    );
    drop(journal);

    let (journal, recovery) = open(&folder).unwrap();
    assert_eq!(
        (recovery.epoch, recovery.end, recovery.dropped_bytes),
        (Epoch(2), Position(2_000), 0)
    );
    check(&journal);
    drop(journal);

    let last = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let last = last
        .filter(|path| path.extension().is_some_and(|end| end == "segment"))
        .max()
        .unwrap();
    fs::write(&last, b"").unwrap();
    let fault = open(&folder).err().unwrap().to_string();
    assert!(
        fault.contains("has 0 bytes, too few for a segment"),
        "{fault}"
    );
}

#[test]
fn an_empty_journal_takes_little_space() {
    let folder = tempfile::tempdir().unwrap();
    let disk = LocalDisk::open(folder.path()).unwrap();
    drop(LocalJournal::open(disk, Options::default()).unwrap());
    let bytes: u64 = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(bytes, Options::default().first_segment_bytes);
}
