//! Registries that lie, stall, flood and lead astray.

use longshore_oci::{Digest, MediaType, Reference};
use longshore_registry::{ContentProblem, Fault, RegistryError};
use serde_json::json;

use crate::context::{Context, Image, chain};
use crate::server::{Exchange, Server, Then};

/// Pulls an image of one layer from a registry that does something else with its blob.
fn blob(special: impl Fn(&mut Exchange, &[u8]) -> Then + Send + Sync + 'static) -> (Context, RegistryError) {
    let layer = b"the layer's content".repeat(100);
    let image = Image::new(&[&layer]);
    let digest = image.layers[0].digest.clone();
    let path = format!("/v2/team/app/blobs/{digest}");
    let server = image.server(move |exchange| (exchange.path == path).then(|| special(exchange, &layer)));
    let context = Context::new();
    let error = context.pull(&format!("{}/team/app:v1", server.authority())).unwrap_err();
    assert!(!context.has(&digest));
    assert_eq!(error.fault(), Fault::Remote, "{}", chain(&error));
    let text = chain(&error);
    assert!(text.contains(digest.as_str()) && text.contains("/team/app`"), "{text}");
    (context, error)
}

/// Resolves an image at a registry that does something else with its root.
fn root(special: impl Fn(&mut Exchange) -> Then + Send + Sync + 'static) -> RegistryError {
    let image = Image::new(&[b"layer"]);
    let server =
        image.server(move |exchange| exchange.path.contains("/manifests/").then(|| special(exchange)));
    let context = Context::new();
    let error = context.pull(&format!("{}/team/app:v1", server.authority())).unwrap_err();
    assert_eq!(context.leftovers(), 0);
    assert!(chain(&error).contains("/team/app"), "{}", chain(&error));
    error
}

#[test]
fn content_of_another_digest_leaves_nothing() {
    let (context, error) = blob(|exchange, layer| exchange.answer(200, &[], &vec![b'x'; layer.len()]));
    assert!(matches!(error, RegistryError::Content { problem: ContentProblem::Digest { .. }, .. }));
    assert_eq!(context.leftovers(), 0);
    assert_eq!(context.retried(), 0);
}

#[test]
fn lengths_that_are_wrong_are_refused() {
    for more in [-1_i64, 1, 1 << 40] {
        let (context, error) = blob(move |exchange, layer| {
            let length = layer.len().cast_signed() as i64 + more;
            exchange.raw(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes());
            exchange.raw(layer);
            Then::Close
        });
        assert!(matches!(error, RegistryError::Content { problem: ContentProblem::Length { .. }, .. }));
        assert_eq!(context.leftovers(), 0);
    }
}

#[test]
fn a_body_without_end_is_cut() {
    for chunked in [true, false] {
        let (context, error) = blob(move |exchange, _| {
            let coding = if chunked { "Transfer-Encoding: chunked" } else { "Connection: close" };
            exchange.raw(format!("HTTP/1.1 200 OK\r\n{coding}\r\n\r\n").as_bytes());
            let part = if chunked { format!("1000\r\n{}\r\n", "x".repeat(4096)) } else { "x".repeat(4096) };
            while exchange.raw(part.as_bytes()) {}
            Then::Close
        });
        assert!(matches!(error, RegistryError::Content { problem: ContentProblem::TooLong { .. }, .. }));
        assert_eq!(context.leftovers(), 0);
    }
}

#[test]
fn who_sends_nothing_is_given_up_and_what_came_is_kept() {
    let (context, error) = blob(|exchange, layer| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", layer.len());
        exchange.raw(head.as_bytes());
        exchange.raw(&layer[..500]);
        exchange.stall()
    });
    assert!(matches!(error, RegistryError::Incomplete { received: 500, .. }), "{error:?}");
    assert_eq!((context.retried(), context.leftovers()), (1, 1));
}

