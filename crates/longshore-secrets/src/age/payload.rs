//! The content: pieces of 64 KiB, each sealed with its number, the last one marked.

use ring::aead::{Aad, Nonce};

use super::key::{aead, derive, random};
use super::{DecryptError, EncryptError};

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const NONCE: usize = 16;

/// Appends the sealed content.
pub(super) fn seal(key: &[u8; 16], plain: &[u8], file: &mut Vec<u8>) -> Result<(), EncryptError> {
    let mut nonce = [0; NONCE];
    random(&mut nonce)?;
    file.extend_from_slice(&nonce);
    let key = derive(key, &nonce, b"payload").and_then(|key| aead(&key)).ok_or(EncryptError::Keys)?;
    let count = plain.len().div_ceil(CHUNK).max(1);
    for number in 0..count {
        let chunk = plain.get(number * CHUNK..plain.len().min((number + 1) * CHUNK)).unwrap_or_default();
        let mut sealed = chunk.to_vec();
        key.seal_in_place_append_tag(numbered(number, number + 1 == count), Aad::empty(), &mut sealed)
            .map_err(|_| EncryptError::Keys)?;
        file.append(&mut sealed);
    }
    Ok(())
}

/// The content of what follows the head.
pub(super) fn open(key: &[u8; 16], rest: &[u8]) -> Result<Vec<u8>, DecryptError> {
    let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(DecryptError::Damaged)?;
    let key = derive(key, nonce, b"payload").and_then(|key| aead(&key)).ok_or(DecryptError::Damaged)?;
    let count = sealed.len().div_ceil(CHUNK + TAG).max(1);
    let mut plain = Vec::with_capacity(sealed.len());
    for number in 0..count {
        let end = sealed.len().min((number + 1) * (CHUNK + TAG));
        let mut chunk = sealed.get(number * (CHUNK + TAG)..end).unwrap_or_default().to_vec();
        let opened = key
            .open_in_place(numbered(number, number + 1 == count), Aad::empty(), &mut chunk)
            .map_err(|_| DecryptError::Damaged)?;
        if opened.is_empty() && number > 0 {
            return Err(DecryptError::Damaged);
        }
        plain.extend_from_slice(opened);
    }
    Ok(plain)
}

fn numbered(number: usize, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    let (counter, mark) = nonce.split_at_mut(11);
    counter.iter_mut().rev().zip((number as u64).to_le_bytes()).for_each(|(place, byte)| *place = byte);
    mark.fill(u8::from(is_last));
    Nonce::assume_unique_for_key(nonce)
}
