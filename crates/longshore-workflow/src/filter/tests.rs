//! Filter patterns against the documented examples, and against a naive reference matcher.

use super::{Filter, FilterMode, Pattern, PatternProblem, runs};
use proptest::prelude::*;

fn is_match(pattern: &str, value: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(value)
}

#[test]
fn documented_patterns_match_their_examples() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("feature/*", &["feature/my-branch", "feature/"], &["feature/a/b", "feature", "xfeature/a"]),
        ("feature/**", &["feature/a/b", "feature/x"], &["feature", "features/x"]),
        ("main", &["main"], &["Main", "main2", "", "a/main"]),
        ("*", &["main", ""], &["a/b"]),
        ("**", &["all/the/branches", "tag", ""], &[]),
        ("*feature", &["mona-feature", "feature", "ver-10-feature"], &["a/feature"]),
        ("v2*", &["v2", "v2.0", "v2.9"], &["v2/x", "v1"]),
        ("v[12].[0-9]+.[0-9]+", &["v1.10.1", "v2.0.0"], &["v3.0.0", "v1.x.0", "v1..0", "v1x0x0"]),
        ("*.jsx?", &["page.js", "page.jsx"], &["page.jsxx", "a/page.js"]),
        ("**.js", &["index.js", "src/js/app.js"], &["index.jsx"]),
        ("docs/**/*.md", &["docs/README.md", "docs/a/markdown/file.md"], &["docs/x.txt", "doc/README.md"]),
        ("**/docs/**", &["docs/hello.md", "dir/docs/my-file.txt"], &["mydocs/a", "/docs/a"]),
        ("**/README.md", &["README.md", "js/README.md"], &["xREADME.md", "/README.md"]),
        ("**/*src/**", &["a/src/app.js", "my-src/code/js/app.js"], &["src"]),
        ("**/migrate-*.sql", &["migrate-10909.sql", "db/sept/migrate-v1.sql"], &["migrate-a/b.sql"]),
        ("releases/**-alpha", &["releases/beta/3-alpha", "releases/10-alpha"], &["releases/10"]),
        ("colou?r", &["color", "colour"], &["colouur"]),
        ("[CB]at", &["Cat", "Bat"], &["cat", "CBat"]),
        ("[0-9a-c_]+", &["07ab_"], &["d", ""]),
        (r"a\*\+\?\[\!\\", &[r"a*+?[!\"], &["ab"]),
        ("a!b", &["a!b"], &["ab"]),
        ("straße/ü+", &["straße/üüü"], &["straße/"]),
    ];
    for (pattern, good, bad) in table {
        for value in *good {
            assert!(is_match(pattern, value), "`{pattern}` must match `{value}`");
        }
        for value in *bad {
            assert!(!is_match(pattern, value), "`{pattern}` must not match `{value}`");
        }
    }
}

#[test]
fn invalid_patterns_say_where_and_why() {
    use PatternProblem as P;
    for (pattern, offset, problem) in [
        ("", 0, P::Empty),
        ("!", 0, P::LoneNegation),
        ("v[0-9", 1, P::UnclosedSet),
        ("v[]", 1, P::EmptySet),
        ("v[.]", 2, P::SetCharacter('.')),
        ("[!a]", 1, P::SetCharacter('!')),
        ("[9-0]", 2, P::SetRange),
        ("[0-z]", 2, P::SetRange),
        ("[a-]", 2, P::SetRange),
        ("[-a]", 1, P::SetRange),
        ("a\\", 1, P::TrailingEscape),
        ("a++", 2, P::NothingToRepeat('+')),
        ("!a*+", 3, P::NothingToRepeat('+')),
        ("a???", 3, P::NothingToRepeat('?')),
    ] {
        let error = Pattern::parse(pattern).unwrap_err();
        assert_eq!((error.offset, error.problem), (offset, problem), "{pattern}");
    }
    let long = Pattern::parse(&"a".repeat(5000)).unwrap_err();
    assert_eq!(long.problem, P::TooLong);
    let text = Pattern::parse("ü[").unwrap_err().to_string();
    assert_eq!(
        text,
        "invalid filter pattern `ü[` at character 2: `[` has no closing `]`; write `\\[` if it is part of the name"
    );
}

#[test]
fn doubtful_quantifiers_are_accepted_with_a_caution() {
    for (pattern, value) in
        [("+x", "+x"), ("?", "?"), ("!+x", "+x"), ("a*?", "abc"), ("a+?", "aa"), ("a??", "")]
    {
        let pattern = Pattern::parse(pattern).unwrap();
        assert!(pattern.matches(value), "{pattern}");
        assert!(pattern.caution().is_some(), "{pattern}");
    }
    assert!(Pattern::parse("a+b?c*").unwrap().caution().is_none());
}

