//! Needs, conditions, outputs, matrices, called workflows, strangers.

use longshore_event::{EventKind, JobEvent, RunEvent};

use crate::bench::Bench;

/// A job of one script.
fn check(workflow: &str, jobs: &str) {
    let outcome = Bench::new(workflow).run();
    assert_eq!(outcome.line(), jobs, "{}", outcome.log());
    outcome.is_whole();
}

#[test]
fn conditions_see_what_was_needed() {
    check(
        r"
jobs:
  good: { runs-on: ubuntu-latest, steps: [ run: 'say hi' ] }
  bad: { runs-on: ubuntu-latest, steps: [ run: 'exit 1' ] }
  after: { runs-on: ubuntu-latest, needs: [good, bad], steps: [ run: 'say no' ] }
  clean: { runs-on: ubuntu-latest, needs: [good, bad], if: always(), steps: [ run: 'say yes' ] }
  alarm: { runs-on: ubuntu-latest, needs: bad, if: failure(), steps: [ run: 'say yes' ] }
  soft: { runs-on: ubuntu-latest, continue-on-error: true, steps: [ run: 'exit 1' ] }
  behind: { runs-on: ubuntu-latest, needs: soft, steps: [ run: 'say yes' ] }
",
        "after:skipped alarm:success bad:failure behind:success clean:success good:success soft:failure",
    );
}

#[test]
fn a_skipped_job_tells_what_hindered_it() {
    let outcome = Bench::new(
        r"
run-name: by ${{ github.actor }} for ${{ github.run_number }}
jobs:
  bad: { runs-on: ubuntu-latest, steps: [ run: 'exit 1' ] }
  after: { runs-on: ubuntu-latest, needs: bad, if: true, steps: [ run: 'say no' ] }
  not: { runs-on: ubuntu-latest, if: github.ref == 'x', steps: [ run: 'say no' ] }
",
    )
    .run();
    let reasons: Vec<String> = outcome
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Job(JobEvent::Skipped { name, reason }) => Some(format!("{name}: {reason}")),
            _ => None,
        })
        .collect();
    assert!(reasons.contains(&"after: what it needs did not succeed".to_owned()), "{reasons:?}");
    assert!(reasons.contains(&"not: `if: github.ref == 'x'` does not hold".to_owned()), "{reasons:?}");
    let titles = outcome.events.iter().filter_map(|event| match &event.kind {
        EventKind::Run(RunEvent::Started(outline)) => Some(outline.title.clone()),
        _ => None,
    });
    assert_eq!(titles.collect::<Vec<_>>(), ["by longshore for 1"]);
}

#[test]
fn outputs_reach_matrices_that_waited_for_them() {
    let outcome = Bench::new(
        r"
jobs:
  list:
    runs-on: ubuntu-latest
    outputs: { cells: '${{ steps.l.outputs.cells }}' }
    steps: [ { id: l, run: 'set OUTPUT cells=[3,4]' } ]
  use:
    needs: list
    runs-on: ubuntu-latest
    strategy: { matrix: { n: '${{ fromJSON(needs.list.outputs.cells) }}' } }
    steps: [ run: 'say cell ${{ matrix.n }} of ${{ strategy.job-total }}' ]
",
    )
    .run();
    assert_eq!(outcome.line(), "list:success use/1:success use/2:success");
    assert!(outcome.log().contains("cell 3 of 2\n") && outcome.log().contains("cell 4 of 2\n"));
    outcome.is_whole();
}

#[test]
fn a_failing_cell_ends_the_others_unless_they_may_go_on() {
    for (fail_fast, jobs) in
        [(true, "a/1:failure a/2:cancelled a/3:cancelled"), (false, "a/1:failure a/2:success a/3:success")]
    {
        let workflow = format!(
            "jobs:\n  a:\n    runs-on: ubuntu-latest\n    strategy: {{ fail-fast: {fail_fast}, max-parallel: 1, matrix: {{ n: [1, 0, 0] }} }}\n    steps: [ run: 'exit ${{{{ matrix.n }}}}' ]\n"
        );
        check(&workflow, jobs);
    }
}

