//! From creation to removal.

use std::time::Duration;

use longshore_engine::{
    ContainerId, ContainerSpec, ContainerState, ExecSpec, ImageSource, LabelSelector, LogQuery, ProcessIo,
    SandboxId, SandboxNetwork, SandboxSpec,
};

use crate::conformance::check::{Check, ensure, ensure_eq, ensure_fault};
use crate::conformance::{Context, program};

const KILL: i32 = 9;
const TERM: i32 = 15;

pub(super) fn a_container_is_created_starts_and_ends(context: &Context) -> Check {
    let engine = context.engine();
    let id = context.create(&context.spec(program::serve())?)?;
    let made = engine.inspect(&id)?;
    ensure_eq!(made.state, ContainerState::Created, "the state after creation");
    ensure_eq!(
        (made.pid, made.exit, made.started, made.finished),
        (None, None, None, None),
        "what never ran"
    );
    ensure!(made.created > 0, "there is no time of creation");
    engine.start(&id)?;
    let running = engine.inspect(&id)?;
    ensure_eq!(running.state, ContainerState::Running, "the state after the start");
    ensure!(running.started.is_some_and(|at| at >= made.created), "it started before it was made");
    context.await_line(&id, "ready")?;
    engine.stop(&id, None)?;
    let ended = engine.inspect(&id)?;
    ensure_eq!(ended.state, ContainerState::Exited, "the state after the end");
    ensure_eq!(ended.pid, None, "the process after the end");
    ensure_eq!(ended.exit.map(|exit| exit.code), Some(0), "the exit code");
    ensure!(ended.finished >= ended.started, "it ended before it started");
    engine.remove_container(&id, false)?;
    ensure_fault!(engine.inspect(&id), NotFound, "inspecting what was removed");
    Ok(())
}

pub(super) fn starting_twice_changes_nothing(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    let before = context.engine().inspect(&id)?;
    context.engine().start(&id)?;
    let after = context.engine().inspect(&id)?;
    ensure_eq!((after.pid, after.started), (before.pid, before.started), "the process after a second start");
    Ok(())
}

pub(super) fn an_ended_container_can_start_again(context: &Context) -> Check {
    let engine = context.engine();
    let id = context.start(&context.spec(program::print("once\n", "", 3))?)?;
    ensure_eq!(engine.wait(&id)?.code, 3, "the first exit code");
    let first = engine.inspect(&id)?;
    engine.start(&id)?;
    ensure_eq!(engine.wait(&id)?.code, 3, "the second exit code");
    let second = engine.inspect(&id)?;
    ensure!(second.started > first.started, "the second start is not later than the first");
    ensure_eq!(second.restarts, 0, "restarts by policy");
    ensure_eq!(
        context.output(&id, first.exit.unwrap_or_default())?.text(),
        "once\nonce",
        "the log of both runs"
    );
    Ok(())
}

pub(super) fn stopping_twice_is_no_error(context: &Context) -> Check {
    let engine = context.engine();
    let id = context.create(&context.spec(program::serve())?)?;
    engine.stop(&id, None)?;
    ensure_eq!(
        context.state(&id)?,
        ContainerState::Created,
        "the state of what was stopped before its start"
    );
    engine.start(&id)?;
    context.await_line(&id, "ready")?;
    engine.stop(&id, None)?;
    let first = engine.inspect(&id)?;
    engine.stop(&id, None)?;
    let second = engine.inspect(&id)?;
    ensure_eq!(
        (second.state, second.exit, second.finished),
        (first.state, first.exit, first.finished),
        "a second stop"
    );
    Ok(())
}

pub(super) fn removing_twice_is_no_error(context: &Context) -> Check {
    let id = context.create(&context.spec(program::exit(0))?)?;
    context.engine().remove_container(&id, false)?;
    context.engine().remove_container(&id, false)?;
    context.engine().remove_container(&id, true)?;
    Ok(())
}

fn named(context: &Context, part: &str) -> Check<ContainerSpec> {
    Ok(ContainerSpec { name: Some(context.name(part)), ..context.spec(program::exit(0))? })
}

