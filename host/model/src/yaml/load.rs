//! Events of the parser -> nodes.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};

use super::{Dialect, Key, MAX_COPIED_NODES, MAX_DEPTH, Node, NodeValue, scalar};
use crate::problem::Problem;
use crate::span::Span;

/// Reads the only document of `text`.
pub fn document(text: &str, dialect: &Dialect) -> Result<Node, Vec<Problem>> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut loader = Loader {
        text,
        dialect,
        stack: Vec::new(),
        anchors: HashMap::new(),
        copied: 0,
        root: None,
        documents: 0,
        problems: Vec::new(),
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match event {
            Ok(pair) => pair,
            Err(error) => {
                let problem = loader.syntax(&error);
                loader.problems.push(problem);
                return Err(loader.problems);
            }
        };
        let span = loader.span(span);
        if !loader.event(event, span) {
            break;
        }
    }
    match loader.root {
        _ if !loader.problems.is_empty() => Err(loader.problems),
        Some(Node { value: NodeValue::Null, .. }) | None => Err(vec![
            Problem::new(dialect.empty, "the file is empty").at(Span::new(0, 0), "nothing but space and comments"),
        ]),
        Some(root) => Ok(root),
    }
}

/// A collection that is not complete yet.
enum Open {
    Sequence { items: Vec<Node> },
    Mapping { entries: Vec<(Key, Node)>, merged: Vec<Node>, key: Option<MapKey> },
}

enum MapKey {
    Text(Key),
    Merge,
    /// Reported; its value is read and dropped.
    Bad,
}

struct Frame {
    open: Open,
    start: usize,
    flow: bool,
    anchor: usize,
    height: usize,
    weight: usize,
}

struct Anchored {
    node: Node,
    height: usize,
    weight: usize,
}

struct Loader<'t> {
    text: &'t str,
    dialect: &'t Dialect,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    copied: usize,
    root: Option<Node>,
    documents: usize,
    problems: Vec<Problem>,
}

