//! Environment variables as ordered lists, and words of a command line.

/// Sets a variable; one of that name is replaced in its place.
pub(crate) fn set(env: &mut Vec<(String, String)>, name: &str, value: String) {
    match env.iter_mut().find(|(known, _)| known == name) {
        Some(entry) => entry.1 = value,
        None => env.push((name.to_owned(), value)),
    }
}

/// A variable's value.
pub(crate) fn get<'e>(env: &'e [(String, String)], name: &str) -> Option<&'e str> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// `NAME=value` in two.
pub(crate) fn split(variable: &str) -> (String, String) {
    let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
    (name.to_owned(), value.to_owned())
}

/// The words of a command line, with the quotes of a shell and nothing else of it. `None` if a quote stays open.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        inner => word.push(inner),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        inner => word.push(inner),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_those_of_a_shell() {
        let cases: [(&str, Option<&[&str]>); 6] = [
            ("", Some(&[])),
            (
                "--health-cmd pg_isready  --health-interval 10s",
                Some(&["--health-cmd", "pg_isready", "--health-interval", "10s"]),
            ),
            (
                r#"--health-cmd "redis-cli ping" -e A='b c'"#,
                Some(&["--health-cmd", "redis-cli ping", "-e", "A=b c"]),
            ),
            (r#"a\ b "c\"d" '' "#, Some(&["a b", "c\"d", ""])),
            ("\"open", None),
            ("'open", None),
        ];
        for (text, expected) in cases {
            let found = words(text);
            let expected = expected.map(|words| words.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(found, expected, "{text}");
        }
    }
}