#[test]
fn a_body_that_drips_is_given_up() {
    let (_, error) = blob(|exchange, layer| {
        if exchange.header("range").is_none() {
            exchange.raw(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", layer.len()).as_bytes());
        } else {
            let range = exchange.header("range").unwrap()["bytes=".len()..].trim_end_matches('-').to_owned();
            let left = layer.len() - range.parse::<usize>().unwrap();
            let head = format!(
                "HTTP/1.1 206 OK\r\nContent-Range: bytes {range}-/*\r\nContent-Length: {left}\r\n\r\n"
            );
            exchange.raw(head.as_bytes());
        }
        for byte in &layer[..layer.len() - 1] {
            if !exchange.raw(&[*byte]) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Then::Close
    });
    assert!(chain(&error).contains("too slowly"), "{}", chain(&error));
}

#[test]
fn another_part_than_was_asked_for_is_refused() {
    let (_, error) = blob(|exchange, layer| {
        let range = format!("bytes 5-{}/{}", layer.len() - 1, layer.len());
        exchange.answer(206, &[("Content-Range", &range)], &layer[5..])
    });
    assert!(error.to_string().contains("another part"), "{error}");
}

#[test]
fn redirects_that_lead_nowhere_are_refused() {
    for (location, words) in [
        ("/v2/team/app/loop", "redirects more than"),
        ("", "is no address"),
        ("ftp://127.0.0.1/x", "is no address"),
        (
            "http://169.254.169.254/latest/meta-data/",
            "link-local address, to which a loopback registry may not lead",
        ),
        ("http://user:secret@127.0.0.1/x", "is no address"),
    ] {
        let image = Image::new(&[b"layer"]);
        let server = image.server(move |exchange| {
            let astray = exchange.path.contains("/blobs/") || exchange.path.ends_with("/loop");
            astray.then(|| exchange.answer(307, &[("Location", location)], b""))
        });
        let error = Context::new().pull(&format!("{}/team/app:v1", server.authority())).unwrap_err();
        assert!(chain(&error).contains(words), "{}", chain(&error));
    }
}

#[test]
fn heads_without_end_are_cut() {
    let error = root(|exchange| {
        exchange.raw(b"HTTP/1.1 200 OK\r\n");
        let line = format!("X-Flood: {}\r\n", "x".repeat(8000));
        for _ in 0..1300 {
            if !exchange.raw(line.as_bytes()) {
                break;
            }
        }
        exchange.raw(b"Content-Length: 0\r\n\r\n");
        Then::Close
    });
    assert!(chain(&error).contains("headers of the answer are longer"), "{}", chain(&error));
}

#[test]
fn heads_that_drip_are_given_up() {
    let error = root(|exchange| {
        exchange.raw(b"HTTP/1.1 200 OK\r\nX-Slow: ");
        while exchange.raw(b"x") {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Then::Close
    });
    assert!(chain(&error).contains("time limit"), "{}", chain(&error));
}

#[test]
fn documents_without_end_or_sense_are_refused() {
    let error = root(|exchange| {
        if exchange.method == "HEAD" {
            return exchange.answer(405, &[], b"");
        }
        exchange.raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while exchange.raw(&[b' '; 4096]) {}
        Then::Close
    });
    assert!(chain(&error).contains("longer than the 4194304 bytes"), "{}", chain(&error));
    for (body, words) in [
        ("<html>", "not well-formed"),
        (r#"{"schemaVersion":1,"fsLayers":[]}"#, "schema 1"),
        (r#"{"schemaVersion":2,"mediaType":"application/json"}"#, "`application/json`"),
        (r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "only another kind"),
        (r#"{"schemaVersion":2,"schemaVersion":2}"#, "twice"),
        (r#"{"schemaVersion":2,"manifests":[]}"#, "no image for `linux/amd64`"),
    ] {
        let error = root(move |exchange| {
            let status = if exchange.method == "HEAD" { 405 } else { 200 };
            exchange.answer(status, &[("Content-Type", "text/html; charset=x")], body.as_bytes())
        });
        assert!(chain(&error).contains(words), "{body}: {}", chain(&error));
    }
    let error =
        root(|exchange| exchange.answer(200, &[("Docker-Content-Digest", Digest::of(b"x").as_str())], b"y"));
    assert!(matches!(error, RegistryError::Content { .. }), "{error}");
    let error = root(|exchange| {
        exchange.raw(b"SSH-2.0-OpenSSH_9.2\r\n");
        Then::Close
    });
    assert!(chain(&error).contains("does not follow HTTP"), "{}", chain(&error));
}

#[test]
fn indexes_upon_indexes_end() {
    let mut image = Image::new(&[b"layer"]);
    let mut allowed = image.clone();
    let root = allowed.root();
    allowed.index(&root);
    for _ in 0..3 {
        let root = image.root();
        image.index(&root);
    }
    let server = allowed.server(|_| None);
    Context::new().pull(&format!("{}/a:v1", server.authority())).unwrap();
    let server = image.server(|_| None);
    let error = Context::new().pull(&format!("{}/a:v1", server.authority())).unwrap_err();
    assert!(matches!(error, RegistryError::Nesting { .. }), "{error}");
}

#[test]
fn a_manifest_that_promises_a_huge_configuration_is_refused() {
    let mut image = Image::default();
    let config = json!({"mediaType": MediaType::OCI_CONFIG, "digest": Digest::of(b"x"), "size": 1_u64 << 50});
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": []}).to_string();
    image.root = Some(image.add(MediaType::OCI_MANIFEST, manifest.as_bytes()));
    let server = image.server(|_| None);
    let error = Context::new().pull(&format!("{}/a:v1", server.authority())).unwrap_err();
    assert!(matches!(error, RegistryError::Content { problem: ContentProblem::LargeDocument { .. }, .. }));
}

#[test]
fn content_codings_are_not_undone() {
    let image = Image::new(&[b"\x1f\x8bno gzip at all"]);
    let copy = image.clone();
    let server = Server::start(move |exchange| {
        let name = exchange.path.rsplit('/').next().unwrap().to_owned();
        match copy.content.get(&name).filter(|_| exchange.path.contains("/blobs/")) {
            Some((_, bytes)) => exchange.answer(200, &[("Content-Encoding", "gzip")], bytes),
            None => copy.serve(exchange),
        }
    });
    let context = Context::new();
    context.pull(&format!("{}/a:v1", server.authority())).unwrap();
    assert!(context.has(&image.layers[0].digest));
}

#[test]
fn words_of_a_registry_are_bounded() {
    let server = Server::start(|exchange| {
        if exchange.path == "/v2/" {
            return exchange.answer(200, &[], b"");
        }
        let words =
            format!(r#"{{"errors":[{{"code":"DENIED","message":"{}"}}]}}"#, "\u{202e}no ".repeat(4000));
        exchange.answer(403, &[], words.as_bytes())
    });
    let context = Context::new();
    let reference = Reference::parse(&format!("{}/a", server.authority())).unwrap();
    let error = context.client.tags(&reference).unwrap_err();
    assert!(error.is_denial() && error.fault() == Fault::User);
    let text = chain(&error);
    assert!(text.len() < 1000 && text.contains("DENIED: no") && !text.contains('\u{202e}'), "{text}");
    assert!(error.help().unwrap().contains(&format!("longshore login {}", server.authority())));
}
