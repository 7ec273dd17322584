//! One CEL expression.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use cel::extractors::This;
use cel::parser::Parser;
use cel::{Env, ExecutionError, IdedExpr};
use serde_json::Value;
use sluice_model::{Problem, Span};

use crate::codes;

use super::context::{Context, Status};
use super::functions;
use super::parse::end_of_quote;
use super::reference::{self, Reference};
use super::value;

/// Longer expressions are refused, in bytes.
pub const MAX_BYTES: usize = 4096;

/// Expressions with more operators, brackets and dots are refused: trees of them are walked by recursion, and some
/// 700 exhaust a stack of 1 MiB.
pub const MAX_MARKS: usize = 256;

/// Loops (`map`, `filter`, `exists`, ...) inside loops deeper than this are refused: each level multiplies the work.
pub const MAX_LOOPS: usize = 2;

/// What expressions can call, besides the macros `has`, `all`, `exists`, `exists_one`, `map` and `filter`.
pub const FUNCTIONS: [&str; 26] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "join",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "bytes",
    "dyn",
    "type",
    "fromJson",
    "toJson",
    "semver.gt",
    "semver.gte",
    "semver.lt",
    "semver.lte",
    "semver.eq",
    "semver.matches",
    "semver.bump",
    "semver.valid",
    "hash.sha256",
    "hash.files",
];

/// What only conditions can call: how things stand where they are asked.
pub const STATUS_FUNCTIONS: [&str; 4] = ["always", "success", "failure", "cancelled"];

/// A CEL expression that has been compiled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Expression {
    /// What stands between `${{` and `}}`, trimmed.
    pub text: String,
    /// Of that text.
    pub span: Span,
    /// Values that it reads, each with its place.
    pub references: Vec<Reference>,
    /// Places of the calls, in the order of [`Compiled::calls`].
    calls: Vec<Span>,
    /// Globs of each `hash.files` with its place, unless they are computed.
    pub(crate) file_hashes: Vec<(Option<Vec<String>>, Span)>,
    compiled: Arc<Compiled>,
}

/// What does not depend on the place.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub expr: IdedExpr,
    pub roots: BTreeSet<String>,
    /// Spans are relative to the expression's text.
    pub references: Vec<Reference>,
    /// Function name and where it is called.
    pub calls: Vec<(String, Span)>,
    /// Globs of each `hash.files`, unless they are computed.
    pub file_hashes: Vec<(Option<Vec<String>>, Span)>,
}

/// A fault with its place in the expression's text.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub at: usize,
    pub reason: String,
}

pub(crate) fn compile(text: &str) -> Result<Compiled, Fault> {
    if text.is_empty() {
        return Err(Fault { at: 0, reason: "it is empty".into() });
    }
    if text.len() > MAX_BYTES {
        return Err(Fault { at: 0, reason: format!("it is longer than {MAX_BYTES} bytes") });
    }
    if marks(text) > MAX_MARKS {
        return Err(Fault { at: 0, reason: format!("it has more than {MAX_MARKS} operators, brackets and dots") });
    }
    let (mut expr, places) =
        Parser::default().parse_with_source_info(text).map_err(|errors| fault(text, &errors.errors))?;
    functions::qualify(&mut expr);
    let found = reference::find(&expr, &places, text);
    if found.loops > MAX_LOOPS {
        return Err(Fault { at: 0, reason: format!("loops are nested more than {MAX_LOOPS} deep") });
    }
    let mut roots: BTreeSet<String> = found.references.iter().map(|reference| reference.path[0].clone()).collect();
    if !found.file_hashes.is_empty() {
        roots.insert(functions::FILES_ROOT.to_owned());
    }
    let file_hashes = found.file_hashes;
    Ok(Compiled { expr, roots, references: found.references, calls: found.calls, file_hashes })
}

/// Operators, brackets and dots outside quotes: an upper bound for the depth of the tree.
fn marks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut marks) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = end_of_quote(bytes, at, quote).unwrap_or(bytes.len()),
            b'+' | b'-' | b'*' | b'/' | b'%' | b'=' | b'<' | b'>' | b'!' | b'&' | b'|' | b'?' | b'.' | b'[' | b'('
            | b'{' => marks += 1,
            // `in` is an operator too; what it stands between has spaces or brackets around it.
            b'n' if at > 0 && bytes[at - 1] == b'i' => marks += 1,
            _ => {}
        }
        at += 1;
    }
    marks
}

