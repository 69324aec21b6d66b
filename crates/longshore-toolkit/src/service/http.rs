//! Requests of HTTP/1.1 (RFC 9112): heads of bounded length, bodies as streams.

use std::io::{self, BufRead, Read};

/// How long a head may be; signed addresses and tokens take a few kilobytes.
const MOST_HEAD: usize = 32 << 10;
const MOST_HEADERS: usize = 64;
/// How long the line before a chunk, or one after the last, may be.
const MOST_LINE: usize = 4 << 10;
const MOST_TRAILERS: usize = 32;

/// The head of a request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
}

/// How the length of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// Why a request is not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadRequest {
    #[error("the client is gone")]
    Gone(#[source] io::Error),
    #[error("the head of the request is too long")]
    Long,
    #[error("the request is no HTTP: {0}")]
    Malformed(&'static str),
}

impl Request {
    /// Reads a head; `None` if the client closed the connection before it.
    pub(super) fn read(stream: &mut impl BufRead) -> Result<Option<Self>, BadRequest> {
        let head = read_head(stream)?;
        if head.is_empty() {
            return Ok(None);
        }
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(&head) {
            Ok(status) if status.is_complete() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(BadRequest::Long),
            _ => return Err(BadRequest::Malformed("its head cannot be read")),
        }
        let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
            return Err(BadRequest::Malformed("its first line is incomplete"));
        };
        let headers: Vec<_> = parsed
            .headers
            .iter()
            .map(|header| {
                (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).trim().to_owned())
            })
            .collect();
        let framing = framing(&headers)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs(query),
            headers,
            framing,
            keep_alive: version == 1,
        };
        let connection = request.header("connection").unwrap_or_default().to_ascii_lowercase();
        request.keep_alive &= !connection.contains("close");
        Ok(Some(request))
    }

    /// A header by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The token that the client shows.
    pub(super) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }
}

fn read_head(stream: &mut impl BufRead) -> Result<Vec<u8>, BadRequest> {
    let mut head = Vec::new();
    loop {
        let start = head.len();
        let left = MOST_HEAD - start;
        let read =
            stream.by_ref().take(left as u64).read_until(b'\n', &mut head).map_err(BadRequest::Gone)?;
        if read == 0 {
            return match start {
                0 => Ok(head),
                _ if left == 0 => Err(BadRequest::Long),
                _ => Err(BadRequest::Gone(io::ErrorKind::UnexpectedEof.into())),
            };
        }
        match head.get(start..).unwrap_or_default() {
            // Empty lines before a request are forgiven.
            b"\r\n" | b"\n" if start == 0 => head.clear(),
            b"\r\n" | b"\n" => return Ok(head),
            _ => {}
        }
    }
}

/// How long the body is. What two readers could read differently is refused.
fn framing(headers: &[(String, String)]) -> Result<Framing, BadRequest> {
    let values =
        |name: &'static str| headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value);
    let (mut lengths, mut codings) = (values("content-length"), values("transfer-encoding"));
    match (lengths.next(), codings.next()) {
        _ if lengths.next().is_some() || codings.next().is_some() => {
            Err(BadRequest::Malformed("its length is given twice"))
        }
        (None, None) => Ok(Framing::Length(0)),
        (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (Some(length), None) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().map(Framing::Length).map_err(|_| BadRequest::Malformed("its length is too large"))
        }
        _ => Err(BadRequest::Malformed("its length cannot be told")),
    }
}

/// The parameters of a query, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Undoes percent-encoding; what is not encoded properly stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (first, code.and_then(|code| u8::from_str_radix(code, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The body of a request. It ends with an error if the client ends too early.
pub(super) struct Body<'s, S> {
    stream: &'s mut S,
    left: u64,
    chunked: bool,
    first: bool,
    ended: bool,
}

impl<'s, S: BufRead> Body<'s, S> {
    pub(super) fn new(stream: &'s mut S, framing: Framing) -> Self {
        let (left, chunked) = match framing {
            Framing::Length(length) => (length, false),
            Framing::Chunked => (0, true),
        };
        Self { stream, left, chunked, first: true, ended: !chunked && left == 0 }
    }

    /// Whether nothing is left to read.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.first) && !self.line()?.is_empty() {
            return Err(wrong("a chunk is longer than it says"));
        }
        let line = self.line()?;
        let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
        let size = std::str::from_utf8(size).unwrap_or_default().trim();
        if size.is_empty() || size.len() > 15 || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong("the length of a chunk is no number"));
        }
        self.left = u64::from_str_radix(size, 16).map_err(|_| wrong("the length of a chunk is no number"))?;
        if self.left == 0 {
            for _ in 0..MOST_TRAILERS {
                if self.line()?.is_empty() {
                    self.ended = true;
                    return Ok(());
                }
            }
            return Err(wrong("there are too many trailers"));
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.by_ref().take(MOST_LINE as u64).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<S: BufRead> Read for Body<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunked && self.left == 0 && !self.ended {
            self.next_chunk()?;
        }
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.stream.read(buffer.get_mut(..length).unwrap_or_default())?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        self.ended = !self.chunked && self.left == 0;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Request>, BadRequest> {
        Request::read(&mut text.as_bytes())
    }

    #[test]
    fn heads() {
        let request =
            parse("PUT /a/b?comp=block&blockid=YQ%3D%3D HTTP/1.1\r\nX-A: 1\r\n\r\n").unwrap().unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("PUT", "/a/b"));
        assert_eq!((request.parameter("blockid"), request.header("x-a")), (Some("YQ=="), Some("1")));
        assert!(request.keep_alive && request.framing == Framing::Length(0));
        assert!(parse("").unwrap().is_none());
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(MOST_HEAD));
        assert!(matches!(parse(&long), Err(BadRequest::Long)));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(MOST_HEADERS + 1));
        assert!(matches!(parse(&many), Err(BadRequest::Long)));
    }

    #[test]
    fn lengths_that_could_be_read_differently_are_refused() {
        for headers in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 99999999999999999999\r\n",
        ] {
            let result = parse(&format!("PUT / HTTP/1.1\r\n{headers}\r\n"));
            assert!(matches!(result, Err(BadRequest::Malformed(_))), "{headers}");
        }
    }

    fn body(text: &str, framing: Framing) -> io::Result<(String, String)> {
        let mut stream = text.as_bytes();
        let mut content = String::new();
        Body::new(&mut stream, framing).read_to_string(&mut content)?;
        Ok((content, String::from_utf8_lossy(stream).into_owned()))
    }

    #[test]
    fn bodies() {
        let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
        assert_eq!(body("abcdef", Framing::Length(3)).unwrap(), pair("abc", "def"));
        let chunks = "3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\nrest";
        assert_eq!(body(chunks, Framing::Chunked).unwrap(), pair("abcde", "rest"));
        for broken in
            ["3\r\nab", "3\r\nabcd\r\n0\r\n\r\n", "x\r\n", "", "3\r\nabc\r\n0\r\n", "fffffffffffffffff\r\n"]
        {
            assert!(body(broken, Framing::Chunked).is_err(), "{broken:?}");
        }
        assert!(body("ab", Framing::Length(3)).is_err());
    }
}
