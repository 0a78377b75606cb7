//! The local journal on a disk that tears, loses and flips what was written.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::fault::{Failure, FaultDisk, Operation};
use crate::{Damage, MemoryJournal};

const SMALL: Options = Options {
    first_segment_bytes: 1024,
    segment_bytes: 2048,
    record_bytes_max: 1024,
};

fn record(number: u64) -> Vec<u8> {
    let length = 1 + (number * 37 % 200) as usize;
    (0..length)
        .map(|index| (number * 7 + index as u64 * 13) as u8)
        .collect()
}

fn open(disk: &FaultDisk) -> (LocalJournal, Recovery) {
    LocalJournal::open(disk.clone(), SMALL).unwrap()
}

/// Appends records up to position `until`, in groups of 1 to 3.
fn fill(journal: &mut dyn Journal, until: u64) {
    while journal.end().0 < until {
        let first = journal.end().0 + 1;
        let records: Vec<_> = (first..=until.min(first + first % 3)).map(record).collect();
        let slices: Vec<_> = records.iter().map(Vec::as_slice).collect();
        journal.append(&slices).unwrap();
    }
}

fn read_from(journal: &dyn Journal, from: u64) -> Result<Vec<(u64, Vec<u8>)>, ReadFault> {
    let mut records = Vec::new();
    journal.read(Position(from), &mut |position, bytes| {
        records.push((position.0, bytes.to_vec()));
        ControlFlow::Continue(())
    })?;
    Ok(records)
}

fn numbered(positions: std::ops::RangeInclusive<u64>) -> Vec<(u64, Vec<u8>)> {
    positions.map(|number| (number, record(number))).collect()
}

fn last_segment(disk: &FaultDisk) -> String {
    disk.names()
        .into_iter()
        .rfind(|name| name.ends_with(".segment"))
        .unwrap()
}

