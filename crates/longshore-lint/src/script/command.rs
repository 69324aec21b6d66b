//! The parts of a script.

use std::borrow::Cow;
use std::ops::Range;

/// A list of commands.
#[derive(Debug, Default)]
pub struct Script<'t> {
    /// The text that all ranges count in.
    pub text: &'t str,
    /// The commands in order.
    pub commands: Vec<Command<'t>>,
    /// Compound commands, outer before inner.
    pub blocks: Vec<Block>,
    /// Scripts within: substitutions and the texts of `sh -c`, each with the index of the command it stands in.
    pub nested: Vec<(usize, Script<'t>)>,
    /// The bodies of here-documents, each with the index of the command they feed.
    pub here_documents: Vec<(usize, Range<usize>)>,
}

/// One simple command.
#[derive(Debug, Default)]
pub struct Command<'t> {
    /// Assignments in front, the program and its arguments.
    pub words: Vec<Word<'t>>,
    /// Redirections in order.
    pub redirects: Vec<Redirect<'t>>,
    /// From its first word to the end of its last.
    pub range: Range<usize>,
    /// What stands between this command and the next.
    pub next: Separator,
    /// Whether `!` stands in front.
    pub negated: bool,
    /// The innermost compound command it stands in, by index, and in which part.
    pub place: Option<(usize, Part)>,
}

/// A word.
#[derive(Debug, Clone)]
pub struct Word<'t> {
    /// Its text without quotes; expansions as written.
    pub text: Cow<'t, str>,
    /// Where it stands, quotes included.
    pub range: Range<usize>,
    /// Whether any part of it is quoted.
    pub quoted: bool,
}

/// A redirection.
#[derive(Debug, Clone)]
pub struct Redirect<'t> {
    /// `>`, `>>`, `<`, `>&`, `&>`, `<<`, `<<<`.
    pub operator: &'t str,
    /// The file or descriptor.
    pub target: Word<'t>,
}

/// What stands behind a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Separator {
    /// A new line, `;`, a closing keyword, or the end.
    #[default]
    End,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|` or `|&`
    Pipe,
    /// `&`
    Background,
}

/// A compound command.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// Its kind.
    pub kind: BlockKind,
    /// The block it stands in, and in which part.
    pub place: Option<(usize, Part)>,
}

/// The kinds of compound command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// `if … fi`
    If,
    /// `while`, `until`, `for` or `select` … `done`
    Loop,
    /// `case … esac`
    Case,
    /// `{ … }`
    Group,
    /// `( … )`
    Subshell,
    /// The body of a function.
    Function,
}

/// The parts of a compound command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Between `if`, `elif`, `while` or `until` and `then` or `do`.
    Condition,
    /// After `then`.
    Then,
    /// After `else`.
    Else,
    /// The body of anything else.
    Body,
}

impl<'t> Command<'t> {
    /// The index of the program among the words: the first that is no assignment.
    pub fn program_index(&self) -> usize {
        self.words.iter().take_while(|word| word.is_assignment()).count()
    }

    /// The program without its directory; empty for a mere assignment.
    pub fn program(&self) -> &str {
        let text = self.words.get(self.program_index()).map_or("", |word| word.text.as_ref());
        text.rsplit('/').next().unwrap_or(text)
    }

    /// The words after the program.
    pub fn args(&self) -> &[Word<'t>] {
        self.words.get(self.program_index() + 1..).unwrap_or(&[])
    }

    /// Whether an argument is exactly this text.
    pub fn has_arg(&self, text: &str) -> bool {
        self.args().iter().any(|word| word.text == text)
    }

    /// The assignments in front.
    pub fn assignments(&self) -> impl Iterator<Item = (&str, &str)> {
        self.words.iter().take(self.program_index()).filter_map(|word| word.text.split_once('='))
    }

    /// Whether it is nothing but this program with these arguments.
    pub fn is(&self, words: &[&str]) -> bool {
        self.redirects.is_empty()
            && self.words.len() == words.len()
            && self.words.iter().zip(words).all(|(word, text)| word.text == *text)
    }
}

impl Word<'_> {
    /// Whether it has the form `NAME=…`.
    pub fn is_assignment(&self) -> bool {
        self.text.split_once('=').is_some_and(|(name, _)| is_name(name.strip_suffix('+').unwrap_or(name)))
    }
}

/// Whether `text` is the name of a variable.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl<'t> Script<'t> {
    /// Whether a place lies in a block of this kind, at any depth.
    pub fn is_within(&self, place: Option<(usize, Part)>, kind: BlockKind) -> bool {
        self.blocks_around(place).any(|(block, _)| block.kind == kind)
    }

    /// The blocks around a place, inner before outer, each with the part that holds the place.
    pub fn blocks_around(&self, place: Option<(usize, Part)>) -> impl Iterator<Item = (&Block, Part)> {
        let mut at = place;
        std::iter::from_fn(move || {
            let (index, part) = at?;
            let block = self.blocks.get(index)?;
            at = block.place;
            Some((block, part))
        })
    }

    /// Whether the result of the command at `index` decides something: it is in a condition, negated, or followed by
    /// `&&` or `||`.
    pub fn is_asked(&self, index: usize) -> bool {
        self.commands.get(index).is_some_and(|command| {
            command.negated
                || matches!(command.next, Separator::And | Separator::Or)
                || self.blocks_around(command.place).any(|(_, part)| part == Part::Condition)
        })
    }

    /// Shows this script and every script in it to `visit`.
    pub fn visit<'s>(&'s self, visit: &mut dyn FnMut(&'s Script<'t>)) {
        visit(self);
        self.nested.iter().for_each(|(_, script)| script.visit(visit));
    }

    /// Shows every command to `visit`, with the script it is in and its index there.
    pub fn each<'s>(&'s self, visit: &mut dyn FnMut(&'s Script<'t>, usize, &'s Command<'t>)) {
        self.visit(&mut |script| {
            script.commands.iter().enumerate().for_each(|(index, command)| visit(script, index, command));
        });
    }
}
