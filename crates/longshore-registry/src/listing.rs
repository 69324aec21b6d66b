//! Asking registries what they have, and having them remove it.

use std::collections::HashSet;

use longshore_oci::Reference;
use serde::Deserialize;
use ureq::http::Method;
use ureq::http::header::{HeaderName, LINK};

use crate::client::{RegistryClient, Repository};
use crate::document::{Document, Head};
use crate::error::{ExchangeProblem, RegistryError};
use crate::peer::{Call, Target, lead};
use crate::transport::Answer;

/// How many names are asked for at once.
const PAGE: usize = 1000;

/// How long one page may be.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// More names than this are not collected.
const MAX_NAMES: usize = 1_000_000;

const LINK_HEADER: HeaderName = LINK;

#[derive(Deserialize)]
struct PageDto {
    tags: Option<Vec<String>>,
    repositories: Option<Vec<String>>,
}

impl RegistryClient {
    /// All tags of a repository, in the registry's order.
    pub fn tags(&self, reference: &Reference) -> Result<Vec<String>, RegistryError> {
        let repository = self.registry(reference)?;
        let path = repository.path(&format!("tags/list?n={PAGE}"));
        self.list(&repository, "list the tags", &path, &repository.scope("pull"), |page| page.tags)
    }

    /// All repositories of a registry, `host[:port]`. Many registries do not tell.
    pub fn catalog(&self, registry: &str) -> Result<Vec<String>, RegistryError> {
        let whole = self.whole(registry);
        let scopes = ["registry:catalog:*".to_owned()];
        let path = format!("/v2/_catalog?n={PAGE}");
        self.list(&whole, "list the repositories", &path, &scopes, |page| page.repositories)
    }

    /// What the registry or a mirror says of an image without sending it. Nothing if it has no such image.
    pub fn head(&self, reference: &Reference) -> Result<Option<Head>, RegistryError> {
        let reference = reference.clone().or_latest();
        self.first(&reference, |repository, wanted| self.head_document(repository, wanted))
    }

    /// The manifest or index that a name stands for, without keeping it.
    pub fn document(&self, reference: &Reference) -> Result<Document, RegistryError> {
        let reference = reference.clone().or_latest();
        self.first(&reference, |repository, wanted| self.fetch_document(repository, wanted, None))
    }

    /// Removes a manifest by digest, or a tag. Blobs stay until the registry collects them.
    pub fn delete(&self, reference: &Reference) -> Result<(), RegistryError> {
        let repository = self.registry(reference)?;
        let Some(wanted) = wanted(reference) else {
            return Err(RegistryError::Name {
                name: reference.to_string(),
                problem: "it has neither tag nor digest",
            });
        };
        let path = repository.path(&format!("manifests/{wanted}"));
        let scopes = repository.scope("pull,push,delete");
        let call = Call::new(Method::DELETE, Target::Path(&path), &scopes);
        let attempt = format!("delete the manifest `{wanted}`");
        self.retrying(|| self.request(&repository, &attempt, &call, &[200, 202, 204]).map(drop))
    }

    /// Asks the places of a name in their order.
    fn first<T>(
        &self,
        reference: &Reference,
        ask: impl Fn(&Repository, &str) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let repositories = self.repositories(reference)?;
        let wanted = wanted(reference).unwrap_or_default();
        let mut places = repositories.iter().peekable();
        loop {
            let Some(place) = places.next() else {
                let (name, problem) = (reference.to_string(), "there is no place to look for it");
                return Err(RegistryError::Name { name, problem });
            };
            match self.retrying(|| ask(place, &wanted)) {
                Err(error) if error.concerns_place() && places.peek().is_some() => {
                    self.wait(&error, std::time::Duration::ZERO);
                }
                other => return other,
            }
        }
    }

    /// Collects all pages of a list.
    fn list(
        &self,
        repository: &Repository,
        attempt: &str,
        path: &str,
        scopes: &[String],
        names: impl Fn(PageDto) -> Option<Vec<String>>,
    ) -> Result<Vec<String>, RegistryError> {
        let (at, place) = (|| attempt.to_owned(), || repository.place.clone());
        let nonsense = |problem: &str| RegistryError::Protocol {
            attempt: at(),
            place: place(),
            problem: problem.to_owned(),
        };
        let failed = |problem: ExchangeProblem| RegistryError::Exchange {
            attempt: at(),
            place: place(),
            source: problem.into(),
        };
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        let mut next = None;
        loop {
            let target = next.as_ref().map_or(Target::Path(path), Target::Address);
            let call = Call::new(Method::GET, target, scopes);
            let (answer, page) = self.retrying(|| {
                let mut answer = self.request(repository, attempt, &call, &[200])?;
                let time = self.timeouts().document;
                let bytes =
                    answer.read_document(MAX_PAGE_BYTES, time).map_err(|error| failed(error.into()))?;
                Ok((answer, bytes))
            })?;
            let page: PageDto =
                serde_json::from_slice(&page).map_err(|_| nonsense("the list cannot be read"))?;
            all.extend(names(page).unwrap_or_default());
            if all.len() > MAX_NAMES {
                return Err(nonsense("the list has no end"));
            }
            let Some(link) = next_page(&answer) else { return Ok(all) };
            let uri = lead(&answer, link).map_err(failed)?;
            if !seen.insert(uri.to_string()) {
                return Err(nonsense("the list leads back to itself"));
            }
            next = Some(uri);
        }
    }
}

fn wanted(reference: &Reference) -> Option<String> {
    reference.digest().map(ToString::to_string).or_else(|| reference.tag().map(str::to_owned))
}

/// The target of `Link: <target>; rel="next"` (RFC 8288).
fn next_page(answer: &Answer) -> Option<&str> {
    let link = answer.header(&LINK_HEADER)?;
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let relation = parameters.replace(['"', ' '], "");
    (relation.is_empty() || relation.split(';').any(|each| each == "rel=next")).then_some(target)
}
