//! The compressions that layers come in, told by their first bytes and not by the media type, which is often wrong.

use longshore_oci::Compression;

/// How many bytes [`detect`] wants to see.
pub const MAGIC_BYTES: usize = 6;

/// Tells the compression by the first bytes. What is none of those known counts as not compressed.
pub fn detect(start: &[u8]) -> Compression {
    match start {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        // The second is a skippable frame, which some builders begin with.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// The name of a compression that is known but cannot be read.
pub(crate) fn unreadable(start: &[u8]) -> Option<&'static str> {
    match start {
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A'] => Some("bzip2"),
        [0x5d, 0, 0, _, _, 0xff] => Some("lzma"),
        _ => None,
    }
}

/// A compression's name.
pub(crate) fn name(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "uncompressed",
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic() {
        assert_eq!(detect(b"\x1f\x8b\x08\0"), Compression::Gzip);
        assert_eq!(detect(b"\x28\xb5\x2f\xfd"), Compression::Zstd);
        assert_eq!(detect(b"\x5e\x2a\x4d\x18"), Compression::Zstd);
        assert_eq!(detect(b"etc/passwd"), Compression::None);
        assert_eq!(detect(b""), Compression::None);
        assert_eq!(unreadable(b"\xfd7zXZ\0"), Some("xz"));
    }
}
