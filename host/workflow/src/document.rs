//! Nodes -> [`Workflow`]: shapes, types, names. What needs the whole document is checked in [`crate::check`].

mod approval;
mod background;
mod call;
mod concurrency;
mod defaults;
mod input;
mod job;
mod limits;
mod matrix;
mod requires;
mod retention;
mod retry;
mod secrets;
mod step;
mod variables;
mod wait_for;

pub use input::{allowed, shown};

use std::num::NonZeroUsize;

use indexmap::IndexMap;
use sluice_model::yaml::{Checker, Dialect, Key, Node, NodeValue, field};
use sluice_model::{Problem, Source, Span};

use crate::codes;
use crate::fields::{Table, WORKFLOW};
use crate::template::Reader;
use crate::workflow::{Hook, Job, Spanned, Workflow};
use defaults::Defaults;

pub const DIALECT: Dialect = Dialect {
    syntax: codes::YAML,
    too_large: codes::TOO_LARGE,
    empty: codes::EMPTY,
    unknown_field: codes::UNKNOWN_FIELD,
    missing_field: codes::MISSING_FIELD,
    wrong_type: codes::WRONG_TYPE,
    max_bytes: 1 << 20,
};

/// The job of a workflow that has only `steps`.
const MAIN: &str = "main";

/// Longest name of a job, input or step, in characters.
const MAX_NAME: usize = 64;

/// Reads one document and collects problems.
pub struct Document<'t> {
    source: &'t Source,
    pub check: Checker<'static>,
    templates: Reader<'t>,
    defaults: Defaults,
}

impl<'t> Document<'t> {
    /// Where something begins: its first character, which may have several bytes.
    fn first_character(&self, span: Span) -> Span {
        let text = self.source.text().get(span.start..span.end).unwrap_or_default();
        Span::new(span.start, span.start + text.chars().next().map_or(0, char::len_utf8))
    }

    pub fn new(source: &'t Source) -> Self {
        Self {
            source,
            check: Checker::new(&DIALECT),
            templates: Reader::new(source.text()),
            defaults: Defaults::default(),
        }
    }

    pub fn workflow(&mut self, node: &Node) -> Option<Workflow> {
        let entries = self.fields(node, "the workflow", &WORKFLOW)?;
        let name =
            self.optional(entries, "name", |document, node| document.check.text(node, "`name`").map(str::to_owned));
        let inputs = self.optional(entries, "inputs", Self::inputs).unwrap_or_default();
        let env =
            self.optional(entries, "env", |document, node| Some(document.variables(node, "`env`"))).unwrap_or_default();
        self.defaults = self.defaults(entries, "the workflow");
        let timeout_ms = self.optional(entries, "timeout", |document, node| document.duration(node, "`timeout`"));
        let max_parallel =
            self.optional(entries, "max-parallel", |document, node| document.count(node, "`max-parallel`").map(places));
        let fail_fast = self.optional(entries, "fail-fast", |document, node| document.boolean(node, "`fail-fast`"));
        let secrets = self.optional(entries, "secrets", Self::secrets).unwrap_or_default();
        let requires = field(entries, "requires").map(|node| self.requires(node)).unwrap_or_default();
        let concurrency = self.optional(entries, "concurrency", Self::concurrency);
        let jobs = self.jobs(node, entries);
        let hooks = Hook::ALL.into_iter().filter_map(|hook| {
            let node = field(entries, hook.name())?;
            let steps = self.steps(node, &format!("`{}`", hook.name()), Vec::new());
            self.no_background(&steps, hook.name());
            Some((hook, steps))
        });
        let hooks = hooks.filter(|(_, steps)| !steps.is_empty()).collect();
        let outputs = field(entries, "outputs").map(|node| self.outputs(node, "`outputs`")).unwrap_or_default();
        let retention = field(entries, "retention").map(|node| self.retention(node)).unwrap_or_default();
        Some(Workflow {
            source: self.source.clone(),
            name: name.unwrap_or_else(|| stem(self.source.name())),
            inputs,
            env,
            secrets,
            jobs,
            hooks,
            outputs,
            timeout_ms,
            max_parallel,
            fail_fast: fail_fast.unwrap_or_default(),
            file_hashes: std::mem::take(&mut self.templates.file_hashes),
            reads_changes: self.templates.reads_changes,
            requires,
            concurrency,
            retention,
        })
    }

