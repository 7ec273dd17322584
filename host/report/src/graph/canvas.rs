//! Lines and text in character cells.

use anstyle::Style;
use unicode_width::UnicodeWidthChar;

use crate::look::{DIM, Look, PLAIN};

pub const LEFT: u8 = 1;
pub const RIGHT: u8 = 2;
pub const UP: u8 = 4;
pub const DOWN: u8 = 8;

/// Line characters by the directions in which they lead.
const UNICODE: [char; 16] = [' ', '╴', '╶', '─', '╵', '╯', '╰', '┴', '╷', '╮', '╭', '┬', '│', '┤', '├', '┼'];
const ASCII: [char; 16] = [' ', '-', '-', '-', '|', '+', '+', '+', '|', '+', '+', '+', '|', '+', '+', '+'];

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// Directions of lines; text covers them.
    lines: u8,
    dashed: bool,
    text: Option<(char, Style)>,
    /// The right half of a wide character.
    covered: bool,
}

/// Grows as it is drawn upon.
#[derive(Debug, Default)]
pub struct Canvas {
    rows: Vec<Vec<Cell>>,
}

impl Canvas {
    fn cell(&mut self, column: usize, row: usize) -> &mut Cell {
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Vec::new);
        }
        let cells = &mut self.rows[row];
        if cells.len() <= column {
            cells.resize_with(column + 1, Cell::default);
        }
        &mut cells[column]
    }

    /// Adds directions to what is there.
    pub fn add(&mut self, column: usize, row: usize, lines: u8, dashed: bool) {
        let cell = self.cell(column, row);
        cell.dashed = dashed && (cell.lines == 0 || cell.dashed);
        cell.lines |= lines;
    }

    /// A line that passes over what is there without touching it.
    pub fn pass(&mut self, column: usize, row: usize, lines: u8, dashed: bool) {
        let cell = self.cell(column, row);
        (cell.lines, cell.dashed) = (lines, dashed);
    }

    /// A line in one row, both ends included.
    pub fn across(&mut self, columns: std::ops::RangeInclusive<usize>, row: usize, dashed: bool) {
        columns.for_each(|column| self.add(column, row, LEFT | RIGHT, dashed));
    }

    /// Text that has been cleaned.
    pub fn write(&mut self, column: usize, row: usize, text: &str, style: Style) {
        let mut column = column;
        for c in text.chars() {
            let width = c.width().unwrap_or(0);
            if width == 0 {
                continue;
            }
            self.cell(column, row).text = Some((c, style));
            for more in 1..width {
                self.cell(column + more, row).covered = true;
            }
            column += width;
        }
    }

    pub fn render(&self, look: Look) -> String {
        let mut out = String::new();
        for cells in &self.rows {
            let (mut line, mut run, mut style) = (String::new(), String::new(), PLAIN);
            for cell in cells.iter().filter(|cell| !cell.covered) {
                let (c, wanted) = cell.text.unwrap_or_else(|| (cell.line(look), DIM));
                // Blanks need no colour of their own.
                if c != ' ' && wanted != style {
                    line.push_str(&look.paint_after_space(style, &run));
                    run.clear();
                    style = wanted;
                }
                run.push(c);
            }
            line.push_str(&look.paint_after_space(style, run.trim_end()));
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

impl Cell {
    fn line(&self, look: Look) -> char {
        let at = usize::from(self.lines & 15);
        match (look.unicode, self.dashed, look.pick(UNICODE, ASCII)[at]) {
            (true, true, '─') => '╌',
            (true, true, '│') => '╎',
            (_, _, c) => c,
        }
    }
}
