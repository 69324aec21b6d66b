//! This machine's side of copying.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use longshore_layer::archive::{Builder, Entries, Entry, EntryKind, Timestamp};
use longshore_layer::{ApplyOptions, Devices, Ownership, PackOptions, TreeForm, Whiteouts, apply};

use super::place::{Destination, means_content};
use super::rename::{copy, rename, with_root};

/// Something here that is copied.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    metadata: Metadata,
    /// What it is called.
    pub(super) name: String,
    /// Its content is meant, not the directory.
    pub(super) content_only: bool,
}

impl Source {
    /// Looks at a path.
    pub(super) fn find(path: &Path, follow: bool) -> io::Result<Self> {
        let text = path.to_string_lossy();
        let content_only = means_content(&text);
        let follow = follow || content_only || text.ends_with('/');
        let metadata = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
        let name = match path.file_name() {
            Some(name) if !content_only => name.to_owned(),
            // `.` and `..` are called what they are.
            _ => path.canonicalize()?.file_name().unwrap_or_default().to_owned(),
        };
        let content_only = content_only || name.is_empty();
        Ok(Self { path: path.to_owned(), metadata, name: name.to_string_lossy().into_owned(), content_only })
    }

    /// Whether it is a directory.
    pub(super) fn is_directory(&self) -> bool {
        self.metadata.is_dir()
    }
}

/// Packs something under a name. Without `owner` everything belongs to root.
pub(super) fn pack(source: &Source, name: &str, owner: bool, writer: impl Write + Send) -> io::Result<()> {
    let mut builder = Builder::new(writer);
    let metadata = &source.metadata;
    if source.is_directory() {
        if name != "." {
            let root = described(&format!("{name}/"), EntryKind::Directory, metadata, owner);
            builder.append(&root, io::empty()).map_err(io::Error::other)?;
        }
        pack_content(source, name, owner, &mut builder)?;
    } else if metadata.is_symlink() {
        let target = fs::read_link(&source.path)?;
        let link = EntryKind::Symlink(target.as_os_str().as_bytes().to_vec());
        builder.append(&described(name, link, metadata, owner), io::empty()).map_err(io::Error::other)?;
    } else if metadata.is_file() {
        let mut entry = described(name, EntryKind::File, metadata, owner);
        entry.size = metadata.size();
        let content = File::open(&source.path)?.take(entry.size);
        builder.append(&entry, content).map_err(io::Error::other)?;
    } else {
        return Err(io::Error::other("it is neither a file nor a directory nor a link"));
    }
    builder.finish().map_err(io::Error::other)?.flush()
}

fn pack_content<W: Write>(
    source: &Source,
    name: &str,
    owner: bool,
    builder: &mut Builder<W>,
) -> io::Result<()> {
    let (reader, writer) = io::pipe()?;
    let ownership = if owner { Ownership::Keep } else { Ownership::Ignore };
    std::thread::scope(|scope| {
        let packing = scope.spawn(move || {
            let options = PackOptions { tree: TreeForm::Literal, ownership, ..PackOptions::default() };
            longshore_layer::pack(&source.path, writer, &options)
        });
        let mut entries = Entries::new(BufReader::with_capacity(128 << 10, reader), 1 << 20);
        let below = |path: &[u8]| Some([name.as_bytes(), b"/", path].concat());
        let copied = copy(&mut entries, builder, below);
        drop(entries);
        match packing.join() {
            // Who reads has stopped, and says why.
            Ok(Err(_)) if copied.is_err() => copied,
            Ok(Err(error)) => Err(io::Error::other(error)),
            Ok(Ok(_)) => copied,
            Err(_) => Err(io::Error::other("the thread that packs broke")),
        }
    })
}

fn described(name: &str, kind: EntryKind, metadata: &Metadata, owner: bool) -> Entry {
    let mut entry = Entry::new(name, kind);
    entry.mode = metadata.permissions().mode() & 0o7777;
    if owner {
        (entry.uid, entry.gid) = (metadata.uid(), metadata.gid());
    }
    entry.modified = Timestamp::from_seconds(metadata.mtime());
    entry
}

/// Unpacks an archive under a name. Without `owner`, and for ordinary users, everything belongs to who unpacks.
pub(super) fn unpack(
    reader: &mut (impl Read + Send),
    destination: &Destination<PathBuf>,
    owner: bool,
) -> io::Result<()> {
    let keep = owner && rustix::process::geteuid().is_root();
    let options = ApplyOptions {
        whiteouts: Whiteouts::Literal,
        ownership: if keep { Ownership::Keep } else { Ownership::Ignore },
        devices: Devices::Refuse,
        ..ApplyOptions::default()
    };
    let (renamed, writer) = io::pipe()?;
    std::thread::scope(|scope| {
        let renaming = scope.spawn(move || rename(reader, writer, |path| with_root(path, &destination.name)));
        let applied = apply(renamed, &destination.directory, &options);
        match (renaming.join(), applied) {
            (_, Err(error)) => Err(io::Error::other(error)),
            (Ok(result), Ok(_)) => result,
            (Err(_), Ok(_)) => Err(io::Error::other("the thread that reads the archive broke")),
        }
    })
}
