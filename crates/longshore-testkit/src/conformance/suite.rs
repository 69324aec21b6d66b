//! All cases, and how one is run.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::check::{Check, Failure};
use super::context::Context;
use super::need::Need;
use super::subject::Subject;

/// A case that does not end within this time hangs.
const LIMIT: Duration = Duration::from_mins(3);

/// One thing that every engine must do.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name, such as `lifecycle::names_are_unique`.
    pub name: &'static str,
    /// What the engine must be able to do.
    pub needs: &'static [Need],
    pub(crate) check: fn(&Context) -> Check,
}

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The engine did what it must.
    Passed,
    /// The engine cannot do what is needed, and says so.
    Skipped(String),
    /// The engine did something else.
    Failed(Failure),
}

/// All cases.
pub fn suite() -> Vec<Case> {
    super::case::all()
}

/// Runs one case.
pub fn run(name: &str, subject: &Subject) -> Outcome {
    let Some(case) = suite().into_iter().find(|case| case.name == name) else {
        return Outcome::Failed(Failure::new(format!("there is no case `{name}`")));
    };
    let capabilities = subject.engine.capabilities();
    if let Some(reason) = case.needs.iter().find_map(|need| need.lacking(capabilities)) {
        return Outcome::Skipped(reason);
    }
    let (sender, receiver) = mpsc::channel();
    let context = Context::new(subject.clone());
    // The thread of a case that hangs is left behind; the process ends with its test.
    thread::spawn(move || {
        let result = (case.check)(&context);
        let cleaned = context.clean_up();
        // Nobody waits any more if it took too long.
        let _ = sender.send(result.and(cleaned));
    });
    match receiver.recv_timeout(LIMIT) {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Outcome::Failed(Failure::new(format!("it did not end within {} s", LIMIT.as_secs())))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Outcome::Failed(Failure::new("it panicked")),
    }
}

/// Makes a module with one test for each case of the conformance suite.
///
/// The second argument is a function `fn() -> Result<Subject, String>` that gives the engine, or the reason why there
/// is none here; then the tests say so and pass.
#[macro_export]
macro_rules! engine_conformance {
    ($name:ident, $subject:expr) => {
        mod $name {
            #[expect(unused_imports, reason = "the subject may be named by a path from the root")]
            use super::*;

            fn check(case: &str) {
                let subject: ::std::result::Result<$crate::conformance::Subject, ::std::string::String> =
                    ($subject)();
                let outcome = match &subject {
                    Ok(subject) => $crate::conformance::run(case, subject),
                    Err(reason) => $crate::conformance::Outcome::Skipped(reason.clone()),
                };
                match outcome {
                    $crate::conformance::Outcome::Passed => {}
                    $crate::conformance::Outcome::Skipped(reason) => eprintln!("skipped: {case}: {reason}"),
                    $crate::conformance::Outcome::Failed(failure) => panic!("{case}: {failure}"),
                }
            }

            $crate::conformance_cases!($crate::conformance_tests);
        }
    };
}

/// One test for each case; for [`engine_conformance!`](crate::engine_conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($($module:ident: { $($case:ident $([$($need:ident),+])?,)* })*) => {
        $(
            mod $module {
                $(
                    #[test]
                    fn $case() {
                        super::check(concat!(stringify!($module), "::", stringify!($case)));
                    }
                )*
            }
        )*
    };
}
