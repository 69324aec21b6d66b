//! Node for JavaScript actions: the one that the job's image has if it is new enough, else one that is brought.
//!
//! Brought ones lie in a directory that the job sees as a whole ([`ActionSource::nodes`](crate::ActionSource::nodes)), so
//! that nothing is fetched before an action needs it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use longshore_engine::{ExecSpec, Output, ProcessIo, Stream};

use super::{JobRun, Place, chain};
use crate::voice::StepVoice;

/// What Node is asked: its version and its path.
const QUESTION: &str = "process.stdout.write(process.versions.node + ' ' + process.execPath)";

/// More is no answer.
const MAX_ANSWER: usize = 8192;

/// Node in a job.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    /// The image's own: its major version and its path.
    own: OnceLock<Option<(u32, String)>>,
    /// What runs actions that want more, by major version: brought ones that are known to run here, or the image's own
    /// for want of better.
    others: Mutex<Vec<(u32, String)>>,
}

impl Nodes {
    /// The program for an action that wants at least this major version.
    pub(crate) fn find(
        &self,
        run: &JobRun<'_>,
        place: &Place,
        major: u32,
        voice: &StepVoice,
    ) -> Result<String, String> {
        let own = self.own.get_or_init(|| ask(place, "node").ok());
        if let Some((found, path)) = own
            && *found >= major
        {
            return Ok(path.clone());
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, path)) = others.iter().find(|(known, _)| *known == major) {
            return Ok(path.clone());
        }
        let path = match (bring(run, place, major), own) {
            (Ok(path), _) => path,
            // An action that was made for a newer one most often runs on it, and not at all without.
            (Err(error), Some((found, path))) => {
                voice.warning(&format!("the action wants Node {major} and runs on {found}: {error}"));
                path.clone()
            }
            (Err(error), None) => return Err(error),
        };
        others.push((major, path.clone()));
        Ok(path)
    }
}

/// Has Node brought, and looks whether it runs here.
fn bring(run: &JobRun<'_>, place: &Place, major: u32) -> Result<String, String> {
    let source = &run.runner.actions;
    let directory = source.node(major).map_err(|error| error.advice())?;
    let below = directory.strip_prefix(source.nodes()).unwrap_or(&directory);
    let path = format!("{}/{}/bin/node", place.paths.externals, below.display());
    ask(place, &path).map_err(|why| {
            format!(
                "the image has no Node {major}, and the one that is brought, which wants glibc, does not run in it \
                 ({why}); use an image with Node {major} or newer, or with glibc and libstdc++"
            )
        })?;
    Ok(path)
}

/// Has Node say what it is.
fn ask(place: &Place, program: &str) -> Result<(u32, String), String> {
    let heard = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let hearing = Arc::clone(&heard);
    let sink = move |stream: Stream, bytes: &[u8]| {
        let mut heard = hearing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = if stream == Stream::Stdout { &mut heard.0 } else { &mut heard.1 };
        if text.len() + bytes.len() <= MAX_ANSWER {
            text.extend_from_slice(bytes);
        }
    };
    let command = [program, "-e", QUESTION].map(str::to_owned).to_vec();
    let spec = ExecSpec { command, ..ExecSpec::default() };
    let io = ProcessIo { output: Output::Sink(Arc::new(sink)), ..ProcessIo::default() };
    let status = place.exec(&spec, io).and_then(|exec| exec.wait()).map_err(|error| chain(&error))?;
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = String::from_utf8_lossy(&heard.0);
    let found = answer
        .split_once(' ')
        .and_then(|(version, path)| Some((version.split('.').next()?.parse().ok()?, path.to_owned())));
    match found {
        Some(found) if status.code == 0 => Ok(found),
        _ => {
            let talk = String::from_utf8_lossy(&heard.1);
            Err(talk.lines().next().map_or_else(|| format!("exit code {}", status.code), str::to_owned))
        }
    }
}
