//! Every engine against the contract, see `longshore_testkit::conformance`.
//!
//! Docker is the reference: `DOCKER_HOST=unix:///path cargo test -p longshore --test conformance reference`. Where no
//! daemon listens, its tests say so and pass.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};

use longshore_engine::ImageSource;
use longshore_engine_docker::{DEFAULT_SOCKET, DockerEngine};
use longshore_engine_native::{NativeEngine, NativeOptions};
use longshore_testkit::conformance::{Rootfs, Subject, scratch};

/// The name of the image in Docker.
const IMAGE: &str = "longshore-conformance";

fn docker() -> Result<Subject, String> {
    static SUBJECT: OnceLock<Result<Subject, String>> = OnceLock::new();
    SUBJECT.get_or_init(connect).clone()
}

fn connect() -> Result<Subject, String> {
    let address = std::env::var("DOCKER_HOST").unwrap_or_else(|_| format!("unix://{DEFAULT_SOCKET}"));
    let engine = DockerEngine::connect(&address).map_err(|error| format!("there is no Docker: {error}"))?;
    let archive = Rootfs::find().and_then(|rootfs| rootfs.archive()).map_err(|error| error.to_string())?;
    import(address.trim_start_matches("unix://"), &archive).map_err(|error| error.to_string())?;
    Ok(Subject::new(Arc::new(engine), ImageSource::Image(IMAGE.to_owned())))
}

/// Makes an image of an archive. Engines have no method for this, and Docker's is one request.
fn import(socket: &str, archive: &[u8]) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    let head = format!(
        "POST /images/create?fromSrc=-&repo={IMAGE}&tag=latest HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\
         Content-Type: application/x-tar\r\nContent-Length: {}\r\n\r\n",
        archive.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(archive)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") && !answer.contains("\"error\"") {
        Ok(())
    } else {
        Err(std::io::Error::other(answer))
    }
}

longshore_testkit::engine_conformance!(reference, crate::docker);

/// The native engine, as the user who runs the tests: root in CI.
fn native() -> Result<Subject, String> {
    static SUBJECT: OnceLock<Result<Subject, String>> = OnceLock::new();
    SUBJECT.get_or_init(open_native).clone()
}

fn open_native() -> Result<Subject, String> {
    let rootfs = Rootfs::find().map_err(|error| error.to_string())?;
    let archive = rootfs.archive().map_err(|error| error.to_string())?;
    let home = scratch().map_err(|error| error.to_string())?.keep();
    let file = home.join("rootfs.tar");
    std::fs::write(&file, archive).map_err(|error| error.to_string())?;
    let program = assert_cmd::cargo::cargo_bin!("longshore").to_path_buf();
    let imported = std::process::Command::new(&program)
        .args(["image", "import", &file.display().to_string(), IMAGE])
        .env("LONGSHORE_HOME", &home)
        .output()
        .map_err(|error| error.to_string())?;
    if !imported.status.success() {
        return Err(String::from_utf8_lossy(&imported.stderr).into_owned());
    }
    let options = NativeOptions { home: home.join("engine"), program };
    let engine = NativeEngine::open(&options).map_err(|error| error.to_string())?;
    Ok(Subject::new(Arc::new(engine), ImageSource::Image(IMAGE.to_owned())))
}

longshore_testkit::engine_conformance!(native, crate::native);
