//! Signatures (RFC 9580, section 5.2), version 4.

use super::packet::{Fields, subpackets};

/// Kinds of signatures that are looked at.
pub(super) mod kind {
    /// Over a text with its line ends made canonical.
    pub(in super::super) const TEXT: u8 = 0x01;
    /// Over a subkey, by its primary key.
    pub(in super::super) const SUBKEY_BINDING: u8 = 0x18;
    /// Over a primary key, by its subkey: the subkey agrees.
    pub(in super::super) const PRIMARY_KEY_BINDING: u8 = 0x19;
    /// Over a key itself.
    pub(in super::super) const DIRECT_KEY: u8 = 0x1f;
    /// A primary key is revoked.
    pub(in super::super) const KEY_REVOCATION: u8 = 0x20;
    /// A subkey is revoked.
    pub(in super::super) const SUBKEY_REVOCATION: u8 = 0x28;
}

/// The hashes that are strong enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HashAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// A signature that was read and not yet checked.
#[derive(Debug, Clone)]
pub(super) struct Signature<'a> {
    pub(super) kind: u8,
    pub(super) key_algorithm: u8,
    pub(super) hash: HashAlgorithm,
    /// When it was made, in seconds since 1970.
    pub(super) created: i64,
    /// How many seconds it is good for, if not for ever.
    pub(super) lifetime: Option<i64>,
    /// How many seconds the key is good for, if not for ever.
    pub(super) key_lifetime: Option<i64>,
    /// What the key may be used for, if it says so.
    pub(super) key_flags: Option<u8>,
    /// The fingerprints and key ids of who says to have made it.
    pub(super) issuers: Vec<&'a [u8]>,
    /// A signature within, by which a subkey agrees to be bound.
    pub(super) embedded: Option<&'a [u8]>,
    /// The algorithm's numbers.
    pub(super) value: &'a [u8],
    hashed: &'a [u8],
}

impl<'a> Signature<'a> {
    /// Reads the body of a signature packet. `None` if its version, algorithm or a critical part is not supported.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(body);
        if fields.u8()? != 4 {
            return None;
        }
        let (kind, key_algorithm) = (fields.u8()?, fields.u8()?);
        let hash = match fields.u8()? {
            8 => HashAlgorithm::Sha256,
            9 => HashAlgorithm::Sha384,
            10 => HashAlgorithm::Sha512,
            _ => return None,
        };
        let hashed_length = usize::from(fields.u16()?);
        let hashed_subpackets = fields.take(hashed_length)?;
        let hashed = body.get(..6 + hashed_length)?;
        let unhashed_length = usize::from(fields.u16()?);
        let unhashed = fields.take(unhashed_length)?;
        fields.take(2)?;
        let mut signature = Self {
            kind,
            key_algorithm,
            hash,
            created: -1,
            lifetime: None,
            key_lifetime: None,
            key_flags: None,
            issuers: Vec::new(),
            embedded: None,
            value: fields.0,
            hashed,
        };
        signature.read_subpackets(hashed_subpackets, true)?;
        signature.read_subpackets(unhashed, false)?;
        // The time is mandatory, and counts only if it is signed.
        (signature.created >= 0).then_some(signature)
    }

    fn read_subpackets(&mut self, bytes: &'a [u8], signed: bool) -> Option<()> {
        for (kind, critical, body) in subpackets(bytes)? {
            let mut fields = Fields(body);
            match kind {
                2 if signed => self.created = i64::from(fields.u32()?),
                3 if signed => self.lifetime = Some(i64::from(fields.u32()?)).filter(|seconds| *seconds > 0),
                9 if signed => {
                    self.key_lifetime = Some(i64::from(fields.u32()?)).filter(|seconds| *seconds > 0);
                }
                27 if signed => self.key_flags = Some(fields.u8().unwrap_or(0)),
                16 => self.issuers.push(body),
                33 => self.issuers.push(body.get(1..)?),
                32 => self.embedded = Some(body),
                // Preferences and remarks, which change nothing about what is signed.
                11 | 20..=26 | 28..=31 | 34 => {}
                _ if critical && signed => return None,
                _ => {}
            }
        }
        Some(())
    }

    /// Whether the signature itself has ended at a time.
    pub(super) fn is_over(&self, at: i64) -> bool {
        self.lifetime.is_some_and(|seconds| self.created.saturating_add(seconds) <= at)
    }

    /// What is hashed after the content.
    pub(super) fn write_trailer(&self, message: &mut Vec<u8>) {
        message.extend_from_slice(self.hashed);
        message.extend_from_slice(&[4, 0xff]);
        message.extend_from_slice(&(self.hashed.len() as u32).to_be_bytes());
    }
}
