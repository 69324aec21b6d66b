//! What the kernel takes to run a program in namespaces of its own with an overlay as its root: one clone, a few mounts.

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use longshore_sys::{Namespaces, Op, Program, spawn};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string,
    fsmount, fsopen,
};

/// The argument with which this program is the floor.
pub(crate) const WORD: &str = "__floor";

const NAMESPACES: Namespaces = Namespaces::MOUNT
    .and(Namespaces::PID)
    .and(Namespaces::IPC)
    .and(Namespaces::UTS)
    .and(Namespaces::NETWORK)
    .and(Namespaces::CGROUP);

/// Runs `/bin/true` over a layer, and waits for it.
pub(crate) fn run(layer: &Path) -> ExitCode {
    let scratch = layer.with_file_name(format!("floor-{}", std::process::id()));
    let word = |text: &str| CString::new(text).expect("no zero byte");
    let mut program = Program::new();
    program.push(Op::IsolateMounts);
    program.push(Op::ChangeRoot(overlay(layer, &scratch).expect("an overlay")));
    program.push(Op::DropOldRoot);
    program.execute(vec![word("/bin/true")], vec![word("true")], Vec::new());
    let mut child = spawn(&program, NAMESPACES, None).expect("a clone");
    child.started().expect("the child becomes the program");
    let code = child.wait().expect("the child ends");
    drop(program);
    let _ = fs::remove_dir_all(scratch);
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn overlay(layer: &Path, scratch: &Path) -> std::io::Result<OwnedFd> {
    let (upper, work) = (scratch.join("upper"), scratch.join("work"));
    fs::create_dir_all(&upper)?;
    fs::create_dir(&work)?;
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (name, path) in [("lowerdir", layer), ("upperdir", &upper), ("workdir", &work)] {
        fsconfig_set_string(context.as_fd(), name, path)?;
    }
    fsconfig_set_flag(context.as_fd(), "volatile")?;
    fsconfig_create(context.as_fd())?;
    Ok(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?)
}
