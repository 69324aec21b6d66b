//! Names of entries as paths below the target.
//!
//! Absolute names are relative to the target, as Docker and containerd take them. `..` is resolved in the text as they
//! do too, but a name that climbs above the root at any point is refused, even if it comes back.

use std::collections::BTreeSet;

use crate::apply::ApplyError;
use crate::archive::shown;

/// How deep directories may be nested. Real trees stay far below; it bounds open files while trees are removed.
const DEEPEST: usize = 400;

/// A path below the target: components joined with slashes, none of them `.`, `..` or empty. Empty for the target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct EntryPath(Vec<u8>);

/// Why a name is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Escape,
    ZeroByte,
    TooDeep,
}

impl EntryPath {
    /// Makes a path of a name.
    pub(crate) fn parse(name: &[u8]) -> Result<Self, Refused> {
        if name.contains(&0) {
            return Err(Refused::ZeroByte);
        }
        let mut components = Vec::new();
        for component in name.split(|&byte| byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." => drop(components.pop().ok_or(Refused::Escape)?),
                name => components.push(name),
            }
        }
        if components.len() > DEEPEST {
            return Err(Refused::TooDeep);
        }
        Ok(Self(components.join(&b'/')))
    }

    /// Whether it is the target.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What holds it; the target holds itself.
    pub(crate) fn parent(&self) -> Self {
        let end = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        Self(self.0[..end].to_vec())
    }

    /// The last component.
    pub(crate) fn name(&self) -> &[u8] {
        let start = self.0.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        &self.0[start..]
    }

    /// This path with a component more.
    pub(crate) fn child(&self, name: &[u8]) -> Self {
        let mut path = Vec::with_capacity(self.0.len() + 1 + name.len());
        path.extend_from_slice(&self.0);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        Self(path)
    }

    /// All components from the top.
    pub(crate) fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/').filter(|component| !component.is_empty())
    }

    /// Whether it is below another one.
    pub(crate) fn is_below(&self, other: &Self) -> bool {
        other.is_root() || self.0.strip_prefix(other.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
    }

    /// All paths below this one that are in a set. In the order of bytes they follow each other.
    pub(crate) fn below_in(&self, set: &BTreeSet<Self>) -> Vec<Self> {
        set.range(self.first_below()..).take_while(|path| path.is_below(self)).cloned().collect()
    }

    /// Where paths below this one begin in an ordered set: no path is equal to it.
    pub(crate) fn first_below(&self) -> Self {
        if self.is_root() { Self::default() } else { Self([self.0.as_slice(), b"/"].concat()) }
    }
}

impl Refused {
    /// The error for an entry of this name.
    pub(crate) fn error(self, name: &[u8]) -> ApplyError {
        let entry = shown(name);
        match self {
            Self::Escape => ApplyError::Escape { entry },
            Self::ZeroByte => ApplyError::Name { entry, reason: "its name holds a zero byte" },
            Self::TooDeep => ApplyError::Name { entry, reason: "it is nested too deep" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        type Row = (&'static [u8], Result<&'static [u8], Refused>);
        let table: &[Row] = &[
            (b"a/b", Ok(b"a/b")),
            (b"./a//b/", Ok(b"a/b")),
            (b"/etc/passwd", Ok(b"etc/passwd")),
            (b".", Ok(b"")),
            (b"/", Ok(b"")),
            (b"", Ok(b"")),
            (b"a/../b", Ok(b"b")),
            (b"a/..", Ok(b"")),
            (b"...", Ok(b"...")),
            (b"\xff\xfe", Ok(b"\xff\xfe")),
            (b"..", Err(Refused::Escape)),
            (b"/..", Err(Refused::Escape)),
            (b"a/../../b", Err(Refused::Escape)),
            (b"../target/x", Err(Refused::Escape)),
            (b"a\0b", Err(Refused::ZeroByte)),
        ];
        for (name, expected) in table {
            let path = EntryPath::parse(name);
            assert_eq!(
                path.as_ref().map(EntryPath::as_bytes).map_err(|refused| *refused),
                *expected,
                "{name:?}"
            );
        }
        assert_eq!(EntryPath::parse(&b"a/".repeat(DEEPEST + 1)), Err(Refused::TooDeep));
    }

    fn path_of(text: &str) -> EntryPath {
        EntryPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn parts() {
        let path = EntryPath::parse(b"a/bc/d").unwrap();
        assert_eq!((path.parent().as_bytes(), path.name()), (b"a/bc".as_slice(), b"d".as_slice()));
        let below = |path: &str| EntryPath::parse(path.as_bytes()).unwrap().is_below(&path_of("a/bc"));
        assert!(below("a/bc/d") && !below("a/bc") && !below("a/bcd") && !below("a"));
        let set = ["a", "a/bc", "a/bc!", "a/bc/d", "a/bc/d/e", "a/bcd"].map(path_of).into_iter().collect();
        assert_eq!(path_of("a/bc").below_in(&set), ["a/bc/d", "a/bc/d/e"].map(path_of));
        let top = EntryPath::parse(b"a").unwrap();
        assert_eq!((top.parent().as_bytes(), top.name()), (b"".as_slice(), b"a".as_slice()));
    }
}
