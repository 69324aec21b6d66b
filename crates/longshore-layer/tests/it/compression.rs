//! Streams compressed and decompressed.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use longshore_layer::{Compression, DecompressError, compress, decompress};
use proptest::prelude::*;

fn compressed(compression: Compression, level: Option<i32>, threads: usize, content: &[u8]) -> Vec<u8> {
    let mut writer = compress(Vec::new(), compression, level, threads);
    for part in content.chunks(70_001) {
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap()
}

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    decompress(bytes).unwrap().read_to_end(&mut content).unwrap();
    content
}

fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|number| (number * number / 7 % 251) as u8).collect()
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        for length in [0, 1, 1 << 20, (1 << 20) + 1, 9_000_000] {
            let content = sample(length);
            let one = compressed(compression, None, 1, &content);
            assert_eq!(one, compressed(compression, None, 3, &content), "{compression:?} {length}");
            assert_eq!(decompressed(&one), content, "{compression:?} {length}");
        }
    }
}

#[test]
fn other_programs_read_the_result() {
    for (compression, program) in [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
        for length in [0, 5_000_000] {
            let content = sample(length);
            let bytes = compressed(compression, Some(1), 2, &content);
            let started =
                Command::new(program).arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
            let Ok(mut child) = started else {
                eprintln!("skipped: there is no program {program}");
                continue;
            };
            let mut input = child.stdin.take().unwrap();
            let writer = std::thread::spawn(move || input.write_all(&bytes).unwrap());
            let output = child.wait_with_output().unwrap();
            writer.join().unwrap();
            assert!(output.status.success() && output.stdout == content, "{program} {length}");
        }
    }
}

#[test]
fn members_and_frames_are_joined() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let joined =
            [b"one ".as_slice(), b"", b"two"].map(|part| compressed(compression, None, 1, part)).concat();
        assert_eq!(decompressed(&joined), b"one two");
    }
    // A skippable frame comes first.
    let frame = compressed(Compression::Zstd, None, 1, b"content");
    let skipped = [b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip".as_slice(), &frame].concat();
    assert_eq!(decompressed(&skipped), b"content");
}

#[test]
fn damaged_streams_are_errors() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let bytes = compressed(compression, None, 1, &sample(100_000));
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x55;
        for damaged in [&bytes[..bytes.len() - 3], &bytes[..8], &changed] {
            let read = decompress(damaged).unwrap().read_to_end(&mut Vec::new());
            assert!(read.is_err(), "{compression:?}");
        }
    }
    assert!(matches!(decompress(&b"\xfd7zXZ\0\0"[..]), Err(DecompressError::Unsupported("xz"))));
}

#[test]
fn windows_of_zstd_are_bounded() {
    // A frame header that asks for a window of 2 GiB, and a raw block of one byte.
    let frame = b"\x28\xb5\x2f\xfd\x00\xa8\x09\x00\x00x";
    assert!(decompress(&frame[..]).unwrap().read_to_end(&mut Vec::new()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_comes_back(content in proptest::collection::vec(any::<u8>(), 0..4096), level in 0..9) {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            // Content that is not compressed could begin as if it were.
            let content = [b"./", content.as_slice()].concat();
            prop_assert_eq!(decompressed(&compressed(compression, Some(level), 2, &content)), content);
        }
    }

    #[test]
    fn any_bytes_are_content_or_an_error(content in proptest::collection::vec(any::<u8>(), 0..512), magic in 0..3_usize) {
        let magic = [b"".as_slice(), b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x28\xb5\x2f\xfd"][magic];
        let bytes = [magic, &content].concat();
        if let Ok(reader) = decompress(bytes.as_slice()) {
            let _ = reader.take(1 << 20).read_to_end(&mut Vec::new());
        }
    }
}
