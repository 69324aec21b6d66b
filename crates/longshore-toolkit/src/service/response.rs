//! Answers.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};

use serde_json::{Value, json};

/// An answer to one request.
#[derive(Debug)]
pub(super) struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Content,
    close: bool,
}

#[derive(Debug)]
enum Content {
    Bytes(Vec<u8>),
    File { file: File, start: u64, length: u64 },
}

impl Response {
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Content::Bytes(Vec::new()), close: false }
    }

    pub(super) fn json(status: u16, value: &Value) -> Self {
        let response = Self::empty(status).with("Content-Type", "application/json");
        Self { body: Content::Bytes(value.to_string().into_bytes()), ..response }
    }

    /// An error as Azure's blobs give them.
    pub(super) fn blob_error(status: u16, code: &'static str) -> Self {
        let text = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code></Error>");
        let response =
            Self::empty(status).with("Content-Type", "application/xml").with("x-ms-error-code", code);
        Self { body: Content::Bytes(text.into_bytes()), ..response }
    }

    /// An error that ends the connection, because what follows on it cannot be told.
    pub(super) fn fatal(status: u16, message: &str) -> Self {
        Self { close: true, ..Self::json(status, &json!({"code": "malformed", "msg": message})) }
    }

    pub(super) fn file(status: u16, file: File, start: u64, length: u64) -> Self {
        Self { body: Content::File { file, start, length }, ..Self::empty(status) }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn is_closing(&self) -> bool {
        self.close
    }

    /// Sends it; `body` is false for `HEAD`.
    pub(super) fn send(self, stream: &mut impl Write, body: bool, keep_alive: bool) -> io::Result<()> {
        let length = match &self.body {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File { length, .. } => *length,
        };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            // No header value ends its line, wherever it came from.
            let value: String = value.chars().filter(|character| !character.is_control()).collect();
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status != 204 {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        let connection = if keep_alive && !self.close { "keep-alive" } else { "close" };
        head.push_str(&format!("Connection: {connection}\r\n\r\n"));
        let mut first = head.into_bytes();
        match self.body {
            Content::Bytes(bytes) => {
                first.extend(if body { bytes } else { Vec::new() });
                stream.write_all(&first)?;
            }
            Content::File { mut file, start, length } => {
                stream.write_all(&first)?;
                if body {
                    file.seek(SeekFrom::Start(start))?;
                    let sent = io::copy(&mut file.take(length), stream)?;
                    if sent != length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
        stream.flush()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        507 => "Insufficient Storage",
        _ => "Internal Server Error",
    }
}
