//! Random names.

use std::fmt::Write as _;

use rustix::io::Errno;
use rustix::rand::GetRandomFlags;

/// Random bytes of the kernel.
pub(crate) fn bytes<const COUNT: usize>() -> Result<[u8; COUNT], Errno> {
    let mut bytes = [0; COUNT];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += rustix::io::retry_on_intr(|| rustix::rand::getrandom(&mut *rest, GetRandomFlags::empty()))?;
    }
    Ok(bytes)
}

/// Two hexadecimal digits for each of some random bytes.
pub(crate) fn hex<const COUNT: usize>() -> Result<String, Errno> {
    Ok(bytes::<COUNT>()?.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
