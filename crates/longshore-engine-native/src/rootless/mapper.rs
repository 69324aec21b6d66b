//! Mapping subordinate ids into a user namespace.
//!
//! Only `newuidmap` and `newgidmap`, which are set-user-id, may map ids that are not the user's own, and only a process
//! outside of the namespace may start them. So they are cloned while this process is still outside, wait there, and are let
//! go when the namespace is made.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use longshore_engine::{EngineError, Fault};
use longshore_sys::{Child, Namespaces, Op, Program, raise_fd, spawn};

use super::subordinate::{Mapping, SubordinateIds};
use crate::launch::path::{c_path, c_text};

/// What a program says is read up to here.
const LIMIT: u64 = 4096;

/// Two processes that wait outside.
pub(super) struct Mapper([Waiting; 2]);

struct Waiting {
    child: Child,
    /// What it says if it fails.
    said: File,
    name: String,
}

impl Mapper {
    /// Starts both for this process, which is not in its namespace yet and has one thread.
    pub(super) fn start(ids: &SubordinateIds) -> Result<Self, EngineError> {
        Ok(Self([Waiting::start(&ids.users)?, Waiting::start(&ids.groups)?]))
    }

    /// Lets them write the maps of this process, which is in its namespace now.
    pub(super) fn finish(self) -> Result<(), EngineError> {
        let Self([users, groups]) = self;
        for waiting in [&users, &groups] {
            // If it has ended, its exit code tells.
            let _ = waiting.child.go();
        }
        users.finish()?;
        groups.finish()
    }
}

impl Waiting {
    fn start(mapping: &Mapping) -> Result<Self, EngineError> {
        let name = mapping.program.display().to_string();
        let failed = |error: io::Error| {
            EngineError::new(Fault::Environment, format!("failed to start `{name}`")).because(error)
        };
        let (said, says) = io::pipe().map_err(failed)?;
        let null = File::options().read(true).write(true).open("/dev/null").map_err(failed)?;
        let null = Arc::new(raise_fd(null.into()).map_err(|errno| failed(errno.into()))?);
        let says = raise_fd(says.into()).map_err(|errno| failed(errno.into()))?;
        let mut program = Program::new();
        program.push(Op::Await);
        program.push(Op::Stream(Arc::clone(&null), 0));
        program.push(Op::Stream(null, 1));
        program.push(Op::Stream(Arc::new(says), 2));
        let mut arguments: Vec<CString> = vec![c_path(&mapping.program)?];
        for argument in mapping.arguments(std::process::id()) {
            arguments.push(c_text(argument)?);
        }
        program.execute(vec![c_path(&mapping.program)?], arguments, Vec::new());
        let child = spawn(&program, Namespaces::NONE, None).map_err(|errno| failed(errno.into()))?;
        Ok(Self { child, said: File::from(OwnedFd::from(said)), name })
    }

    fn finish(mut self) -> Result<(), EngineError> {
        let failed = || {
            EngineError::new(Fault::Unsupported, format!("failed to map subordinate ids by `{}`", self.name)).help(
                "check the ranges of this user in /etc/subuid and /etc/subgid (`usermod --add-subuids …`); without them, \
                 containers have root as their only user",
            )
        };
        self.child.started().map_err(|error| failed().because(error))?;
        let code = self.child.wait().map_err(|errno| failed().because(errno))?;
        if code == 0 {
            return Ok(());
        }
        let mut text = Vec::new();
        // What it said is a help and no more.
        let _ = (&self.said).take(LIMIT).read_to_end(&mut text);
        Err(failed().because(String::from_utf8_lossy(&text).trim().replace('\n', "; ")))
    }
}