impl<'t> Loader<'t> {
    /// Handles one event; false ends the reading.
    fn event(&mut self, event: Event<'t>, span: Span) -> bool {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.complain(span, "more than one document in the file", "a second document begins here", None);
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let span = self.trimmed(span);
                let merge = style == ScalarStyle::Plain && text == "<<" && self.expects_key() && tag.is_none();
                let value = match self.scalar(&text, style, tag.as_deref()) {
                    Ok(value) => value,
                    Err(reason) => {
                        let shown = shorten(&text);
                        let help = match tag {
                            Some(_) => "remove the tag".to_owned(),
                            None => format!("quote it if it is meant as text: \"{shown}\""),
                        };
                        self.complain(span, format!("`{shown}` is {reason}"), "this value cannot be used", Some(help));
                        NodeValue::String(text.into_owned())
                    }
                };
                let node = Node { span, value };
                let weight = 1 + node.as_str().map_or(0, |text| text.len() / 64);
                if anchor != 0 {
                    self.anchors.insert(anchor, Anchored { node: node.clone(), height: 1, weight });
                }
                self.place(node, merge, 1, weight);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "seq", span);
                self.open(Open::Sequence { items: Vec::new() }, style, anchor, span);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "map", span);
                self.open(Open::Mapping { entries: Vec::new(), merged: Vec::new(), key: None }, style, anchor, span);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => return self.alias(id, span),
            _ => {}
        }
        true
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { open: Open::Mapping { key: None, .. }, .. }))
    }

    fn open(&mut self, open: Open, style: StructureStyle, anchor: usize, span: Span) {
        let flow = style == StructureStyle::Flow;
        let mut start = span.start;
        if !flow && matches!(open, Open::Sequence { .. }) && !self.text[start..].starts_with('-') {
            // A sequence that is not indented is announced at its first item, behind the `-`.
            let before = self.text[..start].trim_end_matches([' ', '\t']);
            start = if before.ends_with('-') { before.len() - 1 } else { start };
        }
        self.stack.push(Frame { open, start, flow, anchor, height: 1, weight: 1 });
    }

    fn close(&mut self, span: Span) {
        let Some(frame) = self.stack.pop() else { return };
        let (value, last) = match frame.open {
            Open::Sequence { items } => {
                let last = items.last().map(|node| node.span.end);
                (NodeValue::Sequence(items), last)
            }
            Open::Mapping { entries, merged, .. } => {
                let last = entries.last().map(|(key, node)| node.span.end.max(key.span.end));
                (NodeValue::Mapping(self.finish(entries, merged)), last)
            }
        };
        // A block collection has no closing mark, so it ends with its last child (which an alias may put elsewhere).
        let end = if frame.flow { span.end } else { last.filter(|last| *last <= span.end).unwrap_or(span.end) };
        let node = Node { span: Span::new(frame.start, end.max(frame.start)), value };
        if frame.anchor != 0 {
            let anchored = Anchored { node: node.clone(), height: frame.height, weight: frame.weight };
            self.anchors.insert(frame.anchor, anchored);
            self.copied += frame.weight;
        }
        self.place(node, false, frame.height, frame.weight);
    }

    /// Drops duplicate keys, reporting each, and puts merged entries behind the own ones.
    fn finish(&mut self, entries: Vec<(Key, Node)>, merged: Vec<Node>) -> Vec<(Key, Node)> {
        let mut seen: HashMap<String, Span> = HashMap::with_capacity(entries.len());
        let mut unique = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            match seen.get(&key.name) {
                Some(first) => self.problems.push(
                    Problem::new(self.dialect.syntax, format!("the key `{}` is given twice", key.name))
                        .at(key.span, "given again here")
                        .at(*first, "first given here")
                        .help("keep one of the two"),
                ),
                None => {
                    seen.insert(key.name.clone(), key.span);
                    unique.push((key, node));
                }
            }
        }
        for node in merged {
            let span = node.span;
            let sources = match node.value {
                NodeValue::Sequence(items) => items,
                value => vec![Node { span, value }],
            };
            for source in sources {
                let NodeValue::Mapping(entries) = source.value else {
                    self.complain(source.span, "`<<` merges something that is no mapping", "not a mapping", None);
                    continue;
                };
                for (key, node) in entries {
                    if !seen.contains_key(&key.name) {
                        seen.insert(key.name.clone(), key.span);
                        unique.push((key, node));
                    }
                }
            }
        }
        unique
    }

    fn alias(&mut self, id: usize, span: Span) -> bool {
        let Some(anchored) = self.anchors.get(&id) else {
            self.complain(
                span,
                "an alias stands inside the value that its anchor names",
                "refers to what contains it",
                None,
            );
            return false;
        };
        self.copied += anchored.weight;
        if self.copied > MAX_COPIED_NODES {
            let message = format!("aliases make this file too large: they copy more than {MAX_COPIED_NODES} values");
            self.complain(
                span,
                message,
                "the limit is reached here",
                Some("write the values out, or use fewer aliases".into()),
            );
            return false;
        }
        if self.stack.len() + anchored.height > MAX_DEPTH {
            self.too_deep(span);
            return false;
        }
        let (node, height, weight) = (anchored.node.clone(), anchored.height, anchored.weight);
        self.place(node, false, height, weight);
        true
    }

    /// Puts a complete node where it belongs.
    fn place(&mut self, node: Node, merge: bool, height: usize, weight: usize) {
        let expects_key = self.expects_key();
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        frame.height = frame.height.max(height + 1);
        frame.weight += weight;
        match &mut frame.open {
            Open::Sequence { items } => items.push(node),
            Open::Mapping { key: slot, .. } if expects_key => {
                let span = node.span;
                let (bad, help) = match node.value {
                    NodeValue::String(_) if merge => {
                        *slot = Some(MapKey::Merge);
                        return;
                    }
                    NodeValue::String(name) => {
                        *slot = Some(MapKey::Text(Key { name, span }));
                        return;
                    }
                    NodeValue::Sequence(_) | NodeValue::Mapping(_) => ("a key is a list or a mapping".to_owned(), None),
                    _ => {
                        let shown = self.text.get(span.start..span.end).unwrap_or_default();
                        let help = if shown.is_empty() {
                            "write a key before the `:`".into()
                        } else {
                            format!("quote it: \"{shown}\"")
                        };
                        (format!("the key `{shown}` is not text"), Some(help))
                    }
                };
                *slot = Some(MapKey::Bad);
                self.complain(span, bad, "keys are text", help);
            }
            Open::Mapping { entries, merged, key } => match key.take() {
                Some(MapKey::Text(key)) => entries.push((key, node)),
                Some(MapKey::Merge) => merged.push(node),
                Some(MapKey::Bad) | None => {}
            },
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<NodeValue, &'static str> {
        let plain = || scalar::plain(text);
        match tag {
            None if style == ScalarStyle::Plain => plain(),
            None => Ok(NodeValue::String(text.to_owned())),
            Some(tag) => match tag.core_suffix() {
                Some("str") => Ok(NodeValue::String(text.to_owned())),
                Some("int") => plain().and_then(|value| match value {
                    NodeValue::Int(_) => Ok(value),
                    _ => Err("tagged as an integer and is none"),
                }),
                Some("float") => plain().and_then(|value| match value {
                    NodeValue::Float(_) => Ok(value),
                    NodeValue::Int(value) => Ok(NodeValue::Float(value as f64)),
                    _ => Err("tagged as a number and is none"),
                }),
                Some("bool") => plain().and_then(|value| match value {
                    NodeValue::Bool(_) => Ok(value),
                    _ => Err("tagged as a boolean and is none"),
                }),
                Some("null") => plain().and_then(|value| match value {
                    NodeValue::Null => Ok(value),
                    _ => Err("tagged as nothing and is something"),
                }),
                // `!` alone makes a plain scalar text.
                _ if tag.parts() == ("", "!") || tag.parts() == ("!", "") => Ok(NodeValue::String(text.to_owned())),
                _ => Err("tagged with a type that is not supported"),
            },
        }
    }

    fn check_collection_tag(&mut self, tag: Option<&Tag>, expected: &str, span: Span) {
        if let Some(tag) = tag
            && tag.core_suffix() != Some(expected)
        {
            let message = format!("the tag `{}` is not supported", tag.original());
            self.complain(
                Span::new(span.start, span.start),
                message,
                "this value is tagged",
                Some("remove the tag".into()),
            );
        }
    }

    fn complain(&mut self, span: Span, message: impl Into<String>, label: &str, help: Option<String>) {
        let mut problem = Problem::new(self.dialect.syntax, message).at(span, label);
        problem.help = help;
        self.problems.push(problem);
    }

    fn too_deep(&mut self, span: Span) {
        self.complain(span, format!("values are nested more than {MAX_DEPTH} deep"), "too deep here", None);
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let at = self.boundary(error.marker().byte_offset().unwrap_or(self.text.len()));
        if *error.kind() == ErrorKind::RecursionLimitExceeded {
            let message = format!("values are nested more than {MAX_DEPTH} deep");
            return Problem::new(self.dialect.syntax, message).at(Span::new(at, at), "too deep here");
        }
        let problem =
            Problem::new(self.dialect.syntax, format!("not valid YAML: {}", restyle(&error.kind().to_string())))
                .at(Span::new(at, at), "the reader stopped here");
        match self.advice(error.kind(), at) {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    /// Help for the mistakes that people make most.
    fn advice(&self, kind: &ErrorKind, at: usize) -> Option<&'static str> {
        let start = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        match kind {
            ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
                Some("indent with spaces, not tabs")
            }
            ErrorKind::UnknownAnchor => {
                Some("an alias `*name` needs an anchor `&name` above it; quote text that begins with `*`")
            }
            ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
                Some("close the quote that was opened")
            }
            ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
                if line.contains("${{") =>
            {
                Some("inside `[ ]` and `{ }`, quote values that hold an expression: \"${{ ... }}\"")
            }
            _ if line.contains("${{") => Some("quote the value that holds the expression: \"${{ ... }}\""),
            ErrorKind::MappingValueNotAllowed => {
                Some("quote text that holds `: `, and check the indentation of this line")
            }
            ErrorKind::UnexpectedCharacter { .. } => Some("quote text that begins with this character"),
            _ => None,
        }
    }

    fn span(&self, span: granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(self.text.len()..self.text.len());
        let start = self.boundary(range.start);
        Span::new(start, self.boundary(range.end).max(start))
    }

    /// Block scalars end before the next token; labels look better without the blank lines.
    fn trimmed(&self, span: Span) -> Span {
        let text = self.text.get(span.start..span.end).unwrap_or_default();
        Span::new(span.start, span.start + text.trim_end().len())
    }

    fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(37).chain("...".chars()).collect() }
}

/// Lowercase at the beginning, names in backticks.
fn restyle(text: &str) -> String {
    let mut styled = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let apostrophe = previous.is_alphabetic() && chars.peek().is_some_and(|next| next.is_alphabetic());
        styled.push(match c {
            '\'' | '"' if !apostrophe => '`',
            _ if styled.is_empty() => c.to_ascii_lowercase(),
            _ => c,
        });
        previous = c;
    }
    styled
}
