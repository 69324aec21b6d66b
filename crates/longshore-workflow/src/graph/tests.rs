//! Runs of small workflows, and properties of runs of any.

use std::collections::{BTreeMap, BTreeSet};

use longshore_expr::Object;
use longshore_syntax::SourceFile;
use proptest::prelude::*;

use super::JobResult::Failure;
use super::{CellId, CellOutcome, GraphError, JobGraph, JobResult};
use crate::evaluate::Knowledge;
use crate::parse_workflow;

/// A graph of jobs given as `id: {needs…}` lines; `runs-on` and steps are added.
fn graph(jobs: &str) -> JobGraph {
    let mut lines = String::new();
    for line in jobs.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (id, rest) = line.split_once(':').unwrap();
        lines.push_str(&format!("  {id}: {{runs-on: x, steps: [run: x], {}}}\n", rest.trim()));
    }
    let file = SourceFile::new("ci.yml", format!("on: push\njobs:\n{lines}"));
    let parsed = parse_workflow(&file);
    assert!(parsed.is_valid(), "{}{:?}", file.text(), parsed.diagnostics());
    JobGraph::new(&parsed.model.unwrap(), Knowledge::default())
}

/// Runs to the end with the results given for cells (`job` or `job/2`), success for all others; what ran, in order.
fn run(graph: &mut JobGraph, results: &[(&str, JobResult)]) -> String {
    let mut ran = Vec::new();
    let mut waiting: Vec<CellId> = Vec::new();
    loop {
        waiting.extend(graph.ready().into_iter().map(|cell| cell.id));
        let Some(next) = (!waiting.is_empty()).then(|| waiting.remove(0)) else { break };
        let given = results.iter().find(|(id, _)| *id == next.job || *id == next.to_string());
        let outcome = CellOutcome::new(given.map_or(JobResult::Success, |(_, result)| *result));
        ran.push(next.to_string().replace("/1", ""));
        let cancelled = graph.complete(&next, outcome).unwrap();
        for id in cancelled {
            waiting.retain(|other| *other != id);
            ran.push(format!("!{id}"));
            graph.complete(&id, CellOutcome::new(JobResult::Cancelled)).unwrap();
        }
    }
    assert!(graph.is_done());
    ran.join(" ")
}

fn results(graph: &JobGraph) -> String {
    graph.nodes.iter().map(|node| node.result().unwrap().as_str()).collect::<Vec<_>>().join(" ")
}

