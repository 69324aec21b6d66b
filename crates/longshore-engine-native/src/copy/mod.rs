//! Copying files in and out of containers, running or not.
//!
//! The owners of a container's files are ids of its user namespace, so the copying is done by a worker, this same program
//! started as [`COPY`], which enters that namespace first. It reaches the container's root through an open directory and
//! resolves every path below it, so that no link of the container leads anywhere else. The root of a container that does
//! not run is mounted for the worker alone, and attached nowhere.

mod tree;
mod worker;

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};

use longshore_engine::{ContainerId, EngineError, Fault};
use serde::{Deserialize, Serialize};

pub(crate) use self::worker::main;
use crate::control::FailureDto;
use crate::engine::NativeEngine;

/// The word after the program's name that makes it a worker that copies.
pub(crate) const COPY: &str = "__copy";

/// What is at a path of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStatusDto {
    /// The last part of the path.
    pub name: String,
    /// How many bytes it has.
    pub size: u64,
    /// Its kind and permissions, as `stat(2)` has them.
    pub mode: u32,
    /// When it was changed last, in seconds since 1970.
    pub modified: i64,
    /// Where it leads, if it is a link.
    pub link: Option<String>,
}

impl PathStatusDto {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }
}

impl NativeEngine {
    /// What is at a path of a container; a link itself, unless `follow`.
    ///
    /// # Errors
    ///
    /// If there is no such container, or nothing at the path (the fault is [`Fault::NotFound`]).
    pub fn path_status(
        &self,
        id: &ContainerId,
        path: &str,
        follow: bool,
    ) -> Result<PathStatusDto, EngineError> {
        let verb = if follow { "stat-follow" } else { "stat" };
        let mut bytes = Vec::new();
        self.copy(id, (verb, path), |child| {
            child.stdout.take().map_or(Ok(0), |mut out| out.read_to_end(&mut bytes))
        })?;
        serde_json::from_slice(&bytes).map_err(|error| {
            EngineError::new(Fault::Bug, "failed to understand the worker that copies").because(error)
        })
    }

    /// Packs a file or directory of a container as a tar archive, whose names begin with the last part of the path. If the
    /// path is a link, it is the link that is packed, unless `follow`.
    ///
    /// # Errors
    ///
    /// If there is nothing at the path, or the archive cannot be written.
    pub fn copy_from(
        &self,
        id: &ContainerId,
        path: &str,
        follow: bool,
        archive: &mut dyn Write,
    ) -> Result<(), EngineError> {
        let verb = if follow { "out-follow" } else { "out" };
        self.copy(id, (verb, path), |child| {
            child.stdout.take().map_or(Ok(0), |mut out| io::copy(&mut out, archive)).map(drop)
        })
    }

    /// Unpacks a tar archive into a directory of a container.
    ///
    /// # Errors
    ///
    /// If there is no such directory, or the archive cannot be read or unpacked.
    pub fn copy_to(
        &self,
        id: &ContainerId,
        directory: &str,
        archive: &mut dyn Read,
    ) -> Result<(), EngineError> {
        self.copy(id, ("in", directory), |child| {
            let Some(mut input) = child.stdin.take() else { return Ok(()) };
            match io::copy(archive, &mut input) {
                // The worker has given up, and says why.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => result.map(drop),
            }
        })
    }

    /// Starts a worker, carries its streams, and takes over what it complains about.
    fn copy<T>(
        &self,
        id: &ContainerId,
        (verb, path): (&str, &str),
        carry: impl FnOnce(&mut Child) -> io::Result<T>,
    ) -> Result<(), EngineError> {
        let failed = |error: io::Error| {
            EngineError::new(Fault::Environment, "failed to copy files of the container").because(error)
        };
        let mut child = Command::new(self.program())
            .args([
                COPY.as_ref(),
                self.home().as_os_str(),
                id.as_str().as_ref(),
                verb.as_ref(),
                path.as_ref(),
            ])
            .env_clear()
            .stdin(if verb == "in" { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let carried = carry(&mut child);
        drop(child.stdin.take());
        let output = child.wait_with_output().map_err(failed)?;
        verdict(output.status, &output.stderr)?;
        carried.map(drop).map_err(failed)
    }
}

fn verdict(status: ExitStatus, said: &[u8]) -> Result<(), EngineError> {
    if status.success() {
        return Ok(());
    }
    Err(match serde_json::from_slice::<FailureDto>(said) {
        Ok(failure) => failure.into(),
        Err(_) => EngineError::new(Fault::Environment, format!("the worker that copies failed: {status}")),
    })
}
