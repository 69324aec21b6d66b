//! Which part of the server answers a request.

use std::io::Read;

use super::http::Request;
use super::response::Response;
use super::state::{BLOBS, Shared};
use super::twirp::{PREFIX, Refusal};
use super::{blob, identity, legacy_cache, twirp};

/// Answers a request.
pub(super) fn answer(shared: &Shared, request: &Request, body: &mut impl Read) -> Response {
    let path = request.path.as_str();
    if path.starts_with(PREFIX) {
        return twirp::answer(shared, request, body);
    }
    if path.starts_with(BLOBS) {
        return blob::answer(shared, request, body);
    }
    if path.starts_with(legacy_cache::PREFIX) {
        return legacy_cache::answer(shared, request, body);
    }
    match (request.method.as_str(), path) {
        ("GET", identity::TOKEN) => identity::token(shared, request),
        ("GET" | "HEAD", identity::CONFIGURATION) => identity::configuration(shared),
        ("GET" | "HEAD", identity::KEYS) => identity::keys(shared),
        _ => Refusal::new("bad_route", "there is nothing here").response(),
    }
}
