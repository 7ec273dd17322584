//! A picture of its own: no script, no font or style from outside, readable on light and dark ground.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::layout::{Layout, Point, Segment};
use super::{Graph, Node, plain};
use crate::look::Look;
use crate::text;

/// Width of a character at the size of names and of steps; a little more than most monospaced fonts have, in pixels.
const NAME_ADVANCE: f64 = 8.6;
const STEP_ADVANCE: f64 = 7.3;
const NAME_HEIGHT: f64 = 30.0;
const STEP_HEIGHT: f64 = 17.0;
const PADDING: f64 = 12.0;
const MARGIN: f64 = 20.0;
const TITLE_HEIGHT: f64 = 34.0;
/// Between two layers, and between two nodes of one layer.
const CHANNEL: f64 = 64.0;
const GAP: f64 = 18.0;
const BEND_HEIGHT: f64 = 2.0;

/// A node shows so many steps, and counts the rest.
const MAX_STEPS: usize = 6;
/// Longer texts are cut, in columns.
const MAX_COLUMNS: usize = 34;

const STYLE: &str = "
  .ground { fill: #ffffff }
  .box { fill: #f6f8fa; stroke: #8c959f; stroke-width: 1.2 }
  .edge { fill: none; stroke: #6e7781; stroke-width: 1.5 }
  .whatever { stroke-dasharray: 5 4 }
  .head { fill: #6e7781 }
  .rule { stroke: #d0d7de }
  text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; white-space: pre }
  .title { font-size: 15px; font-weight: 600 }
  .name { font-size: 14px; font-weight: 600 }
  .step { font-size: 12px; fill: #57606a }
  .mark { font-size: 12px; fill: #8250df }
  .passed .box { stroke: #1a7f37 } .failed .box { stroke: #cf222e } .allowed-to-fail .box { stroke: #9a6700 }
  .skipped .box, .cancelled .box, .unknown .box { stroke-dasharray: 4 3 } .skipped text { fill: #6e7781 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 }
    .box { fill: #161b22; stroke: #6e7681 }
    .edge { stroke: #8b949e } .head { fill: #8b949e } .rule { stroke: #30363d }
    text { fill: #e6edf3 } .step { fill: #9da7b3 } .mark { fill: #d2a8ff }
    .passed .box { stroke: #3fb950 } .failed .box { stroke: #f85149 } .allowed-to-fail .box { stroke: #d29922 }
  }
";

/// Text for an `.svg` file.
pub fn svg(graph: &Graph) -> String {
    let layout = Layout::new(graph);
    let cards: Vec<Card> = graph.nodes.iter().map(Card::new).collect();
    let rows = layout.rows(|point| extent(point, &cards), GAP);
    let mut columns = Vec::with_capacity(layout.layers.len());
    let mut right = MARGIN;
    for layer in &layout.layers {
        let widest = layer.iter().filter_map(|point| Some(cards.get(*point)?.width)).fold(0.0, f64::max);
        columns.push((right, widest));
        right += widest + CHANNEL;
    }
    let title = line(&graph.title);
    let top = MARGIN + if title.is_empty() { 0.0 } else { TITLE_HEIGHT };
    let bottoms = layout.points.iter().zip(&rows).map(|(point, row)| row + extent(*point, &cards) / 2.0);
    let height = top + bottoms.fold(0.0, f64::max) + MARGIN;
    let width = (right - CHANNEL + MARGIN).max(MARGIN * 2.0 + title.width() as f64 * NAME_ADVANCE * 1.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"head\" d=\"M0 1 L10 5 L0 9 z\"/></marker></defs>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n",
        escape(&title)
    );
    if !title.is_empty() {
        let _ =
            writeln!(out, "<text class=\"title\" x=\"{MARGIN}\" y=\"{:.0}\">{}</text>", MARGIN + 14.0, escape(&title));
    }
    let mut at = vec![(0.0, 0.0, 0.0); layout.points.len()];
    for (layer, (left, widest)) in layout.layers.iter().zip(&columns) {
        for &point in layer {
            at[point] = (*left, left + widest, top + rows[point]);
        }
    }
    for segment in &layout.segments {
        edge(&mut out, &layout, segment, &at);
    }
    for (node, card) in cards.iter().enumerate() {
        card.draw(&mut out, &graph.nodes[node], at[node]);
    }
    out.push_str("</svg>\n");
    out
}

fn extent(point: Point, cards: &[Card]) -> f64 {
    match point {
        Point::Node(node) => cards[node].height,
        Point::Bend(_) => BEND_HEIGHT,
    }
}

/// From the right side of a point to the left side of the next; a bend is crossed straight.
fn edge(out: &mut String, layout: &Layout, segment: &Segment, at: &[(f64, f64, f64)]) {
    let ((left, from, y), (to, _, end)) = (at[segment.from], at[segment.to]);
    let start = if matches!(layout.points[segment.from], Point::Bend(_)) { left } else { from };
    let middle = (from + to) / 2.0;
    let class = if segment.dashed { "edge whatever" } else { "edge" };
    let head = if matches!(layout.points[segment.to], Point::Node(_)) { " marker-end=\"url(#head)\"" } else { "" };
    let _ = writeln!(
        out,
        "<path class=\"{class}\" d=\"M{start:.1} {y:.1} H{from:.1} C{middle:.1} {y:.1} {middle:.1} {end:.1} {to:.1} {end:.1}\"{head}/>"
    );
}

/// The rectangle of a node.
struct Card {
    name: String,
    steps: Vec<String>,
    marks: String,
    width: f64,
    height: f64,
}

impl Card {
    fn new(node: &Node) -> Self {
        let mut steps: Vec<String> = node.steps.iter().take(MAX_STEPS).map(|step| line(step)).collect();
        match node.steps.len().saturating_sub(MAX_STEPS) {
            0 => {}
            more => steps.push(format!("+ {more} more")),
        }
        let (name, marks) = (line(&node.name), line(&node.marks.join(" · ")));
        let small = steps.iter().chain([&marks]).map(|text| text.width()).max().unwrap_or(0) as f64 * STEP_ADVANCE;
        let lines = steps.len() + usize::from(!marks.is_empty());
        let below = if lines == 0 { 0.0 } else { lines as f64 * STEP_HEIGHT + PADDING };
        Self {
            width: small.max(name.width() as f64 * NAME_ADVANCE) + PADDING * 2.0,
            height: NAME_HEIGHT + below,
            name,
            steps,
            marks,
        }
    }

    fn draw(&self, out: &mut String, node: &Node, (left, right, middle): (f64, f64, f64)) {
        let top = middle - self.height / 2.0;
        let class = node.outcome.map_or("node", |outcome| outcome.as_str());
        let _ = writeln!(
            out,
            "<g class=\"{class}\"><rect class=\"box\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"7\"/>",
            right - left,
            self.height
        );
        let x = left + PADDING;
        let _ =
            writeln!(out, "<text class=\"name\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>", top + 20.0, escape(&self.name));
        let lines = self.steps.iter().map(|step| ("step", step)).chain(Some(("mark", &self.marks)));
        let lines: Vec<_> = lines.filter(|(_, text)| !text.is_empty()).collect();
        if !lines.is_empty() {
            let y = top + NAME_HEIGHT;
            let _ = writeln!(out, "<path class=\"rule\" d=\"M{left:.1} {y:.1} H{right:.1}\"/>");
        }
        for (index, (class, text)) in lines.into_iter().enumerate() {
            let y = top + NAME_HEIGHT + STEP_HEIGHT * (index as f64 + 1.0);
            let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
        }
        out.push_str("</g>\n");
    }
}

fn line(text: &str) -> String {
    text::fit(&plain(text), MAX_COLUMNS, Look { color: false, unicode: true }).into_owned()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
