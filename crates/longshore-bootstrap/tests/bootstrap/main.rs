//! Roots from small archives on the loopback interface, as root and as an ordinary user.

#![expect(clippy::unwrap_used, reason = "it is all tests, also what stands outside of their functions")]

mod archive;
mod hostile;
mod package;
mod signer;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::Timestamp;
use longshore_bootstrap::{BootstrapError, Bootstrapped, ConfigureStep, Options, Variant, bootstrap};
use longshore_event::Silent;
use longshore_layer::{PackOptions, pack};
use longshore_oci::Platform;
use tempfile::TempDir;

use crate::archive::{Files, MADE, Server, archive, sha256};
use crate::package::Package;
use crate::signer::{KEY_MADE, Signer};

/// One attempt, with a directory of its own for the cache and the roots.
struct Attempt {
    options: Options,
    directory: TempDir,
}

impl Attempt {
    fn new(mirror: &str, keyring: Vec<u8>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            suite: "debian:bookworm".parse().unwrap(),
            platform: Platform::new("linux", "amd64"),
            variant: Variant::Minbase,
            include: Vec::new(),
            components: Vec::new(),
            mirror: Some(mirror.to_owned()),
            near_mirror: None,
            keyring: Some(keyring),
            cache: directory.path().join("cache"),
            offline: false,
            accept_expired: false,
            now: Timestamp::from_second(i64::from(MADE) + 3600).unwrap(),
        };
        Self { options, directory }
    }

    fn root(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, name: &str) -> Result<Bootstrapped, BootstrapError> {
        bootstrap(&self.options, &self.root(name), None, &Silent)
    }

    /// The error of an attempt that fails, with its causes.
    fn failure(&self) -> String {
        let error = self.run("failed").unwrap_err();
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    }
}

fn signer() -> Signer {
    Signer::new(7)
}

fn base() -> Vec<Package> {
    vec![
        Package::new("base-files", "Essential: yes\nPriority: required\nMulti-Arch: foreign\n")
            .file("./etc/issue", "Debian\n")
            .file("./bin/tool", "tool\n")
            .control("conffiles", "/etc/issue\n")
            .control("preinst", "#!/bin/sh\n")
            .control("triggers", "interest-noawait /usr/share/x\ninterest named\n"),
        Package::new("apt", "Depends: libapt (>= 1)\n").compressed("zst").file("./usr/bin/apt", "apt\n"),
        Package::new("libapt", "Multi-Arch: same\nDepends: apt\n")
            .compressed("gz")
            .file("./usr/lib/libapt.so", "lib\n"),
        Package::new("extra", "Description: short\n long\n").file("./usr/bin/extra", "extra\n"),
    ]
}

fn files(more_fields: &str) -> Files {
    archive(&base(), &signer(), more_fields)
}

fn text(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn a_root_is_made() {
    let server = Server::start(files(""));
    let mut attempt = Attempt::new(&server.url, signer().keyring(0, 2));
    attempt.options.include.push("extra".to_owned());
    let made = attempt.run("root").unwrap();
    let root = attempt.root("root");

    assert_eq!(text(&root, "usr/bin/tool"), "tool\n");
    assert_eq!(fs::read_link(root.join("bin")).unwrap(), Path::new("usr/bin"));
    assert_eq!(text(&root, "etc/apt/sources.list"), format!("deb {} bookworm main\n", server.url));
    assert_eq!(text(&root, "var/lib/dpkg/info/base-files.list"), "/.\n/usr\n/etc/issue\n/bin/tool\n");
    assert!(root.join("var/lib/dpkg/info/libapt:amd64.list").exists());
    assert_eq!(text(&root, "var/lib/dpkg/triggers/File"), "/usr/share/x base-files/noawait\n");
    assert_eq!(text(&root, "var/lib/dpkg/triggers/named"), "base-files\n");
    assert!(!root.join("usr/sbin/policy-rc.d").exists());
    let status = text(&root, "var/lib/dpkg/status");
    assert!(status.contains("Package: extra\nStatus: install ok unpacked\nVersion: 1\n"), "{status}");
    assert!(status.contains("Description: short\n long\n\n"), "{status}");
    assert!(status.contains("Conffiles:\n /etc/issue 32865e97b5342e762ab140e00f3da23b\n"), "{status}");

    let names: Vec<_> = made.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["apt", "base-files", "extra", "libapt"]);
    assert_eq!((made.name.as_str(), made.version.as_deref()), ("debian:bookworm", Some("12.9")));
    let config = made.image_config(longshore_oci::Digest::of(b"layer"));
    assert_eq!(config.created.as_deref(), Some("2026-05-28T20:26:40Z"));
    assert_eq!(config.config.unwrap().cmd.unwrap(), ["bash"]);
}

