//! Reading a script.

use std::borrow::Cow;
use std::ops::Range;

use super::command::{Block, BlockKind, Command, Part, Redirect, Script, Separator, Word};
use super::skip;

/// Scripts within scripts are read to this depth.
pub(super) const MAX_DEPTH: usize = 6;

const SHELLS: [&str; 4] = ["sh", "bash", "dash", "zsh"];

/// One pass over a part of a text.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    end: usize,
    depth: usize,
    /// Where the last `}}` of the text begins; 0 without one.
    last_close: usize,
    script: Script<'t>,
    command: Command<'t>,
    place: Option<(usize, Part)>,
    /// Words of the command belong to `for`, `select` or `function` and are dropped.
    header: bool,
    /// A pattern of `case` is due.
    pattern: bool,
    /// Delimiters of here-documents whose bodies begin on the next line, and whether tabs in front are stripped.
    pending: Vec<(String, bool)>,
}

impl<'t> Lexer<'t> {
    /// A lexer of the whole text.
    pub(super) fn of(text: &'t str) -> Self {
        Self::new(text, 0..text.len(), 0, text.rfind("}}").unwrap_or(0))
    }

    fn new(text: &'t str, range: Range<usize>, depth: usize, last_close: usize) -> Self {
        Self {
            text,
            at: range.start,
            end: range.end,
            depth,
            last_close,
            script: Script { text, ..Script::default() },
            command: Command::default(),
            place: None,
            header: false,
            pattern: false,
            pending: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Script<'t> {
        while let Some(byte) = self.peek(0) {
            if self.pattern {
                self.skip_pattern();
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.line_break(1) > 0 => self.at += 1 + self.line_break(1),
                b'#' => self.skip_line(),
                b'\n' => self.new_line(),
                b';' => self.semicolon(),
                b'&' if matches!(self.peek(1), Some(b'>')) => self.redirect(),
                b'&' if self.peek(1) == Some(b'&') => self.operator(2, Separator::And),
                b'&' => self.operator(1, Separator::Background),
                b'|' if self.peek(1) == Some(b'|') => self.operator(2, Separator::Or),
                b'|' if self.peek(1) == Some(b'&') => self.operator(2, Separator::Pipe),
                b'|' => self.operator(1, Separator::Pipe),
                b'<' | b'>' if self.peek(1) != Some(b'(') => self.redirect(),
                b'(' => self.open_parenthesis(),
                b')' => {
                    self.finish(Separator::End);
                    self.close(&[BlockKind::Subshell]);
                    self.at += 1;
                }
                _ => self.word_or_keyword(),
            }
        }
        self.finish(Separator::End);
        self.script
    }

    fn peek(&self, offset: usize) -> Option<u8> {
        let at = self.at + offset;
        if at < self.end { self.text.as_bytes().get(at).copied() } else { None }
    }

    /// The length of the line break at an offset; 0 if there is none.
    fn line_break(&self, offset: usize) -> usize {
        match (self.peek(offset), self.peek(offset + 1)) {
            (Some(b'\n'), _) => 1,
            (Some(b'\r'), Some(b'\n')) => 2,
            _ => 0,
        }
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..self.end).unwrap_or("");
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    fn new_line(&mut self) {
        self.at += 1;
        self.finish(Separator::End);
        let owner = self.script.commands.len().saturating_sub(1);
        for (delimiter, tabs) in std::mem::take(&mut self.pending) {
            let start = self.at;
            let mut body_end = self.end;
            while self.at < self.end {
                let line_start = self.at;
                self.skip_line();
                let line = self.text.get(line_start..self.at).unwrap_or("").trim_end_matches('\r');
                self.at = (self.at + 1).min(self.end);
                if (if tabs { line.trim_start_matches('\t') } else { line }) == delimiter {
                    body_end = line_start;
                    break;
                }
            }
            self.script.here_documents.push((owner, start..body_end));
        }
    }

    fn semicolon(&mut self) {
        self.finish(Separator::End);
        self.at += 1;
        let mut double = false;
        while matches!(self.peek(0), Some(b';' | b'&')) {
            double = true;
            self.at += 1;
        }
        self.pattern = double && self.innermost() == Some(BlockKind::Case);
    }

    fn operator(&mut self, length: usize, separator: Separator) {
        self.finish(separator);
        self.at += length;
    }

    /// Ends the command at hand.
    fn finish(&mut self, next: Separator) {
        let mut command = std::mem::take(&mut self.command);
        let header = std::mem::take(&mut self.header);
        if header || command.words.is_empty() && command.redirects.is_empty() {
            return;
        }
        command.next = next;
        command.place = self.place;
        if let Some(first) = command.words.first() {
            let last = command.words.last().map_or(first.range.end, |word| word.range.end);
            command.range = first.range.start..last;
        } else if let Some(redirect) = command.redirects.first() {
            command.range = redirect.target.range.clone();
        }
        self.read_shell_text(&command);
        self.script.commands.push(command);
    }

    /// The text that `sh -c` and its like carry out is a script within.
    fn read_shell_text(&mut self, command: &Command<'t>) {
        let mut words = command.words.iter();
        if !words.any(|word| SHELLS.contains(&word.text.rsplit('/').next().unwrap_or_default())) {
            return;
        }
        let is_flag = |word: &Word<'_>| {
            word.text.strip_prefix('-').is_some_and(|flags| flags.ends_with('c') && flags.len() < 5)
        };
        if words.any(is_flag)
            && let Some(script) = words.next()
            && script.quoted
            && script.range.len() >= 2
        {
            self.nest(script.range.start + 1..script.range.end - 1);
        }
    }

