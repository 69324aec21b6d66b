//! Every code has a page, and every page has a code.

use std::collections::{BTreeMap, BTreeSet};

/// Pages in this area explain error texts of other programs.
const TEXTS: &str = "error/";

/// Compares the codes that sources name, each with its place, with the pages there are.
pub(super) fn check(codes: &[(String, String)], pages: &[String]) -> Vec<String> {
    let pages: BTreeSet<&str> = pages.iter().map(String::as_str).collect();
    let mut places: BTreeMap<&str, &str> = BTreeMap::new();
    for (code, place) in codes {
        places.entry(code).or_insert(place);
    }
    let without_page = places.iter().filter(|(code, _)| !pages.contains(*code));
    let without_code = pages.iter().filter(|page| !page.starts_with(TEXTS) && !places.contains_key(*page));
    without_page
        .map(|(code, place)| format!("{place}: the code `{code}` has no page docs/codes/{code}.md"))
        .chain(without_code.map(|page| format!("docs/codes/{page}.md: no source names the code `{page}`")))
        .collect()
}
