//! Values with `${{ }}` in them.

use std::collections::BTreeSet;

use serde_json::Value;
use sluice_model::{Problem, Span};

/// A YAML value in which strings may hold CEL expressions.
#[derive(Debug, Clone)]
pub struct Template {
    pub span: Span,
    pub value: TemplateValue,
}

#[derive(Debug, Clone)]
pub enum TemplateValue {
    Literal(Value),
    /// A string that is one expression and nothing else keeps the expression's type.
    Expression(Expression),
    /// Text and expressions in turn; the result is a string.
    Text(Vec<Piece>),
    Sequence(Vec<Template>),
    Mapping(Vec<(String, Span, Template)>),
}

#[derive(Debug, Clone)]
pub enum Piece {
    Literal(String),
    Expression(Expression),
}

/// `if:`, a single expression with or without `${{ }}` around it.
#[derive(Debug, Clone)]
pub struct Condition {
    pub expression: Expression,
}
