//! The head of a file: a stanza for each recipient, and a code that says that nobody changed it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use ring::hmac;

use super::key::derive;
use super::{DecryptError, EncryptError};

const VERSION: &str = "age-encryption.org/v1";
const FAMILY: &str = "age-encryption.org/";
const WIDTH: usize = 64;
/// More recipients than a team has.
const MOST_STANZAS: usize = 1024;

/// The key of the file, wrapped for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stanza {
    /// Its kind and what that needs.
    pub(super) words: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// The head of a file.
#[derive(Debug)]
pub(super) struct Header<'f> {
    pub(super) stanzas: Vec<Stanza>,
    /// What the code is of.
    covered: &'f [u8],
    code: Vec<u8>,
}

impl Stanza {
    pub(super) fn kind(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn write(&self, text: &mut String) {
        text.push_str(&format!("-> {}\n", self.words.join(" ")));
        let coded = encode(&self.body);
        // The last line is shorter than the others, and empty if there is no other way.
        let mut rest = coded.as_str();
        while rest.len() >= WIDTH {
            let (line, after) = rest.split_at(WIDTH);
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str(rest);
        text.push('\n');
    }
}

impl<'f> Header<'f> {
    /// The head of a new file.
    pub(super) fn write(stanzas: &[Stanza], key: &[u8; 16]) -> Result<Vec<u8>, EncryptError> {
        let mut text = format!("{VERSION}\n");
        stanzas.iter().for_each(|stanza| stanza.write(&mut text));
        text.push_str("---");
        let code = hmac::sign(&mac_key(key).ok_or(EncryptError::Keys)?, text.as_bytes());
        text.push_str(&format!(" {}\n", encode(code.as_ref())));
        Ok(text.into_bytes())
    }

    /// The head of a file, and what follows it.
    pub(super) fn parse(file: &'f [u8]) -> Result<(Self, &'f [u8]), DecryptError> {
        let mut lines = Lines { file, at: 0 };
        match lines.next() {
            Some(VERSION) => {}
            Some(other) if other.starts_with(FAMILY) => return Err(DecryptError::Version),
            _ => return Err(DecryptError::NotAge),
        }
        let mut stanzas = Vec::new();
        loop {
            let before = lines.at;
            let line = lines.next().ok_or(DecryptError::Damaged)?;
            if let Some(code) = line.strip_prefix("--- ") {
                let code = decode(code).ok_or(DecryptError::Damaged)?;
                let covered = file.get(..before + 3).ok_or(DecryptError::Damaged)?;
                let rest = file.get(lines.at..).unwrap_or_default();
                return Ok((Self { stanzas, covered, code }, rest));
            }
            let words = line.strip_prefix("-> ").ok_or(DecryptError::Damaged)?;
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let plain = |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
            if !words.iter().all(plain) || stanzas.len() >= MOST_STANZAS {
                return Err(DecryptError::Damaged);
            }
            let body = lines.body().ok_or(DecryptError::Damaged)?;
            stanzas.push(Stanza { words, body });
        }
    }

    /// Whether nobody changed it who does not have the key.
    pub(super) fn verify(&self, key: &[u8; 16]) -> Result<(), DecryptError> {
        let mac = mac_key(key).ok_or(DecryptError::Damaged)?;
        hmac::verify(&mac, self.covered, &self.code).map_err(|_| DecryptError::Damaged)
    }
}

fn mac_key(key: &[u8; 16]) -> Option<hmac::Key> {
    Some(hmac::Key::new(hmac::HMAC_SHA256, &derive(key, &[], b"header")?))
}

/// The lines of a head.
struct Lines<'f> {
    file: &'f [u8],
    at: usize,
}

impl<'f> Lines<'f> {
    fn next(&mut self) -> Option<&'f str> {
        let rest = self.file.get(self.at..)?;
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        self.at += length + 1;
        std::str::from_utf8(rest.get(..length)?).ok()
    }

    fn body(&mut self) -> Option<Vec<u8>> {
        let mut coded = String::new();
        loop {
            let line = self.next()?;
            if line.len() > WIDTH {
                return None;
            }
            coded.push_str(line);
            if line.len() < WIDTH {
                return decode(&coded);
            }
        }
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD_NO_PAD.encode(bytes)
}

/// Base64 without padding, in its one spelling.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD_NO_PAD.decode(text).ok()
}
