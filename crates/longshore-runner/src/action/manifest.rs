//! Manifests of actions, from the two kinds of places they are read in.

use std::path::Path;
use std::sync::Arc;

use longshore_source::{RepositoryPath, WorkTree};
use longshore_syntax::SourceFile;
use longshore_workflow::model::ActionManifest;
use longshore_workflow::parse_action;

use crate::job::{Directory, chain};

/// The files that make a directory an action.
const MANIFESTS: [&str; 2] = ["action.yml", "action.yaml"];

/// Larger manifests are none.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// What a manifest lacks without harm, in GitHub's words.
const UNNEEDED: [&str; 2] =
    ["Required property is missing: name", "Required property is missing: description"];

/// The manifest in a directory that steps write to; none if it is an action by nothing but its Dockerfile.
pub(crate) fn manifest_in(directory: &Path, name: &str) -> Result<Option<Arc<ActionManifest>>, String> {
    let opened = Directory::open(directory).map_err(|_| missing(name))?;
    for file_name in MANIFESTS {
        let Ok((content, true)) = opened.read(file_name, MAX_MANIFEST) else { continue };
        let text = String::from_utf8(content).map_err(|_| format!("`{name}/{file_name}` is not UTF-8"))?;
        return parse(&SourceFile::new(format!("{name}/{file_name}"), text)).map(Some);
    }
    if opened.read("Dockerfile", MAX_MANIFEST).is_ok() { Ok(None) } else { Err(missing(name)) }
}

/// The same at a path of a repository that nobody writes to. Links are followed as long as they stay in it.
pub(super) fn manifest_at(
    root: &Path,
    path: &str,
    name: &str,
) -> Result<Option<Arc<ActionManifest>>, String> {
    let tree = WorkTree::at(root).map_err(|error| chain(&error))?;
    let path = RepositoryPath::parse(path).map_err(|error| error.to_string())?;
    let Some(found) = tree.read(&path).map_err(|error| chain(&error))? else {
        return Err(format!("can't find 'action.yml', 'action.yaml' or 'Dockerfile' under `{name}`"));
    };
    if found.name().rsplit('/').next() == Some("Dockerfile") {
        return Ok(None);
    }
    let file_name = found.name().rsplit('/').next().unwrap_or_default();
    parse(&SourceFile::new(format!("{name}/{file_name}"), found.text())).map(Some)
}

fn missing(name: &str) -> String {
    format!(
        "can't find 'action.yml', 'action.yaml' or 'Dockerfile' under `{name}`; is the repository checked out?"
    )
}

fn parse(file: &SourceFile) -> Result<Arc<ActionManifest>, String> {
    let mut parsed = parse_action(file);
    // GitHub's language service asks for these; its runner takes actions without them, and there are many.
    parsed
        .schema_refusals
        .retain(|refusal| !refusal.github.as_deref().is_some_and(|github| UNNEEDED.contains(&github)));
    if !parsed.is_valid() {
        let Some(first) = parsed.diagnostics().into_iter().next() else {
            return Err(format!("`{}` cannot be used", file.name()));
        };
        let line = file.position(first.span.start).line;
        let help = first.help.map(|help| format!("; {help}")).unwrap_or_default();
        return Err(format!("`{}:{line}` cannot be used: {}{help}", file.name(), first.message));
    }
    let unusable = format!("`{}` cannot be used: it says nothing", file.name());
    parsed.model.map(Arc::new).ok_or(unusable)
}
