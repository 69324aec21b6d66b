//! What a registry says when it says no.
//!
//! Distribution specification, section "Error codes": `{"errors": [{"code", "message", "detail"}]}`. Token services
//! answer `{"details": …}` or, as OAuth 2 has it, `{"error", "error_description"}`. Whatever else comes is shown as text.

use std::fmt;

use serde::Deserialize;

use crate::shown::shown;

/// How much of an answer is looked at.
pub(crate) const MAX_REFUSAL_BYTES: usize = 64 * 1024;

/// The status of a refusal and the registry's words for it, fit for being shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Code and message of each error that the registry named.
    pub errors: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct ErrorsDto {
    #[serde(default)]
    errors: Vec<ErrorDto>,
    error: Option<String>,
    error_description: Option<String>,
    details: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct ErrorDto {
    code: Option<String>,
    message: Option<String>,
    detail: Option<serde_json::Value>,
}

impl Refusal {
    /// Reads an answer. Whatever it is, it gives a refusal.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let body = body.get(..MAX_REFUSAL_BYTES).unwrap_or(body);
        let errors = match serde_json::from_slice::<ErrorsDto>(body) {
            Ok(answer) => named(answer),
            Err(_) => plain(body),
        };
        Self { status, errors }
    }

    /// Whether the registry gave this code.
    pub fn has(&self, code: &str) -> bool {
        self.errors.iter().any(|(each, _)| each == code)
    }
}

fn named(answer: ErrorsDto) -> Vec<(String, String)> {
    let detailed = |error: ErrorDto| {
        let detail = error.detail.as_ref().and_then(serde_json::Value::as_str).map(shown);
        let message = error.message.as_deref().map(shown).filter(|message| !message.is_empty());
        (shown(error.code.as_deref().unwrap_or_default()), message.or(detail).unwrap_or_default())
    };
    let mut errors: Vec<_> = answer.errors.into_iter().take(4).map(detailed).collect();
    if errors.is_empty() {
        let message = answer.error_description.or(answer.details).or(answer.message);
        let found = (shown(&answer.error.unwrap_or_default()), shown(&message.unwrap_or_default()));
        errors.extend(Some(found).filter(|(code, message)| !code.is_empty() || !message.is_empty()));
    }
    errors
}

/// The first line of an answer that is not JSON, unless it is a page for browsers.
fn plain(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body.get(..2048).unwrap_or(body));
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.is_empty() || line.starts_with('<') {
        return Vec::new();
    }
    vec![(String::new(), shown(line))]
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "it answered {}", self.status)?;
        for (at, (code, message)) in self.errors.iter().enumerate() {
            formatter.write_str(if at == 0 { " (" } else { "; " })?;
            match (code.is_empty(), message.is_empty()) {
                (false, false) => write!(formatter, "{code}: {message}")?,
                _ => write!(formatter, "{code}{message}")?,
            }
        }
        if self.errors.is_empty() { Ok(()) } else { formatter.write_str(")") }
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn every_answer_can_be_shown() {
        for (body, expected) in [
            (r#"{"errors":[{"code":"DENIED","message":"no\u001b[2J"}]}"#, "it answered 403 (DENIED: no [2J)"),
            (
                r#"{"errors":[{"code":"DENIED","detail":"why"},{"message":"b"}]}"#,
                "it answered 403 (DENIED: why; b)",
            ),
            (
                r#"{"details":"incorrect username or password"}"#,
                "it answered 403 (incorrect username or password)",
            ),
            (r#"{"error":"invalid_grant","error_description":"x"}"#, "it answered 403 (invalid_grant: x)"),
            ("<html>nginx</html>", "it answered 403"),
            ("\nnot today\nor ever", "it answered 403 (not today)"),
            ("", "it answered 403"),
            ("[1]", "it answered 403 ([1])"),
        ] {
            assert_eq!(Refusal::read(403, body.as_bytes()).to_string(), expected);
        }
    }
}
