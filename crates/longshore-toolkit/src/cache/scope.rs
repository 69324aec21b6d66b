//! Whose entries a run may read and write.

/// The scopes of a run.
///
/// An entry that a pull request wrote is seen by that pull request only, so that it cannot poison a branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CacheScopes {
    /// Where entries are written; nowhere if the run is not trusted with it.
    pub write: Option<String>,
    /// Where entries are looked for, in this order.
    pub read: Vec<String>,
}

impl CacheScopes {
    /// The scopes of a run of a ref such as `refs/heads/main`, `refs/tags/v1` or `refs/pull/7/merge`.
    ///
    /// `base` is the branch that a pull request goes to, `default` the repository's default branch, both without
    /// `refs/heads/`.
    pub fn of_ref(reference: &str, base: Option<&str>, default: Option<&str>, writable: bool) -> Self {
        let mut read = vec![reference.to_owned()];
        for branch in [base, default].into_iter().flatten() {
            let scope = format!("refs/heads/{branch}");
            if !read.contains(&scope) {
                read.push(scope);
            }
        }
        Self { write: writable.then(|| reference.to_owned()), read }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_its_own_ref_then_the_base_then_the_default_branch() {
        let scopes = CacheScopes::of_ref("refs/pull/7/merge", Some("next"), Some("main"), true);
        assert_eq!(scopes.read, ["refs/pull/7/merge", "refs/heads/next", "refs/heads/main"]);
        assert_eq!(scopes.write.as_deref(), Some("refs/pull/7/merge"));
        let scopes = CacheScopes::of_ref("refs/heads/main", None, Some("main"), false);
        assert_eq!((scopes.read.len(), scopes.write), (1, None));
    }
}
