//! `services` of a job, and `background` of a step.

use std::num::NonZeroUsize;

use regex::Regex;
use sluice_model::yaml::{Key, Node, NodeValue, field};
use sluice_model::{PluginRef, Problem, Span, suggest};

use super::{Document, key};
use crate::background::{Background, Port, READY_TIMEOUT_MS, Ready, SERVICES, STOP_TIMEOUT_MS, When};
use crate::codes;
use crate::fields::{READY, SERVICE};
use crate::template::{Template, TemplateValue};
use crate::workflow::{Flag, LimitOverrides, Spanned, Step, Title};

/// The plugin that tries whether something answers.
const WAIT_FOR: &str = "wait-for";

/// The ways to know that something is ready.
const WAYS: [&str; 4] = ["tcp", "http", "exec", "log"];

/// Fields that say nothing of a step which runs until it is stopped.
const NOT_IN_BACKGROUND: [(&str, &str); 5] = [
    ("timeout", "it runs as long as its job does; `ready` has a `timeout` of its own"),
    ("retry", "one that ends by itself has failed its job"),
    ("for-each", "one step runs once"),
    ("continue-on-error", "the steps after it need it"),
    ("fail-on", "it reports no findings"),
];

impl Document<'_> {
    /// The services of a job, as steps that come before its others.
    pub(super) fn services(&mut self, node: &Node, what: &str) -> Vec<Step> {
        let mut services = Vec::new();
        for (key, node) in self.check.mapping(node, what).unwrap_or_default() {
            self.name(&key.name, key.span, "a service");
            services.extend(self.service(key, node));
        }
        services
    }

    fn service(&mut self, key: &Key, node: &Node) -> Option<Step> {
        let place = format!("service `{}`", key.name);
        let entries = self.fields(node, &place, &SERVICE)?;
        let what = |field: &str| format!("`{field}` of {place}");
        let title = self.optional(entries, "name", |document, node| document.title(node, &what("name")));
        let action = self.action(entries, node, &place);
        let env = field(entries, "env").map(|node| self.variables(node, &what("env"))).unwrap_or_default();
        let grants = field(entries, "grants").map(|node| self.grants(node, &what("grants"))).unwrap_or_default();
        let limits = field(entries, "limits").map(|node| self.limits(node, &what("limits"))).unwrap_or_default();
        let id = format!("{SERVICES}{}", key.name);
        let name = Spanned { value: key.name.clone(), span: key.span };
        let background = self.background_fields(entries, name, &id, &place);
        let (uses, with, _) = action?;
        Some(Step {
            env,
            grants,
            limits,
            background: Some(background),
            ..plain(id, title.unwrap_or_else(|| raw(&key.name)), node.span, uses, with)
        })
    }

    /// `background: true` of a step and what belongs to it.
    pub(super) fn background(
        &mut self,
        entries: &[(Key, Node)],
        id: &str,
        span: Span,
        place: &str,
    ) -> Option<Background> {
        let wanted = self.optional(entries, "background", |document, node| {
            document.boolean(node, &format!("`background` of {place}"))
        });
        if wanted != Some(true) {
            for name in ["ready", "port", "stop-timeout"] {
                if let Some((key, _)) = key(entries, name) {
                    self.check.report(
                        Problem::new(codes::CONFLICT, format!("{place} has `{name}` without `background`"))
                            .at(key.span, "the next step starts when this one has ended")
                            .help(format!("remove `{name}`, or add `background: true`")),
                    );
                }
            }
            return None;
        }
        for (name, label) in NOT_IN_BACKGROUND {
            if let Some((key, _)) = key(entries, name) {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{place} has `{name}` and `background`"))
                        .at(key.span, label)
                        .help(format!("remove `{name}`")),
                );
            }
        }
        let name = Spanned { value: id.to_owned(), span };
        Some(self.background_fields(entries, name, id, place))
    }

    fn background_fields(
        &mut self,
        entries: &[(Key, Node)],
        name: Spanned<String>,
        id: &str,
        place: &str,
    ) -> Background {
        let what = |field: &str| format!("`{field}` of {place}");
        let port = self.optional(entries, "port", |document, node| document.port(node, &what("port")));
        let ready = self.optional(entries, "ready", |document, node| document.ready(node, id, place));
        let stop_timeout_ms =
            self.optional(entries, "stop-timeout", |document, node| document.duration(node, &what("stop-timeout")));
        Background { name, port, ready, stop_timeout_ms: stop_timeout_ms.unwrap_or(STOP_TIMEOUT_MS) }
    }

    fn port(&mut self, node: &Node, what: &str) -> Option<Port> {
        let port = match &node.value {
            NodeValue::String(text) if text == "auto" => Some(Port::Auto),
            NodeValue::Int(number) => u16::try_from(*number).ok().filter(|port| *port > 0).map(Port::Fixed),
            _ => None,
        };
        if port.is_none() {
            self.check.report(
                Problem::new(codes::PORT, format!("{what} is no port"))
                    .at(node.span, "expected `auto` or a number from 1 to 65535")
                    .help("`auto` finds a free port, which is `services.NAME.port` in expressions and PORT for the program"),
            );
        }
        port
    }

    fn ready(&mut self, node: &Node, id: &str, place: &str) -> Option<Ready> {
        let what = format!("`ready` of {place}");
        let entries = self.fields(node, &what, &READY)?;
        let timeout_ms = self
            .optional(entries, "timeout", |document, node| document.duration(node, &format!("`timeout` in {what}")));
        let interval_ms = self
            .optional(entries, "interval", |document, node| document.duration(node, &format!("`interval` in {what}")));
        let timeout_ms = timeout_ms.unwrap_or(READY_TIMEOUT_MS);
        let ways: Vec<&(Key, Node)> = WAYS.iter().filter_map(|way| key(entries, way)).collect();
        let [(way, node)] = ways.as_slice() else {
            let problem = match ways.as_slice() {
                [] => Problem::new(codes::MISSING_FIELD, format!("{what} says nothing to look at"))
                    .at(node.span, format!("one of {} is needed", suggest::list(WAYS)))
                    .help("for example `tcp: \"127.0.0.1:${{ services.NAME.port }}\"`; without `ready` it is ready when it has been started"),
                [.., (second, _)] => Problem::new(codes::CONFLICT, format!("{what} says more than one thing to look at"))
                    .at(second.span, "one is enough")
                    .help("keep the one that is true last; `exec` can look at several things"),
            };
            self.check.report(problem);
            return None;
        };
        let when = if way.name == "log" {
            if let Some((key, _)) = key(entries, "interval") {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{what} has `log` and `interval`"))
                        .at(key.span, "lines are looked at as they come")
                        .help("remove `interval`"),
                );
            }
            When::Says(self.pattern(node, &format!("`log` in {what}"))?)
        } else {
            self.wait_for_value(&way.name, node, &format!("`{}` in {what}", way.name));
            let text = |ms: u64| TemplateValue::Literal(format!("{ms}ms").into());
            let value = |value| Template { span: node.span, value };
            let mut with = vec![(way.name.clone(), way.span, self.template(node))];
            with.push(("timeout".to_owned(), way.span, value(text(timeout_ms))));
            with.extend(key(entries, "network").map(|(own, node)| {
                self.check.texts(node, &format!("`network` in {what}"));
                (own.name.clone(), own.span, self.template(node))
            }));
            with.extend(interval_ms.map(|ms| ("interval".to_owned(), way.span, value(text(ms)))));
            let uses = Spanned { value: PluginRef::Builtin(WAIT_FOR.to_owned()), span: way.span };
            let with = value(TemplateValue::Mapping(with));
            let id = format!("{id}.ready");
            let probe = Step { timeout_ms: Some(timeout_ms), ..plain(id, raw(&what), node.span, uses, with) };
            When::Passes(Box::new(probe))
        };
        Some(Ready { span: way.span, when, timeout_ms })
    }

    fn pattern(&mut self, node: &Node, what: &str) -> Option<Regex> {
        let text = self.check.text(node, what)?;
        if !self.literal(node, what) {
            return None;
        }
        let pattern = Regex::new(text).map_err(|error| {
            // The last line says why; those before it draw the place.
            let reason = error.to_string().lines().last().map(|line| line.trim_start_matches("error: ").to_owned());
            let problem = Problem::new(codes::PATTERN, format!("{what} is no regular expression"));
            self.check.report(problem.at(node.span, reason.unwrap_or_default()));
        });
        pattern.ok()
    }
}

fn raw(text: &str) -> Title {
    Title { text: text.to_owned(), template: None }
}

/// A step with nothing but what every step has.
fn plain(id: String, name: Title, span: Span, uses: Spanned<PluginRef>, with: Template) -> Step {
    Step {
        id,
        name,
        span,
        uses,
        with,
        condition: None,
        env: indexmap::IndexMap::new(),
        timeout_ms: None,
        retry: None,
        for_each: None,
        max_parallel: NonZeroUsize::MIN,
        fail_fast: true,
        continue_on_error: Flag::default(),
        fail_on: None,
        grants: indexmap::IndexMap::new(),
        limits: LimitOverrides::default(),
        background: None,
    }
}
