//! Going on in a second process as if it were this program, started anew.
//!
//! A program that starts itself again pays for what it has behind it already: the image is mapped, relocated and faulted in
//! once more. A process with one thread can be copied instead. Seen from outside and from the function that is called,
//! nothing is different: the copy has the streams, words, signals and descriptors of a program that was executed.
//!
//! Words are what `/proc/PID/cmdline` shows. They matter: people find processes by them, and what stands there of who is
//! copied may be secret. Where the kernel does not let them be replaced, there is no copy.

use std::ffi::{CStr, CString};
use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::io::{self, Errno};

use crate::clone::check;
use crate::interpret::{duplicate, leave, set_default, unblock_signals};

/// How much memory of its own a process may have to be copied, in pages of 4 KiB: the copy keeps it.
const SMALL: u64 = 512;

/// What the copy ends with if it panics.
const PANICKED: i32 = 70;

/// Goes on with `main` in a copy of this process, which has the given words and streams, no other descriptors, no handlers of
/// signals, a session of its own and `/` as its directory. It ends with what `main` gives. The copy is a child of this process,
/// which is not told of its end.
///
/// What lives in statics is copied, too; `main` must not use descriptors that are kept there.
///
/// # Errors
///
/// `BUSY` if this process has several threads, `NOMEM` if it has grown large, what the kernel answers if it does not let the words
/// be replaced, and `AGAIN` over limits. Nothing has happened then, and the program can be executed instead.
pub fn copy_aside(words: &[CString], streams: &[OwnedFd; 3], main: fn(&[CString]) -> u8) -> io::Result<()> {
    let own = Layout::own().ok_or(Errno::NOSYS)?;
    if own.threads != 1 {
        return Err(Errno::BUSY);
    }
    if own.pages > SMALL {
        return Err(Errno::NOMEM);
    }
    // As it is already: so it is known whether it will be possible.
    own.show()?;
    let [input, output, error] = streams;
    // Away from where they are going.
    let raise = |stream: &OwnedFd| io::fcntl_dupfd_cloexec(stream, 3);
    let streams = [raise(input)?, raise(output)?, raise(error)?];
    let line: Vec<u8> =
        words.iter().map(CString::as_c_str).flat_map(CStr::to_bytes_with_nul).copied().collect();
    let words_shown = extent(&line);
    // The environment is not shown at all.
    let shown = Layout { words: words_shown, environment: (words_shown.1, words_shown.1), ..own };
    // SAFETY: fork(2). There is one thread, so no lock is held that nobody would release, and memory is consistent.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let pid = unsafe { libc::fork() };
    if pid != 0 {
        return check(pid.into()).map(|_| ());
    }
    let run = || become_another(&streams, &shown).map_or(PANICKED, |()| main(words).into());
    // Unwinding further would run into frames that are not the copy's, as returning would.
    leave(catch_unwind(AssertUnwindSafe(run)).unwrap_or(PANICKED))
}

/// Leaves nothing of the process that was copied.
fn become_another(streams: &[OwnedFd; 3], shown: &Layout) -> io::Result<()> {
    // First of all, so that what is typed at the terminal is not meant for it.
    rustix::process::setsid()?;
    // Two belong to the C library, which sets their handlers once.
    (1..=64).filter(|number| !matches!(number, 32 | 33)).for_each(set_default);
    unblock_signals()?;
    // As Rust's own start does; a pipe that is closed is an error then, and no end.
    // SAFETY: signal(2) with a constant in place of a handler.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN)
    };
    for (stream, number) in streams.iter().zip(0..) {
        duplicate(stream.as_fd(), number)?;
    }
    // SAFETY: close_range(2) takes integers. Who owns the descriptors is on the stack of a caller to whom nothing returns.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    check(unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) })?;
    rustix::process::chdir(c"/")?;
    shown.show()
}

/// A process's memory as the kernel shows it, and what else is known of it.
#[derive(Debug, Clone, Copy)]
struct Layout {
    threads: u64,
    /// Memory that is no file's.
    pages: u64,
    code: (u64, u64),
    data: (u64, u64),
    /// Where the heap begins.
    heap: u64,
    stack: u64,
    words: (u64, u64),
    environment: (u64, u64),
}

