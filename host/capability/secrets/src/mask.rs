//! Takes the values of secrets out of texts.

mod forms;
#[cfg(test)]
mod tests;
mod view;

use std::borrow::Cow;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use crate::SecretValues;
use forms::Form;
use view::View;

/// Shorter values, and shorter lines of a value, are not masked: they would be found in ordinary words. In bytes.
pub const SHORTEST_VALUE: usize = 4;
/// Shorter forms are not looked for in artifacts, in bytes.
const SHORTEST_IN_ARTIFACTS: usize = 8;
const MASKED: &str = "***";
/// The most that escaping for JSON, twice, makes of one byte.
const LONGEST_ESCAPE: usize = 7;

/// Finds the values of secrets in texts, in the forms in which they usually leak: as they are, line by line, in base64 at
/// any alignment, in hexadecimal, percent-encoded, escaped for JSON, XML or a shell.
#[derive(Debug, Default)]
pub struct Mask {
    finder: Option<Finder>,
}

#[derive(Debug)]
struct Finder {
    search: AhoCorasick,
    /// In the order of the patterns of `search`.
    forms: Vec<Form>,
    /// The most that a form takes in a text, in bytes.
    longest: usize,
    /// Whether a form has a space, for which `+` may stand.
    spaces: bool,
}

impl Mask {
    pub fn new(values: &SecretValues) -> Self {
        Self::of(values.all())
    }

    /// Finds these values.
    pub fn of<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let values = values.into_iter().filter(|value| value.len() >= SHORTEST_VALUE);
        Self::of_forms(values.flat_map(forms::of).collect())
    }

    /// Finds a value in artifacts, which are large and hold anything: without forms that are so short, or so usual, that
    /// they would be found by chance.
    pub(crate) fn of_artifacts(value: &str) -> Self {
        // `-----BEGIN PRIVATE KEY-----`
        let is_frame = |text: &str| text.starts_with("-----") && text.ends_with("-----") && !text.contains('\n');
        let mut forms = forms::of(value);
        forms.retain(|form| form.text.len() >= SHORTEST_IN_ARTIFACTS && !is_frame(&form.text));
        Self::of_forms(forms)
    }

    fn of_forms(mut forms: Vec<Form>) -> Self {
        forms.sort_unstable();
        forms.dedup_by(|a, b| a.text == b.text);
        if forms.is_empty() {
            return Self::default();
        }
        // A finder that cannot be built (gigabytes of secrets) must not let texts through unmasked.
        let search = AhoCorasick::new(forms.iter().map(|form| &form.text))
            .expect("the secrets of one machine are far below the limit of 2^31 bytes");
        let longest = forms.iter().map(|form| form.text.len()).max().unwrap_or_default() * LONGEST_ESCAPE;
        let spaces = forms.iter().any(|form| form.text.contains(' '));
        Self { finder: Some(Finder { search, forms, longest, spaces }) }
    }

    /// The text with every secret replaced by `***`.
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(finder) = &self.finder else { return Cow::Borrowed(text) };
        let found = finder.find(text.as_bytes());
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut told = 0;
        for range in found {
            let (start, end) = (text.floor_char_boundary(range.start), text.ceil_char_boundary(range.end));
            masked.push_str(&text[told.min(start)..start]);
            masked.push_str(MASKED);
            told = end;
        }
        masked.push_str(&text[told..]);
        Cow::Owned(masked)
    }

    /// The end of a stream of bytes, about `most` of them, with every secret replaced by `***`. What stands at the
    /// beginning of `stream` may be the rest of a secret that was cut: give [`Mask::holds_back`] bytes more than `most`
    /// where something was cut off.
    pub fn end_of(&self, stream: &[u8], most: usize) -> Vec<u8> {
        let start = stream.len().saturating_sub(most);
        let mut masked = Vec::with_capacity(stream.len() - start);
        let mut told = start;
        for range in self.finder.iter().flat_map(|finder| finder.find(stream)).filter(|range| range.end > start) {
            masked.extend_from_slice(&stream[told..range.start.max(told)]);
            masked.extend_from_slice(MASKED.as_bytes());
            told = range.end;
        }
        masked.extend_from_slice(&stream[told..]);
        masked
    }

    /// Whether a form of a secret is in these bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.finder.as_ref().is_some_and(|finder| finder.is_in(bytes))
    }

    /// Takes from the front of a stream what may be told, with `*` in place of each byte of a secret, so that no length
    /// changes. As long as there is `more` to come, the end stays: a secret may have begun in it.
    pub fn cover(&self, stream: &mut Vec<u8>, more: bool) -> Vec<u8> {
        let Some(finder) = &self.finder else { return std::mem::take(stream) };
        let end = if more { finder.outside(stream, stream.len().saturating_sub(finder.longest)) } else { stream.len() };
        for range in finder.find(stream).into_iter().filter(|range| range.start < end) {
            stream[range].fill(b'*');
        }
        let rest = stream.split_off(end);
        std::mem::replace(stream, rest)
    }

    /// How much of a stream may be told when its lines up to `end` are complete: at most `end`, and less, to the
    /// beginning of a line, if what follows may turn out to be the rest of a secret of several lines.
    pub fn whole_lines(&self, stream: &[u8], end: usize) -> usize {
        let Some(finder) = &self.finder else { return end };
        let several_lines =
            || finder.forms.iter().map(|form| form.text.as_bytes()).filter(|form| form.contains(&b'\n'));
        if several_lines().next().is_none() {
            return end;
        }
        let arriving = several_lines().filter_map(|form| begun(stream, form)).min().unwrap_or(end);
        let safe = finder.outside(stream, end.min(arriving));
        stream[..safe].iter().rposition(|byte| *byte == b'\n').map_or(0, |line_feed| line_feed + 1)
    }

    /// How much may be told of a line that goes on and has become too long to wait for its end.
    pub fn part_of_line(&self, stream: &[u8]) -> usize {
        let Some(finder) = &self.finder else { return char_boundary(stream, stream.len()) };
        finder.outside(stream, char_boundary(stream, stream.len().saturating_sub(finder.longest)))
    }

    /// The most that one secret takes in a stream, in bytes, so the most that [`Mask::part_of_line`] and
    /// [`Mask::whole_lines`] hold back of an ordinary one.
    pub fn holds_back(&self) -> usize {
        self.finder.as_ref().map_or(0, |finder| finder.longest)
    }
}

