//! The rules of networks in the kernel: those in our own table, and the passage in chains of others.

use super::bring_up::Ready;
use super::{Networks, Warning};
use crate::netlink::KernelError;
use crate::nft::{self, Firewall, ForeignPolicy, Passage};
use crate::state::{Lock, StateError};
use crate::{Blame, ruleset};

/// The rules of the networks could not be set.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// What they depend on could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The kernel refused them.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl RulesError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::State(source) => source.blame(),
            Self::Kernel(source) => source.blame(),
        }
    }
}

impl Networks {
    /// Makes the kernel's rules be those that the files mean, by a way to the packet filter of its own.
    pub(super) fn renew_rules(&self, lock: &Lock) -> Result<Option<Warning>, RulesError> {
        let mut firewall = Firewall::open()?;
        let warning = self.apply_rules(firewall.as_mut(), lock)?;
        Firewall::leave(firewall);
        Ok(warning)
    }

    /// Makes the kernel's rules be those that the files mean.
    pub(super) fn apply_rules(
        &self,
        firewall: Option<&mut Firewall>,
        lock: &Lock,
    ) -> Result<Option<Warning>, RulesError> {
        let Some(firewall) = firewall else { return Ok(Some(Warning::NoFirewall)) };
        let instance = self.directory().instance(lock)?;
        let population = self.population(lock)?;
        match firewall.replace(&ruleset::table(&instance, &population, true)) {
            Ok(()) => return Ok(None),
            Err(refusal) if !nft::is_missing(&refusal) => return Err(refusal.into()),
            Err(_) => {}
        }
        if ruleset::has_redirects(&population)
            && firewall.replace(&ruleset::table(&instance, &population, false)).is_ok()
        {
            return Ok(Some(Warning::NoSourceAddress));
        }
        Ok(Some(Warning::NoFirewall))
    }
}

/// What our rules in chains of others carry.
pub(super) fn passage_mark(instance: &str, interface: &str) -> String {
    format!("longshore-{instance} {interface}")
}

/// Whether the kernel has the table of an instance.
pub(super) fn has_table(firewall: Option<&mut Firewall>, instance: &str) -> Result<bool, KernelError> {
    match firewall.map(|firewall| firewall.has_table(&ruleset::table_name(instance))) {
        None => Ok(false),
        Some(Err(refusal)) if nft::is_missing(&refusal) => Ok(false),
        Some(answer) => answer,
    }
}

/// Sees to firewalls of others that would drop the network's packets. Within an internal network packets pass, and in no
/// other way. In Docker's chain the others get all that they need; in the chain itself only what stays on the bridge.
pub(super) fn pass_foreign(
    firewall: &mut Firewall,
    mark: &str,
    ready: &Ready,
) -> Result<Vec<Warning>, KernelError> {
    let policy = match nft::forward_policy(firewall) {
        Err(refusal) if nft::is_missing(&refusal) => return Ok(Vec::new()),
        policy => policy?,
    };
    let (name, internal) = (&ready.config.interface, ready.network.internal);
    let passage = match policy {
        ForeignPolicy::Pass | ForeignPolicy::DropOlder => None,
        ForeignPolicy::DropWithDocker if !internal => Some(Passage::Whole(name)),
        ForeignPolicy::DropWithDocker | ForeignPolicy::Drop => Some(Passage::Within(name)),
    };
    if let Some(passage) = passage {
        nft::open_passage(firewall, policy, mark, passage)?;
    }
    let mut warnings = Vec::new();
    let older = policy == ForeignPolicy::DropOlder;
    if older && nft::filters_bridges() {
        warnings.push(Warning::ForeignBridgeFilter { interface: name.clone() });
    }
    if !internal && (older || policy == ForeignPolicy::Drop) {
        warnings.push(Warning::ForeignFirewall { interface: name.clone() });
    }
    Ok(warnings)
}