pub(super) fn names_are_unique(context: &Context) -> Check {
    let spec = named(context, "one")?;
    let id = context.create(&spec)?;
    let second = context.engine().create_container(&context.shared()?, &spec);
    ensure_fault!(second, Conflict, "a second container of the name");
    ensure_eq!(context.engine().find(&context.name("one"))?, id, "who has the name");
    let unnamed = context.create(&context.spec(program::exit(0))?)?;
    ensure!(
        !context.engine().inspect(&unnamed)?.name.is_empty(),
        "a container without a name was given none"
    );
    Ok(())
}

pub(super) fn names_are_free_after_removal(context: &Context) -> Check {
    let spec = named(context, "one")?;
    let first = context.create(&spec)?;
    context.engine().remove_container(&first, false)?;
    let second = context.create(&spec)?;
    ensure!(first != second, "an id was used twice");
    ensure_eq!(context.engine().find(&context.name("one"))?, second, "who has the name");
    Ok(())
}

pub(super) fn a_running_container_is_removed_only_by_force(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::stubborn())?)?;
    ensure_fault!(context.engine().remove_container(&id, false), Conflict, "removing what runs");
    ensure_eq!(context.state(&id)?, ContainerState::Running, "the state after a refused removal");
    context.engine().remove_container(&id, true)?;
    ensure_fault!(context.engine().inspect(&id), NotFound, "inspecting what was removed");
    Ok(())
}

pub(super) fn an_ended_container_cannot_be_killed(context: &Context) -> Check {
    let id = context.create(&context.spec(program::exit(0))?)?;
    ensure_fault!(context.engine().kill(&id, KILL), Conflict, "killing what never ran");
    context.engine().start(&id)?;
    context.engine().wait(&id)?;
    ensure_fault!(context.engine().kill(&id, KILL), Conflict, "killing what has ended");
    Ok(())
}

pub(super) fn a_program_may_end_itself_when_stopped(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::serve())?)?;
    context.engine().stop(&id, Some(Duration::from_mins(1)))?;
    ensure_eq!(context.engine().wait(&id)?.code, 0, "the exit code of a program that ends when asked");
    let id = context.start_ready(&context.spec(program::serve())?)?;
    context.engine().kill(&id, TERM)?;
    ensure_eq!(context.engine().wait(&id)?.code, 0, "the exit code of a program that ends at a signal");
    Ok(())
}

pub(super) fn a_stubborn_program_is_killed_after_the_grace(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::stubborn())?)?;
    context.engine().kill(&id, TERM)?;
    ensure_eq!(context.state(&id)?, ContainerState::Running, "the state after a signal that is ignored");
    context.engine().stop(&id, Some(Duration::from_secs(1)))?;
    let ended = context.engine().inspect(&id)?;
    ensure_eq!(ended.state, ContainerState::Exited, "the state when stopping returned");
    ensure_eq!(ended.exit.map(|exit| exit.code), Some(137), "the exit code");
    ensure_eq!(ended.exit.map(|exit| exit.out_of_memory), Some(false), "whether memory ran out");
    let took = ended.finished.unwrap_or_default() - ended.started.unwrap_or_default();
    ensure!(took >= 1_000_000_000, "it was killed {took} ns after its start, before the grace was over");
    Ok(())
}

pub(super) fn stopping_uses_the_containers_own_signal(context: &Context) -> Check {
    let script = "trap 'exit 7' USR1; trap '' TERM; echo ready; while :; do sleep 1 & wait $!; done";
    let spec =
        ContainerSpec { stop_signal: Some("SIGUSR1".to_owned()), ..context.spec(program::shell(script))? };
    let id = context.start_ready(&spec)?;
    context.engine().stop(&id, Some(Duration::from_mins(1)))?;
    ensure_eq!(context.engine().wait(&id)?.code, 7, "the exit code of a program stopped by its own signal");
    Ok(())
}

