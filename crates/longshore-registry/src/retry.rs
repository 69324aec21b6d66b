//! When to try again, and how long to wait before.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use ureq::http::header::{DATE, RETRY_AFTER};

use crate::options::Retries;
use crate::transport::{Answer, Hope};

/// How often to repeat what has little hope.
const FAINT_ATTEMPTS: u32 = 2;

/// Counts the attempts of one operation.
#[derive(Debug)]
pub(crate) struct Backoff {
    retries: Retries,
    done: u32,
}

impl Backoff {
    pub(crate) fn new(retries: Retries) -> Self {
        Self { retries, done: 0 }
    }

    /// Begins to count anew, because something was achieved.
    pub(crate) fn reset(&mut self) {
        self.done = 0;
    }

    /// How long to wait before the next attempt; nothing if there is to be none. What the server asks for counts,
    /// unless it is too long for anybody to wait.
    pub(crate) fn next(&mut self, hope: Hope, asked: Option<Duration>) -> Option<Duration> {
        let attempts = match hope {
            Hope::None => 0,
            Hope::Slow => self.retries.attempts.min(1),
            Hope::Faint => FAINT_ATTEMPTS.min(self.retries.attempts),
            Hope::Good => self.retries.attempts,
        };
        if self.done >= attempts || asked.is_some_and(|asked| asked > self.retries.longest) {
            return None;
        }
        let doubled = self.retries.delay.saturating_mul(1 << self.done.min(16));
        self.done += 1;
        // All who were turned away together must not come back together.
        let varied = doubled.min(self.retries.longest).mul_f64(jitter());
        Some(varied.max(asked.unwrap_or_default()))
    }
}

/// A number between 0.75 and 1.25.
fn jitter() -> f64 {
    let random = RandomState::new().hash_one(0_u8) & 0xffff;
    0.75 + f64::from(random as u16) / f64::from(u16::MAX) / 2.0
}

/// How long the server wants us to wait: seconds, or a date, which is compared with the server's own clock.
pub(crate) fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.header(&RETRY_AFTER)?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let (then, now) = (time(text)?, time(answer.header(&DATE)?)?);
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Hope, Retries};
    use std::time::Duration;

    #[test]
    fn waits_grow_and_end() {
        let second = Duration::from_secs(1);
        let retries = Retries { attempts: 3, delay: second, longest: second * 3 };
        let mut backoff = Backoff::new(retries);
        for expected in [1.0, 2.0, 3.0] {
            let wait = backoff.next(Hope::Good, None).unwrap().as_secs_f64();
            assert!((expected * 0.75..=expected * 1.25).contains(&wait), "{wait}");
        }
        assert_eq!(backoff.next(Hope::Good, None), None);
        backoff.reset();
        assert!(backoff.next(Hope::Good, Some(second * 2)).unwrap() >= second * 2);
        assert_eq!(backoff.next(Hope::Good, Some(second * 4)), None);
        assert_eq!(backoff.next(Hope::None, None), None);
        assert_eq!(backoff.next(Hope::Slow, None), None);
        assert!(backoff.next(Hope::Faint, None).is_some());
        assert_eq!(backoff.next(Hope::Faint, None), None);
    }
}
