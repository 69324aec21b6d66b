//! An engine that is a fake.
