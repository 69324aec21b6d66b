//! The glob patterns of `hashFiles`.
//!
//! GitHub's reference for them is the published package `@actions/glob` (its README describes the patterns): `*`, `?`
//! and `[…]` match inside of one segment, `**` as a whole segment matches any number of them, `\` escapes, a dot in
//! front of a name is nothing special, and braces and extended globs are ordinary characters. Case counts on Linux.
//!
//! A pattern is a list of elements, one per path segment, from the root of the file system. Matching a path costs at
//! most the product of both lengths, whatever the pattern.

/// What one segment of a path has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    /// Exactly this name.
    Literal(String),
    /// A name of this shape.
    Wild(Vec<Token>),
    /// Any number of segments; at the end of a pattern at least one.
    Globstar,
}

/// A part of a segment's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Char(char),
    /// Any one character.
    One,
    /// Any number of characters.
    Many,
    Class(Class),
    /// A class that nothing can be in; spoils the pattern.
    Nothing,
}

/// A set of characters in brackets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
    named: Vec<Named>,
}

/// A named class such as `[:alpha:]`, by its place in [`NAMED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named(usize);

type NamedClass = (&'static str, fn(char) -> bool);

const NAMED: [NamedClass; 13] = [
    ("[:alnum:]", char::is_alphanumeric),
    ("[:alpha:]", char::is_alphabetic),
    ("[:ascii:]", |c| c.is_ascii()),
    ("[:blank:]", |c| c == '\t' || (c.is_whitespace() && !c.is_control())),
    ("[:cntrl:]", char::is_control),
    ("[:digit:]", |c| c.is_numeric()),
    ("[:graph:]", |c| !c.is_whitespace() && !c.is_control()),
    ("[:lower:]", char::is_lowercase),
    ("[:punct:]", |c| c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c)),
    ("[:space:]", char::is_whitespace),
    ("[:upper:]", char::is_uppercase),
    ("[:word:]", |c| c.is_alphanumeric() || c == '_'),
    ("[:xdigit:]", |c| c.is_ascii_hexdigit()),
];

impl Class {
    fn contains(&self, c: char) -> bool {
        let inside = self.ranges.iter().any(|&(low, high)| (low..=high).contains(&c))
            || self.named.iter().any(|named| NAMED.get(named.0).is_some_and(|(_, contains)| contains(c)));
        inside != self.negated
    }
}

impl Element {
    /// Reads one segment of a pattern.
    pub(crate) fn parse(segment: &str) -> Self {
        if segment == "**" {
            return Self::Globstar;
        }
        let chars: Vec<char> = segment.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += 1;
            match c {
                '*' if tokens.last() == Some(&Token::Many) => {}
                '*' => tokens.push(Token::Many),
                '?' => tokens.push(Token::One),
                '\\' => {
                    tokens.push(Token::Char(chars.get(at).copied().unwrap_or('\\')));
                    at += 1;
                }
                '[' => match parse_class(&chars, at) {
                    Some((token, after)) => {
                        tokens.push(token);
                        at = after;
                    }
                    None => tokens.push(Token::Char('[')),
                },
                _ => tokens.push(Token::Char(c)),
            }
        }
        // A name has at least one character.
        if tokens == [Token::Many] {
            tokens.push(Token::One);
        }
        let literal = |token: &Token| if let Token::Char(c) = token { Some(*c) } else { None };
        tokens.iter().map(literal).collect::<Option<String>>().map_or(Self::Wild(tokens), Self::Literal)
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(text) => text == name,
            Self::Wild(tokens) => tokens_match(tokens, name),
            Self::Globstar => false,
        }
    }
}

