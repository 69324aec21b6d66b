//! The checkpoints of one job.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use thiserror::Error;

use super::document::{Checkpoint, CheckpointsDto};
use super::policy::{Allowance, FEW_BYTES, FEW_ENTRIES, FEW_FILES, MOST_BYTES};
use super::restore::{Restore, missing};
use super::scan::{Scan, has_fine_times};
use super::shelf::{Attempt, Shelf};
use super::tree::{Directory, File};

/// Where they are in the directory of a job.
const PLACE: &str = "checkpoints";

const DOCUMENT: &str = "checkpoints.json";

/// The checkpoints of one job.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    directory: PathBuf,
    /// What is looked through.
    roots: Vec<PathBuf>,
    fine: bool,
    shelf: Arc<Shelf>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    taken: Vec<Checkpoint>,
    without: Vec<(u32, String)>,
    /// Files that wait to be copied, the oldest first.
    waiting: VecDeque<Waiting>,
    allowance: Allowance,
    /// When the last one was taken, or passed over.
    last: Instant,
    /// What the last look took, and how many entries there were.
    cost: std::time::Duration,
    entries: usize,
    /// Whether what was written down does not count any more.
    is_changed: bool,
    /// Why there will be no more.
    ended: Option<String>,
}

#[derive(Debug)]
struct Waiting {
    root: usize,
    path: Vec<u8>,
    file: Arc<File>,
}

/// Files are not what they were.
#[derive(Debug, Error)]
pub(crate) enum NotRestored {
    /// There is no checkpoint, or not all of it. Nothing was changed.
    #[error("{why}")]
    Absent {
        /// Why.
        why: String,
        /// The steps that can be gone back to.
        others: Vec<u32>,
    },
    /// It went wrong halfway.
    #[error("failed to put the files back into `{}`", path.display())]
    Failed { path: PathBuf, source: io::Error },
}

impl Checkpoints {
    /// Those of a job that begins; `root` is its directory. None where nothing can be written.
    pub(crate) fn begin(root: &Path, roots: Vec<PathBuf>) -> Option<Self> {
        static FINE: OnceLock<bool> = OnceLock::new();
        let directory = root.join(PLACE);
        if directory.exists() {
            fs::remove_dir_all(&directory).ok()?;
        }
        let shelf = Shelf::open(&directory.join("content"), 0).ok()?;
        let fine = *FINE.get_or_init(|| has_fine_times(&directory));
        Some(Self { directory, roots, fine, shelf, inner: Mutex::new(Inner::new(Vec::new(), Vec::new())) })
    }

    /// Those of a job that was kept. None where there are none.
    pub(crate) fn load(root: &Path) -> Option<Self> {
        let directory = root.join(PLACE);
        let text = fs::read(directory.join(DOCUMENT)).ok()?;
        let dto: CheckpointsDto = serde_json::from_slice(&text).ok()?;
        let shelf = Shelf::open(&directory.join("content"), dto.next).ok()?;
        let (roots, fine, without) = (dto.roots.clone(), dto.fine, dto.without.clone());
        let mut inner = Inner::new(dto.checkpoints(&shelf)?, without);
        inner.waiting = inner.uncopied().into();
        Some(Self { directory, roots, fine, shelf, inner: Mutex::new(inner) })
    }

    /// Writes them down for later.
    pub(crate) fn save(&self) -> io::Result<()> {
        let inner = self.inner();
        let numbers = (self.fine, self.shelf.next());
        let dto = CheckpointsDto::new(self.roots.clone(), numbers, &inner.taken, inner.without.clone());
        let (new, path) = (self.directory.join("checkpoints.json.new"), self.document());
        fs::write(&new, serde_json::to_vec(&dto)?)?;
        fs::rename(&new, &path)
    }

    /// A step is about to begin: remembers what it finds.
    pub(crate) fn take(&self, step: u32) {
        let mut inner = self.inner();
        let began = Instant::now();
        let took = began.saturating_duration_since(inner.last);
        inner.allowance.earn(took);
        self.forget_from(&mut inner, step);
        if let Err(why) = self.look(&mut inner, step, began) {
            inner.without.push((step, why));
        }
        inner.last = Instant::now();
    }

    /// A step is about to begin, and nothing can be remembered.
    pub(crate) fn pass_over(&self, step: u32, why: &str) {
        let mut inner = self.inner();
        self.forget_from(&mut inner, step);
        inner.without.push((step, why.to_owned()));
    }

    /// Forgets what is of a step and of those after it.
    fn forget_from(&self, inner: &mut Inner, step: u32) {
        if !inner.is_changed {
            inner.is_changed = true;
            // What was written down is not so any more. Without it, nobody goes back.
            let _ = fs::remove_file(self.document());
        }
        inner.taken.retain(|(taken, _)| *taken < step);
        inner.without.retain(|(without, _)| *without < step);
    }

    fn document(&self) -> PathBuf {
        self.directory.join(DOCUMENT)
    }

    fn look(&self, inner: &mut Inner, step: u32, began: Instant) -> Result<(), String> {
        if let Some(why) = &inner.ended {
            return Err(why.clone());
        }
        let expected = inner.cost;
        if inner.entries > FEW_ENTRIES && expected > inner.allowance.left() {
            return Err(format!("the job has {} files, and its steps are short", inner.entries));
        }
        let mut scan = Scan::new(self.fine);
        let before = inner.taken.last().map(|(_, trees)| trees.clone());
        let trees: io::Result<Vec<Arc<Directory>>> = self
            .roots
            .iter()
            .enumerate()
            .map(|(number, root)| {
                scan.root(number, root, before.as_ref().and_then(|trees| trees.get(number)))
            })
            .collect();
        inner.cost = began.elapsed();
        inner.entries = scan.entries;
        inner.allowance.spend(inner.cost);
        let trees = trees.map_err(|error| {
            let why = format!("the files of the job cannot be remembered: {error}");
            inner.ended = Some(why.clone());
            why
        })?;
        inner.taken.push((step, trees));
        let mut fresh: Vec<Waiting> =
            scan.fresh.into_iter().map(|(root, path, file)| Waiting { root, path, file }).collect();
        fresh.sort_by_key(|waiting| waiting.file.size);
        self.copy(inner, fresh);
        Ok(())
    }

