//! What a container's process is.

use longshore_engine::{ContainerSpec, ContainerState};

use crate::conformance::check::{Check, ensure, ensure_eq, ensure_fault};
use crate::conformance::{Context, program};

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) fn exit_codes_are_kept(context: &Context) -> Check {
    for code in [0, 1, 3, 127, 255] {
        let id = context.start(&context.spec(program::exit(code))?)?;
        ensure_eq!(context.engine().wait(&id)?.code, code, "the exit code");
        let status = context.engine().inspect(&id)?;
        ensure_eq!(status.exit.map(|exit| exit.code), Some(code), "the exit code when inspected");
        ensure_eq!(status.error, None, "the error of a program that ran");
    }
    Ok(())
}

pub(super) fn a_killed_program_ends_with_137(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    context.engine().kill(&id, 9)?;
    let exit = context.engine().wait(&id)?;
    ensure_eq!((exit.code, exit.out_of_memory), (137, false), "the end");
    ensure_eq!(context.state(&id)?, ContainerState::Exited, "the state");
    Ok(())
}

pub(super) fn a_missing_command_is_an_error_and_127(context: &Context) -> Check {
    for command in ["no-such-command", "/bin/no-such-command"] {
        let id = context.create(&context.spec(words(&[command]))?)?;
        ensure_fault!(context.engine().start(&id), CommandNotFound, "starting `{command}`");
        let status = context.engine().inspect(&id)?;
        ensure_eq!(status.state, ContainerState::Exited, "the state");
        ensure_eq!(status.exit.map(|exit| exit.code), Some(127), "the exit code");
        ensure!(
            status.error.is_some_and(|error| error.contains(command)),
            "the error does not name `{command}`"
        );
    }
    Ok(())
}

pub(super) fn what_cannot_be_run_is_an_error_and_126(context: &Context) -> Check {
    for command in ["/etc/passwd", "/etc"] {
        let id = context.create(&context.spec(words(&[command]))?)?;
        ensure_fault!(context.engine().start(&id), CommandNotRunnable, "starting `{command}`");
        let status = context.engine().inspect(&id)?;
        ensure_eq!(status.exit.map(|exit| exit.code), Some(126), "the exit code of `{command}`");
    }
    Ok(())
}

pub(super) fn later_variables_win(context: &Context) -> Check {
    let spec = ContainerSpec { env: words(&["A=1", "B=x=y", "A=2"]), ..context.spec(program::show("A"))? };
    ensure_eq!(context.run(&spec)?.text(), "2", "the value of a variable that is given twice");
    let spec = ContainerSpec { command: program::show("B"), ..spec };
    ensure_eq!(context.run(&spec)?.text(), "x=y", "the value of a variable with a sign in it");
    Ok(())
}

pub(super) fn programs_have_a_path(context: &Context) -> Check {
    let path = context.run(&context.spec(program::show("PATH"))?)?.text();
    ensure!(path.split(':').any(|directory| directory == "/bin"), "the PATH is `{path}`");
    ensure_eq!(context.run(&context.spec(program::show("HOME"))?)?.text(), "/root", "the home directory");
    let found = context.run(&context.spec(words(&["echo", "found"]))?)?;
    ensure_eq!(found.text(), "found", "the output of a program that was looked for");
    Ok(())
}

pub(super) fn a_working_directory_is_made(context: &Context) -> Check {
    let spec = ContainerSpec {
        working_directory: Some("/new/deep".to_owned()),
        ..context.spec(program::current_directory())?
    };
    ensure_eq!(context.run(&spec)?.text(), "/new/deep", "the working directory");
    ensure_eq!(context.run(&context.spec(program::current_directory())?)?.text(), "/", "the default one");
    Ok(())
}

