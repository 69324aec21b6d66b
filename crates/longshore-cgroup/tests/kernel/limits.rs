//! Limits as the kernel keeps them.

use std::time::Duration;

use longshore_cgroup::{
    Absence, Ceiling, CgroupError, Controller, DeviceAccess, DeviceKind, DeviceRule, Entry, Hierarchy, Limit,
    Limits, Stats, Surroundings, Throttle, ThrottleKind, Unsupported, Why,
};
use rustix::event::{PollFd, PollFlags, poll};

use crate::context::{Member, PATIENCE, TestHierarchy};

const MEBIBYTE: u64 = 1 << 20;

#[test]
fn a_memory_limit_kills_who_exceeds_it() {
    let Some(hierarchy) = TestHierarchy::new("memory") else { return };
    let limit = Some(Ceiling::At(32 * MEBIBYTE));
    let Some(cgroup) = hierarchy.create(&Limits { memory: limit, memory_swap: limit, ..Limits::default() })
    else {
        return;
    };
    assert_eq!(cgroup.oom_kills().unwrap(), Some(0));
    let watch = cgroup.watch_oom().unwrap().unwrap();
    // The shell doubles a text until it is killed.
    let member = Member::start(&cgroup, "text=x; while :; do text=$text$text; done");
    poll(&mut [PollFd::new(&watch, PollFlags::IN)], None).unwrap();
    watch.drain().unwrap();
    assert!(!member.finish().success());
    assert_eq!(cgroup.oom_kills().unwrap(), Some(1));
    let memory = cgroup.stats().unwrap().memory.unwrap();
    assert_eq!((memory.oom_kills, memory.limit), (1, Some(32 * MEBIBYTE)));
    assert!(memory.peak.is_none_or(|peak| peak > 16 * MEBIBYTE && peak <= 32 * MEBIBYTE));
    cgroup.remove(PATIENCE).unwrap();
}

#[test]
fn a_limit_of_processor_time_is_seen_in_what_is_throttled() {
    let Some(hierarchy) = TestHierarchy::new("cpu") else { return };
    let Some(cgroup) = hierarchy.create(&Limits { nano_cpus: Some(20_000_000), ..Limits::default() }) else {
        return;
    };
    let member = Member::start(&cgroup, "while :; do :; done");
    // The time is added when a period ends.
    let cpu = loop {
        let cpu = cgroup.stats().unwrap().cpu.unwrap();
        if cpu.throttled > Duration::ZERO {
            break cpu;
        }
        std::thread::yield_now();
    };
    assert!(cpu.throttled_periods > 0 && cpu.periods >= cpu.throttled_periods);
    cgroup.kill(PATIENCE).unwrap();
    member.finish();
    cgroup.remove(PATIENCE).unwrap();
}

#[test]
fn limits_change_up_and_down_and_members_move_to_new_controllers() {
    let Some(hierarchy) = TestHierarchy::new("update") else { return };
    let memory = |mebibytes: u64| Limits {
        memory: Some(Ceiling::At(mebibytes * MEBIBYTE)),
        memory_swap: Some(Ceiling::At(mebibytes * MEBIBYTE)),
        ..Limits::default()
    };
    let Some(mut cgroup) = hierarchy.create(&memory(64)) else { return };
    let member = Member::start(&cgroup, "read -r line");
    for mebibytes in [128, 32] {
        assert_eq!(cgroup.update(&memory(mebibytes)).unwrap(), []);
        assert_eq!(cgroup.stats().unwrap().memory.unwrap().limit, Some(mebibytes * MEBIBYTE));
    }
    let pids = Limits { pids: Some(Ceiling::At(7)), ..Limits::default() };
    assert_eq!(cgroup.update(&pids).unwrap(), []);
    let counted = cgroup.stats().unwrap().pids.unwrap();
    assert_eq!((counted.current, counted.limit), (1, Some(7)));
    cgroup.kill(PATIENCE).unwrap();
    member.finish();
    cgroup.remove(PATIENCE).unwrap();
}

fn null(allow: bool, access: &str) -> DeviceRule {
    let access = DeviceAccess::parse(access).unwrap();
    DeviceRule { allow, kind: DeviceKind::Character, major: Some(1), minor: Some(3), access }
}

/// Which of reading and writing `/dev/null`, and reading `/dev/zero`, are possible.
const TRY_DEVICES: &str =
    "r=; true < /dev/null && r=${r}r; true > /dev/null && r=${r}w; true < /dev/zero && r=${r}z; echo $r";

