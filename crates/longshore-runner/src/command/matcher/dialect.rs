//! Regular expressions of .NET, with its option `ECMAScript`, brought into the dialect of `regex`.
//!
//! Sans-IO. The runner matches with .NET, which searches for a way to match by trial and gives up after a second; ours
//! takes time in proportion to pattern and line, and can therefore have no look-around, no backreferences, no atomic and
//! no conditional groups. Apart from these, differences are of spelling: classes are those of ASCII, `[` is a letter in a
//! class, `{` is one where no count follows, and groups with names are numbered after those without.

use regex::{Regex, RegexBuilder};

/// The largest compiled pattern in bytes; together with the limit of lines it bounds what a line may cost.
const COMPILED_LIMIT: usize = 512 * 1024;

/// The longest pattern in bytes.
const PATTERN_LIMIT: usize = 16 * 1024;

/// A pattern that can be matched.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) regex: Regex,
    /// For each group of .NET, in the order of its numbers, our number of it. The first is the whole match.
    pub(super) groups: Vec<usize>,
}

/// Why a pattern cannot be matched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DialectError {
    /// .NET can, but we cannot: why.
    Unsupported(String),
    /// Nobody can: why.
    Invalid(String),
}

fn unsupported<T>(what: &str) -> Result<T, DialectError> {
    Err(DialectError::Unsupported(format!("its pattern needs {what}")))
}

/// Compiles a pattern of .NET.
pub(super) fn compile(pattern: &str) -> Result<Compiled, DialectError> {
    if pattern.len() > PATTERN_LIMIT {
        return unsupported("more than 16 KiB of text");
    }
    let mut translation = Translation::new(pattern);
    translation.translate()?;
    let built = RegexBuilder::new(&translation.output).size_limit(COMPILED_LIMIT).nest_limit(100).build();
    let regex = match built {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(_)) => return unsupported("too much memory"),
        Err(error) => return Err(DialectError::Invalid(last_line(&error.to_string()))),
    };
    let (plain, named): (Vec<_>, Vec<_>) =
        translation.named.iter().enumerate().partition(|(_, named)| !**named);
    let groups = plain.iter().chain(&named).map(|(index, _)| index + 1);
    let groups = std::iter::once(0).chain(groups).collect();
    Ok(Compiled { regex, groups })
}

/// The errors of `regex` draw the pattern, and end with what is wrong.
fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

struct Translation<'p> {
    rest: &'p str,
    output: String,
    /// For each capturing group in its order, whether it has a name.
    named: Vec<bool>,
}

impl<'p> Translation<'p> {
    fn new(pattern: &'p str) -> Self {
        Self { rest: pattern, output: String::with_capacity(pattern.len() * 2), named: Vec::new() }
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = self.rest.get(character.len_utf8()..).unwrap_or_default();
        Some(character)
    }

    fn skip(&mut self, prefix: &str) -> bool {
        self.rest.strip_prefix(prefix).map(|rest| self.rest = rest).is_some()
    }

    fn translate(&mut self) -> Result<(), DialectError> {
        while let Some(character) = self.next() {
            match character {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' => self.count(),
                '}' | ']' => self.literal(character),
                other => self.output.push(other),
            }
        }
        Ok(())
    }

    fn literal(&mut self, character: char) {
        // `\<` and `\>` are the edges of words in `regex`.
        if character.is_ascii_punctuation() && !matches!(character, '<' | '>') {
            self.output.push('\\');
        }
        self.output.push(character);
    }

    /// `{n}`, `{n,}` and `{n,m}` count; any other `{` is a letter.
    fn count(&mut self) {
        let inner = self.rest.split_once('}').map(|(inner, _)| inner);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let counts = inner.is_some_and(|inner| match inner.split_once(',') {
            None => digits(inner),
            Some((from, to)) => digits(from) && (to.is_empty() || digits(to)),
        });
        match inner.filter(|_| counts) {
            Some(inner) => {
                self.output.push('{');
                self.output.push_str(inner);
                self.output.push('}');
                self.rest = self.rest.get(inner.len() + 1..).unwrap_or_default();
            }
            None => self.literal('{'),
        }
    }

    /// What follows `(`.
    fn group(&mut self) -> Result<(), DialectError> {
        if !self.skip("?") {
            self.named.push(false);
            self.output.push('(');
            return Ok(());
        }
        if self.skip("#") {
            let end = self.rest.find(')').ok_or_else(|| invalid("a comment without an end"))?;
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            return Ok(());
        }
        if ["=", "!", "<=", "<!"].iter().any(|prefix| self.rest.starts_with(prefix)) {
            return unsupported("look-around, which cannot be matched in linear time");
        }
        if self.rest.starts_with('>') {
            return unsupported("an atomic group, which cannot be matched in linear time");
        }
        if self.rest.starts_with('(') {
            return unsupported("a conditional group, which cannot be matched in linear time");
        }
        if self.skip("<") {
            return self.named_group('>');
        }
        if self.skip("'") {
            return self.named_group('\'');
        }
        self.options()
    }

