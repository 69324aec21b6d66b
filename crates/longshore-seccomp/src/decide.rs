//! Which number of which architecture gets which answer: a profile applied to a container and a machine.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::abi::{self, Abi, ArchName, Architecture, X32_BIT};
use crate::assemble;
use crate::profile::{Action, Architectures, Circumstances, Condition, Operator, Profile, Rule};
use crate::program::{MAX_INSTRUCTIONS, Program};

/// `ENOSYS`, for calls that are newer than the profile.
const ENOSYS: Action = Action::Errno(38);

/// What a profile's rules may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The machine's architecture.
    pub architecture: Architecture,
    /// The container's capabilities, with names such as `CAP_SYS_ADMIN`.
    pub capabilities: &'a [&'a str],
    /// The kernel's version, of which two numbers count.
    pub kernel: (u32, u32),
}

/// A profile cannot be compiled: the mistake of who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompileError {
    /// A call has two answers.
    #[error("two rules of the profile disagree about `{name}`")]
    Conflict {
        /// The call.
        name: String,
    },
    /// A call shall be decided by a program that listens, and there is none.
    #[error("the profile needs a listener (`SCMP_ACT_NOTIFY`), which is not supported")]
    Notify,
    /// The kernel does not take so long a filter.
    #[error(
        "the filter has {instructions} instructions, more than the {MAX_INSTRUCTIONS} that the kernel takes"
    )]
    TooLong {
        /// How many it would have.
        instructions: usize,
    },
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decision {
    /// Alternatives, of which the first whose conditions are all met decides.
    pub(crate) alternatives: Vec<(Vec<Condition>, Action)>,
    /// What happens if none is met.
    pub(crate) otherwise: Action,
    /// Whether arguments have 64 bits.
    pub(crate) is_wide: bool,
}

/// The answers for one of the kernel's words for an architecture: decisions, each from a number up to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) audit: u32,
    /// The first number of each range, rising from 0, and what happens to it.
    pub(crate) ranges: Vec<(u32, Decision)>,
}

impl Profile {
    /// Makes the filter for a container on a machine.
    ///
    /// # Errors
    ///
    /// When rules contradict each other, need a listener, or are too many.
    pub fn compile(&self, target: &Target<'_>) -> Result<Program, CompileError> {
        let instructions = assemble::assemble(&self.sections(target)?);
        match instructions.len() {
            0..=MAX_INSTRUCTIONS => Ok(Program { instructions, flags: self.flags }),
            instructions => Err(CompileError::TooLong { instructions }),
        }
    }

    /// The answers for each architecture, that of the machine first.
    pub(crate) fn sections(&self, target: &Target<'_>) -> Result<Vec<Section>, CompileError> {
        let rules: Vec<&Rule> = self.rules.iter().filter(|rule| is_there(rule, target)).collect();
        if self.default == Action::Notify || rules.iter().any(|rule| rule.action == Action::Notify) {
            return Err(CompileError::Notify);
        }
        let mut tables = Tables::new(target.architecture, self);
        for rule in rules {
            tables.add(rule);
        }
        tables.sections(self.default)
    }

    /// Whether the profile speaks of an interface of the machine.
    fn covers(&self, native: Abi, abi: Abi) -> bool {
        let is_native = |name: ArchName| name == native.name() || name == ArchName::Native;
        abi == native
            || match &self.architectures {
                Architectures::Listed(names) => names.contains(&abi.name()),
                Architectures::Mapped(map) => {
                    map.iter().any(|(name, others)| is_native(*name) && others.contains(&abi.name()))
                }
            }
    }
}

/// Whether the circumstances are such that a rule counts.
fn is_there(rule: &Rule, target: &Target<'_>) -> bool {
    let has = |name: &str| target.capabilities.contains(&name);
    let is_here =
        |names: &Circumstances| names.architectures.iter().any(|name| name == target.architecture.go_name());
    let (includes, excludes) = (&rule.includes, &rule.excludes);
    let is_excluded = is_here(excludes)
        || excludes.capabilities.iter().any(|name| has(name))
        || excludes.kernel.is_some_and(|version| target.kernel >= version);
    !is_excluded
        && (includes.architectures.is_empty() || is_here(includes))
        && includes.capabilities.iter().all(|name| has(name))
        && includes.kernel.is_none_or(|version| target.kernel >= version)
}

/// One interface, and what rules say about its numbers, in the order of the rules.
struct Table<'a> {
    abi: Abi,
    entries: Vec<Entry<'a>>,
}

/// What one rule says about one number.
struct Entry<'a> {
    number: u32,
    name: &'a str,
    conditions: Vec<Condition>,
    action: Action,
}

struct Tables<'a> {
    tables: Vec<Table<'a>>,
}

impl<'a> Tables<'a> {
    fn new(architecture: Architecture, profile: &Profile) -> Self {
        let interfaces = architecture.interfaces();
        let covered = interfaces
            .iter()
            .filter(|abi| interfaces.first().is_some_and(|native| profile.covers(*native, **abi)));
        Self { tables: covered.map(|abi| Table { abi: *abi, entries: Vec::new() }).collect() }
    }