impl Layout {
    /// This process's, see `proc_pid_stat(5)` and `proc_pid_statm(5)`.
    fn own() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let statm = fs::read_to_string("/proc/self/statm").ok()?;
        Self::read(&stat, &statm)
    }

    fn read(stat: &str, statm: &str) -> Option<Self> {
        // The name stands in brackets and may hold anything. The field after it is the third.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| -> Option<u64> { fields.get(number.checked_sub(3)?)?.parse().ok() };
        let mut sizes = statm.split_ascii_whitespace().skip(1).map(|size| size.parse::<u64>().ok());
        let (resident, of_files) = (sizes.next()??, sizes.next()??);
        Some(Self {
            threads: field(20)?,
            pages: resident.saturating_sub(of_files),
            code: (field(26)?, field(27)?),
            stack: field(28)?,
            data: (field(45)?, field(46)?),
            heap: field(47)?,
            words: (field(48)?, field(49)?),
            environment: (field(50)?, field(51)?),
        })
    }

    /// Has the kernel show this process so, see `PR_SET_MM(2const)`, which needs no privilege for a whole map.
    fn show(&self) -> io::Result<()> {
        // SAFETY: brk(2) with an address that is too low changes nothing, and answers with where the heap ends.
        #[expect(unsafe_code, reason = "see the comment on safety")]
        let heap_end = unsafe { libc::syscall(libc::SYS_brk, 0) };
        // From here on nothing may move that end, as it is set again: nothing is allocated.
        let map = Map {
            start_code: self.code.0,
            end_code: self.code.1,
            start_data: self.data.0,
            end_data: self.data.1,
            start_brk: self.heap,
            brk: u64::try_from(heap_end).map_err(|_| Errno::NOMEM)?,
            start_stack: self.stack,
            arg_start: self.words.0,
            arg_end: self.words.1,
            env_start: self.environment.0,
            env_end: self.environment.1,
            auxv: 0,
            auxv_size: 0,
            exe_fd: u32::MAX,
        };
        // SAFETY: prctl(2) with `PR_SET_MM_MAP` reads the structure, whose size is given and which outlives the call. The
        // addresses only say what `/proc` shows; the heap's, which brk(2) uses, are as they are.
        #[expect(unsafe_code, reason = "see the comment on safety")]
        let answer = unsafe {
            libc::syscall(
                libc::SYS_prctl,
                libc::PR_SET_MM,
                libc::PR_SET_MM_MAP,
                &raw const map,
                size_of::<Map>(),
                0,
            )
        };
        check(answer).map(|_| ())
    }
}

/// The kernel's `struct prctl_mm_map`.
#[repr(C)]
struct Map {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: u64,
    auxv_size: u32,
    exe_fd: u32,
}

/// Where bytes are.
fn extent(bytes: &[u8]) -> (u64, u64) {
    let range = bytes.as_ptr_range();
    (range.start.addr() as u64, range.end.addr() as u64)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs::File;
    use std::os::fd::OwnedFd;
    use std::sync::mpsc;
    use std::thread;

    use super::{Layout, copy_aside};

    const STAT: &str = "77 (a) b) R 1 77 77 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 3 0 2400754 2183168 50 18446744073709551615 4194304 \
                        4294967 140730037 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 5000000 5000100 6000000 7000 7100 7100 7200 0";

    #[test]
    fn a_layout_is_read_although_a_name_may_hold_anything() {
        let layout = Layout::read(STAT, "600 50 20 1 0 9 0\n").unwrap();
        assert_eq!((layout.threads, layout.pages, layout.code), (3, 30, (4_194_304, 4_294_967)));
        assert_eq!(
            (layout.data, layout.heap, layout.stack),
            ((5_000_000, 5_000_100), 6_000_000, 140_730_037)
        );
        assert_eq!((layout.words, layout.environment), ((7000, 7100), (7100, 7200)));
        for (stat, statm) in
            [("", ""), (STAT, ""), (STAT, "1 2"), ("1 (a) R 2", "600 50 20 1"), ("1 a R", "1 2 3")]
        {
            assert!(Layout::read(stat, statm).is_none(), "{stat} {statm}");
        }
    }

    #[test]
    fn a_process_with_several_threads_is_not_copied() {
        let null = || OwnedFd::from(File::open("/dev/null").unwrap());
        let (end, until) = mpsc::channel::<()>();
        let other = thread::spawn(move || until.recv());
        let copied = copy_aside(&[CString::default()], &[null(), null(), null()], |_| 0);
        assert_eq!(copied, Err(rustix::io::Errno::BUSY));
        drop(end);
        assert!(other.join().unwrap().is_err());
    }
}
