//! `permissions:`.

use longshore_syntax::{Span, Spanned};

/// What a run's token may do.
#[derive(Debug, Clone, PartialEq)]
pub enum Permissions {
    /// `read-all` or `write-all`.
    All(Spanned<Access>),
    /// Scopes with their access; those not named have none.
    Scopes(Vec<(Spanned<String>, Spanned<Access>)>),
}

/// What a token may do in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Read and write.
    Write,
}

impl Access {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl Permissions {
    /// What the token may do in `scope`.
    pub fn access(&self, scope: &str) -> Access {
        match self {
            Self::All(access) => access.value,
            Self::Scopes(scopes) => scopes
                .iter()
                .find(|(name, _)| name.value == scope)
                .map_or(Access::None, |(_, access)| access.value),
        }
    }

    /// Where it stands; the first scope for a mapping.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::All(access) => Some(access.span),
            Self::Scopes(scopes) => scopes.first().map(|(name, _)| name.span),
        }
    }
}
