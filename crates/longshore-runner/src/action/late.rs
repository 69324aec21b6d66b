//! Actions that only the running job knows: those used by composite actions which no one could read before.
//!
//! A container takes no mounts once it exists, so their files are copied into it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use longshore_layer::archive::{ArchiveError, Builder, Entry, EntryKind};
use longshore_syntax::SourceRef;
use thiserror::Error;

use super::ResolvedAction;
use super::resolve::{below, fetch};
use crate::job::{JobRun, Place, chain};
use crate::voice::StepVoice;

/// Actions that were fetched while the job runs.
#[derive(Debug, Default)]
pub(crate) struct LateActions {
    known: Mutex<BTreeMap<SourceRef, ResolvedAction>>,
}

/// The files of an action cannot be packed.
#[derive(Debug, Error)]
enum PackError {
    #[error("failed to read `{path}`")]
    Read { path: String, source: io::Error },
    #[error("failed to pack the action")]
    Pack(#[from] ArchiveError),
}

impl LateActions {
    /// The action that a reference names, fetched and copied into the job's container if that was not done before.
    pub(crate) fn find(
        &self,
        run: &JobRun<'_>,
        place: &Place,
        reference: &SourceRef,
        voice: &StepVoice,
    ) -> Result<ResolvedAction, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(action) = known.get(reference) {
            return Ok(action.clone());
        }
        let (action, root) = fetch(run, &place.paths, reference, voice)?;
        let failed = |error: &(dyn std::error::Error + 'static)| {
            format!("failed to copy the action `{reference}` into the job: {}", chain(error))
        };
        let id = place.container().ok_or("the job has no container yet")?;
        let directory = Path::new(&place.paths.actions);
        let (mut archive, writer) = io::pipe().map_err(|error| failed(&error))?;
        let (packed, copied) = std::thread::scope(|threads| {
            let packing = threads.spawn(|| pack(&root, &below(reference), writer));
            let copied = place.engine().copy_in(id, directory, &mut archive);
            // If it read no further, nobody does.
            drop(archive);
            (packing.join(), copied)
        });
        copied.map_err(|error| failed(&error))?;
        packed.map_err(|_| "packing the action panicked")?.map_err(|error| failed(&error))?;
        known.insert(reference.clone(), action.clone());
        Ok(action)
    }
}

/// A directory as an archive of files below `name`.
fn pack(directory: &Path, name: &str, writer: impl Write) -> Result<(), PackError> {
    let mut builder = Builder::new(BufWriter::new(writer));
    let mut at = String::new();
    for part in name.split('/') {
        at = if at.is_empty() { part.to_owned() } else { format!("{at}/{part}") };
        builder.append(&Entry::new(at.as_bytes(), EntryKind::Directory), io::empty())?;
    }
    add(&mut builder, directory, name.as_bytes())?;
    let failed = |source| PackError::Read { path: directory.display().to_string(), source };
    builder.finish()?.flush().map_err(failed)
}

fn add<W: Write>(builder: &mut Builder<W>, directory: &Path, name: &[u8]) -> Result<(), PackError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| PackError::Read { path, source }
    };
    for entry in fs::read_dir(directory).map_err(failed(directory))? {
        let entry = entry.map_err(failed(directory))?;
        let (path, file_name) = (entry.path(), entry.file_name());
        let metadata = entry.metadata().map_err(failed(&path))?;
        let name = [name, b"/", file_name.as_bytes()].concat();
        // What git knows of a clone is no part of the action.
        if metadata.is_dir() && file_name != ".git" {
            builder.append(&Entry::new(name.clone(), EntryKind::Directory), io::empty())?;
            add(builder, &path, &name)?;
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).map_err(failed(&path))?;
            let kind = EntryKind::Symlink(target.as_os_str().as_bytes().to_vec());
            builder.append(&Entry::new(name, kind), io::empty())?;
        } else if metadata.is_file() {
            let mut entry = Entry::new(name, EntryKind::File);
            entry.size = metadata.len();
            entry.mode = metadata.permissions().mode() & 0o777;
            builder.append(&entry, File::open(&path).map_err(failed(&path))?)?;
        }
    }
    Ok(())
}
