//! Lines in the form of a tree.

use super::row::Row;

/// A line, what is to say about it, and what belongs to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) row: Row,
    /// Lines about it that are no branches.
    pub(super) notes: Vec<Row>,
    pub(super) children: Vec<Node>,
    /// How many jobs the line stands for.
    pub(super) jobs: usize,
}

/// A line of a tree that is laid out.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) row: Row,
    /// How many jobs it stands for.
    pub(super) jobs: usize,
}

impl Node {
    /// A line alone.
    pub(super) fn new(row: Row) -> Self {
        Self { row, ..Self::default() }
    }

    /// How many lines it takes.
    pub(super) fn lines(&self) -> usize {
        1 + self.notes.len() + self.children.iter().map(Self::lines).sum::<usize>()
    }
}

/// Lays trees out below a guide.
pub(super) fn branches(nodes: &[Node], guide: &str, out: &mut Vec<Branch>) {
    let last = nodes.len().saturating_sub(1);
    for (at, node) in nodes.iter().enumerate() {
        let (branch, trunk) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let row = node.row.clone().after(Row::default().faint(&format!("{guide}{branch}")));
        out.push(Branch { row, jobs: node.jobs });
        let below = format!("{guide}{trunk}");
        let side = if node.children.is_empty() { "  " } else { "│ " };
        for note in &node.notes {
            let row = note.clone().after(Row::default().faint(&format!("{below}{side}")));
            out.push(Branch { row, jobs: 0 });
        }
        branches(&node.children, &below, out);
    }
}