#[test]
fn rules_for_devices_are_kept_by_the_controller_and_by_a_program() {
    let cases: &[(&[DeviceRule], &str)] = &[
        (&[DeviceRule::DENY_ALL, null(true, "rwm")], "rw"),
        (&[DeviceRule::DENY_ALL, null(true, "r")], "r"),
        (&[DeviceRule::DENY_ALL], ""),
        (&[null(false, "w")], "rz"),
    ];
    for hierarchy in
        [TestHierarchy::new("devices"), TestHierarchy::unified_only("devices2")].into_iter().flatten()
    {
        for (rules, expected) in cases {
            let Some(cgroup) = hierarchy.create(&Limits { devices: rules.to_vec(), ..Limits::default() })
            else {
                break;
            };
            let member = Member::start(&cgroup, TRY_DEVICES);
            let output = member.child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), *expected, "{rules:?}");
            cgroup.remove(PATIENCE).unwrap();
        }
    }
}

#[test]
fn a_limit_without_its_controller_is_named() {
    let Some(hierarchy) = TestHierarchy::unified_only("missing") else { return };
    if hierarchy.0.controllers().contains(&Controller::Pids) {
        eprintln!("skipped: version 2 has the controllers");
        return;
    }
    let limits = Limits {
        pids: Some(Ceiling::At(1)),
        memory: Some(Ceiling::At(MEBIBYTE)),
        oom_kill_disable: true,
        ..Limits::default()
    };
    let created = hierarchy.0.create("one", &limits).unwrap();
    let expected = [
        (Limit::OomKillDisable, Why::NotInVersion),
        (Limit::Memory, Why::NoController(Controller::Memory)),
        (Limit::Pids, Why::NoController(Controller::Pids)),
    ];
    assert_eq!(created.unsupported, expected.map(|(limit, why)| Unsupported { limit, why }));
    created.cgroup.remove(PATIENCE).unwrap();
}

#[test]
fn without_control_groups_everything_is_named_and_nothing_fails() {
    let nothing = Hierarchy::detect_in(Surroundings { mountinfo: "", cgroup: "", parent: "longshore" });
    let devices = vec![DeviceRule::DENY_ALL, null(true, "r")];
    let created =
        nothing.create("one", &Limits { pids: Some(Ceiling::At(1)), devices, ..Limits::default() }).unwrap();
    let why = Why::NoHierarchy(Absence::NotMounted);
    let expected = [Limit::Devices, Limit::Pids].map(|limit| Unsupported { limit, why: why.clone() });
    assert_eq!(created.unsupported, expected);
    let cgroup = created.cgroup;
    assert!(cgroup.join_files(Entry::Moved).unwrap().is_empty() && cgroup.directory().unwrap().is_none());
    assert!(cgroup.processes().unwrap().is_empty() && cgroup.oom_kills().unwrap().is_none());
    assert_eq!(cgroup.stats().unwrap(), Stats::default());
    assert!(matches!(cgroup.freeze(PATIENCE), Err(CgroupError::Absent { .. })));
    cgroup.kill(PATIENCE).unwrap();
    cgroup.remove(PATIENCE).unwrap();
}

#[test]
fn sets_and_weights_are_accepted_or_named() {
    let Some(hierarchy) = TestHierarchy::new("sets") else { return };
    let limits = Limits {
        cpuset_cpus: Some("0".into()),
        cpu_shares: Some(512),
        blkio_weight: Some(300),
        blkio_throttles: vec![Throttle { major: 1, minor: 0, kind: ThrottleKind::WriteBytes, rate: 1 << 30 }],
        ..Limits::default()
    };
    match hierarchy.0.create("one", &limits) {
        Ok(created) => {
            let all = [Limit::CpusetCpus, Limit::CpuShares, Limit::BlkioWeight, Limit::BlkioThrottle];
            assert!(created.unsupported.iter().all(|Unsupported { limit, .. }| all.contains(limit)));
            let member = Member::start(&created.cgroup, "read -r line");
            member.finish();
            created.cgroup.remove(PATIENCE).unwrap();
        }
        // No such device here.
        Err(CgroupError::Set { limit: Limit::BlkioThrottle, .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_the_kernel_refuses_leaves_nothing_behind() {
    let Some(hierarchy) = TestHierarchy::new("refused") else { return };
    let limits = Limits { cpuset_cpus: Some("100000".into()), ..Limits::default() };
    match hierarchy.0.create("one", &limits) {
        Err(CgroupError::Set { limit: Limit::CpusetCpus, .. }) => {
            assert!(hierarchy.0.leftovers().unwrap().is_empty());
        }
        Ok(created) if !created.unsupported.is_empty() => eprintln!("skipped: {}", created.unsupported[0]),
        other => panic!("{other:?}"),
    }
}
