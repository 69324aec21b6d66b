//! Packages that try to leave the root, to exhaust the machine, or to be what they are not. They are signed: even who
//! holds the archive's key must not get at this machine.

use std::fs;

use longshore_layer::archive::{Device, Entry, EntryKind};

use crate::archive::{Server, archive};
use crate::package::Package;
use crate::{Attempt, base, signer};

fn attempt(hostile: Package) -> Attempt {
    let mut packages = base();
    let name = hostile.name;
    packages.push(hostile);
    let server = Server::start(archive(&packages, &signer(), ""));
    let mut attempt = Attempt::new(&server.url, signer().keyring(0, 2));
    attempt.options.include.push(name.to_owned());
    attempt
}

fn hostile() -> Package {
    Package::new("hostile", "")
}

fn link(path: &str, target: &str) -> Entry {
    Entry::new(path, EntryKind::Symlink(target.as_bytes().to_vec()))
}

#[test]
fn what_is_no_package_is_refused() {
    let device = Device { major: 1, minor: 1 };
    for (package, expected) in [
        (hostile().file("../outside", "x"), "leads elsewhere"),
        (hostile().file("./usr/../../outside", "x"), "leads elsewhere"),
        (hostile().file("/etc/passwd", "x"), "leads elsewhere"),
        (
            hostile().entry(Entry::new("./dev/mem", EntryKind::CharacterDevice(device)), b""),
            "is a character device",
        ),
        (hostile().entry(Entry::new("./dev/sda", EntryKind::BlockDevice(device)), b""), "is a block device"),
        (hostile().entry(Entry::new("./pipe", EntryKind::Fifo), b""), "is a named pipe"),
        (
            hostile().entry(Entry::new("./a", EntryKind::HardLink(b"../../etc/passwd".to_vec())), b""),
            "leads elsewhere",
        ),
        (
            hostile().entry(Entry::new("./a", EntryKind::HardLink(b"./nothing".to_vec())), b""),
            "failed to write `a`",
        ),
        (hostile().control("../x", "x"), "has a name that cannot be one"),
        (hostile().file("./usr/bin/extra", "x"), "overwrites `usr/bin/extra` of the package `extra`"),
        (hostile().file("./usr", "a file in place of a directory"), "failed to write `usr`"),
    ] {
        let mut attempt = attempt(package);
        attempt.options.include.push("extra".to_owned());
        let failure = attempt.failure();
        assert!(failure.contains(expected), "{expected}: {failure}");
        assert!(!attempt.root("outside").exists());
    }
}

#[test]
fn links_lead_to_where_they_would_in_the_finished_system() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    fs::write(outside.path().join("victim"), "untouched").unwrap();
    let attempt = attempt(
        hostile()
            .entry(link("./absolute", target), b"")
            .file("./absolute/victim", "written")
            .entry(link("./upwards", "../../../../../../../etc"), b"")
            .file("./upwards/new", "new")
            .entry(link("./etc/victim", &format!("{target}/victim")), b"")
            .file("./etc/victim", "replaced")
            .entry(link("./tool", "/proc/self/root/etc"), b""),
    );
    let result = attempt.run("root");
    assert_eq!(fs::read_to_string(outside.path().join("victim")).unwrap(), "untouched");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    // The directory that the first link leads to does not exist in the root, so the file in it cannot be written.
    assert!(
        result.is_err() || attempt.root("root").join(target.trim_start_matches('/')).join("victim").exists()
    );
}

#[test]
fn links_within_the_root_are_followed() {
    let attempt = attempt(
        hostile()
            .entry(link("./upwards", "../../../../../../../etc"), b"")
            .file("./upwards/new", "new")
            .entry(link("./etc/victim", "/etc/passwd"), b"")
            .file("./etc/victim", "replaced"),
    );
    attempt.run("root").unwrap();
    let root = attempt.root("root");
    assert_eq!(fs::read_to_string(root.join("etc/new")).unwrap(), "new");
    assert_eq!(fs::read_to_string(root.join("etc/victim")).unwrap(), "replaced");
    assert!(!root.join("etc/passwd").exists());
}

#[test]
fn a_package_that_replaces_another_may_have_its_files() {
    let package = Package::new("hostile", "Replaces: base-files (<< 2)\n").file("./usr/bin/tool", "mine\n");
    let attempt = attempt(package);
    attempt.run("root").unwrap();
    let root = attempt.root("root");
    assert_eq!(fs::read_to_string(root.join("usr/bin/tool")).unwrap(), "mine\n");
}

#[test]
fn damaged_packages_are_refused() {
    let whole = hostile().file("./usr/bin/large", &"x".repeat(100_000)).build();
    for at in [0, 8, 20, 60, 70, 130, 200, whole.len() - 30, whole.len() - 5] {
        let mut packages = base();
        packages.push(hostile());
        // The archive vouches for the damaged package, so that only its reader can notice.
        let mut damaged = whole.clone();
        damaged.truncate(at.max(1));
        let server = Server::start(crate::archive::archive_with(&packages, &signer(), "hostile", &damaged));
        let mut attempt = Attempt::new(&server.url, signer().keyring(0, 2));
        attempt.options.include.push("hostile".to_owned());
        let failure = attempt.failure();
        assert!(failure.contains("failed to unpack the package `hostile`"), "{at}: {failure}");
    }
}
