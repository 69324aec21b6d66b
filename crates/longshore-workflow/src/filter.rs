//! Filter patterns of `branches`, `tags` and `paths`, and whether an event passes them.
//!
//! Follows the "Filter pattern cheat sheet" of GitHub's workflow syntax reference: `*` stays inside one
//! path segment, `**` does not, `**/` also stands for nothing at all, `?` and `+` repeat the character before
//! them, `[…]` is a set of letters and digits, `\` makes the next character plain, and a leading `!` negates.
//! Matching is case-sensitive and covers the whole value.
//!
//! Where the cheat sheet is silent, the rules are those observed by others on GitHub:
//! * A set may hold `A` to `z` (this includes `_`) and digits, nothing else; a range stays within one of the two.
//! * Public sources disagree on a quantifier that has nothing to repeat (`+x`, `*?`). It is read as harmless
//!   (a plain character, or no effect) and reported by [`Pattern::caution`], so that `check` can warn.
//! * `!` in an `…-ignore` list is not documented. It is read as nektos/act does: the value is ignored when it does
//!   *not* match. Field reports about GitHub itself contradict each other, so `check` should advise against it.
//!
//! Invariant: a pattern is a list of steps without nesting, and matching walks all of them side by side, so its cost
//! is at most pattern length × value length, whatever the input.

use std::fmt;

/// Longest accepted pattern in bytes; no Git ref or Linux path can be longer.
pub const MAX_PATTERN_BYTES: usize = 4096;

mod parse;

/// Why a text is not a filter pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid filter pattern `{pattern}` at character {}: {problem}", self.column())]
pub struct PatternError {
    /// The whole pattern as written, with its `!`.
    pub pattern: String,
    /// Byte offset of the problem in `pattern`.
    pub offset: usize,
    /// What is wrong there.
    pub problem: PatternProblem,
}

impl PatternError {
    /// The 1-based character column of the problem.
    pub fn column(&self) -> usize {
        self.pattern.char_indices().take_while(|(at, _)| *at < self.offset).count() + 1
    }
}

/// The kinds of fault in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// The pattern is empty.
    #[error("the pattern is empty; use `**` to match everything")]
    Empty,
    /// Nothing follows the `!`.
    #[error("`!` must be followed by the pattern that it negates")]
    LoneNegation,
    /// `?` or `+` after another quantifier or a wildcard.
    #[error("`{0}` repeats the character before it, but there is a wildcard or another quantifier")]
    NothingToRepeat(char),
    /// `?` or `+` at the start of the pattern.
    #[error(
        "`{0}` repeats the character before it, but it is the first character; write `\\{0}` if it is part of the name"
    )]
    LeadingQuantifier(char),
    /// A `[` without its `]`.
    #[error("`[` has no closing `]`; write `\\[` if it is part of the name")]
    UnclosedSet,
    /// `[]`.
    #[error("`[]` contains no character")]
    EmptySet,
    /// A character that a set cannot hold.
    #[error("a set can only contain letters and digits, not `{0}`")]
    SetCharacter(char),
    /// A `-` without two ends, or with ends that do not belong together.
    #[error("a range needs two ends in order, such as `a-z`, `A-Z` or `0-9`")]
    SetRange,
    /// A backslash at the end.
    #[error("`\\` must be followed by the character that it makes plain")]
    TrailingEscape,
    /// The pattern is longer than [`MAX_PATTERN_BYTES`].
    #[error("the pattern is longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
}

/// What one step of a pattern accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Class {
    Literal(char),
    NotSlash,
    Any,
    Set(Vec<(char, char)>),
}

impl Class {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Literal(l) => *l == c,
            Self::NotSlash => c != '/',
            Self::Any => true,
            Self::Set(ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)),
        }
    }
}

/// One step: a class of characters, and how often it may occur.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    class: Class,
    /// How many steps, this one included, may be left out from here (0 if this step is needed).
    skip: usize,
    /// The step may accept further characters.
    repeat: bool,
}

/// A compiled filter pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    negative: bool,
    steps: Vec<Step>,
    caution: Option<PatternError>,
}

impl Pattern {
    /// Compiles a pattern as it stands in a workflow file, with its leading `!` if it has one.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        parse::pattern(text)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern starts with `!`.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// A construct that is accepted, but hardly means what its author wanted.
    pub fn caution(&self) -> Option<&PatternError> {
        self.caution.as_ref()
    }

    /// Whether the whole of `value` has the form of the pattern; a leading `!` plays no part in this.
    pub fn matches(&self, value: &str) -> bool {
        let mut active = vec![false; self.steps.len() + 1];
        let mut next = active.clone();
        if let Some(start) = active.first_mut() {
            *start = true;
        }
        self.skip_optional(&mut active);
        for c in value.chars() {
            next.fill(false);
            let mut alive = false;
            for (i, step) in self.steps.iter().enumerate() {
                if active.get(i) == Some(&true) && step.class.accepts(c) {
                    let target = if step.repeat { i } else { i + 1 };
                    if let Some(slot) = next.get_mut(target) {
                        *slot = true;
                        alive = true;
                    }
                }
            }
            if !alive {
                return false;
            }
            self.skip_optional(&mut next);
            std::mem::swap(&mut active, &mut next);
        }
        active.last() == Some(&true)
    }

