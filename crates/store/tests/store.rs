//! Both ways to keep tables keep the same promises; those on disk keep them across openings.

use std::ops::{Bound, ControlFlow};

use quadrille_store::{Batch, Direction, OpenFault, Options, Store, TableId, WriteFault};

const TABLES: [&str; 2] = ["red", "blue"];
const RED: TableId = TableId(0);
const BLUE: TableId = TableId(1);

fn keys(
    store: &Store,
    table: TableId,
    from: Bound<&str>,
    to: Bound<&str>,
    direction: Direction,
) -> String {
    let mut keys = Vec::new();
    let each = &mut |key: &[u8], value: &[u8]| {
        assert_eq!(value, [key, b"!"].concat());
        keys.push(String::from_utf8_lossy(key).into_owned());
        ControlFlow::Continue(())
    };
    let (from, to) = (from.map(str::as_bytes), to.map(str::as_bytes));
    store
        .range(table, from, to, direction, each)
        .expect("readable");
    keys.join(" ")
}

fn put(batch: &mut Batch, table: TableId, keys: &str) {
    for key in keys.split(' ') {
        batch.put(table, key, format!("{key}!"));
    }
}

/// Runs on an empty store and leaves it at position 9.
fn keeps_its_promises(store: &Store) {
    use Bound::Unbounded;
    use Direction::{Backward, Forward};

    assert_eq!(store.position(), 0);
    assert_eq!(store.get(RED, b"a").expect("readable"), None);
    assert_eq!(keys(store, RED, Unbounded, Unbounded, Forward), "");

    let mut batch = Batch::new();
    put(&mut batch, RED, "a b c d e");
    put(&mut batch, BLUE, "b x");
    batch.put(RED, "gone", "soon");
    batch.delete(RED, "gone");
    batch.delete(BLUE, "b");
    put(&mut batch, BLUE, "b");
    assert_eq!((batch.len(), batch.bytes()), (8, 5 * 3 + 2 * 3 + 4));
    store.apply(batch, 7).expect("applied");
    assert_eq!(store.position(), 7);
    assert_eq!(
        store.get(RED, b"a").expect("readable"),
        Some(b"a!".to_vec())
    );
    assert_eq!(store.get(RED, b"gone").expect("readable"), None);

    reads_ranges(store);

    let mut batch = Batch::new();
    batch.delete(RED, "b");
    batch.delete(RED, "never");
    store.apply(batch, 9).expect("applied");
    store
        .apply(Batch::new(), 9)
        .expect("a position may be repeated");
    assert_eq!(keys(store, RED, Unbounded, Unbounded, Backward), "e d c a");
    assert_eq!(keys(store, BLUE, Unbounded, Unbounded, Forward), "b x");

    refuses_unfit_keys(store);
    let mut batch = Batch::new();
    put(&mut batch, RED, "unseen");
    let fault = store.apply(batch, 8).expect_err("refused");
    assert!(matches!(
        fault,
        WriteFault::Position {
            current: 9,
            found: 8
        }
    ));
    assert_eq!(store.get(RED, b"unseen").expect("readable"), None);
    assert_eq!(store.sync().expect("synced"), 9);
}