    fn nest(&mut self, range: Range<usize>) {
        let whole = self.text.is_char_boundary(range.start) && self.text.is_char_boundary(range.end);
        if self.depth < MAX_DEPTH && whole && range.start < range.end {
            let index = self.script.commands.len();
            let script = Self::new(self.text, range, self.depth + 1, self.last_close).run();
            self.script.nested.push((index, script));
        }
    }

    fn innermost(&self) -> Option<BlockKind> {
        self.place.and_then(|(index, _)| self.script.blocks.get(index)).map(|block| block.kind)
    }

    fn open(&mut self, kind: BlockKind, part: Part) {
        self.script.blocks.push(Block { kind, place: self.place });
        self.place = Some((self.script.blocks.len() - 1, part));
    }

    /// Leaves the innermost block if it is of one of these kinds.
    fn close(&mut self, kinds: &[BlockKind]) {
        if self.innermost().is_some_and(|kind| kinds.contains(&kind)) {
            self.place = self.place.and_then(|(index, _)| self.script.blocks.get(index)?.place);
        }
    }

    fn part(&mut self, part: Part) {
        if let Some((_, current)) = &mut self.place {
            *current = part;
        }
    }

    fn open_parenthesis(&mut self) {
        if self.peek(1) == Some(b'(') && self.command.words.is_empty() {
            self.at = skip::balanced(self.text.as_bytes(), self.at, self.end);
        } else if self.command.words.is_empty() {
            self.open(BlockKind::Subshell, Part::Body);
            self.at += 1;
        } else if self.peek(1) == Some(b')') {
            // `name()`: its body is the group that follows.
            self.header = true;
            self.finish(Separator::End);
            self.at += 2;
            self.open_function();
        } else {
            // An array: `name=(…)`.
            self.at = skip::balanced(self.text.as_bytes(), self.at, self.end);
        }
    }

    fn open_function(&mut self) {
        let rest = self.text.get(self.at..self.end).unwrap_or("");
        let trimmed = rest.trim_start();
        if trimmed.starts_with('{') {
            self.at += rest.len() - trimmed.len() + 1;
            self.open(BlockKind::Function, Part::Body);
        }
    }

    fn skip_pattern(&mut self) {
        let rest = self.text.get(self.at..self.end).unwrap_or("");
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        if trimmed.starts_with('#') {
            return self.skip_line();
        }
        self.pattern = false;
        let is_end =
            trimmed.strip_prefix("esac").is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        if is_end {
            self.close(&[BlockKind::Case]);
            self.at += "esac".len();
            return;
        }
        let open = usize::from(trimmed.starts_with('('));
        self.at +=
            trimmed.get(open..).and_then(|rest| rest.find(')')).map_or(trimmed.len(), |at| open + at + 1);
    }

