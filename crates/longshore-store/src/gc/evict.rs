//! Dropping refs to come within a budget.

use std::collections::HashSet;

use longshore_core::ByteSize;

use super::collect::Survey;
use super::policy::RetentionPolicy;
use super::report::Eviction;
use crate::{NamedRef, RefName, StoreError};

/// Chooses the fewest refs, in the policy's order, that bring the store within the budget; or, if none do, as near as it
/// gets. Refs whose content stays anyway are not dropped in vain.
pub(super) fn choose(
    survey: &mut Survey<'_>,
    budget: ByteSize,
    policy: &dyn RetentionPolicy,
) -> Result<Eviction, StoreError> {
    let expendable = policy.expendable(&survey.refs);
    let mut without = |count: usize| -> Result<u64, StoreError> {
        let dropped: HashSet<&RefName> = expendable.iter().take(count).collect();
        survey.bytes_without(|each: &NamedRef| dropped.contains(&each.name))
    };
    let least = without(expendable.len())?;
    let target = least.max(budget.bytes());
    // More refs dropped never leave more bytes, so the fewest can be searched for by halves.
    let (mut low, mut high) = (0, expendable.len());
    while low < high {
        let middle = low.midpoint(high);
        if without(middle)? <= target {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let excess = without(low)?.saturating_sub(budget.bytes());
    let refs = expendable.into_iter().take(low).collect();
    Ok(Eviction { refs, excess: (excess > 0).then_some(ByteSize(excess)) })
}
