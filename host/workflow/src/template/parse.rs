//! Strings with `${{ }}` -> templates.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use sluice_model::yaml::{Node, NodeValue};
use sluice_model::{Problem, Span};

use crate::codes;
use crate::workflow::Spanned;

use super::expression::{Compiled, Fault, compile};
use super::locate::Locator;
use super::{Condition, Expression, Piece, Template, TemplateValue};

const OPEN: &str = "${{";
const CLOSE: &str = "}}";

/// Reads the templates of one file. The same expression is compiled once.
pub(crate) struct Reader<'t> {
    text: &'t str,
    compiled: HashMap<String, Result<Arc<Compiled>, Fault>>,
    /// Globs of every `hash.files`, each list once.
    pub file_hashes: Vec<Spanned<Vec<String>>>,
    /// Whether any of them reads `git.changed` or `git.base`.
    pub reads_changes: bool,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, compiled: HashMap::new(), file_hashes: Vec::new(), reads_changes: false }
    }

    /// Reads a whole value. Faulty strings are reported and left as they are.
    pub fn node(&mut self, node: &Node, problems: &mut Vec<Problem>) -> Template {
        let value = match &node.value {
            NodeValue::String(text) => {
                return self.string(text, node.span).unwrap_or_else(|found| {
                    problems.extend(found);
                    Template { span: node.span, value: TemplateValue::Literal(Value::String(text.clone())) }
                });
            }
            NodeValue::Sequence(items) => {
                TemplateValue::Sequence(items.iter().map(|item| self.node(item, problems)).collect())
            }
            NodeValue::Mapping(entries) => TemplateValue::Mapping(
                entries.iter().map(|(key, node)| (key.name.clone(), key.span, self.node(node, problems))).collect(),
            ),
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Int(_) | NodeValue::Float(_) => {
                TemplateValue::Literal(node.to_json())
            }
        };
        Template { span: node.span, value }
    }

    pub fn string(&mut self, value: &str, span: Span) -> Result<Template, Vec<Problem>> {
        let template = |value| Template { span, value };
        if !value.contains(OPEN) {
            return Ok(template(TemplateValue::Literal(Value::String(value.to_owned()))));
        }
        let locator = Locator::new(self.text, span, value);
        let mut problems = Vec::new();
        let mut pieces = Vec::new();
        let mut rest = 0;
        while let Some(found) = value[rest..].find(OPEN) {
            let open = rest + found;
            if open > rest {
                pieces.push(Piece::Literal(value[rest..open].to_owned()));
            }
            let inner = open + OPEN.len();
            // A quote that is not closed hides the end; the compiler tells that better.
            let Some(length) = end_of_expression(&value[inner..]).or_else(|| value[inner..].find(CLOSE)) else {
                problems.push(
                    Problem::new(codes::EXPRESSION_SYNTAX, "an expression is not closed")
                        .at(locator.locate(open, inner), "no `}}` follows this")
                        .help("close it with `}}`; to write the marks themselves: ${{ '${{' }}"),
                );
                rest = value.len();
                break;
            };
            match self.expression(&value[inner..inner + length], inner, &locator) {
                Ok(expression) => pieces.push(Piece::Expression(expression)),
                Err(problem) => problems.push(problem),
            }
            rest = inner + length + CLOSE.len();
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if rest < value.len() {
            pieces.push(Piece::Literal(value[rest..].to_owned()));
        }
        Ok(template(match (pieces.pop(), pieces.is_empty()) {
            (Some(Piece::Expression(only)), true) => TemplateValue::Expression(only),
            (last, _) => {
                pieces.extend(last);
                TemplateValue::Text(pieces)
            }
        }))
    }

    /// Reads `if:`.
    pub fn condition(&mut self, value: &str, span: Span) -> Result<Condition, Vec<Problem>> {
        let trimmed = value.trim();
        if !trimmed.contains(OPEN) {
            let locator = Locator::new(self.text, span, value);
            return self
                .expression(value, 0, &locator)
                .map(|expression| Condition { expression })
                .map_err(|problem| vec![problem]);
        }
        match self.string(trimmed, span)?.value {
            TemplateValue::Expression(expression) => Ok(Condition { expression }),
            _ => Err(vec![
                Problem::new(codes::CONDITION, "a condition mixes an expression with text")
                    .at(span, "text around `${{ }}` would always count as true")
                    .help("write the whole condition as one expression, without `${{ }}`"),
            ]),
        }
    }

    /// `at` is where `text` begins in the value that `locator` knows.
    fn expression(&mut self, text: &str, at: usize, locator: &Locator<'_>) -> Result<Expression, Problem> {
        let trimmed = text.trim();
        let at = at + (text.len() - text.trim_start().len());
        let compiled = match self.compiled.get(trimmed) {
            Some(compiled) => compiled.clone(),
            None => {
                let compiled = compile(trimmed).map(Arc::new);
                self.compiled.insert(trimmed.to_owned(), compiled.clone());
                compiled
            }
        };
        match compiled {
            Ok(compiled) => {
                let expression = Expression::new(trimmed, compiled, |start, end| locator.locate(at + start, at + end));
                for (globs, span) in &expression.file_hashes {
                    if let Some(value) = globs.clone()
                        && self.file_hashes.iter().all(|known| known.value != value)
                    {
                        self.file_hashes.push(Spanned { value, span: *span });
                    }
                }
                self.reads_changes |= expression.references.iter().any(|reference| match reference.path.as_slice() {
                    [root] => root == "git",
                    [root, name, ..] => root == "git" && matches!(name.as_str(), "changed" | "base"),
                    [] => false,
                });
                Ok(expression)
            }
            Err(Fault { at: fault, reason }) => {
                let length = trimmed[fault..].chars().next().map_or(0, char::len_utf8);
                let message = if trimmed.is_empty() {
                    "an expression is empty".to_owned()
                } else {
                    format!("`{}` is not a valid expression: {reason}", shorten(trimmed))
                };
                Err(Problem::new(codes::EXPRESSION_SYNTAX, message)
                    .at(locator.locate(at + fault, at + fault + length), reason))
            }
        }
    }
}

/// Length of an expression up to its `}}`, which may also close mappings or stand in quotes inside it.
fn end_of_expression(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = end_of_quote(bytes, at, quote)?,
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Index of the byte that closes the quote. CEL has short, triple and raw strings.
pub(super) fn end_of_quote(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let raw = start > 0 && matches!(bytes[start - 1], b'r' | b'R');
    let triple = bytes[start..].starts_with(&[quote; 3]);
    let width = if triple { 3 } else { 1 };
    let mut at = start + width;
    while at < bytes.len() {
        if bytes[at] == b'\\' && !raw {
            at += 2;
            continue;
        }
        if bytes[at..].starts_with(&[quote; 3][..width]) {
            return Some(at + width - 1);
        }
        at += 1;
    }
    None
}

fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && line.chars().count() <= 60 {
        line.to_owned()
    } else {
        line.chars().take(57).chain("...".chars()).collect()
    }
}
