//! The submodules of a checkout: those that the work tree has, and others from where actions come from.
//!
//! A work tree that is checked out as it is brings its submodules as they are. Everything else has the commits that it names:
//! of the repository in the work tree, if that has them, or from the address in `.gitmodules` (git documentation:
//! "gitmodules", "git-submodule"). An address is only taken for `owner/name` on a server: a path of this machine would let a
//! project name any directory here.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use longshore_source::{CommitId, DraftIndex, Repository, SubmodulePlace};

use super::inputs::Submodules;
use super::lay::{Laid, LayError, Layout};
use super::objects::inner;
use crate::job::Folder;

/// Submodules of submodules.
const DEEPEST: usize = 16;

/// What is known of the submodules of a repository.
pub(super) struct Modules<'m> {
    pub(super) repository: &'m Repository,
    /// The commit's, if there is one.
    pub(super) draft: Option<&'m DraftIndex>,
    /// What `.gitmodules` says of them.
    pub(super) places: &'m [SubmodulePlace],
}

/// What a submodule is made of.
struct Found {
    repository: Repository,
    /// Where its files are, if they are those at hand.
    files: Option<PathBuf>,
    commit: Option<CommitId>,
}

impl Layout<'_> {
    /// Lays out the submodules at some paths.
    pub(super) fn lay_submodules(
        &self,
        modules: &Modules<'_>,
        paths: &[Vec<u8>],
        target: &Folder,
        laid: &mut Laid,
    ) -> Result<(), LayError> {
        for path in paths {
            let shown = String::from_utf8_lossy(path).into_owned();
            let wanted = modules.draft.and_then(|draft| draft.submodule(path));
            let url = modules
                .places
                .iter()
                .find(|place| place.path == *path)
                .and_then(|place| place.url.as_deref());
            let found = match self.find_submodule(modules.repository, path, wanted.as_ref(), url)? {
                Ok(found) => found,
                Err(why) => {
                    laid.warnings.push(format!(
                        "The submodule `{shown}` stays empty: {why}; `git submodule update --init --recursive` brings it \
                         into the work tree."
                    ));
                    continue;
                }
            };
            let inside = Path::new(std::ffi::OsStr::from_bytes(path));
            let folder = target
                .make_all(inside)
                .map_err(|source| LayError::Submodule { path: shown.clone(), source })?;
            let mut wish = self.wish.clone();
            wish.sparse = None;
            if wish.submodules == Submodules::Direct {
                wish.submodules = Submodules::None;
            }
            let inner = Layout {
                wish: &wish,
                repository: Some(&found.repository),
                files: found.files.as_deref(),
                commit: found.commit.as_ref(),
                reference: "",
                url: url.unwrap_or_default(),
                depth: self.depth + 1,
                ..*self
            };
            let below = inner.lay(&folder)?;
            laid.files += below.files;
            laid.warnings.extend(below.warnings);
        }
        Ok(())
    }

    /// Where a submodule is; or why it is nowhere.
    fn find_submodule(
        &self,
        repository: &Repository,
        path: &[u8],
        wanted: Option<&CommitId>,
        url: Option<&str>,
    ) -> Result<Result<Found, String>, LayError> {
        if self.depth >= DEEPEST {
            return Ok(Err("submodules are nested too deep".to_owned()));
        }
        let at = inner(repository.directory(), path);
        let opened = at.as_deref().map(Repository::at).transpose()?.flatten();
        if let (Some(at), Some(repository)) = (at, opened) {
            if self.files.is_some() {
                let commit = repository.revision("HEAD", None)?.map(|head| head.commit);
                return Ok(Ok(Found { repository, files: Some(at), commit }));
            }
            if let Some(wanted) = wanted
                && repository.revision(wanted.as_str(), None)?.is_some()
            {
                return Ok(Ok(Found { repository, files: None, commit: Some(wanted.clone()) }));
            }
        }
        let (Some(wanted), Some(url)) = (wanted, url) else {
            return Ok(Err("it is not in the work tree, and no address is known of it".to_owned()));
        };
        let found = (self.fetch)(url, wanted);
        Ok(found.map(|repository| Found { repository, files: None, commit: Some(wanted.clone()) }))
    }

    /// A submodule with its address, which may be relative to that of the repository.
    pub(super) fn absolute(&self, mut place: SubmodulePlace) -> SubmodulePlace {
        place.url = place.url.map(|url| resolve(self.url, &url));
        place
    }
}

/// An address of `.gitmodules`, by the rules of `git submodule add`.
fn resolve(base: &str, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    let (mut base, mut rest) = (base.trim_end_matches('/'), url);
    let mut between = '/';
    loop {
        if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("../") {
            rest = after;
            let Some(cut) = base.rfind(['/', ':']) else { return url.to_owned() };
            between = if base.get(cut..).is_some_and(|end| end.starts_with(':')) { ':' } else { '/' };
            base = base.get(..cut).unwrap_or_default();
        } else {
            return format!("{base}{between}{}", rest.trim_end_matches('/'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn addresses_are_relative_to_the_repositorys() {
        let table = [
            ("https://h/acme/shop", "../lib", "https://h/acme/lib"),
            ("https://h/acme/shop/", "../../other/lib.git/", "https://h/other/lib.git"),
            ("https://h/acme/shop", "./lib", "https://h/acme/shop/lib"),
            ("git@h:acme/shop.git", "../lib.git", "git@h:acme/lib.git"),
            ("git@h:shop.git", "../lib.git", "git@h:lib.git"),
            ("https://h/a/b", "https://x/y/z", "https://x/y/z"),
            ("x", "../../../y", "../../../y"),
        ];
        for (base, url, wanted) in table {
            assert_eq!(resolve(base, url), wanted, "{base} {url}");
        }
    }
}
