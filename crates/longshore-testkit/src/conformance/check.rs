//! Why a case failed.

use std::error::Error;
use std::fmt;

use longshore_engine::EngineError;

/// What a case gives.
pub type Check<T = ()> = Result<T, Failure>;

/// What was expected and did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure in words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// With what was being done.
    #[must_use]
    pub fn during(self, what: &str) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let mut words = format!("{error} ({:?})", error.fault);
        let mut cause: Option<&dyn Error> = error.source();
        while let Some(error) = cause {
            words.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self(words)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(format!("the test itself failed: {error}"))
    }
}

/// Fails unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure::new(format!($($words)+)));
        }
    };
}

/// Fails unless two values are equal.
macro_rules! ensure_eq {
    ($left:expr, $right:expr, $($words:tt)+) => {{
        let (left, right) = (&$left, &$right);
        if left != right {
            let what = format!($($words)+);
            return Err($crate::conformance::Failure::new(format!("{what}: {left:?}, expected {right:?}")));
        }
    }};
}

/// Fails unless a result is an error with a certain fault.
macro_rules! ensure_fault {
    ($result:expr, $fault:ident, $($words:tt)+) => {{
        let what = format!($($words)+);
        match $result {
            Ok(_) => return Err($crate::conformance::Failure::new(format!("{what}: succeeded"))),
            Err(error) if error.fault != longshore_engine::Fault::$fault => {
                let found = $crate::conformance::Failure::from(error);
                let wanted = stringify!($fault);
                return Err($crate::conformance::Failure::new(format!("{what}: {found}, expected {wanted}")));
            }
            Err(_) => {}
        }
    }};
}

pub(crate) use {ensure, ensure_eq, ensure_fault};
