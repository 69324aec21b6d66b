//! Fetching images.

use std::io::{BufRead as _, BufReader, Read as _};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE as URL_SAFE;
use longshore_core::Secret;
use longshore_engine::{EngineError, ImageId, Login, PullPolicy, PullSpec};
use longshore_event::{EventSink, ImageEvent};
use longshore_oci::Reference;
use serde_json::{Value, json};

use crate::document::IdDto;
use crate::engine::Api;
use crate::failure::{fault, unintelligible};
use crate::http::{Body, Response, escape};

/// One fact about the transfer is no longer than this.
const MAX_FACT: u64 = 1024 * 1024;

/// Makes sure that an image is here.
pub(crate) fn pull(
    api: &Api,
    image: &Reference,
    spec: &PullSpec,
    sink: &dyn EventSink,
) -> Result<ImageId, EngineError> {
    let image = image.clone().or_latest();
    let here = find(api, &image);
    match (spec.policy, here) {
        (PullPolicy::Always, _) => {}
        (PullPolicy::Missing, Err(error)) if error.is_not_found() => {}
        (_, result) => return result,
    }
    let attempt = format!("pull `{}`", image.familiar());
    let (kind, version) = match image.digest() {
        Some(digest) => ("@", digest.to_string()),
        None => (":", image.tag().unwrap_or("latest").to_owned()),
    };
    let mut path =
        format!("/images/create?fromImage={}", escape(&format!("{}{kind}{version}", image.name())));
    if let Some(platform) = &spec.platform {
        path.push_str(&format!("&platform={}", escape(&platform.to_string())));
    }
    let login = spec.login.as_ref().map(|login| authorization(login, image.domain()));
    let response = api.call_as(&attempt, "POST", &path, (login.as_ref(), Body::None))?;
    follow(&attempt, response, sink)?;
    find(api, &image)
}

/// A login as Docker takes it: a document in the alphabet of URLs, with padding.
fn authorization(login: &Login, registry: &str) -> Secret<String> {
    let document = json!({
        "username": login.user,
        "password": login.password.expose(),
        "serveraddress": registry,
    });
    Secret::new(URL_SAFE.encode(document.to_string()))
}

fn find(api: &Api, image: &Reference) -> Result<ImageId, EngineError> {
    let name = image.to_string();
    let attempt = format!("find image `{}`", image.familiar());
    let found: IdDto = api.read(&attempt, "GET", &format!("/images/{}/json", escape(&name)), Body::None)?;
    Ok(ImageId(found.id))
}

/// Tells what is transferred, until it ends or fails.
fn follow(attempt: &str, response: Response, sink: &dyn EventSink) -> Result<(), EngineError> {
    let mut reader = BufReader::new(response);
    loop {
        let mut line = Vec::new();
        let length = reader
            .by_ref()
            .take(MAX_FACT)
            .read_until(b'\n', &mut line)
            .map_err(|error| unintelligible(attempt, error))?;
        if length == 0 {
            return Ok(());
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let fact: Value = serde_json::from_slice(&line).map_err(|error| unintelligible(attempt, error))?;
        if let Some(message) = fact.get("error").and_then(Value::as_str) {
            return Err(EngineError::new(fault(500, message), format!("failed to {attempt}: {message}")));
        }
        if let Some(event) = event(&fact) {
            sink.image(event);
        }
    }
}

/// What a line of Docker's progress means.
fn event(fact: &Value) -> Option<ImageEvent> {
    let item = fact.get("id")?.as_str()?.to_owned();
    let number = |name: &str| fact.get("progressDetail")?.get(name)?.as_u64();
    match fact.get("status")?.as_str()? {
        "Pulling fs layer" => Some(ImageEvent::Queued { item, total: number("total") }),
        "Already exists" => Some(ImageEvent::Present { item }),
        "Downloading" => {
            Some(ImageEvent::Transferred { item, done: number("current")?, total: number("total") })
        }
        "Download complete" => Some(ImageEvent::Completed { item }),
        "Pull complete" => Some(ImageEvent::Unpacked { item }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use longshore_core::Secret;
    use longshore_engine::Login;
    use longshore_event::ImageEvent;
    use serde_json::{Value, json};

    use super::{URL_SAFE, authorization, event};

    #[test]
    fn logins_are_documents() {
        let login = Login { user: "ann".to_owned(), password: Secret::new("p\"ä".to_owned()) };
        let header = authorization(&login, "reg.test");
        let read: Value = serde_json::from_slice(&URL_SAFE.decode(header.expose()).unwrap()).unwrap();
        assert_eq!(read, json!({"username": "ann", "password": "p\"ä", "serveraddress": "reg.test"}));
    }

    #[test]
    fn progress_becomes_events() {
        let item = || "abc".to_owned();
        for (fact, wanted) in [
            (
                json!({"status": "Downloading", "id": "abc", "progressDetail": {"current": 5, "total": 9}}),
                Some(ImageEvent::Transferred { item: item(), done: 5, total: Some(9) }),
            ),
            (json!({"status": "Already exists", "id": "abc"}), Some(ImageEvent::Present { item: item() })),
            (json!({"status": "Pull complete", "id": "abc"}), Some(ImageEvent::Unpacked { item: item() })),
            (json!({"status": "Status: Image is up to date"}), None),
            (json!({"status": "Downloading", "id": "abc"}), None),
        ] {
            assert_eq!(event(&fact), wanted, "{fact}");
        }
    }
}
