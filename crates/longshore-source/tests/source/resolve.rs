//! Files of other repositories: directories, mirrors, cache, network.

use std::path::Path;

use longshore_source::{
    ActionCache, ActionTrees, CommitId, FetchError, GitTree, Located, Mirror, Missing, OriginKind, Override,
    Resolution, ResolveError, Resolved, Resolver, ResolverSettings,
};
use longshore_syntax::{SourceLoader, SourceRef};

use crate::fixture::Fixture;
use crate::git_server::GitServer;

fn remote(text: &str) -> SourceRef {
    let (place, version) = text.split_once('@').unwrap();
    let mut parts = place.splitn(3, '/').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    SourceRef::Remote { owner: next(), repository: next(), path: next(), version: version.to_owned() }
}

fn found(resolver: &Resolver, text: &str) -> Resolved {
    match resolver.resolve(&remote(text)).unwrap() {
        Resolution::Found(answer) => *answer,
        Resolution::Missing(missing) => panic!("{text}: {missing:?}"),
    }
}

fn missing(resolver: &Resolver, text: &str) -> Missing {
    match resolver.resolve(&remote(text)).unwrap() {
        Resolution::Missing(missing) => missing,
        Resolution::Found(answer) => panic!("{text}: {answer:?}"),
    }
}

/// `mirror/app`: two commits; `v1` annotated on the first, `main` on the second, `both` a tag on the first and a branch
/// on the second.
struct Mirrored {
    fixture: Fixture,
    first: String,
    second: String,
}

fn mirrored() -> Mirrored {
    let fixture = Fixture::repository();
    fixture.write("sub/action.yaml", "nested");
    fixture.write("docker/Dockerfile", "FROM scratch\n");
    fixture.write(".github/workflows/reuse.yml", "on: workflow_call");
    fixture.write("action.yml", "one");
    std::os::unix::fs::symlink("sub", fixture.root().join("alias")).unwrap();
    std::os::unix::fs::symlink("../../secret", fixture.root().join("escape.yml")).unwrap();
    std::os::unix::fs::symlink("loop.yml", fixture.root().join("loop.yml")).unwrap();
    let first = fixture.commit("one", &[]);
    fixture.git("tag -a -m release v1");
    fixture.git("tag both");
    fixture.write("action.yml", "two");
    let second = fixture.commit("two", &[]);
    fixture.git("branch both");
    fixture.git("branch feature/x");
    std::fs::create_dir(fixture.beside("mirror")).unwrap();
    fixture.git("clone -q --bare . ../mirror/app.git");
    Mirrored { fixture, first, second }
}

impl Mirrored {
    fn mirror(&self) -> Mirror {
        Mirror { prefix: "octo/".into(), target: self.fixture.beside("mirror").display().to_string() }
    }
}

#[test]
fn versions_of_a_local_mirror() {
    let mirrored = mirrored();
    let resolver = Resolver::new(ResolverSettings { mirrors: vec![mirrored.mirror()], ..Default::default() });
    let (first, second) = (mirrored.first.as_str(), mirrored.second.as_str());
    let cases = [
        ("octo/app@v1", first, "one"),
        ("octo/app@main", second, "two"),
        ("octo/app@feature/x", second, "two"),
        ("octo/app@both", first, "one"),
        ("octo/app@refs/heads/both", second, "two"),
        (&format!("octo/app@{first}"), first, "one"),
        ("OCTO/app@v1", first, "one"),
    ];
    for (reference, commit, text) in cases {
        let answer = found(&resolver, reference);
        assert_eq!(answer.file.text(), text, "{reference}");
        assert_eq!(answer.origin.commit.as_ref().map(CommitId::as_str), Some(commit), "{reference}");
        assert_eq!(answer.origin.kind, OriginKind::Mirror);
    }
    let short = missing(&resolver, &format!("octo/app@{}", &first[..7]));
    assert!(short.tried[0].reason.contains("has no branch, tag or commit"), "{short:?}");
}

