//! Texts with their signature below (RFC 9580, section 7), as `InRelease` is.

use thiserror::Error;

use super::armor;
use super::certificate::{Keyring, tag};
use super::packet::packets;
use super::signature::{Signature, kind};
use crate::cache::hexadecimal;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END_SIGNATURE: &str = "-----END PGP SIGNATURE-----";

/// A text whose signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The text that was signed, and nothing else of the file.
    pub(crate) text: String,
    /// The fingerprint of the key that signed it.
    pub(crate) signer: String,
}

/// A text is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// There is no signature, or something stands around the signed text.
    #[error("it is not one text with an OpenPGP signature below")]
    Unsigned,
    /// The signatures are by keys that are not in the keyring.
    #[error("none of the keys that signed it is in the keyring: {0}")]
    UnknownKey(String),
    /// The key has expired.
    #[error("the key {0} that signed it has expired")]
    ExpiredKey(String),
    /// The signature has expired.
    #[error("the signature by {0} has expired")]
    ExpiredSignature(String),
    /// A trusted key did not sign this text: it was changed.
    #[error("the signature does not belong to the text: {0} signed something else")]
    Bad(String),
}

/// Returns the signed text if a key of the keyring signed it and neither key nor signature was over by then.
///
/// `now` is in seconds since 1970; `None` asks whether they were good when the signature was made.
pub(crate) fn verify(file: &str, keyring: &Keyring, now: Option<i64>) -> Result<Signed, SignatureError> {
    let (text, armoured) = take_apart(file).ok_or(SignatureError::Unsigned)?;
    let binary = armor::decode(armoured, "SIGNATURE").ok_or(SignatureError::Unsigned)?;
    let packets = packets(&binary).ok_or(SignatureError::Unsigned)?;
    let signatures: Vec<_> = packets
        .iter()
        .filter(|packet| packet.tag == tag::SIGNATURE)
        .take(16)
        .filter_map(|packet| Signature::read(packet.body))
        .filter(|signature| signature.kind == kind::TEXT)
        .collect();
    if signatures.is_empty() {
        return Err(SignatureError::Unsigned);
    }
    let content = text.replace('\n', "\r\n");
    let mut failure = None;
    for signature in &signatures {
        for key in keyring.candidates(signature) {
            let at = now.unwrap_or(signature.created);
            let name = key.key.fingerprint.to_string();
            if !key.key.verify(signature, content.as_bytes()) {
                failure = Some(SignatureError::Bad(name));
            } else if key.expires.is_some_and(|end| end <= at) {
                failure.get_or_insert(SignatureError::ExpiredKey(name));
            } else if signature.is_over(at) {
                failure.get_or_insert(SignatureError::ExpiredSignature(name));
            } else {
                return Ok(Signed { text: format!("{text}\n"), signer: name });
            }
        }
    }
    Err(failure.unwrap_or_else(|| SignatureError::UnknownKey(issuers(&signatures))))
}

fn issuers(signatures: &[Signature<'_>]) -> String {
    let longest = |signature: &Signature<'_>| {
        let issuer = signature.issuers.iter().max_by_key(|issuer| issuer.len()).copied().unwrap_or_default();
        hexadecimal(issuer).to_uppercase()
    };
    signatures.iter().map(longest).collect::<Vec<_>>().join(", ")
}

/// The signed text, without escapes and blanks at line ends, and the armoured signature.
fn take_apart(file: &str) -> Option<(String, &str)> {
    let rest = file.strip_prefix(BEGIN)?;
    let rest = rest.strip_prefix('\r').unwrap_or(rest).strip_prefix('\n')?;
    // Headers name hashes, which the signatures do too; anything else has no meaning here.
    let mut body = rest;
    loop {
        let (line, after) = body.split_once('\n')?;
        body = after;
        match line.trim_end() {
            "" => break,
            line if line.starts_with("Hash: ") => {}
            _ => return None,
        }
    }
    let end = body.find(&format!("\n{BEGIN_SIGNATURE}"))?;
    let (text, signature) = (body.get(..end)?, body.get(end + 1..)?);
    let (_, after) = signature.split_once(END_SIGNATURE)?;
    if !after.trim().is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = line.trim_end_matches([' ', '\t', '\r']);
        match line.strip_prefix("- ") {
            Some(unescaped) => lines.push(unescaped),
            None if line.starts_with('-') => return None,
            None => lines.push(line),
        }
    }
    Some((lines.join("\n"), signature))
}