pub(super) fn the_containers_own_grace_counts(context: &Context) -> Check {
    let spec =
        ContainerSpec { stop_timeout: Some(Duration::from_secs(1)), ..context.spec(program::stubborn())? };
    let id = context.start_ready(&spec)?;
    context.engine().stop(&id, None)?;
    let ended = context.engine().inspect(&id)?;
    ensure_eq!(ended.exit.map(|exit| exit.code), Some(137), "the exit code");
    let took = ended.finished.unwrap_or_default() - ended.started.unwrap_or_default();
    ensure!((1_000_000_000..10_000_000_000).contains(&took), "it was killed {took} ns after its start");
    Ok(())
}

pub(super) fn a_container_can_remove_itself(context: &Context) -> Check {
    let spec = ContainerSpec { auto_remove: true, ..context.spec(program::gate("/tmp/go", 4))? };
    let id = context.start_ready(&spec)?;
    let engine = context.engine();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| engine.wait(&id));
        super::copy::put(context, &id, "/tmp", "go")?;
        match waiter.join().map_err(|_| crate::conformance::Failure::new("waiting panicked"))? {
            Ok(exit) => ensure_eq!(exit.code, 4, "the exit code"),
            // It was gone before the waiter came to look at it.
            Err(error) => ensure!(error.is_not_found(), "waiting for what removes itself failed: {error}"),
        }
        context.eventually("the removal at the end", || match engine.inspect(&id) {
            Err(error) if error.is_not_found() => Ok(true),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(false),
        })
    })
}

pub(super) fn what_does_not_exist_is_not_found(context: &Context) -> Check {
    let engine = context.engine();
    let id = ContainerId::of([0xa5; 32]);
    ensure_fault!(engine.inspect(&id), NotFound, "inspecting");
    ensure_fault!(engine.start(&id), NotFound, "starting");
    ensure_fault!(engine.stop(&id, None), NotFound, "stopping");
    ensure_fault!(engine.kill(&id, KILL), NotFound, "killing");
    ensure_fault!(engine.wait(&id), NotFound, "waiting");
    ensure_fault!(engine.logs(&id, &LogQuery::default(), &mut |_| true), NotFound, "reading the log");
    let spec = ExecSpec { command: program::exit(0), ..ExecSpec::default() };
    ensure_fault!(engine.exec(&id, &spec, ProcessIo::default()), NotFound, "running a command");
    engine.remove_container(&id, true)?;
    let sandbox = SandboxId::of([0xa5; 32]);
    let spec = context.spec(program::exit(0))?;
    ensure_fault!(engine.create_container(&sandbox, &spec), NotFound, "creating in an unknown sandbox");
    engine.remove_sandbox(&sandbox)?;
    Ok(())
}

pub(super) fn an_unknown_image_is_not_found(context: &Context) -> Check {
    let image = ImageSource::Image("longshore-conformance-no-such-image:none".to_owned());
    let spec = ContainerSpec { image, ..named(context, "one")? };
    let result = context.engine().create_container(&context.shared()?, &spec);
    ensure_fault!(result, NotFound, "a container of an unknown image");
    context.create(&named(context, "one")?)?;
    Ok(())
}

pub(super) fn containers_are_found_by_name_and_id(context: &Context) -> Check {
    let engine = context.engine();
    let id = context.create(&named(context, "one")?)?;
    for text in [&context.name("one"), id.as_str(), id.short()] {
        ensure_eq!(engine.find(text)?, id, "finding `{text}`");
    }
    for text in [&context.name("two"), &context.name("on"), "", "../x", "zz zz"] {
        ensure_fault!(engine.find(text), NotFound, "finding `{text}`");
    }
    Ok(())
}

pub(super) fn containers_are_listed_by_label(context: &Context) -> Check {
    let key = context.name("label");
    let make = |value: &str| {
        let labels = [(key.clone(), value.to_owned()), ("other".to_owned(), "x".to_owned())].into();
        context.create(&ContainerSpec { labels, ..context.spec(program::exit(0))? })
    };
    let (first, second) = (make("1")?, make("2")?);
    let list = |pairs: &[(&str, Option<&str>)]| -> Check<Vec<ContainerId>> {
        let pairs =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        Ok(context.engine().list(&LabelSelector(pairs))?.into_iter().map(|status| status.id).collect())
    };
    ensure_eq!(list(&[(&key, None)])?, vec![second.clone(), first.clone()], "all, newest first");
    ensure_eq!(list(&[(&key, Some("1"))])?, vec![first.clone()], "those of one value");
    ensure_eq!(list(&[(&key, Some("2")), ("other", Some("x"))])?, vec![second], "those of two labels");
    ensure_eq!(list(&[(&key, Some("3"))])?, vec![], "those of another value");
    ensure!(list(&[])?.contains(&first), "a container is not among all");
    Ok(())
}

