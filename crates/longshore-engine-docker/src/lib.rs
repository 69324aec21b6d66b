//! Docker Engine behind the same contract.

#![forbid(unsafe_code)]
