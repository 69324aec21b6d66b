//! What tests of other crates rely on: answers, gates, failures, the journal.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use longshore_engine::{
    Attachment, Bind, ContainerId, ContainerSpec, ContainerState, Engine, ExecSpec, ExitStatus, Fault,
    HealthSpec, HealthState, ImageSource, Input, Mount, MountKind, NetworkMode, Output, PortBinding,
    ProcessIo, Propagation, PullPolicy, RunningExec, SandboxId, SandboxSpec, Stream,
};
use longshore_testkit::fake::{Answer, Call, FakeEngine, FakeImage, Method, Occasion};

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn sandbox(fake: &FakeEngine) -> SandboxId {
    fake.create_sandbox(&SandboxSpec { name: "net".to_owned(), ..SandboxSpec::default() }).unwrap()
}

fn spec(line: &str) -> ContainerSpec {
    ContainerSpec { image: ImageSource::Host, command: words(line), ..ContainerSpec::default() }
}

/// A container that waits to be worked in.
fn waiting(fake: &FakeEngine, spec: &ContainerSpec) -> ContainerId {
    let id = fake.create_container(&sandbox(fake), spec).unwrap();
    fake.start(&id).unwrap();
    id
}

fn exec(line: &str) -> ExecSpec {
    ExecSpec { command: words(line), ..ExecSpec::default() }
}

/// Runs a command: how it ended, and what it wrote to both outputs together.
fn run(fake: &FakeEngine, id: &ContainerId, spec: &ExecSpec) -> (i32, String) {
    let (io, written) = collecting();
    let exit = fake.exec(id, spec, io).unwrap();
    (exit.code, written())
}

fn collecting() -> (ProcessIo, impl Fn() -> String) {
    let written = Arc::new(Mutex::new(Vec::new()));
    let sink = written.clone();
    let io =
        ProcessIo::to(Arc::new(move |_: Stream, bytes: &[u8]| sink.lock().unwrap().extend_from_slice(bytes)));
    (io, move || String::from_utf8(written.lock().unwrap().clone()).unwrap())
}

fn calls(fake: &FakeEngine) -> Vec<Method> {
    fake.journal().iter().map(|entry| entry.call.method()).collect()
}

