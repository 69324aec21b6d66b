//! What the token of a job may do.

use crate::model::Access;

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