/// The first fault that says something; those after it mostly follow from it.
fn fault(text: &str, errors: &[cel::ParseError]) -> Fault {
    let told = errors.iter().find(|error| error.msg.starts_with("Syntax error: ")).or(errors.first());
    let Some(error) = told else { return Fault { at: 0, reason: "it cannot be read".into() } };
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    let message = message.split(" expecting {").next().unwrap_or(message);
    let at = offset(text, error.pos);
    let reason = if message.contains("'<EOF>'") {
        match message.strip_prefix("missing ") {
            Some(rest) => format!("a {} is missing at its end", rest.replace(" at '<EOF>'", "").replace('\'', "`")),
            None => "it ends too early".to_owned(),
        }
    } else if let Some(rest) = message.strip_prefix("token recognition error at: ") {
        let rest = rest.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(rest).trim_end();
        match rest {
            "=" => "`=` is no operator; `==` compares".to_owned(),
            "&" | "|" => format!("`{rest}` is no operator; `{rest}{rest}` is"),
            _ if rest.starts_with(['\'', '"']) => "a quote is not closed".to_owned(),
            _ => format!("`{rest}` has no place here"),
        }
    } else if let Some(rest) = message.strip_prefix("extraneous input ").or(message.strip_prefix("mismatched input ")) {
        let found = rest.strip_suffix(" expecting <EOF>").unwrap_or(rest).replace('\'', "`");
        format!("{found} is not expected here")
    } else if message.starts_with("no viable alternative") {
        if at == text.len() { "it ends too early".to_owned() } else { "it is not understood from here on".to_owned() }
    } else if message.contains("recursion limit") {
        "it is nested too deeply".to_owned()
    } else {
        message.replace('\'', "`")
    };
    Fault { at, reason }
}

/// Line and column, both from 1 and counted in characters -> bytes.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1) - 1;
    let column = usize::try_from(column).unwrap_or(1).max(1) - 1;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

impl Expression {
    /// `place` maps a range of `text` to the file.
    pub(crate) fn new(text: &str, compiled: Arc<Compiled>, place: impl Fn(usize, usize) -> Span) -> Self {
        let references = compiled
            .references
            .iter()
            .map(|reference| reference.moved(place(reference.span.start, reference.span.end)));
        let calls = compiled.calls.iter().map(|(_, span)| place(span.start, span.end));
        let file_hashes = compiled.file_hashes.iter().map(|(globs, span)| (globs.clone(), place(span.start, span.end)));
        Self {
            file_hashes: file_hashes.collect(),
            text: text.to_owned(),
            span: place(0, text.len()),
            references: references.collect(),
            calls: calls.collect(),
            compiled,
        }
    }

    /// # Errors
    /// `workflow::expression` at the expression's place.
    pub fn evaluate(&self, context: &Context) -> Result<Value, Problem> {
        static ENV: OnceLock<Arc<Env>> = OnceLock::new();
        let env = ENV.get_or_init(|| Arc::new(Env::stdlib()));
        let mut scope = cel::Context::with_env(Arc::clone(env));
        // CEL's own strings extension has `join` too, and with it `replace`, which can make much text out of little.
        if self.compiled.calls.iter().any(|(name, _)| name == "join") {
            scope.add_function("join", join).map_err(|error| self.problem(&error.to_string()))?;
        }
        let calls = |wanted: &str| self.compiled.calls.iter().any(|(name, _)| name == wanted);
        if calls("fromJson") {
            scope.add_function("fromJson", from_json).map_err(|error| self.problem(&error.to_string()))?;
        }
        if calls("toJson") {
            scope.add_function("toJson", to_json).map_err(|error| self.problem(&error.to_string()))?;
        }
        if self.uses_status() {
            let Status { failed, cancelled } = context.status();
            let values = [true, !failed && !cancelled, failed, cancelled];
            for (name, value) in STATUS_FUNCTIONS.into_iter().zip(values) {
                scope.add_function(name, move || value).map_err(|error| self.problem(&error.to_string()))?;
            }
        }
        let names = self.compiled.calls.iter().map(|(name, _)| name.as_str());
        functions::add(&mut scope, names, context).map_err(|error| self.problem(&error))?;
        for root in &self.compiled.roots {
            if let Some(value) = context.get(root) {
                scope.add_variable_from_value(root.as_str(), value.clone());
            }
        }
        let result =
            cel::Value::resolve(&self.compiled.expr, &scope).map_err(|error| self.problem(&explain(&error)))?;
        value::to_json(&result).map_err(|kind| self.problem(&format!("its value is {kind}")))
    }

