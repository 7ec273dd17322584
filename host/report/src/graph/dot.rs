//! A graph in the language of Graphviz.

use std::fmt::Write;

use sluice_model::Outcome;

use super::{Graph, plain};

/// Text for `dot`.
pub fn dot(graph: &Graph) -> String {
    let mut out = format!("digraph {} {{\n", quoted(&[&graph.title]));
    out.push_str("    rankdir=LR;\n    node [shape=box, style=rounded, fontname=\"monospace\"];\n");
    for (index, node) in graph.nodes.iter().enumerate() {
        let lines: Vec<&str> =
            std::iter::once(&node.name).chain(&node.steps).chain(&node.marks).map(String::as_str).collect();
        let style = if node.outcome == Some(Outcome::Skipped) { ", style=\"rounded,dashed\"" } else { "" };
        let _ = writeln!(out, "    n{index} [label={}{style}];", quoted(&lines));
    }
    for edge in graph.edges.iter().filter(|edge| edge.from.max(edge.to) < graph.nodes.len()) {
        let style = if edge.whatever { " [style=dashed]" } else { "" };
        let _ = writeln!(out, "    n{} -> n{}{style};", edge.from, edge.to);
    }
    out.push_str("}\n");
    out
}

/// Lines of text, each aligned to the left if there are several.
fn quoted(lines: &[&str]) -> String {
    let end = if lines.len() > 1 { "\\l" } else { "" };
    let lines: String = lines.iter().map(|line| plain(line).replace('\\', "\\\\").replace('"', "\\\"") + end).collect();
    format!("\"{lines}\"")
}
