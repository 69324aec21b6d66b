//! ASCII armour (RFC 9580, section 6): base64 between two marked lines.
//!
//! The checksum at its end is optional and protects nothing that a signature does not, so it is not looked at.

/// The bytes of the first block of a kind (`PUBLIC KEY BLOCK`, `SIGNATURE`) in a text, if there is a whole one.
pub(super) fn decode(text: &str, kind: &str) -> Option<Vec<u8>> {
    let begin = format!("-----BEGIN PGP {kind}-----");
    let end = format!("-----END PGP {kind}-----");
    let mut lines = text.lines().map(str::trim_end).skip_while(|line| *line != begin).skip(1);
    // Headers such as `Comment: …` end with an empty line.
    lines.by_ref().find(|line| line.is_empty())?;
    let mut body = String::new();
    for line in lines {
        if line == end {
            return base64(&body);
        }
        if !line.starts_with('=') {
            body.push_str(line);
        }
    }
    None
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut width) = (0_u32, 0);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        width += 6;
        if width >= 8 {
            width -= 8;
            bytes.push((bits >> width) as u8);
        }
    }
    Some(bytes)
}
