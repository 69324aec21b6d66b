//! A disk that is full: it is said, and a step that needs no room goes on.

use std::path::PathBuf;
use std::process::Command;

use crate::containers::Containers;
use crate::run::commit;

/// A small file system, which goes with this value.
struct Small(PathBuf);

impl Small {
    /// Nothing, with a note, where nothing can be mounted.
    fn mount(place: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&place).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(&place).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            eprintln!("skipped: no file system can be mounted here");
            return None;
        }
        Some(Self(place))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_and_ends_no_step() {
    let Some(it) = Containers::with_networks() else { return };
    std::fs::remove_dir_all(it.home()).unwrap();
    let Some(small) = Small::mount(it.home()) else { return };
    it.context.write(
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  a: { runs-on: ubuntu-latest, steps: [ { run: seq 1 1000000 } ] }\n",
    );
    commit(&it);
    let ended = it.other(&["run", "-v"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("\n  1000000\n"), "all of it is shown");
    let warning = "warning: the run was not recorded whole: failed to record the logs of run 1";
    assert!(ended.stderr.contains(warning) && ended.stderr.contains("No space left"), "{}", ended.stderr);

    // With no room at all nothing begins.
    let fill = small.0.join("fill");
    while std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&fill)
        .and_then(|mut file| std::io::Write::write_all(&mut file, &[0; 4096]))
        .is_ok()
    {}
    let ended = it.other(&["run"]);
    assert_eq!(ended.code, 4, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("cause: No space left on device"), "{}", ended.stderr);
    std::fs::remove_file(fill).unwrap();
    it.other_done(&["runs", "prune", "--keep", "0", "--keep-days", "0"]);
    it.context.write(
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  a: { runs-on: ubuntu-latest, steps: [ { run: echo there is room } ] }\n",
    );
    it.other_done(&["run"]);
    assert_eq!(it.done(&["ps", "-aq"]), "");
}
