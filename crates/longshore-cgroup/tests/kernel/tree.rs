//! Directories: made, found again, removed with what is below them.

use std::collections::BTreeSet;
use std::io::Read as _;

use longshore_cgroup::{Cgroup, CgroupError, Controller, Entry, Hierarchy, Limits};

use crate::context::{Member, PATIENCE, TestHierarchy};

#[test]
fn a_group_is_made_found_and_removed() {
    let Some(hierarchy) = TestHierarchy::new("tree") else { return };
    let Some(cgroup) = hierarchy.create(&Limits::default()) else { return };
    assert!(matches!(hierarchy.0.create("one", &Limits::default()), Err(CgroupError::Create { .. })));
    assert_eq!(hierarchy.0.leftovers().unwrap(), BTreeSet::from(["one".to_owned()]));
    assert!(hierarchy.0.open("other").unwrap().is_none());
    let again = hierarchy.0.open("one").unwrap().unwrap();
    assert_eq!(again.processes().unwrap(), BTreeSet::new());
    again.remove(PATIENCE).unwrap();
    assert!(hierarchy.0.open("one").unwrap().is_none());
    // What is gone can be removed and killed again.
    cgroup.remove(PATIENCE).unwrap();
    cgroup.kill(PATIENCE).unwrap();
}

#[test]
fn members_are_listed_and_counted() {
    for hierarchy in
        [TestHierarchy::new("members"), TestHierarchy::legacy_only("members1")].into_iter().flatten()
    {
        let Some(cgroup) = hierarchy.create(&Limits::default()) else { continue };
        let mut member = Member::start(&cgroup, "echo in; read -r line");
        let mut output = [0; 3];
        member.child.stdout.as_mut().unwrap().read_exact(&mut output).unwrap();
        let pid = i32::try_from(member.child.id()).unwrap();
        assert_eq!(cgroup.processes().unwrap(), BTreeSet::from([pid]));
        let stats = cgroup.stats().unwrap();
        assert_eq!(stats.pids.map(|pids| (pids.current, pids.limit)), Some((1, None)));
        assert!(stats.memory.is_none_or(|memory| memory.usage > 0 && memory.limit.is_none()));
        assert!(stats.cpu.is_some_and(|cpu| !cpu.usage.is_zero()));
        member.finish();
        cgroup.wait_until_empty(PATIENCE).unwrap();
        cgroup.remove(PATIENCE).unwrap();
    }
}

#[test]
fn a_group_of_somebody_else_is_removed_only_while_nobody_is_in_it() {
    for hierarchy in
        [TestHierarchy::new("deserted"), TestHierarchy::legacy_only("deserted1")].into_iter().flatten()
    {
        let Some(cgroup) = hierarchy.create(&Limits::default()) else { continue };
        let mut member = Member::start(&cgroup, "echo in; read -r line");
        member.child.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
        assert!(!cgroup.remove_deserted().unwrap());
        assert!(cgroup.is_there() && cgroup.processes().unwrap().len() == 1, "nobody is killed");
        member.finish();
        cgroup.wait_until_empty(PATIENCE).unwrap();
        // A process leaves the list a moment before it leaves the group.
        while !cgroup.remove_deserted().unwrap() {
            std::thread::yield_now();
        }
        assert!(!cgroup.is_there() && cgroup.remove_deserted().unwrap());
    }
}

#[test]
fn what_a_container_makes_below_is_removed_first() {
    for hierarchy in
        [TestHierarchy::new("nested"), TestHierarchy::legacy_only("nested1")].into_iter().flatten()
    {
        let Some(cgroup) = hierarchy.create(&Limits::default()) else { continue };
        let member = Member::start(&cgroup, "read -r line");
        for directory in directories(&cgroup, member.child.id()) {
            std::fs::create_dir_all(directory.join("a/b")).unwrap();
            std::fs::write(directory.join("a/b/cgroup.procs"), member.child.id().to_string()).unwrap();
        }
        assert_eq!(cgroup.processes().unwrap().len(), 1);
        assert!(matches!(
            cgroup.remove(std::time::Duration::ZERO),
            Err(CgroupError::TimedOut { operation: "run empty", .. })
        ));
        cgroup.kill(PATIENCE).unwrap();
        cgroup.remove(PATIENCE).unwrap();
        assert_eq!(hierarchy.0.leftovers().unwrap(), BTreeSet::new());
        member.finish();
    }
}

/// The directories of a group, found from outside by one of its members.
fn directories(cgroup: &Cgroup, member: u32) -> Vec<std::path::PathBuf> {
    let text = std::fs::read_to_string(format!("/proc/{member}/cgroup")).unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| line.ends_with(&format!("/{}", cgroup.name()))) {
        let [_, controllers, path] = line.splitn(3, ':').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let kind =
            if controllers.is_empty() { "cgroup2 cgroup2".to_owned() } else { format!("rw,{controllers}") };
        let mount = mounts.lines().find(|line| line.contains(" - cgroup") && line.contains(&kind)).unwrap();
        found.push(std::path::Path::new(mount.split(' ').nth(4).unwrap()).join(path.trim_start_matches('/')));
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn only_needed_controllers_of_version_1_have_directories() {
    let Some(hierarchy) = TestHierarchy::new("needed") else { return };
    let Hierarchy::V1(_) = hierarchy.0 else {
        eprintln!("skipped: the controllers are not of version 1");
        return;
    };
    let Some(cgroup) = hierarchy.create(&Limits::default()) else { return };
    let is_hybrid = cgroup.directory().unwrap().is_some();
    let born = cgroup.join_files(Entry::Born).unwrap().len();
    assert_eq!(born, if is_hybrid { 1 } else { 3 });
    assert_eq!(cgroup.join_files(Entry::Moved).unwrap().len(), born + usize::from(is_hybrid));
    assert!(hierarchy.0.controllers().contains(&Controller::Memory));
    cgroup.remove(PATIENCE).unwrap();
}
