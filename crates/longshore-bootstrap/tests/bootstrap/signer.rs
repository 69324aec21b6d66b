//! A key that signs releases, made for one test.

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA512, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// When keys are made, in seconds since 1970.
pub(crate) const KEY_MADE: u32 = 1_700_000_000;

pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    body: Vec<u8>,
}

impl Signer {
    /// A key from one byte, so that tests can be repeated.
    pub(crate) fn new(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let oid = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
        let point = [&[0x40], pair.public_key().as_ref()].concat();
        let body = [&[4][..], &KEY_MADE.to_be_bytes(), &[22, 9], &oid, &integer(&point)].concat();
        Self { pair, body }
    }

    /// The public key in binary form, good for so many seconds (0 is for ever) and for what the flags say.
    pub(crate) fn keyring(&self, lifetime: u32, flags: u8) -> Vec<u8> {
        let user = b"Archive <archive@example>";
        let content = [&self.framed()[..], &[0xb4], &(user.len() as u32).to_be_bytes(), user].concat();
        let mut more = vec![2, 27, flags];
        if lifetime > 0 {
            more.extend([&[5, 9][..], &lifetime.to_be_bytes()].concat());
        }
        let signature = self.signature(0x13, &content, KEY_MADE, &more);
        [packet(6, &self.body), packet(13, user), packet(2, &signature)].concat()
    }

    /// A text with its signature below.
    pub(crate) fn clear_sign(&self, text: &str, made: u32) -> String {
        let content = text.trim_end_matches('\n').replace('\n', "\r\n");
        let signature = packet(2, &self.signature(1, content.as_bytes(), made, &[]));
        let escaped: String = text
            .lines()
            .map(|line| if line.starts_with('-') { format!("- {line}\n") } else { format!("{line}\n") })
            .collect();
        format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{escaped}-----BEGIN PGP SIGNATURE-----\n\n{}\n-----END PGP SIGNATURE-----\n",
            base64(&signature)
        )
    }

    fn framed(&self) -> Vec<u8> {
        [&[0x99][..], &(self.body.len() as u16).to_be_bytes(), &self.body].concat()
    }

    fn signature(&self, kind: u8, content: &[u8], made: u32, more: &[u8]) -> Vec<u8> {
        let fingerprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.framed());
        let subpackets =
            [&[5, 2][..], &made.to_be_bytes(), &[22, 33, 4], fingerprint.as_ref(), more].concat();
        let hashed = [&[4, kind, 22, 10][..], &(subpackets.len() as u16).to_be_bytes(), &subpackets].concat();
        let trailer = [&hashed[..], &[4, 0xff], &(hashed.len() as u32).to_be_bytes()].concat();
        let value = self.pair.sign(digest(&SHA512, &[content, &trailer].concat()).as_ref());
        let (r, s) = value.as_ref().split_at(32);
        [&hashed[..], &[0, 0], &[0, 0], &integer(r), &integer(s)].concat()
    }
}

fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[0xc0 | tag, 255][..], &(body.len() as u32).to_be_bytes(), body].concat()
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[zeros..];
    let bits = bytes.len() * 8 - bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
    [&(bits as u16).to_be_bytes()[..], bytes].concat()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