    fn jobs(&mut self, node: &Node, entries: &[(Key, Node)]) -> IndexMap<String, Job> {
        let start = Span::new(node.span.start, node.span.start);
        let mut jobs = IndexMap::new();
        match (key(entries, "jobs"), key(entries, "steps")) {
            (Some(_), Some((steps, _))) => self.check.report(
                Problem::new(codes::CONFLICT, "the workflow has both `jobs` and `steps`")
                    .at(steps.span, "`steps` is the short form of one job")
                    .help("move these steps into a job"),
            ),
            (None, None) => self.check.missing(
                start,
                "the workflow has neither `jobs` nor `steps`",
                "nothing to do in this workflow",
                "add steps, for example:\n    steps:\n    - run: echo hello",
            ),
            _ => {}
        }
        if let Some((_, node)) = key(entries, "jobs") {
            let entries = self.check.mapping(node, "`jobs`").unwrap_or_default();
            if entries.is_empty() && matches!(node.value, NodeValue::Mapping(_)) {
                self.check.report(
                    Problem::new(codes::EMPTY_LIST, "`jobs` is empty").at(node.span, "at least one job is needed"),
                );
            }
            for (key, node) in entries {
                self.job_name(key);
                let job = self.job(key, node);
                jobs.insert(key.name.clone(), job);
            }
        } else if let Some((key, node)) = key(entries, "steps") {
            let name = Spanned { value: MAIN.to_owned(), span: key.span };
            jobs.insert(MAIN.to_owned(), self.main(name, node));
        }
        jobs
    }

    fn job_name(&mut self, key: &Key) {
        if Hook::ALL.iter().any(|hook| hook.name() == key.name) {
            let name = &key.name;
            self.check.report(
                Problem::new(codes::NAME, format!("a job cannot be called `{name}`"))
                    .at(key.span, "steps that run at the end have this name")
                    .help(format!("choose another name, or move it to `{name}` of the workflow")),
            );
        } else {
            self.name(&key.name, key.span, "a job");
        }
    }

    /// Checks the name of `of` ("a job").
    fn name(&mut self, name: &str, span: Span, of: &str) -> bool {
        let valid = name.chars().count() <= MAX_NAME
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !valid {
            let fixed: String = name
                .chars()
                .take(MAX_NAME)
                .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
                .collect();
            let fixed = fixed.trim_matches('-');
            let problem = Problem::new(codes::NAME, format!("`{}` cannot be the name of {of}", name.escape_debug()))
                .at(
                    span,
                    format!("names begin with a letter and have letters, digits, `_` and `-`, at most {MAX_NAME}"),
                );
            let usable = fixed.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            self.check.report(if usable { problem.help(format!("for example `{fixed}`")) } else { problem });
        }
        valid
    }

    fn fields<'n>(&mut self, node: &'n Node, place: &str, table: &Table) -> Option<&'n [(Key, Node)]> {
        self.check.fields(node, place, table.of, &table.names())
    }

    fn optional<'n, T>(
        &mut self,
        entries: &'n [(Key, Node)],
        name: &str,
        read: impl FnOnce(&mut Self, &'n Node) -> Option<T>,
    ) -> Option<T> {
        let node = field(entries, name)?;
        read(self, node)
    }

    /// A value that the plan must know before anything runs. False if it was an expression, which is reported.
    fn literal(&mut self, node: &Node, what: &str) -> bool {
        let expression = node.as_str().is_some_and(|text| text.contains("${{"));
        if expression {
            self.check.report(
                Problem::new(codes::WRONG_TYPE, format!("{what} cannot be an expression"))
                    .at(node.span, "must be written out"),
            );
        }
        !expression
    }
}

/// How many things may run at once.
fn places(count: u64) -> NonZeroUsize {
    usize::try_from(count).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MAX)
}

fn key<'n>(entries: &'n [(Key, Node)], name: &str) -> Option<&'n (Key, Node)> {
    entries.iter().find(|(key, _)| key.name == name)
}

/// `workflows/ci.yaml` -> `ci`.
fn stem(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.strip_suffix(".yaml").or(file.strip_suffix(".yml")).unwrap_or(file).to_owned()
}
