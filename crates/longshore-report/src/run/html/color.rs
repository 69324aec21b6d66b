//! The colours of programs as classes of the style sheet.
//!
//! SGR knows 16 colours, 256 (`38;5;n`) and all (`38;2;r;g;b`); they become the nearest of the 16, which are readable on light
//! and dark alike.

use std::fmt::Write as _;

use super::super::ansi::{Part, parts};
use super::escaped;
use crate::visible;

/// What SGR has set.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of SGR, and they are independent")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Look {
    front: Option<u8>,
    back: Option<u8>,
    bold: bool,
    dim: bool,
    italic: bool,
    underlined: bool,
    inverse: bool,
}

/// A line with spans.
pub(super) fn html(line: &str) -> String {
    let mut out = String::new();
    let mut look = Look::default();
    parts(line, |part| match part {
        Part::Text(text) => look.write(&escaped(&visible(text)), &mut out),
        Part::Blanks(count) => look.write(&" ".repeat(count), &mut out),
        Part::Sgr(parameters) => look.apply(parameters),
    });
    out
}

impl Look {
    fn write(&self, text: &str, out: &mut String) {
        if *self == Self::default() {
            out.push_str(text);
            return;
        }
        let (front, back) =
            if self.inverse { (self.back, self.front.or(Some(7))) } else { (self.front, self.back) };
        let mut classes: Vec<String> = Vec::new();
        classes.extend(front.map(|color| format!("f{color}")));
        classes.extend(back.map(|color| format!("g{color}")));
        let flags = [(self.bold, "b"), (self.dim, "d"), (self.italic, "i"), (self.underlined, "u")];
        classes.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, class)| class.to_owned()));
        let _ = write!(out, "<span class=\"{}\">{text}</span>", classes.join(" "));
    }

    fn apply(&mut self, parameters: &str) {
        let mut codes = parameters.split([';', ':']).map(|code| code.parse::<u16>().unwrap_or(0));
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underlined = true,
                7 => self.inverse = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underlined = false,
                27 => self.inverse = false,
                30..=37 => self.front = Some((code - 30) as u8),
                40..=47 => self.back = Some((code - 40) as u8),
                90..=97 => self.front = Some((code - 82) as u8),
                100..=107 => self.back = Some((code - 92) as u8),
                38 => self.front = extended(&mut codes),
                48 => self.back = extended(&mut codes),
                39 => self.front = None,
                49 => self.back = None,
                _ => {}
            }
        }
    }
}

/// The colour that `38` or `48` announces.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<u8> {
    match codes.next()? {
        5 => Some(match codes.next()? {
            number @ 0..=15 => number as u8,
            number @ 16..=231 => {
                let level = |digit: u16| if digit == 0 { 0 } else { 55 + 40 * digit };
                let cube = number - 16;
                nearest(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
            number => {
                let gray = number.min(255) * 10 - 2312;
                nearest(gray, gray, gray)
            }
        }),
        2 => {
            let mut part = || codes.next().map(|part| part.min(255));
            Some(nearest(part()?, part()?, part()?))
        }
        _ => None,
    }
}

/// The colour of the 16 that has the same of red, green and blue in it.
fn nearest(red: u16, green: u16, blue: u16) -> u8 {
    let most = red.max(green).max(blue);
    let has = |part: u16| most >= 64 && part * 2 > most;
    let hue = u8::from(has(red)) + 2 * u8::from(has(green)) + 4 * u8::from(has(blue));
    match (hue, most) {
        (0, _) => 0,
        (7, 0..=127) => 8,
        (7, 128..=223) => 7,
        (hue, 0..=223) => hue,
        (hue, _) => hue + 8,
    }
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn colours_become_classes() {
        let table = [
            ("a<b>", "a&lt;b&gt;"),
            ("\u{1b}[1;31mred\u{1b}[0m.", "<span class=\"f1 b\">red</span>."),
            ("\u{1b}[38;5;196mx\u{1b}[39my", "<span class=\"f9\">x</span>y"),
            ("\u{1b}[38;2;0;200;0;4mx", "<span class=\"f2 u\">x</span>"),
            ("\u{1b}[48;5;240mx", "<span class=\"g8\">x</span>"),
            ("\u{1b}[7mx\u{1b}[27my", "<span class=\"g7\">x</span>y"),
            ("\u{1b}[38;5;999m\u{1b}[38;2;9999;65535;1m\u{1b}[38m\u{1b}[99999mx", "x"),
        ];
        for (line, shown) in table {
            assert_eq!(html(line), shown, "{line:?}");
        }
    }
}
