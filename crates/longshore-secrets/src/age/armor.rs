//! The armor: Base64 between two lines, as in RFC 7468 with lines of 64.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::DecryptError;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const WIDTH: usize = 64;

/// The file without armor, whether it has one or not.
pub(super) fn open(file: &[u8]) -> Result<Cow<'_, [u8]>, DecryptError> {
    let start = file.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(file.len());
    let rest = file.get(start..).unwrap_or_default();
    if !rest.starts_with(BEGIN.as_bytes()) {
        return Ok(Cow::Borrowed(file));
    }
    let text = std::str::from_utf8(rest).map_err(|_| DecryptError::Damaged)?.trim_end();
    let body =
        text.strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END)).ok_or(DecryptError::Damaged)?;
    let mut coded = String::with_capacity(body.len());
    let mut was_short = false;
    for line in body.lines().skip(1) {
        if was_short || line.is_empty() || line.len() > WIDTH {
            return Err(DecryptError::Damaged);
        }
        was_short = line.len() < WIDTH;
        coded.push_str(line);
    }
    BASE64_STANDARD.decode(coded).map(Cow::Owned).map_err(|_| DecryptError::Damaged)
}

/// The file in its armor.
pub(super) fn close(file: &[u8]) -> Vec<u8> {
    let coded = BASE64_STANDARD.encode(file);
    let mut text = format!("{BEGIN}\n");
    for line in coded.as_bytes().chunks(WIDTH) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    text.into_bytes()
}
