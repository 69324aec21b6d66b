//! How far transfers and unpacking are, as lines for a terminal or for a log.
//!
//! [`Progress`] takes events with the time since the beginning and knows what to show; whoever has the terminal draws.

use std::time::Duration;

use longshore_event::ImageEvent;

use crate::style::{Role, Style, visible};

/// How many pieces are shown at once.
const MOST_LINES: usize = 12;
/// How many columns the bar takes.
const BAR: usize = 24;

/// One piece of content.
#[derive(Debug, Clone)]
struct Piece {
    item: String,
    done: u64,
    total: Option<u64>,
    /// When its first byte came, and how many there were then.
    began: Option<(Duration, u64)>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Complete,
    Present,
    Unpacked,
}

/// What is known of all pieces.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pieces: Vec<Piece>,
    stage: Option<String>,
}

impl Progress {
    /// Takes an event that happened so long after the beginning. What is worth a line of a log is given back.
    pub fn take(&mut self, event: &ImageEvent, now: Duration) -> Option<String> {
        match event {
            ImageEvent::Resolved { reference, host, digest } => {
                Some(format!("{reference}: found at {host} as {}", short(digest)))
            }
            ImageEvent::Queued { item, total } => {
                self.piece(item).total = *total;
                None
            }
            ImageEvent::Present { item } => {
                self.piece(item).state = State::Present;
                Some(format!("{}: already here", short(item)))
            }
            ImageEvent::Transferred { item, done, total } => {
                let piece = self.piece(item);
                piece.done = *done;
                piece.total = total.or(piece.total);
                piece.state = State::Running;
                piece.began.get_or_insert((now, *done));
                None
            }
            ImageEvent::Completed { item } => {
                let piece = self.piece(item);
                piece.state = State::Complete;
                let size = piece.total.map_or_else(String::new, |total| format!(" ({})", bytes(total)));
                Some(format!("{}: complete{size}", short(item)))
            }
            ImageEvent::Unpacked { item } => {
                self.piece(item).state = State::Unpacked;
                None
            }
            ImageEvent::Retried { attempt, cause } => Some(format!("trying again: {attempt}: {cause}")),
            ImageEvent::Stage { name } => {
                self.stage = Some(name.clone());
                Some(name.clone())
            }
            _ => None,
        }
        .map(|line| visible(&line).into_owned())
    }

    /// The lines to draw, none wider than the style's window.
    pub fn lines(&self, now: Duration, style: Style) -> Vec<String> {
        let mut lines: Vec<String> = self.stage.iter().map(|stage| visible(stage).into_owned()).collect();
        let finished = |piece: &Piece| matches!(piece.state, State::Present | State::Unpacked);
        // What is done makes room for what is not.
        let hidden = self.pieces.len().saturating_sub(MOST_LINES);
        let mut skip = hidden.min(self.pieces.iter().filter(|piece| finished(piece)).count());
        if skip > 0 {
            lines.push(style.paint(Role::Faint, &format!("{skip} layers done")));
        }
        for piece in &self.pieces {
            if skip > 0 && finished(piece) {
                skip -= 1;
                continue;
            }
            if lines.len() > MOST_LINES {
                break;
            }
            lines.push(piece.line(now, style));
        }
        for line in &mut lines {
            if line.chars().count() > style.width && !style.color {
                *line = line.chars().take(style.width).collect();
            }
        }
        lines
    }

    /// Whether something is known that is not done.
    pub fn is_busy(&self) -> bool {
        self.pieces.iter().any(|piece| !matches!(piece.state, State::Present | State::Unpacked))
    }

    fn piece(&mut self, item: &str) -> &mut Piece {
        let at = self.pieces.iter().position(|piece| piece.item == item).unwrap_or_else(|| {
            self.pieces.push(Piece {
                item: item.to_owned(),
                done: 0,
                total: None,
                began: None,
                state: State::Waiting,
            });
            self.pieces.len() - 1
        });
        &mut self.pieces[at]
    }
}

