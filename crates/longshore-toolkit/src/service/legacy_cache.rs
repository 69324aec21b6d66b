//! The first version of the cache service.
//!
//! Releases of `@actions/cache` before 4.0 know no other, and later ones use it where `GITHUB_SERVER_URL` is not one of
//! GitHub's own. Entries are the same for both versions. Bytes come in stretches, each with its offset.

use std::io::Read;

use serde_json::json;

use super::cache::{READ_ONLY, begin, find, key, new};
use super::http::Request;
use super::response::Response;
use super::state::{Download, Shared};
use super::token::Purpose;
use super::twirp::{Message, Refusal};
use super::upload::{Target, Upload, UploadError};
use crate::StorageError;
use crate::cache::{NewCache, Saved};

/// Where its calls go.
pub(super) const PREFIX: &str = "/_apis/artifactcache/";

/// Answers a call.
pub(super) fn answer(shared: &Shared, request: &Request, body: &mut impl Read) -> Response {
    call(shared, request, body).unwrap_or_else(|refusal| refusal.response())
}

fn call(shared: &Shared, request: &Request, body: &mut impl Read) -> Result<Response, Refusal> {
    let unknown = || Refusal::new("bad_route", "there is no such call");
    let rest = request.path.strip_prefix(PREFIX).ok_or_else(unknown)?;
    match (request.method.as_str(), rest, rest.strip_prefix("caches/")) {
        ("GET", "cache", _) => lookup(shared, request),
        ("POST", "caches", _) => reserve(shared, request, body),
        ("PATCH", _, Some(id)) => put(shared, request, id, body),
        ("POST", _, Some(id)) => commit(shared, request, id, body),
        _ => Err(unknown()),
    }
}

fn lookup(shared: &Shared, request: &Request) -> Result<Response, Refusal> {
    let grant = shared.authorised(request, Purpose::Runtime)?;
    let keys = request.parameter("keys").unwrap_or_default();
    let keys = keys.split(',').map(key).collect::<Result<Vec<_>, _>>()?;
    let version = request.parameter("version").unwrap_or_default();
    let Some(found) = find(shared, &grant, &keys, version)? else { return Ok(Response::empty(204)) };
    let entry = found.entry().clone();
    let address = shared.offer_download(Download::Cache(found))?;
    Ok(Response::json(
        200,
        &json!({
            "cacheKey": entry.key,
            "scope": entry.scope,
            "creationTime": entry.created.to_string(),
            "archiveLocation": address,
        }),
    ))
}

fn reserve(shared: &Shared, request: &Request, body: &mut impl Read) -> Result<Response, Refusal> {
    let grant = shared.authorised(request, Purpose::Runtime)?;
    let message = Message::read(body)?;
    let new = new(shared, &grant, &message)?;
    let new = new.ok_or_else(|| Refusal::new("permission_denied", READ_ONLY))?;
    if message.number("cacheSize").is_some_and(|size| size > shared.options.caches.bounds().entry.bytes) {
        return Err(Refusal::new("invalid_argument", "the cache is larger than caches may be"));
    }
    let id = shared.keep_upload(begin(shared, &grant, &new)?)?;
    Ok(Response::json(201, &json!({"cacheId": id})))
}

fn put(shared: &Shared, request: &Request, id: &str, body: &mut impl Read) -> Result<Response, Refusal> {
    let upload = upload(shared, request, id)?;
    let range = request.header("content-range").and_then(|range| range.strip_prefix("bytes "));
    let offset = range.and_then(|range| range.split_once('-')?.0.parse().ok());
    let offset = offset.ok_or_else(|| Refusal::new("invalid_argument", "there is no offset"))?;
    upload.put_at(offset, body).map_err(refused)?;
    Ok(Response::empty(204))
}

fn commit(shared: &Shared, request: &Request, id: &str, body: &mut impl Read) -> Result<Response, Refusal> {
    let upload = upload(shared, request, id)?;
    let size = Message::read(body)?.number("size");
    upload.join().map_err(refused)?;
    let Target::Cache { key, version, scope } = upload.target.clone() else {
        return Err(Refusal::new("not_found", "nobody uploads this"));
    };
    let new = NewCache { key, version, scope, created: shared.now() };
    shared.take_upload(|known| known.job == upload.job && known.target == upload.target);
    match shared.options.caches.finish(&new, upload.complete(size)?)? {
        Saved::New(_) => Ok(Response::empty(204)),
        Saved::Taken => Err(Refusal::new("already_exists", "another run saved this cache meanwhile")),
    }
}

/// The upload of a cache by its number, if it is the job's own.
fn upload(shared: &Shared, request: &Request, id: &str) -> Result<std::sync::Arc<Upload>, Refusal> {
    let grant = shared.authorised(request, Purpose::Runtime)?;
    let upload = shared.upload(id).filter(|upload| upload.job == grant.job);
    upload
        .filter(|upload| matches!(upload.target, Target::Cache { .. }))
        .ok_or_else(|| Refusal::new("not_found", "nobody uploads this"))
}

fn refused(error: UploadError) -> Refusal {
    match error {
        UploadError::Storage(error @ StorageError::Limit { .. }) => {
            Refusal::new("invalid_argument", error.to_string())
        }
        UploadError::Storage(error) => error.into(),
        UploadError::Aborted => Refusal::new("malformed", "the body ended too early"),
        UploadError::UnknownBlock => Refusal::new("invalid_argument", "there are gaps in what was uploaded"),
        UploadError::TooManyBlocks | UploadError::Over => {
            Refusal::new("invalid_argument", "the upload takes no more")
        }
    }
}
