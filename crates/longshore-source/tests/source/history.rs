//! Walks over the commit graph, against git's own.

use std::fmt::Write;

use longshore_source::{Base, Comparison, DiffLimit};

use crate::change::{changes, listed, push, pushed};
use crate::fixture::Fixture;

#[test]
fn more_commits_than_a_push_may_have() {
    let fixture = pushed();
    let mut stream = String::new();
    for number in 0..1001 {
        let from = if number == 0 { "from refs/heads/main^0\n" } else { "" };
        let commit = "commit refs/heads/main\ncommitter A <a@x> 1800000000 +0000\ndata 1\nx\n";
        writeln!(stream, "{commit}{from}M 100644 inline n\ndata {}\n{number}", number.to_string().len())
            .unwrap();
    }
    fixture.fast_import(&stream);
    fixture.git("reset -q --hard");
    let set = push(&fixture);
    assert_eq!((set.commit_count, set.diff_limit_exceeded), (1001, Some(DiffLimit::Commits)));
    assert_eq!((set.commits.len(), listed(&set)), (100, vec!["A n".into()]));
    fixture.git("reset -q --hard HEAD^");
    let set = push(&fixture);
    assert_eq!((set.commit_count, set.diff_limit_exceeded), (1000, None));
}

/// A graph of branches `b1` to `b80` with merges, criss-cross ones included.
fn tangle(mut below: impl FnMut(u64) -> u64) -> String {
    let mut stream = String::new();
    for number in 1..=80_u64 {
        let date = 1_700_000_000 + number / 3;
        writeln!(stream, "commit refs/heads/b{number}\nmark :{number}\ncommitter A <a@x> {date} +0000")
            .unwrap();
        writeln!(stream, "data 1\nx").unwrap();
        if number > 1 {
            let parent = number - 1 - below(number.min(6) - 1);
            writeln!(stream, "from :{parent}").unwrap();
            let other = number - 1 - below(number.min(9) - 1);
            if other != parent && below(3) == 0 {
                writeln!(stream, "merge :{other}").unwrap();
            }
        }
        writeln!(stream, "M 100644 inline f{number}\ndata 1\nx").unwrap();
    }
    stream
}

#[test]
fn merge_bases_and_counts_are_those_of_git() {
    let fixture = Fixture::repository();
    let mut seed = 7_u64;
    let mut below = |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % limit
    };
    fixture.fast_import(&tangle(&mut below));
    for with_graph_file in [false, true] {
        if with_graph_file {
            fixture.git("commit-graph write --reachable");
        }
        for _ in 0..30 {
            let (head, target) = (1 + below(80), 1 + below(80));
            fixture.git(&format!("checkout -q -f b{head}"));
            let set = changes(&fixture, &Comparison::PullRequest(format!("b{target}")));
            let count = fixture.git(&format!("rev-list --count b{target}..b{head}"));
            assert_eq!(set.commit_count.to_string(), count, "b{target}..b{head}");
            let Base::MergeBase { commit, .. } = &set.base else {
                panic!("b{target} b{head}: {:?}", set.base)
            };
            let bases = fixture.git(&format!("merge-base --all b{target} b{head}"));
            assert!(bases.lines().any(|base| base == commit.as_str()), "b{target} b{head}: {commit}");
        }
    }
}
