//! Calls by Twirp's protocol (version 7) with JSON, as `actions/toolkit` makes them.

use std::io::Read;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::http::Request;
use super::response::Response;
use super::state::Shared;
use super::token::Purpose;
use super::{artifact, cache};
use crate::StorageError;

/// How long the message of a call may be.
const MOST_MESSAGE: u64 = 1 << 20;
/// Where calls go.
pub(super) const PREFIX: &str = "/twirp/github.actions.results.api.v1.";

/// An answer that says no, with one of Twirp's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

/// The message of a call.
pub(super) struct Message(Value);

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn response(&self) -> Response {
        let status = match self.code {
            "invalid_argument" | "malformed" | "out_of_range" => 400,
            "unauthenticated" => 401,
            // Twirp has 429 for exhausted resources, which the packages take for a reason to try again.
            "permission_denied" | "resource_exhausted" => 403,
            "not_found" | "bad_route" => 404,
            "already_exists" => 409,
            _ => 500,
        };
        // The first version of the cache service has another name for the message.
        Response::json(status, &json!({"code": self.code, "msg": self.message, "message": self.message}))
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        let code = match &error {
            StorageError::ArtifactExists { .. } => "already_exists",
            StorageError::Limit { .. } => "resource_exhausted",
            other if other.is_out_of_space() => "resource_exhausted",
            other if other.is_content() => "invalid_argument",
            _ => "internal",
        };
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            message.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self { code, message }
    }
}

impl Message {
    pub(super) fn read(body: &mut impl Read) -> Result<Self, Refusal> {
        let malformed = || Refusal::new("malformed", "the message is no JSON object");
        let mut bytes = Vec::new();
        body.take(MOST_MESSAGE + 1).read_to_end(&mut bytes).map_err(|_| malformed())?;
        if bytes.len() as u64 > MOST_MESSAGE {
            return Err(Refusal::new("invalid_argument", "the message is too long"));
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        value.is_object().then_some(Self(value)).ok_or_else(malformed)
    }

    /// A field by its name in the protocol; writers of JSON may use the other spelling too.
    fn field(&self, name: &str) -> Option<&Value> {
        let value = self.0.get(name).or_else(|| self.0.get(camel(name).as_str()))?;
        // Wrapped values are written plainly, but some writers spell the wrapper out.
        Some(value.get("value").unwrap_or(value)).filter(|value| !value.is_null())
    }

    /// A text; empty if it is missing, as the protocol has it.
    pub(super) fn text(&self, name: &str) -> &str {
        self.field(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number, which JSON writers of the protocol write as text.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let value = self.field(name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        let list = self.field(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// A moment.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let text = self.text(name);
        let wrong = |_| Refusal::new("invalid_argument", format!("`{name}` is no moment"));
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
    }
}

/// Answers a call.
pub(super) fn answer(shared: &Shared, request: &Request, body: &mut impl Read) -> Response {
    call(shared, request, body).map_or_else(|refusal| refusal.response(), |value| Response::json(200, &value))
}

fn call(shared: &Shared, request: &Request, body: &mut impl Read) -> Result<Value, Refusal> {
    let grant = shared.authorised(request, Purpose::Runtime)?;
    let unknown =
        || Refusal::new("bad_route", format!("there is no call `{} {}`", request.method, request.path));
    let route = request.path.strip_prefix(PREFIX).ok_or_else(unknown)?;
    if request.method != "POST" {
        return Err(unknown());
    }
    if !request.header("content-type").unwrap_or_default().starts_with("application/json") {
        return Err(Refusal::new("bad_route", "calls are answered in JSON only"));
    }
    let message = Message::read(body)?;
    match route {
        "ArtifactService/CreateArtifact" => artifact::create(shared, &grant, &message),
        "ArtifactService/FinalizeArtifact" => artifact::finalize(shared, &grant, &message),
        "ArtifactService/ListArtifacts" => artifact::list(shared, &message),
        "ArtifactService/GetSignedArtifactURL" => artifact::address(shared, &message),
        "ArtifactService/DeleteArtifact" => artifact::delete(shared, &message),
        "CacheService/CreateCacheEntry" => cache::create(shared, &grant, &message),
        "CacheService/FinalizeCacheEntryUpload" => cache::finalize(shared, &grant, &message),
        "CacheService/GetCacheEntryDownloadURL" => cache::address(shared, &grant, &message),
        _ => Err(unknown()),
    }
}

/// The spelling of a field's name that JSON prefers.
fn camel(name: &str) -> String {
    let mut upper = false;
    let mut spelled = String::with_capacity(name.len());
    for character in name.chars() {
        if character == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            spelled.push(character.to_ascii_uppercase());
        } else {
            spelled.push(character);
        }
    }
    spelled
}
