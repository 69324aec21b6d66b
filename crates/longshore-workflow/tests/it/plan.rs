//! Every directory of `fixtures/plan` is a repository with an event; its plan is the snapshot beside it.
//!
//! `event.json`: the event's `name` with a `payload`, or with what git knows. `select.json`: what to plan. `vars.json`:
//! configuration variables. `remote/OWNER/REPOSITORY/VERSION/…`: other repositories; what is not there is missing.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_expr::{Object, Value};
use longshore_syntax::{Progress, SourceFile, SourceRef};
use longshore_workflow::event::{ChangedPaths, CommitFacts, Event, EventFacts, PullRequestFacts};
use longshore_workflow::plan::{Plan, PlanInput, Selection, Source, SourceSet, WorkflowFile, plan};

use crate::render::render;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plan")
}

#[test]
fn fixtures_have_their_plans() {
    let mut cases: Vec<PathBuf> =
        fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 5, "the fixtures are there");
    for case in cases {
        let text = render(&planned(&case));
        assert_eq!(text, render(&planned(&case)), "the same plan twice");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("plan", text));
    }
}

/// The plan of a case; every source that it asks for is read from the case.
fn planned(case: &Path) -> Plan {
    let event = event(&json(&case.join("event.json")));
    let workflows = workflows(case);
    let selection = selection(&json(&case.join("select.json")));
    let vars = match json(&case.join("vars.json")) {
        Value::Object(vars) => Some(vars),
        _ => None,
    };
    let mut sources = SourceSet::default();
    for _ in 0..100 {
        let input = PlanInput {
            event: &event,
            workflows: &workflows,
            sources: &sources,
            vars: vars.as_ref(),
            selection: &selection,
            fetch_actions: case.join("remote").exists(),
        };
        match plan(&input) {
            Progress::Ready(plan) => return plan,
            Progress::Needs(needs) => {
                assert!(!needs.is_empty());
                for reference in needs {
                    assert!(sources.find(&reference).is_none(), "{reference} is asked for twice");
                    let source = load(case, &reference);
                    sources.insert(reference, source);
                }
            }
        }
    }
    panic!("the plan of {} asks without end", case.display());
}

fn load(case: &Path, reference: &SourceRef) -> Source {
    let path = match reference {
        SourceRef::Local { path } => case.join(path),
        SourceRef::Remote { owner, repository, path, version } => {
            case.join("remote").join(owner).join(repository).join(version).join(path)
        }
    };
    match fs::read_to_string(path) {
        Ok(text) => Source::Found(SourceFile::new(reference.to_string(), text)),
        Err(_) => Source::Missing("not found".to_owned()),
    }
}

fn workflows(case: &Path) -> Vec<WorkflowFile> {
    let directory = case.join(".github/workflows");
    let mut names: Vec<String> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let read = |name: &String| fs::read_to_string(directory.join(name)).unwrap();
    names
        .iter()
        .map(|name| WorkflowFile::read(SourceFile::new(format!(".github/workflows/{name}"), read(name))))
        .collect()
}

fn json(path: &Path) -> Value {
    fs::read_to_string(path).map_or(Value::Null, |text| Value::from_json(&text).expect("a JSON file"))
}

