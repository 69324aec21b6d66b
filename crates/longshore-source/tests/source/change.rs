//! Change detection and what git knows.

use longshore_source::{Base, ChangeKind, ChangeSet, Comparison, DiffLimit, Head, Notice, Repository};

use crate::fixture::Fixture;

pub(crate) fn changes(fixture: &Fixture, comparison: &Comparison) -> ChangeSet {
    let repository = Repository::discover(&fixture.root()).unwrap().expect("a repository");
    let observation = repository.observe().unwrap();
    repository.changes(&observation, comparison).unwrap()
}

pub(crate) fn push(fixture: &Fixture) -> ChangeSet {
    changes(fixture, &Comparison::Push)
}

/// The changes as `A path`, `M path`, `D path`.
pub(crate) fn listed(set: &ChangeSet) -> Vec<String> {
    let letter = |kind| match kind {
        ChangeKind::Added => 'A',
        ChangeKind::Modified => 'M',
        ChangeKind::Deleted => 'D',
    };
    set.paths.iter().map(|change| format!("{} {}", letter(change.kind), change.path)).collect()
}

fn base_id(set: &ChangeSet) -> &str {
    set.base.commit().map_or("", |commit| commit.as_str())
}

/// A repository whose `main` is pushed: `a`, `dir/b`, `dir/c` in two commits.
pub(crate) fn pushed() -> Fixture {
    let fixture = Fixture::repository();
    fixture.commit("one", &["a", "dir/b"]);
    fixture.commit("two", &["dir/c"]);
    fixture.push_to_origin();
    fixture
}

#[test]
fn first_push_brings_every_file() {
    let fixture = Fixture::repository();
    fixture.write("new", "");
    fixture.write("ignored", "");
    fixture.write(".gitignore", "ignored\n");
    let unborn = push(&fixture);
    assert_eq!((&unborn.base, unborn.commit_count), (&Base::Nothing, 0));
    assert_eq!(listed(&unborn), ["A .gitignore", "A new"]);

    fixture.commit("one", &["a"]);
    fixture.commit("two", &["b"]);
    let set = push(&fixture);
    assert_eq!((&set.base, set.commit_count, set.complete), (&Base::Nothing, 2, true));
    assert_eq!(listed(&set), ["A .gitignore", "A a", "A b", "A new"]);
}

#[test]
fn a_push_compares_with_the_upstream_commit() {
    let fixture = pushed();
    let before = fixture.git("rev-parse HEAD");
    fixture.commit("three", &["dir/b"]);
    fixture.commit("four", &["e"]);
    let set = push(&fixture);
    assert_eq!(base_id(&set), before);
    assert!(matches!(&set.base, Base::Upstream { name, forced: false, .. } if name == "origin/main"));
    assert_eq!(listed(&set), ["M dir/b", "A e"]);
    assert_eq!((set.commit_count, set.is_dirty), (2, false));
    let messages: Vec<&str> = set.commits.iter().map(|commit| commit.message.trim()).collect();
    assert_eq!(messages, ["four", "three"]);
}

#[test]
fn uncommitted_files_count() {
    let fixture = pushed();
    fixture.write("a", "edited");
    fixture.write("staged", "x");
    fixture.git("add staged");
    fixture.remove("dir/c");
    fixture.write("untracked/deep/x", "");
    fixture.write(".gitignore", "*.log\n");
    fixture.write("build.log", "");
    let set = push(&fixture);
    assert_eq!(listed(&set), ["A .gitignore", "M a", "D dir/c", "A staged", "A untracked/deep/x"]);
    assert!(set.is_dirty && set.complete && set.notices.is_empty());
}

#[test]
fn edits_on_top_of_commits_are_seen_from_the_base() {
    let fixture = pushed();
    let original = std::fs::read(fixture.root().join("a")).unwrap();
    fixture.commit("three", &["a", "dir/b", "added", "added-then-removed"]);
    fixture.git("rm -q dir/c");
    fixture.git("commit -q -m four");
    fixture.write("a", original);
    fixture.write("dir/b", "third version");
    fixture.write("added", "edited again");
    fixture.remove("added-then-removed");
    fixture.write("dir/c", "back, but different");
    let set = push(&fixture);
    assert_eq!(listed(&set), ["A added", "M dir/b", "M dir/c"]);
}

