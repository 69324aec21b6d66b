//! Programs of new processes, carried out by the real kernel.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use longshore_sys::{Child, Namespaces, Op, Program, StartError, spawn};
use rustix::io::Errno;

fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn shell(line: &str) -> Program {
    let mut program = Program::new();
    program.execute(
        vec![text("/nowhere/sh"), text("/bin/sh")],
        vec![text("sh"), text("-c"), text(line)],
        vec![text("WORD=seven")],
    );
    program
}

fn run(program: &Program, new: Namespaces) -> Result<i32, StartError> {
    let mut child: Child = spawn(program, new, None).unwrap();
    child.started()?;
    Ok(child.wait().unwrap())
}

#[test]
fn a_program_is_found_and_gets_its_arguments_and_environment() {
    assert_eq!(run(&shell("test $WORD = seven && exit 7"), Namespaces::NONE), Ok(7));
}

#[test]
fn a_signal_is_an_exit_code_above_128() {
    assert_eq!(run(&shell("kill -9 $$"), Namespaces::NONE), Ok(137));
}

#[test]
fn what_cannot_be_run_says_which_operation_failed() {
    let mut program = Program::new();
    program.push(Op::NoNewPrivileges);
    program.execute(vec![text("/nowhere"), text("/etc/passwd")], vec![text("x")], vec![]);
    let failed = StartError::Operation { op: 1, errno: Errno::ACCESS };
    assert_eq!(run(&program, Namespaces::NONE), Err(failed));
    let mut program = Program::new();
    program.execute(vec![text("/nowhere")], vec![text("x")], vec![]);
    let failed = StartError::Operation { op: 0, errno: Errno::NOENT };
    assert_eq!(run(&program, Namespaces::NONE), Err(failed));
}

#[test]
fn a_process_that_waits_for_someone_who_is_gone_ends() {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let mut program = Program::new();
    program.push(Op::Await(Arc::new(read)));
    program.execute(vec![text("/bin/true")], vec![text("true")], vec![]);
    // The child has a copy of the writing end as well, as any process that was started meanwhile; ours must not count.
    let mut child = spawn(&program, Namespaces::NONE, None).unwrap();
    rustix::io::write(&write, b"1").unwrap();
    child.started().unwrap();
    assert_eq!(child.wait(), Ok(0));
    drop::<OwnedFd>(write);
}

#[test]
fn an_init_collects_orphans_and_ends_as_its_child() {
    let mut program = Program::new();
    program.push(Op::Supervise);
    program.ops();
    program.execute(
        vec![text("/bin/sh")],
        vec![text("sh"), text("-c"), text("(sleep 0 &) ; exit 5")],
        vec![text("PATH=/bin:/usr/bin")],
    );
    assert_eq!(run(&program, Namespaces::NONE), Ok(5));
}

#[test]
fn namespaces_are_new_and_a_split_takes_effect_in_them() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: namespaces without a user namespace need root");
        return;
    }
    let new = Namespaces::PID.and(Namespaces::MOUNT).and(Namespaces::UTS).and(Namespaces::IPC);
    assert_eq!(run(&shell("exit $$"), new), Ok(1));
    let mut program = Program::new();
    program.push(Op::Unshare(Namespaces::PID));
    program.push(Op::Split);
    program.execute(vec![text("/bin/sh")], vec![text("sh"), text("-c"), text("exit $$")], vec![]);
    assert_eq!(run(&program, Namespaces::NONE), Ok(1));
}
