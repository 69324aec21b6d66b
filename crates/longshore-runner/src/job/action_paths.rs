//! The directories of a job as actions in containers of their own see them, at GitHub's places.

use std::io;
use std::path::PathBuf;

use super::Paths;

const HOME: &str = "/github/home";
const WORKFLOW: &str = "/github/workflow";
const COMMANDS: &str = "/github/file_commands";
const WORKSPACE: &str = "/github/workspace";
const TEMP: &str = "/github/runner_temp";

/// The directories of a job in the container of an action.
pub(crate) struct ActionPaths<'p> {
    job: &'p Paths,
    pub(crate) inside: Paths,
}

impl<'p> ActionPaths<'p> {
    /// The event's payload.
    pub(crate) const EVENT: &'static str = "/github/workflow/event.json";

    pub(crate) fn new(job: &'p Paths) -> Self {
        let outside = |inside: &str| job.outside(inside).unwrap_or_else(|| job.root.join("work"));
        let mounts = [
            (WORKSPACE, outside(&job.workspace)),
            (TEMP, outside(&job.temp)),
            (COMMANDS, outside(&job.commands)),
            (WORKFLOW, outside(&job.workflow)),
            (HOME, job.root.join("home")),
        ];
        let inside = Paths {
            mounts: mounts.into_iter().map(|(inside, outside)| (inside.to_owned(), outside)).collect(),
            workspace: WORKSPACE.to_owned(),
            temp: TEMP.to_owned(),
            home: HOME.to_owned(),
            workflow: WORKFLOW.to_owned(),
            commands: COMMANDS.to_owned(),
            ..job.clone()
        };
        Self { job, inside }
    }

    /// Makes what not every job has.
    pub(crate) fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.job.root.join("home"))
    }

    /// Directories that steps could have replaced, with their places below [`work`](Self::work).
    pub(crate) fn replaceable(&self) -> Vec<(String, String)> {
        let work = self.work();
        let below = |inside: &str| {
            let place = self.job.outside(inside)?;
            Some(place.strip_prefix(&work).ok()?.to_str()?.to_owned())
        };
        let pairs = [(WORKSPACE, &self.job.workspace), (TEMP, &self.job.temp)];
        pairs.into_iter().filter_map(|(inside, job)| Some((inside.to_owned(), below(job)?))).collect()
    }

    /// The directory of the job that steps rewrite as they like, on this machine.
    pub(crate) fn work(&self) -> PathBuf {
        self.job.root.join("work")
    }

    /// A path of the job, if a text is one, as the action sees it.
    pub(crate) fn translate(&self, text: &str) -> String {
        let job = self.job;
        // The directory of commands may lie in the temporary one.
        let places = [
            (&job.commands, COMMANDS),
            (&job.workflow, WORKFLOW),
            (&job.workspace, WORKSPACE),
            (&job.temp, TEMP),
        ];
        for (from, to) in places {
            if let Some(rest) = text.strip_prefix(from.as_str())
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return format!("{to}{rest}");
            }
        }
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ActionPaths, Paths};

    #[test]
    fn paths_of_the_job_become_those_of_the_action() {
        for in_container in [false, true] {
            let job = Paths::new(Path::new("/j"), "shop", in_container);
            let paths = ActionPaths::new(&job);
            let cases = [
                (job.workspace.clone(), "/github/workspace"),
                (format!("{}/a b", job.workspace), "/github/workspace/a b"),
                (format!("{}/set_env_1", job.commands), "/github/file_commands/set_env_1"),
                (format!("{}/event.json", job.workflow), "/github/workflow/event.json"),
                (job.temp.clone(), "/github/runner_temp"),
                (format!("{}2", job.workspace), &format!("{}2", job.workspace)),
                ("x".to_owned(), "x"),
            ];
            for (from, to) in cases {
                assert_eq!(paths.translate(&from), to, "{in_container}");
            }
            let outside = |inside: &str| paths.inside.outside(inside).unwrap().display().to_string();
            assert_eq!(outside("/github/workspace/x"), "/j/work/shop/shop/x");
            assert_eq!(outside("/github/file_commands/x"), "/j/commands/x");
            assert_eq!(outside("/github/workflow/event.json"), "/j/workflow/event.json");
            let replaceable: Vec<String> = paths.replaceable().into_iter().map(|(_, below)| below).collect();
            assert_eq!(replaceable, ["shop/shop", "_temp"]);
        }
    }
}
