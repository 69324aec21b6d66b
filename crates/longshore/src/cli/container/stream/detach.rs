//! The keys that end being attached and leave the container running: ctrl-p ctrl-q, unless others are wanted.

use std::io::{self, Read};

/// A sequence of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::container) struct DetachKeys(Vec<u8>);

impl Default for DetachKeys {
    fn default() -> Self {
        Self(vec![0x10, 0x11])
    }
}

impl DetachKeys {
    /// No keys, so that nobody leaves by mistake.
    pub(in crate::cli::container) fn none() -> Self {
        Self(Vec::new())
    }
}

impl std::str::FromStr for DetachKeys {
    type Err = String;

    /// Letters, and `ctrl-` with a letter or one of `@^[\]_`, with commas between.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = |name: &str| match name.as_bytes() {
            [byte] if byte.is_ascii() => Some(*byte),
            _ => match name.strip_prefix("ctrl-")?.as_bytes() {
                [letter] if letter.is_ascii_alphabetic() => Some(letter.to_ascii_lowercase() - b'a' + 1),
                b"@" => Some(0),
                b"[" => Some(27),
                b"\\" => Some(28),
                b"]" => Some(29),
                b"^" => Some(30),
                b"_" => Some(31),
                _ => None,
            },
        };
        let keys = text.split(',').filter(|_| !text.is_empty());
        let keys =
            keys.map(|name| key(name).ok_or_else(|| format!("`{name}` is no key such as `a` or `ctrl-p`")));
        keys.collect::<Result<_, _>>().map(Self)
    }
}

/// Looks for the keys in what is typed.
#[derive(Debug)]
pub(in crate::cli::container) struct Detaching {
    keys: Vec<u8>,
    /// How many of them were typed.
    matched: usize,
}

/// What is to be done with what was typed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli::container) enum Typed {
    /// Hand it on.
    Input(Vec<u8>),
    /// Hand it on, and leave.
    Detach(Vec<u8>),
}

impl Detaching {
    /// Looks for these keys.
    pub(in crate::cli::container) fn new(keys: &DetachKeys) -> Self {
        Self { keys: keys.0.clone(), matched: 0 }
    }

    /// Takes what was typed. Keys that may be the beginning are kept back until the next one decides.
    pub(in crate::cli::container) fn take(&mut self, bytes: &[u8]) -> Typed {
        if self.keys.is_empty() {
            return Typed::Input(bytes.to_vec());
        }
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if self.keys.get(self.matched) == Some(byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    return Typed::Detach(out);
                }
                continue;
            }
            out.extend(self.keys.iter().take(self.matched));
            self.matched = 0;
            if self.keys.first() == Some(byte) {
                self.matched = 1;
            } else {
                out.push(*byte);
            }
        }
        Typed::Input(out)
    }
}

/// A reader of what is typed that ends when the keys are typed, and tells.
pub(in crate::cli::container) struct DetachReader<R, F> {
    reader: R,
    detaching: Detaching,
    detached: Option<F>,
    waiting: Vec<u8>,
}

impl<R: Read, F: FnOnce()> DetachReader<R, F> {
    pub(in crate::cli::container) fn new(reader: R, keys: &DetachKeys, detached: F) -> Self {
        Self { reader, detaching: Detaching::new(keys), detached: Some(detached), waiting: Vec::new() }
    }

    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let length = self.waiting.len().min(buffer.len());
        for (place, byte) in buffer.iter_mut().zip(self.waiting.drain(..length)) {
            *place = byte;
        }
        length
    }
}

impl<R: Read, F: FnOnce()> Read for DetachReader<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.waiting.is_empty() && self.detached.is_some() {
            let mut typed = [0; 4096];
            let length = self.reader.read(&mut typed)?;
            if length == 0 {
                return Ok(0);
            }
            match self.detaching.take(typed.get(..length).unwrap_or_default()) {
                Typed::Input(bytes) => self.waiting = bytes,
                Typed::Detach(bytes) => {
                    self.waiting = bytes;
                    if let Some(tell) = self.detached.take() {
                        tell();
                    }
                }
            }
        }
        Ok(self.give(buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names() {
        for (text, keys) in
            [("ctrl-p,ctrl-q", vec![16, 17]), ("a,ctrl-@", vec![97, 0]), ("ctrl-],x", vec![29, 120])]
        {
            assert_eq!(text.parse(), Ok(DetachKeys(keys)), "{text}");
        }
        assert_eq!("".parse(), Ok(DetachKeys(Vec::new())));
        for text in ["ctrl-", "ctrl-1", "ab", "a,", "é"] {
            assert!(text.parse::<DetachKeys>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_found_wherever_input_is_cut() {
        let mut detaching = Detaching::new(&DetachKeys::default());
        assert_eq!(detaching.take(b"ab\x10"), Typed::Input(b"ab".to_vec()));
        assert_eq!(detaching.take(b"c"), Typed::Input(b"\x10c".to_vec()));
        assert_eq!(detaching.take(b"\x10\x10"), Typed::Input(b"\x10".to_vec()));
        assert_eq!(detaching.take(b"\x11rest"), Typed::Detach(Vec::new()));
    }

    #[test]
    fn a_reader_ends_with_the_keys() {
        let mut told = false;
        let mut reader = DetachReader::new(&b"typed\x10\x11more"[..], &DetachKeys::default(), || told = true);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        drop(reader);
        assert_eq!((text.as_str(), told), ("typed", true));
    }
}
