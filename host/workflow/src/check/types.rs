//! Types of expressions, as far as they are known before anything runs.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use sluice_model::{Outcome, Problem, suggest};

use super::functions;
use super::scope::Scope;
use crate::codes;
use crate::template::Expression;
use crate::workflow::InputType;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Boolean,
    Integer,
    Number,
    Text,
    List,
    Mapping,
}

impl Type {
    /// With an article.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Type::Boolean => "a boolean",
            Type::Integer => "an integer",
            Type::Number => "a number",
            Type::Text => "text",
            Type::List => "a list",
            Type::Mapping => "a mapping",
        }
    }

    fn numeric(self) -> bool {
        matches!(self, Type::Integer | Type::Number)
    }

    /// Whether `==` and `<` can tell anything about the two.
    fn comparable(self, other: Self) -> bool {
        self == other || (self.numeric() && other.numeric())
    }
}

/// The problem of a condition that is known to be no boolean. `what` is told of it: `the condition`.
pub fn condition(what: &str, expression: &Expression, scope: &Scope<'_>) -> Option<Problem> {
    let mut types = Types { scope, problem: None };
    let kind = types.of(expression.tree())?;
    if kind == Type::Boolean || types.problem.is_some() {
        return None;
    }
    let is = kind.describe();
    let problem = Problem::new(codes::CONDITION, format!("{what} `{}` is {is}, not a boolean", expression.text))
        .at(expression.span, format!("this is {is}"));
    Some(match kind {
        Type::Text => problem.help(format!("compare it, for example `{} != \"\"`", expression.text)),
        Type::List | Type::Mapping => problem.help(format!("for example `size({}) > 0`", expression.text)),
        _ => problem.help(format!("compare it, for example `{} > 0`", expression.text)),
    })
}

/// The first combination of types that cannot work.
pub fn expression(expression: &Expression, scope: &Scope<'_>) -> Option<Problem> {
    let mut types = Types { scope, problem: None };
    types.of(expression.tree());
    let (message, help) = types.problem?;
    let label = message.clone();
    let problem =
        Problem::new(codes::TYPE_MISMATCH, format!("in `{}`: {message}", expression.text)).at(expression.span, label);
    Some(match help {
        Some(help) => problem.help(help),
        None => problem,
    })
}

/// What the expression gives, if that is known.
pub fn kind(expression: &Expression, scope: &Scope<'_>) -> Option<Type> {
    Types { scope, problem: None }.of(expression.tree())
}

struct Types<'s, 'w> {
    scope: &'s Scope<'w>,
    problem: Option<(String, Option<String>)>,
}

impl Types<'_, '_> {
    fn of(&mut self, node: &IdedExpr) -> Option<Type> {
        match &node.expr {
            Expr::Literal(value) => Some(match value {
                LiteralValue::Boolean(_) => Type::Boolean,
                LiteralValue::Int(_) | LiteralValue::UInt(_) => Type::Integer,
                LiteralValue::Double(_) => Type::Number,
                LiteralValue::String(_) => Type::Text,
                LiteralValue::Bytes(_) | LiteralValue::Null => return None,
            }),
            Expr::List(list) => {
                list.elements.iter().for_each(|element| {
                    self.of(element);
                });
                Some(Type::List)
            }
            Expr::Map(_) => Some(Type::Mapping),
            Expr::Select(select) if select.test => Some(Type::Boolean),
            Expr::Select(_) => self.named(node),
            Expr::Call(call) => self.call(call),
            _ => None,
        }
    }

    /// Something that is read by name.
    fn named(&self, node: &IdedExpr) -> Option<Type> {
        match *path(node)?.as_slice() {
            ["inputs", name] => {
                let input = self.scope.workflow.inputs.get(name)?;
                // An input that may be left out can be null.
                if input.default.as_ref().is_some_and(serde_json::Value::is_null) {
                    return None;
                }
                Some(match input.kind {
                    InputType::String => Type::Text,
                    InputType::Integer => Type::Integer,
                    InputType::Number => Type::Number,
                    InputType::Boolean => Type::Boolean,
                    InputType::List => Type::List,
                })
            }
            ["env", _] => Some(Type::Text),
            ["git", "dirty"] => Some(Type::Boolean),
            ["git", "time"] => Some(Type::Integer),
            ["git", "changed"] => Some(Type::List),
            // Null without one.
            ["git", "base"] => None,
            ["git" | "run", _] => Some(Type::Text),
            ["index"] | ["services", _, "port"] => Some(Type::Integer),
            ["steps" | "needs", _, "cells" | "items"] => Some(Type::List),
            ["steps" | "needs", _, "outcome"] => Some(Type::Text),
            ["steps" | "needs", _, "outputs"] => Some(Type::Mapping),
            _ => None,
        }
    }

