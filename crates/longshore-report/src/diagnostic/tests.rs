//! One set of findings, seen through every format.

use longshore_syntax::{Code, Diagnostic, Edit, Severity, SourceFile, Span};

use super::sarif::{Rule, Tool};
use super::{Counts, FileFindings, annotation, json, sarif, summary, text};
use crate::Style;

const WORKFLOW: &str = "on: push\njobs:\n  \u{1F6A2}a:\n    run-on: ubuntu-latest\n    steps: []\n";

/// The span of the first occurrence of `word`.
fn span(text: &str, word: &str) -> Span {
    let start = text.find(word).unwrap();
    Span::new(start, start + word.len())
}

fn findings() -> Vec<FileFindings> {
    let unknown =
        Diagnostic::error(Code("workflow/unknown-key"), span(WORKFLOW, "run-on"), "unknown key `run-on`")
            .label("did you mean `runs-on`?")
            .related(span(WORKFLOW, "\u{1F6A2}a"), "in this job")
            .help("remove it, or spell it as GitHub does")
            .fix(
                "rename to `runs-on`",
                vec![Edit { span: span(WORKFLOW, "run-on"), text: "runs-on".to_owned() }],
            );
    let after_ship =
        Diagnostic::warning(Code("lint/name"), span(WORKFLOW, "a:\n"), "100% odd: name,\nreally");
    vec![
        FileFindings {
            file: SourceFile::new(".github/workflows/a b,c.yml", WORKFLOW),
            diagnostics: vec![unknown, after_ship],
        },
        FileFindings {
            file: SourceFile::new("empty.yml", ""),
            diagnostics: vec![Diagnostic::note(Code("workflow/empty"), Span::at(0), "the file is empty")],
        },
    ]
}

#[test]
fn text_shows_the_line_and_what_to_do() {
    insta::assert_snapshot!(text::render(&findings(), Style::PLAIN));
}

#[test]
fn colour_changes_no_word() {
    let coloured = text::render(&findings(), Style { color: true, width: 140 });
    assert!(coloured.contains('\u{1b}'));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, text::render(&findings(), Style::PLAIN));
}

#[test]
fn far_places_and_long_lines_are_shown_in_part() {
    let long = format!(
        "first: here\n{}second: {}there{}\n",
        "x: y\n".repeat(400),
        "é".repeat(9_000),
        "-".repeat(9_000)
    );
    let file = SourceFile::new("long.yml", &long);
    let finding = Diagnostic::error(Code("a/b"), span(&long, "there"), "too long")
        .related(span(&long, "here"), "first");
    let shown = text::render_one(&file, &finding, Style::PLAIN);
    assert!(shown.len() < 2_000, "{} bytes", shown.len());
    assert!(shown.contains("long.yml:402:9009") && shown.contains("long.yml:1:8"), "{shown}");
    assert!(shown.contains("there") && shown.contains("first: here"), "{shown}");
}

#[test]
fn places_that_do_not_exist_are_shown_at_the_nearest_one() {
    let file = SourceFile::new("é.yml", "é: 1");
    for (start, end) in [(1, 1), (1, 9), (90, 99), (4, 5), (0, 90)] {
        let finding = Diagnostic::error(Code("a/b"), Span::new(start, end), "here");
        assert!(text::render_one(&file, &finding, Style::PLAIN).contains("é.yml:1:"));
        let found = [FileFindings { file: file.clone(), diagnostics: vec![finding] }];
        assert!(annotation::render(&found).contains("line=1,"));
        assert!(json::render(&found).contains("\"line\": 1"));
    }
}

#[test]
fn many_labels_on_one_line_and_across_lines() {
    let text = "a: 1\nb: 2\nc: 3\nd: 4\n";
    let file = SourceFile::new("x.yml", text);
    let finding = Diagnostic::warning(Code("a/b"), Span::new(0, text.len()), "all of it")
        .related(span(text, "b"), "this")
        .related(span(text, "2"), "and this")
        .related(span(text, "d"), "");
    insta::assert_snapshot!(text::render_one(&file, &finding, Style::PLAIN));
}

#[test]
fn json_keeps_its_shape() {
    insta::assert_snapshot!(json::render(&findings()));
}

#[test]
fn annotations_escape_what_github_reads() {
    insta::assert_snapshot!(annotation::render(&findings()));
}

fn rule(code: &str) -> Option<Rule> {
    (code == "workflow/unknown-key").then(|| Rule {
        title: "unknown key".to_owned(),
        summary: "A key is not one that GitHub knows.".to_owned(),
        severity: Severity::Error,
        page: "# workflow/unknown-key\n".to_owned(),
        url: Some("https://example.org/codes/workflow/unknown-key".to_owned()),
    })
}

#[test]
fn sarif_holds_rules_results_and_fixes() {
    let log = sarif::render(&findings(), &Tool { version: "0.1.0", rule: &rule });
    insta::assert_snapshot!(log);
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    // The ship takes two UTF-16 code units and one scalar value.
    assert_eq!(results[1]["locations"][0]["physicalLocation"]["region"]["startColumn"], 5);
    assert!(json::render(&findings()).contains("\"column\": 4"));
}

#[test]
fn summaries_count() {
    let counts = Counts::of(&findings());
    assert_eq!(summary(counts), "1 error, 1 warning, 1 note in 2 files");
    assert_eq!(summary(Counts { files: 1, ..Counts::default() }), "no problems in 1 file");
    let at_least = |severity| counts.at_least(severity);
    assert_eq!([at_least(Severity::Error), at_least(Severity::Warning), at_least(Severity::Note)], [1, 2, 3]);
}