/// Jobs, the results given for some, what runs, and how all end.
type Case = (&'static str, &'static [(&'static str, JobResult)], &'static str, &'static str);

#[test]
fn conditions_see_all_ancestors() {
    let cases: &[Case] = &[
        ("a:\nb: needs: a", &[], "a b", "success success"),
        ("a:\nb: needs: a\nc: needs: b", &[("a", Failure)], "a", "failure skipped skipped"),
        ("a:\nb: needs: a, if: failure()", &[("a", Failure)], "a b", "failure success"),
        ("a:\nb: needs: a, if: failure()", &[], "a", "success skipped"),
        ("a:\nb: needs: a\nc: needs: b, if: failure()", &[("a", Failure)], "a c", "failure skipped success"),
        // A skipped job hides behind one that always runs, and still skips what comes after.
        ("a: if: false\nb: needs: a, if: always()\nc: needs: b", &[], "b", "skipped success skipped"),
        (
            "a: if: false\nb: needs: a, if: always()\nc: needs: b, if: \"!cancelled() && needs.b.result == 'success'\"",
            &[],
            "b c",
            "skipped success success",
        ),
        ("a:\nb: needs: a, if: needs.a.result == 'failure'", &[("a", Failure)], "a", "failure skipped"),
        (
            "a:\nb: needs: a, if: always() && needs.a.result == 'failure'",
            &[("a", Failure)],
            "a b",
            "failure success",
        ),
        ("a:\nb:\nc: needs: [a, b], if: success('a')", &[("b", Failure)], "a b c", "success failure success"),
    ];
    for (jobs, given, ran, ended) in cases {
        let mut graph = graph(jobs);
        assert_eq!(run(&mut graph, given), *ran, "{jobs}");
        assert_eq!(results(&graph), *ended, "{jobs}");
    }
}

#[test]
fn matrices_expand_when_their_outputs_are_known() {
    let mut graph = graph(
        "a:\nb: needs: a, strategy: {matrix: {v: \"${{ fromJSON(needs.a.outputs.list) }}\"}}\nc: needs: b",
    );
    let first = graph.ready();
    assert_eq!(first.len(), 1);
    let outputs = Object::default().with("list", longshore_expr::Value::from("[1, 2, 3]"));
    let outcome = CellOutcome { outputs, ..CellOutcome::new(JobResult::Success) };
    assert_eq!(graph.complete(&first[0].id, outcome), Ok(Vec::new()));
    let cells = graph.ready();
    let values: Vec<String> = cells
        .iter()
        .map(|cell| longshore_expr::Value::Object(cell.matrix.clone().unwrap()).to_json_compact())
        .collect();
    assert_eq!(values, [r#"{"v":1}"#, r#"{"v":2}"#, r#"{"v":3}"#]);
    assert_eq!(graph.ready(), Vec::new(), "each cell is ready once");
    for cell in cells {
        graph.complete(&cell.id, CellOutcome::new(JobResult::Success)).unwrap();
    }
    assert_eq!(graph.ready().len(), 1);
}

#[test]
fn a_matrix_that_cannot_be_expanded_fails_its_job() {
    let mut graph = graph(
        "a:\nb: needs: a, strategy: {matrix: {v: \"${{ fromJSON(needs.a.outputs.list) }}\"}}\nc: needs: b",
    );
    assert_eq!(run(&mut graph, &[]), "a");
    assert_eq!(results(&graph), "success failure skipped");
    assert_eq!(graph.diagnostics()[0].message, "`fromJSON` is given nothing to read");
    assert_eq!(graph.outcome(), JobResult::Failure);
}

#[test]
fn limits_of_the_strategy_hold() {
    let mut parallel = graph("a: strategy: {max-parallel: 2, matrix: {v: [1, 2, 3]}}");
    let cells = parallel.ready();
    assert_eq!(cells.len(), 2);
    assert!(parallel.ready().is_empty());
    parallel.complete(&cells[1].id, CellOutcome::new(JobResult::Success)).unwrap();
    assert_eq!(parallel.ready()[0].id.to_string(), "a/3");

    let mut fast = graph("a: strategy: {matrix: {v: [1, 2, 3]}}\nb: needs: a");
    assert_eq!(run(&mut fast, &[("a/1", JobResult::Failure)]), "a !a/2 !a/3");
    assert_eq!(results(&fast), "failure skipped");

    let mut slow = graph("a: strategy: {fail-fast: false, matrix: {v: [1, 2, 3]}}");
    assert_eq!(run(&mut slow, &[("a/1", JobResult::Failure)]), "a a/2 a/3");
    assert_eq!(results(&slow), "failure");
}

#[test]
fn a_failure_that_does_not_count_is_a_success() {
    let mut graph = graph("a: continue-on-error: true\nb: needs: a");
    let id = graph.ready()[0].id.clone();
    let outcome = CellOutcome { continue_on_error: true, ..CellOutcome::new(JobResult::Failure) };
    graph.complete(&id, outcome).unwrap();
    assert_eq!((graph.result("a"), graph.ready().len()), (Some(JobResult::Success), 1));
}

#[test]
fn cancelling_stops_what_does_not_ask_to_go_on() {
    let mut graph = graph(
        "a:\nb: if: always()\nc: needs: a\nd: needs: a, if: always()\ne: needs: a, if: cancelled()\nf: needs: a, if: failure()",
    );
    assert_eq!(graph.ready().len(), 2);
    let cancelled = graph.cancel();
    assert_eq!(cancelled.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a/1"]);
    graph.complete(&cancelled[0], CellOutcome::new(JobResult::Cancelled)).unwrap();
    graph.complete(&CellId { job: "b".to_owned(), cell: 0 }, CellOutcome::new(JobResult::Success)).unwrap();
    assert_eq!(run(&mut graph, &[]), "d e");
    assert_eq!(results(&graph), "cancelled success cancelled success success cancelled");
}

#[test]
fn outputs_of_cells_are_merged() {
    let mut graph =
        graph("a: strategy: {matrix: {v: [1, 2]}}\nb: needs: a, if: needs.a.outputs.x == 'second'");
    for (cell, text) in graph.ready().into_iter().zip(["first", "second"]) {
        let outputs = Object::default().with("x", longshore_expr::Value::from(text));
        graph.complete(&cell.id, CellOutcome { outputs, ..CellOutcome::new(JobResult::Success) }).unwrap();
    }
    assert_eq!(graph.ready().len(), 1);
}

#[test]
fn reports_that_do_not_fit_are_refused() {
    let mut graph = graph("a:\nb: needs: a");
    let id = |job: &str| CellId { job: job.to_owned(), cell: 0 };
    let done = || CellOutcome::new(JobResult::Success);
    assert_eq!(graph.complete(&id("a"), done()), Err(GraphError::NotRunning(id("a"))), "not started");
    graph.ready();
    assert_eq!(graph.complete(&id("x"), done()), Err(GraphError::UnknownJob("x".to_owned())));
    assert_eq!(graph.complete(&id("a"), done()), Ok(Vec::new()));
    assert_eq!(graph.complete(&id("a"), done()), Err(GraphError::NotRunning(id("a"))), "twice");
}

/// Jobs `j0 … jn`, each with needs among those before it, a condition and perhaps a matrix.
fn any_jobs() -> impl Strategy<Value = Vec<(BTreeSet<usize>, usize, usize)>> {
    let job = (prop::collection::btree_set(0..12_usize, 0..4), 0..6_usize, 0..4_usize);
    prop::collection::vec(job, 1..12).prop_map(|jobs| {
        let keep = |(at, (needs, condition, cells)): (usize, (BTreeSet<usize>, usize, usize))| {
            (needs.into_iter().filter(|need| *need < at).collect(), condition, cells)
        };
        jobs.into_iter().enumerate().map(keep).collect()
    })
}

const CONDITIONS: [&str; 6] =
    ["success()", "always()", "failure()", "cancelled()", "!cancelled()", "needs.j0.result == 'failure'"];

fn text_of(jobs: &[(BTreeSet<usize>, usize, usize)]) -> String {
    let line = |(at, (needs, condition, cells)): (usize, &(BTreeSet<usize>, usize, usize))| {
        let needs: Vec<String> = needs.iter().map(|need| format!("j{need}")).collect();
        let needs = if needs.is_empty() { String::new() } else { format!("needs: [{}], ", needs.join(", ")) };
        let cells: Vec<String> = (0..*cells).map(|cell| cell.to_string()).collect();
        let matrix = if cells.is_empty() {
            String::new()
        } else {
            format!(", strategy: {{max-parallel: 2, matrix: {{v: [{}]}}}}", cells.join(", "))
        };
        format!("j{at}: {needs}if: \"{}\"{matrix}\n", CONDITIONS[*condition])
    };
    jobs.iter().enumerate().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// In any order of completion, with any results and a cancellation at any time: nothing starts before what it needs
    /// has ended, nothing starts twice, and in the end every job has a result.
    #[test]
    fn any_order_ends(
        jobs in any_jobs(),
        choices in prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize), 1..80),
        cancel_after in prop::option::of(0..20_usize),
    ) {
        let mut graph = graph(&text_of(&jobs));
        let mut running: Vec<CellId> = Vec::new();
        let mut started: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for step in 0.. {
            for cell in graph.ready() {
                let at: usize = cell.id.job[1..].parse().unwrap();
                for need in &jobs[at].0 {
                    prop_assert!(graph.result(&format!("j{need}")).is_some(), "{} before j{need}", cell.id);
                }
                prop_assert!(started.entry(cell.id.job.clone()).or_default().insert(cell.id.cell), "twice");
                running.push(cell.id);
            }
            if cancel_after == Some(step) {
                graph.cancel();
            }
            if running.is_empty() {
                break;
            }
            let (index, result) = &choices[step % choices.len()];
            let id = running.swap_remove(index.index(running.len()));
            let result = [JobResult::Success, JobResult::Failure, JobResult::Cancelled, JobResult::Success][*result];
            graph.complete(&id, CellOutcome::new(result)).unwrap();
        }
        prop_assert!(graph.is_done());
    }

    /// The stages hold every job once, each after all it needs.
    #[test]
    fn stages_respect_needs(jobs in any_jobs()) {
        let graph = graph(&text_of(&jobs));
        let text = graph.file.text().to_owned();
        let workflow = parse_workflow(&SourceFile::new("ci.yml", text)).model.unwrap();
        let stages = crate::plan::stages(&workflow);
        let mut place: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, stage) in stages.iter().enumerate() {
            for id in stage {
                prop_assert!(place.insert(id, number).is_none());
            }
        }
        prop_assert_eq!(place.len(), jobs.len());
        for (at, (needs, ..)) in jobs.iter().enumerate() {
            let latest = needs.iter().map(|need| place[format!("j{need}").as_str()] + 1).max().unwrap_or(0);
            prop_assert_eq!(place[format!("j{at}").as_str()], latest);
        }
    }
}