#[test]
fn called_workflows_take_inputs_and_secrets_and_give_outputs() {
    let mut bench = Bench::new(
        r"
jobs:
  call:
    uses: ./.github/workflows/called.yml
    with: { who: World }
    secrets: { KEY: '${{ secrets.OUTER }}' }
  after:
    needs: call
    runs-on: ubuntu-latest
    steps: [ run: 'say got ${{ needs.call.outputs.greeting }}' ]
",
    )
    .called(
        r"
on:
  workflow_call:
    inputs: { who: { type: string, required: true } }
    secrets: { KEY: { required: true } }
    outputs: { greeting: { value: '${{ jobs.g.outputs.text }}' } }
jobs:
  g:
    runs-on: ubuntu-latest
    outputs: { text: '${{ steps.s.outputs.text }}' }
    steps:
      - id: s
        env: { KEY: '${{ secrets.KEY }}', OUTER: '${{ secrets.OUTER }}' }
        run: |
          set OUTPUT text=Hello ${{ inputs.who }}
          show KEY
          show OUTER
",
    );
    bench.secrets = vec![("OUTER".to_owned(), "hunter22".to_owned())];
    let outcome = bench.run();
    assert_eq!(outcome.line(), "after:success call.g:success");
    let log = outcome.log();
    assert!(log.contains("got Hello World\n") && log.contains("KEY=***\n"), "{log}");
    assert!(log.contains("OUTER=\n"), "what was not handed over is not there");
    outcome.is_whole();
}

#[test]
fn no_secret_reaches_an_event_in_any_form() {
    let workflow = r"
jobs:
  a:
    runs-on: ubuntu-latest
    name: with ${{ github.actor }}
    outputs: { leak: '${{ steps.s.outputs.leak }}' }
    steps:
      - id: s
        name: Step ${{ secrets.KEY }}
        env: { KEY: '${{ secrets.KEY }}' }
        run: |
          show KEY
          say first line one
          say bGluZSBvbmUKbGluZSB0d28=
          say line%20one%0Aline%20two
          set OUTPUT leak=line two
          set STEP_SUMMARY the key is line one
          say ::error::line two
      - run: 'exit 1 # ${{ secrets.KEY }}'
";
    let mut bench = Bench::new(workflow);
    bench.secrets = vec![("KEY".to_owned(), "line one\nline two".to_owned())];
    let told = format!("{:?}", bench.run().events);
    for form in ["line one", "line two", "bGluZSBvbmU", "line%20"] {
        assert!(!told.contains(form), "`{form}` in {told}");
    }
    assert!(told.contains("***"));
}

#[test]
fn strangers_get_no_secrets() {
    for (name, shown) in [("pull_request", "KEY=\n"), ("pull_request_target", "KEY=***\n")] {
        let mut bench = Bench::new(
            "  # both\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: { KEY: '${{ secrets.KEY }}' }\n    steps: [ run: 'show KEY' ]\n",
        )
        .on(name);
        bench.secrets = vec![("KEY".to_owned(), "hunter22".to_owned())];
        bench.event.is_fork = true;
        let outcome = bench.run();
        assert!(outcome.log().contains(shown), "{name}: {}", outcome.log());
    }
}

#[test]
fn of_a_group_one_runs_and_one_waits() {
    let outcome = Bench::new(
        "jobs:\n  a:\n    runs-on: ubuntu-latest\n    concurrency: { group: g, queue: max }\n    strategy: { matrix: { n: [1, 2, 3, 4] } }\n    steps: [ run: 'say hi' ]\n",
    )
    .run();
    assert_eq!(outcome.line(), "a/1:success a/2:success a/3:success a/4:success");
    outcome.is_whole();
    let circle = Bench::new("concurrency: same\njobs:\n  a:\n    runs-on: ubuntu-latest\n    concurrency: SAME\n    steps: [ run: 'say hi' ]\n").run();
    assert_eq!(circle.line(), "a:cancelled", "it would wait for itself");
    circle.is_whole();
}
