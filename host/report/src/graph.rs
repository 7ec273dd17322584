//! The jobs of a workflow and what they wait for, as a picture: for a terminal, Mermaid, Graphviz, SVG.

mod canvas;
mod columns;
mod dot;
mod lanes;
mod layout;
mod mermaid;
mod order;
mod svg;

use sluice_model::Outcome;

use crate::look::Look;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// What is drawn. Edges that name no node, or that would close a circle, are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    pub name: String,
    /// What its steps are called, in order.
    pub steps: Vec<String>,
    /// Remarks in a word or two: `if`, `may fail`.
    pub marks: Vec<String>,
    /// How it ended, if that is known.
    pub outcome: Option<Outcome>,
}

/// One node comes before another; both are positions in [`Graph::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    /// Only the order counts, not how the first ended: drawn with dashes.
    pub whatever: bool,
}

/// For a terminal of so many columns: layers from left to right if they fit, otherwise one job a line.
pub fn text(graph: &Graph, look: Look, width: usize) -> String {
    columns::draw(graph, look, width).unwrap_or_else(|| lanes::draw(graph, look, width))
}

/// `3 steps · if`, for people.
fn detail(node: &Node, separator: &str) -> String {
    let steps = crate::text::count(node.steps.len() as u64, "step");
    std::iter::once(steps.as_str()).chain(node.marks.iter().map(String::as_str)).collect::<Vec<_>>().join(separator)
}

/// Text in one line without anything that XML, Mermaid and Graphviz could not hold.
fn plain(text: &str) -> String {
    text.chars().map(|c| if crate::text::is_harmless(c) { c } else { ' ' }).collect()
}