    fn add(&mut self, rule: &'a Rule) {
        for name in &rule.names {
            let Some(numbers) = abi::numbers(name) else { continue };
            for table in &mut self.tables {
                let direct = table.abi.number(numbers).map(|number| (number, rule.conditions.clone()));
                // Conditions on arguments cannot be checked there: they are in the caller's memory.
                let part = (table.abi == Abi::I386 && rule.conditions.is_empty())
                    .then(|| abi::multiplexed(name))
                    .flatten()
                    .map(|(number, value)| {
                        (number, vec![Condition { argument: 0, operator: Operator::Equal, value }])
                    });
                table.entries.extend(direct.into_iter().chain(part).map(|(number, conditions)| Entry {
                    number,
                    name,
                    conditions,
                    action: rule.action,
                }));
            }
        }
    }

    /// The ranges of each of the kernel's words for an architecture.
    fn sections(mut self, default: Action) -> Result<Vec<Section>, CompileError> {
        let x32 =
            self.tables.iter().position(|table| table.abi == Abi::X32).map(|place| self.tables.remove(place));
        let mut sections = Vec::new();
        for table in self.tables {
            let abi = table.abi;
            let mut ranges = table.ranges(default)?;
            if abi == Abi::X86_64 {
                ranges.retain(|(first, _)| *first < X32_BIT);
            }
            sections.push(Section { audit: abi.audit(), ranges });
        }
        let Some(native) = sections.first_mut().filter(|section| section.audit == Abi::X32.audit()) else {
            return Ok(sections);
        };
        match x32 {
            Some(table) => {
                let ranges = table.ranges(default)?.into_iter();
                native.ranges.extend(
                    ranges
                        .filter(|(first, _)| *first < X32_BIT)
                        .map(|(first, decision)| (first | X32_BIT, decision)),
                );
            }
            None => native.ranges.push((X32_BIT, Decision::plain(Action::KillThread, true))),
        }
        Ok(sections)
    }
}

impl Decision {
    fn plain(action: Action, is_wide: bool) -> Self {
        Self { alternatives: Vec::new(), otherwise: action, is_wide }
    }
}

impl Table<'_> {
    /// Ranges with equal decisions, from 0 to the end of all numbers.
    fn ranges(mut self, default: Action) -> Result<Vec<(u32, Decision)>, CompileError> {
        let is_wide = self.abi.is_wide();
        // The sort keeps the order of rules about one number.
        self.entries.sort_by_key(|entry| entry.number);
        let beyond =
            self.entries.last().filter(|_| default.refuses()).map(|entry| entry.number.saturating_add(1));
        let mut ranges: Vec<(u32, Decision)> = Vec::new();
        let mut add = |first: u32, decision: Decision| match ranges.last_mut() {
            Some((last, replaced)) if *last == first => *replaced = decision,
            Some((_, same)) if *same == decision => {}
            _ => ranges.push((first, decision)),
        };
        add(0, Decision::plain(default, is_wide));
        for entries in self.entries.chunk_by(|left, right| left.number == right.number) {
            let Some(first) = entries.first() else { continue };
            add(first.number, decide(entries, default, is_wide)?);
            add(first.number.saturating_add(1), Decision::plain(default, is_wide));
        }
        if let Some(beyond) = beyond {
            add(beyond, Decision::plain(ENOSYS, is_wide));
        }
        Ok(merge(ranges))
    }
}

/// Joins neighbours that have become equal by replacing what was between them.
fn merge(ranges: Vec<(u32, Decision)>) -> Vec<(u32, Decision)> {
    let mut merged: Vec<(u32, Decision)> = Vec::with_capacity(ranges.len());
    for (first, decision) in ranges {
        if merged.last().is_none_or(|(_, last)| *last != decision) {
            merged.push((first, decision));
        }
    }
    merged
}

/// What happens to a number that some rules speak of.
fn decide(entries: &[Entry<'_>], default: Action, is_wide: bool) -> Result<Decision, CompileError> {
    let counting = || entries.iter().filter(|entry| entry.action != default);
    let mut certain = counting().filter(|entry| entry.conditions.is_empty());
    if let Some(first) = certain.next() {
        return match certain.find(|entry| entry.action != first.action) {
            Some(other) => Err(CompileError::Conflict { name: other.name.to_owned() }),
            None => Ok(Decision::plain(first.action, is_wide)),
        };
    }
    let mut seen = BTreeSet::new();
    let mut alternatives = Vec::new();
    for entry in counting() {
        let conditions = normalise(&entry.conditions, is_wide);
        // The first with the same conditions decides.
        if seen.insert(conditions.clone()) {
            alternatives.push((conditions, entry.action));
        }
    }
    Ok(Decision { alternatives, otherwise: default, is_wide })
}

/// Conditions in an order of their own, and with values that can be met.
fn normalise(conditions: &[Condition], is_wide: bool) -> Vec<Condition> {
    let narrow = |value: u64| if is_wide { value } else { value & u64::from(u32::MAX) };
    let mut conditions: Vec<Condition> = conditions
        .iter()
        .map(|condition| match condition.operator {
            Operator::MaskedEqual(mask) => Condition {
                operator: Operator::MaskedEqual(narrow(mask)),
                value: narrow(condition.value & mask),
                ..*condition
            },
            _ => Condition { value: narrow(condition.value), ..*condition },
        })
        .collect();
    conditions.sort_unstable();
    conditions.dedup();
    conditions
}
