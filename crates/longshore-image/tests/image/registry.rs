//! A registry on this machine that gives what it was filled with, and counts.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use longshore_oci::Digest;
use serde_json::{Value, json};

use crate::place::{config, tar};

/// Media type and bytes by path.
type Content = HashMap<String, (String, Vec<u8>)>;

/// The registry; it lives as long as the process.
pub(crate) struct Registry {
    pub(crate) authority: String,
    content: Arc<Mutex<Content>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let content: Arc<Mutex<Content>> = Arc::default();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (shared, log) = (Arc::clone(&content), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, log) = (Arc::clone(&shared), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &shared, &log));
            }
        });
        Self { authority, content, requests }
    }

    /// An image of layers with a tag; gives the digest of its manifest.
    pub(crate) fn put_image(&self, tag: &str, layers: &[Vec<u8>]) -> Digest {
        let slices: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
        let config = serde_json::to_vec(&config(&slices)).unwrap();
        let described = |media: &str, bytes: &[u8]| json!({"mediaType": media, "digest": self.put_blob(bytes), "size": bytes.len()});
        let layers: Vec<Value> =
            layers.iter().map(|layer| described("application/vnd.oci.image.layer.v1.tar", layer)).collect();
        let media = "application/vnd.oci.image.manifest.v1+json";
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2, "mediaType": media, "layers": layers,
            "config": described("application/vnd.oci.image.config.v1+json", &config),
        }))
        .unwrap();
        let digest = Digest::of(&manifest);
        let mut content = self.content.lock().unwrap();
        for name in [tag, digest.as_str()] {
            content.insert(format!("/v2/app/manifests/{name}"), (media.to_owned(), manifest.clone()));
        }
        digest
    }

    fn put_blob(&self, bytes: &[u8]) -> String {
        let digest = Digest::of(bytes).to_string();
        let path = format!("/v2/app/blobs/{digest}");
        let entry = ("application/octet-stream".to_owned(), bytes.to_vec());
        self.content.lock().unwrap().insert(path, entry);
        digest
    }

    /// How many blobs were asked for since the last question.
    pub(crate) fn blobs_asked(&self) -> usize {
        let requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests.iter().filter(|request| request.starts_with("GET /v2/app/blobs/")).count()
    }
}

fn serve(stream: TcpStream, content: &Mutex<Content>, log: &Mutex<Vec<String>>) {
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
        log.lock().unwrap().push(line.trim_end().to_owned());
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let found = if path == "/v2/" {
            Some(("application/json".to_owned(), b"{}".to_vec()))
        } else {
            content.lock().unwrap().get(path).cloned()
        };
        let (status, (media, body)) = match found {
            Some(found) => ("200 OK", found),
            None => ("404 Not Found", ("application/json".to_owned(), b"{}".to_vec())),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\nDocker-Content-Digest: {}\r\n\r\n",
            body.len(),
            Digest::of(&body)
        );
        let body = if method == "HEAD" { &[][..] } else { &body };
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body)).is_err() {
            return;
        }
    }
}

/// Layers with different content.
pub(crate) fn layers(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|at| tar(&[(&format!("file-{at}"), &"x".repeat(at * 1000))])).collect()
}
