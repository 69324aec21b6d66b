//! Versions and ranges of versions, as `node-semver` reads them.
//!
//! Sans-IO. `^1.2`, `~1.2.3`, `>=1 <2`, `1.x`, `1.2 - 1.4`, `1 || 2`, `*` and plain versions, of which missing parts stand
//! for any. A version before a release counts only if the range names one of the same three numbers.

use std::cmp::Ordering;
use std::fmt;

/// A version: three numbers, and what stands before a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Version {
    numbers: [u64; 3],
    pre: String,
}

/// Versions that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionRange {
    /// One of these lists must hold as a whole.
    alternatives: Vec<Vec<Comparator>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparator {
    operator: Operator,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Greater,
    AtLeast,
    Less,
    AtMost,
}

/// A version of which parts may be missing.
struct Partial {
    numbers: [Option<u64>; 3],
    pre: String,
}

impl Version {
    /// Reads a version; parts that are missing are zero, and more than three are left out.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let partial = Partial::parse(text)?;
        partial.numbers[0]?;
        Some(partial.floor())
    }

    pub(super) fn major(&self) -> u64 {
        self.numbers[0]
    }

    pub(super) fn minor(&self) -> u64 {
        self.numbers[1]
    }

    pub(super) fn is_before_release(&self) -> bool {
        !self.pre.is_empty()
    }

    fn of(numbers: [u64; 3], pre: &str) -> Self {
        Self { numbers, pre: pre.to_owned() }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let pre = match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_pre(&self.pre, &other.pre),
        };
        self.numbers.cmp(&other.numbers).then(pre)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(formatter, "{major}.{minor}.{patch}")?;
        if self.pre.is_empty() { Ok(()) } else { write!(formatter, "-{}", self.pre) }
    }
}

fn compare_pre(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.split('.'), other.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V', '=']);
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut parts = [None; 3];
        for (at, part) in numbers.split('.').enumerate() {
            let part = match part {
                "*" | "x" | "X" => None,
                part => Some(part.parse::<u64>().ok()?),
            };
            if let Some(slot) = parts.get_mut(at) {
                *slot = part;
            }
        }
        Some(Self { numbers: parts, pre: pre.to_owned() })
    }

    /// The lowest version that it stands for.
    fn floor(&self) -> Version {
        Version::of(self.numbers.map(Option::unwrap_or_default), &self.pre)
    }

    /// What is above all versions that it stands for; none if it stands for all.
    fn ceiling(&self) -> Option<Version> {
        match self.numbers {
            [None, ..] => None,
            [Some(major), None, _] => Some(Version::of([major + 1, 0, 0], "0")),
            [Some(major), Some(minor), None] => Some(Version::of([major, minor + 1, 0], "0")),
            [Some(major), Some(minor), Some(patch)] => Some(Version::of([major, minor, patch + 1], "0")),
        }
    }

    fn is_whole(&self) -> bool {
        self.numbers.iter().all(Option::is_some)
    }
}

impl VersionRange {
    /// Reads a range.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let alternatives = text.split("||").map(|part| list(part.trim())).collect::<Option<Vec<_>>>()?;
        Some(Self { alternatives })
    }

    pub(super) fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|list| {
            let holds = list.iter().all(|comparator| comparator.holds(version));
            let named = |comparator: &Comparator| {
                comparator.version.is_before_release() && comparator.version.numbers == version.numbers
            };
            holds && (!version.is_before_release() || list.iter().any(named))
        })
    }
}

impl Comparator {
    fn holds(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.operator {
            Operator::Equal => order == Ordering::Equal,
            Operator::Greater => order == Ordering::Greater,
            Operator::AtLeast => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::AtMost => order != Ordering::Greater,
        }
    }
}

/// What must hold together.
fn list(text: &str) -> Option<Vec<Comparator>> {
    if let Some((low, high)) = text.split_once(" - ") {
        let (low, high) = (Partial::parse(low)?, Partial::parse(high)?);
        let mut list = vec![Comparator { operator: Operator::AtLeast, version: low.floor() }];
        list.extend(up_to(&high));
        return Some(list);
    }
    let mut list = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let end = word.find(|character: char| !"<>=^~!".contains(character)).unwrap_or(word.len());
        let (operator, mut rest) = word.split_at(end);
        // There may be blanks after an operator.
        if rest.is_empty() {
            rest = words.next()?;
        }
        list.extend(comparators(operator, &Partial::parse(rest)?)?);
    }
    Some(list)
}

fn up_to(high: &Partial) -> Option<Comparator> {
    if high.is_whole() {
        return Some(Comparator { operator: Operator::AtMost, version: high.floor() });
    }
    high.ceiling().map(|version| Comparator { operator: Operator::Less, version })
}

