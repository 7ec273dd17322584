//! Changes the `grants` of steps in the text of a workflow, and nothing else: comments and layout stay.

mod diff;

use std::ops::Range;

use indexmap::IndexMap;
use sluice_model::grant::Capability;
use sluice_model::yaml::{self, Key, Node, NodeValue};
use sluice_model::{Source, Span};

use crate::document::DIALECT;

pub use diff::unified;

/// New grants of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amendment {
    /// Of the whole step, as the workflow has it.
    pub step: Span,
    /// The spellings of each capability that changes.
    pub grants: IndexMap<Capability, Vec<String>>,
}

/// Bytes of the text that are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub range: Range<usize>,
    pub text: String,
}

/// The edits, in the order of the text, and the steps that cannot be changed because their grants are written elsewhere
/// (behind an alias).
pub fn amend(source: &Source, amendments: &[Amendment]) -> (Vec<Edit>, Vec<Span>) {
    let (mut edits, mut elsewhere) = (Vec::new(), Vec::new());
    let Ok(root) = yaml::parse(source, &DIALECT) else { return (edits, elsewhere) };
    for (number, amendment) in amendments.iter().enumerate() {
        // A step that stands in two places by an alias.
        let twice = amendments[..number].iter().any(|before| before.step == amendment.step);
        let own = find(&root, amendment.step).filter(|_| !twice);
        let own = own.and_then(|step| Writer::new(source.text(), step)?.grants(amendment));
        match own {
            Some(own) => edits.extend(own),
            None => elsewhere.push(amendment.step),
        }
    }
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    (edits, elsewhere)
}

/// The text after all edits.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        out.push_str(&text[done..edit.range.start]);
        out.push_str(&edit.text);
        done = edit.range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// The mapping that stands exactly there.
fn find(node: &Node, span: Span) -> Option<&Node> {
    if node.span == span && matches!(node.value, NodeValue::Mapping(_)) {
        return Some(node);
    }
    if node.span.start > span.start || node.span.end < span.end {
        return None;
    }
    match &node.value {
        NodeValue::Sequence(items) => items.iter().find_map(|item| find(item, span)),
        NodeValue::Mapping(entries) => entries.iter().find_map(|(_, value)| find(value, span)),
        _ => None,
    }
}

/// Edits one step.
struct Writer<'t> {
    text: &'t str,
    newline: &'static str,
    step: &'t Node,
    entries: &'t [(Key, Node)],
}

fn list(spellings: &[String]) -> String {
    let quoted: Vec<String> = spellings.iter().map(|spelling| quoted(spelling)).collect();
    format!("[{}]", quoted.join(", "))
}

fn quoted(spelling: &str) -> String {
    format!("\"{}\"", spelling.replace('\\', "\\\\").replace('"', "\\\""))
}

fn field<'t>(entries: &'t [(Key, Node)], name: &str) -> Option<(&'t Key, &'t Node)> {
    entries.iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
}

impl<'t> Writer<'t> {
    fn new(text: &'t str, step: &'t Node) -> Option<Self> {
        let NodeValue::Mapping(entries) = &step.value else { return None };
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Some(Self { text, newline, step, entries })
    }

    fn is_flow(&self, node: &Node) -> bool {
        self.text.as_bytes().get(node.span.start).is_some_and(|byte| matches!(byte, b'{' | b'['))
    }

