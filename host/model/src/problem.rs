//! What is wrong with something a person wrote, with its place and a help.

use serde::{Deserialize, Serialize};

use crate::span::{Source, Span};

/// One problem. Stages collect them all and go on as far as they can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Namespaced by whose fault it is, for example `workflow::unknown-field`.
    pub code: &'static str,
    /// Understandable alone, lowercase, no full stop, names in backticks.
    pub message: String,
    /// The chain of reasons below the message, outermost first.
    pub causes: Vec<String>,
    /// Where, with why at that place. The first is the main one.
    pub labels: Vec<Label>,
    /// What to do, copyable.
    pub help: Option<String>,
    /// The text that the labels point into.
    pub source: Option<Source>,
}

/// What `sluice explain CODE` tells of a problem's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    pub code: &'static str,
    /// One line, in the style of a message.
    pub title: &'static str,
    /// Why it is refused and what to do, with an example; plain text with indented code.
    pub text: &'static str,
}

/// A remark at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

impl Problem {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), causes: Vec::new(), labels: Vec::new(), help: None, source: None }
    }

    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: label.into() });
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    #[must_use]
    pub fn within(mut self, source: &Source) -> Self {
        self.source = Some(source.clone());
        self
    }

    /// Byte offset of the main label, for sorting in source order.
    pub fn position(&self) -> usize {
        self.labels.first().map_or(0, |label| label.span.start)
    }
}
