//! Control groups of containers: what a specification means for them.

use longshore_cgroup::{Ceiling, Created, DeviceAccess, DeviceKind, DeviceRule, Hierarchy, Limits};
use longshore_engine::{ContainerId, ContainerSpec, EngineError, Fault};

use crate::launch::Privilege;

/// Devices that every container may use: numbers, and making any node.
const ALLOWED: [&str; 12] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
    "c 10:200 rwm",
];

/// Makes the groups of a container. What the machine cannot keep is told.
pub(crate) fn create(
    hierarchy: &Hierarchy,
    id: &ContainerId,
    spec: &ContainerSpec,
    privilege: Privilege,
) -> Result<(Created, Vec<String>), EngineError> {
    let mut limits = limits(spec)?;
    if privilege != Privilege::Root && spec.resources.device_rules.is_empty() {
        // Ordinary users make no devices, and use those of the machine as far as their own rights go.
        limits.devices.clear();
    }
    let created = hierarchy.create(id.as_str(), &limits).map_err(|error| {
        let fault = match error {
            longshore_cgroup::CgroupError::Limits(_) => Fault::Invalid,
            _ => Fault::Environment,
        };
        EngineError::new(fault, "failed to limit the container").because(error)
    })?;
    let warnings = created.unsupported.iter().map(ToString::to_string).collect();
    Ok((created, warnings))
}

/// What a specification asks for, in the words of control groups.
pub(crate) fn limits(spec: &ContainerSpec) -> Result<Limits, EngineError> {
    let resources = &spec.resources;
    let number = |value: i64| Ceiling::from_docker(value);
    Ok(Limits {
        memory: resources.memory.and_then(|bytes| number(i64::try_from(bytes).unwrap_or(i64::MAX))),
        memory_swap: resources.memory_swap.and_then(number),
        memory_reservation: resources.memory_reservation,
        memory_swappiness: None,
        oom_kill_disable: resources.oom_kill_disable,
        nano_cpus: resources.nano_cpus,
        cpu_quota: resources.cpu_quota.and_then(number),
        cpu_period: resources.cpu_period,
        cpu_shares: resources.cpu_shares,
        cpuset_cpus: resources.cpuset_cpus.clone(),
        cpuset_mems: resources.cpuset_mems.clone(),
        pids: resources.pids.and_then(|count| number(i64::try_from(count).unwrap_or(i64::MAX))),
        devices: device_rules(spec)?,
        blkio_weight: resources.blkio_weight,
        blkio_throttles: Vec::new(),
    })
}

fn device_rules(spec: &ContainerSpec) -> Result<Vec<DeviceRule>, EngineError> {
    if spec.security.privileged {
        return Ok(Vec::new());
    }
    let mut rules = vec![DeviceRule::DENY_ALL];
    for text in ALLOWED {
        rules.push(rule(text)?);
    }
    let crate::launch::device::Nodes { nodes, .. } = crate::launch::device::nodes(&spec.resources.devices)?;
    for (node, permissions) in nodes {
        rules.push(rule(&node.rule(&permissions))?);
    }
    for text in &spec.resources.device_rules {
        rules.push(rule(text)?);
    }
    Ok(rules)
}

/// A rule as the kernel writes it: `c 1:3 rwm`, with `*` for any number and `a` for any kind.
fn rule(text: &str) -> Result<DeviceRule, EngineError> {
    parse_rule(text).ok_or_else(|| {
        EngineError::new(Fault::Invalid, format!("invalid device cgroup rule: `{text}`"))
            .help("write the kind (`a`, `b`, `c`), the numbers and the permissions: `c 188:* rwm`")
    })
}

fn parse_rule(text: &str) -> Option<DeviceRule> {
    let mut words = text.split_ascii_whitespace();
    let kind = match words.next()? {
        "a" => DeviceKind::Any,
        "b" => DeviceKind::Block,
        "c" => DeviceKind::Character,
        _ => return None,
    };
    let (major, minor) = words.next()?.split_once(':')?;
    let number = |text: &str| if text == "*" { Some(None) } else { text.parse().ok().map(Some) };
    let access = DeviceAccess::parse(words.next()?)?;
    let rule = DeviceRule { allow: true, kind, major: number(major)?, minor: number(minor)?, access };
    words.next().is_none().then_some(rule)
}

#[cfg(test)]
mod tests {
    use longshore_engine::{ContainerSpec, Resources};

    use super::{device_rules, parse_rule};

    #[test]
    fn rules_are_read_and_others_refused() {
        for text in ["c 1:3 rwm", "b *:* m", "a *:* r"] {
            assert!(parse_rule(text).is_some(), "{text}");
        }
        for text in ["", "c", "c 1 rwm", "x 1:3 r", "c 1:3", "c 1:3 q", "c 1:3 r w"] {
            assert!(parse_rule(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nothing_is_allowed_before_all_is_denied() {
        let resources = Resources { device_rules: vec!["c 188:* rw".to_owned()], ..Resources::default() };
        let rules = device_rules(&ContainerSpec { resources, ..ContainerSpec::default() }).unwrap();
        assert!(!rules[0].allow && rules[1..].iter().all(|rule| rule.allow));
        assert_eq!(rules.last().unwrap().major, Some(188));
    }
}
