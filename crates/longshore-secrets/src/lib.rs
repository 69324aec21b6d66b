//! Files of secrets: names and values as in `.env` files ([`dotenv`]), and the same encrypted ([`age`]).
//!
//! **Invariants:** no error and no `Debug` shows a value or a key. What is read comes from strangers: sizes are bounded, and so
//! is the work that a passphrase may cost.

#![forbid(unsafe_code)]

pub mod age;
pub mod dotenv;
