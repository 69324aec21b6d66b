//! Patterns of names as Go's `path.Match` reads them, which Docker's `reference` filter uses.
//!
//! `*` and `?` do not match a slash; `[a-z]` and `[^a-z]` match one character; a backslash takes the meaning away.

/// Whether a pattern matches a whole name; `None` if it is no pattern.
pub fn path_match(pattern: &str, name: &str) -> Option<bool> {
    let pieces = pieces(pattern)?;
    let name: Vec<char> = name.chars().collect();
    // The places of the name that the pieces up to here can have reached.
    let mut reached = vec![false; name.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for piece in &pieces {
        let mut next = vec![false; name.len() + 1];
        for (index, slot) in next.iter_mut().enumerate() {
            let here = reached.get(index).copied().unwrap_or_default();
            let before = index.checked_sub(1);
            let char = before.and_then(|index| name.get(index)).copied();
            *slot = match piece {
                Piece::Many => here,
                Piece::One(one) => {
                    let came = before.and_then(|index| reached.get(index)).copied().unwrap_or_default();
                    came && char.is_some_and(|char| one.matches(char))
                }
            };
        }
        if matches!(piece, Piece::Many) {
            for (index, char) in name.iter().enumerate() {
                if next.get(index).copied().unwrap_or_default()
                    && *char != '/'
                    && let Some(slot) = next.get_mut(index + 1)
                {
                    *slot = true;
                }
            }
        }
        reached = next;
    }
    reached.last().copied()
}

/// A part of a pattern.
enum Piece {
    /// Any characters but slashes.
    Many,
    /// One character.
    One(One),
}

/// What one character may be.
enum One {
    Any,
    Char(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl One {
    fn matches(&self, char: char) -> bool {
        match self {
            Self::Any => char != '/',
            Self::Char(own) => *own == char,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&char)) != *negated
            }
        }
    }
}

fn pieces(pattern: &str) -> Option<Vec<Piece>> {
    let mut chars = pattern.chars().peekable();
    let mut pieces = Vec::new();
    while let Some(char) = chars.next() {
        let piece = match char {
            '*' => Piece::Many,
            '?' => Piece::One(One::Any),
            '\\' => Piece::One(One::Char(chars.next()?)),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                    let from = class_char(&mut chars)?;
                    let to = if chars.next_if_eq(&'-').is_some() { class_char(&mut chars)? } else { from };
                    ranges.push((from, to));
                }
                Piece::One(One::Class { negated, ranges })
            }
            char => Piece::One(One::Char(char)),
        };
        pieces.push(piece);
    }
    Some(pieces)
}

/// A character of a class.
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        char => Some(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        let cases = [
            ("busybox", "busybox", Some(true)),
            ("busy*", "busybox:latest", Some(true)),
            ("*", "a/b", Some(false)),
            ("*/*", "a/b", Some(true)),
            ("b?sybox:*", "busybox:1.36", Some(true)),
            ("[a-c]*", "busybox", Some(true)),
            ("[^a-c]*", "busybox", Some(false)),
            ("a\\*b", "a*b", Some(true)),
            ("*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", Some(false)),
            ("", "", Some(true)),
            ("[a", "a", None),
            ("[]a]", "]", None),
            ("a\\", "a", None),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(path_match(pattern, name), expected, "{pattern} {name}");
        }
    }
}
