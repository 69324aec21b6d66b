//! Where Longshore keeps its state: `$LONGSHORE_HOME`.
//!
//! Follows the XDG Base Directory Specification, section "Environment variables": `$XDG_DATA_HOME` defaults to
//! `$HOME/.local/share`, and a relative path in it is invalid and must be ignored. The superuser's state is the
//! machine's, so it lives in `/var/lib/longshore` as the Filesystem Hierarchy Standard has it.
//!
//! The values come from the caller, so that this stays a function of its input and tests need no process environment.

use std::path::{Path, PathBuf};

/// What decides where the state directory is, as read from the environment by the composition root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HomeEnvironment {
    /// `$LONGSHORE_HOME`.
    pub longshore_home: Option<PathBuf>,
    /// `$XDG_DATA_HOME`.
    pub xdg_data_home: Option<PathBuf>,
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// The directory commands are started from, against which a relative `$LONGSHORE_HOME` is read.
    pub current_dir: PathBuf,
    /// Whether the effective user is the superuser.
    pub is_root: bool,
}

/// The state directory, or `None` if nothing says where it could be (no `$HOME`, not the superuser).
///
/// The directory need not exist. The result is absolute if `current_dir` is.
pub fn default_home(environment: &HomeEnvironment) -> Option<PathBuf> {
    if let Some(path) = set(environment.longshore_home.as_deref()) {
        return Some(environment.current_dir.join(path));
    }
    if environment.is_root {
        return Some(PathBuf::from("/var/lib/longshore"));
    }
    let absolute = |path: Option<&Path>| set(path).filter(|path| path.is_absolute()).map(Path::to_path_buf);
    absolute(environment.xdg_data_home.as_deref())
        .or_else(|| absolute(environment.home.as_deref()).map(|home| home.join(".local/share")))
        .map(|data| data.join("longshore"))
}

/// A variable that is set to nothing counts as unset.
fn set(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence() {
        let cases: [(&str, &str, &str, bool, Option<&str>); 9] = [
            ("/srv/ls", "/x", "/home/a", false, Some("/srv/ls")),
            ("/srv/ls", "/x", "/root", true, Some("/srv/ls")),
            ("state", "", "/home/a", false, Some("/work/state")),
            ("", "/x", "/home/a", false, Some("/x/longshore")),
            ("", "relative", "/home/a", false, Some("/home/a/.local/share/longshore")),
            ("", "", "/home/a", false, Some("/home/a/.local/share/longshore")),
            ("", "/x", "/root", true, Some("/var/lib/longshore")),
            ("", "", "", true, Some("/var/lib/longshore")),
            ("", "", "", false, None),
        ];
        for (longshore, xdg, home, is_root, expected) in cases {
            let environment = HomeEnvironment {
                longshore_home: Some(longshore.into()),
                xdg_data_home: Some(xdg.into()),
                home: Some(home.into()),
                current_dir: "/work".into(),
                is_root,
            };
            assert_eq!(default_home(&environment), expected.map(PathBuf::from), "{environment:?}");
        }
    }
}