/// Where a form begins whose end is still to come.
fn begun(stream: &[u8], form: &[u8]) -> Option<usize> {
    let earliest = (stream.len() + 1).saturating_sub(form.len());
    (earliest..stream.len()).find(|start| form.starts_with(&stream[*start..]))
}

/// The last boundary of a character up to `end`, if the stream is UTF-8.
fn char_boundary(stream: &[u8], end: usize) -> usize {
    let is_boundary = |at: usize| stream.get(at).is_none_or(|byte| byte & 0b1100_0000 != 0b1000_0000);
    // At the end of the stream, a character may still be arriving.
    let complete = end < stream.len() || stream.utf8_chunks().last().is_none_or(|chunk| chunk.invalid().is_empty());
    if is_boundary(end) && complete {
        return end;
    }
    (end.saturating_sub(3)..end).rev().find(|at| is_boundary(*at)).unwrap_or(end)
}

impl Finder {
    fn is_in(&self, text: &[u8]) -> bool {
        View::all(text, self.spaces).iter().any(|view| self.search.is_match(view.bytes()))
    }

    /// Where secrets stand: in order, apart from each other.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for view in View::all(text, self.spaces) {
            let bytes = view.bytes();
            if !self.search.is_match(bytes) {
                continue;
            }
            // Overlapping: of two secrets that share some text, both must go.
            for hit in self.search.find_overlapping_iter(bytes) {
                let range = self.forms[hit.pattern().as_usize()].widen(bytes, hit.range());
                found.push(view.place(range));
            }
        }
        found.sort_unstable_by_key(|range| range.start);
        found.dedup_by(|next, range| {
            let overlaps = next.start < range.end;
            if overlaps {
                range.end = range.end.max(next.end);
            }
            overlaps
        });
        found
    }

    /// The last place up to `end` that is not within a secret. Text that is nothing but secrets is cut all the same
    /// once there is far too much of it.
    fn outside(&self, stream: &[u8], end: usize) -> usize {
        const TOO_MUCH: usize = 1 << 20;
        match self.find(stream).into_iter().find(|range| range.start < end && end < range.end) {
            Some(range) if range.start == 0 && stream.len() > TOO_MUCH + self.longest => range.end,
            Some(range) => range.start,
            None => end,
        }
    }
}
