//! Unpacking and packing against GNU tar, in rotation: a layer of 1 GiB, and one of 40,000 small files.
//!
//! A plain program and no bench of a framework, because each round takes seconds, needs an empty directory, and has
//! another program beside it. The archives lie in the page cache when it begins. `cargo bench -p longshore-layer --
//! small` measures only the small files; `TMPDIR` says on which file system.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench is a program of its own, for developers"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use longshore_layer::archive::{Builder, Entry, EntryKind};
use longshore_layer::{
    ApplyOptions, Compression, Devices, Ownership, PackOptions, Whiteouts, apply, compress, pack,
};

const ROUNDS: usize = 3;

fn main() {
    // `cargo test` runs benches too, with this argument left out.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let small_only = std::env::args().any(|argument| argument == "small");
    let directory = tempfile::tempdir().unwrap();
    let small = directory.path().join("small.tar");
    write_layer(&small, Compression::None, &|builder| fill_small(builder));
    compare("40,000 files", &small, directory.path());
    pack_all(&small, directory.path());
    if !small_only {
        for (name, compression) in [("1 GiB, gzip", Compression::Gzip), ("1 GiB, zstd", Compression::Zstd)] {
            let large = directory.path().join("large.tar");
            write_layer(&large, compression, &|builder| fill_large(builder));
            compare(name, &large, directory.path());
            fs::remove_file(&large).unwrap();
        }
    }
}

fn compare(name: &str, archive: &Path, directory: &Path) {
    println!("{name}: {} MB in the archive", fs::metadata(archive).unwrap().len() / 1_000_000);
    let mut times: [Vec<Duration>; 2] = Default::default();
    let mut processor = Duration::ZERO;
    for _ in 0..ROUNDS {
        times[0].push(timed(directory, |target| {
            let before = processor_time();
            apply(File::open(archive).unwrap(), target, &options()).unwrap();
            processor += processor_time().saturating_sub(before);
        }));
        times[1].push(timed(directory, |target| {
            let status = Command::new("tar").arg("xf").arg(archive).arg("-C").arg(target).status().unwrap();
            assert!(status.success());
        }));
    }
    // What a busy machine does not change much.
    println!("  unpack, longshore: {:.2?} of processor time", processor / ROUNDS as u32);
    for (name, mut times) in ["longshore", "tar"].into_iter().zip(times) {
        times.sort();
        println!(
            "  unpack, {name}: median {:.2?}, {:.2?} to {:.2?}",
            times[ROUNDS / 2],
            times[0],
            times[ROUNDS - 1]
        );
    }
}

fn pack_all(small: &Path, directory: &Path) {
    let tree = directory.join("tree");
    fs::create_dir(&tree).unwrap();
    apply(File::open(small).unwrap(), &tree, &options()).unwrap();
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let start = Instant::now();
        let mut writer = compress(std::io::sink(), compression, None, 2);
        let packed = pack(&tree, &mut writer, &PackOptions::default()).unwrap();
        writer.finish().unwrap();
        println!("pack, {compression:?}: {:.2?} for {} entries", start.elapsed(), packed.entries);
    }
}

fn options() -> ApplyOptions {
    let defaults = ApplyOptions::default();
    if rustix::process::geteuid().is_root() {
        return defaults;
    }
    ApplyOptions {
        whiteouts: Whiteouts::OverlayUser,
        ownership: Ownership::Ignore,
        devices: Devices::Refuse,
        ..defaults
    }
}

/// Measures with a new directory, which stays: ext4 spends most of the time on passing over inodes that were deleted in
/// the last half minute, if there are many.
fn timed(directory: &Path, work: impl FnOnce(&Path)) -> Duration {
    let target: PathBuf = tempfile::tempdir_in(directory).unwrap().keep();
    let start = Instant::now();
    work(&target);
    start.elapsed()
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

type Output = longshore_layer::Compressor<BufWriter<File>>;

fn write_layer(path: &Path, compression: Compression, fill: &dyn Fn(&mut Builder<Output>)) {
    let writer = BufWriter::new(File::create(path).unwrap());
    let mut builder = Builder::new(compress(writer, compression, None, 2));
    fill(&mut builder);
    builder.finish().unwrap().finish().unwrap().flush().unwrap();
}

/// Files of all sizes, about half of whose bytes compress away.
fn fill_large(builder: &mut Builder<Output>) {
    let mut random = Random(1);
    let mut written = 0;
    for number in 0.. {
        let size = [4 << 10, 24 << 10, 100 << 10, 1 << 20, 12 << 20][number % 5];
        let content = random.content(size);
        append(builder, &format!("opt/large/{:03}/{number}", number / 50), &content);
        written += size;
        if written >= 1 << 30 {
            return;
        }
    }
}

fn fill_small(builder: &mut Builder<Output>) {
    let mut random = Random(2);
    for number in 0..40_000 {
        let content = random.content(200 + number % 7_000);
        append(builder, &format!("usr/lib/small/{:04}/{number}.js", number / 20), &content);
    }
}

fn append(builder: &mut Builder<Output>, path: &str, content: &[u8]) {
    let mut entry = Entry::new(path, EntryKind::File);
    entry.size = content.len() as u64;
    entry.modified.seconds = 1_700_000_000;
    builder.append(&entry, content).unwrap();
}

/// Xorshift: the same content in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Words of a small vocabulary, and between them letters that nothing can be known about.
    fn content(&mut self, size: usize) -> Vec<u8> {
        const WORDS: [&str; 8] =
            ["return", "const ", "function ", "export ", "await ", "import ", "    ", "\n});\n"];
        let mut content = Vec::with_capacity(size + 32);
        while content.len() < size {
            let number = self.next();
            content.extend_from_slice(WORDS[(number & 7) as usize].as_bytes());
            content.extend_from_slice(&number.to_le_bytes()[..5]);
        }
        content.truncate(size);
        content
    }
}