#[test]
fn two_roots_are_the_same_and_the_second_needs_no_network() {
    let server = Server::start(files(""));
    let mut attempt = Attempt::new(&server.url, signer().keyring(0, 2));
    let digest = |attempt: &Attempt, name: &str| {
        attempt.run(name).unwrap();
        pack(&attempt.root(name), std::io::sink(), &PackOptions::default()).unwrap().diff_id
    };
    let first = digest(&attempt, "first");
    let asked = server.asked.lock().unwrap().len();
    attempt.options.offline = true;
    attempt.options.now = Timestamp::from_second(i64::from(MADE) + 7200).unwrap();
    assert_eq!(digest(&attempt, "second"), first);
    assert_eq!(server.asked.lock().unwrap().len(), asked);

    // A damaged cache is noticed.
    let deb = &server.files.lock().unwrap()["pool/apt_1_amd64.deb"];
    fs::write(attempt.root("cache/sha256").join(sha256(deb)), b"x".repeat(deb.len())).unwrap();
    assert!(attempt.failure().contains("is not in the cache"));
}

#[test]
fn a_mirror_may_be_a_directory() {
    let mirror = tempfile::tempdir().unwrap();
    for (path, content) in files("") {
        let path = mirror.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let url = format!("file://{}", mirror.path().display());
    let mut attempt = Attempt::new(&url, signer().keyring(0, 2));
    attempt.options.offline = true;
    attempt.run("root").unwrap();
}

#[test]
fn packages_are_configured_in_order() {
    let server = Server::start(files(""));
    let attempt = Attempt::new(&server.url, signer().keyring(0, 2));
    let steps = Mutex::new(Vec::new());
    let configurator = |step: &ConfigureStep| {
        steps.lock().unwrap().push(step.command.join(" "));
        assert!(step.environment.contains(&("DEBIAN_FRONTEND".to_owned(), "noninteractive".to_owned())));
        assert!(attempt.root("root").join("usr/sbin/policy-rc.d").exists());
        Ok(())
    };
    bootstrap(&attempt.options, &attempt.root("root"), Some(&configurator), &Silent).unwrap();
    assert_eq!(
        steps.into_inner().unwrap(),
        [
            "/var/lib/dpkg/info/base-files.preinst install",
            "/usr/bin/dpkg --force-unsafe-io --force-depends --configure base-files",
            "/usr/bin/dpkg --force-unsafe-io --configure -a",
        ]
    );
    let failing = |_: &ConfigureStep| Err("exit status 1".into());
    let failed = bootstrap(&attempt.options, &attempt.root("other"), Some(&failing), &Silent);
    assert_eq!(failed.unwrap_err().to_string(), "failed at preparing base-files");
}

#[test]
fn releases_that_are_not_vouched_for_are_refused() {
    let server = Server::start(files(""));
    let release = "dists/bookworm/InRelease";
    let original = String::from_utf8(server.files.lock().unwrap()[release].clone()).unwrap();
    let keyring = signer().keyring(0, 2);
    let begin = "-----BEGIN PGP SIGNED";
    for (release_text, keyring, expected) in [
        (original.replace("amd64", "amd46"), &keyring, "the signature does not belong to the text"),
        (original.replace(begin, &format!("Extra: 1\n{begin}")), &keyring, "it is not one text with"),
        (format!("{original}Extra: 1\n"), &keyring, "it is not one text with"),
        (original.replace("\n\nOrigin", "\nExtra: 1\n\nOrigin"), &keyring, "it is not one text with"),
        (
            original.split("-----BEGIN PGP SIGNATURE").next().unwrap().to_owned(),
            &keyring,
            "it is not one text",
        ),
        ("Origin: Debian\n".to_owned(), &keyring, "it is not one text with"),
        (
            original.clone(),
            &Signer::new(8).keyring(0, 2),
            "none of the keys that signed it is in the keyring",
        ),
        (original.clone(), &signer().keyring(MADE - KEY_MADE + 60, 2), "that signed it has expired"),
        // A key that may only certify.
        (original.clone(), &signer().keyring(0, 1), "the keyring holds no"),
        (original.clone(), &b"nonsense".to_vec(), "no list of OpenPGP public keys"),
    ] {
        server.files.lock().unwrap().insert(release.to_owned(), release_text.into_bytes());
        let failure = Attempt::new(&server.url, keyring.clone()).failure();
        assert!(failure.contains(expected), "{expected}: {failure}");
    }
    // Blanks at line ends and carriage returns are not signed, and change nothing.
    server.files.lock().unwrap().insert(release.to_owned(), original.replace('\n', " \r\n").into_bytes());
    let blanks = Attempt::new(&server.url, keyring.clone()).failure();
    assert!(blanks.contains("it is not one text"), "{blanks}");
    server.files.lock().unwrap().insert(release.to_owned(), original.replace('\n', "\r\n").into_bytes());
    Attempt::new(&server.url, keyring).run("root").unwrap();
}

#[test]
fn releases_that_are_over_or_of_other_suites_are_refused() {
    let server = Server::start(files("Valid-Until: Thu, 28 May 2026 21:00:00 UTC\n"));
    let mut attempt = Attempt::new(&server.url, signer().keyring(MADE - KEY_MADE + 60, 2));
    assert!(attempt.failure().contains("has expired"), "{}", attempt.failure());
    attempt.options.keyring = Some(signer().keyring(0, 2));
    assert!(attempt.failure().contains("valid until 2026-05-28T21:00:00Z"));
    attempt.options.accept_expired = true;
    attempt.options.keyring = Some(signer().keyring(MADE - KEY_MADE + 60, 2));
    attempt.run("root").unwrap();
    attempt.options.now = Timestamp::from_second(i64::from(MADE) - 200_000).unwrap();
    attempt.options.accept_expired = false;
    assert!(attempt.failure().contains("is still to come"));
    attempt.options.suite = "debian:trixie".parse().unwrap();
    assert!(attempt.failure().contains("does not exist (HTTP status 404)"));
    let other = server.files.lock().unwrap()["dists/bookworm/InRelease"].clone();
    server.files.lock().unwrap().insert("dists/trixie/InRelease".to_owned(), other);
    attempt.options.accept_expired = true;
    assert!(attempt.failure().contains("asked for the suite `trixie`"), "{}", attempt.failure());
}

#[test]
fn content_with_another_digest_is_refused() {
    for path in ["dists/bookworm/main/binary-amd64/Packages.xz", "pool/apt_1_amd64.deb"] {
        let mut files = files("");
        let last = files.get_mut(path).unwrap().last_mut().unwrap();
        *last ^= 1;
        let server = Server::start(files);
        let attempt = Attempt::new(&server.url, signer().keyring(0, 2));
        assert!(attempt.failure().contains("its SHA-256 should be"), "{path}: {}", attempt.failure());
        server.files.lock().unwrap().get_mut(path).unwrap().push(0);
        assert!(attempt.failure().contains("it holds more than"), "{path}: {}", attempt.failure());
        server.files.lock().unwrap().get_mut(path).unwrap().truncate(10);
        assert!(attempt.failure().contains("its SHA-256 should be"), "{path}: {}", attempt.failure());
    }
}

#[test]
fn wishes_that_cannot_be_fulfilled_are_explained() {
    let server = Server::start(files(""));
    for (change, expected) in [
        (&|options: &mut Options| options.include.push("extar".to_owned()) as (), "did you mean `extra`?"),
        (
            &|options: &mut Options| options.components.push("contrib".to_owned()),
            "no component `contrib`; it has: main",
        ),
        (
            &|options: &mut Options| options.platform = Platform::new("linux", "arm64"),
            "no packages for `arm64`",
        ),
        (
            &|options: &mut Options| options.platform = Platform::new("plan9", "amd64"),
            "for the platform `plan9/amd64`",
        ),
        (
            &|options: &mut Options| options.offline = true,
            "is not in the cache, and the network is not to be used",
        ),
    ] as [(&dyn Fn(&mut Options), &str); 5]
    {
        let mut attempt = Attempt::new(&server.url, signer().keyring(0, 2));
        change(&mut attempt.options);
        let failure = attempt.failure();
        assert!(failure.contains(expected), "{expected}: {failure}");
    }
    let attempt = Attempt::new(&server.url, signer().keyring(0, 2));
    fs::create_dir(attempt.root("failed")).unwrap();
    fs::write(attempt.root("failed/file"), b"").unwrap();
    assert!(attempt.failure().contains("is not an empty directory"));
}
