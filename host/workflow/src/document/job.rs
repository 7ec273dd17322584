//! `jobs`.

use std::collections::HashMap;

use indexmap::IndexMap;
use sluice_model::yaml::{Key, Node, NodeValue, field};
use sluice_model::{Globs, Problem, Span};

use super::Document;
use crate::codes;
use crate::fields::JOB;
use crate::template::{Condition, Template};
use crate::workflow::{Job, Spanned, Step};

impl Document<'_> {
    pub(super) fn job(&mut self, key: &Key, node: &Node) -> Job {
        let place = format!("job `{}`", key.name);
        let entries = self.fields(node, &place, &JOB);
        let readable = entries.is_some();
        let entries = entries.unwrap_or_default();
        let what = |field: &str| format!("`{field}` of {place}");
        let title = self
            .optional(entries, "name", |document, node| document.check.text(node, &what("name")).map(str::to_owned));
        let needs = field(entries, "needs").map(|node| self.needs(node, &what("needs"))).unwrap_or_default();
        let condition = self.optional(entries, "if", |document, node| document.condition(node, &what("if")));
        let paths = field(entries, "paths").map(|node| self.paths(node, &what("paths"))).unwrap_or_default();
        let env = field(entries, "env").map(|node| self.variables(node, &what("env"))).unwrap_or_default();
        let outputs = field(entries, "outputs").map(|node| self.outputs(node, &what("outputs"))).unwrap_or_default();
        let timeout_ms = self.optional(entries, "timeout", |document, node| document.duration(node, &what("timeout")));
        let continue_on_error = self.optional(entries, "continue-on-error", |document, node| {
            document.boolean(node, &what("continue-on-error"))
        });
        let matrix = self.optional(entries, "matrix", |document, node| document.matrix(node, &what("matrix")));
        let max_parallel = self.optional(entries, "max-parallel", |document, node| {
            document.count(node, &what("max-parallel")).map(super::places)
        });
        let fail_fast =
            self.optional(entries, "fail-fast", |document, node| document.boolean(node, &what("fail-fast")));
        if matrix.is_none() && field(entries, "matrix").is_none() {
            self.only_with(entries, "matrix", "cells", &place);
        }
        let outer = self.defaults.clone();
        self.defaults = self.defaults(entries, &place);
        let call = self.call(entries, &place);
        let steps = match field(entries, "steps") {
            // What stands beside a call has been told.
            _ if super::key(entries, "uses").is_some() => Vec::new(),
            Some(node) => self.steps(node, &what("steps")),
            None if !readable => Vec::new(),
            None => {
                self.check.missing(
                    key.span,
                    format!("{place} has no `steps`"),
                    "nothing to do in this job",
                    "add steps, for example `steps: [{run: echo hello}]`, or call a workflow: `uses: ./FILE.yaml`",
                );
                Vec::new()
            }
        };
        self.defaults = outer;
        Job {
            name: Spanned { value: key.name.clone(), span: key.span },
            title,
            needs,
            condition,
            paths,
            env,
            outputs,
            timeout_ms,
            continue_on_error: continue_on_error.unwrap_or_default(),
            matrix,
            max_parallel,
            fail_fast: fail_fast.unwrap_or(true),
            steps,
            call,
        }
    }

    /// The only job of the short form.
    pub(super) fn main(&mut self, name: Spanned<String>, steps: &Node) -> Job {
        Job {
            name,
            title: None,
            needs: Vec::new(),
            condition: None,
            paths: Vec::new(),
            env: IndexMap::new(),
            outputs: IndexMap::new(),
            timeout_ms: None,
            continue_on_error: false,
            matrix: None,
            max_parallel: None,
            fail_fast: true,
            steps: self.steps(steps, "`steps`"),
            call: None,
        }
    }

    /// `max-parallel` and `fail-fast` say nothing without `owner`, which makes the `things`.
    pub(super) fn only_with(&mut self, entries: &[(Key, Node)], owner: &str, things: &str, place: &str) {
        for name in ["max-parallel", "fail-fast"] {
            if let Some((key, _)) = super::key(entries, name) {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{place} has `{name}` without `{owner}`"))
                        .at(key.span, format!("there are no {things} here"))
                        .help(format!("remove `{name}`, or give `{owner}`")),
                );
            }
        }
    }

    fn needs(&mut self, node: &Node, what: &str) -> Vec<Spanned<String>> {
        let mut seen = HashMap::new();
        let mut needs = Vec::new();
        for (name, span) in self.check.texts(node, what) {
            if seen.insert(name, ()).is_some() {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{what} names `{name}` twice")).at(span, "named before"),
                );
            } else {
                needs.push(Spanned { value: name.to_owned(), span });
            }
        }
        needs
    }

    fn paths(&mut self, node: &Node, what: &str) -> Vec<Spanned<String>> {
        let mut paths = Vec::new();
        for (glob, span) in self.check.texts(node, what) {
            let reason = if glob.contains("${{") {
                Some("must be written out".to_owned())
            } else if glob.is_empty() || glob.starts_with('/') || glob.starts_with("!/") {
                Some("paths begin at the workspace".to_owned())
            } else {
                Globs::parse(&[glob]).err()
            };
            match reason {
                Some(reason) => self.check.report(
                    Problem::new(codes::GLOB, format!("`{glob}` in {what} is not a glob of the workspace"))
                        .at(span, reason)
                        .help("for example `src/**`, `**/*.md`, or `!docs/` to take a folder away"),
                ),
                None => paths.push(Spanned { value: glob.to_owned(), span }),
            }
        }
        if paths.is_empty() && matches!(&node.value, NodeValue::Sequence(items) if items.is_empty()) {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty"))
                    .at(node.span, "no file could concern this job")
                    .help("remove `paths` if all files concern it"),
            );
        }
        paths
    }

    pub(super) fn outputs(&mut self, node: &Node, what: &str) -> IndexMap<String, Template> {
        let mut outputs = IndexMap::new();
        for (key, node) in self.check.mapping(node, what).unwrap_or_default() {
            self.name(&key.name, key.span, "an output");
            outputs.insert(key.name.clone(), self.template(node));
        }
        outputs
    }

    pub(super) fn steps(&mut self, node: &Node, what: &str) -> Vec<Step> {
        let items = self.check.sequence(node, what).unwrap_or_default();
        if items.is_empty() && matches!(node.value, NodeValue::Sequence(_)) {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty"))
                    .at(node.span, "at least one step is needed"),
            );
        }
        let mut ids: HashMap<String, Span> = HashMap::new();
        let mut steps = Vec::with_capacity(items.len());
        for (index, node) in items.iter().enumerate() {
            let id_span = node.get("id").map_or(node.span, |node| node.span);
            let Some(step) = self.step(index + 1, node) else { continue };
            match ids.get(&step.id) {
                Some(first) => self.check.report(
                    Problem::new(codes::DUPLICATE_ID, format!("two steps have the id `{}`", step.id))
                        .at(id_span, "used again here")
                        .at(*first, "first used here")
                        .help("give each step of a job an id of its own"),
                ),
                None => {
                    ids.insert(step.id.clone(), id_span);
                }
            }
            steps.push(step);
        }
        steps
    }

    pub(super) fn condition(&mut self, node: &Node, what: &str) -> Option<Condition> {
        let read = match &node.value {
            NodeValue::String(text) => self.templates.condition(text, node.span),
            NodeValue::Bool(value) => self.templates.condition(&value.to_string(), node.span),
            _ => {
                self.check.report(
                    Problem::new(codes::CONDITION, format!("{what} is {}, not a condition", node.describe()))
                        .at(node.span, "expected an expression that is true or false"),
                );
                return None;
            }
        };
        read.map_err(|problems| self.check.problems.extend(problems)).ok()
    }
}
