//! Places in a text: byte offsets inside, lines and columns outside.

use std::ops::Range;

/// Where the lines of a text begin. Lines end with `\n`; a `\r` before it belongs to the line's end.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// How many lines there are; the empty one after a final line break does not count.
    pub fn count(&self) -> usize {
        self.starts.len() - usize::from(self.starts.last() == Some(&self.text.len()))
    }

    /// The line of a byte offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The bytes of a line (from 1) without its line break.
    pub fn content(&self, line: usize) -> Range<usize> {
        let full = self.full(line);
        let text = &self.text[full.clone()];
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        full.start..full.start + text.len()
    }

    /// The bytes of a line (from 1) with its line break.
    pub fn full(&self, line: usize) -> Range<usize> {
        let start = self.starts[line - 1];
        start..self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// Line and column of a byte offset, both from 1, the column in Unicode scalar values.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let line = self.line(offset);
        let column = self.text[self.starts[line - 1]..offset].chars().count() + 1;
        (line as u32, column as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_scalars() {
        let lines = Lines::new("aé\r\nb");
        assert_eq!((lines.position(3), lines.position(5)), ((1, 3), (2, 1)));
        assert_eq!((lines.content(1), lines.full(1), lines.count()), (0..3, 0..5, 2));
        assert_eq!(Lines::new("a\n").count(), 1);
    }
}
