//! Reads YAML into a flat list of nodes with their places, as far as it can be read.

use std::cell::Cell;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};

/// What was read before the end of the text, or before the first error.
pub struct Yaml {
    pub nodes: Vec<Node>,
    pub documents: Vec<Document>,
    /// Aliases of anchors that do not exist.
    pub undefined: Vec<Range<usize>>,
    pub error: Option<SyntaxError>,
    /// What lies behind was not read.
    pub end: usize,
}

/// Where and why reading stopped.
pub struct SyntaxError {
    pub at: usize,
    /// Whether it is between `[` or `{` and its end.
    in_flow: bool,
    pub message: String,
}

pub struct Document {
    pub start: usize,
    /// Whether it begins with `---`.
    pub explicit: bool,
}

/// One node, in source order.
pub struct Node {
    pub kind: Kind,
    /// Of a collection, only its beginning.
    pub range: Range<usize>,
    pub role: Role,
    /// The collection it is in.
    pub parent: Option<usize>,
    /// The parser's number of its anchor; zero for none.
    pub anchor: usize,
    pub tagged: bool,
}

#[derive(Debug, PartialEq)]
pub enum Kind {
    Scalar { value: String, style: ScalarStyle },
    Alias,
    Mapping { flow: bool },
    Sequence { flow: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    Root,
    Key,
    /// The value of the key with this number.
    Value(usize),
    Item,
}

impl Node {
    pub fn is_flow(&self) -> bool {
        matches!(self.kind, Kind::Mapping { flow: true } | Kind::Sequence { flow: true })
    }

    /// The value of a plain scalar without tag.
    pub fn plain(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { value, style: ScalarStyle::Plain } if !self.tagged => Some(value),
            _ => None,
        }
    }
}

/// A text with so many undefined aliases is no YAML.
const MAX_UNDEFINED: usize = 20;

/// Each change costs another parse; so many bytes are parsed again at most.
const MAX_EFFORT: usize = 16 << 20;

pub fn parse(text: &str) -> Yaml {
    // What the parser refuses and other readers take is changed in a copy, byte for byte, so that places stay.
    let mut changed = text.to_owned();
    let mut undefined = Vec::new();
    let mut yaml = read(&changed);
    let mut effort = 0;
    while let Some(error) = &yaml.error {
        effort += text.len();
        if effort > MAX_EFFORT {
            break;
        }
        if error.message.contains("unknown anchor") && undefined.len() < MAX_UNDEFINED {
            let Some(star) = alias_near(&changed, error.at) else { break };
            let stop = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
            let length = text[star..].find(stop).unwrap_or(text.len() - star);
            undefined.push(star..star + length);
            changed.replace_range(star..star + 1, "_");
            yaml = read(&changed);
        } else if error.in_flow && error.message.contains("invalid indentation") {
            let Some(joined) = join_lines(&changed, error.at) else { break };
            let next = read(&joined);
            // If the indentation was not the reason, the first error is the one to tell.
            if next.error.as_ref().is_some_and(|next| next.at <= error.at) {
                break;
            }
            changed = joined;
            yaml = next;
        } else {
            break;
        }
    }
    yaml.undefined = undefined;
    yaml
}

/// Puts the line of an offset behind the line before. YAML wants `]` and `}` deeper than their key; hardly any reader
/// minds.
fn join_lines(text: &str, at: usize) -> Option<String> {
    let newline = text[..at].rfind('\n')?;
    let line = text[..newline].rfind('\n').map_or(0, |newline| newline + 1);
    let end = line + text[line..newline].find(" #").unwrap_or(newline - line);
    // A comment of its own would swallow what comes behind it.
    let end = if text[line..end].trim_start().starts_with('#') { line } else { end };
    Some(format!("{}{}{}", &text[..end], " ".repeat(newline + 1 - end), &text[newline + 1..]))
}

/// The `*` at an offset, or the last one before it on the same line.
fn alias_near(text: &str, at: usize) -> Option<usize> {
    if text[at..].starts_with('*') {
        return Some(at);
    }
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[line..at].rfind('*').map(|offset| line + offset)
}