    fn named_group(&mut self, end: char) -> Result<(), DialectError> {
        let (name, rest) = self.rest.split_once(end).ok_or_else(|| invalid("a name without an end"))?;
        let letter = |character: char| character.is_alphanumeric() || character == '_';
        if name.contains('-') || name.starts_with(|first: char| first.is_ascii_digit()) {
            return unsupported("a balancing or numbered group");
        }
        if name.is_empty() || !name.chars().all(letter) {
            return Err(invalid("the name of a group is not a word"));
        }
        self.rest = rest;
        self.named.push(true);
        // Names are not needed, and the same one may stand twice only in .NET.
        if self.names_again(name) {
            return unsupported("two groups with one name");
        }
        self.output.push_str("(?P<");
        self.output.push_str(&spelled(name));
        self.output.push('>');
        Ok(())
    }

    fn names_again(&self, name: &str) -> bool {
        self.output.contains(&format!("(?P<{}>", spelled(name)))
    }

    /// `(?:`, `(?i)`, `(?i:` and the like.
    fn options(&mut self) -> Result<(), DialectError> {
        let end = self.rest.find([':', ')']).ok_or_else(|| invalid("a group without an end"))?;
        let (options, rest) = self.rest.split_at(end);
        if options.contains(['n', 'x', 'N', 'X']) {
            return unsupported("the option `n` or `x`");
        }
        if !options.chars().all(|option| matches!(option, 'i' | 'm' | 's' | 'I' | 'M' | 'S' | '-')) {
            return Err(invalid("an unknown option of a group"));
        }
        self.rest = rest;
        let end = self.next().unwrap_or(')');
        let options = options.to_ascii_lowercase();
        let options = options.strip_suffix('-').unwrap_or(&options);
        if options.is_empty() && end == ')' {
            return Ok(());
        }
        self.output.push_str("(?");
        self.output.push_str(options);
        self.output.push(end);
        Ok(())
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), DialectError> {
        let Some(character) = self.next() else { return Err(invalid("a backslash at the end")) };
        let text = match character {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            's' => r"[\x20\f\n\r\t\v]",
            'S' => r"[^\x20\f\n\r\t\v]",
            'b' if in_class => r"\x08",
            'b' => r"(?-u:\b)",
            'B' if !in_class => r"(?-u:\B)",
            'A' if !in_class => r"\A",
            'Z' | 'z' if !in_class => r"\z",
            'a' => r"\x07",
            'e' => r"\x1B",
            'f' => r"\f",
            'n' => r"\n",
            'r' => r"\r",
            't' => r"\t",
            'v' => r"\v",
            'x' => return self.code_point(2),
            'u' => return self.code_point(4),
            'c' => return self.control(),
            'p' | 'P' => return self.category(character),
            '0' => {
                self.octal();
                return Ok(());
            }
            '1'..='9' if in_class => return unsupported("octal numbers"),
            '1'..='9' | 'k' => return unsupported("a backreference, which cannot be matched in linear time"),
            'G' => return unsupported("the place of the last match"),
            other if other.is_alphanumeric() => return Err(invalid(&format!("`\\{other}` has no meaning"))),
            other => {
                self.literal(other);
                return Ok(());
            }
        };
        self.output.push_str(text);
        Ok(())
    }

    fn code_point(&mut self, digits: usize) -> Result<(), DialectError> {
        let code = self.rest.get(..digits).and_then(|text| u32::from_str_radix(text, 16).ok());
        let code = code.ok_or_else(|| invalid("too few hexadecimal digits"))?;
        self.rest = self.rest.get(digits..).unwrap_or_default();
        self.push_code(code);
        Ok(())
    }

    fn octal(&mut self) {
        let digits = self.rest.bytes().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        let code = u32::from_str_radix(self.rest.get(..digits).unwrap_or_default(), 8).unwrap_or_default();
        self.rest = self.rest.get(digits..).unwrap_or_default();
        self.push_code(code);
    }

    fn control(&mut self) -> Result<(), DialectError> {
        let letter = self.next().map(|letter| letter.to_ascii_uppercase());
        let code =
            letter.filter(|letter| ('@'..='_').contains(letter)).map(|letter| u32::from(letter) - 0x40);
        self.push_code(code.ok_or_else(|| invalid("`\\c` without a letter"))?);
        Ok(())
    }

    fn push_code(&mut self, code: u32) {
        self.output.push_str(&format!("\\x{{{code:X}}}"));
    }

    fn category(&mut self, kind: char) -> Result<(), DialectError> {
        let inner = self.rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (name, rest) = inner.ok_or_else(|| invalid("`\\p` without a name"))?;
        // General categories are the same in both; .NET's others are blocks.
        if name.len() > 2 {
            return unsupported("a named block of Unicode");
        }
        self.rest = rest;
        self.output.push_str(&format!("\\{kind}{{{name}}}"));
        Ok(())
    }