#[test]
fn files_and_actions_of_a_commit() {
    let mirrored = mirrored();
    let resolver = Resolver::new(ResolverSettings { mirrors: vec![mirrored.mirror()], ..Default::default() });
    let cases = [
        ("octo/app@v1", Some(("action.yml", "one"))),
        ("octo/app/sub@v1", Some(("sub/action.yaml", "nested"))),
        ("octo/app/alias@v1", Some(("alias/action.yaml", "nested"))),
        ("octo/app/docker@v1", Some(("docker/Dockerfile", "FROM scratch\n"))),
        (
            "octo/app/.github/workflows/reuse.yml@v1",
            Some((".github/workflows/reuse.yml", "on: workflow_call")),
        ),
        ("octo/app/.github@v1", None),
        ("octo/app/none@v1", None),
        ("octo/app/action.yml/below@v1", None),
        ("octo/app/loop.yml@v1", None),
    ];
    for (reference, expected) in cases {
        match (resolver.resolve(&remote(reference)).unwrap(), expected) {
            (Resolution::Found(answer), Some((path, text))) => {
                assert_eq!((answer.path.as_str(), answer.file.text()), (path, text), "{reference}");
                assert_eq!(answer.file.name(), format!("octo/app/{path}@v1"));
            }
            (Resolution::Missing(missing), None) => {
                let attempt = missing.tried.last().unwrap();
                assert!(attempt.reason.starts_with("has no such file or action at commit"), "{missing:?}");
            }
            (resolution, _) => panic!("{reference}: {resolution:?}"),
        }
    }
    let error = resolver.resolve(&remote("octo/app/escape.yml@v1")).unwrap_err();
    assert!(error.to_string().contains("leaves the repository"), "{error}");
}

#[test]
fn a_tree_is_a_loader_for_its_own_files() {
    let mirrored = mirrored();
    let tree = GitTree::open(&mirrored.fixture.root(), "v1").unwrap().unwrap();
    let file = tree.load(&SourceRef::Local { path: "./action.yml".into() }).unwrap().unwrap();
    assert_eq!((file.name(), file.text()), ("action.yml", "one"));
    assert!(tree.load(&remote("octo/app@v1")).is_err());
    assert!(GitTree::open(&mirrored.fixture.beside("mirror"), "v1").unwrap().is_none());
    assert!(GitTree::open(&mirrored.fixture.root(), "nowhere").unwrap().is_none());
}

#[test]
fn plain_directories_override_and_mirror() {
    let fixture = Fixture::empty();
    fixture.write("mine/action.yml", "mine");
    fixture.write("plain/app/action.yml", "any");
    fixture.write("plain/app@v2/action.yml", "two");
    fixture.write("single/action.yml", "single");
    let path = |name: &str| fixture.root().join(name);
    let mirror = |prefix: &str, name: &str| Mirror {
        prefix: prefix.into(),
        target: format!("file://{}", path(name).display()),
    };
    let resolver = Resolver::new(ResolverSettings {
        overrides: vec![Override { name: "Octo/mine@v1".into(), directory: path("mine") }],
        mirrors: vec![mirror("octo/", "plain"), mirror("octo/single", "single")],
        ..Default::default()
    });
    let cases = [
        ("octo/mine@v1", "mine", OriginKind::Override),
        ("octo/app@v1", "any", OriginKind::Mirror),
        ("octo/app@v2", "two", OriginKind::Mirror),
        ("octo/single@v9", "single", OriginKind::Mirror),
    ];
    for (reference, text, kind) in cases {
        let answer = found(&resolver, reference);
        assert_eq!((answer.file.text(), answer.origin.kind), (text, kind), "{reference}");
    }
    let gone = missing(&resolver, "octo/mine@v2");
    assert!(gone.is_offline && gone.tried[0].location.ends_with("plain/mine"), "{gone:?}");
}

#[test]
fn what_is_missing_says_where_it_was_looked_for() {
    let mirrored = mirrored();
    let home = mirrored.fixture.beside("home");
    let resolver = Resolver::new(ResolverSettings {
        mirrors: vec![mirrored.mirror()],
        cache: Some(ActionCache::in_home(&home)),
        server: Some("https://github.com".into()),
        ..Default::default()
    });
    let answer = missing(&resolver, "octo/app@v9");
    let reasons: Vec<&str> = answer.tried.iter().map(|attempt| attempt.reason.as_str()).collect();
    assert_eq!(reasons, ["has no branch, tag or commit `v9`", "does not hold it"]);
    assert!(answer.is_offline);
    assert!(!home.exists(), "asking leaves nothing behind");
    assert!(resolver.load(&remote("else/where@v1")).unwrap().is_none());
}

#[test]
fn hostile_references_are_refused() {
    let resolver = Resolver::new(ResolverSettings::default());
    for reference in ["../x@v1", "octo/app/../../x@v1", "octo/app@--upload-pack=x", "octo/app@a/../b"] {
        let error = resolver.resolve(&remote(reference)).unwrap_err();
        assert!(matches!(error, ResolveError::Reference(_)), "{reference}: {error}");
    }
    let local = resolver.resolve(&SourceRef::Local { path: "x".into() }).unwrap_err();
    assert!(local.to_string().contains("work tree"), "{local}");
}

