//! What is in the images: a small one that can run, and a large one to transfer.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::engine::find;

/// A root directory with a shell and what belongs to it, in one static program.
pub(crate) fn small(root: &Path) -> PathBuf {
    let busybox = find("busybox").expect("`busybox-static` is installed");
    for directory in ["bin", "dev", "etc", "proc", "sys", "tmp"] {
        fs::create_dir_all(root.join(directory)).expect("a directory");
    }
    fs::copy(busybox, root.join("bin/busybox")).expect("a copy");
    for name in ["sh", "sleep", "test", "touch", "true"] {
        symlink("busybox", root.join("bin").join(name)).expect("a link");
    }
    root.to_owned()
}

/// A directory of 1 GiB that compresses to about a half: 2,000 files of 64 KiB and 14 of 64 MiB.
pub(crate) fn large(directory: &Path) -> PathBuf {
    let mut stream = Stream { state: 0x9E37_79B9_7F4A_7C15 };
    for number in 0..2_000 {
        let below = directory.join(format!("usr/share/part{:02}", number % 50));
        fs::create_dir_all(&below).expect("a directory");
        fs::write(below.join(format!("file{number}")), stream.bytes(64 << 10)).expect("a file");
    }
    fs::create_dir_all(directory.join("usr/lib")).expect("a directory");
    for number in 0..14 {
        let path = directory.join(format!("usr/lib/large{number}"));
        fs::write(path, stream.bytes(64 << 20)).expect("a file");
    }
    directory.to_owned()
}

/// Bytes that look to a compressor as programs do: new ones, and repetitions of some length from some way back.
struct Stream {
    state: u64,
}

impl Stream {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 64);
        while bytes.len() < length {
            let word = self.next();
            let (back, count) = ((word >> 8) as usize % 16_384 + 32, (word >> 32) as usize % 24 + 4);
            match bytes.len().checked_sub(back) {
                Some(from) if word & 1 == 0 => bytes.extend_from_within(from..from + count.min(back)),
                _ => bytes.extend_from_slice(&(word >> 3).to_le_bytes()),
            }
        }
        bytes.truncate(length);
        bytes
    }
}
