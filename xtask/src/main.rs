//! Checks on the code base that the compiler does not make.
//!
//! `cargo run -p xtask -- tidy` examines every crate, source file and page against the rules of ARCHITECTURE.md and
//! prints what breaks one, with file and line. CI runs it; nothing is changed.

#![forbid(unsafe_code)]

mod layers;
mod tidy;

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut arguments = env::args().skip(1);
    let text = match (arguments.next().as_deref(), arguments.next()) {
        (Some("tidy"), None) => return tidy(&root),
        _ => {
            "usage: cargo run -p xtask -- tidy\n\n  tidy  check layering, file heads, sizes, lints and pages\n"
        }
    };
    // Nothing can be done about a standard error that is closed.
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(2)
}

fn tidy(root: &Path) -> ExitCode {
    let (text, code) = match tidy::run(root) {
        Ok(report) if report.findings.is_empty() => {
            let text = format!("tidy: {} files and {} pages keep the rules\n", report.files, report.pages);
            (text, ExitCode::SUCCESS)
        }
        Ok(report) => {
            let mut text = report.findings.join("\n");
            text.push_str(&format!("\ntidy: {} findings\n", report.findings.len()));
            (text, ExitCode::FAILURE)
        }
        Err(error) => (format!("error: tidy could not run: {error}\n"), ExitCode::from(4)),
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
    code
}
