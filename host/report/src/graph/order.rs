//! The order of points within their layers: sweeps towards the mean of the neighbours, keeping the best.

use super::layout::Segment;

/// Sweeps there and back; more seldom help.
const SWEEPS: usize = 16;

/// Orders `layers` so that few segments cross.
pub fn uncross(layers: &mut Vec<Vec<usize>>, segments: &[Segment], points: usize) {
    let (mut before, mut after) = (vec![Vec::new(); points], vec![Vec::new(); points]);
    let mut layer_of = vec![0; points];
    for (index, layer) in layers.iter().enumerate() {
        layer.iter().for_each(|point| layer_of[*point] = index);
    }
    let mut between = vec![Vec::new(); layers.len()];
    for segment in segments {
        before[segment.to].push(segment.from);
        after[segment.from].push(segment.to);
        between[layer_of[segment.from]].push(*segment);
    }
    let mut best = layers.clone();
    let mut fewest = crossings(layers, &between, points);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let downwards = sweep % 2 == 0;
        let side = if downwards { &before } else { &after };
        let count = layers.len();
        for step in 1..count {
            let (fixed, moved) = if downwards { (step - 1, step) } else { (count - step, count - step - 1) };
            let place = places(&layers[fixed], points);
            sort_by_mean(&mut layers[moved], side, &place);
        }
        let now = crossings(layers, &between, points);
        if now < fewest {
            fewest = now;
            best.clone_from(layers);
        }
    }
    *layers = best;
}

fn places(layer: &[usize], points: usize) -> Vec<usize> {
    let mut place = vec![0; points];
    layer.iter().enumerate().for_each(|(at, point)| place[*point] = at);
    place
}

/// A point without neighbours keeps its place among the others.
fn sort_by_mean(layer: &mut [usize], side: &[Vec<usize>], place: &[usize]) {
    let mut last = 0.0;
    let mut keyed: Vec<(f64, usize)> = layer
        .iter()
        .map(|&point| {
            let near = &side[point];
            if !near.is_empty() {
                last = near.iter().map(|other| place[*other] as f64).sum::<f64>() / near.len() as f64;
            }
            (last, point)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    layer.iter_mut().zip(keyed).for_each(|(slot, (_, point))| *slot = point);
}

/// How many pairs of segments cross: inversions, counted with a binary indexed tree.
fn crossings(layers: &[Vec<usize>], between: &[Vec<Segment>], points: usize) -> u64 {
    let mut place = vec![0; points];
    for layer in layers {
        layer.iter().enumerate().for_each(|(at, point)| place[*point] = at);
    }
    let mut total = 0;
    for (layer, segments) in between.iter().enumerate() {
        let mut ends: Vec<(usize, usize)> =
            segments.iter().map(|segment| (place[segment.from], place[segment.to])).collect();
        ends.sort_unstable();
        let size = layers.get(layer + 1).map_or(0, Vec::len);
        let mut tree = vec![0u64; size + 1];
        for (seen, (_, end)) in ends.iter().enumerate() {
            let mut not_above = 0;
            let mut at = end + 1;
            while at > 0 {
                not_above += tree[at];
                at &= at - 1;
            }
            total += seen as u64 - not_above;
            let mut at = end + 1;
            while at <= size {
                tree[at] += 1;
                at += at & at.wrapping_neg();
            }
        }
    }
    total
}
