//! Edits as a unified diff, which `git apply` and `patch -p1` take.

use std::fmt::Write;

use super::Edit;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Lines that are replaced: from, to (exclusive), by what.
struct Change {
    from: usize,
    to: usize,
    lines: Vec<String>,
}

/// The diff of the file at this path, relative to where it is applied; empty without edits. `edits` are in the order of
/// the text.
pub fn unified(path: &str, text: &str, edits: &[Edit]) -> String {
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let changes = changes(text, &old, edits);
    if changes.is_empty() {
        return String::new();
    }
    let mut out = format!("--- a/{path}\n+++ b/{path}\n");
    let mut rest = changes.as_slice();
    // How many lines more the new text has before a hunk.
    let mut grown = 0_isize;
    while let Some(first) = rest.first() {
        let near = |pair: &[Change]| pair[1].from - pair[0].to <= 2 * CONTEXT;
        let together = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
        let (hunk, later) = rest.split_at(together);
        rest = later;
        let start = first.from.saturating_sub(CONTEXT);
        let end = (hunk.last().unwrap_or(first).to + CONTEXT).min(old.len());
        let added: usize = hunk.iter().map(|change| change.lines.len()).sum();
        let removed: usize = hunk.iter().map(|change| change.to - change.from).sum();
        let (before, after) = (end - start, end - start + added - removed);
        // Writing to a string does not fail.
        let _ = writeln!(out, "@@ -{} +{} @@", range(start, before), range(start.saturating_add_signed(grown), after));
        let mut at = start;
        for change in hunk {
            old[at..change.from].iter().for_each(|same| line(&mut out, ' ', same));
            old[change.from..change.to].iter().for_each(|gone| line(&mut out, '-', gone));
            change.lines.iter().for_each(|new| line(&mut out, '+', new));
            at = change.to;
        }
        old[at..end].iter().for_each(|same| line(&mut out, ' ', same));
        grown += added as isize - removed as isize;
    }
    out
}

/// A range of lines, counted from 1; of no lines, the line before.
fn range(start: usize, length: usize) -> String {
    match length {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        _ => format!("{},{length}", start + 1),
    }
}

fn line(out: &mut String, mark: char, text: &str) {
    out.push(mark);
    out.push_str(text);
    if !text.ends_with('\n') {
        out.push_str("\n\\ No newline at end of file\n");
    }
}

/// The lines that edits touch, each with its text before and after, without those that stay the same at both ends.
fn changes(text: &str, old: &[&str], edits: &[Edit]) -> Vec<Change> {
    let mut starts: Vec<usize> = old.iter().scan(0, |at, line| Some(std::mem::replace(at, *at + line.len()))).collect();
    starts.push(text.len());
    let line_of = |offset: usize| starts.partition_point(|start| *start <= offset).clamp(1, old.len().max(1)) - 1;
    let mut changes: Vec<Change> = Vec::new();
    let mut edits = edits.iter().peekable();
    while let Some(first) = edits.next() {
        let (from, mut to) = (line_of(first.range.start), line_of(first.range.end) + 1);
        let mut of_these = vec![first];
        while let Some(next) = edits.next_if(|next| line_of(next.range.start) < to) {
            to = to.max(line_of(next.range.end) + 1);
            of_these.push(next);
        }
        let to = to.min(old.len());
        let (mut new, mut at) = (String::new(), starts[from]);
        for edit in of_these {
            new.push_str(&text[at..edit.range.start]);
            new.push_str(&edit.text);
            at = edit.range.end;
        }
        new.push_str(&text[at..starts[to]]);
        let mut lines: Vec<String> = new.split_inclusive('\n').map(str::to_owned).collect();
        let same = old[from..to].iter().zip(&lines).take_while(|(old, new)| *old == new).count();
        let from = from + same;
        lines.drain(..same);
        let same = old[from..to].iter().rev().zip(lines.iter().rev()).take_while(|(old, new)| *old == new).count();
        lines.truncate(lines.len() - same);
        if from < to - same || !lines.is_empty() {
            changes.push(Change { from, to: to - same, lines });
        }
    }
    changes
}
