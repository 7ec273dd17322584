//! Layers from left to right; each edge goes along the rows of its ends and, between two layers, along one column.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, DOWN, LEFT, RIGHT, UP};
use super::layout::{Layout, Point};
use super::{Graph, detail};
use crate::look::{BOLD, DIM, Look, outcome_style};
use crate::text;

/// Longer names are cut, in columns.
const MAX_NAME: usize = 32;

/// With more nodes in one layer there are no boxes.
const MAX_BOXES: usize = 12;

/// How nodes are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    boxes: bool,
    details: bool,
    /// Every other layer stands lower, so that lines which would lie upon each other do not.
    shifted: bool,
}

/// `None` if it does not fit into the width, or lines would run into each other.
pub fn draw(graph: &Graph, look: Look, width: usize) -> Option<String> {
    let layout = Layout::new(graph);
    let small = layout.layers.iter().all(|layer| layer.len() <= MAX_BOXES);
    let forms = [true, false].into_iter().filter(|boxes| small || !boxes).flat_map(|boxes| {
        let forms = [(true, false), (true, true), (false, false), (false, true)];
        forms.map(|(details, shifted)| Form { boxes, details, shifted })
    });
    forms.into_iter().find_map(|form| picture(graph, &layout, form, look, width))
}

/// All that leaves one point towards the next layer.
#[derive(Debug, Default)]
struct Net {
    row: usize,
    /// Row of each target, whether it is a node, whether the line is dashed.
    targets: Vec<(usize, bool, bool)>,
}

impl Net {
    fn dashed(&self) -> bool {
        self.targets.iter().all(|(_, _, dashed)| *dashed)
    }

    /// The rows between which it needs a column; `None` if it goes straight on.
    fn span(&self) -> Option<(usize, usize)> {
        let rows = || self.targets.iter().map(|(row, _, _)| *row).chain([self.row]);
        let (first, last) = (rows().min()?, rows().max()?);
        (first < last).then_some((first, last))
    }
}

fn picture(graph: &Graph, layout: &Layout, form: Form, look: Look, width: usize) -> Option<String> {
    let labels: Vec<(String, String)> = graph
        .nodes
        .iter()
        .map(|node| {
            let name = text::fit(&text::clean(&node.name, look), MAX_NAME, look).into_owned();
            let mark = node.outcome.map(|_| "  ").unwrap_or_default();
            let detail =
                if form.details { format!("  {}", detail(node, look.pick(" · ", ", "))) } else { String::new() };
            (format!("{mark}{name}"), text::clean(&detail, look).into_owned())
        })
        .collect();
    let box_height = if form.boxes { 3.0 } else { 1.0 };
    let rows = layout.rows(|point| if matches!(point, Point::Node(_)) { box_height } else { 1.0 }, 0.0);
    let mut rows: Vec<usize> = rows.into_iter().map(|row| row as usize).collect();
    if form.shifted {
        let pitch = if form.boxes { 1 } else { 2 };
        let layers =
            layout.layers.iter().enumerate().flat_map(|(index, layer)| layer.iter().map(move |point| (index, *point)));
        layers.for_each(|(index, point)| rows[point] = rows[point] * pitch + index % 2);
    }
    let label_width = |point: usize| match layout.points[point] {
        Point::Node(node) => labels[node].0.width() + labels[node].1.width() + if form.boxes { 4 } else { 1 },
        Point::Bend(_) => 1,
    };
    let widths: Vec<usize> =
        layout.layers.iter().map(|layer| layer.iter().map(|point| label_width(*point)).max().unwrap_or(0)).collect();
    let channels: Vec<Channel> =
        layout.layers.iter().map(|layer| Channel::new(layer, layout, &rows)).collect::<Option<_>>()?;
    let total: usize = widths.iter().sum::<usize>() + channels.iter().map(|channel| channel.width(form)).sum::<usize>();
    if total > width {
        return None;
    }
    let mut canvas = Canvas::default();
    let mut column = 0;
    for ((layer, channel), room) in layout.layers.iter().zip(&channels).zip(&widths) {
        for &point in layer {
            let row = rows[point];
            let net = channel.nets.get(&point);
            match layout.points[point] {
                Point::Node(node) => {
                    let label = (labels[node].0.as_str(), labels[node].1.as_str());
                    if form.boxes {
                        boxed(&mut canvas, (column, row), *room, net.is_some());
                    } else if let Some(net) = net {
                        canvas.across(column + label_width(point)..=column + room, row, net.dashed());
                    }
                    let start = column + if form.boxes { 2 } else { 0 };
                    let outcome = graph.nodes[node].outcome;
                    let name_start = if outcome.is_some() { 2 } else { 0 };
                    if let Some(outcome) = outcome {
                        canvas.write(start, row, look.plain_mark(outcome), outcome_style(outcome));
                    }
                    canvas.write(start + name_start, row, &label.0[name_start..], BOLD);
                    canvas.write(start + label.0.width(), row, label.1, DIM);
                }
                Point::Bend(_) => {
                    if let Some(net) = net {
                        canvas.across(column..=column + room, row, net.dashed());
                    }
                }
            }
        }
        column += room;
        channel.draw(&mut canvas, column, form, look);
        column += channel.width(form);
    }
    Some(canvas.render(look))
}