#[test]
fn every_provider_keeps_the_contract() {
    let disk = FaultDisk::new(1);
    let providers: [Box<dyn Journal>; 2] =
        [Box::new(open(&disk).0), Box::new(MemoryJournal::new())];
    for mut journal in providers {
        assert_eq!((journal.start(), journal.end()), (Position(1), Position(0)));
        assert_eq!(read_from(journal.as_ref(), 0).unwrap(), []);
        assert_eq!(journal.append(&[]).unwrap(), Position(0));
        assert_eq!(journal.append(&[b"", &record(2)]).unwrap(), Position(2));
        fill(journal.as_mut(), 60);
        let all = read_from(journal.as_ref(), 0).unwrap();
        assert_eq!(all[0], (1, Vec::new()));
        assert_eq!(all[1..], numbered(2..=60));
        for from in 1..=62 {
            assert_eq!(
                read_from(journal.as_ref(), from).unwrap(),
                all[(from as usize - 1).min(60)..]
            );
        }
        let mut seen = 0;
        let stop_at_third = &mut |_, _: &[u8]| {
            seen += 1;
            if seen == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        journal.read(Position(5), stop_at_third).unwrap();
        assert_eq!(seen, 3);

        journal.trim(Position(40)).unwrap();
        let start = journal.start().0;
        assert!(start > 1 && start <= 40);
        assert_eq!(
            read_from(journal.as_ref(), start).unwrap(),
            numbered(start..=60)
        );
        let fault = read_from(journal.as_ref(), start - 1).unwrap_err();
        assert!(matches!(fault, ReadFault::Trimmed { .. }));
    }
}

#[test]
fn a_tail_torn_anywhere_loses_only_the_torn_group() {
    let disk = FaultDisk::new(2);
    let options = Options {
        first_segment_bytes: 32 * 1024,
        segment_bytes: 32 * 1024,
        ..SMALL
    };
    let open = |disk: FaultDisk| LocalJournal::open(disk, options).unwrap();
    let mut journal = open(disk.clone()).0;
    let mut ends = Vec::new();
    while journal.tail.offset < 10 * 1024 {
        let until = journal.end().0 + 1;
        fill(&mut journal, until);
        ends.push((journal.tail.offset, journal.end().0));
    }
    let (used, name) = (journal.tail.offset, last_segment(&disk));
    drop(journal);
    for cut in used - 8 * 1024..=used {
        let kept = ends.iter().rfind(|(offset, _)| *offset <= cut).unwrap();
        // Cut off, never written, and half overwritten by something else.
        for (way, rest) in [None, Some(0), Some(0xa5)].into_iter().enumerate() {
            let copy = disk.fork(cut);
            copy.edit(&name, |bytes| {
                bytes.truncate(cut as usize);
                if let Some(byte) = rest {
                    bytes.resize(cut as usize + 1 + cut as usize % 4096, byte);
                }
            });
            let (mut journal, recovery) = open(copy.clone());
            // A frame is whole if only its padding, or zeros at its end, are missing.
            let end = recovery.end.0;
            let is_whole = rest.is_some() && end == kept.1 + 1;
            assert!(end == kept.1 || is_whole, "cut at {cut}, way {way}");
            assert_eq!(recovery.epoch, Epoch(2));
            if rest != Some(0) {
                let torn = cut > kept.0 || rest.is_some();
                assert_eq!(recovery.dropped_bytes > 0, torn, "cut at {cut}, way {way}");
            }
            if cut % 64 == 0 {
                fill(&mut journal, end + 3);
                drop(journal);
                let (journal, recovery) = open(copy);
                assert_eq!(recovery.dropped_bytes, 0);
                assert_eq!(read_from(&journal, 1).unwrap(), numbered(1..=end + 3));
            }
        }
    }
}

#[test]
fn rot_is_refused_unless_it_looks_like_a_torn_tail() {
    let disk = FaultDisk::new(3);
    let (mut journal, _) = open(&disk);
    fill(&mut journal, 90);
    let last_end = journal.tail.offset as usize;
    fill(&mut journal, 91);
    let last = last_segment(&disk);
    drop(journal);
    let names = disk.names();
    let mut refused = 0;
    for round in 0..2_000_usize {
        let name = &names[round % names.len()];
        let copy = disk.fork(round as u64);
        let mut offset = 0;
        copy.edit(name, |bytes| offset = round * 7919 % bytes.len());
        copy.flip(name, offset, (round % 8) as u8);
        match LocalJournal::open(copy, SMALL) {
            Err(OpenFault::Disk(fault)) => panic!("{fault}"),
            Err(_) => refused += 1,
            Ok((journal, recovery)) => {
                let in_last_group = *name == last && offset >= last_end;
                assert!(recovery.end.0 == 91 || (recovery.end.0 == 90 && in_last_group));
                assert_eq!(
                    read_from(&journal, 1).unwrap(),
                    numbered(1..=recovery.end.0)
                );
            }
        }
    }
    assert!(refused > 1_000, "only {refused} flips were refused");
}

#[test]
fn rot_under_an_open_journal_is_never_read() {
    let disk = FaultDisk::new(4);
    let (mut journal, _) = open(&disk);
    fill(&mut journal, 40);
    for name in disk.names() {
        for offset in 0..1024 {
            disk.flip(&name, offset, 3);
            match read_from(&journal, 1) {
                Ok(records) => assert_eq!(records, numbered(1..=40)),
                Err(fault) => assert!(matches!(fault, ReadFault::Damaged(_)), "{fault}"),
            }
            disk.flip(&name, offset, 3);
        }
    }
    disk.flip(&disk.names()[0], 70, 0);
    let fault = read_from(&journal, 1).unwrap_err().to_string();
    assert_eq!(
        fault,
        "fault:/00000000000000000001.segment is damaged at byte 64: the checksum does not match\n  \
         restore this file from a backup"
    );
}

#[test]
fn files_that_do_not_fit_together_are_named() {
    let disk = FaultDisk::new(5);
    let (mut journal, _) = open(&disk);
    fill(&mut journal, 60);
    drop(journal);
    let names = disk.names();
    let (second, third) = (&names[1], &names[2]);
    let misnamed = &segment_name(Position(8));
    type Change<'a> = &'a dyn Fn(&FaultDisk);
    let cases: [(&str, Change); 9] = [
        ("too few for a segment", &|disk| {
            assert!(disk.edit(second, Vec::clear));
        }),
        ("too few for a segment", &|disk| {
            assert!(disk.edit(third, |bytes| bytes.truncate(63)));
        }),
        ("is not a segment", &|disk| {
            assert!(disk.edit(second, |bytes| bytes[..64].fill(0)));
        }),
        (
            "has format version 9; this program reads version 1",
            &|disk| {
                assert!(disk.edit(second, |bytes| bytes[8] = 9));
            },
        ),
        ("damaged at byte 0: the checksum", &|disk| {
            assert!(disk.edit(second, |bytes| bytes[16] ^= 1));
        }),
        ("are missing before", &|disk| disk.remove(second).unwrap()),
        ("not at the one it is named after", &|disk| {
            disk.rename(second, misnamed).unwrap();
        }),
        ("a later frame follows at byte", &|disk| {
            assert!(disk.edit(second, |bytes| bytes[70] ^= 1));
        }),
        ("damaged at byte", &|disk| {
            let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 600);
            assert!(disk.edit(second, cut));
        }),
    ];
    for (text, change) in cases {
        let copy = disk.fork(0);
        change(&copy);
        let fault = LocalJournal::open(copy.clone(), SMALL)
            .err()
            .unwrap()
            .to_string();
        assert!(fault.contains(text), "expected {text:?}: {fault}");
        assert!(fault.contains("fault:/0000"), "{fault}");
        assert_eq!(
            LocalJournal::open(copy, SMALL).err().unwrap().to_string(),
            fault
        );
    }
}