#[test]
fn handlers_see_the_command_with_everything_around_it() {
    let fake = FakeEngine::new();
    fake.on(|invocation| {
        (invocation.program() == "show").then(|| {
            let env = ["A", "B"].map(|name| invocation.env.get(name).cloned().unwrap_or_default());
            let script = invocation.read_text("script").unwrap_or_default();
            let user = invocation.user.clone().unwrap_or_default();
            Answer::new().stdout(format!(
                "{} {env:?} {} {user} {script}",
                invocation.line(),
                invocation.working_directory
            ))
        })
    });
    let id = waiting(&fake, &ContainerSpec { env: words("A=1 B=1"), ..spec("sleep infinity") });
    fake.write(&id, "/work/script", b"text").unwrap();
    let step = ExecSpec {
        env: words("B=2"),
        working_directory: Some("/work".to_owned()),
        user: Some("runner".to_owned()),
        ..exec("/opt/show it")
    };
    assert_eq!(run(&fake, &id, &step), (0, r#"/opt/show it ["1", "2"] /work runner text"#.to_owned()));
}

#[test]
fn the_last_handler_that_knows_a_command_answers() {
    let fake = FakeEngine::new();
    fake.on(|_| Some(Answer::new().stdout("first").forever()));
    let id = waiting(&fake, &spec("start"));
    fake.on(|invocation| {
        (invocation.occasion == Occasion::Exec).then(|| Answer::new().stdout("second").exit(3))
    });
    fake.on(|invocation| (invocation.program() == "gone").then(Answer::command_not_found));
    assert_eq!(run(&fake, &id, &exec("any")), (3, "second".to_owned()));
    let error = fake.exec(&id, &exec("gone"), ProcessIo::default()).unwrap_err();
    assert_eq!(error.fault, Fault::CommandNotFound);
}

#[test]
fn commands_write_through_mounts_to_the_machine() {
    let fake = FakeEngine::new();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("event.json"), "{}").unwrap();
    fake.on(|invocation| {
        let event = (invocation.program() == "step").then(|| invocation.read("/github/event.json"))??;
        Some(Answer::new().append("/github/output", event).append("/github/output", "a=b\n"))
    });
    let bind = |read_only| Mount {
        kind: MountKind::Bind(Bind {
            source: directory.path().to_owned(),
            create: false,
            propagation: Propagation::Rprivate,
            non_recursive: false,
        }),
        target: if read_only { "/theirs" } else { "/github" }.to_owned(),
        read_only,
    };
    let id =
        waiting(&fake, &ContainerSpec { mounts: vec![bind(false), bind(true)], ..spec("sleep infinity") });
    assert_eq!(run(&fake, &id, &exec("step")), (0, String::new()));
    assert_eq!(std::fs::read_to_string(directory.path().join("output")).unwrap(), "{}a=b\n");
    assert_eq!(fake.read(&id, "/theirs/output").unwrap(), b"{}a=b\n");
    fake.on(|invocation| {
        let answer = Answer::new().write("/theirs/new", "x").stdout("not reached");
        (invocation.program() == "step").then_some(answer)
    });
    let (code, text) = run(&fake, &id, &exec("step"));
    assert_eq!((code, text.contains("Read-only file system")), (1, true), "{text}");
    assert!(!directory.path().join("new").exists());
    let mut archive = Vec::new();
    fake.copy_out(&id, "/github".as_ref(), &mut archive).unwrap();
    let names: Vec<_> = tar::Archive::new(archive.as_slice())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names, ["github", "github/event.json", "github/output"]);
}

#[test]
fn gates_hold_commands_until_they_are_opened() {
    let fake = FakeEngine::new();
    let gate = fake.gate();
    let held = gate.clone();
    fake.on(move |invocation| {
        (invocation.program() == "held").then(|| Answer::new().stdout("1").await_gate(&held).stdout("2"))
    });
    let id = waiting(&fake, &spec("sleep infinity"));
    let (io, written) = collecting();
    thread::scope(|scope| {
        let step = scope.spawn(|| fake.exec(&id, &exec("held"), io));
        let call = fake.await_call(|entry| entry.call == Call::Exec(exec("held"))).unwrap();
        assert_eq!((call.container.as_ref(), call.fault), (Some(&id), None));
        assert!(!step.is_finished());
        gate.open();
        assert_eq!(step.join().unwrap().unwrap(), ExitStatus::default());
    });
    assert_eq!(written(), "12");
}

#[test]
fn a_command_that_is_cancelled_may_clean_up() {
    let fake = FakeEngine::new();
    fake.on(|invocation| {
        let cleaning = Answer::new().write("/cleaned", "").exit(130);
        (invocation.program() == "long").then(|| Answer::new().on_signal(2, cleaning).ignore(15).forever())
    });
    let id = waiting(&fake, &spec("sleep infinity"));
    let run = fake.start_exec(&id, &exec("long"), ProcessIo::default()).unwrap();
    run.signal(15).unwrap();
    run.signal(2).unwrap();
    assert_eq!(run.wait().unwrap().code, 130);
    assert_eq!(fake.read(&id, "/cleaned").unwrap(), b"");
    let run = fake.start_exec(&id, &exec("long"), ProcessIo::default()).unwrap();
    fake.stop(&id, None).unwrap();
    assert_eq!(run.wait().unwrap().code, 137, "a command whose container was stopped");
}

