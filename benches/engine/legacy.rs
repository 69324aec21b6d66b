//! A view of the machine in which control groups are of version 1 only. Debian's crun, and podman with it, refuse version 1
//! beside version 2, and can be compared only so. Entering the view costs them about a millisecond.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process whose mount namespace is that view.
pub(crate) struct Legacy(Child);

impl Legacy {
    /// Makes the view; nothing where there is no version 2 beside version 1.
    pub(crate) fn new() -> Option<Self> {
        if !Path::new("/sys/fs/cgroup/unified").exists() {
            return None;
        }
        let script = "umount /sys/fs/cgroup/unified && echo && exec sleep 100000";
        let mut child = Command::new("unshare")
            .args(["--mount", "--", "sh", "-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("`unshare` of util-linux runs");
        // It says when it is done.
        let told = child.stdout.as_mut().map(|told| told.read(&mut [0]));
        assert!(matches!(told, Some(Ok(1))), "control groups of version 2 can be hidden");
        Some(Self(child))
    }

    /// A program in a view, if there is one.
    pub(crate) fn command(view: Option<&Self>, program: &Path) -> Command {
        let Some(Self(child)) = view else { return Command::new(program) };
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", child.id())).arg("--").arg(program);
        command
    }
}

impl Drop for Legacy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
