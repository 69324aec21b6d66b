//! All rules over one workflow of 500 lines, over the examples' largest, and over hostile ones.
//!
//! `cargo bench -p longshore-lint`. Reading the file is not measured. The target is well under a millisecond for the
//! workflow of 500 lines.

use divan::Bencher;
use longshore_lint::{LintContext, lint_workflow};
use longshore_syntax::SourceFile;
use longshore_workflow::model::Workflow;
use longshore_workflow::parse_workflow;

const JOB: &str = "
  job-N:
    needs: [first]
    if: github.event_name == 'push' && needs.first.outputs.changed == 'true'
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest, ubuntu-22.04]
    env:
      MODE: fast
    steps:
      - uses: actions/checkout@v4
      - id: versions
        env:
          REF: ${{ github.head_ref }}
        run: |
          set -euo pipefail
          echo \"name=$REF\" >> \"$GITHUB_OUTPUT\"
          if ! git diff --quiet; then echo changed; fi
      - run: docker compose up -d && pytest tests || exit 1
      - if: steps.versions.outputs.name != ''
        run: echo \"${{ steps.versions.outputs.name }}\" | tee log
";

fn main() {
    divan::main();
}

fn workflow(jobs: usize) -> Workflow {
    let mut text = "on: push\npermissions: {}\njobs:\n  first:\n    runs-on: ubuntu-latest\n    outputs:\n      changed: 'true'\n    steps:\n      - run: make\n".to_owned();
    (0..jobs).for_each(|index| text.push_str(&JOB.replace("job-N", &format!("job-{index}"))));
    read(&text)
}

fn read(text: &str) -> Workflow {
    parse_workflow(&SourceFile::new("bench.yml", text)).model.expect("the workflow is YAML")
}

/// Scripts of one line repeated, each nearly as large as rules look into, up to a size.
fn script(line: &str, bytes: usize) -> Workflow {
    let line = format!("          {line}\n");
    let step = format!("      - run: |\n{}", line.repeat((60 << 10) / line.len()));
    let head = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n";
    read(&format!("{head}{}", step.repeat(bytes / step.len())))
}

#[divan::bench]
fn workflow_of_500_lines(bencher: Bencher) {
    let workflow = workflow(22);
    let context = LintContext::default();
    bencher.bench(|| lint_workflow(&workflow, &context));
}

#[divan::bench]
fn largest_example(bencher: Bencher) {
    let workflow = read(include_str!("../../../examples/aaronspindler/.github/workflows/pipeline.yml"));
    let context = LintContext::default();
    bencher.bench(|| lint_workflow(&workflow, &context));
}

#[divan::bench(sample_count = 3, sample_size = 1, args = [
    "sleep 9", "pytest || true", "git diff --quiet && changed=true", "echo ::set-output name=a::b",
    "echo ${{ github.head_ref }}", "x \"$(y `z`)\" | w",
])]
fn hostile_script_of_a_megabyte(bencher: Bencher, line: &str) {
    let workflow = script(line, 1 << 20);
    let context = LintContext::default();
    bencher.bench(|| lint_workflow(&workflow, &context));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn hostile_environment_of_a_megabyte(bencher: Bencher) {
    let entries: Vec<String> = (0..15_000)
        .map(|index| format!("  V{index}: ${{{{ secrets.S{index} || github.head_ref }}}}\n"))
        .collect();
    let entries = entries.concat();
    let text = format!(
        "on: push\nenv:\n{entries}jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo ${{{{ env.V }}}}\n      - run: b\n"
    );
    let workflow = read(&text);
    let context = LintContext::default();
    bencher.bench(|| lint_workflow(&workflow, &context));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn hostile_jobs(bencher: Bencher) {
    let workflow = workflow(1_000);
    let context = LintContext::default();
    bencher.bench(|| lint_workflow(&workflow, &context));
}
