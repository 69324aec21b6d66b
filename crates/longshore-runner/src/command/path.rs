//! Paths of findings.
//!
//! Sans-IO. Paths are those of the step's own file system, and always with `/`.

/// The path below this directory, or the path as it is.
pub(super) fn below<'p>(directory: &str, path: &'p str) -> Option<&'p str> {
    let directory = directory.trim_end_matches('/');
    path.strip_prefix(directory)?.strip_prefix('/').map(|rest| rest.trim_start_matches('/'))
}

/// The directory that a path is in.
pub(super) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A path that is absolute or meant from this directory, without `.` and `..`.
pub(super) fn resolve(directory: &str, path: &str) -> String {
    let from = if path.starts_with('/') { "" } else { directory };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{below, directory, resolve};

    #[test]
    fn paths_are_taken_apart_by_their_text() {
        assert_eq!(below("/w/", "/w//a/b"), Some("a/b"));
        assert_eq!(below("/w", "/work/a"), None);
        assert_eq!(below("/w", "a/b"), None);
        assert_eq!(directory("/a/b.c"), "/a");
        assert_eq!(directory("b.c"), "");
        for (path, expected) in [("a/./b", "/w/a/b"), ("../../../x", "/x"), ("/a/../b", "/b"), (".", "/w")] {
            assert_eq!(resolve("/w", path), expected);
        }
    }
}