    /// Where the line ends that holds this place, before its line feed.
    fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
        if self.text[..end].ends_with('\r') { end - 1 } else { end }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |before| before + 1)
    }

    /// As many spaces as stand before a key, with `- ` counted.
    fn indent(&self, key: &Key) -> String {
        " ".repeat(self.text[self.line_start(key.span.start)..key.span.start].chars().count())
    }

    /// Where a value ends, without what a block of text has behind its last line.
    fn end(&self, node: &Node) -> usize {
        node.span.start + self.text[node.span.start..node.span.end].trim_end().len()
    }

    fn within(&self, span: Span) -> bool {
        span.start >= self.step.span.start && span.end <= self.step.span.end.max(self.end(self.step))
    }

    /// Whether a value stands behind its key, and no other step reads it by an alias.
    fn is_own(&self, key: &Key, node: &Node) -> bool {
        let between = self.text.get(key.span.end..node.span.start);
        self.within(key.span) && self.within(node.span) && between.is_some_and(|between| !between.contains('&'))
    }

    fn insert(at: usize, text: String) -> Edit {
        Edit { range: at..at, text }
    }

    fn grants(&self, amendment: &Amendment) -> Option<Vec<Edit>> {
        let all: Vec<String> = amendment
            .grants
            .iter()
            .map(|(capability, spellings)| format!("{capability}: {}", list(spellings)))
            .collect();
        let Some((key, grants)) = field(self.entries, "grants") else {
            return Some(vec![self.new_block(&all)?]);
        };
        if !self.is_own(key, grants) {
            return None;
        }
        let NodeValue::Mapping(known) = &grants.value else {
            // `grants:` with nothing behind it.
            let colon = self.after_colon(key)?;
            return Some(vec![Self::insert(colon, format!(" {{{}}}", all.join(", ")))]);
        };
        let mut edits = Vec::new();
        let mut added = Vec::new();
        for ((capability, spellings), line) in amendment.grants.iter().zip(all) {
            match field(known, capability.as_str()) {
                Some((key, node)) => edits.extend(self.replace(key, node, spellings)?),
                None => added.push(line),
            }
        }
        if !added.is_empty() {
            edits.push(self.add(grants, known, &added)?);
        }
        Some(edits)
    }

    /// Behind the line that says what the step does.
    fn new_block(&self, lines: &[String]) -> Option<Edit> {
        if self.is_flow(self.step) {
            let brace = self.text[..self.step.span.end].rfind('}')?;
            return Some(Self::insert(brace, format!(", grants: {{{}}}", lines.join(", "))));
        }
        let action = ["uses", "run"].iter().find_map(|name| field(self.entries, name));
        let (_, node) = action.filter(|(_, node)| self.within(node.span)).or_else(|| {
            let (key, node) = self.entries.last()?;
            Some((key, node))
        })?;
        let indent = self.indent(&self.entries.first()?.0);
        let newline = self.newline;
        let lines: String = lines.iter().map(|line| format!("{newline}{indent}  {line}")).collect();
        Some(Self::insert(self.line_end(self.end(node)), format!("{newline}{indent}grants:{lines}")))
    }

    fn add(&self, grants: &Node, known: &[(Key, Node)], lines: &[String]) -> Option<Edit> {
        let last = known.last();
        if self.is_flow(grants) {
            let brace = self.text[..grants.span.end].rfind('}')?;
            let comma = if last.is_some() { ", " } else { "" };
            return Some(Self::insert(brace, format!("{comma}{}", lines.join(", "))));
        }
        let (key, node) = last?;
        let indent = self.indent(key);
        let lines: String = lines.iter().map(|line| format!("{}{indent}{line}", self.newline)).collect();
        Some(Self::insert(self.line_end(self.end(node).max(key.span.end)), lines))
    }

    /// The place behind the colon of a key.
    fn after_colon(&self, key: &Key) -> Option<usize> {
        let rest = &self.text[key.span.end..];
        let colon = rest.find(':')?;
        rest[..colon].trim_matches(['"', '\'']).trim().is_empty().then_some(key.span.end + colon + 1)
    }

    /// Puts other spellings in place of a list.
    fn replace(&self, key: &Key, node: &Node, spellings: &[String]) -> Option<Vec<Edit>> {
        if !self.is_own(key, node) {
            return None;
        }
        let items = match &node.value {
            NodeValue::Sequence(items) if !self.is_flow(node) => items,
            NodeValue::Null => {
                return Some(vec![Self::insert(self.after_colon(key)?, format!(" {}", list(spellings)))]);
            }
            _ => return Some(vec![Edit { range: node.span.start..self.end(node), text: list(spellings) }]),
        };
        self.replace_items(key, items, spellings)
    }

    /// Lines of a list in a block: those that stay are left alone.
    fn replace_items(&self, key: &Key, items: &[Node], spellings: &[String]) -> Option<Vec<Edit>> {
        let kept = |item: &Node| item.as_str().is_some_and(|text| spellings.iter().any(|new| new == text));
        let known: Vec<&str> = items.iter().filter_map(Node::as_str).collect();
        let mut new = spellings.iter().filter(|spelling| !known.contains(&spelling.as_str()));
        let mut edits = Vec::new();
        for item in items.iter().filter(|item| !kept(item)) {
            match new.next() {
                Some(spelling) => edits.push(Edit { range: item.span.start..self.end(item), text: quoted(spelling) }),
                None => {
                    let (start, end) = (self.line_start(item.span.start), self.line_end(item.span.end));
                    // With the line feed before it, so that a list at the end of a file leaves no empty line.
                    edits.push(Edit {
                        range: self.text[..start].trim_end_matches(['\n', '\r']).len()..end,
                        text: String::new(),
                    });
                }
            }
        }
        let rest: Vec<&String> = new.collect();
        if let Some(last) = items.last().filter(|_| !rest.is_empty()) {
            let line = &self.text[self.line_start(last.span.start)..last.span.start];
            let lines: String =
                rest.iter().map(|spelling| format!("{}{line}{}", self.newline, quoted(spelling))).collect();
            edits.push(Self::insert(self.line_end(last.span.end), lines));
        }
        if spellings.is_empty() {
            edits.push(Self::insert(self.after_colon(key)?, " []".to_owned()));
        }
        Some(edits)
    }
}

#[cfg(test)]
mod tests;