    fn redirect(&mut self) {
        const OPERATORS: [&str; 11] = ["&>>", "<<<", "<<-", "&>", ">>", "<<", ">&", "<&", "<>", ">|", ">"];
        let rest = self.text.get(self.at..self.end).unwrap_or("");
        let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)).unwrap_or("<");
        // A number right before it is a descriptor, not a word.
        let glued = self.command.words.last().is_some_and(|word| {
            word.range.end == self.at && !word.quoted && word.text.bytes().all(|byte| byte.is_ascii_digit())
        });
        if glued {
            self.command.words.pop();
        }
        self.at += operator.len();
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let target = self.word();
        if matches!(operator, "<<" | "<<-") {
            self.pending.push((target.text.to_string(), operator == "<<-"));
        }
        self.command.redirects.push(Redirect { operator, target });
    }

    fn word_or_keyword(&mut self) {
        let starts = self.command.words.is_empty() && !self.header;
        let word = self.word();
        if starts && !word.quoted && self.keyword(&word) {
            return;
        }
        let is_test = starts && word.text == "[[";
        self.command.words.push(word);
        if is_test {
            self.read_test();
        }
    }

    /// The words of `[[ … ]]`, in which operators are words.
    fn read_test(&mut self) {
        loop {
            while matches!(self.peek(0), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            let Some(byte) = self.peek(0) else { return };
            let start = self.at;
            if matches!(byte, b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b';' | b'#') {
                self.at += 1;
                let text = Cow::Borrowed(self.text.get(start..self.at).unwrap_or(""));
                self.command.words.push(Word { text, range: start..self.at, quoted: false });
                continue;
            }
            let word = self.word();
            let is_end = word.text == "]]";
            self.command.words.push(word);
            if is_end {
                return;
            }
        }
    }

    /// Whether the word is reserved here; then it is taken for what it means.
    fn keyword(&mut self, word: &Word<'t>) -> bool {
        match word.text.as_ref() {
            "!" => self.command.negated = !self.command.negated,
            "time" => {}
            "if" => self.open(BlockKind::If, Part::Condition),
            "while" | "until" => self.open(BlockKind::Loop, Part::Condition),
            "then" => self.part(Part::Then),
            "elif" => self.part(Part::Condition),
            "else" => self.part(Part::Else),
            "do" => self.part(Part::Body),
            "fi" => self.close(&[BlockKind::If]),
            "done" => self.close(&[BlockKind::Loop]),
            "{" => self.open(BlockKind::Group, Part::Body),
            "}" => self.close(&[BlockKind::Group, BlockKind::Function]),
            "esac" => self.close(&[BlockKind::Case]),
            "for" | "select" => {
                self.open(BlockKind::Loop, Part::Condition);
                self.header = true;
            }
            "function" => {
                self.skip_blanks();
                self.word();
                if self.text.get(self.at..self.end).is_some_and(|rest| rest.starts_with("()")) {
                    self.at += 2;
                }
                self.open_function();
            }
            "case" => {
                self.skip_blanks();
                self.word();
                self.skip_blanks();
                self.word();
                self.open(BlockKind::Case, Part::Body);
                self.pattern = true;
            }
            _ => return false,
        }
        true
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(0), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The word at hand; at least one byte is taken.
    fn word(&mut self) -> Word<'t> {
        let start = self.at;
        let mut quoted = false;
        let mut plain = true;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\'' => {
                    (quoted, plain) = (true, false);
                    self.at = skip::quoted(self.text.as_bytes(), self.at, self.end);
                }
                b'"' => {
                    (quoted, plain) = (true, false);
                    let close = skip::quoted(self.text.as_bytes(), self.at, self.end);
                    self.substitutions(self.at + 1, close);
                    self.at = close;
                }
                b'\\' => {
                    plain = false;
                    self.at += 1 + self.line_break(1).max(1);
                }
                b'$' | b'`' => self.expansion(),
                b'<' | b'>' if self.peek(1) == Some(b'(') && self.at == start => {
                    let close = skip::balanced(self.text.as_bytes(), self.at + 1, self.end);
                    self.nest(self.at + 2..close.saturating_sub(1));
                    self.at = close;
                }
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
                _ => self.at += 1,
            }
        }
        if self.at == start {
            self.at += 1;
        }
        self.at = self.at.min(self.end);
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        let source = self.text.get(start..self.at).unwrap_or("");
        let text = if plain { Cow::Borrowed(source) } else { Cow::Owned(unquote(source)) };
        Word { text, range: start..self.at, quoted }
    }

    /// `$…` or a backtick: what stands in brackets is a part of the word, and a script if it is carried out.
    fn expansion(&mut self) {
        let bytes = self.text.as_bytes();
        if self.peek(0) == Some(b'`') {
            let close = skip::quoted(bytes, self.at, self.end);
            self.nest(self.at + 1..close.saturating_sub(1));
            self.at = close;
        } else if let Some(close) = skip::expression(self.text, self.at, self.end, self.last_close) {
            self.at = close;
        } else if self.peek(1) == Some(b'(') {
            let close = skip::balanced(bytes, self.at + 1, self.end);
            if self.peek(2) != Some(b'(') {
                self.nest(self.at + 2..close.saturating_sub(1));
            }
            self.at = close;
        } else if self.peek(1) == Some(b'{') {
            self.at = skip::balanced(bytes, self.at + 1, self.end);
        } else {
            self.at += 1;
        }
    }

    /// The substitutions in a text in double quotes.
    fn substitutions(&mut self, from: usize, to: usize) {
        let resume = self.at;
        self.at = from;
        while self.at < to {
            match self.peek(0) {
                Some(b'\\') => self.at += 2,
                Some(b'$' | b'`') => self.expansion(),
                Some(_) => self.at += 1,
                None => break,
            }
        }
        self.at = resume;
    }
}

/// A word without its quotes and backslashes.
fn unquote(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '\\') => match chars.next() {
                Some('\n') | None => {}
                Some(next) => text.push(next),
            },
            (Some('"'), '\\') => match chars.peek() {
                Some('"' | '\\' | '$' | '`') => text.extend(chars.next()),
                Some('\n') => {
                    chars.next();
                }
                _ => text.push('\\'),
            },
            _ => text.push(c),
        }
    }
    text
}
