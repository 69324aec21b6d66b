//! Which place an argument means, and what a copied thing becomes there. Pure.

use std::path::{Path, PathBuf};

use super::local::Source;

/// What an argument of `cp` means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A path of a container.
    Container(&'a str, &'a str),
    /// A path of this machine.
    Here(&'a str),
    /// Standard input or output.
    Stream,
}

impl<'a> Place<'a> {
    /// As Docker reads it: what begins with `/` or `.` is here, whatever colons it has.
    pub(super) fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            _ if text == "-" => Self::Stream,
            Some((name, path)) if !text.starts_with(['/', '.']) && !name.is_empty() => {
                Self::Container(name, path)
            }
            _ => Self::Here(text),
        }
    }
}

/// Whether a path means what is in a directory and not the directory.
pub(super) fn means_content(path: &str) -> bool {
    path == "." || path.ends_with("/.")
}

/// Where something goes, and what it is called there; `.` is its content alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Destination<D> {
    /// A directory that must exist.
    pub(super) directory: D,
    /// The name in it.
    pub(super) name: String,
}

/// What is at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    Directory,
    Other,
}

/// What something is called in the directory that a path names (true) or in the one above it (false).
fn called(
    there: There,
    path: &str,
    (directory, content, name): (bool, bool, &str),
) -> Result<(bool, String), String> {
    let base = || {
        let base = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        base.to_owned()
    };
    match (there, directory) {
        (There::Directory, true) if content => Ok((true, ".".to_owned())),
        (There::Directory, _) => Ok((true, name.to_owned())),
        (There::Other, true) => Err(format!("cannot copy a directory over `{path}`, which is none")),
        (There::Other | There::Nothing, false) if path.ends_with('/') => {
            Err(format!("`{path}` must be a directory that exists"))
        }
        (There::Nothing, _) | (There::Other, false) => Ok((false, base())),
    }
}

impl Destination<PathBuf> {
    /// A place of this machine.
    ///
    /// # Errors
    /// Something is there that cannot be copied over.
    pub(super) fn here(to: &Path, directory: bool, content: bool, name: &str) -> Result<Self, String> {
        let to = &local(to)?;
        let there = match std::fs::metadata(to) {
            Ok(metadata) if metadata.is_dir() => There::Directory,
            Ok(_) => There::Other,
            Err(_) => There::Nothing,
        };
        let text = to.to_string_lossy();
        // The root directory has no name, so there is nothing but its content.
        let content = content || name.is_empty();
        let (into, name) = called(there, &text, (directory, content, name))?;
        let above = to.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { directory: if into { to.to_owned() } else { above.to_owned() }, name })
    }
}

impl Destination<String> {
    /// A path of a container, where there is a directory, something else, or nothing.
    ///
    /// # Errors
    /// Something is there that cannot be copied over.
    pub(super) fn inside(path: &str, there: Option<bool>, source: &Source) -> Result<Self, String> {
        let there = match there {
            None => There::Nothing,
            Some(true) => There::Directory,
            Some(false) => There::Other,
        };
        let whole = format!("/{}", path.trim_start_matches('/'));
        let (into, name) = called(there, &whole, (source.is_directory(), source.content_only, &source.name))?;
        let above = whole.trim_end_matches('/').rsplit_once('/').map_or("/", |(above, _)| above);
        let above = if above.is_empty() { "/" } else { above };
        Ok(Self { directory: if into { whole.clone() } else { above.to_owned() }, name })
    }
}

/// Where a link at a path of a container leads.
pub(super) fn linked(path: &str, target: &str) -> String {
    let above = path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
    if target.starts_with('/') { target.to_owned() } else { format!("{above}/{target}") }
}

/// Where a path of this machine leads if it is a link, which stays when something is copied to it.
fn local(to: &Path) -> Result<PathBuf, String> {
    let mut path = to.to_owned();
    for _ in 0..super::LINKS {
        match std::fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(format!("`{}` leads through too many links", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_of_containers_or_of_here() {
        for (text, expected) in [
            ("web:/etc", Place::Container("web", "/etc")),
            ("web:etc", Place::Container("web", "etc")),
            ("/a:b", Place::Here("/a:b")),
            ("./a:b", Place::Here("./a:b")),
            ("file", Place::Here("file")),
            (":x", Place::Here(":x")),
            ("-", Place::Stream),
        ] {
            assert_eq!(Place::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn links_lead_on_from_where_they_are() {
        for (path, target, expected) in
            [("/a/link", "b/c", "/a/b/c"), ("/a/link", "/b", "/b"), ("link", "x", "/x"), ("/link", "x", "/x")]
        {
            assert_eq!(linked(path, target), expected, "{path} {target}");
        }
    }

    #[test]
    fn names_follow_what_is_there() {
        let of =
            |there, path: &str, directory, content| called(there, path, (directory, content, "src")).ok();
        let some = |into, name: &str| Some((into, name.to_owned()));
        assert_eq!(of(There::Nothing, "/a/new", true, false), some(false, "new"));
        assert_eq!(of(There::Nothing, "/a/new/", true, true), some(false, "new"));
        assert_eq!(of(There::Nothing, "/a/new", false, false), some(false, "new"));
        assert_eq!(of(There::Nothing, "/a/new/", false, false), None);
        assert_eq!(of(There::Other, "/a/file", false, false), some(false, "file"));
        assert_eq!(of(There::Other, "/a/file", true, false), None);
        assert_eq!(of(There::Directory, "/a", true, false), some(true, "src"));
        assert_eq!(of(There::Directory, "/a", true, true), some(true, "."));
        assert_eq!(of(There::Directory, "/a", false, false), some(true, "src"));
    }
}
