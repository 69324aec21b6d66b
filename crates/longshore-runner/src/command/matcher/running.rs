//! How far the matchers have matched in one stream.
//!
//! Sans-IO. The rules are those of the runner's `IssueMatcher`: the patterns of a matcher are tried from the last to the
//! first, so that a line can end one problem and begin another; a pattern that repeats keeps what came before it; and
//! when one matcher has found a problem, the others begin anew.

use std::sync::Arc;

use regex::Captures;

use super::document::{Matcher, Pattern};
use super::{Field, Found, Matchers};

/// The matchers of a stream.
#[derive(Debug, Default)]
pub(in crate::command) struct RunningMatchers {
    generation: u64,
    list: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    matcher: Arc<Matcher>,
    /// What each pattern but the last one has found, together with those before it, if the line before matched.
    found: Vec<Option<Found>>,
}

/// A problem: what is known of it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::command) struct Match(pub(super) Found);

impl RunningMatchers {
    /// Takes over what has changed, and says whether there is anything to match.
    pub(in crate::command) fn update(&mut self, matchers: &Matchers) -> bool {
        if let Some((generation, list)) = matchers.newer_than(self.generation) {
            self.generation = generation;
            let mut old = std::mem::take(&mut self.list);
            let running = |matcher: Arc<Matcher>| {
                let known = old.iter().position(|old| Arc::ptr_eq(&old.matcher, &matcher));
                known.map_or_else(|| Running::new(matcher), |at| old.swap_remove(at))
            };
            self.list = list.into_iter().map(running).collect();
        }
        !self.list.is_empty()
    }

    /// Shows a line to the matchers, until one makes something of it.
    pub(in crate::command) fn find<T>(
        &mut self,
        line: &str,
        mut make: impl FnMut(&Match) -> Option<T>,
    ) -> Option<T> {
        for index in 0..self.list.len() {
            let Some(found) = self.list.get_mut(index).and_then(|running| running.find(line)) else {
                continue;
            };
            let others = self.list.iter_mut().enumerate().filter(|(other, _)| *other != index);
            others.for_each(|(_, other)| other.reset());
            if let Some(made) = make(&found) {
                return Some(made);
            }
        }
        None
    }
}

impl Running {
    fn new(matcher: Arc<Matcher>) -> Self {
        let found = vec![None; matcher.patterns.len().saturating_sub(1)];
        Self { matcher, found }
    }

    fn reset(&mut self) {
        self.found.fill(None);
    }

    fn find(&mut self, line: &str) -> Option<Match> {
        let matcher = Arc::clone(&self.matcher);
        let (last, before) = matcher.patterns.split_last()?;
        let result = self.find_last(last, line, &matcher.severity);
        if result.is_some() {
            return result;
        }
        for (index, pattern) in before.iter().enumerate().rev() {
            let running = match index.checked_sub(1) {
                None => Some(Found::default()),
                Some(previous) => self.found.get(previous).cloned().flatten(),
            };
            let Some(running) = running else { continue };
            let next = pattern.regex.captures(line).map(|captures| extended(running, pattern, &captures));
            if let Some(slot) = self.found.get_mut(index) {
                *slot = next;
            }
        }
        None
    }

    /// Tries the last pattern, whose match is a problem.
    fn find_last(&mut self, last: &Pattern, line: &str, severity: &str) -> Option<Match> {
        let running = match self.found.last() {
            None => Found::default(),
            Some(before) => before.clone()?,
        };
        let Some(captures) = last.regex.captures(line) else {
            self.found.last_mut().map(Option::take);
            return None;
        };
        self.reset();
        if let Some(slot) = self.found.last_mut().filter(|_| last.repeats) {
            *slot = Some(running.clone());
        }
        let mut found = extended(running, last, &captures);
        if !severity.is_empty() && found.text(Field::Severity).is_none_or(str::is_empty) {
            found.0[Field::Severity as usize] = Some(severity.to_owned());
        }
        Some(Match(found))
    }
}

