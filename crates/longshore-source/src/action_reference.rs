//! `owner/repository/path@version`, checked.
//!
//! A reference comes from a `uses:` that anybody may have written, and ends in file names, git references and URLs. So
//! each part is checked once, here, against what GitHub allows in names and `git check-ref-format` in references.

use longshore_syntax::SourceRef;
use thiserror::Error;

use crate::path::{PathError, RepositoryPath};
use crate::repository::CommitId;

/// GitHub allows 39 and 100 characters in names; git allows more in references than anybody needs.
const MAX_NAME: usize = 100;
const MAX_VERSION: usize = 250;

/// A reference to a file or action in another repository, safe to make paths and URLs of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionReference {
    pub(crate) owner: String,
    pub(crate) repository: String,
    pub(crate) path: RepositoryPath,
    pub(crate) version: String,
}

/// Why a reference to another repository is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferenceError {
    /// Owner or repository is not a name.
    #[error(
        "`{reference}`: `{name}` is not a name of an owner or repository; use letters, digits, `-`, `_` and `.`"
    )]
    Name {
        /// The whole reference.
        reference: String,
        /// The offending part.
        name: String,
    },
    /// The version is not a commit id, branch or tag.
    #[error(
        "`{reference}`: {version:?} is not a valid branch, tag or commit id; write what git accepts as a reference"
    )]
    Version {
        /// The whole reference.
        reference: String,
        /// The offending part.
        version: String,
    },
    /// The path does not stay inside the repository.
    #[error("`{reference}`: the path cannot be used")]
    Path {
        /// The whole reference.
        reference: String,
        /// What is wrong with it.
        #[source]
        source: PathError,
    },
}

impl ActionReference {
    /// Checks a reference; `None` if it is a local one.
    pub(crate) fn parse(source: &SourceRef) -> Option<Result<Self, ReferenceError>> {
        let SourceRef::Remote { owner, repository, path, version } = source else { return None };
        // What is shown in an error must not move the terminal's cursor.
        let reference = || source.to_string().escape_debug().to_string();
        for name in [owner, repository] {
            if !is_name(name) {
                let name = name.escape_debug().to_string();
                return Some(Err(ReferenceError::Name { reference: reference(), name }));
            }
        }
        if !is_version(version) {
            return Some(Err(ReferenceError::Version { reference: reference(), version: version.clone() }));
        }
        Some(match RepositoryPath::parse(path) {
            Err(source) => Err(ReferenceError::Path { reference: reference(), source }),
            Ok(path) => Ok(Self {
                owner: owner.clone(),
                repository: repository.clone(),
                path,
                version: version.clone(),
            }),
        })
    }

    /// `owner/repository`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.owner, self.repository)
    }

    /// The commit, if the version is one.
    pub(crate) fn commit(&self) -> Option<CommitId> {
        CommitId::parse(&self.version)
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name.chars().all(allowed)
        && !name.starts_with('-')
        && name.chars().any(|c| c != '.')
}

/// The rules of `git check-ref-format`, and no leading `-`.
fn is_version(version: &str) -> bool {
    let forbidden = |c: char| c.is_control() || c == ' ' || "~^:?*[\\".contains(c);
    let is_part = |part: &str| {
        let is_lock = part.len() >= 5 && part.get(part.len() - 5..) == Some(".lock");
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !is_lock
    };
    version.len() <= MAX_VERSION
        && !version.starts_with('-')
        && version != "@"
        && !version.contains("..")
        && !version.contains("@{")
        && !version.chars().any(forbidden)
        && version.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_references_are_refused() {
        let good = ("octo", "app", "sub/dir", "v1.2");
        let cases = [
            (good, ""),
            (("octo", ".github", ".github/workflows/ci.yml", "feature/a-b"), ""),
            (("octo", "app", "", "refs/heads/main"), ""),
            (("..", "app", "", "v1"), "`..` is not a name"),
            (("octo", "", "", "v1"), "`` is not a name"),
            (("-oProxyCommand=x", "app", "", "v1"), "is not a name"),
            (("octo", "a/b", "", "v1"), "is not a name"),
            (("octo\x1b[2J", "app", "", "v1"), "\\u{1b}"),
            (("octo", "app", "../../etc", "v1"), "the path cannot be used"),
            (("octo", "app", "/etc", "v1"), "the path cannot be used"),
            (("octo", "app", "", "-x"), "is not a valid branch"),
            (("octo", "app", "", "--upload-pack=x"), "is not a valid branch"),
            (("octo", "app", "", "a..b"), "is not a valid branch"),
            (("octo", "app", "", "../v1"), "is not a valid branch"),
            (("octo", "app", "", "/v1"), "is not a valid branch"),
            (("octo", "app", "", "v1\n"), "is not a valid branch"),
            (("octo", "app", "", "v1:x"), "is not a valid branch"),
            (("octo", "app", "", "HEAD^"), "is not a valid branch"),
            (("octo", "app", "", "@{upstream}"), "is not a valid branch"),
            (("octo", "app", "", "a.lock"), "is not a valid branch"),
            (("octo", "app", "", ""), "is not a valid branch"),
        ];
        for ((owner, repository, path, version), part) in cases {
            let [owner, repository, path, version] = [owner, repository, path, version].map(str::to_owned);
            let source = SourceRef::Remote { owner, repository, path, version };
            match ActionReference::parse(&source).unwrap() {
                Ok(_) => assert_eq!(part, "", "{source}"),
                Err(error) => {
                    assert!(!part.is_empty() && error.to_string().contains(part), "{source}: {error}");
                }
            }
        }
        assert!(ActionReference::parse(&SourceRef::Local { path: "x".into() }).is_none());
    }
}
