//! Rules for device nodes, as `devices.allow` of version 1 and the OCI runtime specification have them.

use std::fmt;

/// Which kind of device node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Block and character devices.
    Any,
    /// Block devices.
    Block,
    /// Character devices.
    Character,
}

/// What may be done with a device node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceAccess {
    /// Opening it for reading.
    pub read: bool,
    /// Opening it for writing.
    pub write: bool,
    /// Making it.
    pub mknod: bool,
}

impl DeviceAccess {
    /// Reading, writing and making.
    pub const ALL: Self = Self { read: true, write: true, mknod: true };

    /// Access as Docker's `--device` and the runtime specification write it: letters among `r`, `w` and `m`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut access = Self { read: false, write: false, mknod: false };
        for letter in text.chars() {
            match letter {
                'r' => access.read = true,
                'w' => access.write = true,
                'm' => access.mknod = true,
                _ => return None,
            }
        }
        (!text.is_empty()).then_some(access)
    }
}

impl fmt::Display for DeviceAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (is_set, letter) in [(self.read, "r"), (self.write, "w"), (self.mknod, "m")] {
            if is_set {
                formatter.write_str(letter)?;
            }
        }
        Ok(())
    }
}

/// Allows or denies some device nodes. Of several rules the last that fits decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRule {
    /// Whether it allows.
    pub allow: bool,
    /// Which kind of nodes.
    pub kind: DeviceKind,
    /// Their major number; `None` is any.
    pub major: Option<u32>,
    /// Their minor number; `None` is any.
    pub minor: Option<u32>,
    /// What it allows or denies.
    pub access: DeviceAccess,
}

impl DeviceRule {
    /// Denies everything; the usual first rule.
    pub const DENY_ALL: Self =
        Self { allow: false, kind: DeviceKind::Any, major: None, minor: None, access: DeviceAccess::ALL };

    /// Whether it speaks of every device and every access.
    pub(crate) fn is_about_everything(&self) -> bool {
        self.kind == DeviceKind::Any
            && self.major.is_none()
            && self.minor.is_none()
            && self.access == DeviceAccess::ALL
    }

    /// The lines to write for it on version 1, where a rule about any kind that is not about everything becomes two.
    pub(crate) fn legacy_lines(&self) -> Vec<String> {
        if self.is_about_everything() {
            return vec!["a".to_owned()];
        }
        let number = |number: Option<u32>| number.map_or_else(|| "*".to_owned(), |number| number.to_string());
        let (major, minor, access) = (number(self.major), number(self.minor), self.access);
        let kinds: &[char] = match self.kind {
            DeviceKind::Any => &['b', 'c'],
            DeviceKind::Block => &['b'],
            DeviceKind::Character => &['c'],
        };
        kinds.iter().map(|kind| format!("{kind} {major}:{minor} {access}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{DeviceAccess, DeviceKind, DeviceRule};

    #[test]
    fn rules_are_written_as_the_kernel_reads_them() {
        assert_eq!(DeviceRule::DENY_ALL.legacy_lines(), ["a"]);
        let null = DeviceRule {
            allow: true,
            kind: DeviceKind::Character,
            major: Some(1),
            minor: Some(3),
            access: DeviceAccess::ALL,
        };
        assert_eq!(null.legacy_lines(), ["c 1:3 rwm"]);
        let mknod = DeviceAccess { read: false, write: false, mknod: true };
        let rule = DeviceRule { kind: DeviceKind::Any, minor: None, access: mknod, ..null };
        assert_eq!(rule.legacy_lines(), ["b 1:* m", "c 1:* m"]);
    }

    #[test]
    fn access_is_letters() {
        assert_eq!(DeviceAccess::parse("mrw"), Some(DeviceAccess::ALL));
        assert_eq!(DeviceAccess::parse("r").map(|access| access.to_string()).as_deref(), Some("r"));
        assert_eq!(DeviceAccess::parse(""), None);
        assert_eq!(DeviceAccess::parse("rx"), None);
    }
}
