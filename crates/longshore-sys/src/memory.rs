//! Giving memory back.

use std::fs;
use std::ops::Range;

/// Lets the kernel have the pages of the program's own files back that are in memory and unchanged: code, constants. What is
/// needed again is read again, from the cache of files. A process that is going to wait for long is smaller so.
pub fn release_clean_pages() {
    let Ok(mappings) = fs::read_to_string("/proc/self/smaps") else { return };
    for Range { start, end } in unchanged(&mappings) {
        // SAFETY: madvise(2). The range is a mapping of a file that this process cannot write to and has changed no page
        // of; with `MADV_DONTNEED` its pages are read from the file again when they are touched, so nothing that anybody
        // sees changes.
        #[expect(unsafe_code, reason = "see the comment on safety")]
        unsafe {
            libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED)
        };
    }
}

/// The private mappings of files without the right to write of which no page differs from the file, see
/// `proc_pid_smaps(5)`. Memory that was relocated and then protected looks the same but for its pages, which have no file any
/// more, be they in memory or swapped out.
fn unchanged(mappings: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut current = None;
    let mut unchanged = 0;
    for line in mappings.lines() {
        match line.split_once(':') {
            Some(("Anonymous" | "Swap", amount)) => unchanged += u8::from(amount.trim() == "0 kB"),
            Some((field, _)) if !field.contains(' ') => {}
            _ => {
                current = of_file(line);
                unchanged = 0;
            }
        }
        if unchanged == 2 {
            found.extend(current.take());
        }
    }
    found
}

/// The range of a private mapping of a file that cannot be written to.
fn of_file(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let rights = fields.next()?;
    let path = fields.nth(3)?;
    (matches!(rights, "r-xp" | "r--p") && path.starts_with('/'))
        .then(|| Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?))?
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{release_clean_pages, unchanged};

    #[test]
    fn only_what_the_file_still_has_is_released() {
        for (head, anonymous, swap, released) in [
            ("55d0-55d8 r-xp 00001000 fe:00 123 /usr/bin/longshore", 0, 0, true),
            ("55d0-55d8 r--p 00001000 fe:00 123 /usr/bin/longshore", 0, 0, true),
            ("55d0-55d8 r--p 00001000 fe:00 123 /usr/bin/a: b", 0, 0, true),
            ("55d0-55d8 r--p 00001000 fe:00 123 /usr/bin/longshore", 4, 0, false),
            ("55d0-55d8 r--p 00001000 fe:00 123 /usr/bin/longshore", 0, 4, false),
            ("55d0-55d8 rw-p 00001000 fe:00 123 /usr/bin/longshore", 0, 0, false),
            ("55d0-55d8 r--s 00001000 fe:00 123 /usr/bin/longshore", 0, 0, false),
            ("7ff0-7ff1 r-xp 00000000 00:00 0 [vdso]", 0, 0, false),
            ("7ff0-7ff1 r--p 00000000 00:00 0", 0, 0, false),
        ] {
            let fields = format!(
                "Size: 8 kB\nRss: 8 kB\nAnonymous: {anonymous} kB\nSwap: {swap} kB\nVmFlags: rd mr\n"
            );
            let expected: Vec<_> = released.then_some(0x55d0..0x55d8).into_iter().collect();
            assert_eq!(unchanged(&format!("{head}\n{fields}")), expected, "{head} {anonymous} {swap}");
        }
    }

    #[test]
    fn code_and_constants_are_there_when_they_are_needed_again() {
        let mappings = fs::read_to_string("/proc/self/smaps").unwrap();
        assert!(!unchanged(&mappings).is_empty());
        release_clean_pages();
        assert!(!unchanged(&mappings).is_empty());
    }
}