    /// Also marks what is reached without reading a character. Steps only lead forwards, so one pass is enough.
    fn skip_optional(&self, active: &mut [bool]) {
        for (i, step) in self.steps.iter().enumerate() {
            if step.skip > 0
                && active.get(i) == Some(&true)
                && let Some(slot) = active.get_mut(i + step.skip)
            {
                *slot = true;
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How a list of patterns decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterMode {
    /// `branches`, `tags`, `paths`: run if at least one value is included. The last pattern that matches a value decides.
    Filter,
    /// `branches-ignore`, `tags-ignore`, `paths-ignore`: run unless every value is ignored.
    Ignore,
}

/// A list of patterns under one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    patterns: Vec<Pattern>,
    mode: FilterMode,
}

/// What became of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Index of the value.
    pub value: usize,
    /// Index of the pattern that decided; `None` if no pattern applies to the value.
    pub pattern: Option<usize>,
    /// Whether the value speaks for running.
    pub passes: bool,
}

/// Whether the event runs, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the event passes the filter.
    pub runs: bool,
    /// The examined values in order. A value that passes ends the list, since it settles the question.
    pub decisions: Vec<Decision>,
}

impl Filter {
    /// Joins compiled patterns, in the order of the file.
    pub fn new(patterns: Vec<Pattern>, mode: FilterMode) -> Self {
        Self { patterns, mode }
    }

    /// Compiles a list of patterns; the first invalid one is the error.
    pub fn parse<S: AsRef<str>>(patterns: &[S], mode: FilterMode) -> Result<Self, PatternError> {
        let patterns = patterns.iter().map(|p| Pattern::parse(p.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { patterns, mode })
    }

    /// The patterns in order.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Decides for the values of an event: the one ref name, or the changed paths.
    ///
    /// Without patterns the event runs. With patterns but without values it does not, in either mode: a push whose
    /// diff is empty changes no path that could start a workflow.
    pub fn verdict<S: AsRef<str>>(&self, values: &[S]) -> Verdict {
        if self.patterns.is_empty() {
            return Verdict { runs: true, decisions: Vec::new() };
        }
        let mut decisions = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let decision = self.decide(index, value.as_ref());
            decisions.push(decision);
            if decision.passes {
                return Verdict { runs: true, decisions };
            }
        }
        Verdict { runs: false, decisions }
    }

    fn decide(&self, index: usize, value: &str) -> Decision {
        let mut patterns = self.patterns.iter();
        match self.mode {
            FilterMode::Filter => {
                let pattern = patterns.rposition(|p| p.matches(value));
                let included = pattern.and_then(|at| self.patterns.get(at)).is_some_and(|p| !p.negative);
                Decision { value: index, pattern, passes: included }
            }
            FilterMode::Ignore => {
                let pattern = patterns.position(|p| p.matches(value) != p.negative);
                Decision { value: index, pattern, passes: pattern.is_none() }
            }
        }
    }

    /// Says in one sentence why the event runs or not; `noun` names a value, such as `branch` or `path`.
    pub fn explain<S: AsRef<str>>(&self, noun: &str, values: &[S], verdict: &Verdict) -> String {
        if self.patterns.is_empty() {
            return format!("there is no {noun} filter");
        }
        let Some(last) = verdict.decisions.last() else {
            return format!("the event has no {noun} to compare with the filter");
        };
        let name = values.get(last.value).map_or("", AsRef::as_ref);
        let others = verdict.decisions.len() - 1;
        let also = if verdict.runs || others == 0 { String::new() } else { format!(" (and {others} more)") };
        let pattern = last.pattern.and_then(|at| self.patterns.get(at));
        match (self.mode, verdict.runs, pattern) {
            (FilterMode::Filter, true, Some(p)) => format!("{noun} `{name}` matches `{p}`"),
            (FilterMode::Filter, _, Some(p)) => format!("{noun} `{name}` is excluded by `{p}`{also}"),
            (FilterMode::Filter, _, None) => format!("{noun} `{name}` matches no pattern{also}"),
            (FilterMode::Ignore, _, Some(p)) => format!("{noun} `{name}` is ignored by `{p}`{also}"),
            (FilterMode::Ignore, _, None) => format!("{noun} `{name}` is not ignored"),
        }
    }
}

/// Whether an event with these values passes these patterns; see [`Filter::verdict`] for the reasons.
pub fn runs<S: AsRef<str>>(patterns: &[Pattern], values: &[S], mode: FilterMode) -> bool {
    Filter::new(patterns.to_vec(), mode).verdict(values).runs
}

#[cfg(test)]
mod tests;
