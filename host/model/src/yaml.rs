//! YAML text -> a tree of nodes with their places. The only module that knows the YAML library.
//!
//! YAML 1.2 with its core schema: `true` and `false` are the only booleans. One document, text keys, finite numbers.
//! Anchors, aliases and merge keys (`<<`) are expanded, within limits that make a "YAML bomb" a short error.

mod check;
mod load;
mod scalar;

pub use check::{Checker, field};

use crate::problem::Problem;
use crate::span::{Source, Span};

/// Nesting deeper than this is refused.
pub const MAX_DEPTH: usize = 64;

/// Aliases may copy at most this many nodes, where every 64 bytes of text count as a node too.
pub const MAX_COPIED_NODES: usize = 20_000;

/// A value and its place. What came through an alias has the place where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub value: NodeValue,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    Null,
    Bool(bool),
    Int(i64),
    /// Always finite.
    Float(f64),
    String(String),
    Sequence(Vec<Node>),
    /// In source order, keys unique.
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub name: String,
    pub span: Span,
}

/// Whose YAML it is: the codes of its problems and the longest text.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Not YAML, or YAML that is not taken.
    pub syntax: &'static str,
    pub too_large: &'static str,
    pub empty: &'static str,
    pub unknown_field: &'static str,
    pub missing_field: &'static str,
    pub wrong_type: &'static str,
    /// In bytes.
    pub max_bytes: usize,
}

/// Reads one document.
///
/// # Errors
/// All problems found, in source order, each within `source`. After a syntax error nothing more is looked for.
pub fn parse(source: &Source, dialect: &Dialect) -> Result<Node, Vec<Problem>> {
    let text = source.text();
    if text.len() > dialect.max_bytes {
        let message =
            format!("`{}` is too large: {} bytes, at most {} are read", source.name(), text.len(), dialect.max_bytes);
        return Err(vec![Problem::new(dialect.too_large, message)]);
    }
    load::document(text, dialect).map_err(|mut problems| {
        problems.sort_by_key(Problem::position);
        problems.dedup();
        problems.into_iter().map(|problem| problem.within(source)).collect()
    })
}

impl Node {
    /// What it is, with an article: `a list`.
    pub fn describe(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "nothing",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Int(_) => "an integer",
            NodeValue::Float(_) => "a number",
            NodeValue::String(_) => "text",
            NodeValue::Sequence(_) => "a list",
            NodeValue::Mapping(_) => "a mapping",
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key, if it is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            NodeValue::Mapping(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The same value as JSON, without places.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(value) => Value::Bool(*value),
            NodeValue::Int(value) => Value::from(*value),
            NodeValue::Float(value) => Value::from(*value),
            NodeValue::String(value) => Value::String(value.clone()),
            NodeValue::Sequence(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            NodeValue::Mapping(entries) => {
                Value::Object(entries.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests;
