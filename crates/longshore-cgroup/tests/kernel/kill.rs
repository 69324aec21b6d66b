//! Stopping, continuing and killing.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use longshore_cgroup::{Ceiling, Cgroup, CgroupError, Limits};

use crate::context::{Member, PATIENCE, TestHierarchy};

/// Each shell starts itself over and over, and ends only by being killed or refused.
const FORK_BOMB: &str = "f() { while :; do f & done; }; f";

fn hierarchies(test: &str) -> impl Iterator<Item = TestHierarchy> {
    [TestHierarchy::new(test), TestHierarchy::legacy_only(&format!("{test}1"))].into_iter().flatten()
}

fn pids(limit: u64) -> Limits {
    Limits { pids: Some(Ceiling::At(limit)), ..Limits::default() }
}

#[test]
fn a_stopped_group_stands_still_until_it_is_thawed() {
    for hierarchy in hierarchies("freeze") {
        let Some(cgroup) = hierarchy.create(&Limits::default()) else { continue };
        let mut member = Member::start(&cgroup, "while :; do echo on; done");
        let mut lines = BufReader::new(member.child.stdout.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        assert!(!cgroup.is_frozen().unwrap());
        cgroup.freeze(PATIENCE).unwrap();
        assert!(cgroup.is_frozen().unwrap());
        let usage = || cgroup.stats().unwrap().cpu.unwrap().usage;
        let before = usage();
        // A loop of this process uses time that the other would use as well.
        (0..100_000).for_each(|number| drop(std::hint::black_box(vec![number])));
        assert_eq!(usage(), before);
        cgroup.thaw().unwrap();
        assert!(!cgroup.is_frozen().unwrap());
        // More than a pipe holds, so it was written after the thaw.
        lines.by_ref().take(100_000).for_each(|line| drop(line.unwrap()));
        cgroup.kill(PATIENCE).unwrap();
        member.finish();
        cgroup.remove(PATIENCE).unwrap();
    }
}

#[test]
fn a_fork_bomb_is_stopped_by_a_limit_and_killed_as_a_whole() {
    for hierarchy in hierarchies("bomb") {
        let Some(cgroup) = hierarchy.create(&pids(100)) else { continue };
        let member = Member::start(&cgroup, FORK_BOMB);
        wait_for_size(&cgroup, 100);
        assert!(cgroup.stats().unwrap().pids.unwrap().current <= 100);
        assert_eq!(cgroup.stats().unwrap().pids.unwrap().limit, Some(100));
        cgroup.kill(PATIENCE).unwrap();
        assert!(cgroup.processes().unwrap().is_empty());
        member.finish();
        cgroup.remove(PATIENCE).unwrap();
    }
}

#[test]
fn a_stopped_group_is_killed_as_well() {
    for hierarchy in hierarchies("frozen") {
        let Some(cgroup) = hierarchy.create(&Limits::default()) else { continue };
        let member = Member::start(&cgroup, "read -r line");
        cgroup.freeze(PATIENCE).unwrap();
        cgroup.kill(PATIENCE).unwrap();
        member.finish();
        cgroup.remove(PATIENCE).unwrap();
    }
}

#[test]
fn waiting_is_bounded() {
    for hierarchy in hierarchies("bounded") {
        let Some(cgroup) = hierarchy.create(&Limits::default()) else { continue };
        let member = Member::start(&cgroup, "read -r line");
        let waited = cgroup.wait_until_empty(Duration::from_millis(1));
        assert!(matches!(waited, Err(CgroupError::TimedOut { .. })));
        member.finish();
    }
}

/// Waits until the bomb has met its limit; a limit on the way is met for certain, since each member forks for ever.
fn wait_for_size(cgroup: &Cgroup, size: u64) {
    while cgroup.stats().unwrap().pids.unwrap().current < size {
        std::thread::yield_now();
    }
}
