//! As much of `OpenPGP` (RFC 9580, and RFC 4880 for what archives still use) as checking a clear-signed release needs.
//!
//! Version 4 keys and signatures, RSA of at least 2,048 bits and Ed25519 in both encodings, SHA-2. The arithmetic is
//! `ring`'s, which the TLS library brings anyway. A whole `OpenPGP` library would have added more than a hundred crates
//! for encryption, secret keys and ciphers that an archive never uses; what is needed here is a reader of five kinds of
//! packet.
//!
//! **Invariants:** a text is returned only if a key of the keyring made a good signature over exactly that text; the
//! key, or a subkey bound to it in both directions, may sign, and neither is revoked or expired. No input panics, and
//! work is proportional to its length.

mod armor;
mod certificate;
mod cleartext;
mod key;
mod packet;
mod signature;
#[cfg(test)]
mod tests;

pub(crate) use certificate::Keyring;
pub use certificate::KeyringError;
pub use cleartext::SignatureError;
pub(crate) use cleartext::verify;
