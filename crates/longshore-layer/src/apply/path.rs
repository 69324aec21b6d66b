//! Names of entries as paths below the target.
//!
//! Absolute names are relative to the target, as Docker and containerd take them. `..` is resolved in the text as they
//! do too, but a name that climbs above the root at any point is refused, even if it comes back.

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
        Self::default().joined(name)
    }

    /// The path that a relative text leads to from this one.
    pub(crate) fn joined(&self, text: &[u8]) -> Result<Self, Refused> {
        if text.contains(&0) {
            return Err(Refused::ZeroByte);
        }
        let mut path = self.clone();
        for component in text.split(|&byte| byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." if path.is_root() => return Err(Refused::Escape),
                b".." => path = path.parent(),
                name => path = path.child(name),
            }
        }
        if path.components().count() > DEEPEST { Err(Refused::TooDeep) } else { Ok(path) }
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

    /// What paths below this one begin with.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        if self.is_root() { Vec::new() } else { [self.0.as_slice(), b"/"].concat() }
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

    #[test]
    fn parts() {
        let path = EntryPath::parse(b"a/bc/d").unwrap();
        assert_eq!((path.parent().as_bytes(), path.name()), (b"a/bc".as_slice(), b"d".as_slice()));
        let top = EntryPath::parse(b"a").unwrap();
        assert_eq!((top.parent().as_bytes(), top.name()), (b"".as_slice(), b"a".as_slice()));
    }
}