#[test]
fn a_container_may_take_its_grace_to_end() {
    let fake = FakeEngine::new();
    fake.on(|invocation| {
        let ending = Answer::new().stdout("bye\n").exit(5);
        (invocation.program() == "service").then(|| Answer::new().on_signal(10, ending).forever())
    });
    let stop_signal = Some("SIGUSR1".to_owned());
    let id = waiting(&fake, &ContainerSpec { stop_signal, ..spec("service") });
    fake.stop(&id, Some(Duration::from_hours(1))).unwrap();
    assert_eq!(fake.wait(&id).unwrap().code, 5);
    fake.start(&id).unwrap();
    fake.kill(&id, 15).unwrap();
    assert_eq!(
        fake.inspect(&id).unwrap().state,
        ContainerState::Running,
        "a first process that handles nothing"
    );
}

#[test]
fn a_call_fails_when_it_is_told_to() {
    let fake = FakeEngine::new();
    fake.fail(Method::Exec, 2, Fault::Environment, "no space left on device");
    fake.fail(Method::Inspect, 1, Fault::Bug, "lost");
    let id = waiting(&fake, &spec("sleep infinity"));
    assert!(fake.exec(&id, &exec("true"), ProcessIo::default()).is_ok());
    let error = fake.exec(&id, &exec("true"), ProcessIo::default()).unwrap_err();
    assert_eq!((error.fault, error.to_string().as_str()), (Fault::Environment, "no space left on device"));
    assert!(fake.exec(&id, &exec("true"), ProcessIo::default()).is_ok());
    assert_eq!(fake.inspect(&id).unwrap_err().fault, Fault::Bug);
    assert!(fake.inspect(&id).is_ok());
    let faults: Vec<_> = fake.journal().iter().map(|entry| entry.fault).collect();
    assert_eq!(faults, [None, None, None, None, Some(Fault::Environment), None]);
}

#[test]
fn the_journal_tells_what_was_done_in_order() {
    let fake = FakeEngine::new();
    let sandbox = sandbox(&fake);
    let named = ContainerSpec { name: Some("job".to_owned()), ..spec("sleep infinity") };
    let id = fake.create_container(&sandbox, &named).unwrap();
    fake.start(&id).unwrap();
    fake.inspect(&id).unwrap();
    let step =
        ExecSpec { user: Some("me".to_owned()), working_directory: Some("/tmp".to_owned()), ..exec("true") };
    fake.exec(&id, &step, ProcessIo::default()).unwrap();
    fake.stop(&id, Some(Duration::ZERO)).unwrap();
    fake.remove_container(&id, false).unwrap();
    fake.remove_sandbox(&sandbox).unwrap();
    let journal = fake.journal();
    assert_eq!(
        calls(&fake),
        [
            Method::CreateSandbox,
            Method::CreateContainer,
            Method::Start,
            Method::Exec,
            Method::Stop,
            Method::RemoveContainer,
            Method::RemoveSandbox
        ]
    );
    assert_eq!(journal[3].call, Call::Exec(step));
    assert_eq!(journal[6].call, Call::RemoveSandbox(Some("net".to_owned())));
    assert!(journal[1..6].iter().all(|entry| entry.name.as_deref() == Some("job")), "{journal:?}");
    assert!(journal.windows(2).all(|pair| pair[0].at < pair[1].at));
}

