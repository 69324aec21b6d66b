//! A terminal for tests: what stands on it after what was written to it, with what scrolled away.

/// Lines and a cursor; the last `rows` lines are in the window.
pub(in crate::run) struct Screen {
    columns: usize,
    rows: usize,
    lines: Vec<Vec<char>>,
    line: usize,
    column: usize,
}

impl Screen {
    pub(in crate::run) fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, lines: vec![Vec::new()], line: 0, column: 0 }
    }

    pub(in crate::run) fn write(&mut self, text: &str) {
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\n' => self.down(),
                '\r' => self.column = 0,
                '\u{1b}' => {
                    assert_eq!(letters.next(), Some('['), "an escape sequence that is not expected");
                    let mut parameters = String::new();
                    let last = letters.find(|letter| {
                        parameters.push(*letter);
                        letter.is_ascii_alphabetic()
                    });
                    parameters.pop();
                    self.control(last.unwrap(), &parameters);
                }
                letter => {
                    assert!(!letter.is_control(), "{letter:?} reached the terminal");
                    self.put(letter);
                }
            }
        }
    }

    /// Everything, without blanks at ends.
    pub(in crate::run) fn text(&self) -> String {
        let lines = self.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    fn top(&self) -> usize {
        self.lines.len().saturating_sub(self.rows)
    }

    fn down(&mut self) {
        self.column = 0;
        self.line += 1;
        if self.line == self.lines.len() {
            self.lines.push(Vec::new());
        }
    }

    fn put(&mut self, letter: char) {
        if self.column == self.columns {
            self.down();
        }
        let line = &mut self.lines[self.line];
        line.resize(line.len().max(self.column + 1), ' ');
        line[self.column] = letter;
        self.column += 1;
    }

    fn control(&mut self, last: char, parameters: &str) {
        match (last, parameters) {
            ('A', count) => {
                let up: usize = count.parse().unwrap();
                assert!(up < self.rows, "the cursor leaves the window");
                self.line = self.line.saturating_sub(up).max(self.top());
            }
            ('K', "") => self.lines[self.line].truncate(self.column),
            ('J', "") => {
                let corner = self.column == 0 && self.line == self.top();
                assert!(!corner || self.lines[self.line].is_empty(), "tmux would keep what is erased");
                self.lines[self.line].truncate(self.column);
                for line in &mut self.lines[self.line + 1..] {
                    line.clear();
                }
            }
            ('m', _) | ('h' | 'l', "?2026") => {}
            other => panic!("an escape sequence that is not expected: {other:?}"),
        }
    }
}
