//! Values with `${{ }}` in them.

mod context;
mod expression;
pub(crate) mod functions;
mod locate;
mod parse;
mod reference;
mod value;

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sluice_model::{Problem, Span};

use crate::codes;

pub use context::{Context, Status};
pub use expression::{Expression, FUNCTIONS, STATUS_FUNCTIONS};
pub use functions::{FILES_ROOT, files_key};
pub use reference::Reference;

pub(crate) use parse::Reader;

/// Longest line that is made from a template, in characters.
const MAX_LINE: usize = 200;

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

impl Template {
    /// Reads one string, in which `${{ }}` holds expressions. `span` is where problems point when the text itself does
    /// not stand in a file.
    ///
    /// # Errors
    /// Every expression that is not closed or not valid.
    pub fn parse(text: &str, span: Span) -> Result<Self, Vec<Problem>> {
        Reader::new("").string(text, span)
    }

    /// Puts values in. Without expressions it cannot fail.
    ///
    /// # Errors
    /// `workflow::expression` at the place of the expression that could not be evaluated, or whose value does not fit
    /// into text.
    pub fn evaluate(&self, context: &Context) -> Result<Value, Problem> {
        match &self.value {
            TemplateValue::Literal(value) => Ok(value.clone()),
            TemplateValue::Expression(expression) => expression.evaluate(context),
            TemplateValue::Text(pieces) => {
                pieces.iter().map(|piece| piece.evaluate(context)).collect::<Result<String, _>>().map(Value::String)
            }
            TemplateValue::Sequence(items) => {
                items.iter().map(|item| item.evaluate(context)).collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            TemplateValue::Mapping(entries) => {
                let mut object = Map::new();
                for (key, _, template) in entries {
                    object.insert(key.clone(), template.evaluate(context)?);
                }
                Ok(Value::Object(object))
            }
        }
    }

    /// The same as one line of text, as it would stand inside a longer one.
    ///
    /// # Errors
    /// As [`Template::evaluate`], and if the value is no text, number or boolean.
    pub fn evaluate_line(&self, context: &Context) -> Result<String, Problem> {
        let text = match &self.value {
            TemplateValue::Expression(expression) => inside_text(expression, context)?,
            _ => value::as_text(&self.evaluate(context)?).unwrap_or_default(),
        };
        let line =
            text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        Ok(match line.chars().count() > MAX_LINE {
            true => line.chars().take(MAX_LINE - 3).chain("...".chars()).collect(),
            false => line,
        })
    }

    /// Every expression in it, in source order.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    /// Names of the values that it needs: `inputs`, `steps`.
    pub fn roots(&self) -> BTreeSet<String> {
        self.expressions().into_iter().flat_map(|expression| expression.roots().iter().cloned()).collect()
    }

    pub fn uses_root(&self, root: &str) -> bool {
        self.expressions().into_iter().any(|expression| expression.roots().contains(root))
    }

    /// The value, if nothing has to be put in.
    pub fn literal(&self) -> Option<Value> {
        let constant = self.expressions().is_empty();
        constant.then(|| self.evaluate(&Context::default()).ok()).flatten()
    }

    /// The value of a key, if it is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<&Template> {
        match &self.value {
            TemplateValue::Mapping(entries) => {
                entries.iter().find(|(key, _, _)| key == name).map(|(_, _, template)| template)
            }
            _ => None,
        }
    }

    fn collect<'t>(&'t self, found: &mut Vec<&'t Expression>) {
        match &self.value {
            TemplateValue::Literal(_) => {}
            TemplateValue::Expression(expression) => found.push(expression),
            TemplateValue::Text(pieces) => found.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Expression(expression) => Some(expression),
                Piece::Literal(_) => None,
            })),
            TemplateValue::Sequence(items) => items.iter().for_each(|item| item.collect(found)),
            TemplateValue::Mapping(entries) => entries.iter().for_each(|(_, _, template)| template.collect(found)),
        }
    }
}

impl Piece {
    fn evaluate(&self, context: &Context) -> Result<String, Problem> {
        match self {
            Piece::Literal(text) => Ok(text.clone()),
            Piece::Expression(expression) => inside_text(expression, context),
        }
    }
}

fn inside_text(expression: &Expression, context: &Context) -> Result<String, Problem> {
    value::as_text(&expression.evaluate(context)?).map_err(|kind| {
        Problem::new(codes::EXPRESSION, format!("`{}` is {kind}, which cannot stand inside text", expression.text))
            .at(expression.span, format!("this is {kind}"))
            .help("let the expression be the whole value, or pick a part of it that is text")
    })
}

impl Condition {
    /// One that never holds; `span` is why.
    ///
    /// # Errors
    /// None that could happen.
    pub fn never(span: Span) -> Result<Self, Vec<Problem>> {
        Reader::new("").condition("false", span)
    }

    /// # Errors
    /// `workflow::expression` if it cannot be evaluated or is no boolean.
    pub fn holds(&self, context: &Context) -> Result<bool, Problem> {
        let expression = &self.expression;
        match expression.evaluate(context)? {
            Value::Bool(holds) => Ok(holds),
            other => {
                let kind = value::describe(&other);
                Err(Problem::new(
                    codes::EXPRESSION,
                    format!("the condition `{}` is {kind}, not a boolean", expression.text),
                )
                .at(expression.span, format!("this is {kind}"))
                .help("compare it with something, for example `== \"yes\"`"))
            }
        }
    }

    pub fn roots(&self) -> &BTreeSet<String> {
        self.expression.roots()
    }

    /// Whether it is asked even if something went wrong before: it says itself when it holds.
    pub fn uses_status(&self) -> bool {
        self.expression.uses_status()
    }
}
