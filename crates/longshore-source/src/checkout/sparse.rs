//! Which files a sparse checkout has: git's "sparse-checkout", both of its kinds of patterns.

use gix::bstr::ByteSlice as _;
use gix::glob::pattern::Case;

/// The patterns of a sparse checkout.
#[derive(Debug)]
pub struct SparsePatterns {
    kind: Patterns,
}

#[derive(Debug)]
enum Patterns {
    /// Directories, and the files directly in directories above them.
    Cone(Vec<Vec<u8>>),
    /// Patterns as those of `.gitignore`, except that they include.
    Free(Box<gix::ignore::Search>),
}

impl SparsePatterns {
    /// Patterns that name directories.
    pub fn cone<'p>(directories: impl IntoIterator<Item = &'p str>) -> Self {
        let directories =
            directories.into_iter().map(|directory| directory.trim_matches('/').as_bytes().to_vec());
        Self { kind: Patterns::Cone(directories.filter(|directory| !directory.is_empty()).collect()) }
    }

    /// Patterns as those of `.gitignore`; the last that matches decides.
    pub fn free<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Self {
        let parse = gix::ignore::search::Ignore { support_precious: false };
        Self { kind: Patterns::Free(Box::new(gix::ignore::Search::from_overrides(patterns, parse))) }
    }

    /// Whether a file is checked out.
    pub fn includes(&self, path: &[u8]) -> bool {
        match &self.kind {
            Patterns::Cone(directories) => {
                let parent = path.rfind_byte(b'/').and_then(|end| path.get(..end)).unwrap_or_default();
                parent.is_empty()
                    || directories
                        .iter()
                        .any(|directory| is_in(parent, directory) || is_in(directory, parent))
            }
            Patterns::Free(search) => free(search, path),
        }
    }
}

/// Whether a path is a directory, or below it.
fn is_in(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// The pattern of the file itself decides, else that of the nearest directory that has one.
fn free(search: &gix::ignore::Search, path: &[u8]) -> bool {
    let (mut path, mut is_directory) = (path, false);
    loop {
        let found =
            search.pattern_matching_relative_path(path.as_bstr(), Some(is_directory), Case::Sensitive);
        if let Some(found) = found {
            return !found.pattern.is_negative();
        }
        let Some(end) = path.rfind_byte(b'/') else { return false };
        path = path.get(..end).unwrap_or_default();
        is_directory = true;
    }
}

#[cfg(test)]
mod tests {
    use super::SparsePatterns;

    #[test]
    fn cones_have_directories_and_the_files_above_them() {
        let patterns = SparsePatterns::cone(["src/app/", "/docs", ""]);
        let table = [
            ("README", true),
            ("src/lib.rs", true),
            ("src/app/a", true),
            ("src/app/deep/a", true),
            ("src/other/a", false),
            ("docs/a/b", true),
            ("document/a", false),
        ];
        for (path, wanted) in table {
            assert_eq!(patterns.includes(path.as_bytes()), wanted, "{path}");
        }
    }

    #[test]
    fn free_patterns_read_as_those_of_gitignore() {
        let patterns = SparsePatterns::free(["*.md", "/src/", "!/src/gen", "!secret.md"]);
        let table = [
            ("a.md", true),
            ("deep/a.md", true),
            ("secret.md", false),
            ("src/a", true),
            ("src/gen/a", false),
            ("src/gen/a.md", true),
            ("lib/src/a", false),
        ];
        for (path, wanted) in table {
            assert_eq!(patterns.includes(path.as_bytes()), wanted, "{path}");
        }
    }
}