pub(super) fn inspecting_tells_what_was_specified(context: &Context) -> Check {
    let spec = ContainerSpec {
        name: Some(context.name("one")),
        labels: [("a".to_owned(), "b c".to_owned())].into(),
        env: vec!["A=1".to_owned()],
        hostname: Some("the-host".to_owned()),
        stop_timeout: Some(Duration::from_secs(3)),
        ..context.spec(program::exit(0))?
    };
    let id = context.create(&spec)?;
    let status = context.engine().inspect(&id)?;
    ensure_eq!(status.id, id, "the id");
    ensure_eq!(status.name, context.name("one"), "the name");
    ensure_eq!(status.sandbox, Some(context.shared()?), "the sandbox");
    ensure_eq!(status.spec.command, spec.command, "the command");
    ensure_eq!(status.spec.labels, spec.labels, "the labels");
    ensure_eq!(status.spec.hostname, spec.hostname, "the host name");
    ensure_eq!(status.spec.stop_timeout, spec.stop_timeout, "the grace");
    ensure!(status.spec.env.contains(&"A=1".to_owned()), "the variables are {:?}", status.spec.env);
    ensure!(!status.image.0.is_empty(), "the image has no id");
    Ok(())
}

pub(super) fn sandbox_names_are_unique(context: &Context) -> Check {
    for (part, network) in [("own", SandboxNetwork::Own), ("none", SandboxNetwork::None)] {
        let first = context.sandbox(part, network.clone())?;
        let spec = SandboxSpec { name: context.name(part), network, ..SandboxSpec::default() };
        ensure_fault!(context.engine().create_sandbox(&spec), Conflict, "a second sandbox of the name");
        context.engine().remove_sandbox(&first)?;
        let second = context.engine().create_sandbox(&spec)?;
        ensure!(first != second, "an id was used twice");
        context.engine().remove_sandbox(&second)?;
    }
    Ok(())
}

pub(super) fn removing_a_sandbox_removes_its_containers(context: &Context) -> Check {
    let engine = context.engine();
    let sandbox = context.sandbox("one", SandboxNetwork::Own)?;
    let running = context.start_ready_in(&sandbox, &context.spec(program::stubborn())?)?;
    let created = engine.create_container(&sandbox, &named(context, "two")?)?;
    let other = context.create(&context.spec(program::exit(0))?)?;
    engine.remove_sandbox(&sandbox)?;
    engine.remove_sandbox(&sandbox)?;
    ensure_fault!(engine.inspect(&running), NotFound, "inspecting what ran in it");
    ensure_fault!(engine.inspect(&created), NotFound, "inspecting what was made in it");
    let result = engine.create_container(&sandbox, &context.spec(program::exit(0))?);
    ensure_fault!(result, NotFound, "creating in a sandbox that was removed");
    engine.inspect(&other)?;
    Ok(())
}

pub(super) fn an_engine_goes_on_after_errors(context: &Context) -> Check {
    let engine = context.engine();
    let bad = ContainerSpec { name: Some("not a name!".to_owned()), ..context.spec(program::exit(0))? };
    ensure_fault!(engine.create_container(&context.shared()?, &bad), Invalid, "a name that is none");
    let spec =
        ContainerSpec { name: Some(context.name("one")), ..context.spec(vec!["/no/such".to_owned()])? };
    let id = context.create(&spec)?;
    for _ in 0..3 {
        ensure_fault!(engine.start(&id), CommandNotFound, "starting a missing command");
    }
    engine.remove_container(&id, false)?;
    let id = context
        .start(&ContainerSpec { name: Some(context.name("one")), ..context.spec(program::exit(5))? })?;
    ensure_eq!(engine.wait(&id)?.code, 5, "the exit code after all errors");
    Ok(())
}
