//! Controllers of version 2 for the containers' groups.
//!
//! A controller is there for a group if its parent hands it down (`cgroup.subtree_control`), and so on up to the top. A
//! group that hands controllers down must hold no processes itself, except the root of the whole tree. What runs in a
//! delegated top, or in the top of a container's namespace, is therefore moved to a leaf beside the containers.

use std::io;
use std::path::Path;

use crate::cgroup;
use crate::error::CgroupError;
use crate::file;
use crate::hierarchy::Unified;
use crate::limits::Limits;

/// Where processes of the top go.
const LEAF: &str = "longshore-rest";
/// How often processes that appear in the meantime are moved as well.
const ROUNDS: usize = 8;
/// What every container has: accounting costs next to nothing here.
const ALWAYS: &[&str] = &["cpu", "memory", "pids", "io"];

/// Hands down the controllers that limits and accounting need. One that cannot be had is noticed when a limit needs it.
pub(crate) fn enable(unified: &Unified, limits: &Limits) -> Result<(), CgroupError> {
    let wants_set = limits.cpuset_cpus.is_some() || limits.cpuset_mems.is_some();
    let wanted: Vec<&str> = ALWAYS.iter().copied().chain(wants_set.then_some("cpuset")).collect();
    if missing(&unified.parent, &wanted)?.is_empty() {
        return Ok(());
    }
    hand_down(&unified.top, &wanted)?;
    hand_down(&unified.parent, &wanted)
}

/// The controllers of `wanted` that a group has and does not hand down.
fn missing<'a>(group: &Path, wanted: &[&'a str]) -> Result<Vec<&'a str>, CgroupError> {
    let words = |name| file::read_if_there(&group.join(name)).map(Option::unwrap_or_default);
    let (handed, available) = (words("cgroup.subtree_control")?, words("cgroup.controllers")?);
    let has = |text: &str, name: &str| text.split_whitespace().any(|word| word == name);
    let is_missing = |name: &&str| !has(&handed, name) && has(&available, name);
    Ok(wanted.iter().copied().filter(is_missing).collect())
}

fn hand_down(group: &Path, wanted: &[&str]) -> Result<(), CgroupError> {
    let control = group.join("cgroup.subtree_control");
    // One at a time: one that the kernel refuses, such as `cpu` beside real-time processes, must not cost the others.
    for name in missing(group, wanted)? {
        let value = format!("+{name}");
        for round in 0..ROUNDS {
            match file::write(&control, &value) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy && round + 1 < ROUNDS => {
                    evacuate(group)?;
                }
                // Refused: the limit that needs it is reported as unsupported.
                Ok(()) | Err(_) => break,
            }
        }
    }
    Ok(())
}

/// Moves the processes of a group itself into a leaf below it.
fn evacuate(group: &Path) -> Result<(), CgroupError> {
    let leaf = group.join(LEAF);
    match std::fs::create_dir(&leaf) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(CgroupError::Create { path: leaf, source: error });
        }
        _ => {}
    }
    for pid in cgroup::processes_of(group)? {
        // One that ended meanwhile, or that the kernel keeps where it is, decides nothing.
        drop(file::write(&leaf.join("cgroup.procs"), &pid.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{enable, missing};
    use crate::hierarchy::Unified;
    use crate::limits::Limits;

    #[test]
    fn only_what_is_there_and_missing_is_handed_down() {
        let place = tempfile::tempdir().unwrap();
        let (top, parent) = (place.path().to_owned(), place.path().join("longshore"));
        fs::create_dir(&parent).unwrap();
        for (group, available) in [(&top, "cpuset cpu io memory"), (&parent, "cpu memory")] {
            fs::write(group.join("cgroup.controllers"), available).unwrap();
            fs::write(group.join("cgroup.subtree_control"), "memory\n").unwrap();
        }
        assert_eq!(missing(&top, &["cpu", "memory", "pids", "io"]).unwrap(), ["cpu", "io"]);
        let unified = Unified { top: top.clone(), parent: parent.clone() };
        enable(&unified, &Limits::default()).unwrap();
        // A plain file keeps what was written last where the kernel would add it.
        assert!(fs::read_to_string(top.join("cgroup.subtree_control")).unwrap().contains("+io"));
        assert!(fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap().contains("+cpu"));
        // A parent that has everything is all that is looked at.
        fs::write(parent.join("cgroup.subtree_control"), "cpu memory pids io cpuset").unwrap();
        fs::write(top.join("cgroup.subtree_control"), "untouched").unwrap();
        let limits = Limits { cpuset_cpus: Some("0".into()), ..Limits::default() };
        enable(&unified, &limits).unwrap();
        assert_eq!(fs::read_to_string(top.join("cgroup.subtree_control")).unwrap(), "untouched");
    }
}
