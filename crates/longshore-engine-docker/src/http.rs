//! HTTP/1.1 over a Unix socket, one connection for each request.
//!
//! Only what a daemon on the same machine needs: no redirects, no TLS, no reuse. A response is read as it comes, by
//! length, in chunks, or until the end; or its connection is taken over as a stream of both directions.
//!
//! **Invariant:** heads are bounded, and so is every body that is read into memory.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use longshore_core::Secret;

/// The longest head of a response.
const MAX_HEAD: usize = 64 * 1024;
/// The longest document that is read into memory.
const MAX_DOCUMENT: u64 = 64 * 1024 * 1024;

/// Where a daemon listens.
#[derive(Debug, Clone)]
pub(crate) struct Daemon {
    socket: PathBuf,
}

/// What is sent after the head.
pub(crate) enum Body<'a> {
    /// Nothing.
    None,
    /// A JSON document.
    Json(&'a serde_json::Value),
    /// An archive of unknown length.
    Archive(&'a mut (dyn Read + Send)),
}

/// The head of a response, and what follows.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    framing: Framing,
    stream: BufReader<UnixStream>,
}

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// So many bytes are left.
    Length(u64),
    /// Chunks follow; so many bytes are left of this one.
    Chunked { left: u64, first: bool, ended: bool },
    /// Until the connection ends.
    UntilEnd,
}

impl Daemon {
    /// A daemon by its socket.
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Sends a request, and reads the head of the response.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        (login, body): (Option<&Secret<String>>, Body<'_>),
    ) -> io::Result<Response> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let sent = write_request(&mut stream, method, path, (login, body));
        // A daemon that refuses an archive answers before it has read it all, and then stops reading.
        match (Response::read(stream), sent) {
            (Ok(response), _) => Ok(response),
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        }
    }

    /// Sends a request after which the connection carries a plain stream.
    pub(crate) fn hijack(&self, path: &str, body: &serde_json::Value) -> io::Result<Response> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        Response::read(stream)
    }
}

fn write_request(
    stream: &mut UnixStream,
    method: &str,
    path: &str,
    (login, body): (Option<&Secret<String>>, Body<'_>),
) -> io::Result<()> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n");
    if let Some(login) = login {
        head.push_str(&format!("X-Registry-Auth: {}\r\n", login.expose()));
    }
    match body {
        Body::None => stream.write_all(format!("{head}Content-Length: 0\r\n\r\n").as_bytes()),
        Body::Json(value) => {
            let value = value.to_string();
            let length = value.len();
            let kind = "Content-Type: application/json";
            stream.write_all(format!("{head}{kind}\r\nContent-Length: {length}\r\n\r\n{value}").as_bytes())
        }
        Body::Archive(reader) => {
            let kind = "Content-Type: application/x-tar";
            stream.write_all(format!("{head}{kind}\r\nTransfer-Encoding: chunked\r\n\r\n").as_bytes())?;
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let length = match reader.read(&mut buffer) {
                    Ok(length) => length,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                };
                stream.write_all(format!("{length:x}\r\n").as_bytes())?;
                stream.write_all(&buffer[..length])?;
                stream.write_all(b"\r\n")?;
                if length == 0 {
                    return Ok(());
                }
            }
        }
    }
}

impl Response {
    fn read(stream: UnixStream) -> io::Result<Self> {
        let mut stream = BufReader::with_capacity(32 * 1024, stream);
        let head = read_head(&mut stream)?;
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&head).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let status = response.code.unwrap_or_default();
        let framing = framing(status, response.headers)?;
        Ok(Self { status, framing, stream })
    }

    /// Whether the request was carried out.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status) || self.status == 101
    }

    /// All of a body that is no longer than any document should be.
    pub(crate) fn document(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = (&mut self).take(MAX_DOCUMENT + 1).read_to_end(&mut bytes)?;
        if read as u64 > MAX_DOCUMENT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
        }
        Ok(bytes)
    }

    /// The connection as a stream of both directions, and a second handle of it for writing.
    pub(crate) fn into_stream(self) -> io::Result<(BufReader<UnixStream>, UnixStream)> {
        let writing = self.stream.get_ref().try_clone()?;
        Ok((self.stream, writing))
    }
}