    /// Copies a few of what is new, and more of it and of what waits as far as time allows.
    fn copy(&self, inner: &mut Inner, fresh: Vec<Waiting>) {
        if fresh.is_empty() && inner.waiting.is_empty() {
            return;
        }
        if !self.shelf.has_room() {
            // It is there as long as nothing changes it.
            inner.waiting.extend(fresh);
            return;
        }
        let began = Instant::now();
        // The rest is for looking: a checkpoint that lacks copies is worth more than none.
        let allowed = inner.allowance.left() / 2;
        let mut bytes = 0;
        let mut rest = VecDeque::new();
        for (number, waiting) in fresh.into_iter().enumerate() {
            bytes += waiting.file.size;
            let is_little = number < FEW_FILES && bytes <= FEW_BYTES;
            if !is_little && began.elapsed() >= allowed || !self.copy_one(inner, &waiting) {
                rest.push_back(waiting);
            }
        }
        while began.elapsed() < allowed
            && let Some(waiting) = inner.waiting.pop_front()
        {
            if !self.copy_one(inner, &waiting) {
                inner.waiting.push_front(waiting);
                break;
            }
        }
        inner.waiting.append(&mut rest);
        inner.allowance.spend(began.elapsed());
    }

    /// Whether nothing more is to be done for a file.
    fn copy_one(&self, inner: &mut Inner, waiting: &Waiting) -> bool {
        if Arc::strong_count(&waiting.file) == 1 || waiting.file.is_copied() {
            return true;
        }
        while self.shelf.bytes().saturating_add(waiting.file.size) > MOST_BYTES {
            if inner.taken.len() <= 1 {
                return false;
            }
            let (step, _) = inner.taken.remove(0);
            inner.without.push((step, "its files have given way to later ones".to_owned()));
        }
        let Some(root) = self.roots.get(waiting.root) else { return true };
        match self.shelf.take(root, &waiting.path, &waiting.file) {
            Ok(Attempt::Done | Attempt::Changed) | Err(_) => true,
            Ok(Attempt::Full) => false,
        }
    }

    /// Copies all that waits, because somebody is about to change files.
    pub(crate) fn settle(&self) {
        let mut inner = self.inner();
        for waiting in inner.uncopied() {
            if !self.shelf.has_room() {
                return;
            }
            self.copy_one(&mut inner, &waiting);
        }
    }

    /// Makes all files what they were before a step, or changes nothing.
    pub(crate) fn restore(&self, step: u32) -> Result<(), NotRestored> {
        let inner = self.inner();
        let absent = |why: String| {
            let others = inner.taken.iter().filter(|(_, trees)| self.lacks(trees).is_none());
            NotRestored::Absent { why, others: others.map(|(step, _)| *step).collect() }
        };
        let Some((_, trees)) = inner.taken.iter().find(|(taken, _)| *taken == step) else {
            let why = inner.without.iter().rfind(|(without, _)| *without == step);
            return Err(absent(why.map_or("there is no checkpoint", |(_, why)| why).to_owned()));
        };
        if let Some(path) = self.lacks(trees) {
            let path = String::from_utf8_lossy(&path).into_owned();
            return Err(absent(format!("`{path}` was changed before it could be copied")));
        }
        for (root, tree) in self.roots.iter().zip(trees) {
            let restore = Restore::new(&self.shelf, root).and_then(|restore| restore.carry_out(tree));
            restore.map_err(|source| NotRestored::Failed { path: root.clone(), source })?;
        }
        Ok(())
    }

    /// The first file whose content is gone.
    fn lacks(&self, trees: &[Arc<Directory>]) -> Option<Vec<u8>> {
        // A root that cannot be looked at has nothing.
        let lacks = |(root, tree): (&PathBuf, &Arc<Directory>)| {
            missing(&self.shelf, root, tree).unwrap_or_else(|error| Some(error.to_string().into_bytes()))
        };
        self.roots.iter().zip(trees).find_map(lacks)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        // They go with the directory of the job.
        self.shelf.stay();
    }
}

impl Inner {
    fn new(taken: Vec<Checkpoint>, without: Vec<(u32, String)>) -> Self {
        Self {
            taken,
            without,
            waiting: VecDeque::new(),
            allowance: Allowance::default(),
            last: Instant::now(),
            cost: std::time::Duration::ZERO,
            entries: 0,
            is_changed: false,
            ended: None,
        }
    }

    /// The files whose content is only where it was, the newest last.
    fn uncopied(&self) -> Vec<Waiting> {
        let mut files = Vec::new();
        for (_, trees) in &self.taken {
            for (root, tree) in trees.iter().enumerate() {
                uncopied(root, tree, &mut Vec::new(), &mut files);
            }
        }
        files
    }
}

/// The files of a tree that are not copied.
fn uncopied(root: usize, tree: &Directory, path: &mut Vec<u8>, files: &mut Vec<Waiting>) {
    for (name, node) in &tree.entries {
        let length = path.len();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        match node {
            super::tree::Node::File(file) if !file.is_copied() => {
                files.push(Waiting { root, path: path.clone(), file: Arc::clone(file) });
            }
            super::tree::Node::Directory(below) => uncopied(root, below, path, files),
            _ => {}
        }
        path.truncate(length);
    }
}
