//! Keyrings, and the certificates in them: a primary key, its subkeys, and what the primary key says of both.

use thiserror::Error;

use super::armor;
use super::key::{Fingerprint, PublicKey};
use super::packet::{Packet, packets};
use super::signature::{Signature, kind};

/// How large a keyring may be.
const MAX_BYTES: usize = 16 << 20;

/// The key flag that allows signing.
const MAY_SIGN: u8 = 0x02;

/// A keyring cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyringError {
    /// It is larger than any real one.
    #[error("the keyring is larger than 16 MiB")]
    TooLarge,
    /// It is neither `OpenPGP` packets nor their armoured form.
    #[error("the keyring is no list of OpenPGP public keys, binary or armoured")]
    Malformed,
    /// No key can check signatures.
    #[error("the keyring holds no RSA or Ed25519 key with a valid self-signature")]
    Empty,
}

/// Keys that are trusted.
#[derive(Debug, Clone)]
pub(crate) struct Keyring {
    keys: Vec<SigningKey>,
}

/// A key that may sign, and for how long.
#[derive(Debug, Clone)]
pub(super) struct SigningKey {
    pub(super) key: PublicKey,
    /// When it ends, in seconds since 1970: the earlier of its own and its primary key's.
    pub(super) expires: Option<i64>,
}

impl Keyring {
    /// Reads a keyring as `gpg --export` writes it, binary or armoured (several blocks may follow each other).
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, KeyringError> {
        if bytes.len() > MAX_BYTES {
            return Err(KeyringError::TooLarge);
        }
        let mut binary = Vec::new();
        if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
            binary.extend_from_slice(bytes);
        } else {
            let text = str::from_utf8(bytes).map_err(|_| KeyringError::Malformed)?;
            for block in text.split_inclusive("-----END PGP PUBLIC KEY BLOCK-----") {
                binary.extend(armor::decode(block, "PUBLIC KEY BLOCK").unwrap_or_default());
            }
        }
        let packets =
            packets(&binary).filter(|packets| !packets.is_empty()).ok_or(KeyringError::Malformed)?;
        let mut keys = Vec::new();
        let mut rest = &packets[..];
        while let Some(start) = rest.iter().position(|packet| packet.tag == tag::PUBLIC_KEY) {
            let after = rest.get(start + 1..).unwrap_or_default();
            let length = after.iter().position(|packet| packet.tag == tag::PUBLIC_KEY).unwrap_or(after.len());
            let (own, next) = after.split_at(length);
            if let Some(primary) = rest.get(start).and_then(|packet| PublicKey::read(packet.body)) {
                keys.extend(signing_keys(primary, own).unwrap_or_default());
            }
            rest = next;
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self { keys }) }
    }

    /// The fingerprints of the keys that may sign.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.key.fingerprint.to_string()).collect()
    }

    /// The keys that may have made a signature.
    pub(super) fn candidates(&self, signature: &Signature<'_>) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().filter(|key| {
            let Fingerprint(fingerprint) = &key.key.fingerprint;
            signature
                .issuers
                .iter()
                .any(|issuer| *issuer == fingerprint || *issuer == key.key.fingerprint.key_id())
        })
    }
}

/// Kinds of packets.
pub(super) mod tag {
    pub(in super::super) const SIGNATURE: u8 = 2;
    pub(in super::super) const PUBLIC_KEY: u8 = 6;
    /// Notes of a program of its own, which stand anywhere and mean nothing to others.
    pub(in super::super) const TRUST: u8 = 12;
    pub(in super::super) const USER_ID: u8 = 13;
    pub(in super::super) const PUBLIC_SUBKEY: u8 = 14;
}

/// What a primary key says of itself, or of a subkey: the newest valid statement.
struct Statement {
    made: i64,
    key_lifetime: Option<i64>,
    key_flags: Option<u8>,
}

