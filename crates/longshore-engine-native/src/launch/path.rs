//! Paths inside of a container, as the kernel takes them.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use longshore_engine::{EngineError, Fault};

/// A text for a system call. A zero in it is the user's mistake.
pub(crate) fn c_text(text: impl Into<Vec<u8>>) -> Result<CString, EngineError> {
    CString::new(text).map_err(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).into_owned();
        EngineError::new(Fault::Invalid, format!("{text:?} holds a zero byte"))
    })
}

/// A path for a system call.
pub(crate) fn c_path(path: &Path) -> Result<CString, EngineError> {
    c_text(path.as_os_str().as_bytes())
}

/// A path of a container without `.`, `..` and doubled slashes, beginning with one; `..` at the root is the root.
pub(crate) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
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

/// A directory and those above it, from the root down, without the root itself.
pub(crate) fn prefixes(path: &str) -> Result<Vec<CString>, EngineError> {
    let path = clean(path);
    path.char_indices()
        .skip(1)
        .filter(|(_, letter)| *letter == '/')
        .map(|(index, _)| index)
        .chain((path.len() > 1).then_some(path.len()))
        .map(|end| c_text(&path[..end]))
        .collect()
}

/// The directory that a path is in.
pub(crate) fn parent(path: &str) -> String {
    let path = clean(path);
    path.rsplit_once('/').map_or_else(|| "/".to_owned(), |(parent, _)| clean(parent))
}

#[cfg(test)]
mod tests {
    use super::{clean, parent, prefixes};

    #[test]
    fn paths_are_cleaned() {
        for (path, expected) in [("", "/"), ("a//b/./c/", "/a/b/c"), ("/../..//x", "/x"), ("/a/../b", "/b")] {
            assert_eq!(clean(path), expected);
        }
        assert_eq!((parent("/a/b/"), parent("/a"), parent("/")), ("/a".into(), "/".into(), "/".into()));
    }

    #[test]
    fn directories_are_made_from_the_top() {
        let texts = |path| -> Vec<String> {
            prefixes(path).unwrap().into_iter().map(|text| text.into_string().unwrap()).collect()
        };
        assert_eq!(texts("/a/b/c"), ["/a", "/a/b", "/a/b/c"]);
        assert_eq!(texts("a"), ["/a"]);
        assert_eq!(texts("/"), [] as [&str; 0]);
    }
}
