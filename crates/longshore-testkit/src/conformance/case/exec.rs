//! Further processes in a container.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use longshore_engine::{ContainerId, ContainerSpec, ExecSpec, Input, Output, ProcessIo, SandboxNetwork};

use crate::conformance::check::{Check, Failure, ensure, ensure_eq, ensure_fault};
use crate::conformance::context::Collector;
use crate::conformance::{Context, program};

fn running(context: &Context) -> Check<ContainerId> {
    let spec = ContainerSpec {
        env: vec!["A=container".to_owned(), "B=container".to_owned()],
        working_directory: Some("/tmp".to_owned()),
        ..context.spec(program::serve())?
    };
    context.start_ready(&spec)
}

fn spec(command: Vec<String>) -> ExecSpec {
    ExecSpec { command, ..ExecSpec::default() }
}

pub(super) fn output_and_exit_code_come_back(context: &Context) -> Check {
    let id = running(context)?;
    for code in [0, 1, 42, 255] {
        let ran = context.exec(&id, program::print("out", "error", code))?;
        ensure_eq!(ran.exit.code, code, "the exit code");
        ensure_eq!((ran.text(), ran.error_text()), ("out".to_owned(), "error".to_owned()), "the outputs");
    }
    let dropped = context.engine().exec(&id, &spec(program::flood(1_000)), ProcessIo::default())?;
    ensure_eq!(dropped.code, 0, "the exit code of a command whose output is dropped");
    Ok(())
}

pub(super) fn a_container_that_does_not_run_is_a_conflict(context: &Context) -> Check {
    let id = context.create(&context.spec(program::exit(0))?)?;
    let run = || context.engine().exec(&id, &spec(program::exit(0)), ProcessIo::default());
    ensure_fault!(run(), Conflict, "a command in a container that never ran");
    context.engine().start(&id)?;
    context.engine().wait(&id)?;
    ensure_fault!(run(), Conflict, "a command in a container that has ended");
    Ok(())
}

pub(super) fn variables_are_added(context: &Context) -> Check {
    let id = running(context)?;
    for (variable, wanted) in [("A", "exec"), ("B", "container"), ("C", "exec")] {
        let env = vec!["A=exec".to_owned(), "C=exec".to_owned()];
        let ran = context.exec_spec(&id, &ExecSpec { env, ..spec(program::show(variable)) })?;
        ensure_eq!(ran.text(), wanted, "the variable `{variable}`");
    }
    ensure_eq!(context.exec(&id, program::show("C"))?.exit.code, 1, "a variable of another command");
    Ok(())
}

pub(super) fn the_working_directory_is_the_containers(context: &Context) -> Check {
    let id = running(context)?;
    ensure_eq!(context.exec(&id, program::current_directory())?.text(), "/tmp", "the working directory");
    let other = ExecSpec { working_directory: Some("/var".to_owned()), ..spec(program::current_directory()) };
    ensure_eq!(context.exec_spec(&id, &other)?.text(), "/var", "another working directory");
    Ok(())
}

pub(super) fn a_missing_command_is_an_error(context: &Context) -> Check {
    let id = running(context)?;
    let missing = spec(vec!["no-such-command".to_owned()]);
    let result = context.engine().exec(&id, &missing, ProcessIo::default());
    ensure_fault!(result, CommandNotFound, "a command that is not there");
    ensure_fault!(context.engine().exec(&id, &spec(Vec::new()), ProcessIo::default()), Invalid, "no command");
    ensure_eq!(context.exec(&id, program::exit(0))?.exit.code, 0, "a command after one that is not there");
    Ok(())
}

pub(super) fn input_is_copied_to_output(context: &Context) -> Check {
    let id = running(context)?;
    let input: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
    for input in [Vec::new(), b"short".to_vec(), input] {
        let collector = Arc::new(Collector::default());
        let io = ProcessIo {
            input: Input::Reader(Box::new(std::io::Cursor::new(input.clone()))),
            output: Output::Sink(collector.clone()),
        };
        let exit = context.engine().exec(&id, &spec(program::copy()), io)?;
        let found = collector.captured(exit);
        ensure_eq!(found.exit.code, 0, "the exit code");
        ensure_eq!(found.stdout.len(), input.len(), "the number of bytes that came back");
        ensure!(found.stdout == input, "the bytes that came back are others");
    }
    let ran = context.exec(&id, program::copy())?;
    ensure_eq!((ran.exit.code, ran.stdout.len()), (0, 0), "what is read from no input");
    Ok(())
}

pub(super) fn a_million_bytes_come_on_both_streams(context: &Context) -> Check {
    let id = running(context)?;
    let ran = context.exec(&id, program::flood(1_000_000))?;
    ensure_eq!((ran.stdout.len(), ran.stderr.len()), (1_000_000, 1_000_000), "the number of bytes");
    ensure!(ran.stdout.iter().all(|byte| *byte == b'x'), "the output was mixed up");
    ensure!(ran.stderr.iter().all(|byte| *byte == b'y'), "the error output was mixed up");
    Ok(())
}

