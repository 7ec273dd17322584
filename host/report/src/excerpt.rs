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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::look::PLAIN;

    const LOOK: Look = Look { color: false, unicode: true };

    fn span([start_line, start_column, end_line, end_column]: [u32; 4]) -> FileSpan {
        FileSpan { path: "f".to_owned(), start_line, start_column, end_line, end_column }
    }

    #[test]
    fn places_of_every_shape() {
        let file = "one\n\ttwo 漢字 end\nthree\nfour\nfive\n";
        let table = [
            ([1, 1, 1, 4], "  1 │ one\n    · ───\n"),
            ([1, 2, 1, 2], "  1 │ one\n    ·  ─\n"),
            ([2, 6, 2, 8], "  2 │     two 漢字 end\n    ·         ────\n"),
            ([1, 1, 2, 1], "  1 │ one\n    · ───\n"),
            ([2, 10, 3, 3], "  2 │     two 漢字 end\n    ·               ──\n  3 │ three\n    · ──\n"),
            ([3, 4, 9, 1], "  3 │ three\n    ·    ──\n  4 │ four\n    · ────\n  5 │ five\n    · ────\n"),
            ([9, 1, 9, 4], ""),
            ([0, 0, 0, 0], ""),
        ];
        for (place, expected) in table {
            assert_eq!(render(file, &span(place), &[], PLAIN, LOOK, 80), expected, "{place:?}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = "0123456789".repeat(20);
        let shown = render(&line, &span([1, 101, 1, 105]), &[], PLAIN, LOOK, 45);
        assert_eq!(shown, "  1 │ …7890123456789012345678901234567890123…\n    ·               ────\n");
        let shown = render(&line, &span([1, 1, 1, 200]), &[], PLAIN, LOOK, 45);
        assert_eq!(shown, format!("  1 │ {}…\n    · {}\n", &line[..38], "─".repeat(39)));
        let shown = render(&line, &span([1, 197, 1, 201]), &[], PLAIN, LOOK, 45);
        assert_eq!(shown, "  1 │ …34567890123456789\n    ·               ────\n");
    }

    #[test]
    fn a_secret_is_hidden_wherever_its_line_is_shown() {
        let file = "key = [\nABC\nDEF] # rest\n";
        let secret = span([1, 7, 3, 4]);
        let shown = render(file, &span([1, 1, 3, 9]), &[&secret], PLAIN, LOOK, 80);
        assert_eq!(shown, "  1 │ key = •\n    · ───────\n  2 │ •••\n    · ───\n  3 │ •••] # rest\n    · ────────\n");
    }

    #[test]
    fn no_place_in_any_text_is_too_much() {
        for file in ["", "\n", "ab", "漢\t\u{1b}\n\n\u{301}x"] {
            for numbers in 0..6_u32.pow(4) {
                let place = [numbers % 6, numbers / 6 % 6, numbers / 36 % 6, numbers / 216];
                let shown = render(file, &span(place), &[&span(place)], PLAIN, LOOK, 0);
                assert!(!shown.contains('\u{1b}'), "{place:?} of {file:?}");
            }
        }
    }
}
