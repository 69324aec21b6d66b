//! `actions/checkout`: the files of a repository in the job's workspace.
//!
//! Without a `ref` and a `repository` that is the project as it is now: the files that git tracks or that are new and not
//! ignored, with changes that are not committed, on top of the commit that is checked out there. Anything else comes from
//! git's objects. Both are made with what git needs to work in it; history is cut off as the action cuts it off.

mod copy;
mod credentials;
mod git_directory;
mod inputs;
mod lay;
mod objects;
mod subject;
mod submodule;

use std::path::Path;
use std::sync::PoisonError;

use self::credentials::Credentials;
use self::inputs::Wish;
use self::lay::{Laid, Layout};
pub(crate) use self::objects::LentObjects;
use self::subject::Subject;
use crate::environment::set;
use crate::handler::{HandlerEnd, Inputs};
use crate::job::{Folder, chain};
use crate::step::StepCall;

/// What was checked out into a directory.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// The address of `origin`.
    url: String,
    /// The files that git tracks.
    tracked: Vec<Vec<u8>>,
}

/// Checks out what the inputs say.
pub(super) fn main(call: &mut StepCall<'_>) -> HandlerEnd {
    match check_out(call) {
        Ok(outputs) => {
            for (name, value) in outputs {
                set(&mut call.outputs, name, value);
            }
            HandlerEnd::success()
        }
        Err(error) => HandlerEnd::failed(call, error),
    }
}

/// Takes back what may not stay in the checkout.
pub(super) fn post(call: &StepCall<'_>) -> HandlerEnd {
    if let Ok(wish) = wish(call)
        && let Ok(target) = target(call, &wish)
    {
        Credentials::take_back(call, &wish, &server(call, &wish), &target);
    }
    HandlerEnd::success()
}

/// Lays the files of the running commit out beside those of other actions, once for a job; their directory inside.
pub(crate) fn lay_actions(call: &StepCall<'_>) -> Result<String, String> {
    let place = call.steps.place;
    let github = |key: &str| call.scope.text("github", key).unwrap_or_default();
    let (repository, commit) = (github("repository"), github("sha"));
    let inside = format!("{}/{repository}/{commit}", place.paths.actions);
    let mut known = place.checkouts.lock().unwrap_or_else(PoisonError::into_inner);
    if known.contains_key(Path::new(&inside)) {
        return Ok(inside);
    }
    let wish = Wish::read(&Inputs::default(), &repository, &place.paths.workspace)?;
    let subject = Subject::find(call, &wish)?;
    if let Some(warning) = &subject.warning {
        call.voice.warning(warning);
    }
    let (root, below) = place.paths.anchor(&inside);
    let target = Folder::open(&root).and_then(|root| root.make_all(&below)).and_then(|target| {
        target.clear()?;
        Ok(target)
    });
    let target = target.map_err(|error| format!("failed to make `{inside}`: {error}"))?;
    let work = &call.steps.run.runner.work;
    let layout = Layout {
        wish: &wish,
        repository: subject.repository.as_ref(),
        files: subject.files.as_deref(),
        commit: subject.commit.as_ref(),
        reference: &subject.reference,
        url: &format!("{}/{repository}", server(call, &wish)),
        lent: &place.lent,
        state: work.parent().unwrap_or(work),
        settings: &|_| {},
        depth: 0,
        fetch: &|url, commit| Subject::of_submodule(call, url, commit),
    };
    let laid = layout.lay(&target).map_err(|error| chain(&error))?;
    known.insert(inside.clone().into(), Checkout { url: String::new(), tracked: laid.tracked });
    Ok(inside)
}

fn wish(call: &StepCall<'_>) -> Result<Wish, String> {
    let own = call.scope.text("github", "repository").unwrap_or_default();
    let mut inputs = call.inputs.clone();
    inputs.set_default("token", call.scope.text("github", "token").unwrap_or_default());
    Wish::read(&inputs, &own, &call.steps.place.paths.workspace)
}

