//! What the parts of a reference look like, each as a predicate over the whole part.
//!
//! The upstream grammar is a set of regular expressions; these walks over bytes accept the same texts in linear time.

/// The longest path, in bytes.
pub(super) const MAX_PATH: usize = 255;

/// The longest tag, in bytes.
const MAX_TAG: usize = 128;

/// `host[:port]`, where the host is a name, an IPv4 address, or an IPv6 address in brackets.
pub(super) fn is_domain(text: &str) -> bool {
    let (valid, rest) = if let Some(inner) = text.strip_prefix('[') {
        let Some((address, rest)) = inner.split_once(']') else { return false };
        (is_ipv6(address), rest)
    } else {
        let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        (host.split('.').all(is_domain_component), rest)
    };
    valid && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// Only the characters are looked at, as upstream does.
fn is_ipv6(address: &str) -> bool {
    !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_domain_component(component: &str) -> bool {
    !component.is_empty()
        && component.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !component.starts_with('-')
        && !component.ends_with('-')
}

/// Components with slashes between.
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between.
pub(super) fn is_path_component(component: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let edges = bytes.first().is_some_and(alphanumeric) && bytes.last().is_some_and(alphanumeric);
    let separator = |run: &[u8]| {
        run.is_empty() || matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-')
    };
    edges && bytes.split(alphanumeric).all(separator)
}

/// A letter, digit or underscore, and up to 127 of these, dots and dashes.
pub(super) fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG
        && text.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
        && text.bytes().next().is_some_and(word)
}

/// An algorithm and at least 32 hexadecimal digits. What is written so may still be no digest.
pub(super) fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let component = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
    };
    algorithm.split(['-', '_', '+', '.']).all(component)
        && hex.len() >= 32
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What an image id looks like, which is no name.
pub(super) fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Lower case, one character for each.
pub(super) fn lower(text: &str) -> String {
    // Only this capital has a lower case of two characters; upstream takes the first.
    text.chars().map(|each| each.to_lowercase().next().unwrap_or(each)).collect()
}
