//! Which layer a node stands in, and how high: longest path, then [`super::order`], then rows near the neighbours.

use std::collections::BTreeMap;

use super::Graph;
use super::order;

/// How often rows are moved towards their neighbours.
const PASSES: usize = 8;

/// A node of the graph, or a bend where an edge passes a layer. Edges of one node share their bends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    Node(usize),
    /// Of the edges from this node.
    Bend(usize),
}

/// From a point to one in the next layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub from: usize,
    pub to: usize,
    /// Whether all that it stands for is `whatever`.
    pub dashed: bool,
}

#[derive(Debug)]
pub struct Layout {
    pub points: Vec<Point>,
    /// Positions in `points`, from top to bottom.
    pub layers: Vec<Vec<usize>>,
    pub segments: Vec<Segment>,
}

impl Layout {
    pub fn new(graph: &Graph) -> Self {
        let depth = depths(graph);
        let mut points: Vec<Point> = (0..graph.nodes.len()).map(Point::Node).collect();
        let mut layers = vec![Vec::new(); depth.iter().max().map_or(0, |deepest| deepest + 1)];
        for (node, depth) in depth.iter().enumerate() {
            layers[*depth].push(node);
        }
        let mut bends = BTreeMap::new();
        let mut segments: BTreeMap<(usize, usize), bool> = BTreeMap::new();
        for edge in forward(graph, &depth) {
            let mut last = edge.from;
            let passed = layers.iter_mut().enumerate().take(depth[edge.to]).skip(depth[edge.from] + 1);
            for (depth, layer) in passed {
                let bend = *bends.entry((edge.from, depth)).or_insert_with(|| {
                    points.push(Point::Bend(edge.from));
                    layer.push(points.len() - 1);
                    points.len() - 1
                });
                *segments.entry((last, bend)).or_insert(true) &= edge.whatever;
                last = bend;
            }
            *segments.entry((last, edge.to)).or_insert(true) &= edge.whatever;
        }
        let segments: Vec<Segment> =
            segments.into_iter().map(|((from, to), dashed)| Segment { from, to, dashed }).collect();
        order::uncross(&mut layers, &segments, points.len());
        Self { points, layers, segments }
    }

    /// The middle of every point, from the top. `extent` is the height of a point; between two there is `gap` at least.
    pub fn rows(&self, extent: impl Fn(Point) -> f64, gap: f64) -> Vec<f64> {
        let height: Vec<f64> = self.points.iter().map(|point| extent(*point)).collect();
        let (before, after) = self.neighbours();
        let mut row = vec![0.0; self.points.len()];
        for layer in &self.layers {
            let mut top = 0.0;
            for &point in layer {
                row[point] = top + height[point] / 2.0;
                top += height[point] + gap;
            }
        }
        for pass in 0..PASSES {
            let downwards = pass % 2 == 0;
            let side = if downwards { &before } else { &after };
            let order: Vec<&Vec<usize>> =
                if downwards { self.layers.iter().collect() } else { self.layers.iter().rev().collect() };
            for layer in order {
                self.place(layer, side, &height, gap, &mut row);
            }
        }
        let top = (0..row.len()).map(|point| row[point] - height[point] / 2.0).fold(f64::INFINITY, f64::min);
        row.iter().map(|row| row - top).collect()
    }

    /// Puts the points of a layer as near to the middle of their neighbours as their order and heights allow: the least
    /// sum of squares, by pooling neighbours that would overlap.
    fn place(&self, layer: &[usize], side: &[Vec<usize>], height: &[f64], gap: f64, row: &mut [f64]) {
        let mut offset = 0.0;
        let mut offsets = Vec::with_capacity(layer.len());
        // (sum of weighted wishes, weight, points)
        let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
        for (at, &point) in layer.iter().enumerate() {
            if at > 0 {
                offset += (height[layer[at - 1]] + height[point]) / 2.0 + gap;
            }
            offsets.push(offset);
            let near = &side[point];
            let (wish, weight) = match near.len() {
                0 => (row[point], 0.1),
                count => (near.iter().map(|other| row[*other]).sum::<f64>() / count as f64, self.weight(point, near)),
            };
            blocks.push(((wish - offset) * weight, weight, 1));
            while let [.., upper, lower] = blocks.as_slice()
                && upper.0 / upper.1 > lower.0 / lower.1
            {
                let joined = (upper.0 + lower.0, upper.1 + lower.1, upper.2 + lower.2);
                blocks.truncate(blocks.len() - 2);
                blocks.push(joined);
            }
        }
        let mut at = 0;
        for (sum, weight, count) in blocks {
            // Whole rows, for those who draw in characters.
            let base = (sum / weight).round();
            for _ in 0..count {
                row[layer[at]] = base + offsets[at];
                at += 1;
            }
        }
    }

    /// Long edges should be straight.
    fn weight(&self, point: usize, near: &[usize]) -> f64 {
        let bend = |point: usize| matches!(self.points[point], Point::Bend(_));
        if bend(point) && near.iter().all(|other| bend(*other)) { 8.0 } else { 1.0 }
    }

    /// The points that lead to each point, and those it leads to.
    fn neighbours(&self) -> (Vec<Vec<usize>>, Vec<Vec<usize>>) {
        let (mut before, mut after) = (vec![Vec::new(); self.points.len()], vec![Vec::new(); self.points.len()]);
        for segment in &self.segments {
            before[segment.to].push(segment.from);
            after[segment.from].push(segment.to);
        }
        (before, after)
    }
}

/// The length of the longest path to each node; nodes on a circle count as having none before them.
pub fn depths(graph: &Graph) -> Vec<usize> {
    let count = graph.nodes.len();
    let (mut waits, mut after) = (vec![0; count], vec![Vec::new(); count]);
    for edge in graph.edges.iter().filter(|edge| edge.from < count && edge.to < count) {
        waits[edge.to] += 1;
        after[edge.from].push(edge.to);
    }
    let mut depth = vec![0; count];
    let mut free: Vec<usize> = (0..count).filter(|node| waits[*node] == 0).collect();
    while let Some(node) = free.pop() {
        for &next in &after[node] {
            depth[next] = depth[next].max(depth[node] + 1);
            waits[next] -= 1;
            if waits[next] == 0 {
                free.push(next);
            }
        }
    }
    depth
}

/// The edges that lead to a deeper layer, each once.
pub fn forward(graph: &Graph, depth: &[usize]) -> Vec<super::Edge> {
    let within = |edge: &&super::Edge| edge.from < depth.len() && edge.to < depth.len();
    let mut edges: Vec<super::Edge> =
        graph.edges.iter().filter(within).filter(|edge| depth[edge.from] < depth[edge.to]).copied().collect();
    edges.sort_unstable();
    edges.dedup_by_key(|edge| (edge.from, edge.to));
    edges
}
