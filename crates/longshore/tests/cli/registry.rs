//! A registry on this machine that gives what is in an OCI layout, whatever the name and tag, and notes what it is asked
//! for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The registry; it lives as long as the process.
pub(crate) struct Registry {
    pub(crate) authority: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    /// Serves a layout.
    pub(crate) fn of(layout: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (layout, log) = (layout.clone(), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &layout, &log));
            }
        });
        Self { authority, asked }
    }

    /// What was asked for since the last question, such as `manifests` and `blobs`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn serve(stream: TcpStream, layout: &Path, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, media, digest, body) = match found(layout, path, log) {
            Some((media, digest, body)) => ("200 OK", media, digest, body),
            None => ("404 Not Found", "application/json".to_owned(), String::new(), b"{}".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\nDocker-Content-Digest: {digest}\r\n\r\n",
            body.len()
        );
        let body = if method == "HEAD" { &[][..] } else { &body };
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body)).is_err() {
            return;
        }
    }
}

/// Media type, digest and bytes of what a path means. The repository `nothing` has nothing.
fn found(layout: &Path, path: &str, log: &Mutex<Vec<String>>) -> Option<(String, String, Vec<u8>)> {
    let rest = path.strip_prefix("/v2/")?;
    if rest.is_empty() {
        return Some(("application/json".to_owned(), String::new(), b"{}".to_vec()));
    }
    let mut parts = rest.rsplit('/');
    let (name, kind) = (parts.next()?, parts.next()?);
    log.lock().unwrap().push(kind.to_owned());
    if rest.starts_with("nothing/") {
        return None;
    }
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let root = &index["manifests"][0];
    let digest = if name.starts_with("sha256:") { name } else { root["digest"].as_str()? };
    let bytes = std::fs::read(layout.join("blobs").join(digest.replace(':', "/"))).ok()?;
    let media = match kind {
        "manifests" => root["mediaType"].as_str()?,
        _ => "application/octet-stream",
    };
    Some((media.to_owned(), digest.to_owned(), bytes))
}
