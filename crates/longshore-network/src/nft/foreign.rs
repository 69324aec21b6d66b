//! Rules of others that decide about our packets: a `FORWARD` chain of the iptables layout whose policy is to drop.
//!
//! Docker sets that policy, and some firewalls do. An accept in our own table cannot help: a drop in any table is final.
//! Docker keeps a chain for such cases, `DOCKER-USER`; there our networks get a passage, in rules that carry our mark
//! in their comment, so that they can be found and removed again.
//!
//! With `bridge-nf-call-iptables`, which every network namespace has switched on from its beginning, even packets that
//! only cross a bridge go through that chain. Those no firewall for machines means, so they get their passage in any
//! case, in the chain itself if there is no other; what leaves a network is left to whoever made the chain drop.

use std::fs;

use rustix::io::Errno;

use super::table::{Rule, with_expressions};
use super::{ASK_CHAIN, ASK_RULE, DELETE_RULE, Expression, Firewall, NEW_RULE, NFGEN, header};
use crate::netlink::attribute::Attributes;
use crate::netlink::message::{ACK, CREATE, DUMP, Message};
use crate::netlink::{Attempt, KernelError};

const TABLE: &str = "filter";
const FORWARD: &str = "FORWARD";
const DOCKER_USER: &str = "DOCKER-USER";
/// Whether packets that cross a bridge go through the chains of iptables. It is not there before the kernel can do it.
const BRIDGED: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// What the `FORWARD` chain of iptables does with packets that no rule accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignPolicy {
    /// There is no such chain, or it lets them pass.
    Pass,
    /// It drops them, and there is Docker's chain to make exceptions in.
    DropWithDocker,
    /// It drops them.
    Drop,
    /// It drops them, and is one of the older iptables, whose tables cannot be changed by the rule.
    DropOlder,
}

/// What passes through the chain of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage<'a> {
    /// All packets from and to an interface.
    Whole(&'a str),
    /// Packets that stay on a bridge.
    Within(&'a str),
}

impl Passage<'_> {
    fn rules(self) -> Vec<Rule> {
        let from = |interface: &str| Expression::From(interface.to_owned());
        let towards = |interface: &str| Expression::Towards(interface.to_owned());
        let conditions = match self {
            Self::Whole(interface) => vec![vec![from(interface)], vec![towards(interface)]],
            Self::Within(interface) => vec![vec![from(interface), towards(interface)]],
        };
        let accepted =
            |conditions: Rule| [conditions, vec![Expression::Counter, Expression::Accept]].concat();
        conditions.into_iter().map(accepted).collect()
    }
}

/// What the `FORWARD` chain does, in the table `ip filter` or in that of the older iptables.
pub(crate) fn forward_policy(firewall: &mut Firewall) -> Result<ForeignPolicy, KernelError> {
    let policy = chain(firewall, FORWARD)?.and_then(|answer| Attributes::after(&answer, NFGEN).big(5));
    // NF_DROP.
    if policy != Some(0) {
        let older = super::legacy::forward_drops();
        return Ok(if older { ForeignPolicy::DropOlder } else { ForeignPolicy::Pass });
    }
    Ok(match chain(firewall, DOCKER_USER)? {
        Some(_) => ForeignPolicy::DropWithDocker,
        None => ForeignPolicy::Drop,
    })
}

/// Whether packets that cross a bridge go through the chains of iptables.
pub(crate) fn filters_bridges() -> bool {
    fs::read_to_string(BRIDGED).is_ok_and(|text| text.trim() != "0")
}

/// Whether a firewall of somebody else drops what containers send to elsewhere, and no exception can be made in it. What
/// cannot be looked at counts as letting packets pass.
pub fn foreign_firewall_drops() -> bool {
    let firewall = Firewall::open().ok().flatten();
    let policy = firewall.and_then(|mut firewall| forward_policy(&mut firewall).ok());
    matches!(policy, Some(ForeignPolicy::Drop | ForeignPolicy::DropOlder))
}