fn comparators(operator: &str, partial: &Partial) -> Option<Vec<Comparator>> {
    let floor = partial.floor();
    let at_least = Comparator { operator: Operator::AtLeast, version: floor.clone() };
    let below =
        |version: Option<Version>| version.map(|version| Comparator { operator: Operator::Less, version });
    let list = match operator {
        "" | "=" | "==" if partial.is_whole() => {
            vec![Comparator { operator: Operator::Equal, version: floor }]
        }
        "" | "=" | "==" => [at_least].into_iter().chain(below(partial.ceiling())).collect(),
        ">=" => vec![at_least],
        "<" => vec![Comparator { operator: Operator::Less, version: floor }],
        "<=" => up_to(partial).into_iter().collect(),
        ">" if partial.is_whole() => vec![Comparator { operator: Operator::Greater, version: floor }],
        ">" => below(partial.ceiling())
            .map(|above| Comparator { operator: Operator::AtLeast, version: above.version })
            .into_iter()
            .collect(),
        "~" | "~>" => {
            let [major, minor, _] = partial.numbers;
            let ceiling = Partial { numbers: [major, minor, None], pre: String::new() }.ceiling();
            [at_least].into_iter().chain(below(ceiling)).collect()
        }
        "~=" => {
            let [major, minor, patch] = partial.numbers;
            let numbers = if patch.is_some() { [major, minor, None] } else { [major, None, None] };
            let ceiling = Partial { numbers, pre: String::new() }.ceiling();
            [at_least].into_iter().chain(below(ceiling)).collect()
        }
        "^" => [at_least].into_iter().chain(below(caret(partial))).collect(),
        _ => return None,
    };
    Some(list)
}

/// What is above all that `^` allows: the first number that is not zero stays.
fn caret(partial: &Partial) -> Option<Version> {
    match partial.numbers {
        [None, ..] => None,
        [Some(0), None, _] => Some(Version::of([1, 0, 0], "0")),
        [Some(0), Some(0), Some(patch)] => Some(Version::of([0, 0, patch + 1], "0")),
        [Some(0), Some(minor), _] => Some(Version::of([0, minor + 1, 0], "0")),
        [Some(major), ..] => Some(Version::of([major + 1, 0, 0], "0")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Version, VersionRange};

    #[test]
    fn ranges_are_those_of_node_semver() {
        let table = [
            ("3.12", "3.12.1", true),
            ("3.12", "3.13.0", false),
            ("3.x", "3.9.18", true),
            ("3", "3.13.0", true),
            ("3", "4.0.0", false),
            ("*", "1.2.3", true),
            ("", "1.2.3", true),
            ("3.12.1", "3.12.1", true),
            ("3.12.1", "3.12.2", false),
            (">=3.9 <3.12", "3.11.7", true),
            (">=3.9 <3.12", "3.12.1", false),
            (">= 3.9", "3.9.0", true),
            ("^1.21.1", "1.26.8", true),
            ("^1.21.1", "2.0.0", false),
            ("^0.2.3", "0.2.9", true),
            ("^0.2.3", "0.3.0", false),
            ("~1.2.3", "1.2.9", true),
            ("~1.2.3", "1.3.0", false),
            ("~3.11", "3.11.7", true),
            ("16 || 20.x", "20.1.0", true),
            ("16 || 20.x", "18.1.0", false),
            ("1.2 - 1.4", "1.4.9", true),
            ("1.2 - 1.4", "1.5.0", false),
            (">1.2", "1.2.9", false),
            (">1.2", "1.3.0", true),
            ("<=3.11", "3.11.9", true),
            ("3.13", "3.13.0-rc1", false),
            ("~3.13.0-0", "3.13.0-rc1", true),
            ("v20.1.0", "20.1.0", true),
            ("~=3.10", "3.12.0", true),
        ];
        for (range, version, wanted) in table {
            let version = Version::parse(version).unwrap();
            assert_eq!(
                VersionRange::parse(range).unwrap().contains(&version),
                wanted,
                "{range} on {version}"
            );
        }
        for range in ["latest", ">", "1.a", "!1"] {
            assert_eq!(VersionRange::parse(range), None, "{range}");
        }
    }

    #[test]
    fn versions_are_ordered() {
        let mut versions: Vec<Version> = ["1.10.0", "1.9.0", "1.10.0-rc.2", "1.10.0-rc.10", "1.10.0-0"]
            .iter()
            .filter_map(|text| Version::parse(text))
            .collect();
        versions.sort();
        let texts: Vec<String> = versions.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["1.9.0", "1.10.0-0", "1.10.0-rc.2", "1.10.0-rc.10", "1.10.0"]);
    }
}
