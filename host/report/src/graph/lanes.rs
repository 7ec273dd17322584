//! One job a line, layer by layer, with a lane for each job that others still wait for: fits any graph.

use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, DOWN, LEFT, RIGHT, UP};
use super::layout::{depths, forward};
use super::{Graph, detail};
use crate::look::{BOLD, DIM, Look, outcome_style};
use crate::text;

/// With more lanes at a time, what a job needs is said in words.
const MAX_LANES: usize = 24;

/// Names that are said in words; more are counted.
const MAX_NAMED: usize = 6;

pub fn draw(graph: &Graph, look: Look, width: usize) -> String {
    let depth = depths(graph);
    let edges = forward(graph, &depth);
    let count = graph.nodes.len();
    let (mut needs, mut waiting) = (vec![Vec::new(); count], vec![0; count]);
    for edge in &edges {
        needs[edge.to].push(edge.from);
        waiting[edge.from] += 1;
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|node| depth[*node]);
    let mut canvas = Canvas::default();
    let mut lanes = Lanes::default();
    let mut row = 0;
    for node in order {
        let sources = &needs[node];
        let last = |source: &usize| waiting[*source] == 1;
        let drawn = sources.iter().all(|source| lanes.of(*source).is_some());
        let at = if drawn { lanes.join(&mut canvas, &mut row, sources, last) } else { lanes.free() };
        sources.iter().for_each(|source| waiting[*source] -= 1);
        lanes
            .taken
            .iter_mut()
            .filter(|lane| lane.is_some_and(|source| waiting[source] == 0))
            .for_each(|lane| *lane = None);
        let keeps_lane = waiting[node] > 0 && at < MAX_LANES;
        lanes.set(at, keeps_lane.then_some(node));
        lanes.continue_down(&mut canvas, row, Some(at));
        let outcome = graph.nodes[node].outcome;
        let mark = outcome.map_or(look.pick("●", "*"), |outcome| look.plain_mark(outcome));
        canvas.write(at * 2, row, mark, outcome.map_or(BOLD, outcome_style));
        let start = (lanes.width().max(at + 1)) * 2;
        let name = text::clean(&graph.nodes[node].name, look);
        canvas.write(start, row, &name, BOLD);
        let mut more = format!("  {}", detail(&graph.nodes[node], look.pick(" · ", ", ")));
        if !drawn {
            more.push_str(&format!("  {} {}", look.pick("◄", "<"), named(graph, sources)));
        }
        let room = width.saturating_sub(start + name.width());
        canvas.write(start + name.width(), row, &text::fit(&text::clean(&more, look), room, look), DIM);
        row += 1;
    }
    canvas.render(look)
}

fn named(graph: &Graph, nodes: &[usize]) -> String {
    let mut names: Vec<&str> = nodes.iter().take(MAX_NAMED).map(|node| graph.nodes[*node].name.as_str()).collect();
    let more = format!("{} more", nodes.len().saturating_sub(MAX_NAMED));
    if nodes.len() > MAX_NAMED {
        names.push(&more);
    }
    names.join(", ")
}

/// Which job each lane belongs to.
#[derive(Debug, Default)]
struct Lanes {
    taken: Vec<Option<usize>>,
}

impl Lanes {
    fn of(&self, node: usize) -> Option<usize> {
        self.taken.iter().position(|lane| *lane == Some(node))
    }

    fn free(&self) -> usize {
        self.taken.iter().position(Option::is_none).unwrap_or(self.taken.len())
    }

    fn set(&mut self, at: usize, node: Option<usize>) {
        if self.taken.len() <= at {
            self.taken.resize(at + 1, None);
        }
        self.taken[at] = node;
    }

    /// Lanes up to the last that is taken.
    fn width(&self) -> usize {
        self.taken.iter().rposition(Option::is_some).map_or(0, |last| last + 1)
    }

    fn continue_down(&self, canvas: &mut Canvas, row: usize, but: Option<usize>) {
        for at in (0..self.taken.len()).filter(|at| self.taken[*at].is_some() && Some(*at) != but) {
            canvas.add(at * 2, row, UP | DOWN, false);
        }
    }

    /// Draws the row in which the lanes of `sources` lead to the lane of the next job, which is returned.
    fn join(&self, canvas: &mut Canvas, row: &mut usize, sources: &[usize], ends: impl Fn(&usize) -> bool) -> usize {
        let lanes: Vec<(usize, bool)> =
            sources.iter().filter_map(|source| Some((self.of(*source)?, ends(source)))).collect();
        // The job stands in the first lane that ends with it.
        let at = lanes.iter().filter(|(_, ends)| *ends).map(|(lane, _)| *lane).min().unwrap_or_else(|| self.free());
        let all = || lanes.iter().map(|(lane, _)| *lane).chain([at]);
        let (Some(first), Some(last)) = (all().min(), all().max()) else { return at };
        if lanes.is_empty() {
            return at;
        }
        self.continue_down(canvas, *row, None);
        for column in first * 2..=last * 2 {
            let lane = (column % 2 == 0).then_some(column / 2);
            let sides = if column > first * 2 { LEFT } else { 0 } | if column < last * 2 { RIGHT } else { 0 };
            let source = lane.and_then(|lane| lanes.iter().find(|(other, _)| *other == lane));
            match (lane, source) {
                (Some(lane), _) if lane == at => {
                    let up = if source.is_some() { UP } else { 0 };
                    canvas.pass(column, *row, sides | up | DOWN, false);
                }
                (_, Some((_, ends))) => canvas.pass(column, *row, sides | UP | if *ends { 0 } else { DOWN }, false),
                // A lane of others passes over.
                (Some(lane), None) if self.taken.get(lane).is_some_and(Option::is_some) => {}
                _ => canvas.pass(column, *row, sides, false),
            }
        }
        *row += 1;
        at
    }
}