impl Piece {
    fn line(&self, now: Duration, style: Style) -> String {
        let name = style.paint(Role::Strong, &short(&self.item));
        match self.state {
            State::Waiting => format!("{name}  waiting"),
            State::Present => format!("{name}  already here"),
            State::Unpacked => format!("{name}  done"),
            State::Complete => format!("{name}  complete"),
            State::Running => format!("{name}  {}", self.transfer(now)),
        }
    }

    /// Bar, bytes, rate and what is left.
    fn transfer(&self, now: Duration) -> String {
        let rate = self.began.map(|(began, before)| {
            let milliseconds =
                u64::try_from(now.saturating_sub(began).as_millis()).unwrap_or(u64::MAX).max(1);
            self.done.saturating_sub(before).saturating_mul(1000) / milliseconds
        });
        let speed =
            rate.filter(|rate| *rate > 0).map_or_else(String::new, |rate| format!("  {}/s", bytes(rate)));
        let Some(total) = self.total.filter(|total| *total > 0) else {
            return format!("{}{speed}", bytes(self.done));
        };
        let share = u128::from(self.done.min(total)) * BAR as u128 / u128::from(total);
        let full = usize::try_from(share).unwrap_or(BAR);
        let left = match rate {
            Some(rate) if rate > 0 => format!("  {} left", seconds(total.saturating_sub(self.done) / rate)),
            _ => String::new(),
        };
        let bar = format!("{}{}", "=".repeat(full), " ".repeat(BAR - full));
        format!("[{bar}] {} of {}{speed}{left}", bytes(self.done), bytes(total))
    }
}

/// Twelve digits of a digest; other names as they are.
fn short(item: &str) -> String {
    let name = match item.split_once(':') {
        Some(("sha256" | "sha384" | "sha512", digits)) => digits.get(..12).unwrap_or(digits),
        _ => item,
    };
    visible(name).into_owned()
}

/// A number of bytes with one digit after the point.
pub(crate) fn bytes(count: u64) -> String {
    let mut scale = 1_u64;
    for unit in ["B", "kB", "MB", "GB"] {
        if count < scale.saturating_mul(1000) {
            let tenths = u128::from(count) * 10 / u128::from(scale);
            return if scale == 1 {
                format!("{count}B")
            } else {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            };
        }
        scale = scale.saturating_mul(1000);
    }
    format!("{}TB", count / scale)
}

fn seconds(count: u64) -> String {
    match count {
        0..60 => format!("{count}s"),
        60..3600 => format!("{}m{:02}s", count / 60, count % 60),
        _ => format!("{}h{:02}m", count / 3600, count % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transferred(done: u64) -> ImageEvent {
        ImageEvent::Transferred { item: format!("sha256:{}", "a".repeat(64)), done, total: Some(10_000_000) }
    }

    #[test]
    fn a_transfer_has_bytes_rate_and_time() {
        let mut progress = Progress::default();
        progress.take(&transferred(0), Duration::ZERO);
        progress.take(&transferred(2_500_000), Duration::from_secs(1));
        let lines = progress.lines(Duration::from_secs(1), Style::PLAIN);
        assert_eq!(lines, ["aaaaaaaaaaaa  [======                  ] 2.5MB of 10.0MB  2.5MB/s  3s left"]);
        let log = progress
            .take(&ImageEvent::Completed { item: format!("sha256:{}", "a".repeat(64)) }, Duration::ZERO);
        assert_eq!(log.as_deref(), Some("aaaaaaaaaaaa: complete (10.0MB)"));
    }

    #[test]
    fn what_is_done_makes_room() {
        let mut progress = Progress::default();
        for number in 0..30 {
            progress.take(&ImageEvent::Present { item: format!("piece {number}") }, Duration::ZERO);
        }
        progress.take(&transferred(1), Duration::ZERO);
        let lines = progress.lines(Duration::ZERO, Style::PLAIN);
        assert!(
            lines.len() <= MOST_LINES + 1 && lines.iter().any(|line| line.starts_with("aaaa")),
            "{lines:?}"
        );
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        let mut progress = Progress::default();
        let line = progress.take(&ImageEvent::Stage { name: "\u{1b}[2Jx".to_owned() }, Duration::ZERO);
        assert!(!line.unwrap().contains('\u{1b}'));
    }
}
