//! Waiting for the end of a container.

use std::thread;

use longshore_engine::{ContainerId, EngineError, ExitStatus};

use crate::conformance::check::{Check, Failure, ensure_eq};
use crate::conformance::{Context, program};

type Waiter<'scope> = thread::ScopedJoinHandle<'scope, Result<ExitStatus, EngineError>>;

fn joined(waiter: Waiter<'_>) -> Check<i32> {
    Ok(waiter.join().map_err(|_| Failure::new("waiting panicked"))??.code)
}

fn gated(context: &Context) -> Check<ContainerId> {
    context.create(&context.spec(program::gate("/tmp/go", 3))?)
}

pub(super) fn waiting_before_the_start_waits_for_the_end(context: &Context) -> Check {
    let engine = context.engine();
    let id = gated(context)?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| engine.wait(&id));
        let begun = engine.start(&id).map_err(Failure::from);
        let opened = begun
            .and_then(|()| context.await_line(&id, "ready"))
            .and_then(|()| super::copy::put(context, &id, "/tmp", "go"));
        if opened.is_err() {
            // Else the waiter would wait for ever.
            let _ = engine.kill(&id, 9);
        }
        let code = joined(waiter)?;
        opened?;
        ensure_eq!(code, 3, "the exit code");
        Ok(())
    })
}

pub(super) fn waiting_while_it_runs_waits_for_the_end(context: &Context) -> Check {
    let engine = context.engine();
    let id = gated(context)?;
    engine.start(&id)?;
    context.await_line(&id, "ready")?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| engine.wait(&id));
        super::copy::put(context, &id, "/tmp", "go")?;
        ensure_eq!(joined(waiter)?, 3, "the exit code");
        Ok(())
    })
}

pub(super) fn waiting_after_the_end_gives_the_same(context: &Context) -> Check {
    let id = context.start(&context.spec(program::exit(9))?)?;
    let first = context.engine().wait(&id)?;
    let second = context.engine().wait(&id)?;
    ensure_eq!((first.code, second), (9, first), "both ends");
    Ok(())
}

pub(super) fn many_wait_at_once(context: &Context) -> Check {
    let engine = context.engine();
    let id = gated(context)?;
    engine.start(&id)?;
    context.await_line(&id, "ready")?;
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..8).map(|_| scope.spawn(|| engine.wait(&id))).collect();
        super::copy::put(context, &id, "/tmp", "go")?;
        for waiter in waiters {
            ensure_eq!(joined(waiter)?, 3, "the exit code");
        }
        Ok(())
    })
}