/// The keys of one certificate that may sign. `None` if the primary key is revoked or says nothing of itself.
fn signing_keys(primary: PublicKey, packets: &[Packet<'_>]) -> Option<Vec<SigningKey>> {
    let (mut own, mut subkeys) = (None::<Statement>, Vec::new());
    let mut groups: Vec<(Option<Packet<'_>>, Vec<Signature<'_>>)> = vec![(None, Vec::new())];
    for packet in packets {
        if packet.tag == tag::TRUST {
            continue;
        }
        if packet.tag == tag::SIGNATURE {
            let signatures = groups.last_mut().map(|(_, signatures)| signatures)?;
            signatures.extend(Signature::read(packet.body));
        } else {
            groups.push((Some(*packet), Vec::new()));
        }
    }
    for (subject, signatures) in &groups {
        match subject {
            Some(packet) if packet.tag == tag::PUBLIC_SUBKEY => {
                subkeys.extend(subkey(&primary, packet, signatures));
            }
            Some(packet) if packet.tag == tag::USER_ID => {
                let content = [
                    primary.signed_form(),
                    vec![0xb4],
                    (packet.body.len() as u32).to_be_bytes().to_vec(),
                    packet.body.to_vec(),
                ]
                .concat();
                newest(&mut own, &primary, &content, signatures, |kind| matches!(kind, 0x10..=0x13));
            }
            Some(_) => {}
            None => {
                let content = primary.signed_form();
                let revocation = |signature: &&Signature<'_>| signature.kind == kind::KEY_REVOCATION;
                if signatures.iter().filter(revocation).any(|revocation| primary.verify(revocation, &content))
                {
                    return None;
                }
                newest(&mut own, &primary, &content, signatures, |kind| kind == kind::DIRECT_KEY);
            }
        }
    }
    let own = own?;
    let end = own.key_lifetime.map(|seconds| primary.created.saturating_add(seconds));
    let mut keys = Vec::new();
    for (key, expires) in subkeys {
        let expires = [expires, end].into_iter().flatten().min();
        keys.push(SigningKey { key, expires });
    }
    if own.key_flags.is_none_or(|flags| flags & MAY_SIGN != 0) {
        keys.push(SigningKey { key: primary, expires: end });
    }
    Some(keys)
}

fn newest(
    statement: &mut Option<Statement>,
    primary: &PublicKey,
    content: &[u8],
    signatures: &[Signature<'_>],
    wanted: impl Fn(u8) -> bool,
) {
    for signature in signatures.iter().filter(|signature| wanted(signature.kind)) {
        let is_newer = statement.as_ref().is_none_or(|statement| statement.made < signature.created);
        if is_newer && is_by(primary, signature) && primary.verify(signature, content) {
            *statement = Some(Statement {
                made: signature.created,
                key_lifetime: signature.key_lifetime,
                key_flags: signature.key_flags,
            });
        }
    }
}

/// Whether a signature says to be by a key. Saves the work of checking what others certified.
fn is_by(key: &PublicKey, signature: &Signature<'_>) -> bool {
    signature.issuers.iter().any(|issuer| *issuer == key.fingerprint.0 || *issuer == key.fingerprint.key_id())
}

/// A subkey that its primary key lets sign, that agrees to it, and that is not revoked.
fn subkey(
    primary: &PublicKey,
    packet: &Packet<'_>,
    signatures: &[Signature<'_>],
) -> Option<(PublicKey, Option<i64>)> {
    let subkey = PublicKey::read(packet.body)?;
    let content = [primary.signed_form(), subkey.signed_form()].concat();
    let revoked = signatures
        .iter()
        .any(|signature| signature.kind == kind::SUBKEY_REVOCATION && primary.verify(signature, &content));
    let binding = signatures
        .iter()
        .filter(|signature| signature.kind == kind::SUBKEY_BINDING && primary.verify(signature, &content))
        .max_by_key(|signature| signature.created)?;
    let agreed = binding.embedded.and_then(Signature::read).is_some_and(|agreement| {
        agreement.kind == kind::PRIMARY_KEY_BINDING && subkey.verify(&agreement, &content)
    });
    if revoked || !agreed || binding.key_flags.is_none_or(|flags| flags & MAY_SIGN == 0) {
        return None;
    }
    let expires = binding.key_lifetime.map(|seconds| subkey.created.saturating_add(seconds));
    Some((subkey, expires))
}
