//! A registry of our own on loopback, and what is made of its answers.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_layer::archive::Builder;
use sha2::{Digest as _, Sha512};

use super::{NodeError, NodeReleases, package};

/// A package whose program is `content`.
fn tarball(content: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    builder.append_bytes("package/README.md", b"readme").unwrap();
    builder.append_bytes("package/bin/node", content).unwrap();
    builder.finish().unwrap()
}

/// Answers requests until the test ends: the metadata, and one package for every version.
fn registry(versions: &[&str], promised: &[u8], sent: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let integrity = format!("sha512-{}", STANDARD.encode(Sha512::digest(promised)));
    let releases: Vec<String> = versions
        .iter()
        .map(|version| {
            format!(
                "\"{version}\": {{\"dist\": {{\"tarball\": \"{base}/t\", \"integrity\": \"{integrity}\"}}}}"
            )
        })
        .collect();
    let metadata = format!("{{\"versions\": {{{}}}}}", releases.join(","));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.extend(byte);
            }
            let is_package = head.starts_with(b"GET /t ");
            let body = if is_package { &sent[..] } else { metadata.as_bytes() };
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(body);
        }
    });
    base
}

fn releases(directory: &std::path::Path, registry: String, network: bool) -> NodeReleases {
    // The time that files get, without asking for it.
    let now = tempfile::tempfile().unwrap().metadata().unwrap().modified().unwrap();
    NodeReleases { directory: directory.to_owned(), registry, network, certificates: None, now }
}

#[test]
fn the_newest_release_is_fetched_once_and_kept() {
    if package().is_err() {
        eprintln!("skipped: no packages for this machine");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let at = home.path().join("node");
    let archive = tarball(b"#!/bin/sh\n");
    let base = registry(&["20.9.0", "20.10.1", "20.11.0-rc.1", "22.0.0"], &archive, archive.clone());
    let offline = releases(&at, base.clone(), false);
    assert!(matches!(offline.find(20), Err(NodeError::Offline { major: 20 })));
    let place = releases(&at, base.clone(), true).find(20).unwrap();
    assert_eq!(place, at.join("20.10.1"));
    assert_eq!(fs::read(place.join("bin/node")).unwrap(), b"#!/bin/sh\n");
    assert_eq!(fs::metadata(place.join("bin/node")).unwrap().permissions().mode() & 0o777, 0o755);
    let names: Vec<_> = fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["20.10.1"], "no draft is left");
    // A registry that does not answer is not missed.
    assert_eq!(offline.find(20).unwrap(), place);
    assert_eq!(releases(&at, "http://127.0.0.1:1".into(), true).find(20).unwrap(), place);
    let mut later = releases(&at, "http://127.0.0.1:1".into(), true);
    later.now += Duration::from_hours(100 * 24);
    assert_eq!(later.find(20).unwrap(), place, "an old release does when there is no newer one");
    assert!(matches!(releases(&at, base, true).find(18), Err(NodeError::NoRelease { major: 18, .. })));
}

#[test]
fn what_is_not_as_promised_is_refused() {
    if package().is_err() {
        eprintln!("skipped: no packages for this machine");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let archive = tarball(b"good");
    let base = registry(&["20.1.0"], &archive, tarball(b"evil"));
    let found = releases(home.path(), base, true).find(20);
    assert!(matches!(found, Err(NodeError::Integrity { .. })), "{found:?}");
    let mut empty = Builder::new(Vec::new());
    empty.append_bytes("package/other", b"").unwrap();
    let empty = empty.finish().unwrap();
    let found = releases(home.path(), registry(&["20.1.0"], &empty, empty.clone()), true).find(20);
    assert!(matches!(found, Err(NodeError::Unpack { .. })), "{found:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left");
}