/// Settings that fetch from `server` into the cache in `home`.
fn online(server: &GitServer, home: &Path, now: u64) -> ResolverSettings {
    ResolverSettings {
        cache: Some(ActionCache::in_home(home)),
        network: true,
        server: Some(server.url.clone()),
        now,
        refresh_after: 60,
        ..Default::default()
    }
}

/// A server that has the repository as `/octo/app`.
fn served(mirrored: &Mirrored) -> GitServer {
    let root = mirrored.fixture.beside("server");
    std::fs::create_dir(&root).unwrap();
    mirrored.fixture.git_in(&root, "clone -q --bare ../work octo/app");
    GitServer::start(&root)
}

#[test]
fn a_fetch_fills_the_cache_for_work_offline() {
    let mirrored = mirrored();
    let server = served(&mirrored);
    let home = mirrored.fixture.beside("home");
    let cases = [
        ("octo/app@v1".to_owned(), "one"),
        ("octo/app@feature/x".to_owned(), "two"),
        ("octo/app@both".to_owned(), "one"),
        ("octo/app@refs/heads/main".to_owned(), "two"),
        (format!("octo/app@{}", mirrored.first), "one"),
    ];
    for (reference, text) in &cases {
        let answer = found(&Resolver::new(online(&server, &home, 1000)), reference);
        assert_eq!(answer.file.text(), *text, "{reference}");
    }
    let asked = server.requests();
    let offline = Resolver::new(ResolverSettings { network: false, ..online(&server, &home, 9999) });
    for (reference, text) in &cases {
        let answer = found(&offline, reference);
        assert_eq!((answer.file.text(), answer.origin.kind), (*text, OriginKind::Cache), "{reference}");
    }
    assert_eq!(server.requests(), asked);
    let left: Vec<_> = walk(&home).into_iter().filter(|path| path.contains("/.fetch-")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn branches_are_refreshed_and_commits_are_not() {
    let mirrored = mirrored();
    let server = served(&mirrored);
    let home = mirrored.fixture.beside("home");
    let at = |now| Resolver::new(online(&server, &home, now));
    let pinned = format!("octo/app@{}", mirrored.second);
    assert_eq!(found(&at(1000), "octo/app@main").file.text(), "two");
    mirrored.fixture.write("action.yml", "three");
    mirrored.fixture.commit("three", &[]);
    mirrored.fixture.git("push -q ../server/octo/app main");
    assert_eq!(found(&at(1060), "octo/app@main").file.text(), "two");
    assert_eq!(found(&at(1061), "octo/app@main").file.text(), "three");
    let asked = server.requests();
    assert_eq!(found(&at(u64::MAX), &pinned).file.text(), "two");
    assert_eq!(server.requests(), asked);
    // A server that is gone does not take away what was fetched.
    let dead = ResolverSettings { server: Some("http://127.0.0.1:9".into()), ..online(&server, &home, 5000) };
    assert_eq!(found(&Resolver::new(dead), "octo/app@main").file.text(), "three");
}

#[test]
fn redirects_and_url_mirrors_are_followed() {
    let mirrored = mirrored();
    let server = served(&mirrored);
    let home = mirrored.fixture.beside("home");
    let mirror = Mirror { prefix: "other/name".into(), target: format!("{}/moved/octo/app", server.url) };
    let resolver = Resolver::new(ResolverSettings { mirrors: vec![mirror], ..online(&server, &home, 1) });
    assert_eq!(found(&resolver, "other/name@v1").file.text(), "one");
}

#[test]
fn failed_fetches_say_what_to_do() {
    let mirrored = mirrored();
    let server = served(&mirrored);
    let home = mirrored.fixture.beside("home");
    let resolver = Resolver::new(online(&server, &home, 1));
    let error = |text: &str| resolver.resolve(&remote(text)).unwrap_err().to_string();
    let unknown = error("octo/app@v9");
    assert!(unknown.contains("/octo/app` has no branch, tag or commit `v9`"), "{unknown}");
    let absent = error("octo/none@v1");
    assert!(absent.contains("failed to fetch `v1`") && absent.contains("octo/none"), "{absent}");
    let ssh = Mirror { prefix: "octo/app".into(), target: "ssh://git:secret@host/octo/app".into() };
    let resolver = Resolver::new(ResolverSettings { mirrors: vec![ssh], ..online(&server, &home, 1) });
    let refused = resolver.resolve(&remote("octo/app@v1")).unwrap_err();
    assert!(matches!(refused, ResolveError::Fetch(FetchError::Scheme { .. })), "{refused}");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    assert!(walk(&home).iter().all(|path| !path.contains("/.fetch-")), "nothing half-done stays");
}

#[test]
fn many_processes_may_fetch_at_once() {
    let mirrored = mirrored();
    let server = served(&mirrored);
    let home = mirrored.fixture.beside("home");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let resolver = Resolver::new(online(&server, &home, 1));
                assert_eq!(found(&resolver, "octo/app@v1").file.text(), "one");
            });
        }
    });
}

