//! Many at once.

use std::thread;

use longshore_engine::{ContainerSpec, Fault};

use crate::conformance::check::{Check, Failure, ensure, ensure_eq};
use crate::conformance::{Context, program};

fn panicked<T>(_: T) -> Failure {
    Failure::new("a thread panicked")
}

pub(super) fn twenty_start_at_once(context: &Context) -> Check {
    let sandbox = context.shared()?;
    let run = |number: i32| -> Check<(i32, String)> {
        let spec = context.spec(program::print(&number.to_string(), "", number))?;
        let id = context.start_in(&sandbox, &spec)?;
        let exit = context.engine().wait(&id)?;
        let output = context.output(&id, exit)?.text();
        context.engine().remove_container(&id, false)?;
        Ok((exit.code, output))
    };
    thread::scope(|scope| {
        let runs: Vec<_> = (0..20).map(|number| scope.spawn(move || run(number))).collect();
        for (number, run) in (0..).zip(runs) {
            let found = run.join().map_err(panicked)??;
            ensure_eq!(found, (number, number.to_string()), "one of twenty");
        }
        Ok(())
    })
}

pub(super) fn one_of_many_gets_the_name(context: &Context) -> Check {
    let sandbox = context.shared()?;
    let spec = ContainerSpec { name: Some(context.name("one")), ..context.spec(program::exit(0))? };
    let results = thread::scope(|scope| {
        let made: Vec<_> =
            (0..8).map(|_| scope.spawn(|| context.engine().create_container(&sandbox, &spec))).collect();
        made.into_iter().map(|one| one.join().map_err(panicked)).collect::<Check<Vec<_>>>()
    })?;
    let mut winners = Vec::new();
    for result in results {
        match result {
            Ok(id) => winners.push(id),
            Err(error) => ensure_eq!(error.fault, Fault::Conflict, "what a loser is told ({error})"),
        }
    }
    ensure_eq!(winners.len(), 1, "the containers that got the name");
    ensure!(
        winners.first() == Some(&context.engine().find(&context.name("one"))?),
        "another one has the name"
    );
    Ok(())
}

pub(super) fn removals_do_not_disturb_each_other(context: &Context) -> Check {
    let id = context.start_ready(&context.spec(program::stubborn())?)?;
    let engine = context.engine();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| engine.wait(&id));
        let removals: Vec<_> = (0..4).map(|_| scope.spawn(|| engine.remove_container(&id, true))).collect();
        for removal in removals {
            removal.join().map_err(panicked)??;
        }
        match waiter.join().map_err(panicked)? {
            Ok(exit) => ensure_eq!(exit.code, 137, "the exit code of what was removed"),
            // It was gone before it could be looked at.
            Err(error) => ensure!(error.is_not_found(), "waiting for what was removed failed: {error}"),
        }
        Ok(())
    })
}
