//! Taking secrets out of text.
//!
//! Follows the `SecretMasker` of actions/runner: a secret is replaced by `***` wherever it stands, whole, line by line, and
//! in the forms that programs print it in: Base64 at every alignment, percent-encoded, escaped for JSON and XML.
//! Matches that touch or overlap become one `***`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// What stands in place of a secret.
const MASK: &str = "***";

/// Lines of a secret over several lines that are shorter than this are no secret: `{` and `}` of a JSON document.
const SHORTEST_LINE: usize = 4;

/// Encoded forms of secrets that are shorter than this would match by chance.
const SHORTEST_ENCODED: usize = 4;

/// The secrets of a run. Shared by everything that makes events of text; secrets may come at any time.
#[derive(Default)]
pub struct Masker {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    patterns: BTreeSet<String>,
    search: Option<Arc<AhoCorasick>>,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Masker")
    }
}

impl Masker {
    /// Masks these from now on. Blank values are no secrets.
    pub fn add<'s>(&self, secrets: impl IntoIterator<Item = &'s str>) {
        let mut forms = BTreeSet::new();
        secrets.into_iter().for_each(|secret| add_forms(secret, &mut forms));
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let before = state.patterns.len();
        state.patterns.append(&mut forms);
        if state.patterns.len() != before {
            let built = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&state.patterns);
            // Too many secrets for one automaton: nothing can be shown any more, rather than everything.
            let all = || AhoCorasick::new([""]).ok();
            state.search = built.ok().or_else(all).map(Arc::new);
        }
    }

    /// The text without secrets.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let search = self.state.read().unwrap_or_else(PoisonError::into_inner).search.clone();
        search.map_or(Cow::Borrowed(text), |search| mask(&search, text))
    }

    /// Whether the text holds a secret.
    pub fn finds_in(&self, text: &str) -> bool {
        matches!(self.mask(text), Cow::Owned(_))
    }
}

fn mask<'t>(search: &AhoCorasick, text: &'t str) -> Cow<'t, str> {
    let mut ranges: Vec<(usize, usize)> =
        search.find_overlapping_iter(text).map(|found| (found.start(), found.end())).collect();
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    ranges.sort_unstable();
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for (start, stop) in ranges {
        if masked.is_empty() && end == 0 || start > end {
            masked.push_str(text.get(end..start).unwrap_or_default());
            masked.push_str(MASK);
        }
        end = end.max(stop);
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(masked)
}

/// Adds the forms in which a secret may be printed.
fn add_forms(secret: &str, forms: &mut BTreeSet<String>) {
    let trimmed = secret.trim();
    if trimmed.is_empty() {
        return;
    }
    forms.insert(secret.to_owned());
    forms.insert(trimmed.to_owned());
    let lines = trimmed.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    forms.extend(lines.map(str::to_owned));
    if secret.len() >= SHORTEST_ENCODED {
        for form in [secret, trimmed] {
            add_encoded(form, forms);
        }
    }
}

fn add_encoded(secret: &str, forms: &mut BTreeSet<String>) {
    let bytes = secret.as_bytes();
    for skipped in 0..3 {
        // What stands before the secret decides how it falls into groups of three bytes; the first and last group may
        // hold bits of neighbours, so only whole groups are looked for.
        let Some(rest) = bytes.get(skipped..) else { continue };
        let whole = rest.len() - rest.len() % 3;
        let Some(rest) = rest.get(..whole).filter(|rest| rest.len() >= SHORTEST_ENCODED) else { continue };
        forms.insert(BASE64_STANDARD_NO_PAD.encode(rest));
        forms.insert(BASE64_URL_SAFE_NO_PAD.encode(rest));
    }
    forms.insert(BASE64_STANDARD_NO_PAD.encode(bytes));
    forms.insert(percent_encoded(bytes, false));
    forms.insert(percent_encoded(bytes, true));
    forms.insert(json_escaped(secret));
    forms.insert(xml_escaped(secret));
    if let Some(inner) = secret.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && inner.len() >= SHORTEST_ENCODED
    {
        forms.insert(inner.to_owned());
    }
}

fn percent_encoded(bytes: &[u8], plus: bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(*byte));
            }
            b' ' if plus => text.push('+'),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn json_escaped(secret: &str) -> String {
    let mut text = String::with_capacity(secret.len());
    for character in secret.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            other if other.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(other))),
            other => text.push(other),
        }
    }
    text
}

fn xml_escaped(secret: &str) -> String {
    let mut text = String::with_capacity(secret.len());
    for character in secret.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&apos;"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    use super::Masker;

    fn masker(secrets: &[&str]) -> Masker {
        let masker = Masker::default();
        masker.add(secrets.iter().copied());
        masker
    }

    #[test]
    fn what_touches_becomes_one_mask() {
        let masker = masker(&["abcd", "cdef", "1234"]);
        assert_eq!(masker.mask("x abcdef1234 y abcd z"), "x *** y *** z");
        assert_eq!(masker.mask("abcdabcd"), "***");
        assert_eq!(masker.mask("nothing here"), "nothing here");
    }

    #[test]
    fn blank_values_mask_nothing() {
        assert_eq!(masker(&["", " \n "]).mask("a b  c"), "a b  c");
    }

    #[test]
    fn lines_of_a_secret_are_secrets() {
        let masker = masker(&["-----BEGIN-----\nMIIEow\n}\n"]);
        assert_eq!(masker.mask("key: MIIEow }"), "key: *** }");
    }

    #[test]
    fn encoded_secrets_are_found_at_every_alignment() {
        let masker = masker(&["hunter2-and-more"]);
        for before in ["", "a", "ab", "abc", "user:"] {
            let encoded = BASE64_STANDARD.encode(format!("{before}hunter2-and-more"));
            let shown = masker.mask(&encoded);
            assert!(shown.contains("***"), "{before}: {shown}");
            assert!(shown.len() <= 3 + 14, "{before}: {shown}");
        }
        let masker = self::masker(&["p&ss \"w<rd>"]);
        for form in
            ["p%26ss%20%22w%3Crd%3E", "p%26ss+%22w%3Crd%3E", r#"p&ss \"w<rd>"#, "p&amp;ss &quot;w&lt;rd&gt;"]
        {
            assert_eq!(masker.mask(form), "***");
        }
    }

    #[test]
    fn secrets_may_come_later() {
        let masker = masker(&["first"]);
        assert!(!masker.finds_in("second"));
        masker.add(["second"]);
        assert_eq!(masker.mask("first, second"), "***, ***");
    }
}