/// All paths below `directory`.
fn walk(directory: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut stack = vec![directory.to_owned()];
    while let Some(at) = stack.pop() {
        for entry in std::fs::read_dir(&at).into_iter().flatten().map(Result::unwrap) {
            paths.push(entry.path().display().to_string());
            if entry.file_type().unwrap().is_dir() {
                stack.push(entry.path());
            }
        }
    }
    paths
}

#[test]
fn a_repository_becomes_a_directory_once_for_each_commit() {
    use std::os::unix::fs::PermissionsExt as _;

    let Mirrored { fixture, first, .. } = mirrored();
    fixture.write("run.sh", "#!/bin/sh\n");
    let script = fixture.root().join("run.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let third = fixture.commit("three", &[]);
    fixture.git("push -q --force ../mirror/app.git main");
    let mirror = Mirror { prefix: "mirror/".into(), target: fixture.beside("mirror").display().to_string() };
    let over = Override { name: "own/app".into(), directory: fixture.root() };
    let settings =
        ResolverSettings { mirrors: vec![mirror], overrides: vec![over], ..ResolverSettings::default() };
    let home = fixture.beside("home");
    let trees = ActionTrees::in_home(&home);
    let resolver = Resolver::new(settings);
    let locate = |text: &str| match resolver.locate(&remote(text), &trees).unwrap() {
        Located::Found { directory, origin } => (directory, origin),
        Located::Missing(missing) => panic!("{text}: {missing:?}"),
    };
    let (directory, origin) = locate("mirror/app/sub@v1");
    assert_eq!(directory, home.join("actions/trees").join(&first), "the whole repository, whatever the path");
    assert_eq!(origin.commit.map(|commit| commit.to_string()), Some(first));
    let text = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    assert_eq!((text("action.yml"), text("alias/action.yaml")), ("one".to_owned(), "nested".to_owned()));
    assert_eq!(std::fs::read_link(directory.join("escape.yml")).unwrap(), Path::new("../../secret"));
    // What is there is not written again.
    std::fs::write(directory.join("mark"), "").unwrap();
    assert!(locate("mirror/app@both").0.join("mark").exists());
    let newest = locate("mirror/app@main").0;
    assert!(newest.ends_with(&third));
    let mode = |name: &str| std::fs::metadata(newest.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("run.sh"), mode("action.yml"), mode("sub")), (0o755, 0o644, 0o755));
    let own = locate("own/app@anything");
    assert_eq!((own.0, own.1.kind), (fixture.root().canonicalize().unwrap(), OriginKind::Override));
    let gone = resolver.locate(&remote("mirror/none@v1"), &trees).unwrap();
    assert!(matches!(gone, Located::Missing(missing) if missing.is_offline && missing.tried.len() == 1));
}

#[test]
fn names_that_git_would_not_check_out_are_refused() {
    let fixture = Fixture::repository();
    fixture.commit("one", &["a"]);
    let blob = fixture.git("rev-parse HEAD:a");
    for (case, name) in [("dotdot", ".."), ("git", ".GiT")] {
        let mut content = format!("100644 {name}\0").into_bytes();
        let id = (0..20).map(|at| u8::from_str_radix(&blob[2 * at..2 * at + 2], 16).unwrap());
        content.extend(id);
        fixture.write("tree", content);
        let tree = fixture.git("hash-object -t tree --literally -w tree");
        let commit = fixture.git(&format!("commit-tree -m {case} {tree}"));
        let out = fixture.beside(case);
        std::fs::create_dir(&out).unwrap();
        let tree = GitTree::open(&fixture.root(), &commit).unwrap().unwrap();
        let error = tree.write_into(&out).unwrap_err();
        assert!(error.to_string().contains("would not check out"), "{error}");
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
    }
}
