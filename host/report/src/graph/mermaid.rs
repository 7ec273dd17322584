//! A flowchart in the language of Mermaid.

use std::fmt::Write;

use sluice_model::Outcome;

use super::{Graph, plain};

/// Text for a `.mmd` file, or a block ```` ```mermaid ```` in Markdown.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = format!("---\ntitle: {}\n---\nflowchart LR\n", serde_json::Value::from(plain(&graph.title)));
    for (index, node) in graph.nodes.iter().enumerate() {
        let mut label = format!("<b>{}</b>", escape(&node.name));
        for line in node.steps.iter().map(|step| escape(step)) {
            let _ = write!(label, "<br/>{line}");
        }
        for mark in &node.marks {
            let _ = write!(label, "<br/><i>{}</i>", escape(mark));
        }
        let _ = writeln!(out, "    n{index}[\"{label}\"]");
    }
    for edge in graph.edges.iter().filter(|edge| edge.from.max(edge.to) < graph.nodes.len()) {
        let arrow = if edge.whatever { "-.->" } else { "-->" };
        let _ = writeln!(out, "    n{} {arrow} n{}", edge.from, edge.to);
    }
    if graph.nodes.iter().any(|node| node.outcome == Some(Outcome::Skipped)) {
        out.push_str("    classDef skipped stroke-dasharray: 4 3\n");
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(outcome) = node.outcome {
            let _ = writeln!(out, "    class n{index} {}", outcome.as_str());
        }
    }
    out
}

/// Everything that could end the label, or be taken for HTML or Markdown, as a character reference of Mermaid.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if c.is_alphanumeric() || " .,:-_/()".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}
