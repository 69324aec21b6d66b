//! Extended headers of POSIX.1-2001: records `LENGTH key=value\n`.
//!
//! A key that stands twice in one header is refused: programs differ in which one counts, and a scanner must see what
//! the unpacker makes. GNU's first form of sparse maps repeats its keys by design and is collected apart.

use super::Timestamp;

/// What the records of one extended header say about an entry. Unknown keys are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Records {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) sparse: SparseRecords,
}

/// Records that make a file a sparse one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SparseRecords {
    pub(crate) major: Option<u64>,
    pub(crate) minor: Option<u64>,
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) real_size: Option<u64>,
    /// Numbers of the map, offsets and lengths in turn.
    pub(crate) map: Vec<u64>,
    /// Whether a map was given, if only an empty one.
    pub(crate) mapped: bool,
}

const XATTR: &[u8] = b"SCHILY.xattr.";

impl Records {
    /// Reads all records of a header.
    pub(crate) fn read(mut bytes: &[u8]) -> Result<Self, String> {
        let mut records = Self::default();
        let mut seen = std::collections::HashSet::new();
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes).ok_or("a record has a wrong length")?;
            bytes = rest;
            let repeats = matches!(key, b"GNU.sparse.offset" | b"GNU.sparse.numbytes");
            if !repeats && !seen.insert(key) {
                return Err(format!("{} stands twice", super::shown(key)));
            }
            records
                .take(key, value)
                .ok_or_else(|| format!("the value of {} cannot be", super::shown(key)))?;
        }
        records.xattrs.sort();
        Ok(records)
    }

    /// Whether a header for all following entries may say this: nothing that names or measures one of them.
    pub(crate) fn fit_all_entries(&self) -> bool {
        self.path.is_none()
            && self.link.is_none()
            && self.size.is_none()
            && self.sparse == SparseRecords::default()
    }

    /// How much memory the attributes take.
    pub(crate) fn xattr_bytes(&self) -> u64 {
        self.xattrs.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum()
    }

    /// Takes over what a later global header says.
    pub(crate) fn merge(&mut self, later: Self) {
        self.uid = later.uid.or(self.uid);
        self.gid = later.gid.or(self.gid);
        self.modified = later.modified.or(self.modified);
        self.xattrs.retain(|(name, _)| later.xattrs.iter().all(|(own, _)| own != name));
        self.xattrs.extend(later.xattrs);
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        if let Some(name) = key.strip_prefix(XATTR) {
            if name.is_empty() || name.contains(&0) {
                return None;
            }
            self.xattrs.push((name.to_vec(), value.to_vec()));
            return Some(());
        }
        if value.is_empty() {
            // An empty value takes back what a global header said; there is nothing to take back.
            return Some(());
        }
        let sparse = &mut self.sparse;
        match key {
            b"path" => self.path = Some(name(value)?),
            b"linkpath" => self.link = Some(name(value)?),
            b"size" => self.size = Some(decimal(value)?),
            b"uid" => self.uid = Some(u32::try_from(decimal(value)?).ok()?),
            b"gid" => self.gid = Some(u32::try_from(decimal(value)?).ok()?),
            b"mtime" => self.modified = Some(time(value)?),
            b"GNU.sparse.major" => sparse.major = Some(decimal(value)?),
            b"GNU.sparse.minor" => sparse.minor = Some(decimal(value)?),
            b"GNU.sparse.name" => sparse.name = Some(name(value)?),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => sparse.real_size = Some(decimal(value)?),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                // The two keys alternate, the offset first.
                if (key == b"GNU.sparse.offset") != sparse.map.len().is_multiple_of(2) {
                    return None;
                }
                sparse.mapped = true;
                sparse.map.push(decimal(value)?);
            }
            b"GNU.sparse.map" => {
                sparse.mapped = true;
                sparse.map = value.split(|&byte| byte == b',').map(decimal).collect::<Option<_>>()?;
            }
            _ => {}
        }
        Some(())
    }
}

/// Takes one record off: key, value, and what follows.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let length = usize::try_from(decimal(&bytes[..blank])?).ok()?;
    if length <= blank + 1 || length > bytes.len() {
        return None;
    }
    let (record, rest) = bytes.split_at(length);
    let record = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    let (key, value) = (&record[..equals], &record[equals + 1..]);
    (!key.is_empty() && !key.contains(&0)).then_some((key, value, rest))
}

fn name(value: &[u8]) -> Option<Vec<u8>> {
    (!value.contains(&0)).then(|| value.to_vec())
}

/// Digits only: no sign, no blank.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| match byte {
        b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Seconds with a fraction of any length, of which nine digits count; rounded down.
fn time(text: &[u8]) -> Option<Timestamp> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut parts = text.splitn(2, |&byte| byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let mut nanoseconds = 0;
    if let Some(fraction) = parts.next() {
        if !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        nanoseconds = digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    }
    Some(match (negative, nanoseconds) {
        (false, _) => Timestamp { seconds, nanoseconds },
        (true, 0) => Timestamp { seconds: -seconds, nanoseconds },
        (true, _) => Timestamp { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let table = [
            ("0", Some((0, 0))),
            ("1.5", Some((1, 500_000_000))),
            ("1.0000000019", Some((1, 1))),
            ("-1.25", Some((-2, 750_000_000))),
            ("-3", Some((-3, 0))),
            ("1.", Some((1, 0))),
            ("", None),
            ("1e3", None),
            ("1.-5", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds });
            assert_eq!(time(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn malformed_records() {
        for text in [
            "5 a=b\n",
            "6 a=b",
            "7 a=b\n",
            "6 ab\nc",
            "x a=b\n",
            "99999999999999999999 a=b\n",
            "5 =b\n",
            "0 \n",
            " a=b\n",
        ] {
            assert!(Records::read(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(Records::read(b"6 a=b\n6 a=b\n").is_err_and(|reason| reason.contains("twice")));
        assert!(Records::read(b"6 a=b\n6 c=d\n").is_ok());
    }
}