#[test]
fn a_whole_frame_in_the_wrong_place_is_damage() {
    let disk = FaultDisk::new(6);
    let (journal, _) = open(&disk);
    let (seed, chain) = (journal.tail.seed, journal.tail.chain);
    let offset = journal.tail.offset as usize;
    drop(journal);
    let epoch = |found| Flaw::Epoch {
        current: Epoch(1),
        found: Epoch(found),
    };
    let position = Flaw::Position {
        expected: Position(1),
        found: Position(2),
    };
    let cases = [
        ((Kind::Records, Epoch(1), Position(1)), chain, None),
        (
            (Kind::Records, Epoch(0), Position(1)),
            chain,
            Some(epoch(0)),
        ),
        (
            (Kind::Records, Epoch(2), Position(1)),
            chain,
            Some(epoch(2)),
        ),
        ((Kind::Fence, Epoch(0), Position(1)), chain, Some(epoch(0))),
        (
            (Kind::Records, Epoch(1), Position(2)),
            chain,
            Some(position),
        ),
        (
            (Kind::Records, Epoch(1), Position(1)),
            chain ^ 1,
            Some(Flaw::Chain),
        ),
        (
            (Kind::Unknown(3), Epoch(1), Position(1)),
            chain,
            Some(Flaw::Content),
        ),
    ];
    for (identity, previous, expected) in cases {
        let copy = disk.fork(0);
        let mut frame = Vec::new();
        encode_frame(&mut frame, seed, previous, identity, &[b"late"]);
        copy.edit(&disk.names()[0], |bytes| {
            bytes[offset..offset + frame.len()].copy_from_slice(&frame);
        });
        let flaw = match LocalJournal::open(copy, SMALL) {
            Ok((_, recovery)) => {
                assert_eq!(recovery.end, Position(1));
                None
            }
            Err(OpenFault::Damaged(Damage { flaw, .. })) => Some(flaw),
            Err(fault) => panic!("{fault}"),
        };
        assert_eq!(flaw, expected, "{identity:?}");
    }
}

/// Appends one record that leaves `room` bytes of the segment free.
fn fill_up_to(journal: &mut LocalJournal, room: u64) {
    let free = (journal.tail.bytes - journal.tail.offset - room) as usize;
    journal
        .append(&[&vec![1; free - FRAME_HEADER_BYTES - RECORD_PREFIX_BYTES]])
        .unwrap();
    assert_eq!(journal.tail.bytes - journal.tail.offset, room);
}

#[test]
fn a_segment_that_holds_only_a_fence_is_replaced() {
    let disk = FaultDisk::new(11);
    fill_up_to(&mut open(&disk).0, 0);
    let (mut journal, _) = open(&disk);
    assert_eq!((journal.segments.len(), journal.end()), (2, Position(1)));
    journal.append(&[&[1; 1000], &[2; 900]]).unwrap();
    assert_eq!(journal.segments.len(), 2);
    drop(journal);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.end, Position(3));
    assert_eq!(read_from(&journal, 2).unwrap()[1], (3, vec![2; 900]));
}

#[test]
fn a_fence_that_vanished_from_the_end_of_a_segment_is_damage() {
    let disk = FaultDisk::new(12);
    fill_up_to(&mut open(&disk).0, FRAME_HEADER_BYTES as u64);
    let (mut journal, _) = open(&disk);
    journal.append(&[b"rolls"]).unwrap();
    assert_eq!(journal.segments.len(), 2);
    drop(journal);
    disk.edit(&disk.names()[0], |bytes| {
        let end = bytes.len();
        bytes[end - FRAME_HEADER_BYTES..].fill(0);
    });
    let fault = LocalJournal::open(disk, SMALL).err().unwrap().to_string();
    assert!(
        fault.contains("does not continue the one before it"),
        "{fault}"
    );
}

