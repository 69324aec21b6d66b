//! A server that does what a test tells it.
//!
//! It speaks as much HTTP as a test needs: each connection has a thread, requests are read whole, and the handler writes
//! what it likes to the connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request, and the connection to answer it on.
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    stream: TcpStream,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    KeepAlive,
    Close,
}

pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Exchange {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The line that stands in the log.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Writes bytes as they are. The client may be gone.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// A whole answer.
    pub(crate) fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Then {
        let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let body = if self.method == "HEAD" { b"" } else { body };
        if self.raw((head + "\r\n").as_bytes()) && self.raw(body) { Then::KeepAlive } else { Then::Close }
    }

    /// Waits until the client goes away.
    pub(crate) fn stall(&mut self) -> Then {
        let _ = self.stream.read(&mut [0]);
        Then::Close
    }
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&mut Exchange) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), log: Arc::default() };
        let (log, handler) = (Arc::clone(&server.log), Arc::new(handler));
        // The threads end with the test process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, log, handler) = (stream.unwrap(), Arc::clone(&log), Arc::clone(&handler));
                std::thread::spawn(move || serve(&stream, &log, &*handler));
            }
        });
        server
    }

    /// `host:port`.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// All requests so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// How many requests began so.
    pub(crate) fn count(&self, start: &str) -> usize {
        self.log().iter().filter(|line| line.starts_with(start)).count()
    }
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<String>>, handler: &dyn Fn(&mut Exchange) -> Then) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(mut exchange) = read(&mut reader, stream) {
        log.lock().unwrap().push(exchange.line());
        if handler(&mut exchange) == Then::Close {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>, stream: &TcpStream) -> Option<Exchange> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Exchange { method, path, headers, body, stream: stream.try_clone().ok()? })
}
