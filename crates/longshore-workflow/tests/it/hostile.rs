//! No text makes reading fail: fixtures with lines and bytes taken out, doubled and exchanged.

use longshore_syntax::SourceFile;
use longshore_workflow::{Parsed, parse_action, parse_workflow};
use proptest::prelude::*;

use crate::refusal;

/// One change of a text; positions are taken modulo what is there.
#[derive(Debug, Clone)]
enum Change {
    DropLine(usize),
    DoubleLine(usize),
    MoveLine(usize, usize),
    DropLetter(usize),
    Replace(usize, &'static str),
    Indent(usize),
}

/// What texts break at.
const PIECES: &[&str] = &[
    "${{",
    "}}",
    "'",
    "\"",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<",
    "\t",
    "\n",
    "\r\n",
    "é",
    "\u{feff}",
    "🦀",
    "|",
    ">",
    "#",
    "!!",
    "%",
    "\\",
    "$",
    "${{ github.ref }}",
    "${{ insert }}",
    "0",
    "true",
    "~",
    " ",
    "uses",
    "run",
    "__",
    "@",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<usize>().prop_map(Change::DropLine),
        any::<usize>().prop_map(Change::DoubleLine),
        (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Change::MoveLine(from, to)),
        any::<usize>().prop_map(Change::DropLetter),
        (any::<usize>(), prop::sample::select(PIECES)).prop_map(|(at, piece)| Change::Replace(at, piece)),
        any::<usize>().prop_map(Change::Indent),
    ]
}

fn apply(text: &str, change: &Change) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let letters: Vec<char> = text.chars().collect();
    if lines.is_empty() || letters.is_empty() {
        return text.to_owned();
    }
    let count = lines.len();
    match change {
        Change::DropLine(at) => {
            lines.remove(at % count);
        }
        Change::DoubleLine(at) => lines.insert(at % count, lines[at % count].clone()),
        Change::MoveLine(from, to) => lines.swap(from % count, to % count),
        Change::Indent(at) => lines[at % count].insert(0, ' '),
        Change::DropLetter(at) => {
            let at = at % letters.len();
            return letters[..at].iter().chain(&letters[at + 1..]).collect();
        }
        Change::Replace(at, piece) => {
            let at = at % letters.len();
            let mut changed: String = letters[..at].iter().collect();
            changed.push_str(piece);
            changed.extend(&letters[at + 1..]);
            return changed;
        }
    }
    lines.join("\n")
}

/// Every place of every finding is a part of the file that can be shown.
fn check<T>(file: &SourceFile, parsed: &Parsed<T>) -> Result<(), TestCaseError> {
    for diagnostic in parsed.diagnostics() {
        let related = diagnostic.related.iter().map(|label| label.span);
        for span in std::iter::once(diagnostic.span).chain(related) {
            prop_assert!(file.text().get(span.range()).is_some(), "{diagnostic:?} is not in {}", file.text());
        }
        prop_assert!(!diagnostic.message.is_empty());
    }
    for token in
        parsed.schema_refusals.iter().chain(&parsed.model_refusals).filter_map(|refusal| refusal.token)
    {
        prop_assert!(file.text().get(token.range()).is_some());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_workflow_makes_reading_panic(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let fixtures = SEEDS.get_or_init(seeds);
        let text = changes.iter().fold(seed.get(fixtures).clone(), |text, change| apply(&text, change));
        let file = SourceFile::new("mutated.yml", text);
        check(&file, &parse_workflow(&file))?;
        check(&file, &parse_action(&file))?;
    }
}

static SEEDS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();

/// The valid workflow most often, then everything else that is of some size.
fn seeds() -> Vec<String> {
    let mut found = Vec::new();
    for (name, file) in refusal::fixtures("parse").into_iter().chain(refusal::fixtures("action")) {
        let often = if name == "every-key" { 40 } else { 1 };
        if !name.starts_with("expr-too-") {
            found.extend(std::iter::repeat_n(file.text().to_owned(), often));
        }
    }
    found
}
