//! Compiles the text of a filter pattern into steps.
//!
//! Kept apart from matching so that each is read on its own. One pass from left to right, no recursion.

use super::{Class, MAX_PATTERN_BYTES, Pattern, PatternError, PatternProblem, Step};

/// What the last step allows a following quantifier to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Start of the pattern.
    Nothing,
    /// A character or set, which may be repeated.
    Single,
    /// A wildcard or a quantifier; one `?` has no effect after it.
    Repeated,
    /// A `?` without effect; nothing more may follow.
    Settled,
}

pub(super) fn pattern(text: &str) -> Result<Pattern, PatternError> {
    let body = text.strip_prefix('!');
    let mut parser = Parser {
        text,
        at: text.len() - body.unwrap_or(text).len(),
        steps: Vec::new(),
        before: Before::Nothing,
        caution: None,
    };
    if text.len() > MAX_PATTERN_BYTES {
        return Err(parser.problem(MAX_PATTERN_BYTES, PatternProblem::TooLong));
    }
    if text.is_empty() {
        return Err(parser.problem(0, PatternProblem::Empty));
    }
    if body == Some("") {
        return Err(parser.problem(0, PatternProblem::LoneNegation));
    }
    while let Some(c) = parser.peek() {
        parser.step(c)?;
    }
    Ok(Pattern {
        text: text.to_owned(),
        negative: body.is_some(),
        steps: parser.steps,
        caution: parser.caution,
    })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    steps: Vec<Step>,
    before: Before,
    caution: Option<PatternError>,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn problem(&self, offset: usize, problem: PatternProblem) -> PatternError {
        PatternError { pattern: self.text.to_owned(), offset, problem }
    }

    fn push(&mut self, class: Class, skip: usize, repeat: bool) {
        self.steps.push(Step { class, skip, repeat });
    }

    fn single(&mut self, class: Class) {
        self.push(class, 0, false);
        self.before = Before::Single;
    }

    fn step(&mut self, c: char) -> Result<(), PatternError> {
        match c {
            '*' => self.wildcard(),
            '?' | '+' => self.quantifier(c)?,
            '[' => self.set()?,
            '\\' => {
                let Some(plain) = self.rest().chars().nth(1) else {
                    return Err(self.problem(self.at, PatternProblem::TrailingEscape));
                };
                self.at += 1 + plain.len_utf8();
                self.single(Class::Literal(plain));
            }
            _ => {
                self.at += c.len_utf8();
                self.single(Class::Literal(c));
            }
        }
        Ok(())
    }

    fn wildcard(&mut self) {
        if self.rest().starts_with("**/") {
            // One or more characters and a slash, or nothing: the first step can skip all three.
            self.push(Class::Any, 3, false);
            self.push(Class::Any, 1, true);
            self.push(Class::Literal('/'), 0, false);
            self.at += 3;
        } else if self.rest().starts_with("**") {
            self.push(Class::Any, 1, true);
            self.at += 2;
        } else {
            self.push(Class::NotSlash, 1, true);
            self.at += 1;
        }
        self.before = Before::Repeated;
    }

    fn quantifier(&mut self, c: char) -> Result<(), PatternError> {
        let here = self.at;
        match (self.before, c) {
            (Before::Nothing, _) => {
                self.caution = Some(self.problem(here, PatternProblem::LeadingQuantifier(c)));
                self.single(Class::Literal(c));
            }
            (Before::Single, '?') => {
                if let Some(step) = self.steps.last_mut() {
                    step.skip = 1;
                }
                self.before = Before::Repeated;
            }
            (Before::Single, _) => {
                if let Some(class) = self.steps.last().map(|step| step.class.clone()) {
                    self.push(class, 1, true);
                }
                self.before = Before::Repeated;
            }
            (Before::Repeated, '?') => {
                let caution = self.problem(here, PatternProblem::NothingToRepeat(c));
                self.caution.get_or_insert(caution);
                self.before = Before::Settled;
            }
            (Before::Repeated | Before::Settled, _) => {
                return Err(self.problem(here, PatternProblem::NothingToRepeat(c)));
            }
        }
        self.at += 1;
        Ok(())
    }

    fn set(&mut self) -> Result<(), PatternError> {
        let open = self.at;
        let Some(length) = self.rest().find(']') else {
            return Err(self.problem(open, PatternProblem::UnclosedSet));
        };
        let members: Vec<(usize, char)> = self
            .rest()
            .char_indices()
            .take_while(|(at, _)| *at < length)
            .skip(1)
            .map(|(at, c)| (open + at, c))
            .collect();
        if members.is_empty() {
            return Err(self.problem(open, PatternProblem::EmptySet));
        }
        let ranges = self.ranges(&members)?;
        self.single(Class::Set(ranges));
        self.at = open + length + 1;
        Ok(())
    }

    fn ranges(&self, members: &[(usize, char)]) -> Result<Vec<(char, char)>, PatternError> {
        let mut ranges = Vec::new();
        let mut rest = members;
        while let [(at, low), tail @ ..] = rest {
            if *low == '-' {
                return Err(self.problem(*at, PatternProblem::SetRange));
            }
            let kind = kind_of(*low).ok_or_else(|| self.problem(*at, PatternProblem::SetCharacter(*low)))?;
            let (range, remaining) = match tail {
                [(dash, '-'), tail @ ..] => {
                    let [(_, high), tail @ ..] = tail else {
                        return Err(self.problem(*dash, PatternProblem::SetRange));
                    };
                    if kind_of(*high) != Some(kind) || high < low {
                        return Err(self.problem(*dash, PatternProblem::SetRange));
                    }
                    ((*low, *high), tail)
                }
                _ => ((*low, *low), tail),
            };
            ranges.push(range);
            rest = remaining;
        }
        Ok(ranges)
    }
}

/// Which of the two alphabets of a set a character belongs to; `A` to `z` holds a few signs between the letters.
fn kind_of(c: char) -> Option<bool> {
    match c {
        '0'..='9' => Some(true),
        'A'..='z' => Some(false),
        _ => None,
    }
}