#[test]
fn a_failed_append_poisons() {
    for (operation, failure) in [
        (Operation::Write, Failure::Io),
        (Operation::Sync, Failure::Io),
        (Operation::Create, Failure::NoSpace),
    ] {
        let disk = FaultDisk::new(7);
        let (mut journal, _) = open(&disk);
        fill(&mut journal, 4);
        disk.fail(operation, 0, failure);
        let big = [9; 1000];
        let fault = journal.append(&[&big]).unwrap_err();
        assert_eq!(
            matches!(fault, AppendFault::NoSpace(_)),
            failure == Failure::NoSpace
        );
        assert!(matches!(
            journal.append(&[b"later"]),
            Err(AppendFault::Poisoned)
        ));
        assert_eq!(read_from(&journal, 1).unwrap(), numbered(1..=4));
        drop(journal);
        let (mut journal, recovery) = open(&disk);
        assert!((4..=5).contains(&recovery.end.0));
        assert_eq!(read_from(&journal, 1).unwrap()[..4], numbered(1..=4));
        journal.append(&[b"later"]).unwrap();
    }
}

#[test]
fn a_file_whose_old_name_may_come_back_is_not_reused() {
    for seed in 0..50 {
        let disk = FaultDisk::new(seed);
        let (mut journal, _) = open(&disk);
        fill(&mut journal, 60);
        let first_is_small = Position(journal.segments[1].first.0);
        journal.trim(first_is_small).unwrap();
        disk.fail(Operation::Sync, 0, Failure::Io);
        journal.trim(Position(40)).unwrap_err();
        assert!(matches!(
            journal.trim(Position(40)),
            Err(TrimFault::Poisoned)
        ));
        while journal.append(&[&[1; 1000]]).is_ok() {}
        disk.crash();
        let (journal, _) = open(&disk);
        let start = journal.start().0;
        assert_eq!(read_from(&journal, start).unwrap(), numbered(start..=60));
    }
}

#[test]
fn what_reopening_shows_after_a_failed_sync_survives_the_next_crash() {
    for seed in 0..50 {
        let disk = FaultDisk::new(seed);
        let (mut journal, _) = open(&disk);
        disk.fail(Operation::Sync, 0, Failure::Io);
        journal.append(&[&record(1)]).unwrap_err();
        drop(journal);
        let (mut journal, recovery) = open(&disk);
        assert_eq!(
            recovery.end,
            Position(1),
            "the cache still shows the record"
        );
        fill(&mut journal, 2);
        disk.crash();
        let (journal, _) = open(&disk);
        assert_eq!(read_from(&journal, 1).unwrap(), numbered(1..=2));
    }
}

#[test]
fn what_is_too_large_is_refused_and_nothing_else() {
    let (mut journal, _) = open(&FaultDisk::new(8));
    let fault = journal.append(&[b"", &[0; 1025]]).unwrap_err().to_string();
    assert_eq!(
        fault,
        "record 1 of the group has 1025 bytes, more than the 1024 allowed"
    );
    let fault = journal
        .append(&[&[0; 1000], &[0; 1000]])
        .unwrap_err()
        .to_string();
    assert!(
        fault.starts_with("group of 2056 bytes does not fit into one segment of the journal (1984")
    );
    // Larger than the first segment, so that it is replaced while it holds no record.
    assert_eq!(
        journal.append(&[&[1; 1000], &[2; 900]]).unwrap(),
        Position(2)
    );
    assert_eq!(journal.segments.len(), 1);

    let wrong = Options {
        record_bytes_max: 2048,
        ..SMALL
    };
    let fault = LocalJournal::open(FaultDisk::new(0), wrong)
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        fault,
        "record_bytes_max is 2048, but must be from 1 to 1924"
    );
}

#[test]
fn recycled_segments_forget_their_earlier_life() {
    let disk = FaultDisk::new(9);
    let (mut journal, _) = open(&disk);
    let mut recycled_count = 0;
    for round in 1..40 {
        fill(&mut journal, round * 11);
        journal.trim(Position(round * 11 - 3)).unwrap();
        recycled_count += u64::from(journal.tail.header.recycled);
        // Stale frames of an earlier life stand behind the tail.
        let copy = disk.fork(round);
        let (journal, recovery) = open(&copy);
        assert_eq!((recovery.end.0, recovery.dropped_bytes), (round * 11, 0));
        let start = journal.start().0;
        assert_eq!(
            read_from(&journal, start).unwrap(),
            numbered(start..=round * 11)
        );
    }
    assert!(
        recycled_count > 10,
        "only {recycled_count} rounds met a recycled segment"
    );
    assert!(disk.names().len() <= 4, "{:?}", disk.names());
}

