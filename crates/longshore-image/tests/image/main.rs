//! Images in a store of their own: made, found, loaded, unpacked.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod load;
mod place;
mod pull;
mod registry;
mod resolve;
mod save;