    /// What follows `[`, to its `]`.
    fn class(&mut self) -> Result<(), DialectError> {
        self.output.push('[');
        if self.skip("^") {
            self.output.push('^');
        }
        let mut first = true;
        loop {
            let character = self.next().ok_or_else(|| invalid("a class without an end"))?;
            match character {
                ']' if !first => break,
                '\\' => self.escape(true)?,
                '-' if !first && self.rest.starts_with('[') => return unsupported("a difference of classes"),
                '-' => self.dash(first),
                other => self.literal(other),
            }
            first = false;
        }
        self.output.push(']');
        Ok(())
    }

    /// `-` makes a range between two letters. Beside a class such as `\w`, first or last it is a letter itself.
    fn dash(&mut self, first: bool) {
        let beside_class = self.output.ends_with(']') && !self.output.ends_with("\\]");
        let before_class = ["\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\p", "\\P", "]"];
        let letter = first || beside_class || before_class.iter().any(|class| self.rest.starts_with(class));
        self.output.push_str(if letter { "\\-" } else { "-" });
    }
}

fn invalid(problem: &str) -> DialectError {
    DialectError::Invalid(problem.to_owned())
}

/// The name in letters that `regex` takes: digits and letters of all scripts as their code points.
fn spelled(name: &str) -> String {
    name.chars().fold("g".to_owned(), |text, letter| format!("{text}_{:x}", u32::from(letter)))
}

#[cfg(test)]
mod tests {
    use super::{DialectError, compile};

    /// What the groups of .NET found, or why there is nothing.
    fn found(pattern: &str, line: &str) -> String {
        match compile(pattern) {
            Err(DialectError::Invalid(_)) => "invalid".to_owned(),
            Err(DialectError::Unsupported(_)) => "unsupported".to_owned(),
            Ok(compiled) => compiled.regex.captures(line).map_or_else(
                || "nothing".to_owned(),
                |captures| {
                    let text = |group: &usize| captures.get(*group).map_or("", |found| found.as_str());
                    compiled.groups.iter().map(text).collect::<Vec<_>>().join("|")
                },
            ),
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_to_dot_net() {
        for (pattern, line, expected) in [
            (r"^(\w+):(\d+)$", "file:12", "file:12|file|12"),
            (r"^\w+$", "naïve", "nothing"),
            (r"\d", "٣", "nothing"),
            (r"^[^\s]+\s[\w.-]+$", "ä b.c-d", "ä b.c-d"),
            (r"^[\w-.]+$", "a-.b", "a-.b"),
            (r"^[a\-z]+$", "a-z", "a-z"),
            (r"^[[a]+$", "[a[", "[a["),
            (r"^[]a]+$", "]a", "]a"),
            (r"^[^]a]+$", "]", "nothing"),
            (r"^[a&&b~~]+$", "a&b~", "a&b~"),
            (r"^[\]-a]+$", "]^_`a", "]^_`a"),
            (r"a{2}{x}{,3}", "aa{x}{,3}", "aa{x}{,3}"),
            (r"^{\S}]$", "{a}]", "{a}]"),
            (r"(?<x>a)(b)", "ab", "ab|b|a"),
            (r"(?'x'a)(?:b)(?i:C)(?#comment)c", "abcc", "abcc|a"),
            (r"(?i)ERROR", "error", "error"),
            (r"\x41\u0042\cI\e\0\/\<\>\ \-\'", "AB\t\x1b\0/<> -'", "AB\t\x1b\0/<> -'"),
            (r"\bé", "aé", "é"),
            (r"a\Z", "a", "a"),
            (r"(a)|(b)", "b", "b||b"),
            (r"\p{Lu}", "É", "É"),
            ("", "x", ""),
            (r"(?=a)", "", "unsupported"),
            (r"(?<!a)b", "", "unsupported"),
            (r"(?>a)b", "", "unsupported"),
            (r"(a)\1", "", "unsupported"),
            (r"(?<x>a)\k<x>", "", "unsupported"),
            (r"(?(a)b|c)", "", "unsupported"),
            (r"[a-z-[aeiou]]", "", "unsupported"),
            (r"(?<x>a)(?<x>b)", "", "unsupported"),
            (r"(?x) a", "", "unsupported"),
            (r"((((a{99}){99}){99}){99})", "", "unsupported"),
            (r"\y", "", "invalid"),
            (r"(", "", "invalid"),
            (r"[a", "", "invalid"),
            (r"a\", "", "invalid"),
            (r"*", "", "invalid"),
            (r"(?z)", "", "invalid"),
        ] {
            assert_eq!(found(pattern, line), expected, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_would_take_long_do_not() {
        let line = "a".repeat(16 * 1024);
        assert_eq!(found(r"^(a+)+b$", &line), "nothing");
        assert_eq!(found(&"(".repeat(1000), ""), "invalid");
        assert_eq!(found(&"a".repeat(20_000), ""), "unsupported");
    }
}