pub(super) fn a_signal_reaches_the_process(context: &Context) -> Check {
    let id = running(context)?;
    for (command, signal, code) in [(program::serve(), 15, 0), (program::stubborn(), 9, 137)] {
        let collector = Arc::new(Collector::default());
        let exec = context.engine().start_exec(&id, &spec(command), ProcessIo::to(collector.clone()))?;
        context.eventually("the command's first line", || Ok(collector.so_far().0 == b"ready\n"))?;
        exec.signal(signal)?;
        ensure_eq!(exec.wait()?.code, code, "the exit code after signal {signal}");
        exec.signal(signal)?;
    }
    ensure!(context.state(&id)?.is_alive(), "the container ended with its command");
    Ok(())
}

pub(super) fn waiting_twice_gives_the_same(context: &Context) -> Check {
    let id = running(context)?;
    let exec = context.engine().start_exec(&id, &spec(program::exit(7)), ProcessIo::default())?;
    let first = exec.wait()?;
    ensure_eq!((first.code, exec.wait()?), (7, first), "both answers");
    Ok(())
}

pub(super) fn several_run_at_once(context: &Context) -> Check {
    let id = running(context)?;
    thread::scope(|scope| {
        let commands: Vec<_> = (0..10)
            .map(|number: i32| {
                let id = &id;
                scope.spawn(move || context.exec(id, program::print(&number.to_string(), "", number)))
            })
            .collect();
        for (number, command) in (0..).zip(commands) {
            let ran = command.join().map_err(|_| Failure::new("a command panicked"))??;
            ensure_eq!((ran.exit.code, ran.text()), (number, number.to_string()), "one of several commands");
        }
        Ok(())
    })
}

pub(super) fn a_terminal_is_given(context: &Context) -> Check {
    let id = running(context)?;
    // The kernel throws away what it has not handed over when the leader of a terminal's session ends, so it stays a while.
    let script = "test -t 0 && test -t 1 && test -t 2 && echo all; echo error >&2; \
                  i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
    let ran = context.exec_spec(&id, &ExecSpec { tty: true, ..spec(program::shell(script)) })?;
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    ensure!(text.contains("all\r\n") && text.contains("error\r\n"), "a terminal wrote {text:?}");
    ensure!(ran.stderr.is_empty(), "a terminal has two outputs");
    Ok(())
}

pub(super) fn users_are_numbers_or_names(context: &Context) -> Check {
    let id = running(context)?;
    for (user, wanted) in [("user", "1000:1000"), ("1000:0", "1000:0"), ("77", "77:0")] {
        let command = program::shell("echo $(id -u):$(id -g)");
        let ran = context.exec_spec(&id, &ExecSpec { user: Some(user.to_owned()), ..spec(command) })?;
        ensure_eq!(ran.text(), wanted, "who `{user}` is");
    }
    Ok(())
}

/// A reader that never gives anything until its other end is dropped.
struct Silence(std::os::unix::net::UnixStream);

impl Read for Silence {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

pub(super) fn it_ends_with_its_container(context: &Context) -> Check {
    let id = running(context)?;
    let (silence, kept) = std::os::unix::net::UnixStream::pair()?;
    let io = ProcessIo { input: Input::Reader(Box::new(Silence(silence))), output: Output::Discard };
    let exec = context.engine().start_exec(&id, &spec(program::copy()), io)?;
    context.engine().kill(&id, 9)?;
    ensure_eq!(exec.wait()?.code, 137, "the exit code of a command whose container was killed");
    drop(kept);
    Ok(())
}

pub(super) fn programs_of_this_machine_share_the_network_alone(context: &Context) -> Check {
    let sandbox = context.sandbox("net", SandboxNetwork::Own)?;
    let id = context.start_ready_in(&sandbox, &context.spec(program::serve())?)?;
    let places = "cd /proc/self/ns && for kind in net mnt pid; do readlink $kind; done";
    let output = Arc::new(Collector::default());
    let own = ["/bin/sh", "-c", &format!("{places}; grep CapEff /proc/self/status")].map(str::to_owned);
    let beside =
        context.engine().start_beside(&id, Path::new("/"), &own, Output::Sink(Arc::clone(&output) as _))?;
    let beside = output.captured(beside.wait()?);
    let inside = context.exec(&id, program::shell(places))?;
    let (beside, inside) = (beside.text(), inside.text());
    let (beside, inside): (Vec<&str>, Vec<&str>) = (beside.lines().collect(), inside.lines().collect());
    ensure_eq!(beside.first(), inside.first(), "the network");
    ensure!(beside.get(1) != inside.get(1), "the file systems are the container's");
    ensure!(beside.get(2) != inside.get(2), "the processes are the container's");
    ensure_eq!(beside.get(3).copied(), Some("CapEff:\t0000000000000400"), "what the program may do");
    context.engine().kill(&id, 9)?;
    context.engine().wait(&id)?;
    let late = context.engine().start_beside(&id, Path::new("/"), &own, Output::Discard).map(drop);
    ensure_fault!(late, Conflict, "a program beside a container that has ended");
    Ok(())
}
