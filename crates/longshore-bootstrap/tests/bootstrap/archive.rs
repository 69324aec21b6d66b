//! A small archive, signed, and served on the loopback interface.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use sha2::{Digest as _, Sha256};

use crate::package::{Package, compress};
use crate::signer::Signer;

/// The time of the release, in seconds since 1970.
pub(crate) const MADE: u32 = 1_780_000_000;
pub(crate) const DATE: &str = "Thu, 28 May 2026 20:26:40 UTC";

/// The files of an archive by their paths.
pub(crate) type Files = HashMap<String, Vec<u8>>;

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// An archive of the suite `bookworm` with some packages.
pub(crate) fn archive(packages: &[Package], signer: &Signer, more_fields: &str) -> Files {
    assemble(packages, signer, more_fields, Package::build)
}

/// An archive in which one package is replaced by other bytes.
pub(crate) fn archive_with(packages: &[Package], signer: &Signer, name: &str, bytes: &[u8]) -> Files {
    assemble(
        packages,
        signer,
        "",
        |package| if package.name == name { bytes.to_vec() } else { package.build() },
    )
}

fn assemble(
    packages: &[Package],
    signer: &Signer,
    more_fields: &str,
    build: impl Fn(&Package) -> Vec<u8>,
) -> Files {
    let mut files = Files::new();
    let mut index = String::new();
    for package in packages {
        let path = format!("pool/{}_1_amd64.deb", package.name);
        let deb = build(package);
        let _ = write!(
            index,
            "{}Filename: {path}\nSize: {}\nSHA256: {}\n\n",
            package.fields,
            deb.len(),
            sha256(&deb)
        );
        files.insert(path, deb);
    }
    let index = compress("xz", index.as_bytes());
    let path = "main/binary-amd64/Packages.xz";
    let release = format!(
        "Origin: Debian\nSuite: oldstable\nVersion: 12.9\nCodename: bookworm\nDate: {DATE}\n{more_fields}\
         Architectures: all amd64\nComponents: main\nSHA256:\n {} {} {path}\n",
        sha256(&index),
        index.len()
    );
    files.insert(format!("dists/bookworm/{path}"), index);
    files.insert("dists/bookworm/InRelease".to_owned(), signer.clear_sign(&release, MADE).into_bytes());
    files
}

/// Serves files until the test's process ends. What was asked for is noted.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) files: Arc<Mutex<Files>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(files: Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/debian", listener.local_addr().unwrap());
        let (files, asked) = (Arc::new(Mutex::new(files)), Arc::new(Mutex::new(Vec::new())));
        let server = Self { url, files: Arc::clone(&files), asked: Arc::clone(&asked) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), files, asked) = (stream, Arc::clone(&files), Arc::clone(&asked)) else {
                    return;
                };
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                    let line = lines.next().unwrap_or_default();
                    lines.take_while(|line| !line.is_empty()).for_each(drop);
                    let path =
                        line.split(' ').nth(1).unwrap_or_default().trim_start_matches("/debian/").to_owned();
                    asked.lock().unwrap().push(path.clone());
                    let (status, body) = match files.lock().unwrap().get(&path) {
                        Some(body) => ("200 OK", body.clone()),
                        None => ("404 Not Found", Vec::new()),
                    };
                    let head = format!(
                        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
                });
            }
        });
        server
    }
}
