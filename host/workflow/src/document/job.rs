//! `jobs`.

use std::collections::HashMap;

use indexmap::IndexMap;
use sluice_model::yaml::{Key, Node, NodeValue, field};
use sluice_model::{Globs, Problem, Span};

use super::Document;
use crate::codes;
use crate::fields::JOB;
use crate::template::{Condition, Template};
use crate::workflow::{Flag, Job, Spanned, Step, Title};

impl Document<'_> {
    pub(super) fn job(&mut self, key: &Key, node: &Node) -> Job {
        let place = format!("job `{}`", key.name);
        let entries = self.fields(node, &place, &JOB);
        let readable = entries.is_some();
        let entries = entries.unwrap_or_default();
        let what = |field: &str| format!("`{field}` of {place}");
        let title = self.optional(entries, "name", |document, node| document.title(node, &what("name")));
        let needs = field(entries, "needs").map(|node| self.needs(node, &what("needs"))).unwrap_or_default();
        let condition = self.optional(entries, "if", |document, node| document.condition(node, &what("if")));
        let paths = field(entries, "paths").map(|node| self.paths(node, &what("paths"))).unwrap_or_default();
        let env = field(entries, "env").map(|node| self.variables(node, &what("env"))).unwrap_or_default();
        let outputs = field(entries, "outputs").map(|node| self.outputs(node, &what("outputs"))).unwrap_or_default();
        let timeout_ms = self.optional(entries, "timeout", |document, node| document.duration(node, &what("timeout")));
        let continue_on_error = self
            .optional(entries, "continue-on-error", |document, node| document.flag(node, &what("continue-on-error")));
        let matrix = self.optional(entries, "matrix", |document, node| document.matrix(node, &what("matrix")));
        let max_parallel = self.optional(entries, "max-parallel", |document, node| {
            document.count(node, &what("max-parallel")).map(super::places)
        });
        let fail_fast =
            self.optional(entries, "fail-fast", |document, node| document.boolean(node, &what("fail-fast")));
        if matrix.is_none() && field(entries, "matrix").is_none() {
            self.only_with(entries, "matrix", "cells", &place);
        }
        let approval = self.optional(entries, "approval", |document, node| document.approval(node, &what("approval")));
        let checklist =
            self.optional(entries, "checklist", |document, node| document.checklist(node, &what("checklist")));
        let outer = self.defaults.clone();
        self.defaults = self.defaults(entries, &place);
        let call = self.call(entries, &place);
        if let (Some(_), Some(Flag::Asked(_)), Some((_, node))) =
            (&call, &continue_on_error, super::key(entries, "continue-on-error"))
        {
            self.literal(node, &what("continue-on-error"));
        }
        let services = field(entries, "services").map(|node| self.services(node, &what("services")));
        let services = services.unwrap_or_default();
        let steps = match field(entries, "steps") {
            // What stands beside a call has been told.
            _ if super::key(entries, "uses").is_some() => Vec::new(),
            Some(node) => self.steps(node, &what("steps"), services),
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
            approval,
            checklist: checklist.unwrap_or_default(),
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
            continue_on_error: Flag::default(),
            matrix: None,
            max_parallel: None,
            fail_fast: true,
            approval: None,
            checklist: IndexMap::new(),
            steps: self.steps(steps, "`steps`", Vec::new()),
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

    /// `services` come before the steps that stand here.
    pub(super) fn steps(&mut self, node: &Node, what: &str, services: Vec<Step>) -> Vec<Step> {
        let items = self.check.sequence(node, what).unwrap_or_default();
        if items.is_empty() && matches!(node.value, NodeValue::Sequence(_)) {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty"))
                    .at(node.span, "at least one step is needed"),
            );
        }
        let mut ids: HashMap<String, Span> = HashMap::new();
        let names: HashMap<String, Span> = services.iter().filter_map(named).collect();
        let mut steps = services;
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
            if let Some((name, _)) = named(&step)
                && let Some(first) = names.get(&name)
            {
                self.check.report(
                    Problem::new(codes::DUPLICATE_ID, format!("the step `{name}` has the name of a service"))
                        .at(id_span, "`services` could mean either")
                        .at(*first, "the service")
                        .help("give one of them another name"),
                );
            }
            steps.push(step);
        }
        steps
    }

    /// At the end of a run there is nothing that could need a step in the background.
    pub(super) fn no_background(&mut self, steps: &[Step], hook: &str) {
        for (name, span) in steps.iter().filter_map(named) {
            self.check.report(
                Problem::new(codes::CONFLICT, format!("the step `{name}` of `{hook}` runs in the background"))
                    .at(span, "only steps of a job can")
                    .help(format!("move it to a job, or remove `background` from this step of `{hook}`")),
            );
        }
    }

    /// A name for people, in which expressions may stand.
    pub(super) fn title(&mut self, node: &Node, what: &str) -> Option<Title> {
        let text = self.check.text(node, what)?.to_owned();
        let template = text.contains("${{").then(|| self.template(node));
        Some(Title { text, template })
    }

    /// A boolean, or an expression in `${{ }}`.
    pub(super) fn flag(&mut self, node: &Node, what: &str) -> Option<Flag> {
        match &node.value {
            NodeValue::Bool(value) => Some(Flag::Known(*value)),
            NodeValue::String(text) if text.contains("${{") => self.condition(node, what).map(Flag::Asked),
            _ => {
                self.check.wrong_type(node, what, "`true`, `false` or an expression in `${{ }}`");
                None
            }
        }
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

/// What `services` calls the step, and where it stands, if it runs in the background.
fn named(step: &Step) -> Option<(String, Span)> {
    step.background.as_ref().map(|background| (background.name.value.clone(), background.name.span))
}
