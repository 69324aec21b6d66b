//! What one artifact or cache entry may hold.

/// Bounds of one artifact or cache entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Files, directories and links.
    pub entries: u64,
}

impl Default for Limits {
    /// More than any artifact that a person means to make.
    fn default() -> Self {
        Self { bytes: 64 << 30, entries: 1_000_000 }
    }
}
