//! Lines and columns.

use std::ops::Range;

use sluice_sdk::Span;

/// Turns offsets that do not decrease into places, in one pass over the file.
#[derive(Debug)]
pub struct Places<'a> {
    bytes: &'a [u8],
    /// Up to where lines are counted, the line there, and where that line begins.
    counted: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Places<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, counted: 0, line: 1, line_start: 0 }
    }

    /// The place of `range`, which begins no earlier than the one before.
    pub fn span(&mut self, path: &str, range: &Range<usize>) -> Span {
        let (start_line, start_column) = self.place(range.start);
        let mut end = Self { ..*self };
        let (end_line, end_column) = end.place(range.end);
        Span { path: path.to_owned(), start_line, start_column, end_line, end_column }
    }

    fn place(&mut self, at: usize) -> (u32, u32) {
        for (offset, &byte) in self.bytes[self.counted..at].iter().enumerate() {
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.counted + offset + 1;
            }
        }
        self.counted = at;
        // Bytes that continue a character of UTF-8 are no column of their own; a byte that is not UTF-8 is one.
        let column = self.bytes[self.line_start..at].iter().filter(|&&byte| byte & 0xc0 != 0x80).count() + 1;
        (self.line, u32::try_from(column).unwrap_or(u32::MAX))
    }
}
