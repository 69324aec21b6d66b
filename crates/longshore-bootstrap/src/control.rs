//! Paragraphs of fields, as control files, indexes and releases are written (Debian Policy 5.1).

/// One paragraph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paragraph<'a>(&'a str);

impl<'a> Paragraph<'a> {
    /// The first paragraph of a text.
    pub(crate) fn first(text: &'a str) -> Option<Self> {
        paragraphs(text).next()
    }

    /// The fields in their order: the name, and the value with its continuation lines.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let mut end = rest.find('\n').unwrap_or(rest.len());
                while rest.get(end + 1..).is_some_and(|next| next.starts_with([' ', '\t'])) {
                    end = rest.get(end + 1..)?.find('\n').map_or(rest.len(), |at| end + 1 + at);
                }
                let field = rest.get(..end)?;
                rest = rest.get(end + 1..).unwrap_or_default();
                if let Some((name, value)) = field.split_once(':').filter(|_| !field.starts_with('#')) {
                    return Some((name.trim_end(), value.trim()));
                }
            }
            None
        })
    }

    /// The value of a field, whose name is not sensitive to case.
    pub(crate) fn field(&self, name: &str) -> Option<&'a str> {
        self.fields().find_map(|(own, value)| own.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// The paragraphs of a text; empty lines separate them.
pub(crate) fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    text.split("\n\n").map(|text| text.trim_matches('\n')).filter(|text| !text.is_empty()).map(Paragraph)
}

#[cfg(test)]
mod tests {
    use super::{Paragraph, paragraphs};

    #[test]
    fn fields_keep_their_continuation_lines() {
        let text = "Package: a\nDescription: short\n long\n .\n more\nEmpty:\n\n\nPackage: b\n";
        let all: Vec<_> = paragraphs(text).collect();
        assert_eq!(all.len(), 2);
        let fields: Vec<_> = all[0].fields().collect();
        assert_eq!(fields, [("Package", "a"), ("Description", "short\n long\n .\n more"), ("Empty", "")]);
        assert_eq!(all[1].field("package"), Some("b"));
        assert!(Paragraph::first("").is_none());
    }
}
