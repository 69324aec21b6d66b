//! Images in a store of their own: made, found, loaded, unpacked.

mod load;
mod place;
mod resolve;
