//! Offset in the value of a YAML string -> offset in the file.

use sluice_model::Span;

/// Knows where the characters of one string stand in the file.
pub struct Locator<'t> {
    raw: &'t str,
    value: &'t str,
    span: Span,
    /// The value stands in the file as it is, from this offset on.
    exact: Option<usize>,
}

impl<'t> Locator<'t> {
    /// `text` is the file, `span` the place of the scalar in it, `value` what the scalar means.
    pub fn new(text: &'t str, span: Span, value: &'t str) -> Self {
        let raw = text.get(span.start..span.end).unwrap_or_default();
        let exact = raw.find(value).map(|at| span.start + at);
        Self { raw, value, span, exact }
    }

    /// Where the range of `value` stands; the whole scalar if that cannot be told.
    pub fn locate(&self, start: usize, end: usize) -> Span {
        if let Some(base) = self.exact {
            return Span::new(base + start, base + end);
        }
        let Some(first) = self.walk(start) else { return self.span };
        // The end is where the last character stands, so that a fold after it is left out.
        let last = self.value[..end].char_indices().next_back().filter(|(at, _)| *at >= start);
        let end = match last {
            Some((at, c)) => self.walk(at).map(|offset| offset + c.len_utf8()),
            None => Some(first),
        };
        end.map_or(self.span, |end| Span::new(self.span.start + first, self.span.start + end.max(first)))
    }

    /// Goes through both texts side by side: what the file has more is indentation, folds, or the marks of quoting.
    fn walk(&self, offset: usize) -> Option<usize> {
        let quote = self.raw.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let mut start = usize::from(quote.is_some());
        if self.raw.starts_with(['|', '>']) {
            start = self.raw.find('\n')? + 1;
        }
        let mut raw = self.raw[start..].char_indices().map(|(at, c)| (at + start, c)).peekable();
        for (at, wanted) in self.value.char_indices() {
            let found = loop {
                let (place, c) = raw.next()?;
                match (quote, c) {
                    (Some('\''), '\'') => {
                        raw.next();
                        break (place, c);
                    }
                    (Some('"'), '\\') => match raw.next()?.1 {
                        '\n' => continue,
                        'x' => break skip(&mut raw, 2, place, wanted),
                        'u' => break skip(&mut raw, 4, place, wanted),
                        'U' => break skip(&mut raw, 8, place, wanted),
                        _ => break (place, wanted),
                    },
                    _ if c == wanted => break (place, c),
                    // A fold: one or more line breaks in the file are a space or fewer breaks in the value.
                    _ if c.is_whitespace() && wanted.is_whitespace() => {
                        while raw.peek().is_some_and(|(_, c)| c.is_whitespace()) {
                            raw.next();
                        }
                        break (place, wanted);
                    }
                    _ if c.is_whitespace() => continue,
                    _ => return None,
                }
            };
            if at >= offset {
                return Some(found.0);
            }
        }
        Some(self.raw.len())
    }
}

fn skip(raw: &mut impl Iterator<Item = (usize, char)>, digits: usize, place: usize, wanted: char) -> (usize, char) {
    for _ in 0..digits {
        raw.next();
    }
    (place, wanted)
}
