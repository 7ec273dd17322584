//! Places in a text.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A range of bytes in a [`Source`], end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A text with the name that people know it by, cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name and text behind one pointer: a [`crate::Problem`] carries a source and is the error of many functions.
    inner: Arc<(Arc<str>, Arc<str>)>,
}

impl Source {
    /// `name` is what messages call it, usually a path relative to the workspace.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { inner: Arc::new((name.into(), text.into())) }
    }

    pub fn name(&self) -> &str {
        &self.inner.0
    }

    pub fn text(&self) -> &str {
        &self.inner.1
    }

    /// Line and column of a byte offset, both from 1; columns count Unicode scalar values.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text().len());
        while !self.text().is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text()[..offset];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let source = Source::new("x", "ab\nç d\n");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(3), (2, 1));
        assert_eq!(source.line_column(5), (2, 2));
        assert_eq!(source.line_column(4), (2, 1), "inside a character counts as its start");
        assert_eq!(source.line_column(999), (3, 1));
    }
}
