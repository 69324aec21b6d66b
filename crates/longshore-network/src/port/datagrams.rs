//! Carrying datagrams.
//!
//! Datagrams have no connection, so there is a socket for each client that sent some, and what comes back through it goes
//! to that client. Clients that are silent for a while are forgotten; how many are known is bounded.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::forwarding::Dialer;

/// How long a client is remembered; Docker's value.
const MEMORY: Duration = Duration::from_secs(90);
/// How many clients are known at once.
const CLIENTS: usize = 1024;
/// How many datagrams of one socket are carried before others have their turn.
const TURN: usize = 64;

struct Session {
    socket: UdpSocket,
    used: Instant,
}

/// Carries datagrams until `stop` becomes readable.
pub(super) fn carry(public: &UdpSocket, port: u16, dialer: &dyn Dialer, stop: BorrowedFd<'_>) {
    let mut sessions: BTreeMap<SocketAddr, Session> = BTreeMap::new();
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let Some((asked, ready)) = wait(public, &sessions, stop) else { return };
        let now = Instant::now();
        for client in ready {
            if let Some(session) = sessions.get_mut(&client) {
                session.used = now;
                answer(public, client, &session.socket, &mut buffer);
            }
        }
        if asked {
            take(public, &mut sessions, &mut buffer, now, &|| dialer.datagrams(port).ok());
        }
        sessions.retain(|_, session| now.duration_since(session.used) < MEMORY);
    }
}

/// Waits for datagrams. None if it is time to stop; else whether clients have sent, and which are answered.
fn wait(
    public: &UdpSocket,
    sessions: &BTreeMap<SocketAddr, Session>,
    stop: BorrowedFd<'_>,
) -> Option<(bool, Vec<SocketAddr>)> {
    let mut events = vec![PollFd::from_borrowed_fd(stop, PollFlags::IN), PollFd::new(public, PollFlags::IN)];
    events.extend(sessions.values().map(|session| PollFd::new(&session.socket, PollFlags::IN)));
    let oldest = sessions.values().map(|session| session.used).min();
    let patience = oldest.and_then(|used| {
        let left = (used + MEMORY).saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        Timespec::try_from(left).ok()
    });
    match rustix::event::poll(&mut events, patience.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(_) => return None,
    }
    let mut states = events.iter().map(|event| !event.revents().is_empty());
    if states.next().unwrap_or(true) {
        return None;
    }
    let asked = states.next().unwrap_or(false);
    Some((
        asked,
        sessions.keys().zip(states).filter(|(_, ready)| *ready).map(|(client, _)| *client).collect(),
    ))
}

/// Carries what the container sent back to a client. What cannot be sent is lost, as datagrams are.
fn answer(public: &UdpSocket, client: SocketAddr, socket: &UdpSocket, buffer: &mut [u8]) {
    for _ in 0..TURN {
        match socket.recv(buffer) {
            Ok(length) => drop(public.send_to(buffer.get(..length).unwrap_or_default(), client)),
            // Also when the container refused the last datagram.
            Err(_) => return,
        }
    }
}

/// Carries what clients sent to the container.
fn take(
    public: &UdpSocket,
    sessions: &mut BTreeMap<SocketAddr, Session>,
    buffer: &mut [u8],
    now: Instant,
    dial: &dyn Fn() -> Option<UdpSocket>,
) {
    for _ in 0..TURN {
        let Ok((length, client)) = public.recv_from(buffer) else { return };
        if !sessions.contains_key(&client) {
            if sessions.len() >= CLIENTS {
                let oldest =
                    sessions.iter().min_by_key(|(_, session)| session.used).map(|(client, _)| *client);
                oldest.and_then(|oldest| sessions.remove(&oldest));
            }
            let Some(socket) = dial().filter(|socket| socket.set_nonblocking(true).is_ok()) else { continue };
            sessions.insert(client, Session { socket, used: now });
        }
        if let Some(session) = sessions.get_mut(&client) {
            session.used = now;
            drop(session.socket.send(buffer.get(..length).unwrap_or_default()));
        }
    }
}
