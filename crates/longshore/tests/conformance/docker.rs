//! Docker Engine, the reference.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};

use longshore_engine::ImageSource;
use longshore_engine_docker::{DEFAULT_SOCKET, DockerEngine};
use longshore_testkit::conformance::{Rootfs, Subject};

/// The name of the image in Docker.
const IMAGE: &str = "longshore-conformance";

pub(crate) fn subject() -> Result<Subject, String> {
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
