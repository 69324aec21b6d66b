//! The certificates that this machine is told to trust, for jobs.
//!
//! Behind a proxy with a certificate authority of its own, programs in an image trust nobody that they meet: images have
//! their own bundles, and some programs bring theirs. Who has told us of a file of certificates (`SSL_CERT_FILE`) means all
//! that speaks to the network from here, so jobs see the file, and the variables by which programs are told of one name it,
//! unless the image or the workflow has set them.

use std::path::Path;

use longshore_engine::Mount;

use super::Place;
use super::place::bind;
use crate::environment::get;

/// Where the file is inside.
const INSIDE: &str = "/run/longshore/certificates.pem";

/// By what programs are told: OpenSSL, Go, uv, Ruby and most others by the first; Node with npm, pnpm and yarn; Python's
/// requests; pip; curl; git; cargo; AWS; Deno; Nix.
const VARIABLES: [&str; 10] = [
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "AWS_CA_BUNDLE",
    "DENO_CERT",
    "NIX_SSL_CERT_FILE",
];

/// What a container must see of the file.
pub(crate) fn mount(file: Option<&Path>) -> Option<Mount> {
    file.map(|file| bind(file, INSIDE, true))
}

/// Adds the variables to those of a process, as far as neither they nor those of its container have them.
pub(crate) fn offer(place: &Place, base: &[(String, String)], env: &mut Vec<(String, String)>) {
    if place.targets.iter().any(|target| target == INSIDE) {
        let free = VARIABLES.iter().filter(|name| get(base, name).is_none() && get(env, name).is_none());
        let free: Vec<&str> = free.copied().collect();
        env.extend(free.into_iter().map(|name| (name.to_owned(), INSIDE.to_owned())));
    }
}

/// Takes the variables back that another container has itself.
pub(crate) fn withdraw(base: &[(String, String)], env: &mut Vec<(String, String)>) {
    env.retain(|(name, value)| value != INSIDE || get(base, name).is_none());
}
