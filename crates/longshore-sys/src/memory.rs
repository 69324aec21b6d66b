//! Giving memory back.

use std::fs;

/// Lets the kernel have the pages of the program's own files back that are in memory and unchanged: code, constants. What is
/// needed again is read again, from the cache of files. A process that is going to wait for long is smaller so.
pub fn release_clean_pages() {
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    for (start, end) in maps.lines().filter_map(clean) {
        // SAFETY: madvise(2). The range is a mapping of a file that this process cannot write to; with `MADV_DONTNEED` its
        // pages are read from the file again when they are touched, so nothing that anybody sees changes.
        #[expect(unsafe_code, reason = "see the comment on safety")]
        unsafe {
            libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED)
        };
    }
}

/// The range of a private mapping of a file without the right to write, see `proc_pid_maps(5)`.
fn clean(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let rights = fields.next()?;
    let path = fields.nth(3)?;
    // Memory that was relocated and then protected is private and changed: only what can be run or was never writable may
    // go, and relocated pages are in mappings that are neither.
    let is_code = rights == "r-xp";
    (is_code && path.starts_with('/'))
        .then(|| Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?)))?
}

#[cfg(test)]
mod tests {
    use super::{clean, release_clean_pages};

    #[test]
    fn only_code_is_released() {
        let code = "55d0-55d8 r-xp 00001000 fe:00 123 /usr/bin/longshore";
        assert_eq!(clean(code), Some((0x55d0, 0x55d8)));
        for line in [
            "55d0-55d8 rw-p 00001000 fe:00 123 /usr/bin/longshore",
            "55d0-55d8 r--p 00001000 fe:00 123 /usr/bin/longshore",
            "7ff0-7ff1 r-xp 00000000 00:00 0 [vdso]",
            "7ff0-7ff1 rw-p 00000000 00:00 0",
        ] {
            assert_eq!(clean(line), None, "{line}");
        }
        release_clean_pages();
        assert_eq!(clean(code), Some((0x55d0, 0x55d8)), "the code is there when it is called again");
    }
}
