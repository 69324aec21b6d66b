//! `longshore watch`: what a saved file affects, carried out whenever one is saved.
//!
//! `affected` decides what that is, `rounds` begins, supersedes and ends runs, `telling` says what goes on between them.

mod affected;
mod rounds;
mod telling;

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};

use longshore_source::{Saved, WatchError, Watcher};

use self::affected::Affected;
use self::rounds::{Heard, Rounds};
use self::telling::Telling;
use super::carry::{CarryArgs, Stage, secrets_for};
use super::event::EventArgs;
use super::run::{Asked, Prepared, RunError, Scene};
use super::selection::SelectionArgs;
use super::{Outcome, Session};
use crate::exit::Blame;
use crate::failure::{Explained, Failure};
use crate::run::recorded::Recorded;

/// Run what a saved file affects, whenever one is saved
///
/// Begins with what `longshore run` would run, and then waits. When files are saved, those workflows run that the event
/// starts with the saved files as the changed ones: `paths` filters decide by them. A saved workflow file affects itself and
/// those that call it. A run that is still going on is cancelled when a newer save affects its workflow.
///
/// What git ignores is not watched. Ctrl-C ends it, with exit code 0; a run that goes on is cancelled first, as by
/// `longshore run`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  longshore watch
  longshore watch ci.yml -j test --matrix python:3.12
  longshore watch -e pull_request --postpone
  longshore watch --once --format json")]
pub(super) struct WatchArgs {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Run nothing before the first save
    #[arg(long)]
    postpone: bool,

    /// End when what a save has started has ended, with the exit code of `longshore run`
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    carry: CarryArgs,

    #[command(flatten)]
    event: EventArgs,
}

impl Explained for WatchError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Begin(_) => {
                Some("end other programs that watch files, or raise the limit with `sysctl`".to_owned())
            }
            Self::Full { .. } => Some(
                "let git ignore what is not yours, or raise it: `sysctl fs.inotify.max_user_watches=524288`"
                    .to_owned(),
            ),
            Self::Directory { .. } | Self::Read(_) | Self::Gone { .. } | Self::Ignored(_) => None,
        }
    }
}

/// What the verb works with for as long as it watches.
struct Post<'a> {
    args: &'a WatchArgs,
    asked: Asked<'a>,
}

pub(super) fn run(args: &WatchArgs, session: &mut Session) -> Outcome {
    let asked = Asked { selection: &args.selection, event: &args.event, carry: &args.carry };
    let post = Post { args, asked };
    // What is wrong with what was asked for is told before anything is waited for.
    let scene = Scene::read(&post.asked, session)?;
    if scene.project.workflows.is_empty() && scene.project.unreadable.is_empty() {
        return Err(RunError::NoFiles.into());
    }
    let root = scene.project.tree.root().to_owned();
    let secrets = secrets_for(&scene.event, &args.carry.secrets, session)?;
    let (messages, inbox) = channel();
    let signals = messages.clone();
    let heard = move || {
        // Nobody listens any more at the end of the process.
        let _ = signals.send(Heard::Signal);
    };
    let stage = Stage::set_listening(&args.carry, None, heard, session)?;
    let excluded: Vec<PathBuf> =
        [&session.settings.home.value].into_iter().chain(args.carry.documents.paths()).cloned().collect();
    let watcher = Watcher::start(&root, &excluded)?;
    let telling = Telling::new(args.carry.format(session));
    telling.begins(&root, watcher.directories(), session)?;
    hear(watcher, messages.clone());
    let first = if args.postpone { None } else { Some(everything(scene, session)?) };
    std::thread::scope(|threads| {
        let mut rounds = Rounds::new(&post, &stage, &secrets, telling, threads, messages);
        rounds.go_on(first, &inbox, session)
    })
}

/// Tells of saves for as long as the process lives.
fn hear(mut watcher: Watcher, messages: Sender<Heard>) {
    std::thread::spawn(move || {
        loop {
            let saved = watcher.hear();
            let is_over = saved.is_err();
            if messages.send(Heard::Saved(saved)).is_err() || is_over {
                return;
            }
        }
    });
}

/// What is carried out before anything is saved.
fn everything(scene: Scene, session: &mut Session) -> Result<Affected, Failure> {
    let plan = scene.plan(&scene.event, &scene.project.workflows, session);
    Ok(Affected { prepared: scene.prepared(plan, session)?, untouched: Vec::new() })
}

impl Post<'_> {
    /// What saved files affect, by the files as they are now.
    fn affected(&self, saved: &Saved, session: &mut Session) -> Result<Affected, Failure> {
        affected::affected(Scene::read(&self.asked, session)?, saved, session)
    }

    fn recorded(&self, prepared: &Prepared, session: &Session) -> Recorded {
        prepared.recorded(&self.asked, session)
    }
}