#[test]
fn an_edit_that_is_undone_in_the_work_tree_is_dirty_but_changes_nothing() {
    let fixture = pushed();
    let original = std::fs::read(fixture.root().join("a")).unwrap();
    fixture.commit("three", &["a"]);
    fixture.write("a", original);
    let set = push(&fixture);
    assert!(set.is_dirty);
    assert_eq!(listed(&set), Vec::<String>::new());
}

#[test]
fn mode_changes_and_links_count() {
    let fixture = pushed();
    let set_mode = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(fixture.root().join("a"), permissions).unwrap();
    };
    std::os::unix::fs::symlink("a", fixture.root().join("link")).unwrap();
    set_mode(0o755);
    assert_eq!(listed(&push(&fixture)), ["M a", "A link"]);
    fixture.git("commit -q -am mode");
    assert_eq!(listed(&push(&fixture)), ["M a", "A link"]);
    fixture.write("a", "edited");
    assert_eq!(listed(&push(&fixture)), ["M a", "A link"]);
    fixture.git("checkout -q a");
    // The work tree takes the executable bit back.
    set_mode(0o644);
    assert_eq!(listed(&push(&fixture)), ["A link"]);
}

#[test]
fn a_directory_in_place_of_a_file() {
    let fixture = pushed();
    fixture.remove("a");
    fixture.commit("three", &["a/inner"]);
    assert_eq!(listed(&push(&fixture)), ["D a", "A a/inner"]);
}

#[test]
fn nothing_to_push_looks_at_the_last_commit_again() {
    let fixture = pushed();
    let set = push(&fixture);
    assert_eq!(base_id(&set), fixture.git("rev-parse HEAD^"));
    assert!(matches!(set.base, Base::Previous { .. }));
    assert_eq!(listed(&set), ["A dir/c"]);
    assert_eq!(set.notices, [Notice::NothingToPush]);
    assert_eq!(set.commit_count, 1);
}

#[test]
fn a_single_pushed_commit_has_no_previous() {
    let fixture = Fixture::repository();
    fixture.commit("one", &["a"]);
    fixture.push_to_origin();
    let set = push(&fixture);
    assert_eq!(set.base, Base::Nothing);
    assert_eq!(listed(&set), ["A a"]);
}

#[test]
fn a_forced_push_compares_with_what_it_replaces() {
    let fixture = pushed();
    let before = fixture.git("rev-parse HEAD");
    fixture.git("reset -q --hard HEAD^");
    fixture.commit("other", &["f"]);
    let set = push(&fixture);
    assert!(matches!(&set.base, Base::Upstream { forced: true, .. }));
    assert_eq!(base_id(&set), before);
    assert_eq!(listed(&set), ["D dir/c", "A f"]);
    assert_eq!(set.notices, [Notice::ForcedPush { upstream: "origin/main".into() }]);
}

#[test]
fn a_branch_that_is_behind_shows_only_its_own_edits() {
    let fixture = pushed();
    fixture.git("reset -q --hard HEAD^");
    fixture.write("a", "edited");
    let set = push(&fixture);
    assert_eq!(listed(&set), ["M a"]);
    assert_eq!(set.notices, [Notice::Behind { upstream: "origin/main".into() }]);
}

#[test]
fn a_new_branch_compares_with_the_parent_of_its_deepest_commit() {
    let fixture = pushed();
    let fork = fixture.git("rev-parse HEAD");
    fixture.git("checkout -q -b feature");
    fixture.commit("f1", &["f1"]);
    fixture.commit("f2", &["f2"]);
    let set = push(&fixture);
    assert_eq!(set.base, Base::NewBranch { commit: longshore_source::CommitId::parse(&fork).unwrap() });
    assert_eq!((listed(&set), set.commit_count), (vec!["A f1".into(), "A f2".into()], 2));

    // The branch was made to track `main`, but a push goes to its own name.
    fixture.git("branch -q --set-upstream-to=origin/main");
    assert_eq!(base_id(&push(&fixture)), fork);

    // A merge from `main` does not move the base, as the comparison is direct.
    fixture.git("checkout -q main");
    fixture.commit("m", &["m"]);
    fixture.git("push -q origin main");
    fixture.git("checkout -q feature");
    fixture.git("merge -q -m merge main");
    let merged = push(&fixture);
    assert_eq!(base_id(&merged), fork);
    assert_eq!(listed(&merged), ["A f1", "A f2", "A m"]);
    let pull_request = changes(&fixture, &Comparison::PullRequest("origin/main".into()));
    assert!(matches!(pull_request.base, Base::MergeBase { .. }));
    assert_eq!(listed(&pull_request), ["A f1", "A f2"]);
}

