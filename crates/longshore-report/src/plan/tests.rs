//! One plan, seen through every format.

use longshore_syntax::{Progress, SourceFile};
use longshore_workflow::event::{ChangedPaths, Event};
use longshore_workflow::plan::{Plan, PlanInput, Selection, SourceSet, WorkflowFile, plan};

use super::tree::Detail;
use super::{PlanCounts, PlanView, Premise, PremiseBase, PremiseOrigin, dot, json, mermaid, tree};
use crate::Style;

const WORKFLOW: &str = "\
name: \"Hostile \\e[2J \\u202e name\"
on: push
jobs:
  first:
    name: a name that is quite long, so that it does not fit into a narrow window together with the rest
    runs-on: ubuntu-latest
    steps: [{ run: make }]
  second:
    needs: first
    strategy: { matrix: { n: [1, 2, 3, 4, 5, 6, 7, 8, 9] } }
    runs-on: ubuntu-latest
    steps: [{ uses: 'actions/checkout@8e8c483db84b4bee98b60c0593521ed34d9990e8' }]
  third:
    if: false
    runs-on: ubuntu-latest
    steps: [{ run: make }]
";

fn planned() -> Plan {
    let workflows = [WorkflowFile::read(SourceFile::new(".github/workflows/a.yml", WORKFLOW))];
    let input = PlanInput {
        event: &Event::new("push"),
        workflows: &workflows,
        sources: &SourceSet::default(),
        vars: None,
        selection: &Selection::default(),
        fetch_actions: false,
    };
    match plan(&input) {
        Progress::Ready(plan) => plan,
        Progress::Needs(needs) => panic!("nothing is missing: {needs:?}"),
    }
}

fn premise() -> Premise {
    let mut event = Event::new("push");
    event.git_ref = Some("refs/heads/main".to_owned());
    event.changed_paths = Some(ChangedPaths { paths: vec!["a".to_owned()], complete: true });
    Premise {
        event,
        origin: PremiseOrigin::Git,
        base: Some(PremiseBase { kind: "upstream", text: "`origin/main`".to_owned(), commit: None }),
        commits: Some(3),
        changed_files: Some(1),
        has_uncommitted: true,
        notices: vec!["a notice with enough words to fill more than one line of a narrow window".to_owned()],
    }
}

fn shown<T>(render: impl Fn(&PlanView<'_>) -> T) -> T {
    let (premise, plan) = (premise(), planned());
    render(&PlanView { premise: &premise, plan: &plan, findings: &[], missing: &[] })
}

fn text(detail: Detail, style: Style) -> String {
    shown(|view| tree::render(view, detail, style))
}

#[test]
fn the_tree_fits_its_window() {
    insta::assert_snapshot!(text(Detail::Short, Style { color: false, width: 60 }));
    for width in [40, 60, 80, 100] {
        for line in text(Detail::Full, Style { color: false, width }).lines() {
            // Words are never cut: the commit of an action sticks out, and so does what stands in a deep branch.
            let fits = line.chars().count() <= width || line.contains("actions/checkout@") || width == 40;
            assert!(fits, "{width}: {line}");
        }
    }
}

#[test]
fn colour_changes_no_word() {
    let coloured = text(Detail::Full, Style { color: true, width: 80 });
    assert!(coloured.contains('\u{1b}'));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, text(Detail::Full, Style { color: false, width: 80 }));
}

#[test]
fn hostile_names_cannot_write_to_the_terminal() {
    for shown in
        [text(Detail::Full, Style::PLAIN), shown(json::render), shown(mermaid::render), shown(dot::render)]
    {
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
    assert!(text(Detail::Short, Style::PLAIN).contains("Hostile \\u{1b}[2J \\u{202e} name"));
}

#[test]
fn every_cell_counts() {
    let counts = PlanCounts::of(&planned());
    assert_eq!(
        counts,
        PlanCounts { workflows: 1, starting: 1, running: 10, skipped: 1, deferred: 0, failing: 0 }
    );
}

#[test]
fn a_long_list_of_cells_is_cut_short_unless_everything_is_asked_for() {
    let short = text(Detail::Short, Style::PLAIN);
    assert!(short.contains("n: 6\n") && !short.contains("n: 7\n") && short.contains("and 3 more"), "{short}");
    assert!(short.contains("actions/checkout@8e8c483\n"), "{short}");
    let full = text(Detail::Full, Style::PLAIN);
    assert!(full.contains("n: 9\n") && full.contains("steps of the first cell"), "{full}");
    assert!(full.contains("@8e8c483db84b4bee98b60c0593521ed34d9990e8"), "{full}");
}
