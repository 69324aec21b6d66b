//! Where the directories of a job are, on this machine and inside.
//!
//! The names inside are GitHub's: one layout for jobs that run on the machine of a label, another for jobs in a
//! `container:`. Outside, all of it lies below one directory that belongs to the job alone.

use std::path::{Path, PathBuf};

use crate::kept::KeptDto;

/// Where temporary files are in the directory of a job.
const TEMPORARY: [&str; 2] = ["tmp", "var-tmp"];

/// Where the directories of a job are.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// The job's directory on this machine.
    pub(crate) root: PathBuf,
    /// Directories inside with their places on this machine; longer ones first.
    pub(crate) mounts: Vec<(String, PathBuf)>,
    /// `GITHUB_WORKSPACE`.
    pub(crate) workspace: String,
    /// `RUNNER_TEMP`.
    pub(crate) temp: String,
    /// `RUNNER_TOOL_CACHE`.
    pub(crate) tool_cache: String,
    /// `RUNNER_WORKSPACE`: the directory that holds the workspace.
    pub(crate) runner_workspace: String,
    /// Where actions are.
    pub(crate) actions: String,
    /// Where what the runner brings is, such as Node.
    pub(crate) externals: String,
    /// `HOME`.
    pub(crate) home: String,
    /// Where the event's payload is.
    pub(crate) workflow: String,
    /// Where scripts and command files are.
    pub(crate) commands: String,
}

impl Paths {
    /// The directories of a job in `root`; `in_container` for a job with `container:`.
    pub(crate) fn new(root: &Path, repository: &str, in_container: bool) -> Self {
        let work = if in_container { "/__w" } else { "/home/runner/work" };
        let (tool_cache, externals, home, workflow) = if in_container {
            ("/__t", "/__e", "/github/home", "/github/workflow")
        } else {
            (
                "/opt/hostedtoolcache",
                "/home/runner/externals",
                "/home/runner",
                "/home/runner/work/_temp/_github_workflow",
            )
        };
        let commands = format!("{work}/_temp/_runner_file_commands");
        let mut mounts = vec![
            (work.to_owned(), root.join("work")),
            (commands.clone(), root.join("commands")),
            (workflow.to_owned(), root.join("workflow")),
            (tool_cache.to_owned(), root.join("tools")),
        ];
        if in_container {
            mounts.push((home.to_owned(), root.join("home")));
        }
        mounts.sort_by_key(|(inside, _)| std::cmp::Reverse(inside.len()));
        Self {
            root: root.to_owned(),
            mounts,
            workspace: format!("{work}/{repository}/{repository}"),
            runner_workspace: format!("{work}/{repository}"),
            temp: format!("{work}/_temp"),
            tool_cache: tool_cache.to_owned(),
            actions: format!("{work}/_actions"),
            externals: externals.to_owned(),
            home: home.to_owned(),
            workflow: workflow.to_owned(),
            commands,
        }
    }

    /// Makes `HOME` and the directories of temporary files directories of the job's own, too, so that what is in them
    /// stays when the job is kept. Not for images that have something of their own there.
    pub(crate) fn own_more(&mut self) {
        let home = (self.home.clone(), "home");
        for (inside, name) in [home, ("/tmp".to_owned(), TEMPORARY[0]), ("/var/tmp".to_owned(), TEMPORARY[1])]
        {
            if self.outside(&inside).is_none() {
                self.mounts.push((inside, self.root.join(name)));
            }
        }
        self.mounts.sort_by_key(|(inside, _)| std::cmp::Reverse(inside.len()));
    }

    /// Directories of temporary files on this machine, to which everybody may write.
    pub(crate) fn temporary(&self) -> impl Iterator<Item = PathBuf> {
        TEMPORARY.iter().map(|name| self.root.join(name))
    }

    /// The directories of a job that was kept.
    pub(crate) fn of_kept(record: &KeptDto) -> Self {
        let repository = record.workspace.rsplit('/').next().unwrap_or_default();
        Self { mounts: record.mounts.clone(), ..Self::new(&record.root, repository, record.in_container) }
    }

    /// The place on this machine of a path inside; none if it is not in a directory of the job.
    ///
    /// What lies there belongs to the job, which may have put links anywhere: nothing is opened by this path, see
    /// [`Directory`](super::Directory).
    pub(crate) fn outside(&self, inside: &str) -> Option<PathBuf> {
        self.mounts.iter().find_map(|(mount, place)| {
            let rest = inside.strip_prefix(mount.as_str())?;
            let rest = rest.strip_prefix('/').or_else(|| rest.is_empty().then_some(""))?;
            Some(if rest.is_empty() { place.clone() } else { place.join(rest) })
        })
    }

    /// The directory of ours that a path inside lies in, and the way from there, which the job controls.
    pub(crate) fn anchor(&self, inside: &str) -> (PathBuf, PathBuf) {
        let found = self.mounts.iter().find_map(|(mount, place)| {
            let rest = inside.strip_prefix(mount.as_str())?;
            let rest = rest.strip_prefix('/').or_else(|| rest.is_empty().then_some(""))?;
            Some((place.clone(), PathBuf::from(rest)))
        });
        found.unwrap_or_else(|| (self.root.join("work"), PathBuf::new()))
    }

    /// Where the event's payload is, inside.
    pub(crate) fn event(&self) -> String {
        format!("{}/event.json", self.workflow)
    }

    /// Where sockets of services for actions are, on this machine.
    pub(crate) fn services(&self) -> PathBuf {
        self.root.join("services")
    }

    /// The workspace on this machine.
    pub(crate) fn workspace_outside(&self) -> PathBuf {
        self.outside(&self.workspace).unwrap_or_else(|| self.root.join("work"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Paths;

    #[test]
    fn paths_lead_outside_by_the_longest_mount() {
        let paths = Paths::new(Path::new("/j"), "shop", false);
        assert_eq!(paths.workspace, "/home/runner/work/shop/shop");
        assert_eq!(paths.workspace_outside(), Path::new("/j/work/shop/shop"));
        let outside = |inside: &str| paths.outside(inside).map(|path| path.display().to_string());
        assert_eq!(
            outside("/home/runner/work/_temp/_runner_file_commands/x"),
            Some("/j/commands/x".to_owned())
        );
        assert_eq!(outside("/home/runner/work"), Some("/j/work".to_owned()));
        assert_eq!(outside("/home/runner/workshop"), None);
        assert_eq!(outside("/etc"), None);
    }
}
