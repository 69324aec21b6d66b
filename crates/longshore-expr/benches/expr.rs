//! How long expressions take: 1,000 of the kind that real workflows hold, parsed, checked and evaluated.
//!
//! The target is less than a millisecond for all of them.

use divan::{Bencher, black_box};
use longshore_expr::{Allowed, Expr, MapContexts, Template, eval, parse, parse_allowed};

fn main() {
    divan::main();
}

/// How many expressions one iteration handles.
const COUNT: usize = 1_000;

/// What `if`, `env` and `with` hold in real workflows.
const EXPRESSIONS: [&str; 20] = [
    "github.ref",
    "matrix.os",
    "secrets.TOKEN",
    "runner.os == 'Linux'",
    "github.event_name == 'push'",
    "steps.cache.outputs.cache-hit != 'true'",
    "github.event_name == 'push' && github.ref == 'refs/heads/main'",
    "startsWith(github.ref, 'refs/tags/v')",
    "github.event.pull_request.head.repo.full_name == github.repository",
    "!contains(github.event.head_commit.message, '[skip ci]')",
    "contains(github.event.pull_request.labels.*.name, 'deploy')",
    "github.event.inputs.version || '1.2.3'",
    "format('{0}-{1}', matrix.os, matrix.node)",
    "needs.build.outputs.version",
    "inputs.dry-run == false",
    "fromJSON('[\"a\", \"b\"]')[1]",
    "always() && needs.build.result == 'success'",
    "failure() || cancelled()",
    "matrix.os == 'ubuntu-latest' && matrix.node >= 18",
    "github.workflow",
];

const ITEMS: [&str; 12] = [
    "github",
    "inputs",
    "vars",
    "needs",
    "strategy",
    "matrix",
    "steps",
    "runner",
    "secrets",
    "always(0,0)",
    "failure(0,MAX)",
    "cancelled(0,0)",
];

const CONTEXTS: &str = r#"{
  "github": {
    "ref": "refs/heads/main", "event_name": "push", "repository": "acme/shop", "workflow": "CI", "sha": "abc",
    "actor": "ada", "run_id": "1", "run_number": "7", "job": "build", "workspace": "/work",
    "event": {
      "head_commit": {"message": "Sell apples"},
      "pull_request": {"head": {"repo": {"full_name": "acme/shop"}}, "labels": [{"name": "bug"}, {"name": "deploy"}]}
    }
  },
  "matrix": {"os": "ubuntu-latest", "node": 20},
  "runner": {"os": "Linux"},
  "secrets": {"TOKEN": "t"},
  "inputs": {"dry-run": false},
  "needs": {"build": {"result": "success", "outputs": {"version": "1.2.3"}}},
  "steps": {"cache": {"outputs": {"cache-hit": "true"}}},
  "job": {"status": "success"}
}"#;

fn texts() -> impl Iterator<Item = &'static str> {
    EXPRESSIONS.into_iter().cycle().take(COUNT)
}

fn contexts() -> MapContexts {
    MapContexts::from_json(CONTEXTS).unwrap_or_default()
}

#[divan::bench]
fn parse_and_eval(bencher: Bencher<'_, '_>) {
    let (contexts, allowed) = (contexts(), Allowed::from_items(&ITEMS));
    bencher.bench_local(|| {
        texts()
            .filter_map(|text| parse_allowed(black_box(text), &allowed).ok())
            .filter_map(|expr| eval(&expr, &contexts).ok())
            .filter(longshore_expr::Value::is_truthy)
            .count()
    });
}

#[divan::bench]
fn parse_only(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| texts().filter_map(|text| parse(black_box(text)).ok()).count());
}

#[divan::bench]
fn eval_only(bencher: Bencher<'_, '_>) {
    let contexts = contexts();
    let parsed: Vec<Expr> = texts().filter_map(|text| parse(text).ok()).collect();
    bencher.bench_local(|| parsed.iter().filter_map(|expr| eval(black_box(expr), &contexts).ok()).count());
}

#[divan::bench]
fn parse_templates(bencher: Bencher<'_, '_>) {
    let allowed = Allowed::from_items(&ITEMS);
    let templates: Vec<String> = texts().map(|text| format!("run ${{{{ {text} }}}} now")).collect();
    bencher.bench_local(|| {
        templates.iter().filter_map(|text| Template::parse(black_box(text), Some(&allowed)).ok()).count()
    });
}