/// A group that had no part in the match found an empty text.
fn extended(mut found: Found, pattern: &Pattern, captures: &Captures<'_>) -> Found {
    for (field, group) in &pattern.fields {
        found.set(*field, captures.get(*group).map_or("", |text| text.as_str()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Field, Matchers, RunningMatchers};

    fn matchers(patterns: &str) -> Matchers {
        let matchers = Matchers::default();
        let file =
            format!(r#"{{"problemMatcher":[{{"owner":"o","severity":"warning","pattern":{patterns}}}]}}"#);
        matchers.add(file.as_bytes()).unwrap();
        matchers
    }

    /// For each line that is a problem: its number, file, severity and message.
    fn problems(matchers: &Matchers, lines: &[&str]) -> Vec<String> {
        let mut running = RunningMatchers::default();
        let mut problems = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            assert!(running.update(matchers));
            problems.extend(running.find(line, |found| {
                let text = |field: Field| found.0.text(field).unwrap_or("-").to_owned();
                Some(format!(
                    "{number} {} {} {}",
                    text(Field::File),
                    text(Field::Severity),
                    text(Field::Message)
                ))
            }));
        }
        problems
    }

    #[test]
    fn single_patterns_match_each_line() {
        let matchers =
            matchers(r#"[{"regexp":"^(\\w+)?: (error)?(.*)$","file":1,"severity":2,"message":3}]"#);
        let found = problems(&matchers, &["a: error x", "nothing", ": y"]);
        assert_eq!(found, ["0 a error  x", "2  warning y"]);
    }

    #[test]
    fn patterns_follow_each_other() {
        let matchers = matchers(
            r#"[{"regexp":"^file (.+)$","file":1},{"regexp":"^-+$"},{"regexp":"^bad (.+)$","message":1}]"#,
        );
        let lines = ["file a", "---", "bad 1", "bad 2", "file b", "bad 3", "file c", "---", "---", "bad 4"];
        assert_eq!(problems(&matchers, &lines), ["2 a warning 1"]);
        assert_eq!(problems(&matchers, &["file a", "file b", "---", "bad 1"]), ["3 b warning 1"]);
    }

    #[test]
    fn the_last_pattern_may_repeat() {
        let matchers =
            matchers(r#"[{"regexp":"^([^ ].*)$","file":1},{"regexp":"^ +(.+)$","message":1,"loop":true}]"#);
        let found = problems(&matchers, &["a.js", " 1", " 2", "", " 3", "b.js", " 4"]);
        assert_eq!(found, ["1 a.js warning 1", "2 a.js warning 2", "6 b.js warning 4"]);
    }

    #[test]
    fn a_problem_of_one_matcher_ends_those_of_the_others() {
        let matchers = matchers(r#"[{"regexp":"^file (.+)$","file":1},{"regexp":"^bad (.+)$","message":1}]"#);
        let single = r#"{"problemMatcher":[{"owner":"p","pattern":[{"regexp":"^single$","message":0}]}]}"#;
        matchers.add(single.as_bytes()).unwrap();
        assert_eq!(problems(&matchers, &["file a", "single", "bad 1"]), ["1 - - single"]);
    }

    #[test]
    fn changes_keep_what_the_other_matchers_have_found() {
        let matchers = matchers(r#"[{"regexp":"^file (.+)$","file":1},{"regexp":"^bad (.+)$","message":1}]"#);
        let mut running = RunningMatchers::default();
        running.update(&matchers);
        assert_eq!(running.find("file a", |_| Some(())), None);
        matchers
            .add(br#"{"problemMatcher":[{"owner":"p","pattern":[{"regexp":"x","message":0}]}]}"#)
            .unwrap();
        running.update(&matchers);
        assert_eq!(running.find("bad", |_| Some(())), None);
        assert_eq!(running.find("bad 1", |_| Some(())), None);
        assert_eq!(running.find("file a", |_| Some(())), None);
        matchers.remove(["p"]);
        running.update(&matchers);
        assert_eq!(running.find("bad 1", |_| Some(())), Some(()));
        matchers.remove(["o"]);
        assert!(!running.update(&matchers));
    }
}