pub(super) fn users_are_numbers_or_names(context: &Context) -> Check {
    let script = "echo $(id -u):$(id -g):$(id -G); echo $HOME";
    for (user, wanted) in [
        ("1000", "1000:1000:1000 1001\n/home"),
        ("user", "1000:1000:1000 1001\n/home"),
        ("user:0", "1000:0:0\n/home"),
        ("77:88", "77:88:88\n/"),
        ("0:extra", "0:1001:1001\n/root"),
    ] {
        let spec = ContainerSpec { user: Some(user.to_owned()), ..context.spec(program::shell(script))? };
        ensure_eq!(context.run(&spec)?.text(), wanted, "who `{user}` is");
    }
    let spec = ContainerSpec { user: Some("nobody-knows".to_owned()), ..context.spec(program::exit(0))? };
    let failed = match context.engine().create_container(&context.shared()?, &spec) {
        Ok(id) => context.engine().start(&id).is_err(),
        Err(_) => true,
    };
    ensure!(failed, "a user that does not exist was taken");
    Ok(())
}

pub(super) fn the_host_name_is_set(context: &Context) -> Check {
    let spec = ContainerSpec {
        hostname: Some("the-host".to_owned()),
        ..context.spec(program::shell("hostname; cat /etc/hostname"))?
    };
    ensure_eq!(context.run(&spec)?.text(), "the-host\nthe-host", "the host name, asked for and in its file");
    Ok(())
}

pub(super) fn the_host_name_is_the_short_id(context: &Context) -> Check {
    let id = context.start(&context.spec(program::shell("hostname"))?)?;
    let exit = context.engine().wait(&id)?;
    ensure_eq!(context.output(&id, exit)?.text(), id.short(), "the host name");
    Ok(())
}

pub(super) fn entrypoint_and_command_are_joined(context: &Context) -> Check {
    let mut whole = program::print("joined", "", 6);
    let command = whole.split_off(4);
    let spec = ContainerSpec { entrypoint: Some(whole), ..context.spec(command)? };
    let ran = context.run(&spec)?;
    ensure_eq!((ran.exit.code, ran.text()), (6, "joined".to_owned()), "the end and the output");
    Ok(())
}

pub(super) fn a_terminal_is_given(context: &Context) -> Check {
    // The kernel throws away what it has not handed over when the leader of a terminal's session ends, so it stays a while.
    let script = "tty; test -t 0 && test -t 1 && test -t 2 && echo all; echo error >&2; \
                  i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done";
    let spec = ContainerSpec { tty: true, ..context.spec(program::shell(script))? };
    let ran = context.run(&spec)?;
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    ensure!(text.starts_with("/dev/"), "the terminal is `{text}`");
    ensure!(text.contains("all\r\n") && text.contains("error\r\n"), "a terminal wrote {text:?}");
    ensure!(ran.stderr.is_empty(), "a terminal has two outputs");
    let plain = context.script("tty")?;
    ensure_eq!(plain.text(), "not a tty", "what is said without a terminal");
    Ok(())
}

pub(super) fn an_init_reaps_and_hands_signals_on(context: &Context) -> Check {
    // An orphan ends; then no process may be left that has ended and was not reaped.
    let script = "sh -c 'true & true' & wait; i=0; \
                  while grep -q 'State:.Z' /proc/[0-9]*/status 2>/dev/null && [ $i -lt 500 ]; do \
                  sleep 0.02; i=$((i+1)); done; [ $i -lt 500 ] && [ $$ != 1 ] && echo ready; exec sleep 1000";
    let spec = ContainerSpec { init: true, ..context.spec(program::shell(script))? };
    let id = context.start_ready(&spec)?;
    context.engine().kill(&id, 15)?;
    ensure_eq!(context.engine().wait(&id)?.code, 143, "the exit code of a program that a signal ended");
    Ok(())
}

pub(super) fn processes_do_not_see_others(context: &Context) -> Check {
    let ran = context.script("echo $$; ls /proc | grep -c '^[0-9]'")?;
    let lines: Vec<String> = ran.text().lines().map(str::to_owned).collect();
    ensure_eq!(lines.first().map(String::as_str), Some("1"), "its own number");
    let seen: u32 = lines.get(1).and_then(|line| line.parse().ok()).unwrap_or(u32::MAX);
    ensure!(seen <= 5, "it sees {seen} processes");
    Ok(())
}

pub(super) fn standard_input_is_at_its_end(context: &Context) -> Check {
    let ran = context.run(&context.spec(program::copy())?)?;
    ensure_eq!((ran.exit.code, ran.stdout), (0, Vec::new()), "what is read from no input");
    Ok(())
}