#[test]
fn lists_decide_in_order() {
    use FilterMode::{Filter as F, Ignore as I};
    type Case = (FilterMode, &'static [&'static str], &'static [&'static str], bool, &'static str);
    let table: &[Case] = &[
        (F, &[], &["main"], true, "there is no path filter"),
        (F, &["*.md", "!README.md"], &["hello.md"], true, "path `hello.md` matches `*.md`"),
        (F, &["*.md", "!README.md"], &["README.md"], false, "path `README.md` is excluded by `!README.md`"),
        (F, &["*.md", "!README.md", "README*"], &["README.md"], true, "path `README.md` matches `README*`"),
        (F, &["!README.md", "**"], &["README.md"], true, "path `README.md` matches `**`"),
        (F, &["!docs/**"], &["src/a"], false, "path `src/a` matches no pattern"),
        (F, &["src/**"], &["a", "b", "src/c"], true, "path `src/c` matches `src/**`"),
        (F, &["src/**"], &["a", "b"], false, "path `b` matches no pattern (and 1 more)"),
        (F, &["**"], &[], false, "the event has no path to compare with the filter"),
        (I, &[], &["a"], true, "there is no path filter"),
        (
            I,
            &["docs/**", "**.md"],
            &["docs/a", "b.md"],
            false,
            "path `b.md` is ignored by `**.md` (and 1 more)",
        ),
        (I, &["docs/**"], &["docs/a", "src/a"], true, "path `src/a` is not ignored"),
        (I, &["docs/**"], &[], false, "the event has no path to compare with the filter"),
        (I, &["!src/**"], &["docs/a"], false, "path `docs/a` is ignored by `!src/**`"),
        (I, &["!src/**"], &["src/a"], true, "path `src/a` is not ignored"),
    ];
    for (mode, patterns, values, expected, why) in table {
        let filter = Filter::parse(patterns, *mode).unwrap();
        let verdict = filter.verdict(values);
        assert_eq!(verdict.runs, *expected, "{patterns:?} {values:?}");
        assert_eq!(runs(filter.patterns(), values, *mode), *expected);
        assert_eq!(filter.explain("path", values, &verdict), *why);
    }
}

#[test]
fn hard_patterns_stay_fast() {
    let pattern = Pattern::parse(&"**a".repeat(400)).unwrap();
    assert!(!pattern.matches(&"a".repeat(399)));
    let pattern = Pattern::parse(&"a?".repeat(1000)).unwrap();
    assert!(pattern.matches(&"a".repeat(1000)));
}

/// Whether a character fits the single-character element at the start of a pattern.
type Fits = fn(char, &[char]) -> bool;

/// Backtracking matcher straight from the definition, for short inputs.
fn naive(pattern: &[char], value: &[char]) -> bool {
    let (one, rest): (Fits, &[char]) = match pattern {
        [] => return value.is_empty(),
        ['*', '*', '/', rest @ ..] => {
            return naive(rest, value)
                || (1..value.len()).any(|i| value[i] == '/' && naive(rest, &value[i + 1..]));
        }
        ['*', '*', rest @ ..] => return (0..=value.len()).any(|i| naive(rest, &value[i..])),
        ['*', rest @ ..] => {
            return (0..=value.len())
                .take_while(|i| !value[..*i].contains(&'/'))
                .any(|i| naive(rest, &value[i..]));
        }
        ['[', _, '-', _, ']', rest @ ..] => (|c, p| (p[1]..=p[3]).contains(&c), rest),
        [_, rest @ ..] => (|c, p| p[0] == c, rest),
    };
    let first = value.first().is_some_and(|c| one(*c, pattern));
    match rest {
        ['?', rest @ ..] => naive(rest, value) || (first && naive(rest, &value[1..])),
        ['+', after @ ..] => (1..=value.len())
            .take_while(|i| value[..*i].iter().all(|c| one(*c, pattern)))
            .any(|i| naive(after, &value[i..])),
        _ => first && naive(rest, &value[1..]),
    }
}

proptest! {
    #[test]
    fn agrees_with_the_naive_matcher(
        parts in prop::collection::vec(
            prop::sample::select(vec!["a", "b", "/", "*", "**", "**/", "a?", "b+", "[a-b]", "[a-b]+", "[a-b]?"]), 1..7),
        value in "[ab/]{0,8}",
    ) {
        let text = parts.concat();
        let pattern = Pattern::parse(&text).unwrap();
        let chars: Vec<char> = text.chars().collect();
        let value_chars: Vec<char> = value.chars().collect();
        prop_assert_eq!(pattern.matches(&value), naive(&chars, &value_chars), "{}", text);
    }

    #[test]
    fn never_panics(text in any::<String>(), marks in r"[\[\]*?+!\\a0/-]{0,12}", value in any::<String>()) {
        for text in [&text, &marks] {
            if let Ok(pattern) = Pattern::parse(text) {
                pattern.matches(&value);
                prop_assert_eq!(pattern.as_str(), text);
            }
        }
    }

    #[test]
    fn an_escaped_name_matches_itself(name in "[a-z*?+!/\\[\\]]{1,20}") {
        let escaped: String = name.chars().flat_map(|c| ['\\', c]).collect();
        prop_assert!(is_match(&escaped, &name));
    }
}
