//! Public keys (RFC 9580, section 5.5.2), version 4.

use std::fmt;

use ring::digest;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use super::packet::Fields;
use super::signature::{HashAlgorithm, Signature};

/// The object identifier that older Ed25519 keys begin with.
const ED25519_OID: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// The SHA-1 digest of a key, by which people and signatures name it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(pub(super) [u8; 20]);

impl Fingerprint {
    /// The short name in old signatures: the last eight bytes.
    pub(super) fn key_id(&self) -> &[u8] {
        &self.0[12..]
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02X}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

/// A public key or subkey that can check signatures.
#[derive(Debug, Clone)]
pub(super) struct PublicKey {
    pub(super) fingerprint: Fingerprint,
    /// When it was made, in seconds since 1970.
    pub(super) created: i64,
    /// What signatures over the key cover.
    pub(super) body: Vec<u8>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// Reads the body of a key packet; `None` for a key of a version or algorithm that is not supported.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        if fields.u8()? != 4 {
            return None;
        }
        let created = i64::from(fields.u32()?);
        let material = match fields.u8()? {
            1 | 3 => {
                let (modulus, exponent) = (fields.integer()?.to_vec(), fields.integer()?.to_vec());
                Material::Rsa { modulus, exponent }
            }
            22 => {
                let length = usize::from(fields.u8()?);
                let (oid, point) = (fields.take(length)?, fields.integer()?);
                let point = point.strip_prefix(&[0x40]).filter(|_| oid == ED25519_OID)?;
                Material::Ed25519(point.try_into().ok()?)
            }
            27 => Material::Ed25519(fields.take(32)?.try_into().ok()?),
            _ => return None,
        };
        let mut hashed = framed(body)?;
        hashed.extend_from_slice(body);
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &hashed);
        let fingerprint = Fingerprint(digest.as_ref().try_into().ok()?);
        Some(Self { fingerprint, created, body: body.to_vec(), material })
    }

    /// What a signature over this key covers.
    pub(super) fn signed_form(&self) -> Vec<u8> {
        let mut form = framed(&self.body).unwrap_or_default();
        form.extend_from_slice(&self.body);
        form
    }

    /// Whether this key made a signature over some content.
    pub(super) fn verify(&self, signature: &Signature<'_>, content: &[u8]) -> bool {
        if signature.created < self.created {
            return false;
        }
        let mut message = content.to_vec();
        signature.write_trailer(&mut message);
        match &self.material {
            Material::Rsa { modulus, exponent } => verify_rsa(modulus, exponent, signature, &message),
            Material::Ed25519(point) => verify_ed25519(point, signature, &message),
        }
    }
}

fn framed(body: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(body.len()).ok()?;
    Some([&[0x99][..], &length.to_be_bytes()].concat())
}

fn verify_rsa(modulus: &[u8], exponent: &[u8], signature: &Signature<'_>, message: &[u8]) -> bool {
    if !matches!(signature.key_algorithm, 1 | 3) {
        return false;
    }
    let Some(value) = Fields(signature.value).integer() else { return false };
    let Some(padded) = padded(value, modulus.len()) else { return false };
    let algorithm = match signature.hash {
        HashAlgorithm::Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        HashAlgorithm::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        HashAlgorithm::Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
    };
    RsaPublicKeyComponents { n: modulus, e: exponent }.verify(algorithm, message, &padded).is_ok()
}

fn verify_ed25519(point: &[u8], signature: &Signature<'_>, message: &[u8]) -> bool {
    let value = match signature.key_algorithm {
        27 => signature.value.to_vec(),
        22 => {
            let mut fields = Fields(signature.value);
            let halves = (|| Some((padded(fields.integer()?, 32)?, padded(fields.integer()?, 32)?)))();
            let Some((r, s)) = halves else { return false };
            [r, s].concat()
        }
        _ => return false,
    };
    let algorithm = match signature.hash {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    };
    let digest = digest::digest(algorithm, message);
    UnparsedPublicKey::new(&signature::ED25519, point).verify(digest.as_ref(), &value).is_ok()
}

/// An integer with zeros in front, so that it has a length.
fn padded(value: &[u8], length: usize) -> Option<Vec<u8>> {
    let zeros = length.checked_sub(value.len())?;
    Some([&vec![0; zeros][..], value].concat())
}
