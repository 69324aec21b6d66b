//! Pulling from registries that do nothing wrong, or nothing that matters.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_oci::{Descriptor, Platform, Reference};
use longshore_registry::{ClientOptions, Fault, LayerStream, LayerTap, Mirror, RegistryError, RegistryRule};

use crate::context::{Context, Image, chain};
use crate::server::Then;

#[test]
fn the_second_pull_transfers_nothing() {
    let image = Image::new(&[b"one", &vec![7; 300_000], b"one"]);
    let server = image.server(|_| None);
    let context = Context::new();
    let name = format!("{}/team/app:v1", server.authority());
    let pulled = context.pull(&name).unwrap();
    assert_eq!(pulled.root.digest, image.root().digest);
    assert_eq!(pulled.manifest.layers.len(), 3);
    assert!(image.layers.iter().all(|layer| context.has(&layer.digest)));
    assert_eq!(server.count("GET /v2/team/app/blobs/"), 3, "{:?}", server.log());
    let before = server.log().len();
    context.pull(&name).unwrap();
    assert_eq!(server.log()[before..], ["HEAD /v2/team/app/manifests/v1"]);
    let by_digest = format!("{}/team/app@{}", server.authority(), image.root().digest);
    context.pull(&by_digest).unwrap();
    assert_eq!(server.log().len(), before + 1);
    assert_eq!((context.leftovers(), context.retried()), (0, 0));
}

#[test]
fn an_interrupted_transfer_goes_on_where_it_ended() {
    let layer: Vec<u8> = (0..200_000_u32).map(|at| at as u8).collect();
    let image = Image::new(&[&layer]);
    for ignores_range in [false, true] {
        let (digest, bytes) = (image.layers[0].digest.to_string(), layer.clone());
        let tries = AtomicUsize::new(0);
        let server = image.server(move |exchange| {
            if !exchange.path.ends_with(&digest) {
                return None;
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
            match tries.fetch_add(1, Ordering::SeqCst) {
                0 => {
                    exchange.raw(head.as_bytes());
                    exchange.raw(&bytes[..70_000]);
                    Some(Then::Close)
                }
                _ if ignores_range => Some(exchange.answer(200, &[], &bytes)),
                _ => {
                    assert_eq!(exchange.header("range"), Some("bytes=70000-"));
                    None
                }
            }
        });
        let context = Context::new();
        context.pull(&format!("{}/a:v1", server.authority())).unwrap();
        assert!(context.has(&image.layers[0].digest));
        assert_eq!(context.retried(), 1);
    }
}

#[test]
fn a_later_process_goes_on_with_what_is_there_even_if_it_is_wrong() {
    let image = Image::new(&[b"0123456789"]);
    for (part, requests) in [(b"01234", 1), (b"01x34", 2)] {
        let server = image.server(|_| None);
        let context = Context::new();
        let layer = &image.layers[0];
        let mut ingest = context.store.ingest(Some(&layer.digest), Some(10)).unwrap();
        ingest.write_all(part).unwrap();
        ingest.suspend();
        context.pull(&format!("{}/a:v1", server.authority())).unwrap();
        assert!(context.has(&layer.digest));
        assert_eq!(server.count(&format!("GET /v2/a/blobs/{}", layer.digest)), requests);
    }
}

#[derive(Default)]
struct Tap {
    done: Mutex<Vec<(String, Vec<u8>)>>,
    fails: bool,
}

struct Stream<'a>(&'a Tap, String, Vec<u8>);

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.fails {
            return Err(std::io::Error::other("the tar is bad"));
        }
        self.2.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl LayerStream for Stream<'_> {
    fn finish(self: Box<Self>) -> std::io::Result<()> {
        self.0.done.lock().unwrap().push((self.1, self.2));
        Ok(())
    }
}

impl LayerTap for Tap {
    fn open<'a>(&'a self, layer: &Descriptor) -> Option<Box<dyn LayerStream + 'a>> {
        Some(Box::new(Stream(self, layer.digest.to_string(), Vec::new())))
    }
}

#[test]
fn layers_can_be_taken_while_they_arrive() {
    let image = Image::new(&[b"first", &vec![1; 100_000]]);
    let server = image.server(|_| None);
    let reference = Reference::parse(&format!("{}/a:v1", server.authority())).unwrap();
    let platform = Platform::new("linux", "amd64");
    let (context, tap) = (Context::new(), Tap::default());
    context.client.pull(&reference, &platform, &context.leased(), &tap).unwrap();
    let done = tap.done.lock().unwrap();
    assert_eq!(done.len(), 2);
    assert!(done.iter().all(|(digest, bytes)| image.content[digest].1 == *bytes));

    let (context, tap) = (Context::new(), Tap { fails: true, ..Tap::default() });
    let error = context.client.pull(&reference, &platform, &context.leased(), &tap).unwrap_err();
    assert!(chain(&error).contains("the tar is bad"), "{}", chain(&error));
}

