//! Bytes of a file turned into source text.
//!
//! One place decides what Longshore reads as text, whatever the bytes came from. A byte order mark is kept: offsets
//! of diagnostics and edits then are offsets into the file as it is on disk.

use longshore_syntax::SourceFile;
use thiserror::Error;

/// Larger files are refused before they are read. GitHub refuses workflows far below this size.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// Why a file's content is not source text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// The file is larger than [`MAX_FILE_BYTES`].
    #[error(
        "`{name}` has {bytes} bytes, more than the {MAX_FILE_BYTES} that are read; split it or check that it is the right file"
    )]
    TooLarge {
        /// The file.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// The file is not UTF-8.
    #[error("`{name}` is not UTF-8: byte 0x{byte:02x} at offset {offset}; save it as UTF-8")]
    NotUtf8 {
        /// The file.
        name: String,
        /// Offset of the first byte that is not part of a character, from 0.
        offset: usize,
        /// That byte.
        byte: u8,
    },
}

/// The text of `bytes` under `name`.
pub(crate) fn source_file(name: &str, bytes: &[u8]) -> Result<SourceFile, TextError> {
    check_size(name, bytes.len() as u64)?;
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(name, text)),
        Err(error) => {
            let offset = error.valid_up_to();
            let byte = bytes.get(offset).copied().unwrap_or_default();
            Err(TextError::NotUtf8 { name: name.to_owned(), offset, byte })
        }
    }
}

/// Refuses a file by its size, before it is read.
pub(crate) fn check_size(name: &str, bytes: u64) -> Result<(), TextError> {
    if bytes > MAX_FILE_BYTES {
        return Err(TextError::TooLarge { name: name.to_owned(), bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_as_it_is() {
        for text in ["", "name: x\n", "\u{feff}name: x\r\n", "a\0b"] {
            assert_eq!(source_file("f", text.as_bytes()).unwrap().text(), text);
        }
    }

    #[test]
    fn invalid_bytes_are_located() {
        let error = source_file("a.yml", b"name: \xff\n").unwrap_err();
        assert_eq!(error, TextError::NotUtf8 { name: "a.yml".into(), offset: 6, byte: 0xff });
        let cut = source_file("a.yml", b"caf\xc3").unwrap_err();
        assert_eq!(cut, TextError::NotUtf8 { name: "a.yml".into(), offset: 3, byte: 0xc3 });
    }
}
