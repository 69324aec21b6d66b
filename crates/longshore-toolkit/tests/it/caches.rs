//! What runs restore of what others saved.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use longshore_toolkit::Limits;
use longshore_toolkit::cache::{CacheBounds, CacheForm, CacheKey, CachePart, CacheScopes, NewCache, Saved};

use crate::scene::{Scene, cache, mode};

fn part(label: &str, path: &str) -> CachePart {
    CachePart { label: label.to_owned(), path: path.into() }
}

fn keys(keys: &[&str]) -> Vec<CacheKey> {
    keys.iter().map(|key| key.parse().unwrap()).collect()
}

fn main() -> CacheScopes {
    CacheScopes::of_ref("refs/heads/main", None, Some("main"), true)
}

#[test]
fn trees_come_back_with_links_rights_and_times() {
    let scene = Scene::new();
    scene.write("root/.cache/pip/bin/tool", "x", 0o755);
    scene.write("root/.cache/pip/mod/locked", "y", 0o444);
    scene.write("w/one", "file", 0o640);
    std::os::unix::fs::symlink("/etc/shadow", scene.job("root/.cache/pip/link")).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::open(scene.job("root/.cache/pip/mod/locked")).unwrap().set_modified(old).unwrap();
    fs::set_permissions(scene.job("root/.cache/pip/mod"), fs::Permissions::from_mode(0o555)).unwrap();
    let store = scene.caches(CacheBounds::default());
    let parts = [part("~/.cache/pip", "/root/.cache/pip"), part("one", "w/one"), part("missing", "w/no")];
    let (saved, done) =
        store.save_files(&cache(&scene, "k", "refs/heads/main"), &scene.root(), &parts).unwrap();
    assert!(matches!(saved, Saved::New(_)));
    assert_eq!((done.files, done.bytes), (4, 6));

    let found = store.find(&keys(&["k"]), "v", &main(), scene.now).unwrap().unwrap();
    assert!(matches!(&found.entry().form, CacheForm::Tree(labels) if labels.len() == 3));
    let target = |label: &str| (label != "missing").then(|| format!("/home/{}", &label[..1]).into());
    // A link of the job where a directory is to be gives way.
    fs::create_dir(scene.job("home")).unwrap();
    std::os::unix::fs::symlink("/w", scene.job("home/~")).unwrap();
    found.restore(&scene.root(), target).unwrap();
    assert_eq!(fs::read(scene.job("home/~/bin/tool")).unwrap(), b"x");
    assert_eq!(mode(&scene.job("home/~/bin/tool")), 0o755);
    assert_eq!(mode(&scene.job("home/~/mod")), 0o555);
    assert_eq!(mode(&scene.job("home/~/mod/locked")), 0o444);
    assert_eq!(fs::metadata(scene.job("home/~/mod/locked")).unwrap().modified().unwrap(), old);
    assert_eq!(fs::read_link(scene.job("home/~/link")).unwrap().to_str(), Some("/etc/shadow"));
    assert_eq!(fs::read(scene.job("home/o")).unwrap(), b"file");
    // A second time it replaces what is there, where the job's rights allow.
    fs::set_permissions(scene.job("home/~/mod"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(scene.job("home/~/bin/tool"), "changed").unwrap();
    found.restore(&scene.root(), target).unwrap();
    assert_eq!(fs::read(scene.job("home/~/bin/tool")).unwrap(), b"x");
    drop(found);
    // Directories that forbid writing are removed all the same.
    assert_eq!(store.delete(|_| true).unwrap().len(), 1);
    assert_eq!(fs::read_dir(scene.path("caches/drafts")).unwrap().count(), 0);
    fs::set_permissions(scene.job("root/.cache/pip/mod"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(scene.job("home/~/mod"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn save(scene: &Scene, new: &NewCache, bounds: CacheBounds, content: &[u8]) -> Saved {
    let store = scene.caches(bounds);
    let mut upload = store.begin().unwrap();
    upload.write_all(content).unwrap();
    store.finish(new, upload).unwrap()
}

#[test]
fn keys_match_as_a_whole_then_as_beginnings_newest_first() {
    let scene = Scene::new();
    let bounds = CacheBounds::default();
    for (day, key) in [(0, "npm-a"), (1, "npm-b"), (0, "npm"), (2, "pip-x")] {
        let new = NewCache { created: scene.later(day), ..cache(&scene, key, "refs/heads/main") };
        save(&scene, &new, bounds, key.as_bytes());
    }
    let store = scene.caches(bounds);
    for (asked, expected) in [
        (&["npm-a"][..], Some("npm-a")),
        (&["npm-"], Some("npm-b")),
        (&["npm"], Some("npm")),
        (&["npm-c", "npm-"], Some("npm-b")),
        (&["npm-c", "pip-", "npm-"], Some("pip-x")),
        (&["npm-c"], None),
        (&["NPM-a"], None),
    ] {
        let found = store.find(&keys(asked), "v", &main(), scene.later(2)).unwrap();
        assert_eq!(found.as_ref().map(|found| found.entry().key.as_str()), expected, "{asked:?}");
    }
    assert!(store.find(&keys(&["npm-a"]), "w", &main(), scene.now).unwrap().is_none());
}

#[test]
fn scopes_keep_pull_requests_from_poisoning_branches() {
    let scene = Scene::new();
    let bounds = CacheBounds::default();
    for (key, scope) in
        [("k-main", "refs/heads/main"), ("k-next", "refs/heads/next"), ("k-7", "refs/pull/7/merge")]
    {
        save(&scene, &cache(&scene, key, scope), bounds, b"x");
    }
    let store = scene.caches(bounds);
    let found = |reference, base, asked| {
        let scopes = CacheScopes::of_ref(reference, base, Some("main"), true);
        let found = store.find(&keys(&[asked]), "v", &scopes, scene.now).unwrap();
        found.map(|found| found.entry().key.clone())
    };
    assert_eq!(found("refs/pull/7/merge", Some("next"), "k-").as_deref(), Some("k-7"));
    assert_eq!(found("refs/pull/8/merge", Some("next"), "k-").as_deref(), Some("k-next"));
    assert_eq!(found("refs/heads/topic", None, "k-").as_deref(), Some("k-main"));
    assert_eq!(found("refs/heads/main", None, "k-7"), None);
    // The same key may stand in another scope, and stands once in its own.
    assert!(matches!(save(&scene, &cache(&scene, "k-main", "refs/heads/next"), bounds, b"y"), Saved::New(_)));
    assert_eq!(save(&scene, &cache(&scene, "k-main", "refs/heads/main"), bounds, b"y"), Saved::Taken);
}

#[test]
fn what_was_used_longest_ago_gives_way() {
    let scene = Scene::new();
    let bounds = CacheBounds { total: 25, idle_days: 7, entry: Limits { bytes: 25, entries: 10 } };
    let at = |day, key| NewCache { created: scene.later(day), ..cache(&scene, key, "refs/heads/main") };
    save(&scene, &at(0, "a"), bounds, &[0; 10]);
    save(&scene, &at(1, "b"), bounds, &[0; 10]);
    let store = scene.caches(bounds);
    assert!(store.find(&keys(&["a"]), "v", &main(), scene.later(2)).unwrap().is_some());
    save(&scene, &at(3, "c"), bounds, &[0; 10]);
    let names = || -> Vec<String> { store.list().unwrap().into_iter().map(|entry| entry.key).collect() };
    assert_eq!(names(), ["c", "a"]);
    // A week later than it was used it is as good as gone, also before somebody prunes.
    assert!(store.find(&keys(&["a"]), "v", &main(), scene.later(9)).unwrap().is_none());
    let gone: Vec<_> = store.prune(scene.later(9)).unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(gone, ["a"]);
    let mut upload = store.begin().unwrap();
    assert!(upload.write_all(&[0; 26]).is_err());
}

#[test]
fn what_is_evicted_while_somebody_reads_it_stays_for_them() {
    let scene = Scene::new();
    scene.write("d/f", "content", 0o644);
    let store = scene.caches(CacheBounds::default());
    store.save_files(&cache(&scene, "k", "refs/heads/main"), &scene.root(), &[part("d", "d")]).unwrap();
    let found = store.find(&keys(&["k"]), "v", &main(), scene.now).unwrap().unwrap();
    assert_eq!(store.delete(|_| true).unwrap().len(), 1);
    assert!(store.find(&keys(&["k"]), "v", &main(), scene.now).unwrap().is_none());
    found.restore(&scene.root(), |_| Some("back".into())).unwrap();
    assert_eq!(fs::read(scene.job("back/f")).unwrap(), b"content");
}

#[test]
fn of_many_that_save_one_key_one_wins() {
    let scene = Scene::new();
    scene.write("d/f", "content", 0o644);
    let won = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let store = scene.caches(CacheBounds::default());
                    let new = cache(&scene, "k", "refs/heads/main");
                    let saved = store.save_files(&new, &scene.root(), &[part("d", "d")]).unwrap().0;
                    matches!(saved, Saved::New(_))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|&won| won).count()
    });
    assert_eq!(won, 1);
}

#[test]
fn many_files_are_copied_whole() {
    let scene = Scene::new();
    for directory in 0..150 {
        for file in 0..20 {
            scene.write(&format!("d/{directory}/{file}"), format!("{directory} {file}"), 0o644);
        }
    }
    let store = scene.caches(CacheBounds::default());
    let new = cache(&scene, "k", "refs/heads/main");
    let (_, done) = store.save_files(&new, &scene.root(), &[part("d", "d")]).unwrap();
    assert_eq!(done.files, 3000);
    let found = store.find(&keys(&["k"]), "v", &main(), scene.now).unwrap().unwrap();
    assert_eq!(found.restore(&scene.root(), |_| Some("e".into())).unwrap(), done);
    for directory in 0..150 {
        for file in 0..20 {
            let path = scene.job(&format!("e/{directory}/{file}"));
            assert_eq!(fs::read_to_string(path).unwrap(), format!("{directory} {file}"));
        }
    }
}
