//! The pages that `longshore explain` prints: one for each code, and one for each common error text.
//!
//! They are the files `docs/codes/AREA/NAME.md`, embedded by `build.rs`. A page begins with a head between two lines
//! `---`: `title`, `summary`, for codes `severity`, and for error texts a list `phrases` of what identifies them.

use longshore_syntax::{Severity, suggest};

/// Sorted by code.
static PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// A page with its head read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// `AREA/NAME`.
    pub(crate) code: &'static str,
    /// A few words.
    pub(crate) title: &'static str,
    /// One or two sentences.
    pub(crate) summary: &'static str,
    /// The severity of the code's findings unless settings say otherwise; `None` on pages of error texts.
    pub(crate) severity: Option<Severity>,
    /// Lower-case texts, one of which occurs in what the page explains.
    pub(crate) phrases: Vec<&'static str>,
    /// The page itself, Markdown without the head.
    pub(crate) body: &'static str,
}

/// Every code that has a page, sorted.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// The page of a code.
pub(crate) fn find(code: &str) -> Option<Page> {
    let at = PAGES.binary_search_by_key(&code, |(code, _)| code).ok()?;
    PAGES.get(at).map(|(code, text)| read(code, text))
}

/// Pages whose phrases occur in an error text, the longest phrase first.
pub(crate) fn matching(text: &str) -> Vec<Page> {
    let text = text.to_lowercase();
    let mut found: Vec<(usize, Page)> = PAGES
        .iter()
        .map(|(code, page)| read(code, page))
        .filter_map(|page| {
            let occurring = page.phrases.iter().filter(|phrase| text.contains(**phrase));
            occurring.map(|phrase| phrase.len()).max().map(|length| (length, page))
        })
        .collect();
    found.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    found.into_iter().map(|(_, page)| page).collect()
}

/// The code nearest to one that has no page, by its whole text or by its name alone.
pub(crate) fn nearest(code: &str) -> Option<&'static str> {
    let name = |code: &'static str| code.split_once('/').map_or(code, |(_, name)| name);
    suggest::nearest(code, codes()).or_else(|| {
        let wanted = code.split_once('/').map_or(code, |(_, name)| name);
        let near = suggest::nearest(wanted, codes().map(name))?;
        codes().find(|code| name(code) == near)
    })
}

fn read(code: &'static str, text: &'static str) -> Page {
    let mut page = Page { code, title: code, summary: "", severity: None, phrases: Vec::new(), body: text };
    let Some((head, body)) = text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n")) else {
        return page;
    };
    page.body = body.trim_start_matches('\n');
    for line in head.lines() {
        if let Some(phrase) = line.trim_start().strip_prefix("- ") {
            page.phrases.push(phrase.trim());
        }
        match line.split_once(':').map(|(key, value)| (key, value.trim())) {
            Some(("title", value)) => page.title = value,
            Some(("summary", value)) => page.summary = value,
            Some(("severity", "error")) => page.severity = Some(Severity::Error),
            Some(("severity", "warning")) => page.severity = Some(Severity::Warning),
            Some(("severity", "note")) => page.severity = Some(Severity::Note),
            _ => {}
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{PAGES, Page, find, matching, nearest, read};

    fn all() -> Vec<Page> {
        PAGES.iter().map(|(code, text)| read(code, text)).collect()
    }

    #[test]
    fn every_page_has_a_whole_head_and_names_its_code() {
        for page in all() {
            let code = page.code;
            assert!(page.title != code && !page.summary.is_empty(), "{code}: title and summary are needed");
            assert!(page.summary.ends_with('.'), "{code}: the summary is a sentence");
            let is_text = code.starts_with("error/");
            assert_eq!(page.severity.is_none(), is_text, "{code}: a code has a severity, an error text none");
            assert_eq!(page.phrases.is_empty(), !is_text, "{code}: an error text has phrases, a code none");
            assert!(page.body.starts_with(&format!("# {code}\n")), "{code}: the heading is the code");
        }
    }

    #[test]
    fn every_code_of_files_has_a_page() {
        use longshore_workflow::template::code;
        let known = code::ALL.iter().chain(longshore_syntax::yaml::code::ALL).chain(longshore_expr::CODES);
        let missing: Vec<_> = known.filter(|code| find(code.0).is_none()).collect();
        assert!(missing.is_empty(), "no page explains {missing:?}");
    }

    #[test]
    fn phrases_are_lower_case_and_lead_to_their_page() {
        for page in all() {
            for phrase in &page.phrases {
                assert_eq!(*phrase, phrase.to_lowercase());
                assert_eq!(matching(&format!("bash: line 1: {}", phrase.to_uppercase()))[0].code, page.code);
            }
        }
    }

    #[test]
    fn slips_lead_to_a_code() {
        assert_eq!(nearest("config/unknwon-key"), Some("config/unknown-key"));
        assert_eq!(nearest("bad-value"), Some("config/bad-value"));
        assert_eq!(nearest("zzzzzzzz"), None);
    }
}
