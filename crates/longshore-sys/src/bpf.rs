//! Programs of control groups of version 2 (`bpf(2)`).
//!
//! Only what keeps the rules for devices: load a program of the kind `BPF_PROG_TYPE_CGROUP_DEVICE` and attach it to a
//! directory. An attached program lives as long as the directory, so nothing has to be kept or undone.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd as _, OwnedFd};

const PROGRAM_LOAD: libc::c_long = 5;
const PROGRAM_ATTACH: libc::c_long = 8;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
/// Programs of groups above and below are asked as well, and all must allow.
const ALLOW_MULTI: u32 = 2;

/// The licence that the program claims; it calls nothing that would need one.
const LICENCE: &core::ffi::CStr = c"Apache-2.0";

/// The beginning of `union bpf_attr` for loading; the kernel takes what it is longer for zero.
#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// The beginning of `union bpf_attr` for attaching.
#[repr(C)]
#[derive(Default)]
struct Attach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
}

/// Loads a program, given as the kernel's eight-byte instructions, and has the control group `directory` ask it about
/// devices. Needs `CAP_BPF` and `CAP_NET_ADMIN`, or `CAP_SYS_ADMIN`, in the first user namespace.
///
/// # Errors
///
/// What the kernel answers: `EPERM` without the capabilities, `EINVAL` or `EACCES` for a program that it cannot prove
/// harmless, `EBADF` if the directory is no control group of version 2.
pub fn attach_device_filter(instructions: &[u64], directory: &impl AsFd) -> io::Result<()> {
    let program = load(instructions)?;
    let descriptor = |fd: i32| u32::try_from(fd).map_err(|_| io::Error::from_raw_os_error(libc::EBADF));
    let attributes = Attach {
        target: descriptor(directory.as_fd().as_raw_fd())?,
        program: descriptor(program.as_raw_fd())?,
        kind: ATTACH_CGROUP_DEVICE,
        flags: ALLOW_MULTI,
    };
    // SAFETY: the pointer and the length describe `attributes`, which outlives the call and which the kernel only reads;
    // it has the layout of the union's part for this command. Both descriptors are borrowed and therefore open.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, PROGRAM_ATTACH, &raw const attributes, size_of::<Attach>()) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn load(instructions: &[u64]) -> io::Result<OwnedFd> {
    let count = u32::try_from(instructions.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let attributes = Load {
        kind: TYPE_CGROUP_DEVICE,
        instruction_count: count,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        licence: LICENCE.as_ptr().expose_provenance() as u64,
        ..Load::default()
    };
    // SAFETY: the pointer and the length describe `attributes`, which has the layout of the union's part for this command.
    // The addresses in it are those of `instructions`, `count` times eight bytes, and of a text that ends with a zero
    // byte; all three outlive the call, and the kernel only reads them.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, PROGRAM_LOAD, &raw const attributes, size_of::<Load>()) };
    let Ok(descriptor @ 0..) = i32::try_from(answer) else { return Err(io::Error::last_os_error()) };
    // SAFETY: the kernel has just made this descriptor, close-on-exec, for this call, and nobody else knows it.
    #[expect(unsafe_code, reason = "see the comment on safety")]
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
