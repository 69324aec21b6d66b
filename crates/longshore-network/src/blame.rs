//! Who can mend a failure of this crate.
//!
//! Every error of the crate says it of itself, so that the binary can choose its exit code and its help without taking
//! texts apart.

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// What was asked for cannot be: an overlapping subnet, an address in use, an unknown name.
    User,
    /// The process lacks a privilege.
    Permission,
    /// The kernel was built without what is needed.
    Kernel,
    /// The machine is in a state that does not allow it: files that cannot be read, interfaces of somebody else.
    Environment,
}