/// All bytes to the empty line, not more.
fn read_head(stream: &mut BufReader<UnixStream>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let start = head.len();
        let left = (MAX_HEAD - start) as u64;
        if stream.by_ref().take(left).read_until(b'\n', &mut head)? == 0 {
            let (kind, message) = if left == 0 {
                (io::ErrorKind::InvalidData, "the head of the answer is too long")
            } else {
                (io::ErrorKind::UnexpectedEof, "the daemon closed the connection")
            };
            return Err(io::Error::new(kind, message));
        }
        if matches!(&head[start..], b"\r\n" | b"\n") {
            return Ok(head);
        }
    }
}

fn framing(status: u16, headers: &[httparse::Header<'_>]) -> io::Result<Framing> {
    let value = |name: &str| {
        let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    if status == 204 || status == 304 {
        return Ok(Framing::Length(0));
    }
    if value("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Ok(Framing::Chunked { left: 0, first: true, ended: false });
    }
    match value("content-length") {
        Some(text) => text.trim().parse().map(Framing::Length).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "the length of the answer is not a number")
        }),
        None => Ok(Framing::UntilEnd),
    }
}

impl Read for Response {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let cut = |buffer: &[u8], left: u64| usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match self.framing {
            Framing::UntilEnd => self.stream.read(buffer),
            Framing::Length(0) | Framing::Chunked { ended: true, .. } => Ok(0),
            Framing::Length(left) => {
                let length = cut(buffer, left);
                let read = self.stream.read(&mut buffer[..length])?;
                self.framing = Framing::Length(left - read as u64);
                if read == 0 && length > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
            }
            Framing::Chunked { left: 0, first, .. } => {
                let left = next_chunk(&mut self.stream, first)?;
                self.framing = Framing::Chunked { left, first: false, ended: left == 0 };
                if left == 0 { Ok(0) } else { self.read(buffer) }
            }
            Framing::Chunked { left, .. } => {
                let length = cut(buffer, left);
                let read = self.stream.read(&mut buffer[..length])?;
                let left = left - read as u64;
                self.framing = Framing::Chunked { left, first: false, ended: false };
                if read == 0 && length > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
            }
        }
    }
}

/// The length of the next chunk; 0 is the end.
fn next_chunk(stream: &mut BufReader<UnixStream>, first: bool) -> io::Result<u64> {
    let mut line = String::new();
    // The end of the chunk before.
    for _ in 0..=usize::from(!first) {
        line.clear();
        if stream.by_ref().take(1024).read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let digits = line.trim_end().split(';').next().unwrap_or_default();
    u64::from_str_radix(digits, 16)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the length of a piece is not a number"))
}

/// A text as part of a path or query.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use super::{Response, escape};

    /// What becomes of an answer of a daemon.
    fn answer(bytes: &'static [u8]) -> std::io::Result<(u16, Vec<u8>)> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let writer = std::thread::spawn(move || theirs.write_all(bytes));
        let response = Response::read(ours).and_then(|mut response| {
            let mut body = Vec::new();
            response.read_to_end(&mut body)?;
            Ok((response.status, body))
        });
        let _ = writer.join();
        response
    }

    #[test]
    fn bodies_are_read_by_length_in_pieces_or_to_the_end() {
        for (bytes, status, body) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"[..], 200, &b"abc"[..]),
            (b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\na;x=y\r\n0123456789\r\n0\r\n\r\n", 201, b"ab0123456789"),
            (b"HTTP/1.1 200 OK\r\n\r\nabc", 200, b"abc"),
            (b"HTTP/1.1 304 Not Modified\r\n\r\nabc", 304, b""),
        ] {
            assert_eq!(answer(bytes).unwrap(), (status, body.to_vec()));
        }
    }

    #[test]
    fn broken_answers_are_errors() {
        for bytes in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            b"SSH-2.0-OpenSSH\r\n\r\n",
        ] {
            assert!(answer(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        let long: &'static [u8] = Vec::leak(
            b"HTTP/1.1 200 OK\r\nX: ".iter().copied().chain(std::iter::repeat_n(b'x', 70_000)).collect(),
        );
        assert!(answer(long).is_err());
    }

    #[test]
    fn texts_are_escaped_in_paths() {
        assert_eq!(escape("/a b&c=d/ü"), "%2Fa%20b%26c%3Dd%2F%C3%BC");
    }
}