fn chain(firewall: &mut Firewall, name: &str) -> Result<Option<Vec<u8>>, KernelError> {
    match firewall.socket.ask(Message::new(ASK_CHAIN, 0).fixed(&header()).text(1, TABLE).text(3, name)) {
        Ok(answer) => Ok(Some(answer)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(KernelError::new(format!("look at the firewall chain `{name}`"), errno)),
    }
}

/// Lets packets pass, in rules with our mark: in `DOCKER-USER`, or in `FORWARD` if that is not there. Nothing happens if
/// they do already.
pub(crate) fn open_passage(
    firewall: &mut Firewall,
    policy: ForeignPolicy,
    mark: &str,
    passage: Passage<'_>,
) -> Result<(), KernelError> {
    let name = if policy == ForeignPolicy::DropWithDocker { DOCKER_USER } else { FORWARD };
    let (present, rules) = (marked_rules(firewall, name, mark)?, passage.rules());
    if present.len() == rules.len() {
        return Ok(());
    }
    let mut changes: Vec<Message> = present.into_iter().map(|handle| deletion(name, &handle)).collect();
    for rule in rules {
        // Without `NLM_F_APPEND` a rule comes first in its chain.
        let message = Message::new(NEW_RULE, CREATE).fixed(&header()).text(1, TABLE).text(2, name);
        changes.push(with_expressions(message, &rule).bytes(7, &user_data(mark)));
    }
    change(firewall, name, changes)
}

/// Removes all rules in chains of others with our mark.
pub(crate) fn close_passage(firewall: &mut Firewall, mark: &str) -> Result<(), KernelError> {
    for name in [DOCKER_USER, FORWARD] {
        let present = marked_rules(firewall, name, mark)?;
        change(firewall, name, present.into_iter().map(|handle| deletion(name, &handle)).collect())?;
    }
    Ok(())
}

fn change(firewall: &mut Firewall, chain: &str, mut changes: Vec<Message>) -> Result<(), KernelError> {
    let Some(last) = changes.pop() else { return Ok(()) };
    changes.push(last.with_flags(ACK));
    firewall.batch(changes).attempt(|| format!("let packets of containers pass the firewall chain `{chain}`"))
}

fn deletion(chain: &str, handle: &[u8]) -> Message {
    Message::new(DELETE_RULE, 0).fixed(&header()).text(1, TABLE).text(2, chain).bytes(3, handle)
}

/// The handles of the rules in a chain with our mark.
fn marked_rules(firewall: &mut Firewall, chain: &str, mark: &str) -> Result<Vec<Vec<u8>>, KernelError> {
    let expected = user_data(mark);
    let mut handles = Vec::new();
    let request = Message::new(ASK_RULE, DUMP).fixed(&header()).text(1, TABLE).text(2, chain);
    let visit = &mut |answer: &[u8]| {
        let rule = Attributes::after(answer, NFGEN);
        let ours = rule.text(2).as_deref() == Some(chain) && rule.find(7) == Some(&expected[..]);
        if let (true, Some(handle)) = (ours, rule.find(3)) {
            handles.push(handle.to_vec());
        }
    };
    match firewall.socket.dump_message(request, visit) {
        Ok(()) | Err(Errno::NOENT) => Ok(handles),
        Err(errno) => Err(KernelError::new(format!("list the rules in the firewall chain `{chain}`"), errno)),
    }
}

/// A comment as the `nft` and `iptables` programs keep it: type 0, length, text, zero.
fn user_data(mark: &str) -> Vec<u8> {
    let length = u8::try_from(mark.len() + 1).unwrap_or(u8::MAX);
    let mut bytes = vec![0, length];
    bytes.extend(mark.bytes().take(usize::from(length) - 1));
    bytes.push(0);
    bytes
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{DOCKER_USER, FORWARD, Firewall, NEW_RULE, TABLE, header, marked_rules};
    use crate::netlink::message::{ACK, APPEND, CREATE, Message};
    use crate::nft::{NEW_CHAIN, NEW_TABLE};

    /// Sets up what Docker does: a chain that drops, and perhaps one for exceptions that it asks first.
    pub(crate) fn like_docker(exceptions: bool) {
        let mut firewall = Firewall::open().unwrap().unwrap();
        let chain = |name| Message::new(NEW_CHAIN, CREATE).fixed(&header()).text(1, TABLE).text(3, name);
        let mut changes = vec![
            Message::new(NEW_TABLE, CREATE).fixed(&header()).text(1, TABLE).big(2, 0),
            chain(FORWARD).nest(4, |place| place.big(1, 2).big(2, 0)).big(5, 0).text(7, "filter"),
        ];
        if exceptions {
            // `jump DOCKER-USER`: NFT_JUMP is -3.
            let jump = Message::new(NEW_RULE, CREATE | APPEND)
                .fixed(&header())
                .text(1, TABLE)
                .text(2, FORWARD)
                .nest(4, |list| {
                    list.nest(1, |element| {
                        element.text(1, "immediate").nest(2, |data| {
                            data.big(1, 0).nest(2, |inner| {
                                inner.nest(2, |verdict| {
                                    verdict.big(1, (-3_i32).cast_unsigned()).text(2, DOCKER_USER)
                                })
                            })
                        })
                    })
                });
            changes.extend([chain(DOCKER_USER), jump]);
        }
        let last = changes.pop().unwrap();
        changes.push(last.with_flags(ACK));
        firewall.batch(changes).unwrap();
    }

    /// How many rules with a mark there are.
    pub(crate) fn marked(mark: &str) -> usize {
        let mut firewall = Firewall::open().unwrap().unwrap();
        [DOCKER_USER, FORWARD]
            .map(|chain| marked_rules(&mut firewall, chain, mark).unwrap().len())
            .iter()
            .sum()
    }
}
