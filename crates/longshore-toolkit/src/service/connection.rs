//! One connection: requests one after the other.

use std::io::{self, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::http::{BadRequest, Body, Request};
use super::listener::MOST_CONNECTIONS;
use super::response::Response;
use super::router;
use super::state::Shared;

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_mins(1);
/// How much of a body that nobody wanted is read before the connection is closed instead.
const MOST_UNWANTED: u64 = 4 << 20;

/// Serves a connection to its end. What goes wrong with it is the client's to notice.
pub(super) fn serve(shared: &Shared, stream: TcpStream) {
    let prepared = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_read_timeout(Some(SILENCE)))
        .and_then(|()| stream.set_write_timeout(Some(SILENCE)))
        .and_then(|()| stream.set_nodelay(true));
    let Ok(mut writer) = prepared.and_then(|()| stream.try_clone()) else { return };
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    while let Ok(true) = exchange(shared, &mut reader, &mut writer) {}
}

/// One request and its answer; says whether another may follow.
fn exchange(shared: &Shared, reader: &mut BufReader<TcpStream>, writer: &mut TcpStream) -> io::Result<bool> {
    let request = match Request::read(reader) {
        Ok(Some(request)) => request,
        Ok(None) => return Ok(false),
        Err(BadRequest::Gone(error)) => return Err(error),
        Err(error) => {
            let status = if matches!(error, BadRequest::Long) { 431 } else { 400 };
            Response::fatal(status, &error.to_string()).send(writer, true, false)?;
            return Ok(false);
        }
    };
    if request.header("expect").is_some_and(|expected| expected.eq_ignore_ascii_case("100-continue")) {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Body::new(reader, request.framing);
    let response = router::answer(shared, &request, &mut body);
    // When places get scarce, none is kept by who has nothing to say.
    let roomy = shared.bell.connections() <= MOST_CONNECTIONS / 2;
    if !body.is_ended() {
        // Reading the rest first lets clients that write before they read see the answer.
        let read = io::copy(&mut (&mut body).take(MOST_UNWANTED), &mut io::sink());
        read?;
    }
    let keep = request.keep_alive && roomy && body.is_ended() && !response.is_closing();
    response.send(writer, request.method != "HEAD", keep)?;
    Ok(keep)
}