    fn call(&mut self, call: &CallExpr) -> Option<Type> {
        if let Some(target) = &call.target {
            self.of(target);
        }
        let kinds: Vec<Option<Type>> = call.args.iter().map(|argument| self.of(argument)).collect();
        let name = call.func_name.as_str();
        match (name, kinds.as_slice()) {
            (operators::EQUALS | operators::NOT_EQUALS, &[left, right]) => {
                self.outcome(&call.args);
                if let (Some(left), Some(right)) = (left, right)
                    && !left.comparable(right)
                {
                    let always = name == operators::NOT_EQUALS;
                    let message =
                        format!("{} is compared with {}, which is always {always}", left.describe(), right.describe());
                    self.complain(message, conversion(left, right));
                }
                Some(Type::Boolean)
            }
            (
                operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
                &[left, right],
            ) => {
                if let (Some(left), Some(right)) = (left, right)
                    && !left.comparable(right)
                {
                    self.complain(
                        format!("{} has no order with {}", left.describe(), right.describe()),
                        conversion(left, right),
                    );
                }
                Some(Type::Boolean)
            }
            (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, kinds) => {
                if let Some(kind) = kinds.iter().flatten().find(|kind| **kind != Type::Boolean) {
                    let sign = name.trim_matches('_');
                    self.complain(format!("`{sign}` works on booleans, and this is {}", kind.describe()), None);
                }
                Some(Type::Boolean)
            }
            (operators::CONDITIONAL, &[test, left, right]) => {
                if let Some(kind) = test.filter(|kind| *kind != Type::Boolean) {
                    self.complain(format!("`?` needs a boolean before it, and this is {}", kind.describe()), None);
                }
                left.filter(|left| Some(*left) == right)
            }
            (operators::ADD, &[Some(left), Some(right)]) => {
                let works = left == right && matches!(left, Type::Integer | Type::Number | Type::Text | Type::List);
                if !works {
                    self.complain(
                        format!("`+` cannot join {} and {}", left.describe(), right.describe()),
                        conversion(left, right),
                    );
                }
                works.then_some(left)
            }
            (
                operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO,
                &[Some(left), Some(right)],
            ) => {
                let works = left == right && left.numeric();
                if !works {
                    let sign = name.trim_matches('_');
                    self.complain(
                        format!("`{sign}` cannot work on {} and {}", left.describe(), right.describe()),
                        None,
                    );
                }
                works.then_some(left)
            }
            (name, kinds) if name.contains('.') => {
                if let Some((message, help)) = functions::arguments(name, &call.args, kinds) {
                    self.complain(message, help);
                }
                functions::returns(name)
            }
            ("size" | "int", _) => Some(Type::Integer),
            ("double", _) => Some(Type::Number),
            ("string" | "join" | "toJson", _) => Some(Type::Text),
            ("always" | "success" | "failure" | "cancelled", _) => Some(Type::Boolean),
            ("bool" | "contains" | "startsWith" | "endsWith" | "matches" | operators::IN, _) => Some(Type::Boolean),
            _ => None,
        }
    }

    /// `steps.x.outcome == "success"`: the word must be one.
    fn outcome(&mut self, arguments: &[IdedExpr]) {
        const OUTCOMES: [Outcome; 6] = [
            Outcome::Passed,
            Outcome::Failed,
            Outcome::AllowedToFail,
            Outcome::Skipped,
            Outcome::Cancelled,
            Outcome::Unknown,
        ];
        let [left, right] = arguments else { return };
        for (read, literal) in [(left, right), (right, left)] {
            let (Some(path), Expr::Literal(LiteralValue::String(word))) = (path(read), &literal.expr) else { continue };
            let words = OUTCOMES.map(Outcome::as_str);
            let word = word.inner();
            if matches!(path.as_slice(), ["steps" | "needs", _, "outcome"]) && !words.contains(&word) {
                let help = match word {
                    "success" | "succeeded" | "ok" => "write \"passed\"".to_owned(),
                    "failure" | "error" => "write \"failed\"".to_owned(),
                    _ => match suggest::closest(word, words) {
                        Some(close) => format!("write \"{close}\""),
                        None => format!("outcomes: {}", suggest::list(words)),
                    },
                };
                self.complain(format!("`{word}` is no outcome"), Some(help));
            }
        }
    }

    fn complain(&mut self, message: String, help: Option<String>) {
        self.problem.get_or_insert((message, help));
    }
}

fn conversion(left: Type, right: Type) -> Option<String> {
    let mixed = |a: Type, b: Type| (left == a && right == b) || (left == b && right == a);
    if mixed(Type::Integer, Type::Text) {
        return Some(
            "compare a number with a number (`3`, not `\"3\"`), or convert: `string(NUMBER)`, `int(TEXT)`".into(),
        );
    }
    if mixed(Type::Boolean, Type::Text) {
        return Some("write `true` and `false` without quotes".into());
    }
    (mixed(Type::Integer, Type::Number)).then(|| "convert one of them: `double(INTEGER)`, `int(NUMBER)`".to_owned())
}

/// `a.b["c"]` as names.
fn path(node: &IdedExpr) -> Option<Vec<&str>> {
    match &node.expr {
        Expr::Ident(name) => Some(vec![name]),
        Expr::Select(select) if !select.test => {
            let mut path = path(&select.operand)?;
            path.push(&select.field);
            Some(path)
        }
        Expr::Call(call) if call.func_name == operators::INDEX && call.target.is_none() => {
            let [operand, index] = call.args.as_slice() else { return None };
            let Expr::Literal(LiteralValue::String(name)) = &index.expr else { return None };
            let mut path = path(operand)?;
            path.push(name.inner());
            Some(path)
        }
        _ => None,
    }
}
