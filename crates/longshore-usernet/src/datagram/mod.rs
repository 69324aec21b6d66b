//! UDP and pings between containers and the host's world, and the questions for names.

mod exchange;
mod exchanges;

pub(crate) use exchanges::{Exchanges, Parties};