fn reads_ranges(store: &Store) {
    use Bound::{Excluded, Included, Unbounded};
    use Direction::{Backward, Forward};

    let cases = [
        (Unbounded, Unbounded, "a b c d e"),
        (Included("b"), Excluded("d"), "b c"),
        (Excluded("b"), Included("d"), "c d"),
        (Included("bb"), Unbounded, "c d e"),
        (Unbounded, Excluded("b"), "a"),
        (Included("c"), Included("c"), "c"),
        (Excluded("c"), Included("c"), ""),
        (Included("d"), Included("b"), ""),
        (Excluded("x"), Excluded("x"), ""),
    ];
    for (from, to, expected) in cases {
        assert_eq!(keys(store, RED, from, to, Forward), expected);
        let reversed: Vec<_> = expected.split(' ').rev().collect();
        assert_eq!(keys(store, RED, from, to, Backward), reversed.join(" "));
    }
    let mut seen = 0;
    let each = &mut |_: &[u8], _: &[u8]| {
        seen += 1;
        if seen == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    store
        .range(RED, Unbounded, Unbounded, Forward, each)
        .expect("readable");
    assert_eq!(seen, 2);
}

fn refuses_unfit_keys(store: &Store) {
    for (key, text) in [
        (
            vec![],
            "a key for table 1 has 0 bytes, but must have from 1 to 65535",
        ),
        (
            vec![0; 65_536],
            "a key for table 1 has 65536 bytes, but must have from 1 to 65535",
        ),
    ] {
        let mut batch = Batch::new();
        put(&mut batch, RED, "unseen");
        batch.delete(BLUE, key);
        assert_eq!(
            store.apply(batch, 10).expect_err("refused").to_string(),
            text
        );
    }
}

#[test]
fn memory_keeps_its_promises() {
    keeps_its_promises(&Store::memory(&TABLES));
}

#[test]
fn disk_keeps_its_promises_across_openings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Store::open(&path, &TABLES, Options::default()).unwrap();
    keeps_its_promises(&store);
    let fault = Store::open(&path, &TABLES, Options::default())
        .err()
        .unwrap();
    assert!(matches!(fault, OpenFault::Locked { .. }), "{fault}");
    drop(store);

    // One table more.
    let store = Store::open(&path, &["red", "blue", "green"], Options::default()).unwrap();
    assert_eq!(store.position(), 9);
    assert_eq!(
        keys(
            &store,
            RED,
            Bound::Unbounded,
            Bound::Unbounded,
            Direction::Forward
        ),
        "a c d e"
    );
    assert_eq!(
        keys(
            &store,
            TableId(2),
            Bound::Unbounded,
            Bound::Unbounded,
            Direction::Forward
        ),
        ""
    );
}

#[test]
fn whatever_a_crash_leaves_agrees_with_its_position() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    // Buffers so small that flushes happen all the time.
    let options = Options {
        cache_bytes: 1024 * 1024,
        write_buffer_bytes: 64 * 1024,
    };
    let store = Store::open(&path, &TABLES, options).unwrap();
    let mut synced = 0;
    let mut copies = Vec::new();
    for position in 1..=400_u64 {
        let mut batch = Batch::new();
        batch.put(RED, "last", position.to_be_bytes());
        batch.put(BLUE, position.to_be_bytes(), vec![position as u8; 1000]);
        if position > 10 {
            batch.delete(BLUE, (position - 10).to_be_bytes());
        }
        store.apply(batch, position).unwrap();
        if position % 50 == 0 {
            synced = store.sync().unwrap();
        }
        if position % 130 == 0 {
            // A copy of the files in mid-flight is what a kill leaves.
            let copy = folder.path().join(format!("copy-{position}"));
            copy_folder(&path, &copy);
            copies.push((copy, synced));
        }
    }
    drop(store);
    copies.push((path, 400));
    for (path, synced) in copies {
        let store = Store::open(&path, &TABLES, options).unwrap();
        let position = store.position();
        assert!(position >= synced);
        let last = store.get(RED, b"last").unwrap().unwrap();
        assert_eq!(last, position.to_be_bytes());
        let mut found = Vec::new();
        let each = &mut |key: &[u8], _: &[u8]| {
            found.push(u64::from_be_bytes(key.try_into().unwrap()));
            ControlFlow::Continue(())
        };
        store
            .range(
                BLUE,
                Bound::Unbounded,
                Bound::Unbounded,
                Direction::Forward,
                each,
            )
            .unwrap();
        assert_eq!(found, (position - 9..=position).collect::<Vec<_>>());
        assert!(store.disk_bytes() > 0);
    }
}

/// What a kill leaves: the files as they are at one moment, which is when the list of them stays the same.
fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    let list = || std::fs::read(from.join("current")).expect("is there");
    loop {
        let before = list();
        copy_files(from, to);
        if list() == before {
            return;
        }
        std::fs::remove_dir_all(to).expect("removed");
    }
}

