//! Relations between packages: `Depends: libc6 (>= 2.34), default-mta | mail-transport-agent` (Debian Policy 7.1).

use std::cmp::Ordering;
use std::fmt;

use crate::version::Version;

/// One package, perhaps of certain versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relation<'a> {
    /// The package, without a qualifier such as `:any`.
    pub(crate) name: &'a str,
    /// The versions that are meant, if not all.
    pub(crate) versions: Option<(Comparison, &'a str)>,
}

/// How a version must stand to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Earlier,
    EarlierOrEqual,
    Equal,
    LaterOrEqual,
    Later,
}

impl Comparison {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "<<" => Self::Earlier,
            "<=" | "<" => Self::EarlierOrEqual,
            "=" => Self::Equal,
            ">=" | ">" => Self::LaterOrEqual,
            ">>" => Self::Later,
            _ => return None,
        })
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Earlier => order.is_lt(),
            Self::EarlierOrEqual => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::LaterOrEqual => order.is_ge(),
            Self::Later => order.is_gt(),
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Equal => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        }
    }
}

impl<'a> Relation<'a> {
    /// Reads `name[:qualifier] [(>= version)]`; restrictions in brackets have no place in binary packages.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (name, rest) = match text.find(|c: char| c.is_ascii_whitespace() || c == '(') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let name = name.split(':').next().filter(|name| !name.is_empty())?;
        let rest = rest.trim();
        if rest.is_empty() {
            return Some(Self { name, versions: None });
        }
        let inner = rest.strip_prefix('(')?.strip_suffix(')')?.trim();
        let (sign, version) = inner.split_at(inner.find(|c| !matches!(c, '<' | '>' | '='))?);
        Some(Self { name, versions: Some((Comparison::read(sign)?, version.trim())) })
    }

    /// Whether a version is meant.
    pub(crate) fn admits(&self, version: &str) -> bool {
        self.versions.is_none_or(|(comparison, bound)| {
            comparison.holds(Version::new(version).cmp(&Version::new(bound)))
        })
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.versions {
            Some((comparison, version)) => {
                write!(formatter, "{} ({} {version})", self.name, comparison.sign())
            }
            None => formatter.write_str(self.name),
        }
    }
}

/// The relations of a field: groups, all of which must hold, of alternatives, one of which must. What cannot be read is
/// given as its text.
pub(crate) fn groups(field: &str) -> impl Iterator<Item = Result<Vec<Relation<'_>>, &str>> {
    field.split(',').map(str::trim).filter(|group| !group.is_empty()).map(|group| {
        let alternatives: Option<Vec<_>> = group.split('|').map(Relation::read).collect();
        alternatives.ok_or(group)
    })
}

#[cfg(test)]
mod tests {
    use super::{Relation, groups};

    #[test]
    fn fields_are_read() {
        let field = "libc6 (>= 2.34), perl:any, a|b(<<1), x ( = 1:2-3 )";
        let shown: Vec<_> = groups(field)
            .map(|group| {
                group.map(|group| group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                Ok("libc6 (>= 2.34)".to_owned()),
                Ok("perl".to_owned()),
                Ok("a | b (<< 1)".to_owned()),
                Ok("x (= 1:2-3)".to_owned())
            ]
        );
        for text in ["", "(>= 1)", "a (1)", "a (>= 1", "a (~ 1)", "a b"] {
            assert_eq!(Relation::read(text), None, "{text}");
        }
    }

    #[test]
    fn bounds_are_kept() {
        for (relation, version, admits) in [
            ("a", "1", true),
            ("a (>= 2)", "2", true),
            ("a (>= 2)", "2~rc1", false),
            ("a (<< 2)", "2~rc1", true),
            ("a (>> 2)", "2-1", true),
            ("a (= 2)", "2-0", true),
            ("a (<= 1:1)", "9", true),
        ] {
            assert_eq!(Relation::read(relation).unwrap().admits(version), admits, "{relation} {version}");
        }
    }
}
