//! A text that was put together from pieces of the source, and the way back to the source.

use std::ops::Range;

/// Text of an instruction after its line continuations were taken out.
#[derive(Default)]
pub struct Logical {
    pub text: String,
    /// Where each piece begins: in `text`, and in the source.
    pieces: Vec<(usize, usize)>,
}

impl Logical {
    /// The text of one piece of the source.
    pub fn of(source: &str, range: Range<usize>) -> Self {
        let mut logical = Self::default();
        logical.push(source, range);
        logical
    }

    /// Appends a piece of the source.
    pub fn push(&mut self, source: &str, range: Range<usize>) {
        self.pieces.push((self.text.len(), range.start));
        self.text.push_str(&source[range]);
    }

    /// The place in the source of a range of `text`.
    pub fn source(&self, range: Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        if range.is_empty() {
            return start..start;
        }
        // The end belongs to the piece of the last character, not to the piece after it.
        let last = self.text[..range.end].char_indices().next_back().map_or(range.start, |(at, _)| at);
        start..self.offset(last) + (range.end - last)
    }

    fn offset(&self, at: usize) -> usize {
        let next = self.pieces.partition_point(|(start, _)| *start <= at);
        let (start, source) = self.pieces[next.max(1) - 1];
        source + (at - start)
    }
}