fn event(json: &Value) -> Event {
    let text = |key: &str| json.property(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").expect("the event has a name");
    if let Some(payload) = json.property("payload") {
        return Event::from_payload(Some(&name), payload.clone());
    }
    let commits = text("message").map(|message| CommitFacts {
        id: text("sha").unwrap_or_default(),
        message,
        ..CommitFacts::default()
    });
    let facts = EventFacts {
        git_ref: text("ref"),
        sha: text("sha"),
        before: text("before"),
        repository: Some("octo/app".to_owned()),
        default_branch: Some("main".to_owned()),
        actor: Some("ann".to_owned()),
        action: text("action"),
        commits: commits.into_iter().collect(),
        changed_paths: json
            .property("paths")
            .map(|paths| ChangedPaths { paths: texts(paths), complete: true }),
        pull_request: text("base").map(|base| PullRequestFacts {
            number: Some(7),
            base_ref: Some(base),
            is_fork: json.property("fork") == Some(&Value::Bool(true)),
            ..PullRequestFacts::default()
        }),
        inputs: pairs(json.property("inputs")),
        ..EventFacts::default()
    };
    Event::synthetic(&name, &facts)
}

fn selection(json: &Value) -> Selection {
    Selection {
        jobs: json.property("jobs").map(texts).unwrap_or_default(),
        matrix: pairs(json.property("matrix")),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let Value::Array(items) = value else { return Vec::new() };
    items.iter().map(|item| item.to_text().into_owned()).collect()
}

fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let empty = Object::default();
    let object = match value {
        Some(Value::Object(object)) => object,
        _ => &empty,
    };
    object.iter().map(|(key, value)| (key.to_string(), value.to_text().into_owned())).collect()
}

/// The plan of workflows given as texts, on a push to `main`.
fn plan_of(texts: &[(&str, String)]) -> Plan {
    let event = Event::synthetic(
        "push",
        &EventFacts { git_ref: Some("refs/heads/main".to_owned()), ..EventFacts::default() },
    );
    let read = |(name, text): &(&str, String)| WorkflowFile::read(SourceFile::new(*name, text));
    let workflows: Vec<WorkflowFile> = texts.iter().map(read).collect();
    let input = PlanInput {
        event: &event,
        workflows: &workflows,
        sources: &SourceSet::default(),
        vars: None,
        selection: &Selection::default(),
        fetch_actions: false,
    };
    match plan(&input) {
        Progress::Ready(plan) => plan,
        Progress::Needs(needs) => panic!("nothing is missing, but {needs:?} is asked for"),
    }
}

#[test]
fn calls_with_matrices_do_not_multiply_without_end() {
    let cells: Vec<String> = (0..256).map(|n| n.to_string()).collect();
    let level = |on: &str, next: &str| {
        let cells = cells.join(", ");
        format!("on: {on}\njobs:\n  a:\n    strategy: {{matrix: {{v: [{cells}]}}}}\n    uses: ./{next}\n")
    };
    let last = "on: workflow_call\njobs: {a: {runs-on: x, steps: [run: x]}}\n".to_owned();
    let plan = plan_of(&[
        ("1.yml", level("push", "2.yml")),
        ("2.yml", level("workflow_call", "3.yml")),
        ("3.yml", level("workflow_call", "4.yml")),
        ("4.yml", level("workflow_call", "5.yml")),
        ("5.yml", last),
    ]);
    let run = plan.workflows[0].run.as_ref().expect("the first workflow starts");
    let messages: Vec<&str> =
        run.diagnostics.iter().map(|finding| finding.diagnostic.message.as_str()).collect();
    assert!(
        messages.iter().any(|message| message.contains("more than 100000 jobs and steps")),
        "{messages:?}"
    );
    assert!(messages.len() < 10, "each finding once: {messages:?}");
}

#[test]
fn every_job_is_in_a_stage_after_all_it_needs() {
    let mut text = "on: push\njobs:\n".to_owned();
    for at in 0..300_usize {
        let needs: Vec<String> = [at / 2, at / 3, at.saturating_sub(7)]
            .iter()
            .filter(|need| **need < at)
            .map(|need| format!("j{need}"))
            .collect();
        text.push_str(&format!("  j{at}: {{needs: [{}], runs-on: x, steps: [run: x]}}\n", needs.join(", ")));
    }
    let text = text.replace("needs: [], ", "");
    let plan = plan_of(&[("ci.yml", text)]);
    let run = plan.workflows[0].run.as_ref().expect("the workflow starts");
    assert_eq!(run.jobs.len(), 300);
    let stage = |id: &str| run.jobs.iter().find(|job| job.id == id).expect("the need is planned").stage;
    for job in &run.jobs {
        assert!(job.needs.iter().all(|need| stage(need) < job.stage), "{}", job.id);
        assert!(run.stages[job.stage].contains(&job.id), "{}", job.id);
    }
}
