//! Files of problem matchers.
//!
//! Sans-IO. What the runner refuses is an error here, too, in its words; one pattern that only we refuse costs its matcher
//! and nothing else.

use regex::Regex;
use serde::Deserialize;

use super::dialect::{self, DialectError};
use super::{FIELDS, Field};

/// The largest file of problem matchers in bytes.
pub const MATCHER_FILE_LIMIT: u64 = 1024 * 1024;

/// Why the file of `::add-matcher::` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// It is larger than [`MATCHER_FILE_LIMIT`].
    #[error("the file of problem matchers is larger than {MATCHER_FILE_LIMIT} bytes")]
    TooLarge,
    /// It is no JSON, or not of this form.
    #[error("the file of problem matchers is not valid: {0}")]
    Json(String),
    /// A matcher has no owner.
    #[error("Owner must not be empty")]
    NoOwner,
    /// Two matchers have one owner.
    #[error("Duplicate owner name '{0}'")]
    DuplicateOwner(String),
    /// The severity of a matcher is none.
    #[error("Matcher '{0}' contains unexpected default severity '{1}'")]
    Severity(String, String),
    /// A matcher has no patterns.
    #[error("Matcher '{0}' does not contain any patterns")]
    NoPatterns(String),
    /// No pattern finds a message.
    #[error("At least one pattern must set 'message'")]
    NoMessage,
    /// A pattern before the last one, or a single one, has `loop`.
    #[error("Only the last pattern in a multiline matcher may set 'loop'")]
    Loop,
    /// A pattern with `loop` finds no message.
    #[error("The loop pattern must set 'message'")]
    LoopWithoutMessage,
    /// Two patterns set one property.
    #[error("The property '{0}' is set twice")]
    SetTwice(&'static str),
    /// A property names a group that the pattern does not have.
    #[error("The property '{property}' is set to {group} which is out of range")]
    OutOfRange {
        /// The property.
        property: &'static str,
        /// The number of the group.
        group: i64,
    },
    /// A pattern is no regular expression.
    #[error("Invalid pattern of matcher '{owner}': {problem}")]
    Pattern {
        /// The matcher.
        owner: String,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
struct FileDto {
    #[serde(default, rename = "problemMatcher")]
    matchers: Option<Vec<MatcherDto>>,
}

#[derive(Deserialize)]
struct MatcherDto {
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    pattern: Option<Vec<PatternDto>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PatternDto {
    #[serde(default)]
    regexp: Option<String>,
    #[serde(default)]
    file: Option<NumberDto>,
    #[serde(default)]
    from_path: Option<NumberDto>,
    #[serde(default)]
    line: Option<NumberDto>,
    #[serde(default)]
    column: Option<NumberDto>,
    #[serde(default)]
    severity: Option<NumberDto>,
    #[serde(default)]
    code: Option<NumberDto>,
    #[serde(default)]
    message: Option<NumberDto>,
    #[serde(default, rename = "loop")]
    repeats: Option<bool>,
}

/// The number of a group. Some files write it as a text, which the runner's reader takes.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberDto {
    Number(i64),
    Text(String),
}

/// The matchers of a file, and those that are refused with why.
pub(super) struct MatcherFile {
    pub(super) matchers: Vec<Matcher>,
    pub(super) refused: Vec<(String, String)>,
}

/// One matcher.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) owner: String,
    /// The severity of what does not say its own; blank for `error`.
    pub(super) severity: String,
    /// At least one.
    pub(super) patterns: Vec<Pattern>,
}

/// The pattern of one line.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// What is found by which group.
    pub(super) fields: Vec<(Field, usize)>,
    /// Whether more lines may match it.
    pub(super) repeats: bool,
}

impl MatcherFile {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, MatcherError> {
        let mut file = Self { matchers: Vec::new(), refused: Vec::new() };
        let mut owners = Vec::new();
        for dto in read(bytes)? {
            let owner = dto.owner.clone().unwrap_or_default();
            let matcher = dto.into_matcher()?;
            if owners.contains(&owner.to_lowercase()) {
                return Err(MatcherError::DuplicateOwner(owner));
            }
            owners.push(owner.to_lowercase());
            match matcher {
                Ok(matcher) => file.matchers.push(matcher),
                Err(why) => file.refused.push((owner, why)),
            }
        }
        Ok(file)
    }
}

