//! Asking other resolvers.
//!
//! Queries go out as they came, but for their number, which is drawn anew: together with the random port of a socket of
//! its own, that keeps others from guessing an answer. They leave from the host's namespace, so that resolvers on the
//! host's loopback can be asked.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::query::{Transport, answers, is_refusal};
use super::resolv_conf::ResolvConf;

/// How long one resolver is waited for; Docker's value.
const PATIENCE: Duration = Duration::from_secs(4);
/// How many resolvers are asked; as many as the C library would.
const RESOLVERS: usize = 3;
const DNS: u16 = 53;

/// Who is asked for names that are not of containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolvers {
    /// Those of a `resolv.conf`, which is read for each query, because it may change.
    File(PathBuf),
    /// These.
    Addresses(Vec<SocketAddr>),
}

impl Resolvers {
    /// Resolvers at these addresses, as `--dns` names them.
    pub fn at(addresses: &[IpAddr]) -> Self {
        Self::Addresses(addresses.iter().map(|address| SocketAddr::new(*address, DNS)).collect())
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        match self {
            Self::Addresses(addresses) => addresses.iter().take(RESOLVERS).copied().collect(),
            Self::File(path) => {
                let servers = ResolvConf::read(path).map(|file| file.nameservers).unwrap_or_default();
                let mut servers: Vec<SocketAddr> =
                    servers.into_iter().take(RESOLVERS).map(|server| SocketAddr::new(server, DNS)).collect();
                if servers.is_empty() {
                    servers.push((Ipv4Addr::LOCALHOST, DNS).into());
                }
                servers
            }
        }
    }

    /// Asks one resolver after the other. None if nobody answers; a refusal if all refuse.
    pub(crate) fn ask(&self, query: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let mut refusal = None;
        for server in self.addresses() {
            let reply = match transport {
                Transport::Datagram => ask_datagram(query, server),
                Transport::Stream => ask_stream(query, server),
            };
            match reply {
                Ok(reply) if is_refusal(&reply) => refusal = Some(reply),
                Ok(reply) => return Some(reply),
                Err(_) => {}
            }
        }
        refusal
    }
}

/// The query with another number.
fn renumbered(query: &[u8]) -> io::Result<Vec<u8>> {
    let number = crate::random::bytes::<2>()?;
    let mut query = query.to_vec();
    with_number(&mut query, number);
    Ok(query)
}

fn with_number(message: &mut [u8], number: [u8; 2]) {
    for (byte, new) in message.iter_mut().zip(number) {
        *byte = new;
    }
}

fn number_of(query: &[u8]) -> [u8; 2] {
    query.get(..2).and_then(|number| number.try_into().ok()).unwrap_or_default()
}

fn ask_datagram(query: &[u8], server: SocketAddr) -> io::Result<Vec<u8>> {
    let any: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    let sent = renumbered(query)?;
    socket.send(&sent)?;
    let deadline = Instant::now() + PATIENCE;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let length = socket.recv(&mut buffer)?;
        let reply = buffer.get(..length).unwrap_or_default();
        if answers(reply, &sent) {
            let mut reply = reply.to_vec();
            with_number(&mut reply, number_of(query));
            return Ok(reply);
        }
    }
}

fn ask_stream(query: &[u8], server: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let sent = renumbered(query)?;
    write_message(&mut stream, &sent)?;
    let mut reply = read_message(&mut stream)?;
    if !answers(&reply, &sent) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    with_number(&mut reply, number_of(query));
    Ok(reply)
}

/// Reads a message from a connection, where its length stands before it.
pub(crate) fn read_message(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

/// Writes a message to a connection.
pub(crate) fn write_message(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(message);
    stream.write_all(&bytes)
}
