//! Text that is cut off, broken or huge gives findings or none, never a panic, and in time.

use std::fs;

use super::{everything, lint, root, yaml_files};

#[test]
fn every_beginning_of_a_file_can_be_read() {
    let workflows = root().join("examples/thehunter/.github/workflows");
    for path in yaml_files(&workflows) {
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.char_indices().filter(|(at, _)| at % 17 == 0) {
            lint("w.yml", &text[..at], &everything());
            lint("w.yml", &text.replace('\n', "\r\n")[..at], &everything());
        }
    }
}

#[test]
fn odd_scripts_can_be_read() {
    let scripts = [
        "${{ 'a",
        "$(",
        "echo ::set-output name=",
        "sleep",
        "exit",
        "git diff --quiet &&",
        "|| true",
        "é || true",
        "set +e",
    ];
    for script in scripts {
        let text = format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          {script}\n          pytest {script}\n"
        );
        lint("w.yml", &text, &everything());
        lint(
            "action.yml",
            &format!(
                "name: x\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: |\n        {script}\n"
            ),
            &everything(),
        );
    }
}

#[test]
fn time_grows_with_the_text_and_not_faster() {
    let part = "          curl x | sh; a \"$(b ${{a}b} `c`)\" ${{ github.head_ref }} || true\n";
    let text =
        format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n{}", part.repeat(700));
    let (_, found, _) = lint("w.yml", &text, &everything());
    assert!(found.len() > 700, "{}", found.len());
}

#[test]
fn what_is_too_large_is_said_to_be() {
    let workflow = |script: &str| {
        format!(
            "on: push\npermissions: {{}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    timeout-minutes: 1\n    steps:\n      - run: |\n{script}"
        )
    };
    let line = "          sleep 1\n";
    for (lines, expected) in
        [(2_000, vec![]), (10_000, vec!["lint/too-large"]), (60_000, vec!["lint/too-large"])]
    {
        let (_, found, _) =
            lint("w.yml", &workflow(&line.repeat(lines)), &longshore_lint::LintContext::default());
        let codes: Vec<&str> = found.iter().map(|it| it.code.0).collect();
        assert_eq!(codes, expected, "{lines}");
    }
}