/// Reads a class whose `[` is before `start`. `None` if it is not closed, and then the bracket is a character.
fn parse_class(chars: &[char], start: usize) -> Option<(Token, usize)> {
    let mut class = Class::default();
    let mut at = start;
    if matches!(chars.get(at), Some('!' | '^')) {
        class.negated = true;
        at += 1;
    }
    let first = at;
    let mut range_start = None;
    loop {
        let mut c = *chars.get(at)?;
        if c == ']' && at > first {
            at += 1;
            break;
        }
        if c == '['
            && let Some((named, length)) = parse_named(chars.get(at..)?)
        {
            if range_start.is_some() {
                return Some((Token::Nothing, chars.len()));
            }
            class.named.push(named);
            at += length;
            continue;
        }
        if c == '\\' {
            at += 1;
            c = *chars.get(at)?;
        }
        at += 1;
        if let Some(low) = range_start.take() {
            class.ranges.extend((low <= c).then_some((low, c)));
        } else if chars.get(at) == Some(&'-') && chars.get(at + 1) == Some(&']') {
            class.ranges.extend([(c, c), ('-', '-')]);
            at += 1;
        } else if chars.get(at) == Some(&'-') {
            range_start = Some(c);
            at += 1;
        } else {
            class.ranges.push((c, c));
        }
    }
    let token = match (class.ranges.as_slice(), class.named.as_slice()) {
        ([], []) => return Some((Token::Nothing, chars.len())),
        (&[(low, high)], []) if low == high && !class.negated => Token::Char(low),
        _ => Token::Class(class),
    };
    Some((token, at))
}

fn parse_named(chars: &[char]) -> Option<(Named, usize)> {
    let starts = |name: &str| name.chars().eq(chars.iter().copied().take(name.len()));
    let index = NAMED.iter().position(|(name, _)| starts(name))?;
    NAMED.get(index).map(|(name, _)| (Named(index), name.len()))
}

/// Matches a shape by the usual walk that remembers the last star: quadratic at worst, without recursion.
fn tokens_match(tokens: &[Token], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut read) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while read < name.len() {
        let step = match (tokens.get(at), name.get(read)) {
            (Some(Token::Many), _) => {
                retry = Some((at, read));
                at += 1;
                continue;
            }
            (Some(Token::Char(expected)), Some(c)) => expected == c,
            (Some(Token::One), Some(_)) => true,
            (Some(Token::Class(class)), Some(&c)) => class.contains(c),
            _ => false,
        };
        if step {
            at += 1;
            read += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            at = star + 1;
            read = from + 1;
        } else {
            return false;
        }
    }
    tokens.get(at..).is_none_or(|rest| rest.iter().all(|token| *token == Token::Many))
}

/// Whether `path` is of the shape `elements`.
pub(crate) fn matches(elements: &[Element], path: &[&str]) -> bool {
    // reachable[i]: the elements before this one match the first i segments.
    let mut reachable = vec![false; path.len() + 1];
    reachable[0] = true;
    for (at, element) in elements.iter().enumerate() {
        let mut next = vec![false; path.len() + 1];
        if *element == Element::Globstar {
            let least = usize::from(at + 1 == elements.len());
            let from =
                reachable.iter().position(|&reached| reached).map_or(usize::MAX, |first| first + least);
            next.iter_mut().skip(from).for_each(|reached| *reached = true);
        } else {
            for (index, segment) in path.iter().enumerate() {
                next[index + 1] = reachable[index] && element.matches(segment);
            }
        }
        reachable = next;
    }
    reachable[path.len()]
}

/// Whether something below `path` could be of the shape `elements`, or `path` itself could.
pub(crate) fn may_match_below(elements: &[Element], path: &[&str]) -> bool {
    let mut elements = elements.iter();
    for segment in path {
        match elements.next() {
            Some(Element::Globstar) => return true,
            Some(element) if element.matches(segment) => {}
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments() {
        let cases = [
            ("*", "a b", true),
            ("*", "", false),
            ("*.js", ".js", true),
            ("*.js", "a.js.map", false),
            ("a*b*c", "aXXbYbZc", true),
            ("a*b*c", "aXXbYbZ", false),
            ("?", "é", true),
            ("a**b", "aXb", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[a-]", "-", true),
            ("[c-a]", "b", false),
            ("[", "[", true),
            ("[ab", "[ab", true),
            ("[*]", "*", true),
            ("[*]", "a", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a\\", true),
            ("{a,b}", "{a,b}", true),
            ("+(a)", "+(a)", true),
            ("[[:digit:]]*", "7up", true),
            ("[[:digit:]]*", "up", false),
            ("A", "a", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Element::parse(pattern).matches(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn many_stars_are_not_exponential() {
        let pattern = Element::parse(&format!("{}b", "*a".repeat(2000)));
        assert!(!pattern.matches(&"a".repeat(4000)));
        let path: Vec<&str> = vec!["a"; 1000];
        let elements: Vec<Element> = (0..500)
            .flat_map(|_| [Element::Globstar, Element::parse("a")])
            .chain([Element::parse("b")])
            .collect();
        assert!(!matches(&elements, &path));
    }
}
