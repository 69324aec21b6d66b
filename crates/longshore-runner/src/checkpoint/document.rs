//! Checkpoints on the disk, beside the copies: written when a job is kept.
//!
//! Directories and files stand in tables, each once, whatever number of checkpoints they are in; a directory names only
//! those before it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use super::shelf::Shelf;
use super::tree::{Attributes, Content, Directory, Extended, File, Identity, Node, Other};

/// The version of the form.
const VERSION: u32 = 1;

/// All checkpoints of a job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CheckpointsDto {
    version: u32,
    pub(super) roots: Vec<PathBuf>,
    /// Whether identities tell each change.
    pub(super) fine: bool,
    /// The first number of a copy that is free.
    pub(super) next: u64,
    files: Vec<FileDto>,
    directories: Vec<DirectoryDto>,
    checkpoints: Vec<CheckpointDto>,
    /// Steps without one, and why.
    pub(super) without: Vec<(u32, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CheckpointDto {
    step: u32,
    /// The directory that each root was.
    trees: Vec<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
struct IdentityDto(u64, i64, u64, u64);

#[derive(Debug, Serialize, Deserialize)]
struct AttributesDto {
    mode: u32,
    user: u32,
    group: u32,
    modified: (i64, u64),
}

/// Names and values in Base64.
type ExtendedDto = Vec<(String, String)>;

#[derive(Debug, Serialize, Deserialize)]
struct FileDto {
    identity: Option<IdentityDto>,
    inode: u64,
    size: u64,
    has_names: bool,
    attributes: AttributesDto,
    copied: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extended: ExtendedDto,
}

#[derive(Debug, Serialize, Deserialize)]
struct DirectoryDto {
    identity: Option<IdentityDto>,
    attributes: AttributesDto,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extended: ExtendedDto,
    entries: Vec<(String, NodeDto)>,
}

#[derive(Debug, Serialize, Deserialize)]
enum NodeDto {
    File(usize),
    Directory(usize),
    Other {
        identity: Option<IdentityDto>,
        attributes: AttributesDto,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        device: u64,
    },
}

/// A checkpoint: the step that it is before, and what each root was.
pub(super) type Checkpoint = (u32, Vec<Arc<Directory>>);

#[derive(Default)]
struct Tables {
    files: Vec<FileDto>,
    directories: Vec<DirectoryDto>,
    file_numbers: HashMap<*const File, usize>,
    directory_numbers: HashMap<*const Directory, usize>,
}

impl CheckpointsDto {
    pub(super) fn new(
        roots: Vec<PathBuf>,
        (fine, next): (bool, u64),
        checkpoints: &[Checkpoint],
        without: Vec<(u32, String)>,
    ) -> Self {
        let mut tables = Tables::default();
        let checkpoints = checkpoints
            .iter()
            .map(|(step, trees)| CheckpointDto {
                step: *step,
                trees: trees.iter().map(|tree| tables.directory(tree)).collect(),
            })
            .collect();
        let Tables { files, directories, .. } = tables;
        Self { version: VERSION, roots, fine, next, files, directories, checkpoints, without }
    }

    /// The checkpoints; none if the document is of another version or damaged.
    pub(super) fn checkpoints(self, copies: &Arc<Shelf>) -> Option<Vec<Checkpoint>> {
        if self.version != VERSION {
            return None;
        }
        let files: Vec<Arc<File>> = self.files.into_iter().map(|file| Arc::new(file.read(copies))).collect();
        let mut directories: Vec<Arc<Directory>> = Vec::with_capacity(self.directories.len());
        for directory in self.directories {
            let read = directory.read(&files, &directories)?;
            directories.push(Arc::new(read));
        }
        let tree = |number: &usize| directories.get(*number).cloned();
        let read = |dto: CheckpointDto| Some((dto.step, dto.trees.iter().map(tree).collect::<Option<_>>()?));
        self.checkpoints.into_iter().map(read).collect()
    }
}

impl Tables {
    fn directory(&mut self, directory: &Arc<Directory>) -> usize {
        if let Some(number) = self.directory_numbers.get(&Arc::as_ptr(directory)) {
            return *number;
        }
        let entries = directory.entries.iter().map(|(name, node)| (escaped(name), self.node(node))).collect();
        self.directories.push(DirectoryDto {
            identity: directory.identity.map(IdentityDto::from),
            attributes: AttributesDto::from(&directory.attributes),
            extended: written(&directory.extended),
            entries,
        });
        let number = self.directories.len() - 1;
        self.directory_numbers.insert(Arc::as_ptr(directory), number);
        number
    }

    fn node(&mut self, node: &Node) -> NodeDto {
        match node {
            Node::File(file) => NodeDto::File(self.file(file)),
            Node::Directory(directory) => NodeDto::Directory(self.directory(directory)),
            Node::Other(other) => NodeDto::Other {
                identity: other.identity.map(IdentityDto::from),
                attributes: AttributesDto::from(&other.attributes),
                target: other.target.as_deref().map(escaped),
                device: other.device,
            },
        }
    }

    fn file(&mut self, file: &Arc<File>) -> usize {
        if let Some(number) = self.file_numbers.get(&Arc::as_ptr(file)) {
            return *number;
        }
        let (copied, extended) = match &*file.content() {
            Content::Copied(copied, extended) => (Some(copied.number), written(extended)),
            Content::There => (None, Vec::new()),
        };
        self.files.push(FileDto {
            identity: file.identity.map(IdentityDto::from),
            inode: file.inode,
            size: file.size,
            has_names: file.has_names,
            attributes: AttributesDto::from(&file.attributes),
            copied,
            extended,
        });
        self.file_numbers.insert(Arc::as_ptr(file), self.files.len() - 1);
        self.files.len() - 1
    }
}

impl FileDto {
    fn read(self, copies: &Arc<Shelf>) -> File {
        let content = match self.copied {
            Some(number) => Content::Copied(copies.known(number, self.size), read(self.extended)),
            None => Content::There,
        };
        File {
            identity: self.identity.map(Identity::from),
            inode: self.inode,
            size: self.size,
            has_names: self.has_names,
            attributes: Attributes::from(self.attributes),
            content: Mutex::new(content),
        }
    }
}

impl DirectoryDto {
    fn read(self, files: &[Arc<File>], directories: &[Arc<Directory>]) -> Option<Directory> {
        let node = |dto: NodeDto| {
            Some(match dto {
                NodeDto::File(number) => Node::File(Arc::clone(files.get(number)?)),
                NodeDto::Directory(number) => Node::Directory(Arc::clone(directories.get(number)?)),
                NodeDto::Other { identity, attributes, target, device } => Node::Other(Arc::new(Other {
                    identity: identity.map(Identity::from),
                    attributes: Attributes::from(attributes),
                    target: target.as_deref().map(unescaped),
                    device,
                })),
            })
        };
        let entries = self
            .entries
            .into_iter()
            .map(|(name, dto)| {
                let name = unescaped(&name);
                let is_name = !name.is_empty() && name != b"." && name != b".." && !name.contains(&b'/');
                is_name.then_some(())?;
                Some((name.into_boxed_slice(), node(dto)?))
            })
            .collect::<Option<_>>()?;
        Some(Directory {
            identity: self.identity.map(Identity::from),
            attributes: Attributes::from(self.attributes),
            extended: read(self.extended),
            entries,
        })
    }
}

impl From<Identity> for IdentityDto {
    fn from(identity: Identity) -> Self {
        Self(identity.inode, identity.changed.0, identity.changed.1, identity.size)
    }
}

impl From<IdentityDto> for Identity {
    fn from(IdentityDto(inode, seconds, nanoseconds, size): IdentityDto) -> Self {
        Self { inode, changed: (seconds, nanoseconds), size }
    }
}

impl From<&Attributes> for AttributesDto {
    fn from(attributes: &Attributes) -> Self {
        let Attributes { mode, user, group, modified } = *attributes;
        Self { mode, user, group, modified }
    }
}

impl From<AttributesDto> for Attributes {
    fn from(AttributesDto { mode, user, group, modified }: AttributesDto) -> Self {
        Self { mode, user, group, modified }
    }
}

fn written(extended: &Extended) -> ExtendedDto {
    extended.iter().map(|(name, value)| (escaped(name), BASE64.encode(value))).collect()
}

fn read(dto: ExtendedDto) -> Extended {
    let decoded = |(name, value): (String, String)| Some((unescaped(&name), BASE64.decode(value).ok()?));
    dto.into_iter().filter_map(decoded).collect()
}

/// Bytes as text: what is no text, and `%`, stands as `%XX`.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for part in chunk.valid().split_inclusive('%') {
            match part.strip_suffix('%') {
                Some(before) => text.extend([before, "%25"]),
                None => text.push_str(part),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{escaped, unescaped};

    proptest! {
        #[test]
        fn names_of_any_bytes_come_back(name in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(unescaped(&escaped(&name)), name);
        }

        #[test]
        fn names_with_signs_come_back(name in "[%0-9A-Fä]{0,20}") {
            prop_assert_eq!(unescaped(&escaped(name.as_bytes())), name.as_bytes());
        }
    }
}
