//! Walks over the commit graph.
//!
//! One walk answers all that change detection asks of history: which commits a push brings, whether the remote's
//! commit is an ancestor, and where two lines of history meet. Commits are visited newest first, by generation number
//! where a commit-graph file has one and else by date, and the walk ends as soon as only commits known to both sides
//! are left. So its cost is that of the difference, not of the history. Two lines that share nothing cost both.

use std::collections::BinaryHeap;

use gix::ObjectId;
use gix::revwalk::graph::Commit;

use crate::repository::{GitError, Repository};

/// Reachable from the head.
const HEAD: u8 = 1;
/// Reachable from what is known already.
const KNOWN: u8 = 2;
/// Below a meeting point, so of no more interest.
const STALE: u8 = 4;
/// A place where both sides meet.
const MEETING: u8 = 8;
/// In the queue now; a commit is there at most once.
const QUEUED: u8 = 16;
/// Visited before; new marks make a commit be visited again.
const VISITED: u8 = 32;

type Graph<'a> = gix::revwalk::Graph<'a, 'a, Commit<u8>>;

/// How a head relates to commits that are known already.
#[derive(Debug, Default)]
pub(crate) struct Relation {
    /// Commits reachable from the head only, newest first.
    pub(crate) ahead: Vec<ObjectId>,
    /// The best common ancestors.
    pub(crate) meetings: Vec<ObjectId>,
    /// Where the line of first parents leaves the new commits.
    pub(crate) fork: Fork,
    /// Whether a parent was missing, as in a shallow clone, so that the rest may be incomplete.
    pub(crate) cut_off: bool,
}

/// The parent of the deepest new commit on the line of first parents.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fork {
    /// This commit.
    At(ObjectId),
    /// The line starts with a new commit that has no parent.
    #[default]
    Root,
    /// The parent is not here: the clone is shallow.
    Missing,
}

/// Relates `head` to the `known` commits. With nothing known, at most `limit` commits are listed.
pub(crate) fn relate(
    repository: &Repository,
    head: ObjectId,
    known: &[ObjectId],
    limit: usize,
) -> Result<Relation, GitError> {
    let cache = repository.git.commit_graph_if_enabled().ok().flatten();
    let graph = repository.git.revision_graph(cache.as_ref());
    let mut walk = Walk { repository, graph, queue: BinaryHeap::new(), live: 0, cut_off: false };
    walk.mark(head, HEAD)?;
    for &id in known {
        walk.mark(id, KNOWN)?;
    }
    let visited = walk.run(if known.is_empty() { limit } else { usize::MAX })?;
    let flags = |id: &ObjectId| walk.graph.get(id).map_or(0, |commit| commit.data);
    let ahead: Vec<_> = visited.iter().copied().filter(|id| flags(id) & (HEAD | KNOWN) == HEAD).collect();
    let meetings = visited.iter().copied().filter(|id| flags(id) & (MEETING | STALE) == MEETING).collect();
    let fork = walk.fork(head);
    Ok(Relation { ahead, meetings, fork, cut_off: walk.cut_off })
}

/// The state of one walk.
struct Walk<'a> {
    repository: &'a Repository,
    graph: Graph<'a>,
    queue: BinaryHeap<(u32, i64, ObjectId)>,
    /// How many entries of the queue are not known to be stale.
    live: usize,
    cut_off: bool,
}

impl Walk<'_> {
    /// Adds `flags` to a commit, and queues it if that tells it anything new.
    fn mark(&mut self, id: ObjectId, flags: u8) -> Result<(), GitError> {
        let mut before = 0;
        let found = self.graph.get_or_insert_full_commit(id, |commit| {
            before = commit.data;
            if commit.data | flags != commit.data {
                commit.data |= flags | QUEUED;
            }
        });
        let Some(commit) = found.map_err(self.repository.failed("walk the history"))? else {
            self.cut_off = true;
            return Ok(());
        };
        let (is_stale, was_live) = (commit.data & STALE != 0, before & QUEUED != 0 && before & STALE == 0);
        if commit.data & QUEUED != 0 && before & QUEUED == 0 {
            // Without a commit-graph file the date alone orders; commits beyond the file are newer than all within.
            self.queue.push((commit.generation.unwrap_or(u32::MAX), commit.commit_time, id));
            self.live += usize::from(!is_stale);
        } else if was_live && is_stale {
            self.live -= 1;
        }
        Ok(())
    }

    /// Visits commits until only stale ones are queued, or `limit` were visited. Returns them in order.
    fn run(&mut self, limit: usize) -> Result<Vec<ObjectId>, GitError> {
        let mut visited = Vec::new();
        while self.live > 0 && visited.len() < limit {
            let Some((_, _, id)) = self.queue.pop() else { break };
            let Some(commit) = self.graph.get_mut(&id) else { continue };
            commit.data &= !QUEUED;
            self.live -= usize::from(commit.data & STALE == 0);
            let both = HEAD | KNOWN;
            let mut flags = commit.data & (both | STALE);
            if flags == both {
                commit.data |= MEETING;
                flags |= STALE;
            }
            if commit.data & VISITED == 0 {
                visited.push(id);
            }
            commit.data |= VISITED;
            let parents = commit.parents.clone();
            for parent in parents {
                self.mark(parent, flags)?;
            }
        }
        Ok(visited)
    }

    /// Follows first parents from `head` through the new commits.
    fn fork(&self, head: ObjectId) -> Fork {
        let mut at = head;
        loop {
            match self.graph.get(&at) {
                None => return Fork::Missing,
                Some(commit) if commit.data & KNOWN != 0 => return Fork::At(at),
                // Beyond the limit of a walk with nothing known.
                Some(commit) if commit.data & HEAD == 0 => return Fork::At(at),
                Some(commit) => match commit.parents.first() {
                    None => return Fork::Root,
                    Some(parent) => at = *parent,
                },
            }
        }
    }
}
