//! Any bytes are a layer that is unpacked, or refused; what is outside of the target lives on.

#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use longshore_layer::{ApplyOptions, Devices, Ownership, PackOptions, Whiteouts, apply, pack};

fuzz_target!(|bytes: &[u8]| {
    // Seeds are plain archives, so that what else is to be chosen comes from their end.
    let choice = bytes.last().copied().unwrap_or_default();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (target, outside) = (directory.path().join("target"), directory.path().join("outside"));
    fs::create_dir(&target).expect("a directory can be made");
    fs::create_dir(&outside).expect("a directory can be made");
    fs::write(outside.join("canary"), "alive").expect("a file can be written");

    let mut options = ApplyOptions {
        whiteouts: if choice & 1 == 0 { Whiteouts::OverlayUser } else { Whiteouts::Delete },
        ownership: Ownership::Ignore,
        devices: Devices::Refuse,
        threads: 2,
        ..ApplyOptions::default()
    };
    options.limits.total_bytes = 1 << 20;
    options.limits.file_bytes = 1 << 20;
    options.limits.entries = 200;
    let archive = sealed(bytes);
    let unpacked = apply(archive.as_slice(), &target, &options);
    if choice & 2 != 0 {
        // Once more onto what is there now.
        let _ = apply(archive.as_slice(), &target, &options);
    }

    assert_eq!(fs::read(outside.join("canary")).expect("the canary lives"), b"alive");
    assert_eq!(fs::read_dir(&outside).expect("it is there").count(), 1);
    assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 2);
    if unpacked.is_ok() {
        let _ = pack(&target, std::io::sink(), &PackOptions::default());
    }
});

/// Gives every block that looks like a header the right checksum, which no fuzzer finds by itself.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut archive = bytes.to_vec();
    for block in archive.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    archive
}