#[test]
fn mirrors_come_first_and_the_registry_last() {
    let image = Image::new(&[b"layer"]);
    let broken = image.server(|exchange| Some(exchange.answer(500, &[], b"")));
    let partly =
        image.server(|exchange| exchange.path.contains("/blobs/").then(|| exchange.answer(404, &[], b"")));
    let whole = image.server(|_| None);
    let mirror = |server: &crate::server::Server, path: &str| Mirror {
        location: format!("http://{}{path}", server.authority()),
        ..Mirror::default()
    };
    let rule = RegistryRule {
        prefix: "docker.io".to_owned(),
        location: Some(whole.authority()),
        mirrors: vec![mirror(&broken, "/proxy"), mirror(&partly, "")],
        ..RegistryRule::default()
    };
    let blocked = RegistryRule { prefix: "bad.test".to_owned(), blocked: true, ..RegistryRule::default() };
    let context = Context::with(ClientOptions { rules: vec![rule, blocked], ..ClientOptions::default() });
    context.pull("alpine").unwrap();
    assert!(broken.count("HEAD /v2/proxy/library/alpine/manifests/latest") > 0, "{:?}", broken.log());
    // The configuration is not at the second mirror, so that one is of no use at all.
    assert_eq!(whole.count("GET /v2/library/alpine/blobs/"), 2, "{:?}", whole.log());
    let error = context.pull("bad.test/x").unwrap_err();
    assert!(matches!(error, RegistryError::Blocked { .. }) && error.fault() == Fault::Config);
}

#[test]
fn what_is_not_there_is_said_so() {
    let image = Image::new(&[b"layer"]);
    let server = image.server(|_| None);
    let context = Context::new();
    let error = context.pull(&format!("{}/a:none", server.authority())).unwrap_err();
    let text = chain(&error);
    assert!(error.is_not_found() && error.fault() == Fault::User, "{text}");
    assert!(text.contains("MANIFEST_UNKNOWN: nothing [2J here") && text.contains("/a`"), "{text}");

    let reference = Reference::parse(&format!("{}/a:v1", server.authority())).unwrap();
    let s390x = Platform::new("linux", "s390x");
    let error = context.client.resolve(&reference, &s390x, &context.leased()).unwrap_err();
    assert!(error.to_string().contains("has no image for `linux/s390x`, but for `linux/amd64`"), "{error}");

    let offline = Context::with(ClientOptions { offline: true, ..ClientOptions::default() });
    let error = offline.pull(&format!("{}/a:v1", server.authority())).unwrap_err();
    assert!(matches!(error, RegistryError::Offline { .. }));

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = context.pull(&format!("{nobody}/a:v1")).unwrap_err();
    assert!(chain(&error).contains("refused") && error.fault() == Fault::Remote, "{}", chain(&error));
}

#[test]
fn failures_that_pass_are_waited_for() {
    let image = Image::new(&[b"layer"]);
    let tries = AtomicUsize::new(0);
    let server = image.server(move |exchange| {
        let blob = exchange.path.contains("/blobs/") && tries.fetch_add(1, Ordering::SeqCst) < 2;
        blob.then(|| exchange.answer(429, &[("Retry-After", "0")], b""))
    });
    let context = Context::new();
    context.pull(&format!("{}/a:v1", server.authority())).unwrap();
    assert_eq!(context.retried(), 2);

    let server = image.server(|exchange| {
        exchange.path.contains("/blobs/").then(|| exchange.answer(429, &[("Retry-After", "3600")], b""))
    });
    let context = Context::new();
    let error = context.pull(&format!("{}/a:v1", server.authority())).unwrap_err();
    assert_eq!((error.fault(), context.retried()), (Fault::Remote, 0));
    assert!(error.help().unwrap().contains("wait a while"));
}

#[test]
fn lists_come_in_pages() {
    let server = crate::server::Server::start(|exchange| match exchange.path.as_str() {
        "/v2/a/tags/list?n=1000" => exchange.answer(
            200,
            &[("Link", "</v2/a/tags/list?n=1000&last=b>; rel=\"next\"")],
            br#"{"name":"a","tags":["a","b"]}"#,
        ),
        "/v2/a/tags/list?n=1000&last=b" => exchange.answer(200, &[], br#"{"tags":["c"]}"#),
        "/v2/loop/tags/list?n=1000" => {
            exchange.answer(200, &[("Link", "</v2/loop/tags/list?n=1000>; rel=next")], b"{}")
        }
        "/v2/_catalog?n=1000" => exchange.answer(200, &[], br#"{"repositories":["a"]}"#),
        _ => exchange.answer(200, &[], b"{}"),
    });
    let context = Context::new();
    let reference = |name: &str| Reference::parse(&format!("{}/{name}", server.authority())).unwrap();
    assert_eq!(context.client.tags(&reference("a")).unwrap(), ["a", "b", "c"]);
    assert_eq!(context.client.catalog(&server.authority()).unwrap(), ["a"]);
    let error = context.client.tags(&reference("loop")).unwrap_err();
    assert!(error.to_string().contains("leads back to itself"), "{error}");
}
