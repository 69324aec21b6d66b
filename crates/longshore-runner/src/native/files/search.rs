//! Searching a job's files by patterns, as `@actions/glob` does: links are followed, broken ones left out, and a directory
//! is not entered below itself.

use std::path::{Path, PathBuf};

use longshore_source::GlobSet;

use super::{FilesError, JobFiles};
use crate::job::Kind;

/// A search that sees more than this is given up.
const MOST_VISITS: usize = 5_000_000;

/// Something that patterns ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its path as the job knows it; there may be links on the way.
    pub(crate) inside: PathBuf,
    /// Its place below the root of the job's files.
    pub(crate) source: PathBuf,
    /// What it is; never a link.
    pub(crate) kind: Kind,
}

/// Something to look at.
struct Visit {
    segments: Vec<String>,
    inside: PathBuf,
    real: PathBuf,
    kind: Kind,
    /// The directories that it was reached through, without links.
    chain: Vec<PathBuf>,
}

/// Everything that patterns ask for, directories before what is in them, in the order of names. With `hidden` what has a
/// name that begins with a dot counts, too.
pub(crate) fn search(
    files: &mut JobFiles<'_>,
    set: &GlobSet,
    hidden: bool,
) -> Result<Vec<Found>, FilesError> {
    let mut found = Vec::new();
    for segments in set.search_paths() {
        let inside: PathBuf = Path::new("/").join(segments.iter().collect::<PathBuf>());
        let Some((real, kind)) = files.find(&inside)? else { continue };
        if !hidden && is_hidden(&inside) {
            continue;
        }
        let start = Visit { segments, inside, real, kind, chain: Vec::new() };
        search_from(files, set, hidden, start, &mut found)?;
    }
    Ok(found)
}

fn search_from(
    files: &mut JobFiles<'_>,
    set: &GlobSet,
    hidden: bool,
    start: Visit,
    found: &mut Vec<Found>,
) -> Result<(), FilesError> {
    let top = start.inside.clone();
    let (mut stack, mut visits) = (vec![start], 0_usize);
    while let Some(visit) = stack.pop() {
        visits += 1;
        if visits > MOST_VISITS {
            return Err(FilesError::TooMuch { path: top });
        }
        let decision = set.decide(&visit.segments);
        let counts = if visit.kind == Kind::Directory { decision.directory } else { decision.file };
        if counts {
            let source = files.source(&visit.real);
            found.push(Found { inside: visit.inside.clone(), source, kind: visit.kind });
        }
        if visit.kind == Kind::Directory && decision.descend && !visit.chain.contains(&visit.real) {
            push_children(files, hidden, visit, &mut stack)?;
        }
    }
    Ok(())
}

fn push_children(
    files: &mut JobFiles<'_>,
    hidden: bool,
    parent: Visit,
    stack: &mut Vec<Visit>,
) -> Result<(), FilesError> {
    let place = files.source(&parent.real);
    let listed = files.directory.list(&place);
    let listed = listed.map_err(|source| FilesError::Look { path: parent.inside.clone(), source })?;
    let mut chain = parent.chain;
    chain.push(parent.real.clone());
    for (name, kind) in listed.into_iter().rev() {
        let inside = parent.inside.join(&name);
        if !hidden && is_hidden(&inside) {
            continue;
        }
        let mut real = parent.real.join(&name);
        let mut kind = kind;
        if kind == Kind::Link {
            let Some(led) = files.find(&real)? else { continue };
            (real, kind) = led;
        }
        let mut segments = parent.segments.clone();
        segments.push(name.to_string_lossy().into_owned());
        // Only directories are entered again.
        let chain = if kind == Kind::Directory { chain.clone() } else { Vec::new() };
        stack.push(Visit { segments, inside, real, kind, chain });
    }
    Ok(())
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
