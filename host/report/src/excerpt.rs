//! The line of a file that a finding is about, with a mark below it.

use anstyle::Style;
use sluice_model::finding::FileSpan;
use unicode_width::UnicodeWidthChar;

use crate::look::{DIM, Look};
use crate::text;

/// More lines than this are not shown of one place.
const MAX_LINES: u32 = 3;

/// Lines around a place. `hidden` are places whose text must not be seen.
pub fn render(file: &str, span: &FileSpan, hidden: &[&FileSpan], style: Style, look: Look, width: usize) -> String {
    // A place that ends before the first column of a line does not include that line.
    let end = if span.end_column <= 1 { span.end_line.saturating_sub(1) } else { span.end_line };
    let end = end.clamp(span.start_line, span.start_line.saturating_add(MAX_LINES - 1));
    let gutter = end.to_string().len() + 2;
    let (bar, dots) = (look.pick('│', '|'), look.pick('·', ':'));
    let lines = file.lines().zip(1..).skip(span.start_line.saturating_sub(1) as usize);
    let mut out = String::new();
    for (line, number) in lines.take_while(|(_, number)| *number <= end) {
        let cells = cells(line, number, hidden, look);
        let marked = marked(span, number, line);
        let (code, mark) = crop(&cells, marked, width.saturating_sub(gutter + 3).max(20), look);
        out.push_str(&format!("{} {code}\n", look.paint(DIM, format_args!("{number:>gutter$} {bar}"))));
        out.push_str(&format!(
            "{} {}\n",
            look.paint(DIM, format_args!("{:>gutter$} {dots}", "")),
            look.paint_after_space(style, &mark)
        ));
    }
    out
}

/// One character as it is shown.
struct Cell {
    text: String,
    columns: usize,
}

fn cells(line: &str, number: u32, hidden: &[&FileSpan], look: Look) -> Vec<Cell> {
    let is_hidden = |column: u32| {
        let here = (number, column);
        hidden
            .iter()
            .any(|span| (span.start_line, span.start_column) <= here && here < (span.end_line, span.end_column))
    };
    let cell = |(c, column): (char, u32)| match c {
        _ if is_hidden(column) => Cell { text: look.pick('•', '*').to_string(), columns: 1 },
        c => {
            let text = text::clean(c.encode_utf8(&mut [0; 4]), look).into_owned();
            let columns = text.chars().map(|c| c.width().unwrap_or(0)).sum();
            Cell { text, columns }
        }
    };
    line.chars().zip(1..).map(cell).collect()
}

/// Which characters of the line are marked, from 0, end exclusive.
fn marked(span: &FileSpan, number: u32, line: &str) -> (usize, usize) {
    let length = line.chars().count();
    let from = if number == span.start_line {
        span.start_column.saturating_sub(1) as usize
    } else {
        line.len() - line.trim_start().len()
    };
    let to = if number == span.end_line { span.end_column.saturating_sub(1) as usize } else { length };
    let from = from.min(length);
    (from, to.min(length).max(from))
}

/// The part of the line that fits, and the mark below it.
fn crop(cells: &[Cell], (from, to): (usize, usize), width: usize, look: Look) -> (String, String) {
    let columns = |cells: &[Cell]| cells.iter().map(|cell| cell.columns).sum::<usize>();
    let ellipsis = look.pick('…', '~');
    let mut first = 0;
    if columns(cells) > width {
        // Some of what stands before the place helps to recognise it.
        while first < from && columns(&cells[first..from]) > width / 3 {
            first += 1;
        }
    }
    let mut code = if first > 0 { ellipsis.to_string() } else { String::new() };
    let mut used = usize::from(first > 0);
    let indent = used + columns(&cells[first..from]);
    for (at, cell) in cells.iter().enumerate().skip(first) {
        let is_last = at + 1 == cells.len();
        if used + cell.columns + usize::from(!is_last) > width {
            code.push(ellipsis);
            used += 1;
            break;
        }
        code.push_str(&cell.text);
        used += cell.columns;
    }
    let length = columns(&cells[from..to]).min(used.saturating_sub(indent)).max(1);
    let mark = format!("{}{}", " ".repeat(indent), look.pick("─", "^").repeat(length));
    (code, mark)
}