#[test]
fn one_owner_at_a_time() {
    let disk = FaultDisk::new(10);
    let (journal, recovery) = open(&disk);
    assert_eq!((recovery.epoch, journal.epoch()), (Epoch(1), Epoch(1)));
    assert!(matches!(
        LocalJournal::open(disk.clone(), SMALL),
        Err(OpenFault::Locked { .. })
    ));
    drop(journal);
    assert_eq!(open(&disk).1.epoch, Epoch(2));
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u16>),
    Trim(u8),
    Reopen,
    Crash,
    CutPower(u8),
    Fail(Operation, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let operation = prop_oneof![
        Just(Operation::Write),
        Just(Operation::Sync),
        Just(Operation::Create),
        Just(Operation::Rename)
    ];
    prop_oneof![
        12 => prop::collection::vec(0..300_u16, 1..5).prop_map(Step::Append),
        1 => any::<u8>().prop_map(Step::Trim),
        1 => Just(Step::Reopen),
        2 => Just(Step::Crash),
        2 => (0..30_u8).prop_map(Step::CutPower),
        1 => (operation, 0..5_u8).prop_map(|(operation, skipped)| Step::Fail(operation, skipped)),
    ]
}

/// The journal beside what it must hold.
struct Trial {
    disk: FaultDisk,
    journal: Option<LocalJournal>,
    /// Acknowledged records, and from where on they must be kept.
    kept: Vec<Vec<u8>>,
    trimmed_below: u64,
    /// Groups whose append failed: each may exist as a whole.
    unknown: Option<Vec<Vec<u8>>>,
    is_poisoned: bool,
    epoch: Epoch,
}

impl Trial {
    fn append(&mut self, lengths: &[u16]) {
        let Some(journal) = &mut self.journal else {
            return;
        };
        let mark = self.kept.len() as u8;
        let group: Vec<_> = lengths
            .iter()
            .map(|&length| vec![mark; length.into()])
            .collect();
        let slices: Vec<_> = group.iter().map(Vec::as_slice).collect();
        match journal.append(&slices) {
            Ok(position) => {
                self.kept.extend(group);
                assert_eq!(position.0, self.kept.len() as u64);
            }
            Err(AppendFault::Poisoned) => assert!(self.is_poisoned),
            Err(_) => (self.unknown, self.is_poisoned) = (Some(group), true),
        }
    }

    /// Opens, until it succeeds, and compares.
    fn reopen(&mut self, power_was_cut: bool) {
        self.journal = None;
        if power_was_cut {
            self.disk.crash();
        }
        let (journal, recovery) = loop {
            match LocalJournal::open(self.disk.clone(), SMALL) {
                Ok(opened) => break opened,
                Err(OpenFault::Disk(_)) => self.disk.crash(),
                Err(fault) => panic!("{fault}"),
            }
        };
        assert!(recovery.epoch > self.epoch);
        self.epoch = recovery.epoch;
        if recovery.end.0 > self.kept.len() as u64 {
            self.kept.extend(
                self.unknown
                    .take()
                    .expect("only an unknown group may appear"),
            );
        }
        (self.unknown, self.is_poisoned) = (None, false);
        assert_eq!(recovery.end.0, self.kept.len() as u64);
        let start = journal.start().0;
        assert!(start <= self.trimmed_below.max(1));
        let records = read_from(&journal, start).unwrap();
        let expected = (start..).zip(self.kept[start as usize - 1..].iter().cloned());
        assert_eq!(records, expected.collect::<Vec<_>>());
        self.journal = Some(journal);
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Append(lengths) => self.append(lengths),
            Step::Trim(part) => {
                let before = self.kept.len() as u64 * u64::from(*part) / 255;
                self.trimmed_below = self.trimmed_below.max(before);
                if let Some(journal) = &mut self.journal {
                    // A trim that fails leaves more than it should, never less.
                    self.is_poisoned |= journal.trim(Position(before)).is_err();
                }
            }
            Step::Reopen => self.reopen(false),
            Step::Crash => self.reopen(true),
            Step::CutPower(operations) => self.disk.cut_power_after((*operations).into()),
            Step::Fail(operation, skipped) => {
                self.disk.fail(*operation, (*skipped).into(), Failure::Io);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_was_acknowledged_survives_every_crash(
        seed: u64, steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut trial = Trial {
            disk: FaultDisk::new(seed),
            journal: None,
            kept: Vec::new(),
            trimmed_below: 0,
            unknown: None,
            is_poisoned: false,
            epoch: Epoch(0),
        };
        trial.reopen(false);
        for step in &steps {
            trial.run(step);
        }
        trial.reopen(true);
    }
}
