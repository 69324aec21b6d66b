//! Image references.

use longshore_oci::{Digest, Reference};
use proptest::prelude::*;

const SHA256: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// Text, whole name with tag and digest, short name with tag and digest.
const NORMALISED: &[(&str, &str, &str)] = &[
    ("alpine", "docker.io/library/alpine", "alpine"),
    ("alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"),
    ("docker.io/alpine", "docker.io/library/alpine", "alpine"),
    ("index.docker.io/alpine:A_b.c-D", "docker.io/library/alpine:A_b.c-D", "alpine:A_b.c-D"),
    ("index.docker.io/library/alpine", "docker.io/library/alpine", "alpine"),
    ("team/app", "docker.io/team/app", "team/app"),
    ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
    ("library/alpine", "docker.io/library/alpine", "alpine"),
    ("localhost", "docker.io/library/localhost", "localhost"),
    ("localhost/app", "localhost/app", "localhost/app"),
    ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
    ("registry:5000/a/b/c", "registry:5000/a/b/c", "registry:5000/a/b/c"),
    ("127.0.0.1:5000/app", "127.0.0.1:5000/app", "127.0.0.1:5000/app"),
    ("[::1]/app", "[::1]/app", "[::1]/app"),
    ("[2001:db8::1]:5000/app:x", "[2001:db8::1]:5000/app:x", "[2001:db8::1]:5000/app:x"),
    ("Example/app", "Example/app", "Example/app"),
    ("GHCR.io/app", "GHCR.io/app", "GHCR.io/app"),
    ("xn--n3h.com/app", "xn--n3h.com/app", "xn--n3h.com/app"),
    ("a--b__c.d_e", "docker.io/library/a--b__c.d_e", "a--b__c.d_e"),
    // A first component that is no host is part of the path.
    ("a_b.c/d", "a_b.c/d", "a_b.c/d"),
    ("host:5000", "docker.io/library/host:5000", "host:5000"),
];

#[test]
fn names_are_normalised() {
    for (text, whole, short) in NORMALISED {
        let reference = Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(reference.to_string(), *whole, "for {text}");
        assert_eq!(reference.familiar(), *short, "for {text}");
        let pinned = Reference::parse(&format!("{text}@{SHA256}")).unwrap();
        assert_eq!(pinned.to_string(), format!("{whole}@{SHA256}"));
        assert_eq!(pinned.tag(), reference.tag());
        assert_eq!(pinned.name(), reference.name());
    }
}

#[test]
fn parts_are_told_apart() {
    let reference = Reference::parse(&format!("reg.example:5000/team/app:v1@{SHA256}")).unwrap();
    assert_eq!(reference.domain(), "reg.example:5000");
    assert_eq!(reference.path(), "team/app");
    assert_eq!(reference.name(), "reg.example:5000/team/app");
    assert_eq!(reference.tag(), Some("v1"));
    assert_eq!(reference.digest().map(Digest::as_str), Some(SHA256));
    let path_only = Reference::parse("a_b.c/d").unwrap();
    assert_eq!((path_only.domain(), path_only.path()), ("", "a_b.c/d"));
}