fn read(text: &str) -> Yaml {
    let places = Places::new(text);
    let mut yaml =
        Yaml { nodes: Vec::new(), documents: Vec::new(), undefined: Vec::new(), error: None, end: text.len() };
    let mut open: Vec<Open> = Vec::new();
    let mut parser: Parser<StrInput> = Parser::new_from_str(&text[places.base..]);
    let mut reached = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                yaml.error = Some(places.error(&error, in_flow(&yaml, &open)));
                yaml.end = reached;
                break;
            }
        };
        let range = places.range(span);
        reached = reached.max(range.end);
        let (kind, anchor, tagged) = match event {
            Event::DocumentStart(explicit) => {
                yaml.documents.push(Document { start: range.start, explicit });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                continue;
            }
            Event::Scalar(value, style, anchor, tag) => {
                // The place of a value that is not there may be that of the next token.
                let missing = value.is_empty() && style == ScalarStyle::Plain && tag.is_none();
                let range = if missing { range.start..range.start } else { without_properties(text, range) };
                let kind = Kind::Scalar { value: value.into_owned(), style };
                push(&mut yaml, &mut open, kind, range, anchor, tag.is_some());
                continue;
            }
            Event::Alias(_) => (Kind::Alias, 0, false),
            Event::MappingStart(anchor, tag) => {
                let flow = text[range.clone()].ends_with('{') || (!range.is_empty() && in_flow(&yaml, &open));
                (Kind::Mapping { flow }, anchor, tag.is_some())
            }
            Event::SequenceStart(anchor, tag) => {
                (Kind::Sequence { flow: text[range.clone()].ends_with('[') }, anchor, tag.is_some())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
        };
        push(&mut yaml, &mut open, kind, range, anchor, tagged);
    }
    yaml
}

/// The place of a scalar may begin at its anchor or tag.
fn without_properties(text: &str, mut range: Range<usize>) -> Range<usize> {
    while text[range.clone()].starts_with(['&', '!']) {
        let scalar = &text[range.clone()];
        let Some(length) = scalar.find(char::is_whitespace) else { return range.end..range.end };
        range.start += length + (scalar[length..].len() - scalar[length..].trim_start().len());
    }
    range
}

/// A collection whose end was not seen yet.
struct Open {
    node: usize,
    /// The key that waits for its value.
    key: Option<usize>,
}

fn in_flow(yaml: &Yaml, open: &[Open]) -> bool {
    open.last().is_some_and(|open| yaml.nodes[open.node].is_flow())
}

fn push(yaml: &mut Yaml, open: &mut Vec<Open>, kind: Kind, range: Range<usize>, anchor: usize, tagged: bool) {
    let number = yaml.nodes.len();
    let role = match open.last_mut() {
        None => Role::Root,
        Some(parent) if matches!(yaml.nodes[parent.node].kind, Kind::Sequence { .. }) => Role::Item,
        Some(parent) => match parent.key.take() {
            Some(key) => Role::Value(key),
            None => {
                parent.key = Some(number);
                Role::Key
            }
        },
    };
    let parent = open.last().map(|parent| parent.node);
    if matches!(kind, Kind::Mapping { .. } | Kind::Sequence { .. }) {
        open.push(Open { node: number, key: None });
    }
    yaml.nodes.push(Node { kind, range, role, parent, anchor, tagged });
}

/// Turns the parser's lines and columns into byte offsets. Its offsets are not used: they count neither bytes nor
/// characters once there are comments beyond ASCII.
struct Places<'a> {
    text: &'a str,
    /// Where the text begins behind a byte order mark.
    base: usize,
    /// The parser breaks lines at a lone `\r` too.
    starts: Vec<usize>,
    ascii: bool,
    /// Line, column and offset of the last place.
    last: Cell<(usize, usize, usize)>,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        let base = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let bytes = text.as_bytes();
        let breaks = (base..bytes.len())
            .filter(|at| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
        let starts = std::iter::once(base).chain(breaks.map(|at| at + 1)).collect();
        Self { text, base, starts, ascii: text.is_ascii(), last: Cell::new((0, 0, 0)) }
    }

    fn offset(&self, marker: Marker) -> usize {
        let Some(start) = self.starts.get(marker.line().saturating_sub(1)).copied() else { return self.text.len() };
        let end = self.starts.get(marker.line()).copied().unwrap_or(self.text.len());
        if self.ascii {
            return end.min(start + marker.col());
        }
        // Places come nearly in order, so counting goes on from the last one: a line may be the whole file.
        let (line, column, offset) = self.last.get();
        let known = line == marker.line() && column <= marker.col();
        let (column, offset) = if known { (column, offset) } else { (0, start) };
        let rest = &self.text[offset..end];
        let found = rest.char_indices().nth(marker.col() - column).map_or(end, |(at, _)| offset + at);
        if found < end {
            self.last.set((marker.line(), marker.col(), found));
        }
        found
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.offset(span.start);
        start..self.offset(span.end).max(start)
    }

    fn error(&self, error: &ScanError, in_flow: bool) -> SyntaxError {
        SyntaxError { at: self.offset(*error.marker()), in_flow, message: error.info().to_lowercase() }
    }
}
