//! The small languages within instructions: lists in JSON, words with quotes, `name=value` pairs.

/// A list in JSON, if the text is one. Everything else is for the shell.
pub(super) fn json_list(text: &str) -> Option<Vec<String>> {
    text.trim_start().starts_with('[').then(|| serde_json::from_str(text).ok()).flatten()
}

/// A text split at blanks that are not quoted. Quotes and backslashes are taken off.
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(character),
            (_, '\\') => {
                let escaped = characters.next()?;
                // Within double quotes only what means something there is escaped.
                if quote.is_some() && !matches!(escaped, '"' | '\\' | '$') {
                    word.get_or_insert_default().push('\\');
                }
                word.get_or_insert_default().push(escaped);
            }
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            (_, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Pairs as `name=value name=value`, or one as `name the rest`.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !first.contains('=') {
        let value = rest.trim();
        return (!first.is_empty() && !value.is_empty()).then(|| vec![(first.to_owned(), value.to_owned())]);
    }
    let split_pair = |word: String| {
        let (name, value) = word.split_once('=')?;
        (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    split(text)?.into_iter().map(split_pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (text, expected) in [
            ("a  b", Some(vec!["a", "b"])),
            (r#"a="b c" d"#, Some(vec!["a=b c", "d"])),
            (r"a\ b", Some(vec!["a b"])),
            (r#"'a\b' "a\nb" """#, Some(vec![r"a\b", r"a\nb", ""])),
            ("'a", None),
            ("", Some(vec![])),
        ] {
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(split(text), expected, "for {text}");
        }
    }

    #[test]
    fn both_forms_of_pairs() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("A=1 B=\"2 3\""), Some(vec![pair("A", "1"), pair("B", "2 3")]));
        assert_eq!(pairs("A the rest = all"), Some(vec![pair("A", "the rest = all")]));
        assert_eq!(pairs("A"), None);
        assert_eq!(pairs("A=1 B"), None);
    }
}
