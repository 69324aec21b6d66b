//! Text that a flag names: a file, or standard input.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The largest text that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The text of the file at `path`; `-` is standard input.
///
/// # Errors
/// The file cannot be read, is not UTF-8, or is larger than 64 MiB.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let text = if path == Path::new("-") {
        bounded(&mut io::stdin().lock())
    } else {
        bounded(&mut File::open(path)?)
    }?;
    // Windows programs begin text with a mark that is no part of it.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn bounded(input: &mut dyn io::Read) -> io::Result<String> {
    let mut text = String::new();
    input.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        let message = format!("it is larger than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}
