//! What a container may use up.

use longshore_engine::{ContainerSpec, Resources, Ulimit};

use crate::conformance::check::{Check, ensure, ensure_eq};
use crate::conformance::{Captured, Context, program};

fn run(context: &Context, resources: Resources, script: &str) -> Check<Captured> {
    context.run(&ContainerSpec { resources, ..context.spec(program::shell(script))? })
}

pub(super) fn memory_is_limited_and_told(context: &Context) -> Check {
    let size = 32 << 20;
    let resources =
        Resources { memory: Some(size), memory_swap: i64::try_from(size).ok(), ..Resources::default() };
    let spec = ContainerSpec {
        resources,
        // A single block of which every byte is touched.
        ..context.spec(program::shell("exec dd if=/dev/zero of=/dev/null bs=200M count=1"))?
    };
    let id = context.start(&spec)?;
    let exit = context.engine().wait(&id)?;
    ensure_eq!(
        (exit.code, exit.out_of_memory),
        (137, true),
        "the end of a program that takes too much memory"
    );
    let status = context.engine().inspect(&id)?;
    ensure_eq!(status.exit, Some(exit), "the same when inspected");
    ensure_eq!(status.spec.resources.memory, Some(size), "the limit");
    Ok(())
}

pub(super) fn processes_are_limited(context: &Context) -> Check {
    let resources = Resources { pids: Some(10), ..Resources::default() };
    let script = "i=0; while [ $i -lt 50 ]; do sleep 1000 & i=$((i+1)); done; echo all";
    let ran = run(context, resources, script)?;
    ensure!(ran.exit.code != 0 && ran.text() != "all", "50 processes were started where 10 may be");
    ensure!(ran.error_text().contains("fork"), "the error is: {}", ran.error_text());
    Ok(())
}

pub(super) fn files_are_limited(context: &Context) -> Check {
    let ulimits = vec![Ulimit { name: "nofile".to_owned(), soft: 100, hard: 200 }];
    let ran = run(context, Resources { ulimits, ..Resources::default() }, "ulimit -Sn; ulimit -Hn")?;
    ensure_eq!(ran.text(), "100\n200", "the limits of open files");
    Ok(())
}

pub(super) fn shared_memory_has_its_size(context: &Context) -> Check {
    let script = "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2";
    ensure_eq!(
        run(context, Resources::default(), script)?.text(),
        "65536",
        "the size of shared memory in KiB"
    );
    let resources = Resources { shm_size: Some(1 << 20), ..Resources::default() };
    ensure_eq!(run(context, resources, script)?.text(), "1024", "another size of shared memory in KiB");
    Ok(())
}
