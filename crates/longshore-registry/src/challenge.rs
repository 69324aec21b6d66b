//! The header `WWW-Authenticate`: what a server wants to know of who asks.
//!
//! RFC 9110, sections 11.2 to 11.6.1: a list of challenges, each a scheme with one token or a list of parameters whose
//! values are tokens or quoted strings. Both lists are separated by commas, so only what follows a word tells which list
//! goes on. The header comes from a stranger: it is read once from left to right, what does not follow the grammar ends
//! the reading, and counts and lengths are bounded.

use std::fmt;

/// Longer headers are not read to their end.
const MAX_HEADER: usize = 16 * 1024;
/// More challenges than this are not read.
const MAX_CHALLENGES: usize = 16;
/// More parameters than this are not read.
const MAX_PARAMETERS: usize = 32;

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    /// The scheme in lower case, such as `bearer`.
    pub scheme: String,
    /// The token that some schemes have instead of parameters.
    pub token: Option<String>,
    /// Names in lower case and their values without quotes.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Reads all challenges of one header, as far as it follows the grammar.
    pub fn parse_all(header: &str) -> Vec<Self> {
        let end = (0..=header.len().min(MAX_HEADER)).rev().find(|end| header.is_char_boundary(*end));
        let mut reader = Reader { rest: header.get(..end.unwrap_or_default()).unwrap_or_default() };
        let mut challenges: Vec<Self> = Vec::new();
        loop {
            reader.skip_separators();
            let Some(word) = reader.word() else { break };
            if let Some(value) = reader.value() {
                // `name=value` belongs to the challenge before.
                let Some(challenge) = challenges.last_mut() else { break };
                if challenge.token.is_some() || challenge.parameters.len() >= MAX_PARAMETERS {
                    break;
                }
                challenge.parameters.push((word.to_ascii_lowercase(), value));
            } else {
                if challenges.len() >= MAX_CHALLENGES || !reader.at_end_of_word() {
                    break;
                }
                let token = reader.token68();
                challenges.push(Self { scheme: word.to_ascii_lowercase(), token, parameters: Vec::new() });
            }
        }
        challenges
    }

    /// The value of a parameter; of equals, the first.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Challenge {
    /// Writes the challenge so that it reads back the same.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.scheme)?;
        if let Some(token) = &self.token {
            write!(formatter, " {token}")?;
        }
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            let escaped = value.replace('\\', r"\\").replace('"', r#"\""#);
            write!(formatter, "{}{name}=\"{escaped}\"", if at == 0 { " " } else { "," })?;
        }
        Ok(())
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_separators(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Characters that may stand in a token.
    fn word(&mut self) -> Option<&'a str> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let end = self.rest.bytes().position(|byte| !token(byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn at_end_of_word(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with([' ', '\t', ','])
    }

    /// `=value`, or nothing and no move.
    fn value(&mut self) -> Option<String> {
        let before = self.rest;
        self.skip_blanks();
        let value = self.rest.strip_prefix('=').and_then(|rest| {
            self.rest = rest;
            self.skip_blanks();
            if self.rest.starts_with('"') { self.quoted() } else { self.word().map(str::to_owned) }
        });
        if value.is_none() {
            self.rest = before;
        }
        value
    }

    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, each)) = characters.next() {
            match each {
                '"' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(value);
                }
                '\\' => value.push(characters.next().map(|(_, next)| next).filter(|next| is_text(*next))?),
                each if is_text(each) => value.push(each),
                _ => return None,
            }
        }
        None
    }

    /// What some schemes have instead of parameters. It ends at a comma or the end.
    fn token68(&mut self) -> Option<String> {
        let after = self.rest.trim_start_matches(' ');
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let length = after.bytes().position(|byte| !token(byte)).unwrap_or(after.len());
        let padding = after.bytes().skip(length).take_while(|byte| *byte == b'=').count();
        let (found, rest) = after.split_at_checked(length + padding)?;
        let ends = rest.trim_start_matches([' ', '\t']);
        if length == 0 || after.len() == self.rest.len() || !(ends.is_empty() || ends.starts_with(',')) {
            return None;
        }
        self.rest = rest;
        Some(found.to_owned())
    }
}

fn is_text(each: char) -> bool {
    each == '\t' || !each.is_control()
}

#[cfg(test)]
mod tests {
    use super::Challenge;
    use proptest::prelude::*;

    fn parsed(header: &str) -> Vec<String> {
        Challenge::parse_all(header).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_what_registries_send() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let found = Challenge::parse_all(hub);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(found[0].parameter("scope"), Some("repository:a/b:pull,push"));
        for (header, expected) in [
            ("Basic realm=\"a b\"", vec![r#"basic realm="a b""#]),
            ("BASIC", vec!["basic"]),
            ("Negotiate, Basic realm=x", vec!["negotiate", r#"basic realm="x""#]),
            ("Negotiate YWI=, Basic realm=x", vec!["negotiate YWI=", r#"basic realm="x""#]),
            (r#"Basic realm="a\"b\\", charset = "UTF-8""#, vec![r#"basic realm="a\"b\\",charset="UTF-8""#]),
            (", ,Digest a=1,, b=2 ,Bearer c=3", vec![r#"digest a="1",b="2""#, r#"bearer c="3""#]),
            (r#"Bearer realm="open"#, vec!["bearer"]),
            ("realm=x", vec![]),
            ("Bearer realm=\"a\nb\"", vec!["bearer"]),
            ("", vec![]),
            ("=", vec![]),
        ] {
            assert_eq!(parsed(header), expected, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_anything_and_what_it_prints(header in "[\\PC\t\",=\\\\ ]{0,200}") {
            let found = Challenge::parse_all(&header);
            let printed: Vec<String> = found.iter().map(ToString::to_string).collect();
            prop_assert_eq!(Challenge::parse_all(&printed.join(", ")), found);
        }

        #[test]
        fn keeps_every_value(values in proptest::collection::vec("[^\\p{Cc}]{0,20}", 1..5)) {
            let parameters = values.iter().enumerate().map(|(at, value)| (format!("p{at}"), value.clone())).collect();
            let challenge = Challenge { scheme: "bearer".to_owned(), token: None, parameters };
            prop_assert_eq!(Challenge::parse_all(&challenge.to_string()), vec![challenge]);
        }
    }

    #[test]
    fn long_headers_are_cut() {
        assert!(Challenge::parse_all(&"a,".repeat(1_000_000)).len() <= 16);
        assert_eq!(Challenge::parse_all(&format!("Basic realm=\"{}\"", "ü".repeat(100_000))).len(), 1);
    }
}
