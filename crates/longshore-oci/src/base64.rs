//! Base 64 as RFC 4648, section 4, has it: with padding, without line feeds.

/// The bytes that a text stands for, or nothing if it is no base 64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(groups.len() * 3);
    for (index, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != groups.len()) {
            return None;
        }
        let mut bits = 0_u32;
        for byte in group.iter().take(4 - padding) {
            bits = bits << 6 | sextet(*byte)?;
        }
        bits <<= 6 * padding;
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (content, unused) = decoded.split_at(3 - padding);
        // One content has one text: bits that stand for nothing are zero.
        if unused.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend(content);
    }
    Some(bytes)
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_padded_text_only() {
        for (text, expected) in [
            ("", Some("")),
            ("e30=", Some("{}")),
            ("Zg==", Some("f")),
            ("Zm9v", Some("foo")),
            ("Zm9vYmE=", Some("fooba")),
            ("Zm9", None),
            ("Zm9v\n", None),
            ("Zh==", None),
            ("Zg==Zg==", None),
            ("Z===", None),
            ("====", None),
            ("Z=g=", None),
            ("Zm-v", None),
        ] {
            assert_eq!(decode(text).as_deref(), expected.map(str::as_bytes), "for {text:?}");
        }
    }
}
