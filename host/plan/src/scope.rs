//! Values that templates can see at some place of the workflow, and the variables that are set there.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_model::Problem;
use sluice_workflow::Template;
use sluice_workflow::template::{Context, Expression};

/// `inputs`, `git`, `run`, `env`, and whatever else the caller has put in. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub context: Context,
    env: Arc<IndexMap<String, String>>,
    /// Inputs of a called workflow whose values are not known yet.
    open: Arc<BTreeSet<String>>,
}

impl Scope {
    /// The values of [`crate::Plan::context`], without any variable.
    pub fn new(known: &Value) -> Self {
        let mut context = Context::new();
        for (name, value) in known.as_object().into_iter().flatten() {
            context.set(name, value);
        }
        context.set("env", &Value::Object(serde_json::Map::new()));
        Self { context, env: Arc::default(), open: Arc::default() }
    }

    /// The same while the values of these inputs are not known.
    #[must_use]
    pub fn without_inputs(mut self, names: BTreeSet<String>) -> Self {
        self.open = Arc::new(names);
        self
    }

    /// Whether the inputs that the expression reads are known.
    pub(crate) fn knows(&self, expression: &Expression) -> bool {
        let open = |path: &[String]| match path {
            [root, name, ..] if root == "inputs" => self.open.contains(name),
            [root] if root == "inputs" => !self.open.is_empty(),
            _ => false,
        };
        !expression.references.iter().any(|reference| open(&reference.path))
    }

    /// The scope inside something with an `env` of its own: its variables see those around and replace them.
    ///
    /// # Errors
    /// At the first variable whose value has no place in an environment.
    pub fn enter(&self, variables: &IndexMap<String, Template>) -> Result<Self, Problem> {
        if variables.is_empty() {
            return Ok(self.clone());
        }
        let mut env = IndexMap::clone(&self.env);
        for (name, template) in variables {
            let value = text(name, template, template.evaluate(&self.context)?)?;
            env.insert(name.clone(), value);
        }
        let mut context = self.context.clone();
        let object = env.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        context.set("env", &Value::Object(object));
        Ok(Self { context, env: Arc::new(env), open: self.open.clone() })
    }

    /// The scope of one item of a step with `for-each`.
    #[must_use]
    pub fn with_item(&self, index: usize, item: &Value) -> Self {
        let mut scope = self.clone();
        scope.context.set("item", item);
        scope.context.set("index", &Value::from(index));
        scope
    }

    pub fn env(&self) -> &IndexMap<String, String> {
        &self.env
    }
}

fn text(name: &str, template: &Template, value: Value) -> Result<String, Problem> {
    let kind = match value {
        Value::String(text) if text.contains('\0') => "text with a NUL character",
        Value::String(text) => return Ok(text),
        Value::Bool(value) => return Ok(value.to_string()),
        Value::Number(number) => return Ok(number.to_string()),
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    };
    Err(Problem::new(
        crate::codes::INVALID_VARIABLE,
        format!("the variable `{name}` is {kind}, which has no place in an environment"),
    )
    .at(template.span, format!("this is {kind}"))
    .help("give it text, a number or a boolean"))
}
