//! Errors as people read them: what failed, why, what next.

use std::error::Error;
use std::fmt::Write as _;

use crate::style::visible;
use crate::{Role, Style};

/// A chain of errors in three kinds of lines: `error:` with what was attempted, one `  cause:` for each source below
/// it, and `help:` with what to do next.
///
/// Each error says only its own part (it does not repeat its source), so the chain is printed here and nowhere else.
/// The text ends with a line feed.
pub fn render_error(error: &dyn Error, help: Option<&str>, style: Style) -> String {
    let mut text = format!("{}: {}\n", style.paint(Role::Error, "error"), indented(&error.to_string()));
    let mut source = error.source();
    // A chain is as long as the code that built it; the bound is against one that refers to itself.
    for _ in 0..32 {
        let Some(cause) = source else { break };
        let _ = writeln!(text, "  {}: {}", style.paint(Role::Strong, "cause"), indented(&cause.to_string()));
        source = cause.source();
    }
    if let Some(help) = help {
        let _ = writeln!(text, "{}: {}", style.paint(Role::Help, "help"), indented(help));
    }
    text
}

/// Further lines of a message stand under its first word.
fn indented(message: &str) -> String {
    visible(message.trim_end()).replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fmt;

    use super::render_error;
    use crate::Style;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &dyn Error)
        }
    }

    #[test]
    fn prints_the_chain_once_and_what_to_do() {
        let error = Layer(
            "failed to start service `web`",
            Some(Box::new(Layer(
                "port 8080 is already in use",
                Some(Box::new(Layer("by nginx\nsince boot", None))),
            ))),
        );
        let text = render_error(&error, Some("stop that process"), Style::PLAIN);
        insta::assert_snapshot!(text, @r"
        error: failed to start service `web`
          cause: port 8080 is already in use
          cause: by nginx
            since boot
        help: stop that process
        ");
    }

    #[test]
    fn hostile_text_cannot_write_to_the_terminal() {
        let text = render_error(&Layer("no file `\u{1b}[2Jx`", None), None, Style::PLAIN);
        assert_eq!(text, "error: no file `\\u{1b}[2Jx`\n");
    }
}
