//! The engine without a command line, to try and to measure it: `native HOME run|exec|ps IMAGE COMMAND…`. `IMAGE` is `host` or a
//! directory.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example")]

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use longshore_engine::{
    ContainerSpec, EngineError, ExecSpec, Fault, ImageSource, Input, NetworkMode, Output, ProcessIo, Stream,
};
use longshore_engine_native::{Attachments, Incoming, NativeEngine, NativeOptions};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = longshore_engine_native::internal_main(&arguments) {
        return code;
    }
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                eprintln!("  cause: {cause}");
                source = cause.source();
            }
            ExitCode::from(125)
        }
    }
}

fn run(arguments: &[String]) -> Result<u8, EngineError> {
    let [home, verb, image, command @ ..] = arguments else {
        return Err(EngineError::new(
            Fault::Invalid,
            "usage: native HOME run|tty|detach|exec|ps|in|out IMAGE COMMAND…",
        ));
    };
    let options =
        NativeOptions { home: Path::new(home).to_owned(), program: "/proc/self/exe".into(), brief: true };
    let engine = NativeEngine::open(&options)?;
    if verb == "ps" {
        for status in engine.containers()? {
            println!("{} {} {} {:?}", status.id.short(), status.name, status.state.name(), status.pid);
        }
        return Ok(0);
    }
    if verb == "out" {
        let id = engine.find_container(image)?;
        engine.copy_from(&id, &command.join(" "), false, &mut std::io::stdout())?;
        return Ok(0);
    }
    if verb == "in" {
        let id = engine.find_container(image)?;
        engine.copy_to(&id, &command.join(" "), &mut std::io::stdin())?;
        return Ok(0);
    }
    if verb == "exec" {
        let id = engine.find_container(image)?;
        let spec = ExecSpec { command: command.to_vec(), ..ExecSpec::default() };
        let io = ProcessIo { input: Input::Inherit, output: Output::Inherit };
        return Ok(exit_code(engine.run_process(&id, &spec, io)?.code));
    }
    let image = if image == "host" { ImageSource::Host } else { ImageSource::Directory(image.into()) };
    let spec = ContainerSpec {
        image,
        command: command.to_vec(),
        auto_remove: verb == "run",
        network: if std::env::var("NET").is_ok() { NetworkMode::Default } else { NetworkMode::None },
        security: longshore_engine::Security {
            user_namespace: if std::env::var("PRIVATE").is_ok() {
                longshore_engine::UserNamespaceMode::Private
            } else {
                longshore_engine::UserNamespaceMode::Default
            },
            ..Default::default()
        },
        tty: verb == "tty",
        ..ContainerSpec::default()
    };
    let id = engine.create(&spec, None)?;
    let attached = Attachments { stdin: false, stdout: true, stderr: true };
    let (mut attached, warnings) = engine.start_attached(&id, attached, None)?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    if verb == "detach" {
        println!("{id}");
        return Ok(0);
    }
    loop {
        match attached.receive()? {
            Incoming::Output(Stream::Stdout, bytes) => drop(std::io::stdout().write_all(&bytes)),
            Incoming::Output(Stream::Stderr, bytes) => drop(std::io::stderr().write_all(&bytes)),
            Incoming::Exited(exit) => return Ok(exit_code(exit.code)),
            Incoming::Lost => return Ok(255),
        }
    }
}

fn exit_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(255)
}