#[test]
fn a_branch_on_a_pushed_branch_starts_there() {
    let fixture = pushed();
    fixture.git("checkout -q -b first");
    let first = fixture.commit("f1", &["f1"]);
    fixture.git("push -q origin first");
    fixture.git("checkout -q -b second");
    fixture.commit("f2", &["f2"]);
    let set = push(&fixture);
    assert_eq!((base_id(&set), listed(&set)), (first.as_str(), vec!["A f2".into()]));
}

#[test]
fn without_a_remote_a_branch_compares_with_the_local_default_branch() {
    let fixture = Fixture::repository();
    let fork = fixture.commit("one", &["a"]);
    fixture.git("checkout -q -b feature");
    fixture.commit("two", &["b"]);
    let set = push(&fixture);
    assert_eq!((base_id(&set), listed(&set)), (fork.as_str(), vec!["A b".into()]));
}

#[test]
fn unrelated_history_is_all_new() {
    let fixture = pushed();
    fixture.git("checkout -q --orphan pages");
    fixture.git("rm -rfq .");
    fixture.commit("site", &["index.html"]);
    let set = push(&fixture);
    assert_eq!((&set.base, listed(&set)), (&Base::Nothing, vec!["A index.html".into()]));
    assert_eq!(set.notices, [Notice::UnrelatedHistory { with: "origin".into() }]);
}

#[test]
fn a_detached_head() {
    let fixture = pushed();
    fixture.git("checkout -q --detach");
    // A checkout of a pushed commit, as CI makes them: the push that brought it.
    let set = push(&fixture);
    assert!(matches!(set.base, Base::Previous { .. }), "{:?}", set.base);
    assert_eq!(listed(&set), ["A dir/c"]);
    fixture.commit("loose", &["g"]);
    let set = push(&fixture);
    assert!(matches!(set.base, Base::NewBranch { .. }));
    assert_eq!(listed(&set), ["A g"]);
}

#[test]
fn an_explicit_base_is_compared_directly() {
    let fixture = pushed();
    let first = fixture.git("rev-parse HEAD^");
    fixture.git("tag -a -m annotated v1 HEAD^");
    for revision in ["HEAD^", "HEAD~1", "v1", &first, &first[..9]] {
        let set = changes(&fixture, &Comparison::Revision(revision.to_owned()));
        assert_eq!((base_id(&set), listed(&set)), (first.as_str(), vec!["A dir/c".into()]), "{revision}");
    }
    let repository = Repository::discover(&fixture.root()).unwrap().unwrap();
    let observation = repository.observe().unwrap();
    for unknown in ["nowhere", "--help", "HEAD^{tree}", ""] {
        let error = repository.changes(&observation, &Comparison::Revision(unknown.into())).unwrap_err();
        assert!(error.to_string().contains(&format!("revision `{unknown}`")), "{error}");
    }
}

#[test]
fn a_tag_has_no_paths() {
    let fixture = pushed();
    fixture.git("tag v2");
    let set = changes(&fixture, &Comparison::Tag);
    assert_eq!((set.base, set.paths), (Base::Tag, Vec::new()));
}

#[test]
fn a_shallow_clone_lists_every_file() {
    let fixture = pushed();
    let origin = fixture.beside("origin.git");
    fixture.git_in(&fixture.beside(""), &format!("clone -q --depth 1 file://{} shallow", origin.display()));
    let repository = Repository::discover(&fixture.beside("shallow")).unwrap().unwrap();
    let observation = repository.observe().unwrap();
    assert!(observation.is_shallow);
    let set = repository.changes(&observation, &Comparison::Push).unwrap();
    assert_eq!((&set.base, set.complete), (&Base::Unknown, false));
    assert_eq!(set.notices, [Notice::NothingToPush, Notice::ShallowHistory]);
    assert_eq!(listed(&set), ["A a", "A dir/b", "A dir/c"]);

    // With a new commit the upstream's commit is the base, and it is here.
    std::fs::write(fixture.beside("shallow/h"), "h").unwrap();
    fixture.git_in(&fixture.beside("shallow"), "add h");
    fixture.git_in(&fixture.beside("shallow"), "commit -q -m h");
    let set = repository.changes(&repository.observe().unwrap(), &Comparison::Push).unwrap();
    assert_eq!((set.complete, listed(&set)), (true, vec!["A h".into()]));
}