/// The owners that a file names, for `remove-matcher`.
pub(in crate::command) fn owners(bytes: &[u8]) -> Result<Vec<String>, MatcherError> {
    Ok(read(bytes)?.into_iter().filter_map(|matcher| matcher.owner).collect())
}

fn read(bytes: &[u8]) -> Result<Vec<MatcherDto>, MatcherError> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MATCHER_FILE_LIMIT) {
        return Err(MatcherError::TooLarge);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let file: FileDto =
        serde_json::from_slice(text).map_err(|error| MatcherError::Json(error.to_string()))?;
    Ok(file.matchers.unwrap_or_default())
}

impl MatcherDto {
    /// The matcher, or why it cannot be had here.
    fn into_matcher(self) -> Result<Result<Matcher, String>, MatcherError> {
        let owner = self.owner.filter(|owner| !owner.is_empty()).ok_or(MatcherError::NoOwner)?;
        let severity = self.severity.unwrap_or_default();
        if !["", "error", "warning", "notice"].iter().any(|known| known.eq_ignore_ascii_case(&severity)) {
            return Err(MatcherError::Severity(owner, severity));
        }
        let given = self.pattern.unwrap_or_default();
        let count = given.len();
        let (mut patterns, mut refused, mut set) = (Vec::new(), None, Vec::new());
        for (index, pattern) in given.into_iter().enumerate() {
            if pattern.repeats == Some(true) && (index == 0 || index + 1 < count) {
                return Err(MatcherError::Loop);
            }
            match pattern.into_pattern(&owner, &mut set)? {
                Ok(pattern) => patterns.push(pattern),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        if count == 0 {
            return Err(MatcherError::NoPatterns(owner));
        }
        if !set.contains(&Field::Message) {
            return Err(MatcherError::NoMessage);
        }
        Ok(refused.map_or(Ok(Matcher { owner, severity, patterns }), Err))
    }
}

impl PatternDto {
    fn group(&self, field: Field) -> Option<&NumberDto> {
        match field {
            Field::File => self.file.as_ref(),
            Field::FromPath => self.from_path.as_ref(),
            Field::Line => self.line.as_ref(),
            Field::Column => self.column.as_ref(),
            Field::Severity => self.severity.as_ref(),
            Field::Code => self.code.as_ref(),
            Field::Message => self.message.as_ref(),
        }
    }

    /// The pattern, or why it cannot be had here. `set` are the fields of the patterns before, and then of this one.
    fn into_pattern(
        self,
        owner: &str,
        set: &mut Vec<Field>,
    ) -> Result<Result<Pattern, String>, MatcherError> {
        let repeats = self.repeats == Some(true);
        if repeats && self.message.is_none() {
            return Err(MatcherError::LoopWithoutMessage);
        }
        let mut groups = Vec::new();
        for (field, property) in FIELDS {
            let Some(number) = self.group(field) else { continue };
            if set.contains(&field) {
                return Err(MatcherError::SetTwice(property));
            }
            set.push(field);
            groups.push((field, property, number.value()?));
        }
        let compiled = match dialect::compile(self.regexp.as_deref().unwrap_or_default()) {
            Ok(compiled) => compiled,
            Err(DialectError::Unsupported(why)) => return Ok(Err(why)),
            Err(DialectError::Invalid(problem)) => {
                return Err(MatcherError::Pattern { owner: owner.to_owned(), problem });
            }
        };
        let mut fields = Vec::new();
        for (field, property, group) in groups {
            let found = usize::try_from(group).ok().and_then(|group| compiled.groups.get(group));
            fields.push((field, *found.ok_or(MatcherError::OutOfRange { property, group })?));
        }
        Ok(Ok(Pattern { regex: compiled.regex, fields, repeats }))
    }
}

impl NumberDto {
    fn value(&self) -> Result<i64, MatcherError> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => text
                .trim()
                .parse()
                .map_err(|_| MatcherError::Json(format!("`{text}` is not the number of a group"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MATCHER_FILE_LIMIT, MatcherFile, owners};

    /// Owners that are taken and refused, or the error.
    fn outcome(patterns: &str) -> String {
        let text = format!(r#"{{"problemMatcher":[{{"owner":"o","pattern":{patterns}}}]}}"#);
        outcome_of(text.as_bytes())
    }

    fn outcome_of(bytes: &[u8]) -> String {
        match MatcherFile::parse(bytes) {
            Err(error) => error.to_string(),
            Ok(file) => {
                let taken: Vec<String> = file.matchers.into_iter().map(|matcher| matcher.owner).collect();
                format!("{taken:?} {:?}", file.refused)
            }
        }
    }

    #[test]
    fn patterns_are_checked_as_by_the_runner() {
        for (patterns, expected) in [
            (r#"[{"regexp":"^(.+)$","message":1}]"#, r#"["o"] []"#),
            (r#"[{"regexp":"^(.+)$","message":"1"}]"#, r#"["o"] []"#),
            (r#"[{"regexp":"x","message":0,"unknown":[]}]"#, r#"["o"] []"#),
            (r#"[{"regexp":"(a)","file":1},{"regexp":"(b)","message":1,"loop":true}]"#, r#"["o"] []"#),
            ("[]", "Matcher 'o' does not contain any patterns"),
            ("null", "Matcher 'o' does not contain any patterns"),
            (r#"[{"regexp":"x"}]"#, "At least one pattern must set 'message'"),
            (r#"[{"regexp":"x","message":1}]"#, "The property 'message' is set to 1 which is out of range"),
            (r#"[{"regexp":"x","message":-1}]"#, "The property 'message' is set to -1 which is out of range"),
            (
                r#"[{"regexp":"x","message":0},{"regexp":"y","message":0}]"#,
                "The property 'message' is set twice",
            ),
            (
                r#"[{"regexp":"x","message":0,"loop":true}]"#,
                "Only the last pattern in a multiline matcher may set 'loop'",
            ),
            (
                r#"[{"regexp":"x","message":0},{"regexp":"y","file":0,"loop":true}]"#,
                "The loop pattern must set 'message'",
            ),
        ] {
            assert_eq!(outcome(patterns), expected, "{patterns}");
        }
        let open = outcome(r#"[{"regexp":"(x","message":0}]"#);
        assert!(open.starts_with("Invalid pattern of matcher 'o': "), "{open}");
        let ahead = outcome(r#"[{"regexp":"x(?=y)","message":0}]"#);
        assert!(ahead.starts_with(r#"[] [("o", "#) && ahead.contains("look-around"), "{ahead}");
    }

    #[test]
    fn documents_are_checked_as_a_whole() {
        let one = |owner: &str| format!(r#"{{"owner":"{owner}","pattern":[{{"regexp":"x","message":0}}]}}"#);
        let file = |matchers: &str| format!(r#"{{"problemMatcher":[{matchers}]}}"#);
        for (text, expected) in [
            ("{}".to_owned(), "[] []"),
            ("\u{feff}{\"problemMatcher\":null}".to_owned(), "[] []"),
            (file(&[one("a"), one("A")].join(",")), "Duplicate owner name 'A'"),
            (file(&one("")), "Owner must not be empty"),
            (
                file(&one("a").replacen('{', r#"{"severity":"fatal","#, 1)),
                "Matcher 'a' contains unexpected default severity 'fatal'",
            ),
        ] {
            assert_eq!(outcome_of(text.as_bytes()), expected, "{text}");
        }
        assert!(outcome_of(b"[1").starts_with("the file of problem matchers is not valid: "));
        let deep = format!(r#"{{"problemMatcher":{}"#, "[".repeat(100_000));
        assert!(outcome_of(deep.as_bytes()).starts_with("the file of problem matchers is not valid: "));
        let large = vec![b' '; usize::try_from(MATCHER_FILE_LIMIT).unwrap() + 1];
        assert!(outcome_of(&large).contains("larger"));
        assert_eq!(owners(file(&[one("a"), one("b")].join(",")).as_bytes()).unwrap(), ["a", "b"]);
    }
}
