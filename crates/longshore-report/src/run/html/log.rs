//! The log of a step: groups that can be opened, marked lines, colours.
//!
//! **Invariant:** memory and the file are bounded: of a log of a million lines its beginning and its end are shown.

use std::collections::VecDeque;
use std::io::{self, Write};

use super::super::line::Line;
use super::{color, escaped};

/// Lines of the beginning.
const HEAD: u64 = 1_000;
/// Lines of the end.
const TAIL: usize = 2_000;
/// Longer lines are cut.
const LONGEST: usize = 4_000;

/// Writes lines as they come; the end is kept until it is known to be the end.
pub(super) struct Pages<'w> {
    out: &'w mut dyn Write,
    written: u64,
    tail: VecDeque<String>,
    left_out: u64,
    group: bool,
    result: io::Result<()>,
}

impl<'w> Pages<'w> {
    pub(super) fn new(out: &'w mut dyn Write) -> Self {
        let result = out.write_all(b"<div class=\"log\">");
        Self { out, written: 0, tail: VecDeque::new(), left_out: 0, group: false, result }
    }

    pub(super) fn take(&mut self, line: &str) {
        let line = match line.char_indices().nth(LONGEST) {
            Some((at, _)) => format!("{}…", &line[..at]),
            None => line.to_owned(),
        };
        if self.written < HEAD {
            self.written += 1;
            self.write(&line);
            return;
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
            self.left_out += 1;
        }
        self.tail.push_back(line);
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.left_out > 0 {
            self.close_group();
            self.put(&format!("<div class=\"left\">┄ {} lines are left out here</div>\n", self.left_out));
        }
        for line in std::mem::take(&mut self.tail) {
            self.write(&line);
        }
        self.close_group();
        self.put("</div>\n");
        self.result
    }

    fn write(&mut self, line: &str) {
        let (class, word, text) = match Line::of(line) {
            Line::Group(title) => {
                self.close_group();
                self.group = true;
                let title = escaped(&super::one_line(title));
                return self.put(&format!("<details><summary>{title}</summary>"));
            }
            Line::EndGroup => return self.close_group(),
            Line::Text(text) => return self.put(&format!("<div>{}</div>\n", color::html(text))),
            Line::Command(text) => ("command", "", text),
            Line::Error(text) => ("error", "Error: ", text),
            Line::Warning(text) => ("warning", "Warning: ", text),
            Line::Notice(text) => ("notice", "Notice: ", text),
            Line::Debug(text) => ("debug", "Debug: ", text),
        };
        self.put(&format!("<div class=\"{class}\">{word}{}</div>\n", color::html(text)));
    }

    fn close_group(&mut self) {
        if std::mem::take(&mut self.group) {
            self.put("</details>");
        }
    }

    fn put(&mut self, text: &str) {
        if self.result.is_ok() {
            self.result = self.out.write_all(text.as_bytes());
        }
    }
}
