//! Pushing to registries that take things in different ways.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use longshore_oci::{Digest, Reference};
use longshore_registry::{BlobOrigins, RegistryError};

use crate::context::{Context, Image, chain};
use crate::server::{Exchange, Server, Then};

/// What a registry has taken in.
#[derive(Default)]
struct Shelf {
    content: HashMap<String, Vec<u8>>,
    /// Tags and digests in the order of their arrival.
    manifests: Vec<String>,
    session: Vec<u8>,
}

/// How a registry takes blobs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Whole,
    PiecesOnly,
    BreaksOff,
}

fn registry(manner: Manner) -> (Server, Arc<Mutex<Shelf>>) {
    let shelf: Arc<Mutex<Shelf>> = Arc::default();
    let own = Arc::clone(&shelf);
    (Server::start(move |exchange| take(&mut own.lock().unwrap(), manner, exchange)), shelf)
}

fn take(shelf: &mut Shelf, manner: Manner, exchange: &mut Exchange) -> Then {
    let (path, query) = exchange.path.split_once('?').unwrap_or((&exchange.path, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let body = std::mem::take(&mut exchange.body);
    let range = format!("0-{}", shelf.session.len().saturating_sub(1));
    match exchange.method.as_str() {
        "HEAD" if shelf.content.contains_key(&name) => exchange.answer(200, &[], b""),
        "POST" if query.contains("from=team%2Fbase") => exchange.answer(201, &[], b""),
        "POST" => {
            shelf.session.clear();
            // Relative, and with a query that must be kept.
            exchange.answer(202, &[("Location", "/v2/team/app/blobs/uploads/1?state=a%2Bb")], b"")
        }
        "GET" if path.contains("/uploads/") => {
            exchange.answer(204, &[("Range", &range), ("Location", &format!("{path}?state=c"))], b"")
        }
        "PATCH" => {
            let from: usize =
                exchange.header("content-range").unwrap().split('-').next().unwrap().parse().unwrap();
            assert_eq!(from, shelf.session.len());
            shelf.session.extend(body);
            let range = format!("0-{}", shelf.session.len() - 1);
            exchange.answer(202, &[("Location", &format!("{path}?state=d")), ("Range", &range)], b"")
        }
        "PUT" if path.contains("/uploads/") => {
            assert!(query.starts_with("state="), "{query}");
            if manner == Manner::PiecesOnly && !body.is_empty() {
                return exchange.answer(413, &[], b"too large");
            }
            if manner == Manner::BreaksOff && shelf.session.is_empty() && body.len() > 100 {
                shelf.session = body[..100].to_vec();
                return Then::Close;
            }
            shelf.session.extend(body);
            let digest = Digest::of(&shelf.session).to_string();
            assert!(query.ends_with(&format!("digest={}", digest.replace(':', "%3A"))), "{query}");
            let content = std::mem::take(&mut shelf.session);
            shelf.content.insert(digest, content);
            exchange.answer(201, &[], b"")
        }
        "PUT" => {
            let digest = Digest::of(&body).to_string();
            shelf.content.insert(digest.clone(), body);
            shelf.manifests.push(name);
            exchange.answer(201, &[("Docker-Content-Digest", &digest)], b"")
        }
        _ => exchange.answer(if path == "/v2/" { 200 } else { 404 }, &[], b""),
    }
}

fn full_store(image: &Image) -> Context {
    let context = Context::new();
    image.content.values().for_each(|(_, bytes)| drop(context.store.put_blob(bytes).unwrap()));
    context
}

fn push(
    context: &Context,
    server: &Server,
    image: &Image,
    origins: &BlobOrigins,
) -> Result<(), RegistryError> {
    let reference = Reference::parse(&format!("{}/team/app:v1", server.authority())).unwrap();
    context.client.push(&context.leased(), &image.root(), &reference, origins)
}

#[test]
fn everything_arrives_children_first() {
    let image = Image::new(&[b"one", &vec![9; 100_000]]);
    for manner in [Manner::Whole, Manner::PiecesOnly, Manner::BreaksOff] {
        let (server, shelf) = registry(manner);
        let mut context = full_store(&image);
        // One at a time, because this registry has one session.
        let options = longshore_registry::ClientOptions { parallelism: 1, ..Default::default() };
        context.client = Context::with(options).client;
        push(&context, &server, &image, &BlobOrigins::new()).unwrap();
        {
            let shelf = shelf.lock().unwrap();
            assert_eq!(shelf.content.len(), image.content.len());
            assert!(shelf.content.iter().all(|(digest, bytes)| image.content[digest].1 == *bytes));
            assert_eq!(shelf.manifests.len(), 2);
            assert_eq!(shelf.manifests[1], "v1");
        }
        let before = server.count("POST");
        push(&context, &server, &image, &BlobOrigins::new()).unwrap();
        assert_eq!(server.count("POST"), before, "blobs that are there are not sent again");
    }
}

#[test]
fn blobs_of_another_repository_are_mounted() {
    let image = Image::new(&[b"shared layer"]);
    let (server, shelf) = registry(Manner::Whole);
    let context = full_store(&image);
    let layer = image.layers[0].digest.clone();
    let base = Reference::parse(&format!("{}/team/base", server.authority())).unwrap();
    push(&context, &server, &image, &BlobOrigins::from([(layer.clone(), base)])).unwrap();
    assert!(!shelf.lock().unwrap().content.contains_key(layer.as_str()));
    let elsewhere = BlobOrigins::from([(layer, Reference::parse("other.test/team/base").unwrap())]);
    push(&context, &server, &image, &elsewhere).unwrap();
    assert_eq!(server.count("POST /v2/team/app/blobs/uploads/?mount="), 1);
}

#[test]
fn what_is_missing_is_said_before_a_manifest_is_sent() {
    let image = Image::new(&[b"one"]);
    let layer = image.layers[0].digest.to_string();
    for missing in [layer.clone(), image.root().digest.to_string()] {
        let mut part = image.clone();
        part.content.remove(&missing);
        let (server, shelf) = registry(Manner::Whole);
        let error = push(&full_store(&part), &server, &image, &BlobOrigins::new()).unwrap_err();
        assert!(
            matches!(&error, RegistryError::Missing { digest, .. } if digest.as_str() == missing),
            "{error}"
        );
        assert!(shelf.lock().unwrap().manifests.is_empty());
    }
    // What the registry has already need not be here.
    let mut part = image.clone();
    part.content.remove(&layer);
    let (server, shelf) = registry(Manner::Whole);
    shelf.lock().unwrap().content.insert(layer, b"one".to_vec());
    push(&full_store(&part), &server, &image, &BlobOrigins::new()).unwrap();
}

#[test]
fn a_denial_is_shown_in_the_words_of_the_registry() {
    let image = Image::new(&[b"one"]);
    let server = Server::start(|exchange| {
        let words =
            br#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
        exchange.answer(if exchange.path == "/v2/" { 200 } else { 403 }, &[], words)
    });
    let error = push(&full_store(&image), &server, &image, &BlobOrigins::new()).unwrap_err();
    assert!(error.is_denial());
    let text = chain(&error);
    assert!(text.contains("push the blob") && text.contains("DENIED: requested access"), "{text}");
}

#[test]
fn places_for_uploads_that_make_no_sense_are_refused() {
    let image = Image::new(&[b"one"]);
    for (location, words) in [("", "does not say where"), ("gopher://x", "is no address")] {
        let server = Server::start(move |exchange| match exchange.method.as_str() {
            "POST" => exchange.answer(202, &[("Location", location)], b""),
            "GET" => exchange.answer(200, &[], b""),
            _ => exchange.answer(404, &[], b""),
        });
        let error = push(&full_store(&image), &server, &image, &BlobOrigins::new()).unwrap_err();
        assert!(chain(&error).contains(words), "{}", chain(&error));
    }
}
