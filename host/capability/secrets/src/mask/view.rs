//! A text as a program would read it that undoes one kind of escaping, with the place of every byte in the text.

use std::borrow::Cow;
use std::ops::Range;

/// Undoing an escape finds every spelling of it: `%2f` and `%2F`, `\/`, `\u002f` and `/`.
pub struct View<'t> {
    bytes: Cow<'t, [u8]>,
    /// Where each byte begins in the text, and after the last one where the text ends. `None`: where it is.
    starts: Option<Vec<usize>>,
}

impl<'t> View<'t> {
    /// The text itself and what it may be read as; `plus` says whether `+` may stand for a space.
    pub fn all(text: &'t [u8], plus: bool) -> Vec<Self> {
        let itself = View { bytes: Cow::Borrowed(text), starts: None };
        let mut views = Vec::new();
        if let Some(unescaped) = itself.without_backslashes() {
            views.extend(unescaped.without_backslashes());
            views.extend(unescaped.without_percents(false));
            views.push(unescaped);
        }
        views.extend(itself.without_percents(false));
        views.extend(plus.then(|| itself.without_percents(true)).flatten());
        views.push(itself);
        views
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a range of the view stands in the text.
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        match &self.starts {
            Some(starts) => starts[range.start]..starts[range.end],
            None => range,
        }
    }

    /// Percent-encoding undone (RFC 3986); `None` if there is none.
    fn without_percents(&self, plus: bool) -> Option<View<'static>> {
        self.decode(|rest| match rest {
            [b'%', high, low, ..] => Some((3, vec![hex(&[*high, *low])? as u8])),
            [b'+', ..] if plus => Some((1, vec![b' '])),
            _ => None,
        })
    }

    /// The escapes of JSON and of string literals undone; `None` if there are none.
    fn without_backslashes(&self) -> Option<View<'static>> {
        self.decode(|rest| {
            let [b'\\', kind, after @ ..] = rest else { return None };
            let byte = match kind {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                b'"' | b'\'' | b'\\' | b'/' => *kind,
                b'x' => hex(after.get(..2)?)? as u8,
                b'u' => return unicode(after).map(|(length, c)| (2 + length, c.to_string().into_bytes())),
                _ => return None,
            };
            Some((if *kind == b'x' { 4 } else { 2 }, vec![byte]))
        })
    }

    /// Reads the text from left to right. `escape` is asked at each byte how many bytes stand for which other ones.
    fn decode(&self, escape: impl Fn(&[u8]) -> Option<(usize, Vec<u8>)>) -> Option<View<'static>> {
        let is_mark = |byte: &u8| matches!(byte, b'%' | b'\\' | b'+');
        let first = self.bytes.iter().position(is_mark)?;
        let start = |at: usize| self.starts.as_ref().map_or(at, |starts| starts[at]);
        let mut bytes = self.bytes[..first].to_vec();
        let mut starts: Vec<usize> = (0..first).map(start).collect();
        let (mut at, mut found) = (first, false);
        while let Some(byte) = self.bytes.get(at) {
            let escaped = if is_mark(byte) { escape(&self.bytes[at..]) } else { None };
            found |= escaped.is_some();
            let (length, decoded) = escaped.unwrap_or_else(|| (1, vec![*byte]));
            starts.extend(decoded.iter().map(|_| start(at)));
            bytes.extend(decoded);
            at += length;
        }
        starts.push(start(self.bytes.len()));
        found.then_some(View { bytes: Cow::Owned(bytes), starts: Some(starts) })
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// What follows `\u`: four digits, two times four for what is beyond 16 bits, or `{...}`. With its length.
fn unicode(text: &[u8]) -> Option<(usize, char)> {
    if let Some(rest) = text.strip_prefix(b"{") {
        let length = rest.iter().take(7).position(|byte| *byte == b'}')?;
        return Some((length + 2, char::from_u32(hex(&rest[..length])?)?));
    }
    let high = hex(text.get(..4)?)?;
    if let (0xd800..0xdc00, Some(b"\\u")) = (high, text.get(4..6)) {
        let low = hex(text.get(6..10)?)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        return Some((10, char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?));
    }
    Some((4, char::from_u32(high)?))
}
