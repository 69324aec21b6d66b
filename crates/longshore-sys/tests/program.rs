//! Programs of new processes, carried out by the real kernel.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::ffi::CString;

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
fn a_process_waits_until_it_is_told_to_go_on() {
    let mut program = Program::new();
    program.push(Op::Await);
    program.execute(vec![text("/bin/true")], vec![text("true")], vec![]);
    let mut child = spawn(&program, Namespaces::NONE, None).unwrap();
    child.go().unwrap();
    child.started().unwrap();
    assert_eq!(child.wait(), Ok(0));
}

#[test]
fn a_process_that_waits_for_someone_who_is_gone_ends() {
    let mut program = Program::new();
    program.push(Op::Await);
    program.execute(vec![text("/bin/true")], vec![text("true")], vec![]);
    let child = spawn(&program, Namespaces::NONE, None).unwrap();
    let pidfd = child.into_pidfd();
    let ended = rustix::process::waitid(
        rustix::process::WaitId::PidFd(std::os::fd::AsFd::as_fd(&pidfd)),
        rustix::process::WaitIdOptions::EXITED,
    );
    assert_eq!(ended.unwrap().unwrap().exit_status(), Some(213));
}

#[test]
fn an_init_collects_orphans_and_ends_as_its_child() {
    let mut program = Program::new();
    program.push(Op::Supervise);
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
