//! Unpacking archives into the directories of jobs.

use std::fs::File;
use std::io;

use super::{Archive, Entry};
use crate::StorageError;
use crate::copy::{Allowance, pump};
use crate::place::Target;
use crate::transfer::Transferred;

/// Unpacks all entries; the first that is refused ends it.
pub(crate) fn extract(
    file: File,
    mut target: Target,
    bytes: &Allowance,
    most: u64,
) -> Result<Transferred, StorageError> {
    let archive = Archive::open(file, most)?;
    let mut done = Transferred::default();
    for entry in archive.entries() {
        let entry = entry?;
        if entry.is_directory() {
            target.directory(&entry.name)?;
            continue;
        }
        let file = target.create(&entry.name)?;
        unpack(&archive, &entry, &file, bytes)?;
        target.finish(&file, entry.mode)?;
        done.files += 1;
    }
    done.bytes = bytes.spent();
    Ok(done)
}

fn unpack(archive: &Archive, entry: &Entry, mut file: &File, bytes: &Allowance) -> Result<(), StorageError> {
    let mut content = archive.content(entry)?;
    match pump(&mut content, &mut file, bytes.left()) {
        Ok(Some(length)) => bytes.spend(length),
        Ok(None) => Err(bytes.exhausted()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(StorageError::entry(&entry.name, "its content is not what the archive says"))
        }
        Err(error) => Err(StorageError::io("unpack", String::from_utf8_lossy(&entry.name).as_ref(), error)),
    }
}
