//! `uses`, `with` and `secrets` of a job: a call of another workflow.

use indexmap::IndexMap;
use sluice_model::grant::normalise_path;
use sluice_model::yaml::{Key, Node, NodeValue, field};
use sluice_model::{Problem, Span};

use super::{Document, key};
use crate::codes;
use crate::template::{Template, TemplateValue};
use crate::workflow::{Call, Spanned};

/// What a job that calls a workflow can have; the rest belongs into the called workflow.
const BESIDE: [&str; 9] = ["name", "needs", "if", "paths", "timeout", "continue-on-error", "uses", "with", "secrets"];

impl Document<'_> {
    /// The call of a job with these entries, if it is one.
    pub(super) fn call(&mut self, entries: &[(Key, Node)], place: &str) -> Option<Call> {
        let Some((uses, node)) = key(entries, "uses") else {
            for name in ["with", "secrets"] {
                if let Some((own, _)) = key(entries, name) {
                    self.check.report(
                        Problem::new(codes::CONFLICT, format!("{place} has `{name}` without `uses`"))
                            .at(own.span, "only a job that calls a workflow passes something")
                            .help(format!("give `{name}` to a step, or call a workflow with `uses`")),
                    );
                }
            }
            return None;
        };
        let known = crate::fields::JOB.names();
        let beside = entries.iter().map(|(key, _)| key);
        for key in beside.filter(|key| known.contains(&key.name.as_str()) && !BESIDE.contains(&key.name.as_str())) {
            self.check.report(
                Problem::new(codes::CONFLICT, format!("{place} has both `uses` and `{}`", key.name))
                    .at(key.span, "not possible beside a call")
                    .at(uses.span, "this job calls a workflow")
                    .help(instead_of(&key.name)),
            );
        }
        let file = self.called_file(node, &format!("`uses` of {place}"));
        let with = self.passed(field(entries, "with"), node.span, &format!("`with` of {place}"));
        let secrets = field(entries, "secrets");
        let secrets = secrets.map(|node| self.passed_secrets(node, &format!("`secrets` of {place}")));
        Some(Call { file: file?, with, secrets: secrets.unwrap_or_default(), workflow: None })
    }

    fn called_file(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        let text = self.check.text(node, what)?;
        if !self.literal(node, what) {
            return None;
        }
        let yaml = text.ends_with(".yaml") || text.ends_with(".yml");
        let (reason, help) = match normalise_path(text) {
            Ok(file) if yaml => return Some(Spanned { value: file, span: node.span }),
            _ if text.contains("://") => {
                ("workflows are called from the workspace only".to_owned(), "copy the file into the repository")
            }
            Ok(_) if text.ends_with(".wasm") || !text.contains('/') => (
                "a job calls a workflow; a step uses a plugin".to_owned(),
                "name a file that ends in `.yaml`, or use the plugin in a step: `steps: [{uses: ...}]`",
            ),
            Ok(_) => ("the file of a workflow ends in `.yaml` or `.yml`".to_owned(), "for example `./ci/release.yaml`"),
            Err(_) => (
                "only files of the workspace can be called".to_owned(),
                "paths begin at the workspace, the folder in which the workflow was found: `./ci/release.yaml`",
            ),
        };
        self.check.report(
            Problem::new(codes::CALL, format!("`{text}` is no workflow that can be called"))
                .at(node.span, reason)
                .help(help),
        );
        None
    }

    fn passed(&mut self, with: Option<&Node>, otherwise: Span, what: &str) -> Template {
        let entries = with.and_then(|node| self.check.mapping(node, what)).unwrap_or_default();
        let inputs = entries.iter().map(|(key, node)| (key.name.clone(), key.span, self.template(node))).collect();
        Template { span: with.map_or(otherwise, |node| node.span), value: TemplateValue::Mapping(inputs) }
    }

    fn passed_secrets(&mut self, node: &Node, what: &str) -> IndexMap<String, Spanned<String>> {
        let mut secrets = IndexMap::new();
        match &node.value {
            NodeValue::Mapping(entries) => {
                for (key, node) in entries {
                    self.variable_name(&key.name, key.span, "a secret");
                    let Some(text) = self.check.text(node, &format!("`{}` in {what}", key.name)) else { continue };
                    if !self.literal(node, &format!("`{}` in {what}", key.name)) {
                        continue;
                    }
                    self.variable_name(text, node.span, "a secret");
                    secrets.insert(key.name.clone(), Spanned { value: text.to_owned(), span: node.span });
                }
            }
            NodeValue::Sequence(_) => {
                for (name, span) in self.check.texts(node, what) {
                    self.variable_name(name, span, "a secret");
                    if secrets.insert(name.to_owned(), Spanned { value: name.to_owned(), span }).is_some() {
                        self.check.report(
                            Problem::new(codes::CONFLICT, format!("{what} names `{name}` twice"))
                                .at(span, "named before"),
                        );
                    }
                }
            }
            _ => self.check.wrong_type(node, what, "a list of names, or a mapping of names"),
        }
        secrets
    }
}

/// What to do instead of giving this to a job that calls a workflow.
fn instead_of(field: &str) -> &'static str {
    match field {
        "steps" => "put the steps into a job of their own; it can need this one",
        "env" => "the called workflow sees no variables of its caller; pass values with `with`",
        "outputs" => "declare `outputs` in the called workflow; they are this job's",
        "matrix" | "max-parallel" => {
            "put the matrix into a job of the called workflow, or write one call for each cell"
        }
        _ => "put it into the called workflow",
    }
}
