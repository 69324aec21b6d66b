//! Finding the ends of things that nest.

/// The index after the quote that closes the one at `at`; `end` if none does.
pub(super) fn quoted(bytes: &[u8], at: usize, end: usize) -> usize {
    let quote = bytes[at];
    let mut index = at + 1;
    while index < end {
        match bytes[index] {
            b'\\' if quote != b'\'' => index += 1,
            byte if byte == quote => return index + 1,
            b'$' if quote == b'"' && bytes.get(index + 1) == Some(&b'(') => {
                index = balanced(bytes, index + 1, end);
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    end
}

/// The index after the bracket that closes the one at `at`, quotes skipped; `end` if none does. Does not recurse for
/// brackets within, only for quotes, whose inner brackets it counts by itself.
pub(super) fn balanced(bytes: &[u8], at: usize, end: usize) -> usize {
    let (open, close) = match bytes[at] {
        b'{' => (b'{', b'}'),
        _ => (b'(', b')'),
    };
    let mut depth = 0_usize;
    let mut index = at;
    while index < end {
        match bytes[index] {
            b'\\' => index += 1,
            b'\'' => {
                index = single(bytes, index, end);
                continue;
            }
            byte if byte == open => depth += 1,
            byte if byte == close => {
                depth -= 1;
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
        index += 1;
    }
    end
}

/// The index after a text in single quotes; a quote that nothing closes is a character like others.
fn single(bytes: &[u8], at: usize, end: usize) -> usize {
    let close = bytes[at + 1..end].iter().position(|byte| *byte == b'\'' || *byte == b'\n');
    match close {
        Some(offset) if bytes[at + 1 + offset] == b'\'' => at + offset + 2,
        _ => at + 1,
    }
}

/// The index after `}}` if `${{` stands at `at`. `last` is where the text's last `}}` begins: looking for one behind it
/// again and again would not be linear.
pub(super) fn expression(text: &str, at: usize, end: usize, last: usize) -> Option<usize> {
    if at > last {
        return None;
    }
    let rest = text.get(at..end)?.strip_prefix("${{")?;
    rest.find("}}").map(|offset| at + 3 + offset + 2)
}
