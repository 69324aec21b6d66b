//! A parent of control groups for one test, and shells as members.

use std::fs::File;
use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use longshore_cgroup::{Cgroup, Created, Entry, Hierarchy, Limits, Surroundings};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The hierarchies of this machine with a parent for one test, which is removed at the end.
pub(crate) struct TestHierarchy(pub(crate) Hierarchy);

impl TestHierarchy {
    /// The hierarchies, or `None` after saying why not.
    pub(crate) fn new(test: &str) -> Option<Self> {
        let hierarchy = Hierarchy::detect_for(&format!("longshore-test-{test}-{}", std::process::id()));
        match hierarchy.absence() {
            Some(absence) => {
                eprintln!("skipped: {absence}");
                None
            }
            None => Some(Self(hierarchy)),
        }
    }

    /// The same without the tree of version 2, if version 1 is here.
    pub(crate) fn legacy_only(test: &str) -> Option<Self> {
        Self::among(test, |line| !line.contains(" - cgroup2 "))
    }

    /// The same with nothing but the tree of version 2, if there is one.
    pub(crate) fn unified_only(test: &str) -> Option<Self> {
        Self::among(test, |line| line.contains(" - cgroup2 "))
    }

    fn among(test: &str, is_mounted: impl Fn(&&str) -> bool) -> Option<Self> {
        let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mountinfo = mountinfo.lines().filter(is_mounted).collect::<Vec<_>>().join("\n");
        let parent = format!("longshore-test-{test}-{}", std::process::id());
        let hierarchy =
            Hierarchy::detect_in(Surroundings { mountinfo: &mountinfo, cgroup: "", parent: &parent });
        match hierarchy.absence() {
            Some(absence) => {
                eprintln!("skipped: {absence}");
                None
            }
            None => Some(Self(hierarchy)),
        }
    }

    /// A group with limits; `None` after saying why not, if this machine does not keep them.
    pub(crate) fn create(&self, limits: &Limits) -> Option<Cgroup> {
        let Created { cgroup, unsupported } = self.0.create("one", limits).unwrap();
        if unsupported.is_empty() {
            return Some(cgroup);
        }
        unsupported.iter().for_each(|missing| eprintln!("skipped: {missing}"));
        cgroup.remove(PATIENCE).unwrap();
        None
    }
}

impl Drop for TestHierarchy {
    fn drop(&mut self) {
        let names = self.0.leftovers().unwrap_or_default();
        for cgroup in names.iter().filter_map(|name| self.0.open(name).ok().flatten()) {
            let _ = cgroup.kill(PATIENCE);
            let _ = cgroup.remove(PATIENCE);
        }
        let _ = self.0.remove_parents();
    }
}

/// A shell that waits for its first line of input before it runs a script.
pub(crate) struct Member {
    pub(crate) child: Child,
    input: ChildStdin,
}

impl Member {
    /// Starts a shell in a group. It joins by writing `0` itself, as containers do.
    pub(crate) fn start(cgroup: &Cgroup, script: &str) -> Self {
        let files: Vec<File> = cgroup.join_files(Entry::Moved).unwrap().into_iter().map(File::from).collect();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("read -r line; {script}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Without unsafe code nothing of this test runs between clone and exec; the parent moves the shell instead.
        for mut file in files {
            file.write_all(child.id().to_string().as_bytes()).unwrap();
        }
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"go\n").unwrap();
        Self { child, input }
    }

    /// Ends the input, and waits for the shell.
    pub(crate) fn finish(self) -> std::process::ExitStatus {
        drop(self.input);
        let mut child = self.child;
        child.wait().unwrap()
    }
}
