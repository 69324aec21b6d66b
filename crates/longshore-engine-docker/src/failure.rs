//! What an answer of Docker means as an error.

use std::io;
use std::path::Path;

use longshore_engine::{EngineError, Fault};

/// The daemon could not be spoken to.
pub(crate) fn unreachable(socket: &Path, error: io::Error) -> EngineError {
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied => "ask for membership of the group that may use the socket",
        _ => "start Docker, or give `DOCKER_HOST` the socket that it listens on",
    };
    EngineError::new(Fault::Environment, format!("failed to speak to Docker at `{}`", socket.display()))
        .because(error)
        .help(help)
}

/// Docker answered something that is no answer.
pub(crate) fn unintelligible(
    attempt: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> EngineError {
    EngineError::new(Fault::Environment, format!("failed to {attempt}: Docker's answer cannot be read"))
        .because(error)
}

/// Docker refused.
pub(crate) fn refused(attempt: &str, status: u16, body: &[u8]) -> EngineError {
    let message = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|value| value.get("message")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    EngineError::new(fault(status, &message), format!("failed to {attempt}: {message}"))
}

/// What kind of failure it is, by the status and, where one status stands for many things, by Docker's words.
pub(crate) fn fault(status: u16, message: &str) -> Fault {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match status {
        404 => Fault::NotFound,
        409 => Fault::Conflict,
        501 => Fault::Unsupported,
        _ if says(&["OCI runtime", "starting container process", "unable to start container process"])
            && program(message).is_some() =>
        {
            program(message).unwrap_or(Fault::CommandNotFound)
        }
        400 => Fault::Invalid,
        403 => Fault::Unsupported,
        _ if says(&["already allocated", "already in use", "address already"]) => Fault::Conflict,
        _ if says(&["not supported", "does not support", "not implemented"]) => Fault::Unsupported,
        _ if says(&["pull access denied", "manifest unknown"]) => Fault::NotFound,
        _ if says(&["dial tcp", "TLS handshake", "i/o timeout", "no such host", "registry"]) => Fault::Remote,
        _ => Fault::Environment,
    }
}

/// Whether a runtime's words are about the program that was to be run.
pub(crate) fn program(message: &str) -> Option<Fault> {
    let says = |word| message.contains(word);
    if says("executable file not found") || says("no such file or directory") {
        Some(Fault::CommandNotFound)
    } else if says("permission denied") || says("is a directory") || says("exec format error") {
        Some(Fault::CommandNotRunnable)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use longshore_engine::Fault;

    use super::{fault, refused};

    #[test]
    fn answers_are_told_apart() {
        let start = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"x\": ";
        for (status, message, wanted) in [
            (404, "No such container: x", Fault::NotFound),
            (409, "Conflict. The container name \"/x\" is already in use", Fault::Conflict),
            (400, "invalid reference format", Fault::Invalid),
            (400, &format!("{start}executable file not found in $PATH: unknown"), Fault::CommandNotFound),
            (400, &format!("{start}permission denied: unknown"), Fault::CommandNotRunnable),
            (500, "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", Fault::Conflict),
            (501, "configured logging driver does not support reading", Fault::Unsupported),
            (500, "no space left on device", Fault::Environment),
        ] {
            assert_eq!(fault(status, message), wanted, "{message}");
        }
    }

    #[test]
    fn dockers_own_words_are_kept() {
        let error = refused("stop it", 404, br#"{"message":"No such container: x"}"#);
        assert_eq!(error.to_string(), "failed to stop it: No such container: x");
        assert_eq!(refused("stop it", 502, b"bad gateway\n").to_string(), "failed to stop it: bad gateway");
    }
}
