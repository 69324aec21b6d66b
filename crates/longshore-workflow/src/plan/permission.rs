//! What the token of a job may do.

use longshore_syntax::{Diagnostic, Span};

use crate::model::{Access, Permissions};
use crate::schema::PERMISSION_SCOPES;
use crate::template::code;

/// What the token of a job may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPermissions {
    /// What the repository's settings say; no file restricts it.
    RepositoryDefault,
    /// The same in every scope (`read-all`, `write-all`).
    All(Access),
    /// These scopes in file order; all others none.
    Scopes(Vec<(String, Access)>),
}

impl From<&Permissions> for TokenPermissions {
    fn from(permissions: &Permissions) -> Self {
        match permissions {
            Permissions::All(access) => Self::All(access.value),
            Permissions::Scopes(scopes) => {
                let scopes = scopes.iter().map(|(name, access)| (name.value.clone(), access.value));
                Self::Scopes(scopes.collect())
            }
        }
    }
}

impl TokenPermissions {
    /// What the token may do in a scope; `None` if only the repository's settings say.
    pub fn access(&self, scope: &str) -> Option<Access> {
        match self {
            Self::RepositoryDefault => None,
            Self::All(access) => Some(*access),
            Self::Scopes(scopes) => {
                let found = scopes.iter().find(|(name, _)| name == scope);
                Some(found.map_or(Access::None, |(_, access)| *access))
            }
        }
    }

    /// The scopes in which this asks for more than `limit`, with what is asked and what is allowed.
    pub(super) fn excess(&self, limit: &Self) -> Vec<(&'static str, Access, Access)> {
        let of = |(scope, levels): &(&'static str, &[&str])| {
            let (wanted, allowed) = (self.access(scope)?, limit.access(scope)?);
            // `read-all` means nothing in a scope that cannot be read.
            (wanted > allowed && levels.contains(&wanted.as_str())).then_some((*scope, wanted, allowed))
        };
        PERMISSION_SCOPES.iter().filter_map(of).collect()
    }

    /// This, but in no scope more than `limit`.
    pub(super) fn within(&self, limit: &Self) -> Self {
        if self.excess(limit).is_empty() {
            return self.clone();
        }
        let least = |scope: &str| {
            let access = self.access(scope)?.min(limit.access(scope)?);
            (access > Access::None).then(|| (scope.to_owned(), access))
        };
        Self::Scopes(PERMISSION_SCOPES.iter().filter_map(|(scope, _)| least(scope)).collect())
    }

    /// This without writing, as for pull requests from forks.
    pub(super) fn read_only(self) -> Self {
        match self {
            Self::RepositoryDefault => Self::All(Access::Read),
            Self::All(access) => Self::All(access.min(Access::Read)),
            Self::Scopes(scopes) => {
                let read = |(name, access): (String, Access)| {
                    let readable = PERMISSION_SCOPES
                        .iter()
                        .any(|(scope, levels)| *scope == name && levels.contains(&"read"));
                    let most = if readable { Access::Read } else { Access::None };
                    (name, access.min(most))
                };
                Self::Scopes(scopes.into_iter().map(read).collect())
            }
        }
    }
}

/// A called job that asks for more than the calling one has; GitHub does not start such a run.
pub(super) fn refused(job: &str, excess: &[(&str, Access, Access)], call: Span) -> Diagnostic {
    let list = |allowed: bool| {
        let item = |(scope, wanted, limit): &(&str, Access, Access)| {
            format!("`{scope}: {}`", if allowed { limit } else { wanted }.as_str())
        };
        excess.iter().map(item).collect::<Vec<_>>().join(", ")
    };
    let message =
        format!("the called job `{job}` asks for {}, but the call allows {}", list(false), list(true));
    Diagnostic::error(code::INVALID_CALL, call, message)
        .help("give the calling job these `permissions`, or take them from the called workflow")
}
