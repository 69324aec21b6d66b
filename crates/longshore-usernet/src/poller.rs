//! Waiting for descriptors and for moments, both under names.
//!
//! There is no tick: a gateway with nothing to do sleeps until something happens.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::{self, Errno};

use crate::slab::Key;

/// Whom an event or a moment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The descriptor that ends the run.
    Stop,
    /// A container's port.
    Port(Key),
    /// A TCP connection.
    Flow(Key),
    /// An exchange of datagrams.
    Exchange(Key),
    /// A published port.
    Published(Key),
    /// The socket at which other engines' processes join.
    Door,
    /// A process that has joined.
    Member(Key),
}

impl Token {
    fn to_bits(self) -> u64 {
        let (kind, key) = match self {
            Self::Stop => (0, 0),
            Self::Port(key) => (1, key.to_bits()),
            Self::Flow(key) => (2, key.to_bits()),
            Self::Exchange(key) => (3, key.to_bits()),
            Self::Published(key) => (4, key.to_bits()),
            Self::Door => (5, 0),
            Self::Member(key) => (6, key.to_bits()),
        };
        kind << 56 | key
    }

    fn from_bits(bits: u64) -> Option<Self> {
        let key = Key::from_bits(bits & (u64::MAX >> 8));
        match bits >> 56 {
            0 => Some(Self::Stop),
            1 => Some(Self::Port(key)),
            2 => Some(Self::Flow(key)),
            3 => Some(Self::Exchange(key)),
            4 => Some(Self::Published(key)),
            5 => Some(Self::Door),
            6 => Some(Self::Member(key)),
            _ => None,
        }
    }
}

/// News of a descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    pub(crate) token: Token,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// How many news are taken at once.
const BATCH: usize = 128;

/// Descriptors and moments that are waited for.
pub(crate) struct Poller {
    epoll: OwnedFd,
    moments: BinaryHeap<Reverse<(Instant, u64)>>,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, moments: BinaryHeap::new() })
    }

    /// Waits for a descriptor to have something to read, again and again until it is read.
    pub(crate) fn watch(&self, descriptor: impl AsFd, token: Token) -> io::Result<()> {
        epoll::add(&self.epoll, descriptor, EventData::new_u64(token.to_bits()), EventFlags::IN)
    }

    /// Waits for changes of a descriptor in both directions, telling each change once.
    pub(crate) fn watch_changes(&self, descriptor: impl AsFd, token: Token) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, descriptor, EventData::new_u64(token.to_bits()), flags)
    }

    /// Stops waiting for a descriptor that others keep open.
    pub(crate) fn forget(&self, descriptor: impl AsFd) {
        let _ = epoll::delete(&self.epoll, descriptor);
    }

    /// Tells of a moment when it has come.
    pub(crate) fn remind(&mut self, at: Instant, token: Token) {
        self.moments.push(Reverse((at, token.to_bits())));
    }

    /// A moment that has come.
    pub(crate) fn next_moment(&mut self, now: Instant) -> Option<Token> {
        let Reverse((at, _)) = self.moments.peek()?;
        if *at > now {
            return None;
        }
        self.moments.pop().and_then(|Reverse((_, bits))| Token::from_bits(bits))
    }

    /// Waits, not at all if there is work left, and appends what happened.
    pub(crate) fn wait(&mut self, work_left: bool, news: &mut Vec<News>) -> io::Result<()> {
        let pause = if work_left {
            Some(Duration::ZERO)
        } else {
            self.moments.peek().map(|Reverse((at, _))| at.saturating_duration_since(Instant::now()))
        };
        let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());
        let mut room = [MaybeUninit::uninit(); BATCH];
        let events = match epoll::wait(&self.epoll, &mut room, pause.as_ref()) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(failure) => return Err(failure),
        };
        for event in events {
            let flags = event.flags;
            let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
            let data = event.data;
            if let Some(token) = Token::from_bits(data.u64()) {
                news.push(News {
                    token,
                    readable: broken || flags.intersects(EventFlags::IN | EventFlags::RDHUP),
                    writable: broken || flags.contains(EventFlags::OUT),
                });
            }
        }
        Ok(())
    }
}
