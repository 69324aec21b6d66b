//! Zip archives, as far as artifacts need them: written with sizes up front, read with bounds.
//!
//! By APPNOTE.TXT 6.3.10 of PKWARE. What we write has no data descriptors, because readers of streams have trouble with
//! them, and one fixed time, so that equal files make equal archives. What we read is hostile: only the central
//! directory is believed, one entry at a time, and each entry gives exactly as many bytes as it says, or an error.

mod extract;
mod read;
mod write;

pub(crate) use extract::extract;
pub(crate) use read::{Archive, Entry};
pub(crate) use write::Writer;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// The extra field with 64-bit sizes.
const EXTRA64: u16 = 1;
/// The bit that says that names are UTF-8.
const UTF8: u16 = 1 << 11;
/// The bit that says that content is encrypted.
const ENCRYPTED: u16 = 1;
const UNIX: u16 = 3;
/// The file type bits of a mode, of a file and of a directory.
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
