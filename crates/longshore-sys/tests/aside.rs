//! A copy of this process, which has to have one thread: so this is a program of its own, without the harness of tests.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::process::{Command, ExitCode};

use longshore_sys::copy_aside;

/// What the copy is told to do in place of seeing what it is.
const PANIC: &str = "panic";

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn main() -> ExitCode {
    // Something that is inherited without anybody's knowing, as a shell leaves it.
    if std::env::args().len() == 1 {
        let script = "exec 7</dev/null; trap '' USR1; exec \"$0\" inner secret";
        let own = std::env::current_exe().expect("this program has a path");
        let status = Command::new("sh").arg("-c").arg(script).arg(own).env("TOKEN", "secret").status();
        return if status.is_ok_and(|status| status.success()) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let Some(seen) = copied("look").unwrap_or_else(|error| panic!("{error}")) else {
        eprintln!("skipped: this kernel does not let the words of a process be replaced");
        return ExitCode::SUCCESS;
    };
    assert_eq!(
        seen,
        "words longshore|look|\nenvironment \nstreams 0 1 2\ndirectory /\nsession own\nsignals default\n"
    );
    // It goes no further than itself.
    assert_eq!(copied(PANIC).expect("a copy").as_deref(), Some(""));
    ExitCode::SUCCESS
}

/// What a copy writes; none if there can be none.
fn copied(word: &str) -> io::Result<Option<String>> {
    let (mut reader, writer) = io::pipe()?;
    let null = || File::open("/dev/null").map(OwnedFd::from);
    let words = ["longshore", word].map(|word| CString::new(word).expect("no zero"));
    let streams = [null()?, writer.into(), null()?];
    if copy_aside(&words, &streams, look).is_err() {
        return Ok(None);
    }
    drop(streams);
    let mut seen = String::new();
    reader.read_to_string(&mut seen)?;
    Ok(Some(seen))
}

/// Runs in the copy.
fn look(words: &[CString]) -> u8 {
    let word = words.last().map(CString::as_c_str).map(CStr::to_bytes);
    assert_ne!(word, Some(PANIC.as_bytes()), "this is meant to happen");
    let own =
        |file: &str| fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default().replace('\0', "|");
    let status = own("status");
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    // The directory that is listed is open, too.
    let mut streams: Vec<i32> = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| fs::read_link(entry.path()).is_ok())
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    streams.sort_unstable();
    streams.truncate(streams.len().saturating_sub(1));
    let streams: Vec<String> = streams.iter().map(ToString::to_string).collect();
    let session = if field("NSsid:") == field("NSpid:") { "own" } else { "shared" };
    // Only `SIGPIPE` is ignored, and what the C library uses is as it was.
    let ignored = u64::from_str_radix(&field("SigIgn:"), 16).unwrap_or_default() & !(0b11 << 31);
    let signals = if ignored == 1 << 12 { "default".to_owned() } else { field("SigIgn:") };
    let directory = std::env::current_dir().unwrap_or_default();
    let text = format!(
        "words {}\nenvironment {}\nstreams {}\ndirectory {}\nsession {session}\nsignals {signals}\n",
        own("cmdline"),
        own("environ"),
        streams.join(" "),
        directory.display()
    );
    u8::from(fs::write("/proc/self/fd/1", text).is_err())
}
