//! The jobs of a plan as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>).
//!
//! Ids are ours and never come from a file. Labels stand in double quotes, in which Mermaid reads `#…;` as entities
//! and some HTML; every character that could begin either is written as an entity.

use std::fmt::Write as _;

use super::PlanView;
use super::graph::{ArrowKind, Graph, Group, Look, Vertex};
use crate::style::visible;

/// The drawing, ending with a line feed.
pub fn render(view: &PlanView<'_>) -> String {
    let graph = Graph::of(view.plan);
    let mut out = "flowchart LR\n".to_owned();
    graph.groups.iter().for_each(|each| group(each, 1, &mut out));
    graph.followers.iter().for_each(|each| vertex(each, 1, &mut out));
    for arrow in &graph.arrows {
        let line = match arrow.kind {
            ArrowKind::Need => "-->",
            ArrowKind::Call => "-.->",
            ArrowKind::Follow => "-. workflow_run .->",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {} {line} {}", arrow.from, arrow.to);
    }
    out.push_str("  classDef skipped stroke-dasharray:2 4,opacity:0.6\n");
    out.push_str("  classDef deferred stroke-dasharray:6 3\n");
    out.push_str("  classDef failed stroke:#c00,stroke-width:2px\n");
    out
}

fn group(group: &Group, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(out, "{indent}subgraph {}[\"{}\"]", group.id, escape(&group.title));
    group.vertices.iter().for_each(|each| vertex(each, depth + 1, out));
    group.groups.iter().for_each(|each| self::group(each, depth + 1, out));
    let _ = writeln!(out, "{indent}end");
}

fn vertex(vertex: &Vertex, depth: usize, out: &mut String) {
    let (open, close, class) = match vertex.look {
        Look::Runs => ("[", "]", ""),
        Look::Skipped => ("[", "]", ":::skipped"),
        Look::Deferred => ("[", "]", ":::deferred"),
        Look::Failed => ("[", "]", ":::failed"),
        Look::Follows => ("([", "])", ""),
    };
    let indent = "  ".repeat(depth);
    let _ = writeln!(out, "{indent}{}{open}\"{}\"{close}{class}", vertex.id, escape(&vertex.label));
}

fn escape(label: &str) -> String {
    let mut text = String::new();
    for letter in visible(label).chars() {
        match letter {
            '\n' => text.push(' '),
            '"' | '#' | '<' | '>' | '&' | '`' => {
                let _ = write!(text, "#{};", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn labels_cannot_end_early() {
        assert_eq!(escape("a \"b\"\n#c <br> × 2"), "a #34;b#34; #35;c #60;br#62; × 2");
    }
}
