//! Texts of strangers, made fit for being shown.

/// How many characters of a stranger's text are shown.
const LIMIT: usize = 400;

/// A text without control characters and without marks that change the direction of writing, cut to a length that can
/// be shown.
pub(crate) fn shown(text: &str) -> String {
    let invisible = |each: char| {
        each.is_control()
            || matches!(each, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let visible = |each: char| if invisible(each) { ' ' } else { each };
    let mut text: String = text.trim().chars().take(LIMIT + 1).map(visible).collect();
    if text.chars().count() > LIMIT {
        text = text.chars().take(LIMIT - 1).chain(['…']).collect();
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, shown};

    #[test]
    fn what_a_stranger_says_moves_no_cursor_and_ends_soon() {
        assert_eq!(shown("no\x1b[31m such\nimage\u{202e} "), "no [31m such image");
        assert_eq!(shown(&"x".repeat(10_000)).chars().count(), LIMIT);
    }
}