fn copy_files(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("created");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("listed");
        let target = to.join(entry.file_name());
        match std::fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_dir() => copy_files(&entry.path(), &target),
            // A file that is no longer needed may go at any time.
            _ => drop(std::fs::copy(entry.path(), target)),
        }
    }
}

#[test]
fn readers_see_whole_batches_while_files_are_written_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        cache_bytes: 1024 * 1024,
        write_buffer_bytes: 32 * 1024,
    };
    let store = Store::open(folder.path(), &TABLES, options).unwrap();
    let write = || {
        for position in 1..=2_000_u64 {
            let mut batch = Batch::new();
            for key in 0..10_u8 {
                batch.put(RED, [key], position.to_be_bytes());
            }
            batch.put(BLUE, position.to_be_bytes(), [0; 500]);
            store.apply(batch, position).unwrap();
        }
    };
    let read = || {
        let mut seen = 0;
        while seen < 2_000 {
            let known = store.position();
            let mut values = Vec::new();
            let each = &mut |_: &[u8], value: &[u8]| {
                values.push(u64::from_be_bytes(value.try_into().unwrap()));
                ControlFlow::Continue(())
            };
            let all = Bound::Unbounded;
            store
                .range(RED, all, all, Direction::Forward, each)
                .unwrap();
            let first = values.first().copied().unwrap_or(0);
            assert_eq!(values, vec![first; if first == 0 { 0 } else { 10 }]);
            assert!(first >= known.max(seen), "{first} after {known} and {seen}");
            seen = first;
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(write);
        for _ in 0..2 {
            scope.spawn(read);
        }
    });
}

/// What opening costs does not follow what is in the store: nothing was written ahead that must be read again.
#[test]
fn opening_reads_little_however_much_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Store::open(&path, &TABLES, Options::default()).unwrap();
    let mut number = 0_u64;
    for position in 1..=1_200 {
        let mut batch = Batch::new();
        for _ in 0..50 {
            number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
            batch.put(BLUE, number.to_be_bytes(), vec![0; 1_000]);
        }
        store.apply(batch, position).unwrap();
        if position % 200 == 0 {
            store.sync().unwrap();
        }
    }
    assert!(store.disk_bytes() > 50_000_000, "{}", store.disk_bytes());
    // As good as a kill: nothing is written on the way out.
    drop(store);

    let before = bytes_read();
    let opened = Store::open(&path, &TABLES, Options::default()).unwrap();
    let read = bytes_read() - before;
    assert_eq!(opened.position(), 1_200);
    assert!(read < 2_000_000, "{read} bytes were read to open the store");
}

/// Bytes that this thread has read so far.
fn bytes_read() -> u64 {
    let counters = std::fs::read_to_string("/proc/thread-self/io").expect("Linux counts them");
    let count = counters
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "));
    count.expect("listed").parse().expect("a number")
}

#[test]
fn unfit_table_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (names, text) in [
        (["a", ""], "table name \"\" is empty"),
        (["a", "a"], "table name \"a\" is given twice"),
        (["a", "b\0"], "table name \"b\\0\" is not plain text"),
    ] {
        let fault = Store::open(folder.path(), &names, Options::default())
            .err()
            .unwrap();
        assert_eq!(fault.to_string(), text);
    }
}

#[test]
fn a_store_of_other_tables_or_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let open = |tables: &[&str]| Store::open(&path, tables, Options::default());
    let store = open(&TABLES).unwrap();
    store.apply(Batch::new(), 1).unwrap();
    store.sync().unwrap();
    drop(store);
    for tables in [&["blue", "red"][..], &["red"], &["red", "bluer"]] {
        let fault = open(tables).err().unwrap().to_string();
        assert!(fault.contains("holds the tables red, blue, but"), "{fault}");
    }
    // By this file tables of the first version are known.
    std::fs::write(path.join("version"), "").unwrap();
    let fault = open(&TABLES).err().unwrap().to_string();
    assert!(
        fault.contains("has format version 1; this program reads version 2\n"),
        "{fault}"
    );
}
