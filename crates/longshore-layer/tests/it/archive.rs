//! Archives byte by byte: what is malformed, and what is only unusual.

use longshore_layer::archive::{ArchiveError, Builder, Entries, Entry, EntryKind};
use proptest::prelude::*;

use crate::scene::{Scene, file, tar};

/// A header of the given kind and size, with a right checksum, after some changes.
fn header(kind: u8, size: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut block = tar(&[file("name", "")])[..512].to_vec();
    block[156] = kind;
    block[124..124 + size.len()].copy_from_slice(size);
    change(&mut block);
    seal(&mut block);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// An extended header of a kind, with this content.
fn extended(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, format!("{:011o}\0", content.len()).as_bytes(), |_| {});
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = key.len() + value.len() + 3;
        let length = (rest..rest + 9).find(|length| *length == rest + length.to_string().len()).unwrap();
        format!("{length} {key}={value}\n")
    };
    records.iter().map(record).collect::<String>().into_bytes()
}

fn all(archive: &[u8]) -> Result<Vec<Entry>, ArchiveError> {
    let mut entries = Entries::new(archive, 1 << 20);
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry()? {
        found.push(entry);
    }
    entries.drain()?;
    Ok(found)
}

#[test]
fn malformed_archives() {
    let plain = header(b'0', b"", |_| {});
    let big = |bytes: &'static [u8]| header(b'0', bytes, |_| {});
    let with = |records: &[(&str, &str)]| [extended(b'x', &pax(records)), plain.clone()].concat();
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no archive", b"<html>".repeat(100), "checksum"),
        ("half a header", plain[..100].to_vec(), "in the middle of a header"),
        ("no content", header(b'0', b"00000001000\0", |_| {}), "in the middle of `name`"),
        (
            "negative size",
            big(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            "the size of `name` cannot be -1",
        ),
        (
            "too large a number",
            big(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            "the size of `name`",
        ),
        ("no number", big(b"0000009"), "the size of `name`"),
        ("size that overflows", with(&[("size", "18446744073709551615")]), "size"),
        ("negative size in a record", with(&[("size", "-1")]), "`size`"),
        ("a record twice", with(&[("path", "a"), ("path", "b")]), "`path` stands twice"),
        ("an owner that is none", with(&[("uid", "4294967295")]), "owner"),
        ("an owner too large", with(&[("uid", "4294967296")]), "`uid`"),
        ("a malformed record", [extended(b'x', b"99 a=b\n"), plain.clone()].concat(), "wrong length"),
        (
            "two extended headers",
            [extended(b'x', b""), extended(b'x', b""), plain.clone()].concat(),
            "follows another",
        ),
        ("an extended header for nothing", extended(b'x', &pax(&[("path", "a")])), "belongs to no entry"),
        (
            "a global name",
            [extended(b'g', &pax(&[("path", "a")])), plain.clone()].concat(),
            "all following entries",
        ),
        ("a gigantic header", header(b'x', b"77777777777\0", |_| {}), "larger than the"),
        ("a gigantic name", header(b'L', b"77777777777\0", |_| {}), "larger than the"),
        ("an unknown kind", header(b'Q', b"", |_| {}), "unknown kind 'Q'"),
        (
            "overlapping segments",
            with(&[("GNU.sparse.map", "10,5,12,5"), ("GNU.sparse.size", "100")]),
            "overlap",
        ),
        (
            "a segment behind the end",
            with(&[("GNU.sparse.map", "10,5"), ("GNU.sparse.size", "11")]),
            "behind the end",
        ),
        ("segments that overflow", with(&[("GNU.sparse.map", "18446744073709551615,5")]), "too large"),
        (
            "segments without content",
            with(&[("GNU.sparse.map", "0,5"), ("GNU.sparse.size", "9")]),
            "as long as",
        ),
        ("half a segment", with(&[("GNU.sparse.map", "0")]), "has no length"),
        ("an unknown sparse file", with(&[("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0")]), "version"),
        ("one empty block within", [vec![0; 512], plain.clone()].concat(), "checksum"),
    ];
    for (name, archive, message) in table {
        let error = all(&archive).expect_err(name);
        assert!(error.to_string().contains(message), "{name}: {error}");
        assert!(Scene::new().apply(&archive).is_err(), "{name}");
    }
}

#[test]
fn unusual_archives() {
    let plain = header(b'0', b"", |_| {});
    let end = vec![0; 1024];
    let table: Vec<(&str, Vec<u8>, usize)> = vec![
        ("nothing at all", Vec::new(), 0),
        ("only an end marker", end.clone(), 0),
        ("no end marker", plain.clone(), 1),
        ("half an end marker", [plain.clone(), vec![0; 512]].concat(), 1),
        ("garbage behind the end", [plain.clone(), end, vec![9; 777]].concat(), 1),
        ("an old header", header(0, b"", |block| block[257..].fill(0)), 1),
        ("a volume label", [header(b'V', b"", |_| {}), plain.clone()].concat(), 1),
        ("a link with a size", [header(b'2', b"00000001000\0", |_| {}), plain.clone()].concat(), 2),
        ("a directory with a size", [header(b'5', b"00000001000\0", |_| {}), plain].concat(), 2),
    ];
    for (name, archive, count) in table {
        assert_eq!(all(&archive).expect(name).len(), count, "{name}");
    }
}

#[test]
fn names_come_from_the_strongest_source() {
    let plain = header(b'0', b"", |_| {});
    let archive =
        [extended(b'L', b"long\0"), extended(b'x', &pax(&[("path", "pax")])), plain.clone()].concat();
    assert_eq!(all(&archive).unwrap()[0].path, b"pax");
    let archive = [extended(b'L', b"long\0"), plain].concat();
    assert_eq!(all(&archive).unwrap()[0].path, b"long");
    let prefixed = header(b'0', b"", |block| block[345..349].copy_from_slice(b"some"));
    assert_eq!(all(&prefixed).unwrap()[0].path, b"some/name");
}

#[test]
fn global_records_hold_until_they_are_replaced() {
    let plain = header(b'0', b"", |_| {});
    let global = |uid| extended(b'g', &pax(&[("uid", uid), ("comment", "c")]));
    let archive = [global("5"), plain.clone(), plain.clone(), global("6"), plain].concat();
    let owners: Vec<u32> = all(&archive).unwrap().iter().map(|entry| entry.uid).collect();
    assert_eq!(owners, [5, 5, 6]);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let name = proptest::collection::vec(1..=255_u8, 1..300);
    let kind = prop_oneof![
        Just(EntryKind::File),
        Just(EntryKind::Fifo),
        name.clone().prop_map(EntryKind::Symlink),
        name.clone().prop_map(EntryKind::HardLink),
    ];
    let time = (any::<i64>(), 0..1_000_000_000_u32);
    let xattr = proptest::collection::vec(any::<u8>(), 0..40);
    (name, kind, 0..0o10000_u32, 0..u32::MAX, time, xattr).prop_map(|(path, kind, mode, uid, time, xattr)| {
        let mut entry = Entry::new(path, kind);
        (entry.mode, entry.uid, entry.gid) = (mode, uid, uid / 3);
        entry.modified.seconds = time.0.max(i64::MIN + 2);
        entry.modified.nanoseconds = time.1;
        entry.xattrs = vec![(b"user.a=b".map(|byte| byte.max(b'a')).to_vec(), xattr)];
        entry
    })
}

proptest! {
    #[test]
    fn entries_come_back(entries in proptest::collection::vec(any_entry(), 0..6)) {
        let mut builder = Builder::new(Vec::new());
        for entry in &entries {
            builder.append(entry, std::io::empty()).unwrap();
        }
        let read = all(&builder.finish().unwrap()).unwrap();
        prop_assert_eq!(read.len(), entries.len());
        for (read, written) in read.into_iter().zip(entries) {
            // A file whose name ends in a slash is how old programs wrote directories.
            if !(written.kind == EntryKind::File && written.path.ends_with(b"/")) {
                prop_assert_eq!(read, written);
            }
        }
    }

    #[test]
    fn changed_archives_are_read_or_refused(
        entries in proptest::collection::vec(any_entry(), 1..4),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        reseal in any::<bool>(),
    ) {
        let mut builder = Builder::new(Vec::new());
        for entry in &entries {
            builder.append(entry, std::io::empty()).unwrap();
        }
        let mut archive = builder.finish().unwrap();
        for (place, byte) in changes {
            let place = place.index(archive.len());
            archive[place] = byte;
            if reseal {
                seal(&mut archive[place / 512 * 512..][..512]);
            }
        }
        let _ = all(&archive);
    }
}