    /// Whether it asks how things stand: `always()`, `failure()`.
    pub fn uses_status(&self) -> bool {
        self.compiled.calls.iter().any(|(name, _)| STATUS_FUNCTIONS.contains(&name.as_str()))
    }

    /// Names of the values that it needs: `inputs`, `steps`.
    pub fn roots(&self) -> &BTreeSet<String> {
        &self.compiled.roots
    }

    pub(crate) fn tree(&self) -> &IdedExpr {
        &self.compiled.expr
    }

    /// Functions that it calls, each with its place.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&str, Span)> {
        self.compiled.calls.iter().zip(&self.calls).map(|((name, _), span)| (name.as_str(), *span))
    }

    fn problem(&self, reason: &str) -> Problem {
        Problem::new(codes::EXPRESSION, format!("the expression `{}` has no value: {reason}", self.text))
            .at(self.span, reason)
    }
}

/// `list.join(", ")`; numbers and booleans are written as in text.
fn join(This(list): This<Arc<Vec<cel::Value>>>, separator: Arc<String>) -> Result<cel::Value, ExecutionError> {
    let fail = |kind: &str| ExecutionError::function_error("join", format!("an item is {kind}"));
    let item = |item: &cel::Value| {
        value::to_json(item).map_err(|kind| fail(&kind)).and_then(|item| value::as_text(&item).map_err(&fail))
    };
    let items = list.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    Ok(cel::Value::String(Arc::new(items.join(&separator))))
}

/// `fromJson(steps.find.outputs.stdout)`
fn from_json(text: Arc<String>) -> Result<cel::Value, ExecutionError> {
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| ExecutionError::function_error("fromJson", format!("line {} is no JSON", error.line())))?;
    Ok(value::from_json(&value))
}

/// `toJson(steps.find.outputs)`
fn to_json(value: cel::Value) -> Result<cel::Value, ExecutionError> {
    let value = value::to_json(&value)
        .map_err(|kind| ExecutionError::function_error("toJson", format!("its value is {kind}")))?;
    Ok(cel::Value::String(Arc::new(value.to_string())))
}

/// Never shows values: they may be long, and are nobody's business in a log.
fn explain(error: &ExecutionError) -> String {
    let kinds = |left: &cel::Value, right: &cel::Value| format!("`{}` and `{}`", left.type_of(), right.type_of());
    match error {
        ExecutionError::UnsupportedBinaryOperator(name, left, right) => {
            let sign = [("add", "+"), ("sub", "-"), ("mul", "*"), ("div", "/"), ("rem", "%")];
            let sign = sign.iter().find(|(known, _)| known == name).map_or(*name, |(_, sign)| sign);
            format!("`{sign}` does not work on {}", kinds(left, right))
        }
        ExecutionError::ValuesNotComparable(left, right) => format!("there is no order between {}", kinds(left, right)),
        ExecutionError::UnsupportedIndex(index, value) => {
            format!("`{}` has no items by `{}`", value.type_of(), index.type_of())
        }
        ExecutionError::UnexpectedType { got, want } => format!("it needs `{want}` and has `{got}`"),
        ExecutionError::UnsupportedTargetType { target } => format!("it does not work on `{}`", target.type_of()),
        ExecutionError::NotSupportedAsMethod { method, target } => {
            format!("`{method}` does not work on `{}`", target.type_of())
        }
        ExecutionError::UnsupportedKeyType(key) => format!("`{}` cannot be a key", key.type_of()),
        ExecutionError::DuplicateKey(_) => "a mapping has the same key twice".into(),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("a function takes {expected} arguments and was given {actual}")
        }
        ExecutionError::MissingArgumentOrTarget => "a function lacks an argument".into(),
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("`{name}` is not known here"),
        ExecutionError::NoSuchOverload(error) => {
            let types = error.argument_types().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
            format!("`{}` does not work on {types}", error.function().trim_matches('_'))
        }
        ExecutionError::IndexOutOfBounds(index) => match value::to_json(index) {
            Ok(index) => format!("the list has no item {index}"),
            Err(_) => "the list has no such item".into(),
        },
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".into(),
        ExecutionError::Overflow(..) => "a number gets too large".into(),
        ExecutionError::FunctionError { function, message } => format!("`{function}` failed: {message}"),
        _ => "it cannot be evaluated".into(),
    }
}
