//! The jobs of a plan in the DOT language of Graphviz (<https://graphviz.org/doc/info/lang.html>).
//!
//! Ids are ours and never come from a file. Labels are quoted strings, in which a quote and a backslash are escaped:
//! Graphviz reads the latter as the start of `\n`, `\G` and the like.

use std::fmt::Write as _;

use super::PlanView;
use super::graph::{Arrow, ArrowKind, Graph, Group, Look, Vertex};
use crate::style::visible;

/// The drawing, ending with a line feed.
pub fn render(view: &PlanView<'_>) -> String {
    let graph = Graph::of(view.plan);
    let mut out = "digraph plan {\n  rankdir=LR;\n  compound=true;\n  node [shape=box];\n".to_owned();
    graph.groups.iter().for_each(|each| group(each, 1, &mut out));
    graph.followers.iter().for_each(|each| vertex(each, 1, &mut out));
    graph.arrows.iter().for_each(|each| arrow(each, &graph, &mut out));
    out.push_str("}\n");
    out
}

fn group(group: &Group, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    // Writing to a string cannot fail. Graphviz draws a frame around a subgraph whose name begins with `cluster`.
    let _ = writeln!(out, "{indent}subgraph cluster_{} {{", group.id);
    let _ = writeln!(out, "{indent}  label=\"{}\";", escape(&group.title));
    group.vertices.iter().for_each(|each| vertex(each, depth + 1, out));
    group.groups.iter().for_each(|each| self::group(each, depth + 1, out));
    let _ = writeln!(out, "{indent}}}");
}

fn vertex(vertex: &Vertex, depth: usize, out: &mut String) {
    let look = match vertex.look {
        Look::Runs => "",
        Look::Skipped => ", style=dotted, fontcolor=gray40",
        Look::Deferred => ", style=dashed",
        Look::Failed => ", color=red",
        Look::Follows => ", style=rounded",
    };
    let indent = "  ".repeat(depth);
    let _ = writeln!(out, "{indent}{} [label=\"{}\"{look}];", vertex.id, escape(&vertex.label));
}

fn arrow(arrow: &Arrow, graph: &Graph, out: &mut String) {
    let Arrow { from, to, kind } = arrow;
    let _ = match kind {
        ArrowKind::Need => writeln!(out, "  {from} -> {to};"),
        ArrowKind::Call => writeln!(out, "  {from} -> {to} [style=dashed];"),
        ArrowKind::Follow => {
            // An arrow begins at a node; `ltail` cuts it off at the frame around it.
            let group = graph.groups.iter().find(|group| group.id == *from);
            let Some(vertex) = group.and_then(|group| group.vertices.first()) else { return };
            let tail = format!("ltail=cluster_{from}, style=dashed, label=\"workflow_run\"");
            writeln!(out, "  {} -> {to} [{tail}];", vertex.id)
        }
    };
}

fn escape(label: &str) -> String {
    visible(label).replace('\n', " ").replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn labels_cannot_end_early() {
        assert_eq!(escape("a \"b\" \\\" c\nd"), "a \\\"b\\\" \\\\\\\" c d");
    }
}
