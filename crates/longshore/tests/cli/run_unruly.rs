//! Steps that behave badly: they leave processes, print bytes that are no text, lines without end, and a million lines at once.

use crate::containers::Containers;
use crate::run::{commit, jobs, log, pairs};
use crate::underway::Underway;

#[test]
fn steps_may_behave_badly() {
    let Some(it) = Containers::with_networks() else { return };
    it.context.write(
        ".github/workflows/ci.yml",
        r#"
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          sleep 1000 &
          setsid sh -c 'trap "" HUP INT TERM; sleep 1000; echo never' > /dev/null 2>&1 &
          echo "left behind"
      - run: head -c 3000000 /dev/urandom; echo; printf '\000\033[2J\377\n'
      - run: head -c 20000000 /dev/zero | tr '\0' x; echo; echo "end of it"
      - run: seq 1 1000000
      - run: echo "at last"
"#,
    );
    commit(&it);
    let mut run = Underway::start(&it, &["run"]);
    assert_eq!(run.end(), 0);
    assert_eq!(jobs(&run.seen), pairs(&[("a", "success")]));
    let log = log(&run.seen);
    for line in ["left behind", "end of it", "1000000", "at last"] {
        assert!(log.contains(&format!("\n{line}\n")), "{line}");
    }
    assert!(!log.contains("\nnever\n"));
    assert_eq!(it.done(&["ps", "-aq"]), "", "what was left behind is gone");
    let kept = it.other_done(&["logs", "1", "-s", "Run seq 1 1000000"]);
    let numbers = kept.lines().filter_map(|line| line.parse::<u64>().ok());
    assert!(numbers.eq(1..=1_000_000), "nothing is lost");
    let endless = it.other_done(&["logs", "1", "-s", "4"]);
    let letters = endless.lines().filter(|line| line.starts_with("xxx")).map(str::len);
    assert_eq!(letters.sum::<usize>(), 20_000_000, "nor of a line that has no end");
}
