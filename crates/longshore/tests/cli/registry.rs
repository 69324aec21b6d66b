//! A registry on this machine that gives what is in an OCI layout, whatever the name and tag, and notes what it is asked
//! for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base64::Engine as _;

/// The registry; it lives as long as the process.
pub(crate) struct Registry {
    pub(crate) authority: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    /// Serves a layout to everybody.
    pub(crate) fn of(layout: PathBuf) -> Self {
        Self::serving(layout, None)
    }

    /// Serves a layout to one user.
    pub(crate) fn guarded(layout: PathBuf, user: &str, password: &str) -> Self {
        let login = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
        Self::serving(layout, Some(format!("authorization: basic {login}")))
    }

    /// Serves a layout to who sends a header.
    fn serving(layout: PathBuf, header: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (layout, log, header) = (layout.clone(), Arc::clone(&log), header.clone());
                std::thread::spawn(move || serve(stream, &layout, &log, header.as_deref()));
            }
        });
        Self { authority, asked }
    }

    /// What was asked for since the last question, such as `manifests` and `blobs`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn serve(stream: TcpStream, layout: &Path, log: &Mutex<Vec<String>>, wanted: Option<&str>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        let mut is_known = wanted.is_none();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            // Base64 has capitals, the name and the scheme may have them.
            is_known |= wanted.is_some_and(|wanted| header.trim_end().eq_ignore_ascii_case(wanted));
            header.clear();
        }
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, media, digest, body) = match found(layout, path, log).filter(|_| is_known) {
            Some((media, digest, body)) => ("200 OK", media, digest, body),
            None if !is_known => {
                let challenge = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"";
                (challenge, "application/json".to_owned(), String::new(), b"{}".to_vec())
            }
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
