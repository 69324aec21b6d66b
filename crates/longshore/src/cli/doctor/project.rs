//! What there is to run in the project: counted, not read.

use std::path::Path;

use longshore_report::count;

use super::check::CheckDto;
use crate::examine::tree_of;

/// How deep Dockerfiles are looked for.
const DEPTH: usize = 4;
/// How many directory entries are looked at.
const ENTRIES: usize = 5000;
/// Directories that hold what others wrote.
const SKIPPED: [&str; 6] = ["node_modules", "target", "vendor", "venv", "__pycache__", "dist"];

/// What was counted.
#[derive(Debug, Default)]
struct Found {
    compose: usize,
    dockerfiles: usize,
    others: Vec<&'static str>,
    seen: usize,
}

pub(super) fn checks(directory: &Path) -> Vec<CheckDto> {
    const ID: &str = "project.files";
    let tree = match tree_of(directory) {
        Ok(tree) => tree,
        Err(error) => return vec![CheckDto::note(ID, "the project cannot be read").because(&error)],
    };
    let workflows = tree.workflows().map_or(0, |paths| paths.len());
    let root = tree.root();
    let mut found = Found::default();
    let is_project = tree.is_git() || workflows > 0 || root.join("longshore.toml").exists();
    if is_project {
        found.walk(root, 0);
        let named = [
            ("devcontainer", ".devcontainer/devcontainer.json"),
            ("bake file", "docker-bake.hcl"),
            ("Makefile", "Makefile"),
            ("longshore.toml", "longshore.toml"),
        ];
        found.others.extend(named.iter().filter(|(_, path)| root.join(path).exists()).map(|(name, _)| *name));
    }
    let mut parts: Vec<String> =
        [(workflows, "workflow"), (found.compose, "compose file"), (found.dockerfiles, "Dockerfile")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, noun)| count(number, noun))
            .collect();
    parts.extend(found.others.iter().map(|name| (*name).to_owned()));
    let place = root.display();
    vec![if parts.is_empty() {
        CheckDto::ok(ID, format!("nothing to run in `{place}`"))
    } else {
        CheckDto::ok(ID, format!("{} in `{place}`", parts.join(", ")))
    }]
}

impl Found {
    fn walk(&mut self, directory: &Path, depth: usize) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            self.seen += 1;
            if self.seen > ENTRIES {
                return;
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEPTH && !is_skipped(&name) => {
                    self.walk(&entry.path(), depth + 1);
                }
                Ok(kind) if kind.is_file() => self.count(&name, depth),
                _ => {}
            }
        }
    }

    fn count(&mut self, name: &str, depth: usize) {
        let lower = name.to_ascii_lowercase();
        let (stem, extension) = lower.rsplit_once('.').unwrap_or((&lower, ""));
        let is_dockerfile = ["dockerfile", "containerfile"].contains(&stem)
            || stem.starts_with("dockerfile.")
            || extension == "dockerfile";
        let is_compose = depth == 0
            && ["yml", "yaml"].contains(&extension)
            && (stem == "compose" || stem.starts_with("compose.") || stem.starts_with("docker-compose"));
        self.dockerfiles += usize::from(is_dockerfile);
        self.compose += usize::from(is_compose);
    }
}

/// Whether a directory holds what is no part of the project.
fn is_skipped(name: &str) -> bool {
    name.starts_with('.') || SKIPPED.contains(&name)
}