/// The directory that is checked out into.
fn target(call: &StepCall<'_>, wish: &Wish) -> std::io::Result<Folder> {
    let paths = &call.steps.place.paths;
    let (root, below) = paths.anchor(&paths.workspace);
    Folder::open(&root)?.make_all(&below)?.make_all(&wish.path)
}

fn server(call: &StepCall<'_>, wish: &Wish) -> String {
    let known = call.scope.text("github", "server_url").filter(|url| !url.is_empty());
    let url = wish.server.clone().or(known).unwrap_or_else(|| "https://github.com".to_owned());
    url.trim_end_matches('/').to_owned()
}

fn check_out(call: &StepCall<'_>) -> Result<Vec<(&'static str, String)>, String> {
    let wish = wish(call)?;
    let subject = Subject::find(call, &wish)?;
    call.voice.line(&format!("Syncing repository: {}", subject.name));
    if let Some(warning) = &subject.warning {
        call.voice.warning(warning);
    }
    if wish.lfs && subject.files.is_none() {
        call.voice.warning(
            "`lfs` is not supported for a commit that is not checked out: its large files stay pointers",
        );
    }
    let target = target(call, &wish)
        .map_err(|error| format!("failed to open the directory to check out into: {error}"))?;
    let server = server(call, &wish);
    let url = match &wish.ssh {
        Some(ssh) => {
            let host = server.split_once("://").map_or(server.as_str(), |(_, host)| host);
            format!("{}@{host}:{}.git", ssh.user, subject.name)
        }
        None => format!("{server}/{}", subject.name),
    };
    make_room(call, &wish, &url, &target)
        .map_err(|error| format!("failed to remove what is in the directory to check out into: {error}"))?;
    let credentials = Credentials::leave(call, &wish, &server)?;
    let work = &call.steps.run.runner.work;
    let layout = Layout {
        wish: &wish,
        repository: subject.repository.as_ref(),
        files: subject.files.as_deref(),
        commit: subject.commit.as_ref(),
        reference: &subject.reference,
        url: &url,
        lent: if subject.is_own { &call.steps.place.lent } else { &[] },
        state: work.parent().unwrap_or(work),
        settings: &|config| credentials.add(config),
        depth: 0,
        fetch: &|url, commit| Subject::of_submodule(call, url, commit),
    };
    let laid = layout.lay(&target).map_err(|error| chain(&error))?;
    laid.warnings.iter().for_each(|warning| call.voice.warning(warning));
    tell(call, &subject, &laid);
    let key = wish.path.clone();
    call.steps
        .place
        .checkouts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, Checkout { url, tracked: laid.tracked });
    let commit = subject.commit.map(|commit| commit.to_string()).unwrap_or_default();
    // What was asked for is given back as it was written, unless it is a commit.
    let reference = match wish.reference.as_str() {
        "" => subject.reference,
        asked if longshore_source::CommitId::parse(asked).is_some() => String::new(),
        asked => asked.to_owned(),
    };
    Ok(vec![("ref", reference), ("commit", commit)])
}

/// Removes what is there: everything, or, of the same repository without `clean`, what its commit brought.
fn make_room(call: &StepCall<'_>, wish: &Wish, url: &str, target: &Folder) -> std::io::Result<()> {
    let before = call.steps.place.checkouts.lock().unwrap_or_else(PoisonError::into_inner).remove(&wish.path);
    let Some(before) = before.filter(|before| !wish.clean && before.url == url) else {
        return target.clear();
    };
    if target.enter(b".git")?.is_none() {
        return target.clear();
    }
    for path in before.tracked {
        target.remove_below(&path)?;
    }
    Ok(())
}

fn tell(call: &StepCall<'_>, subject: &Subject, laid: &Laid) {
    let files = laid.files;
    let what = match (&subject.files, &subject.repository) {
        (Some(_), Some(_)) => "as they are now, changes that are not committed included",
        (Some(_), None) => "as they are now",
        (None, _) => "of the commit",
    };
    call.voice.line(&format!("{files} files from {}, {what}", subject.origin));
    if let Some(commit) = &subject.commit {
        let reference =
            if subject.reference.is_empty() { String::new() } else { format!(" ({})", subject.reference) };
        call.voice.line(&format!("{commit}{reference}"));
    }
}
