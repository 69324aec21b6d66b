//! One stream of a step's output.
//!
//! Sans-IO.

use std::borrow::Cow;
use std::sync::Arc;

use longshore_event::Masker;

use super::effect::{Effect, Effects};
use super::matcher::{Finding, MATCHED_LINE_LIMIT, RunningMatchers, finding};
use super::split::{CUT_MARGIN, LINE_LIMIT, LineSplitter, Piece, PieceSink};
use super::step_output::{StepOutput, Verdict};
use super::workflow_command::may_be_command;

/// The longest partial line that may be a prompt, in bytes.
const PROMPT_LIMIT: usize = 4096;

/// Reads one of a step's streams. What both share is in their [`StepOutput`].
#[derive(Debug)]
pub struct OutputReader {
    output: Arc<StepOutput>,
    lines: LineSplitter,
    running: RunningMatchers,
    /// Whether the rest of the line belongs to a command that was refused.
    refused: bool,
}

impl OutputReader {
    /// The reader of a stream of which nothing has come yet.
    pub fn new(output: Arc<StepOutput>) -> Self {
        Self { output, lines: LineSplitter::default(), running: RunningMatchers::default(), refused: false }
    }

    /// Takes the next bytes, however many.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Effect> {
        self.drive(|lines, sink| lines.feed(bytes, sink))
    }

    /// The stream has ended, perhaps within a line.
    pub fn flush(&mut self) -> Vec<Effect> {
        self.drive(|lines, sink| lines.flush(sink))
    }

    /// The line that has begun, masked, to be shown if nothing follows for a while: it may be a prompt.
    ///
    /// It is no effect: the line comes as one when it is complete. A beginning that may become a command is not shown,
    /// nor is a long one.
    pub fn partial(&self) -> Option<String> {
        let bytes = self.lines.partial().filter(|bytes| bytes.len() <= PROMPT_LIMIT)?;
        let text = String::from_utf8_lossy(bytes);
        let command = text.trim_start().starts_with(':') || may_be_command(&text);
        (!command).then(|| self.output.masker.mask(&text).into_owned())
    }

    fn drive(&mut self, step: impl FnOnce(&mut LineSplitter, &mut Sink<'_>)) -> Vec<Effect> {
        let mut sink = Sink {
            output: &self.output,
            running: &mut self.running,
            refused: &mut self.refused,
            concealed: false,
            effects: Effects::new(&self.output.masker),
        };
        step(&mut self.lines, &mut sink);
        sink.effects.into_list()
    }
}

/// Makes effects of pieces of lines.
struct Sink<'r> {
    output: &'r StepOutput,
    running: &'r mut RunningMatchers,
    refused: &'r mut bool,
    /// Whether the next piece is so full of secrets that it could not be cut beside them.
    concealed: bool,
    effects: Effects<'r>,
}

impl PieceSink for Sink<'_> {
    fn piece(&mut self, piece: Piece<'_>) {
        if piece.first {
            *self.refused = false;
        }
        let concealed = std::mem::take(&mut self.concealed);
        if *self.refused {
            return;
        }
        let text = String::from_utf8_lossy(piece.bytes);
        if piece.first && may_be_command(&text) {
            match self.output.command(&text, piece.last, &mut self.effects) {
                Verdict::Command => return,
                Verdict::Refused => {
                    *self.refused = true;
                    return;
                }
                Verdict::Text => {}
            }
        }
        if concealed {
            self.effects.line(Cow::Borrowed("***"));
        } else if !(piece.first && piece.last && self.find_problem(&text)) {
            self.effects.line(text);
        }
    }

    fn cut(&mut self, bytes: &[u8]) -> usize {
        let masker = &self.output.masker;
        let mut back = 0;
        while back <= CUT_MARGIN {
            let at = character_boundary(bytes, LINE_LIMIT - back);
            if !cuts_secret(masker, bytes, at) {
                return at;
            }
            // Every place for short secrets that fill the line, and ever larger steps for long ones.
            back += if back < 64 { 1 } else { back / 2 };
        }
        self.concealed = true;
        character_boundary(bytes, LINE_LIMIT)
    }
}

