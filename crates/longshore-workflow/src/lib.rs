//! Placeholder head; the crate's own documentation replaces it.