#[test]
fn a_submodule_is_one_path() {
    let library = Fixture::repository();
    library.commit("lib", &["x", "y"]);
    let fixture = pushed();
    let url = library.root();
    fixture.git(&format!("-c protocol.file.allow=always submodule --quiet add {} lib", url.display()));
    fixture.git("commit -q -m submodule");
    fixture.git("push -q origin main");
    // Files inside of it do not count, another commit of it does.
    std::fs::write(fixture.root().join("lib/untracked"), "").unwrap();
    std::fs::write(fixture.root().join("lib/x"), "edited").unwrap();
    let before = changes(&fixture, &Comparison::Revision("HEAD".into()));
    assert_eq!(listed(&before), Vec::<String>::new());
    fixture.git_in(&fixture.root().join("lib"), "commit -q -am inner");
    assert_eq!(listed(&push(&fixture)), ["M lib"]);
    fixture.git("commit -q -am moved");
    assert_eq!(listed(&push(&fixture)), ["M lib"]);
}

#[test]
fn the_limits_of_path_filters_are_stated() {
    let fixture = pushed();
    for number in 0..300 {
        fixture.write(&format!("many/{number}"), "");
    }
    assert_eq!(push(&fixture).diff_limit_exceeded, None);
    fixture.write("many/300", "");
    assert_eq!(push(&fixture).diff_limit_exceeded, Some(DiffLimit::Files));
}

#[test]
fn work_trees_and_bare_repositories() {
    let fixture = pushed();
    fixture.git("worktree add -q -b other ../linked");
    std::fs::write(fixture.beside("linked/n"), "").unwrap();
    let linked = Repository::discover(&fixture.beside("linked")).unwrap().unwrap();
    let set = linked.changes(&linked.observe().unwrap(), &Comparison::Push).unwrap();
    assert_eq!(listed(&set), ["A n"]);
    let bare = Repository::discover(&fixture.beside("origin.git")).unwrap().unwrap();
    let set = bare.changes(&bare.observe().unwrap(), &Comparison::Revision("HEAD^".into())).unwrap();
    assert_eq!(listed(&set), ["A dir/c"]);
    assert!(Repository::discover(&Fixture::empty().root()).unwrap().is_none());
}

#[test]
fn a_damaged_repository_is_an_error() {
    let fixture = pushed();
    std::fs::write(fixture.root().join(".git/config"), "[core\nnonsense").unwrap();
    let error = Repository::discover(&fixture.root()).unwrap_err();
    assert!(error.to_string().contains("failed to open the git repository"), "{error}");
}

#[test]
fn what_git_knows() {
    let fixture = pushed();
    fixture.git("remote set-url origin https://user:secret@github.com/octo/app.git");
    fixture.git("tag v1");
    fixture.git("tag -a -m x v1.0");
    fixture.git("tag old HEAD^");
    let repository = Repository::discover(&fixture.root()).unwrap().unwrap();
    let seen = repository.observe().unwrap();
    assert_eq!(seen.head, Head::Branch("main".into()));
    assert_eq!(seen.reference().as_deref(), Some("refs/heads/main"));
    let commit = seen.commit.as_ref().unwrap();
    assert_eq!(commit.id.as_str(), fixture.git("rev-parse HEAD"));
    assert_eq!((commit.author.name.as_str(), commit.committer.email.as_str()), ("Ada", "bo@example.org"));
    assert_eq!((commit.message.as_str(), commit.parents.len()), ("two\n", 1));
    assert_eq!(seen.tags, ["v1", "v1.0"]);
    assert_eq!(seen.repository_name().map(ToString::to_string).as_deref(), Some("octo/app"));
    assert_eq!(seen.remotes[0].url.as_deref(), Some("https://user@github.com/octo/app.git"));
    let upstream = seen.upstream.as_ref().unwrap();
    assert_eq!((upstream.name.as_str(), &upstream.commit), ("origin/main", &commit.id));
    let default = seen.default_branch.as_ref().unwrap();
    assert_eq!((default.name.as_str(), default.is_certain), ("main", true));

    let unborn = Fixture::repository();
    let seen = Repository::discover(&unborn.root()).unwrap().unwrap().observe().unwrap();
    assert_eq!((seen.head, seen.commit, seen.default_branch), (Head::Unborn("main".into()), None, None));
}
