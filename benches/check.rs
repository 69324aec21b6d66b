//! One workflow of 500 lines, read, lowered and linted in process. Target: less than 2 ms.

use std::fmt::Write as _;

use divan::{Bencher, black_box};
use longshore_lint::{LintContext, lint_workflow};
use longshore_syntax::{SourceFile, yaml};
use longshore_workflow::parse_workflow;

fn main() {
    divan::main();
}

/// A workflow as large teams have them: matrices, conditions, outputs, scripts, pinned actions. 500 lines or a few more.
fn workflow() -> SourceFile {
    let mut text = "name: ci\non:\n  push:\n    branches: [main, 'release/**']\n    paths-ignore: ['**.md']\n  pull_request:\n\
                    permissions:\n  contents: read\n\njobs:\n"
        .to_owned();
    let mut job = 0;
    while text.lines().count() < 500 {
        let needs = if job == 0 { String::new() } else { format!("    needs: [job{}]\n", job - 1) };
        let _ = write!(
            text,
            "  job{job}:\n    name: job (${{{{ matrix.os }}}}, ${{{{ matrix.node }}}})\n{needs}    \
             if: github.event_name == 'push' || contains(github.event.pull_request.labels.*.name, 'ci')\n    \
             runs-on: ${{{{ matrix.os }}}}\n    timeout-minutes: 20\n    strategy:\n      fail-fast: false\n      matrix:\n        \
             os: [ubuntu-24.04, windows-2022]\n        node: [20, 22]\n        include:\n          - os: ubuntu-24.04\n            \
             coverage: true\n    env:\n      CACHE: ${{{{ runner.os }}}}-${{{{ hashFiles('**/package-lock.json') }}}}\n    \
             outputs:\n      version: ${{{{ steps.version.outputs.version }}}}\n    steps:\n      - uses: \
             actions/checkout@8e8c483db84b4bee98b60c0593521ed34d9990e8\n        with:\n          fetch-depth: 0\n          \
             persist-credentials: false\n      - id: version\n        run: |\n          version=$(git describe --tags --always)\n          \
             echo \"version=$version\" >> \"$GITHUB_OUTPUT\"\n      - name: Test\n        run: |\n          npm ci\n          \
             npm test -- --shard=${{{{ strategy.job-index }}}}/${{{{ strategy.job-total }}}}\n        env:\n          TOKEN: \
             ${{{{ secrets.NPM_TOKEN }}}}\n      - if: failure() && matrix.coverage\n        run: cat npm-debug.log\n"
        );
        job += 1;
    }
    SourceFile::new(".github/workflows/ci.yml", text)
}

#[divan::bench]
fn yaml_alone(bencher: Bencher<'_, '_>) {
    let file = workflow();
    bencher.bench(|| yaml::parse(black_box(&file)));
}

#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let file = workflow();
    bencher.bench(|| parse_workflow(black_box(&file)));
}

#[divan::bench]
fn parse_and_check(bencher: Bencher<'_, '_>) {
    let file = workflow();
    let context = LintContext::default();
    bencher.bench(|| {
        let parsed = parse_workflow(black_box(&file));
        let findings = parsed.diagnostics().len();
        findings + parsed.model.map_or(0, |workflow| lint_workflow(&workflow, &context).len())
    });
}
