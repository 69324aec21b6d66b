//! The version of a built-in action that a step asks for, where versions differ.

/// What a step asks for by its version, as far as that can be known: commits are taken for the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ActionVersion {
    pub(super) major: u32,
    pub(super) minor: Option<u32>,
}

impl ActionVersion {
    /// The version in `uses:`.
    pub(super) fn of(uses: &str) -> Self {
        let version = uses.rsplit_once('@').map_or("", |(_, version)| version);
        let mut numbers =
            version.strip_prefix('v').unwrap_or_default().split('.').map(|number| number.parse().ok());
        match numbers.next().flatten() {
            Some(major) => Self { major, minor: numbers.next().flatten() },
            None => Self { major: u32::MAX, minor: None },
        }
    }
}
