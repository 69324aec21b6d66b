//! The tokens of a template.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Something that is no token; its text says what is wrong.
    Error,
    /// The end of the template.
    Eof,
    /// Text between actions.
    Text,
    /// `{{`.
    LeftDelim,
    /// `}}`.
    RightDelim,
    /// Blanks inside of an action.
    Space,
    /// `(`.
    LeftParen,
    /// `)`.
    RightParen,
    /// `|`.
    Pipe,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    /// Another printable character, such as a comma.
    Char,
    /// `true` or `false`.
    Bool,
    /// A character in single quotes.
    CharConstant,
    /// A number.
    Number,
    /// A text in double quotes.
    Quoted,
    /// A text in backquotes.
    RawQuoted,
    /// `.name`.
    Field,
    /// `$` or `$name`.
    Variable,
    /// A name of a function.
    Identifier,
    /// `.`.
    Dot,
    /// `nil`.
    Nil,
    /// Another keyword.
    Keyword,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it starts, in bytes.
    pub(super) position: usize,
    /// As it is written, or the message of an error.
    pub(super) text: String,
}

impl Token {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Keyword && self.text == keyword
    }

    /// As messages name it.
    pub(super) fn describe(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => self.text.clone(),
            Kind::Keyword | Kind::Dot | Kind::Nil => format!("<{}>", self.text),
            _ if self.text.chars().count() > 10 => {
                let start: String = self.text.chars().take(10).collect();
                format!("{}...", crate::quote::quote(&start))
            }
            _ => crate::quote::quote(&self.text),
        }
    }
}
