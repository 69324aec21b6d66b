//! From names of refs to paths of files, and back.
//!
//! A name becomes one directory for each part between slashes, and a file: `image/docker.io/library/debian:bookworm` is
//! `refs/image/docker.io/library/debian:bookworm.json`. What a file name cannot hold, or what would look like another
//! name, is written as `%` and two hexadecimal digits. A part that is too long for one file name goes on in a directory
//! below, which is marked by a `%` at the end of the part; an empty part is a `%` alone. So no two names have one path,
//! and every path says its name.

use std::fmt::Write as _;

use super::name::{Namespace, RefName};
use crate::layout;

/// What files of refs end with. Directories never do.
const SUFFIX: &str = ".json";
/// The most bytes of a part in one file name; file systems allow 255.
const MOST_BYTES: usize = 200;

/// The path of a ref's file.
pub(super) fn encode(name: &RefName) -> String {
    let mut path = format!("{}/{}", layout::REFS, name.namespace());
    let mut parts = name.name().split('/').peekable();
    while let Some(part) = parts.next() {
        let mut pieces = pieces(part);
        let last = pieces.pop().unwrap_or_default();
        for piece in pieces {
            path.push('/');
            path.push_str(&piece);
            path.push('%');
        }
        path.push('/');
        if parts.peek().is_none() {
            path.push_str(&last);
            path.push_str(SUFFIX);
        } else if let Some(stem) = last.strip_suffix(SUFFIX) {
            let _ = write!(path, "{stem}%2Ejson");
        } else {
            path.push_str(&last);
        }
    }
    path
}

/// The name of the ref whose file has this path below its namespace's directory.
pub(super) fn decode(namespace: Namespace, path: &str) -> Option<RefName> {
    let path = path.strip_suffix(SUFFIX)?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut joined = true;
    for part in path.split('/') {
        if !joined {
            bytes.push(b'/');
        }
        joined = part != "%" && part.ends_with('%');
        if part != "%" {
            decode_part(part.strip_suffix('%').unwrap_or(part), &mut bytes)?;
        }
    }
    let name = RefName::new(namespace, String::from_utf8(bytes).ok()?).ok()?;
    // Only the path that the name has is the name's: a foreign file is none.
    (encode(&name).strip_prefix(&format!("{}/{namespace}/", layout::REFS))?.strip_suffix(SUFFIX)? == path)
        .then_some(name)
}

/// A part as it stands in file names, in pieces that fit. There is at least one.
fn pieces(part: &str) -> Vec<String> {
    if part.is_empty() {
        return vec!["%".to_owned()];
    }
    let mut pieces = vec![String::new()];
    for byte in part.bytes() {
        if pieces.last().is_some_and(|piece| piece.len() >= MOST_BYTES) {
            pieces.push(String::new());
        }
        let Some(piece) = pieces.last_mut() else { continue };
        if is_plain(byte) {
            piece.push(char::from(byte));
        } else {
            let _ = write!(piece, "%{byte:02X}");
        }
    }
    // Only the last piece can become a whole file name, so only it could mean this directory or the one above.
    if let Some(last) = pieces.last_mut().filter(|last| matches!(last.as_str(), "." | "..")) {
        *last = last.replace('.', "%2E");
    }
    pieces
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:@+=,~-".contains(&byte)
}

fn decode_part(part: &str, into: &mut Vec<u8>) -> Option<()> {
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            into.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            into.push(byte);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};
    use crate::{Namespace, RefName};

    fn path_of(name: &str) -> String {
        encode(&RefName::new(Namespace::Image, name).unwrap())
    }

    #[test]
    fn paths_can_be_read_and_lead_nowhere_else() {
        for (name, path) in [
            ("docker.io/library/debian:bookworm", "docker.io/library/debian:bookworm.json"),
            ("ghcr.io:443/x/y@sha256:00", "ghcr.io:443/x/y@sha256:00.json"),
            ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd.json"),
            ("/etc/passwd", "%/etc/passwd.json"),
            ("a//b/", "a/%/b/%.json"),
            (".", "%2E.json"),
            ("a.json/b", "a%2Ejson/b.json"),
            ("a.json", "a.json.json"),
            ("100%", "100%25.json"),
            ("new\nline \u{e9}", "new%0Aline%20%C3%A9.json"),
        ] {
            assert_eq!(path_of(name), format!("refs/image/{path}"), "for {name:?}");
        }
        assert!(path_of(&format!("{}../x", "x".repeat(200))).ends_with("%/%2E%2E/x.json"));
        let long = path_of(&"x".repeat(1000));
        assert!(long.split('/').all(|part| part.len() <= 255), "{long}");
    }

    #[test]
    fn foreign_files_are_no_refs() {
        for path in
            ["a", "a.txt", "%2e.json", "%61.json", "a%.json", "a%/b%.json", "%ZZ.json", "..json/%FF.json"]
        {
            assert_eq!(decode(Namespace::Image, path), None, "for {path:?}");
        }
    }

    proptest! {
        #[test]
        fn a_path_has_one_name(name in "([a-z%./]|\\PC){1,60}|[a./%]{1,8}|[a-c.]{190,420}(/[a-c%]{190,420})?") {
            let name = RefName::new(Namespace::Image, name).unwrap();
            let path = encode(&name);
            prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255));
            prop_assert_eq!(decode(Namespace::Image, path.strip_prefix("refs/image/").unwrap()), Some(name));
        }

        #[test]
        fn a_ref_never_stands_where_another_needs_a_directory(one in "[ab./%jsn]{1,12}", more in "[ab./]{0,6}") {
            let leaf = encode(&RefName::new(Namespace::Image, one.clone()).unwrap());
            let below = encode(&RefName::new(Namespace::Image, format!("{one}/{more}")).unwrap());
            prop_assert!(!below.starts_with(&format!("{leaf}/")), "{} {}", leaf, below);
        }
    }
}