fn boxed(canvas: &mut Canvas, (column, row): (usize, usize), width: usize, open: bool) {
    let (left, right, top, bottom) = (column, column + width - 1, row - 1, row + 1);
    for (y, side) in [(top, DOWN), (bottom, UP)] {
        canvas.add(left, y, RIGHT | side, false);
        canvas.across(left + 1..=right - 1, y, false);
        canvas.add(right, y, LEFT | side, false);
    }
    canvas.add(left, row, UP | DOWN, false);
    canvas.add(right, row, UP | DOWN | if open { RIGHT } else { 0 }, false);
}

/// What stands between two layers.
struct Channel {
    nets: BTreeMap<usize, Net>,
    /// The column of each net that does not go straight on.
    tracks: BTreeMap<usize, usize>,
}

impl Channel {
    /// `None` if the lines of two nets would have to lie upon each other.
    fn new(layer: &[usize], layout: &Layout, rows: &[usize]) -> Option<Self> {
        let mut nets: BTreeMap<usize, Net> = BTreeMap::new();
        for segment in layout.segments.iter().filter(|segment| layer.contains(&segment.from)) {
            let net = nets.entry(segment.from).or_default();
            net.row = rows[segment.from];
            let is_node = matches!(layout.points[segment.to], Point::Node(_));
            net.targets.push((rows[segment.to], is_node, segment.dashed));
        }
        let tracks = tracks(&nets)?;
        Some(Self { nets, tracks })
    }

    /// In columns: a stub, the tracks, a stub, the arrow, and a blank before a name without a box.
    fn width(&self, form: Form) -> usize {
        let tracks = self.tracks.values().max().map_or(0, |last| last + 1);
        if self.nets.is_empty() { 0 } else { tracks + 3 + usize::from(!form.boxes) }
    }

    fn draw(&self, canvas: &mut Canvas, column: usize, form: Form, look: Look) {
        let Some(arrow) = (column + self.width(form)).checked_sub(1 + usize::from(!form.boxes)) else { return };
        for (point, net) in &self.nets {
            let at = self.tracks.get(point).map(|track| column + 1 + track);
            if let Some(at) = at {
                canvas.across(column..=at - 1, net.row, net.dashed());
                canvas.add(at, net.row, LEFT, net.dashed());
            }
            for &(row, is_node, dashed) in &net.targets {
                let start = at.map_or(column, |at| at + 1);
                if let Some(at) = at {
                    canvas.add(at, row, RIGHT, dashed);
                }
                canvas.across(start..=arrow, row, dashed);
                if is_node {
                    canvas.write(arrow, row, look.pick("►", ">"), DIM);
                } else {
                    canvas.across(arrow..=column + self.width(form) - 1, row, dashed);
                }
            }
        }
        // Last, so that they pass over the lines of others.
        for (point, track) in &self.tracks {
            let net = &self.nets[point];
            let Some((first, last)) = net.span() else { continue };
            for row in first..=last {
                let vertical = if row > first { UP } else { 0 } | if row < last { DOWN } else { 0 };
                if row == net.row || net.targets.iter().any(|(target, _, _)| *target == row) {
                    canvas.add(column + 1 + track, row, vertical, net.dashed());
                } else {
                    canvas.pass(column + 1 + track, row, UP | DOWN, net.dashed());
                }
            }
        }
    }
}

/// Columns for nets. Where one net ends in the row in which another begins, the other must turn off before; `None` if
/// that is asked for in a circle.
fn tracks(nets: &BTreeMap<usize, Net>) -> Option<BTreeMap<usize, usize>> {
    let mut open: Vec<(usize, &Net, (usize, usize))> =
        nets.iter().filter_map(|(point, net)| Some((*point, net, net.span()?))).collect();
    // Those that go down from the lowest on, and those that go up from the highest on, cross least.
    open.sort_by_key(|(_, net, (first, _))| if net.row == *first { usize::MAX - net.row } else { net.row });
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut tracks: BTreeMap<usize, usize> = BTreeMap::new();
    while !open.is_empty() {
        let waits_for =
            |net: &Net, other: &Net| net.targets.iter().any(|(row, _, _)| *row == other.row) && net.row != other.row;
        let next = open.iter().position(|(_, net, _)| !open.iter().any(|(_, other, _)| waits_for(net, other)))?;
        let (point, net, (first, last)) = open.remove(next);
        let after = nets.iter().filter(|(_, other)| waits_for(net, other)).filter_map(|(other, _)| tracks.get(other));
        let least = after.max().map_or(0, |track| track + 1);
        let fits = |spans: &Vec<(usize, usize)>| spans.iter().all(|span| last < span.0 || span.1 < first);
        let track = (least..taken.len()).find(|track| fits(&taken[*track])).unwrap_or(taken.len().max(least));
        taken.resize_with(taken.len().max(track + 1), Vec::new);
        taken[track].push((first, last));
        tracks.insert(point, track);
    }
    Some(tracks)
}
