//! An archive under another name, on its way from one side to the other.

use std::io::{self, BufReader, Read, Write};

use longshore_layer::archive::{Builder, Entries, EntryKind};

/// How much of extended headers an entry may have.
const HEADERS: u64 = 1 << 20;

/// Copies an archive. `name` gives each entry's new name, or nothing to leave it out.
pub(super) fn rename(
    reader: impl Read,
    writer: impl Write,
    name: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> io::Result<()> {
    let mut entries = Entries::new(BufReader::with_capacity(128 << 10, reader), HEADERS);
    let mut builder = Builder::new(writer);
    copy(&mut entries, &mut builder, name)?;
    builder.finish().map_err(io::Error::other)?.flush()
}

/// Copies the entries of an archive into one that was begun.
pub(super) fn copy<R: Read, W: Write>(
    entries: &mut Entries<BufReader<R>>,
    builder: &mut Builder<W>,
    name: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> io::Result<()> {
    while let Some(mut entry) = entries.next_entry().map_err(io::Error::other)? {
        let Some(path) = name(&entry.path) else { continue };
        entry.path = path;
        if let EntryKind::HardLink(target) = &mut entry.kind {
            *target = name(target).unwrap_or_default();
        }
        builder.append(&entry, &mut *entries).map_err(io::Error::other)?;
    }
    Ok(())
}

/// The name with another first part; nothing for the first part alone, if that becomes `.`: the directory that things are
/// copied into stays what it is.
pub(super) fn with_root(path: &[u8], root: &str) -> Option<Vec<u8>> {
    let rest = path.iter().position(|byte| *byte == b'/').map(|at| path.get(at + 1..).unwrap_or_default());
    match rest {
        None | Some(b"") if root == "." => None,
        None => Some(root.as_bytes().to_vec()),
        Some(rest) => Some([root.as_bytes(), b"/", rest].concat()),
    }
}

#[cfg(test)]
mod tests {
    use longshore_layer::archive::{Builder, Entry, EntryKind};

    use super::{rename, with_root};

    #[test]
    fn the_first_part_is_replaced() {
        for (path, root, expected) in [
            ("a", "b", Some("b")),
            ("a/", "b", Some("b/")),
            ("a/x/y", "b", Some("b/x/y")),
            ("a/", ".", None),
            ("a/x", ".", Some("./x")),
            ("a", ".", None),
        ] {
            let renamed = with_root(path.as_bytes(), root).map(|it| String::from_utf8(it).unwrap());
            assert_eq!(renamed.as_deref(), expected, "{path} {root}");
        }
    }

    #[test]
    fn content_and_links_survive() {
        let mut builder = Builder::new(Vec::new());
        builder.append_bytes("a/one", b"text").unwrap();
        builder
            .append(&Entry::new("a/two", EntryKind::HardLink(b"a/one".to_vec())), std::io::empty())
            .unwrap();
        let mut out = Vec::new();
        rename(&builder.finish().unwrap()[..], &mut out, |path| with_root(path, "b")).unwrap();
        let text = String::from_utf8_lossy(&out);
        assert!(text.contains("b/one") && text.contains("text") && !text.contains("a/one"));
    }
}