impl Sink<'_> {
    /// Shows a line to the problem matchers, and says whether one took it.
    fn find_problem(&mut self, line: &str) -> bool {
        if line.len() > MATCHED_LINE_LIMIT || !self.running.update(&self.output.matchers) {
            return false;
        }
        let plain = without_control_sequences(line);
        let (output, effects) = (self.output, &mut self.effects);
        let problem = self.running.find(&plain, |found| {
            let in_repository = |path: &str| output.files.in_repository(path);
            let Finding { annotation, remarks } = finding(found, &output.options.workspace, in_repository);
            remarks.iter().for_each(|remark| output.debug(remark, effects));
            annotation
        });
        problem.map(|annotation| self.output.matched(annotation, &plain, &mut self.effects)).is_some()
    }
}

/// The last boundary of a character at this place or shortly before it.
fn character_boundary(bytes: &[u8], at: usize) -> usize {
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (at.saturating_sub(3)..=at).rev().find(|at| !continues(at)).unwrap_or(at)
}

/// Whether a secret stands on both sides of a place: then the sides, masked apart, are not what both are together.
fn cuts_secret(masker: &Masker, bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(at.saturating_sub(CUT_MARGIN)..at).unwrap_or_default();
    let after = bytes.get(at..bytes.len().min(at + CUT_MARGIN)).unwrap_or_default();
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let whole = format!("{before}{after}");
    let Cow::Owned(whole) = masker.mask(&whole) else { return false };
    let (before, after) = (masker.mask(&before), masker.mask(&after));
    let apart = whole.strip_prefix(before.as_ref()).is_some_and(|rest| rest == after);
    // Secrets that touch each other become one mask.
    let touching = after.strip_prefix("***").is_some_and(|after| {
        before.ends_with("***") && whole.strip_prefix(before.as_ref()).is_some_and(|rest| rest == after)
    });
    !apart && !touching
}

/// The line without ANSI's control sequences, by which programs colour words that matchers look for.
fn without_control_sequences(line: &str) -> Cow<'_, str> {
    const START: &str = "\u{1b}[";
    if !line.contains(START) {
        return Cow::Borrowed(line);
    }
    let mut parts = line.split(START);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let body = part.trim_start_matches(|character: char| matches!(character, '\x20'..='\x3f'));
        plain.push_str(body.strip_prefix(|last: char| matches!(last, '\x40'..='\x7e')).unwrap_or(body));
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::{LINE_LIMIT, Masker, character_boundary, cuts_secret, without_control_sequences};

    #[test]
    fn control_sequences_are_dropped() {
        for (line, expected) in [
            ("plain", "plain"),
            ("\u{1b}[31merror\u{1b}[0m: x", "error: x"),
            ("\u{1b}[01;31m\u{1b}[Kerror\u{1b}[m\u{1b}[K x", "error x"),
            ("\u{1b}[38;2;1;2;3mä\u{1b}[", "ä"),
            ("\u{1b}[1ä", "ä"),
        ] {
            assert_eq!(without_control_sequences(line), expected, "{line:?}");
        }
    }

    #[test]
    fn cuts_beside_secrets_are_told_from_cuts_through_them() {
        let masker = Masker::default();
        masker.add(["hunter2-secret"]);
        let text = "a hunter2-secrethunter2-secret b";
        for (at, cut) in [(0, false), (2, false), (3, true), (15, true), (16, false), (17, true), (30, false)]
        {
            assert_eq!(cuts_secret(&masker, text.as_bytes(), at), cut, "{at}");
        }
    }

    #[test]
    fn characters_are_whole() {
        let text = "aä€😀".as_bytes();
        let boundaries: Vec<usize> = (0..text.len()).map(|at| character_boundary(text, at)).collect();
        assert_eq!(boundaries, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6]);
        assert_eq!(character_boundary(&[0x80; 9], 8), 8);
        assert_eq!(character_boundary(&[b'x'; 4], LINE_LIMIT), LINE_LIMIT);
    }
}
