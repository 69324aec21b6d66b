//! A directory for trials, on the file system that containers will be on.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::check::CheckDto;

/// How the names of these directories begin; the number of the process follows.
const PREFIX: &str = ".longshore-doctor-";

/// A directory that is removed in the end. One whose maker was killed is removed by the next who makes one there.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes a directory in the home, or where the home would be made; and says whether it can be written to.
    pub(super) fn make(home: &Path) -> (Option<Self>, CheckDto) {
        const ID: &str = "storage.home";
        let Some(parent) = existing(home) else {
            let finding = format!("`{}` cannot be made: nothing of its path exists", home.display());
            return (None, CheckDto::problem(ID, finding).help("set LONGSHORE_HOME to a directory of yours"));
        };
        remove_abandoned(parent);
        let path = parent.join(format!("{PREFIX}{}", std::process::id()));
        match DirBuilder::new().mode(0o711).create(&path) {
            Ok(()) => {
                let finding = if parent == home {
                    format!("`{}` can be written to", home.display())
                } else {
                    format!("`{}` does not exist yet; it is made when it is needed", home.display())
                };
                let check = match closed(parent).filter(|_| super::is_root()) {
                    None => CheckDto::ok(ID, finding),
                    Some(closed) => {
                        let finding = format!("{finding}, but nobody may pass `{}`", closed.display());
                        let why = "containers with user ids of their own are nobody there, and cannot start";
                        CheckDto::problem(ID, finding).detail([why.to_owned()]).help(format!(
                            "let others pass, which lets them read nothing: `chmod o+x {}`; or set LONGSHORE_HOME to a \
                             directory elsewhere",
                            closed.display()
                        ))
                    }
                };
                (Some(Self { path }), check)
            }
            Err(error) => {
                let finding = format!("`{}` cannot be written to", home.display());
                let check = CheckDto::problem(ID, finding)
                    .detail([format!("failed to make a directory in `{}`: {error}", parent.display())])
                    .help("set LONGSHORE_HOME to a directory that you may write to");
                (None, check)
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// The nearest directory that exists: the path itself, or the first one above.
pub(super) fn existing(path: &Path) -> Option<&Path> {
    path.ancestors().find(|ancestor| ancestor.is_dir())
}

/// The first directory on the way to a path that not everybody may pass.
fn closed(path: &Path) -> Option<&Path> {
    use std::os::unix::fs::PermissionsExt as _;
    let is_closed = |path: &&Path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 1 == 0);
    path.ancestors().filter(is_closed).last()
}

/// Directories whose maker is gone.
fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let maker = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if maker.is_some_and(|maker| !Path::new(&format!("/proc/{maker}")).exists()) {
            remove(&entry.path());
        }
    }
}

/// Removes a tree. The kernel closes the directory in which an overlay works to everybody, its owner included.
fn remove(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let closed = path.join("overlay/work/work");
    if closed.exists() {
        let _ = fs::set_permissions(closed, fs::Permissions::from_mode(0o700));
    }
    let _ = fs::remove_dir_all(path);
}
