//! Programs that keep credentials: `docker-credential-NAME get|store|erase`.
//!
//! They read a request on their standard input and answer in JSON on their standard output
//! (`github.com/docker/docker-credential-helpers`). A helper gets a time limit, and only so much of what it says is read.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use longshore_core::Secret;
use serde::{Deserialize, Serialize};

use super::{Credential, CredentialError};

/// A helper may ask the user to unlock a key ring, so it gets some time.
const TIME: Duration = Duration::from_mins(2);

/// How much of an answer is read.
const MAX_ANSWER: u64 = 1024 * 1024;

/// The name that a helper gives to a token that is no password.
const TOKEN_USER: &str = "<token>";

/// What helpers say, on either stream, when they know nothing.
const NOT_FOUND: &[&str] =
    &["credentials not found in native keychain", "no credentials server URL", "not found"];

/// One helper.
#[derive(Debug)]
pub(super) struct Helper {
    program: String,
    time: Duration,
}

#[derive(Serialize, Deserialize)]
struct AccountDto {
    #[serde(rename = "ServerURL", default)]
    server: String,
    #[serde(rename = "Username", default)]
    user: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

impl Helper {
    /// The helper of a name in a configuration. A name with a slash could be any program, so it is refused.
    pub(super) fn named(name: &str) -> Result<Self, CredentialError> {
        let program = format!("docker-credential-{}", crate::shown::shown(name));
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Ok(Self { program, time: TIME });
        }
        Err(CredentialError::Helper { program, action: "get", problem: "this cannot be its name".to_owned() })
    }

    /// What the helper knows of a host.
    pub(super) fn get(&self, key: &str) -> Result<Option<Credential>, CredentialError> {
        let (succeeded, said) = self.run("get", key.as_bytes())?;
        if !succeeded {
            let words = String::from_utf8_lossy(&said).to_lowercase();
            return if NOT_FOUND.iter().any(|each| words.contains(&each.to_lowercase())) {
                Ok(None)
            } else {
                Err(self.failed("get", &said))
            };
        }
        let problem = || self.failed("get", b"its answer is not what helpers answer");
        let account: AccountDto = serde_json::from_slice(&said).map_err(|_| problem())?;
        let secret = Secret::new(account.secret);
        Ok(match account.user.as_str() {
            _ if secret.expose().is_empty() => None,
            TOKEN_USER => Some(Credential::IdentityToken(secret)),
            _ => Some(Credential::Password { user: account.user, password: secret }),
        })
    }

    /// Has the helper keep a credential.
    pub(super) fn store(&self, key: &str, credential: &Credential) -> Result<(), CredentialError> {
        let (user, secret) = match credential {
            Credential::Password { user, password } => (user.as_str(), password),
            Credential::IdentityToken(token) | Credential::RegistryToken(token) => (TOKEN_USER, token),
        };
        let account =
            AccountDto { server: key.to_owned(), user: user.to_owned(), secret: secret.expose().clone() };
        let request = serde_json::to_vec(&account).map_err(|_| self.failed("store", b"cannot be asked"))?;
        let (succeeded, said) = self.run("store", &request)?;
        if succeeded { Ok(()) } else { Err(self.failed("store", &said)) }
    }

    /// Has the helper forget a host.
    pub(super) fn erase(&self, key: &str) -> Result<(), CredentialError> {
        let (succeeded, said) = self.run("erase", key.as_bytes())?;
        let words = String::from_utf8_lossy(&said).to_lowercase();
        let unknown = NOT_FOUND.iter().any(|each| words.contains(&each.to_lowercase()));
        if succeeded || unknown { Ok(()) } else { Err(self.failed("erase", &said)) }
    }

    fn failed(&self, action: &'static str, said: &[u8]) -> CredentialError {
        let problem = crate::shown::shown(&String::from_utf8_lossy(said));
        let problem = if problem.is_empty() { "it did not say why".to_owned() } else { problem };
        CredentialError::Helper { program: self.program.clone(), action, problem }
    }

    /// Runs the helper: whether it succeeded, and what it said on its standard output.
    fn run(&self, action: &'static str, request: &[u8]) -> Result<(bool, Vec<u8>), CredentialError> {
        let started = Command::new(&self.program)
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child =
            started.map_err(|source| CredentialError::Start { program: self.program.clone(), source })?;
        let talked = talk(&mut child, request, self.time);
        if talked.is_none() {
            let _ = child.kill();
            let _ = child.wait();
        }
        match talked {
            Some((status, said)) if (said.len() as u64) < MAX_ANSWER => Ok((status.success(), said)),
            Some(_) => Err(self.failed(action, b"its answer has no end")),
            None => Err(self.failed(action, b"it took too long")),
        }
    }
}

/// Gives the request and takes the answer; nothing if the time is over.
fn talk(child: &mut Child, request: &[u8], time: Duration) -> Option<(ExitStatus, Vec<u8>)> {
    let began = Instant::now();
    let (sender, receiver) = mpsc::channel();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let request = request.to_vec();
    // The thread ends with the pipes, which the end of the helper closes.
    std::thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A helper may answer without having read.
            let _ = stdin.write_all(&request);
        }
        let mut said = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(MAX_ANSWER).read_to_end(&mut said);
        }
        let _ = sender.send(said);
    });
    let said = receiver.recv_timeout(time).ok()?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some((status, said)),
            Ok(None) if began.elapsed() < time => std::thread::sleep(Duration::from_millis(1)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Credential, Helper};

    fn helper(script: &str) -> (tempfile::TempDir, Helper) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker-credential-test");
        // Another process writes it: children of other tests would have a file of ours open, and nobody could run it.
        let written = Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 755 "$2""#, "sh", script])
            .arg(&path)
            .status()
            .unwrap();
        assert!(written.success());
        let helper = Helper { program: path.to_str().unwrap().to_owned(), time: Duration::from_secs(20) };
        (directory, helper)
    }

    #[test]
    fn a_helper_answers() {
        let (_directory, each) =
            helper(r#"read url; echo "{\"ServerURL\":\"$url\",\"Username\":\"$1\",\"Secret\":\"s\"}""#);
        assert!(
            matches!(each.get("reg.test").unwrap(), Some(Credential::Password { user, .. }) if user == "get")
        );
        let (_directory, each) = helper(r#"echo '{"Username":"<token>","Secret":"s"}'"#);
        assert!(matches!(each.get("reg.test").unwrap(), Some(Credential::IdentityToken(_))));
        let (_directory, each) = helper("echo credentials not found in native keychain; exit 1");
        assert_eq!(each.get("reg.test").unwrap(), None);
        each.erase("reg.test").unwrap();
    }

    #[test]
    fn a_helper_that_fails_is_named() {
        for (script, words) in [
            ("echo locked; exit 1", "locked"),
            ("echo nonsense", "not what helpers answer"),
            ("yes", "no end"),
            ("exit 3", "did not say why"),
        ] {
            let (_directory, each) = helper(script);
            let error = each.get("reg.test").unwrap_err().to_string();
            assert!(error.contains("docker-credential-test get") && error.contains(words), "{error}");
        }
        let (_directory, mut each) = helper("exec sleep 1000");
        each.time = Duration::from_millis(50);
        assert!(each.get("reg.test").unwrap_err().to_string().contains("too long"));
        assert!(Helper::named("../sh").is_err());
        assert!(Helper::named("no-such-helper-anywhere").unwrap().get("a").is_err());
    }
}
