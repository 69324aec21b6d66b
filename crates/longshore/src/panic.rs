//! What is said when Longshore itself is wrong.

use std::io::Write as _;
use std::panic::PanicHookInfo;

/// Replaces the standard message of a panic by one that says whose mistake it is and what to do.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| {
        // Standard error may be closed; there is nothing left to tell then.
        let _ = std::io::stderr().write_all(message(info).as_bytes());
    }));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown cause");
    let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let trace = std::backtrace::Backtrace::capture();
    let mut text = format!(
        "error: longshore made a mistake and stopped\n  cause: {what}\n  cause: at {place}, version {}\n\
         help: this is not your fault: please report these lines and the command that you ran; \
         RUST_BACKTRACE=1 in the environment adds where it came from\n",
        crate::cli::VERSION,
    );
    if trace.status() == std::backtrace::BacktraceStatus::Captured {
        text.push_str(&trace.to_string());
    }
    text
}
