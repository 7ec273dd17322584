//! `steps`.

use std::num::NonZeroUsize;

use sluice_model::finding::FailOn;
use sluice_model::yaml::{Key, Node, field};
use sluice_model::{PluginRef, Problem, Span, suggest};

use super::{Document, key, wait_for};
use crate::codes;
use crate::fields::{FAIL_ON, STEP};
use crate::template::{Template, TemplateValue};
use crate::workflow::{Spanned, Step, Title};

/// The plugin behind `run`.
const EXEC: &str = "exec";

/// Longest name made from a script, in characters.
const MAX_TITLE: usize = 60;

impl Document<'_> {
    /// `number` counts from 1.
    pub(super) fn step(&mut self, number: usize, node: &Node) -> Option<Step> {
        let given = ["id", "name"].iter().find_map(|name| node.get(name)?.as_str());
        let place = given.map_or_else(|| format!("step {number}"), |name| format!("step `{name}`"));
        let entries = self.fields(node, &place, &STEP)?;
        let what = |field: &str| format!("`{field}` of {place}");

        let id = self.optional(entries, "id", |document, node| document.id(node, &what("id")));
        let name = self.optional(entries, "name", |document, node| document.title(node, &what("name")));
        let action = self.action(entries, node, &place);
        let condition = self.optional(entries, "if", |document, node| document.condition(node, &what("if")));
        let env = field(entries, "env").map(|node| self.variables(node, &what("env"))).unwrap_or_default();
        let timeout_ms = self.optional(entries, "timeout", |document, node| document.duration(node, &what("timeout")));
        let retry = self.optional(entries, "retry", |document, node| document.retry(node, &what("retry")));
        let for_each =
            self.optional(entries, "for-each", |document, node| Some(document.items(node, &what("for-each"))));
        let max_parallel = self.optional(entries, "max-parallel", |document, node| {
            document.count(node, &what("max-parallel")).map(super::places)
        });
        let fail_fast =
            self.optional(entries, "fail-fast", |document, node| document.boolean(node, &what("fail-fast")));
        if field(entries, "for-each").is_none() {
            self.only_with(entries, "for-each", "items", &place);
        }
        let continue_on_error = self
            .optional(entries, "continue-on-error", |document, node| document.flag(node, &what("continue-on-error")));
        let fail_on = self.optional(entries, "fail-on", |document, node| document.fail_on(node, &what("fail-on")));
        let grants = field(entries, "grants").map(|node| self.grants(node, &what("grants"))).unwrap_or_default();
        let limits = field(entries, "limits").map(|node| self.limits(node, &what("limits"))).unwrap_or_default();

        let id = id.unwrap_or_else(|| format!("step-{number}"));
        let span = key(entries, "background").map_or(node.span, |(key, _)| key.span);
        let background = self.background(entries, &id, span, &place);

        // Without an action the step still has an id that expressions may name.
        let (uses, with, title) = action.unwrap_or_else(|| {
            let uses = Spanned { value: PluginRef::Builtin(String::new()), span: node.span };
            (uses, Template { span: node.span, value: TemplateValue::Mapping(Vec::new()) }, String::new())
        });
        Some(Step {
            id,
            name: name.unwrap_or(Title { text: title, template: None }),
            span: node.span,
            uses,
            with,
            condition,
            env,
            timeout_ms: timeout_ms
                .or_else(|| Self::wait_for_time(entries))
                .or(self.defaults.timeout_ms)
                .filter(|_| background.is_none()),
            retry: retry.or_else(|| self.defaults.retry.clone()).filter(|_| background.is_none()),
            for_each,
            max_parallel: max_parallel.unwrap_or(NonZeroUsize::MIN),
            fail_fast: fail_fast.unwrap_or(true),
            continue_on_error: continue_on_error.unwrap_or_default(),
            fail_on,
            grants,
            limits,
            background,
        })
    }

    fn id(&mut self, node: &Node, what: &str) -> Option<String> {
        let id = self.check.text(node, what)?;
        if self.name(id, node.span, "a step")
            && id.strip_prefix("step-").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
        {
            self.check.report(
                Problem::new(codes::NAME, format!("the id `{id}` is not free"))
                    .at(node.span, "ids like this are given to steps that have none")
                    .help("choose an id that says what the step does"),
            );
        }
        Some(id.to_owned())
    }

    /// Plugin, inputs, and a name for people.
    pub(super) fn action(
        &mut self,
        entries: &[(Key, Node)],
        node: &Node,
        place: &str,
    ) -> Option<(Spanned<PluginRef>, Template, String)> {
        for (name, label) in [
            ("shell", "only `run` has a shell"),
            ("working-directory", "only `run` has one"),
            ("toolchain", "only `run` has one"),
            ("network", "only `run` has one"),
            ("paths", "only `run` has them"),
        ] {
            if let (Some((own, _)), None) = (key(entries, name), key(entries, "run")) {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{place} has `{name}` without `run`"))
                        .at(own.span, label)
                        .help(format!("remove `{name}`, or give a script with `run`")),
                );
            }
        }
        if let Some((own, waiting)) = key(entries, wait_for::FIELD) {
            return self.wait_for(entries, own, waiting, place);
        }
        let with = field(entries, "with");
        match (key(entries, "uses"), key(entries, "run")) {
            (Some((uses, _)), Some((run, _))) => {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{place} has both `uses` and `run`"))
                        .at(run.span.max(uses.span), "a step does one thing")
                        .at(run.span.min(uses.span), "the other is here")
                        .help("make two steps of it"),
                );
                None
            }
            (None, None) => {
                let start = self.first_character(node.span);
                self.check.missing(
                    start,
                    format!("{place} has neither `uses` nor `run`"),
                    "this step does nothing",
                    "add `uses: PLUGIN` or `run: SCRIPT`",
                );
                None
            }
            (Some((_, uses)), None) => {
                let with = self.with(with, &[], uses.span, place);
                let plugin = self.plugin(uses, place)?;
                let title = plugin.to_string();
                Some((Spanned { value: plugin, span: uses.span }, with, title))
            }
            (None, Some((run, script))) => {
                let text = self.check.text(script, &format!("`run` of {place}"))?;
                if text.trim().is_empty() {
                    self.check.report(
                        Problem::new(codes::EMPTY_LIST, format!("`run` of {place} is empty"))
                            .at(script.span, "no script"),
                    );
                }
                let mut sugar = vec![("run", run, script)];
                let defaults = self.defaults.clone();
                for (name, input, default) in
                    [("shell", "shell", &defaults.shell), ("working-directory", "directory", &defaults.directory)]
                {
                    let own = key(entries, name).or(default.as_ref().filter(|_| {
                        // What stands in `with` is nearer than a default.
                        with.and_then(|with| with.get(input)).is_none()
                    }));
                    if let Some((key, node)) = own {
                        self.check.text(node, &format!("`{name}` of {place}"))?;
                        sugar.push((input, key, node));
                    }
                }
                for (name, default) in
                    [("toolchain", &defaults.toolchain), ("network", &defaults.network), ("paths", &defaults.paths)]
                {
                    let nearer = with.and_then(|with| with.get(name)).is_some();
                    if let Some((key, node)) = key(entries, name).or(default.as_ref().filter(|_| !nearer)) {
                        self.check.texts(node, &format!("`{name}` of {place}"));
                        sugar.push((name, key, node));
                    }
                }
                let with = self.with(with, &sugar, script.span, place);
                let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(EXEC);
                Some((Spanned { value: PluginRef::Builtin(EXEC.into()), span: run.span }, with, shorten(first)))
            }
        }
    }

    /// The inputs, with those that have a field of their own.
    fn with(&mut self, with: Option<&Node>, sugar: &[(&str, &Key, &Node)], span: Span, place: &str) -> Template {
        let mut inputs: Vec<(String, Span, Template)> =
            sugar.iter().map(|(input, key, node)| ((*input).to_owned(), key.span, self.template(node))).collect();
        let what = format!("`with` of {place}");
        for (key, node) in with.and_then(|node| self.check.mapping(node, &what)).unwrap_or_default() {
            match sugar.iter().find(|(input, _, _)| *input == key.name) {
                Some((_, own, _)) => self.check.report(
                    Problem::new(codes::CONFLICT, format!("{place} gives `{}` twice", key.name))
                        .at(key.span.max(own.span), "given again here")
                        .at(key.span.min(own.span), "first given here"),
                ),
                None => inputs.push((key.name.clone(), key.span, self.template(node))),
            }
        }
        Template { span: with.map_or(span, |node| node.span), value: TemplateValue::Mapping(inputs) }
    }

    fn plugin(&mut self, node: &Node, place: &str) -> Option<PluginRef> {
        let what = format!("`uses` of {place}");
        let text = self.check.text(node, &what)?;
        if !self.literal(node, &what) {
            return None;
        }
        PluginRef::parse(text)
            .map_err(|reason| {
                let message = match text {
                    "" => format!("{what} is empty"),
                    _ => format!("`{text}` is no reference to a plugin"),
                };
                self.check.report(Problem::new(codes::PLUGIN, message).at(node.span, reason));
            })
            .ok()
    }

    fn fail_on(&mut self, node: &Node, what: &str) -> Option<FailOn> {
        let text = self.choice(node, what, &FAIL_ON)?;
        text.parse().ok()
    }

    /// One of `choices`.
    pub(super) fn choice<'n>(&mut self, node: &'n Node, what: &str, choices: &[&str]) -> Option<&'n str> {
        let text = self.check.text(node, what)?;
        if choices.contains(&text) {
            return Some(text);
        }
        let help = match suggest::closest(text, choices.iter().copied()) {
            Some(close) => format!("a similar value is possible: `{close}`"),
            None => format!("possible: {}", suggest::list(choices.iter().copied())),
        };
        self.check.report(
            Problem::new(codes::CHOICE, format!("{what} cannot be `{text}`"))
                .at(node.span, "not a possible value")
                .help(help),
        );
        None
    }
}

pub(super) fn shorten(line: &str) -> String {
    if line.chars().count() <= MAX_TITLE {
        line.to_owned()
    } else {
        line.chars().take(MAX_TITLE - 3).chain("...".chars()).collect()
    }
}