#[test]
fn refusals_have_the_words_of_docker() {
    let hex = "a".repeat(64);
    let identifier = format!("invalid repository name ({hex}), cannot specify 64-byte hexadecimal strings");
    for (text, message) in [
        ("", "invalid reference format"),
        (":tag", "invalid reference format"),
        ("@sha256:1", "invalid reference format"),
        ("alpine:", "invalid reference format"),
        ("alpine@", "invalid reference format"),
        ("alpine:a:b", "invalid reference format"),
        ("alpine:-a", "invalid reference format"),
        ("-alpine", "invalid reference format"),
        ("alpine-", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("a..b", "invalid reference format"),
        ("a/../b", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("/a", "invalid reference format"),
        ("a/", "invalid reference format"),
        ("https://example.com/a", "invalid reference format"),
        (" alpine", "invalid reference format"),
        ("alpine\n", "invalid reference format"),
        ("[fe80::1%eth0]/a", "invalid reference format"),
        ("[a]/a", "invalid reference format"),
        ("[]/a", "invalid reference format"),
        ("host:/a", "invalid reference format"),
        ("-host.com/a", "invalid reference format"),
        ("Alpine", "invalid reference format: repository name (library/Alpine) must be lowercase"),
        ("a.b/Team/app", "invalid reference format: repository name (Team/app) must be lowercase"),
        (
            "alpine@SHA256:0",
            "invalid reference format: repository name (library/alpine@SHA256) must be lowercase",
        ),
        ("alpine:\u{212a}", "repository name must be lowercase"),
        (hex.as_str(), identifier.as_str()),
        ("alpine@sha256:0123456789abcdef0123456789abcdef", "invalid checksum digest length"),
        ("alpine@md5:0123456789abcdef0123456789abcdef", "unsupported digest algorithm"),
        ("alpine@sha256:0123456789abcdef0123456789abcde", "invalid reference format"),
    ] {
        let error =
            Reference::parse(text).map_or_else(|error| error.to_string(), |it| format!("taken as {it}"));
        assert_eq!(error, message, "for {text:?}");
    }
    let capital = SHA256.replace('f', "F");
    let error = Reference::parse(&format!("alpine@{capital}")).unwrap_err();
    assert_eq!(error.to_string(), "invalid checksum digest format");
}

#[test]
fn lengths_are_bounded() {
    let longest = "a".repeat(255 - "library/".len());
    assert!(Reference::parse(&longest).is_ok());
    let error = Reference::parse(&format!("{longest}a:tag")).unwrap_err();
    assert_eq!(error.to_string(), "repository name must not be more than 255 characters");
    assert!(Reference::parse(&format!("host.example/{}", "a".repeat(255))).is_ok());
    assert!(Reference::parse(&format!("host.example/{}", "a".repeat(256))).is_err());
    assert!(Reference::parse(&format!("a:{}", "t".repeat(128))).is_ok());
    assert!(Reference::parse(&format!("a:{}", "t".repeat(129))).is_err());
}

#[test]
fn tags_and_digests_can_be_put_on() {
    let name = Reference::parse("alpine").unwrap();
    assert_eq!(name.clone().or_latest().to_string(), "docker.io/library/alpine:latest");
    let tagged = name.with_tag("3").unwrap();
    assert_eq!(tagged.clone().or_latest(), tagged);
    assert_eq!(name.with_tag("a/b").unwrap_err().to_string(), "invalid tag format");
    let pinned = tagged.with_digest(Digest::of(b"{}")).unwrap();
    assert_eq!(pinned.to_string(), format!("docker.io/library/alpine:3@{SHA256}"));
    assert_eq!(pinned.with_tag("4").unwrap().familiar(), "alpine:4");
    let foreign = Digest::parse("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8").unwrap();
    assert_eq!(name.with_digest(foreign).unwrap_err().to_string(), "unsupported digest algorithm");
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(
        domain in "(([a-zA-Z0-9]([a-zA-Z0-9-]{0,4}[a-zA-Z0-9])?(\\.[a-z0-9]{1,4}){0,2}|\\[[a-f0-9:]{0,4}:[a-f0-9:]{1,5}\\])(:[0-9]{1,5})?/)?",
        path in "[a-z0-9]{1,6}(([._]|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,5}){0,3}",
        tag in "(:[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20})?",
        digest in "(@(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}))?",
    ) {
        let text = format!("{domain}{path}{tag}{digest}");
        let reference = Reference::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(&Reference::parse(&reference.to_string()).unwrap(), &reference);
        prop_assert_eq!(&Reference::parse(&reference.familiar()).unwrap(), &reference);
    }

    #[test]
    fn any_text_is_a_reference_or_refused(text in "[a-zA-Z0-9:/@._\\[\\]ſK-]{0,80}") {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference));
        }
    }
}