#[test]
fn images_give_what_containers_do_not_say() {
    let fake = FakeEngine::new();
    let image = FakeImage::new("postgres:16")
        .entrypoint(&["docker-entrypoint"])
        .command(&["postgres"])
        .env("PGDATA=/data")
        .volume("/data")
        .expose("5432/tcp")
        .file("/data/seed", "of the image", 0o600);
    fake.add_remote_image(image);
    fake.on(|invocation| {
        (invocation.line() == "docker-entrypoint postgres").then(|| Answer::new().forever())
    });
    let service = ContainerSpec {
        image: ImageSource::Image("postgres:16".to_owned()),
        publish_all: true,
        ..ContainerSpec::default()
    };
    let sandbox = sandbox(&fake);
    assert_eq!(fake.create_container(&sandbox, &service).unwrap_err().fault, Fault::NotFound);
    let reference = "docker.io/library/postgres:16".parse().unwrap();
    let pull = |policy| fake.pull(&reference, &PullPolicy::into(policy), &longshore_event::Silent);
    assert_eq!(pull(PullPolicy::Never).unwrap_err().fault, Fault::NotFound);
    let image = pull(PullPolicy::Missing).unwrap();
    let id = fake.create_container(&sandbox, &service).unwrap();
    fake.start(&id).unwrap();
    let status = fake.inspect(&id).unwrap();
    assert_eq!(status.image, image);
    assert!(status.spec.env.contains(&"PGDATA=/data".to_owned()));
    assert!(matches!(
        status.ports.as_slice(),
        [PortBinding { container_port: 5432, host_port: Some(_), .. }]
    ));
    assert_eq!(fake.read(&id, "/data/seed").unwrap(), b"of the image");
}

#[test]
fn names_resolve_between_containers_that_run() {
    let fake = FakeEngine::new();
    let sandbox = sandbox(&fake);
    let make = |name: &str, alias: &str| {
        let attachment =
            Attachment { network: "net".to_owned(), aliases: words(alias), ..Attachment::default() };
        let network = NetworkMode::Networks(vec![attachment]);
        let spec = ContainerSpec { name: Some(name.to_owned()), network, ..spec("sleep infinity") };
        let id = fake.create_container(&sandbox, &spec).unwrap();
        fake.start(&id).unwrap();
        id
    };
    let (job, service) = (make("job", ""), make("postgres-1", "postgres"));
    let address = fake.inspect(&service).unwrap().networks["net"].ip;
    assert!(address.is_some());
    for name in ["postgres", "postgres-1", service.short()] {
        assert_eq!(fake.resolve(&job, name), address, "{name}");
    }
    fake.kill(&service, 9).unwrap();
    fake.wait(&service).unwrap();
    assert_eq!(fake.resolve(&job, "postgres"), None);
}

#[test]
fn a_probe_that_never_ends_takes_its_time_only() {
    let fake = FakeEngine::new();
    fake.on(|invocation| {
        (invocation.occasion == Occasion::Probe).then(|| Answer::new().stdout("slow").forever())
    });
    let health = HealthSpec {
        test: words("CMD ready"),
        interval: Some(Duration::from_mins(10)),
        timeout: Some(Duration::from_mins(5)),
        retries: Some(2),
        ..HealthSpec::default()
    };
    let id = waiting(&fake, &ContainerSpec { health: Some(health), ..spec("sleep infinity") });
    let health = loop {
        let health = fake.inspect(&id).unwrap().health.unwrap();
        if health.state != HealthState::Starting {
            break health;
        }
        thread::yield_now();
    };
    assert_eq!((health.state, health.failing_streak), (HealthState::Unhealthy, 2));
    assert_eq!(health.log.last().map(|probe| probe.exit_code), Some(-1));
}

#[test]
fn input_that_nobody_reads_holds_nobody_up() {
    let fake = FakeEngine::new();
    let id = waiting(&fake, &spec("sleep infinity"));
    let input = Input::Reader(Box::new(std::io::repeat(b'x')));
    assert_eq!(fake.exec(&id, &exec("true"), ProcessIo { input, output: Output::Discard }).unwrap().code, 0);
}

#[test]
fn everything_ends_with_the_engine() {
    let fake = FakeEngine::new();
    let id = waiting(&fake, &ContainerSpec { restart: "always".parse().unwrap(), ..spec("sleep infinity") });
    let run: Box<dyn RunningExec> = fake.start_exec(&id, &exec("sleep 1"), ProcessIo::default()).unwrap();
    drop(fake);
    assert_eq!(run.wait().unwrap().code, 137);
}
