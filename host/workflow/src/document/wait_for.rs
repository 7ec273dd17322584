//! `wait-for`: short for the plugin of that name.

use sluice_model::grant::{Capability, Grant, normalise_path};
use sluice_model::yaml::{Key, Node, NodeValue, field};
use sluice_model::{PluginRef, Problem};

use super::{Document, key};
use crate::fields::WAIT_FOR;
use crate::template::{Template, TemplateValue};
use crate::workflow::Spanned;
use crate::{codes, quantity};

/// The field, and the plugin behind it.
pub(super) const FIELD: &str = "wait-for";

/// What can be waited for, one of them.
const GOALS: [&str; 4] = ["tcp", "http", "exec", "file"];

/// What a step gets beyond the time that it waits, so that it can say why it was in vain, in milliseconds.
const LAST_WORDS_MS: u64 = 10_000;

impl Document<'_> {
    /// Plugin, inputs, and a name for people. `step` is all of the step's fields.
    pub(super) fn wait_for(
        &mut self,
        step: &[(Key, Node)],
        own: &Key,
        node: &Node,
        place: &str,
    ) -> Option<(Spanned<PluginRef>, Template, String)> {
        for other in ["uses", "run", "with"] {
            if let Some((other_key, _)) = key(step, other) {
                self.check.report(
                    Problem::new(codes::CONFLICT, format!("{place} has both `{FIELD}` and `{other}`"))
                        .at(other_key.span.max(own.span), "a step does one thing")
                        .at(other_key.span.min(own.span), "the other is here")
                        .help(if other == "with" { "say it all in `wait-for`" } else { "make two steps of it" }),
                );
            }
        }
        let what = format!("`{FIELD}` of {place}");
        let entries = self.fields(node, &what, &WAIT_FOR)?;
        self.one_goal(entries, own, node, &what);
        if let (Some((status, _)), None) = (key(entries, "status"), key(entries, "http")) {
            self.check.report(
                Problem::new(codes::CONFLICT, format!("{what} has `status` without `http`"))
                    .at(status.span, "only an answer to `http` has a status"),
            );
        }
        let mut inputs = Vec::new();
        let names = WAIT_FOR.names();
        for (key, node) in entries.iter().filter(|(key, _)| names.contains(&key.name.as_str())) {
            self.wait_for_value(&key.name, node, &format!("`{}` in {what}", key.name));
            inputs.push((key.name.clone(), key.span, self.template(node)));
        }
        if let (Some((key, node)), None) = (key(step, "timeout"), key(entries, "timeout")) {
            inputs.push((key.name.clone(), key.span, self.template(node)));
        }
        let goal = entries.iter().find(|(key, _)| GOALS.contains(&key.name.as_str()));
        let goal = goal.and_then(|(_, node)| node.as_str()?.trim().lines().next()).unwrap_or("it");
        let with = Template { span: node.span, value: TemplateValue::Mapping(inputs) };
        let plugin = Spanned { value: PluginRef::Builtin(FIELD.into()), span: own.span };
        Some((plugin, with, super::step::shorten(&format!("wait for {goal}"))))
    }

    /// How long the step may take at most if it does not say so itself: what it waits and a little more.
    pub(super) fn wait_for_time(step: &[(Key, Node)]) -> Option<u64> {
        let text = field(step, FIELD)?.get("timeout")?.as_str()?;
        quantity::duration_ms(text).ok()?.checked_add(LAST_WORDS_MS)
    }

    fn one_goal(&mut self, entries: &[(Key, Node)], own: &Key, node: &Node, what: &str) {
        let mut goals = entries.iter().map(|(key, _)| key).filter(|key| GOALS.contains(&key.name.as_str()));
        let (first, second) = (goals.next(), goals.next());
        match (first, second) {
            // One that is misspelled has been told.
            (None, _) if entries.iter().all(|(key, _)| WAIT_FOR.names().contains(&key.name.as_str())) => {
                let span = if entries.is_empty() { own.span } else { node.span };
                self.check.missing(
                    span,
                    format!("{what} does not say what to wait for"),
                    "nothing to wait for",
                    "add one of `tcp: HOST:PORT`, `http: URL`, `exec: COMMAND`, `file: PATH`",
                );
            }
            (Some(first), Some(second)) => self.check.report(
                Problem::new(codes::CONFLICT, format!("{what} has both `{}` and `{}`", first.name, second.name))
                    .at(second.span, "a second thing to wait for")
                    .at(first.span, "the first is here")
                    .help("make two steps of it"),
            ),
            _ => {}
        }
    }

    /// Reports what is wrong with a value that is written out.
    pub(super) fn wait_for_value(&mut self, name: &str, node: &Node, what: &str) {
        match name {
            "interval" | "timeout" => drop(self.duration(node, what)),
            "status" => self.wait_for_status(node, what),
            "network" => drop(self.check.texts(node, what)),
            _ => {
                let Some(text) = self.check.text(node, what) else { return };
                if text.contains("${{") {
                    return;
                }
                if let Err(reason) = checked(name, text) {
                    let message = match text.trim() {
                        "" => format!("{what} is empty"),
                        text => format!("{what} cannot be `{}`", text.lines().next().unwrap_or_default()),
                    };
                    self.check.report(Problem::new(codes::WAIT_FOR, message).at(node.span, reason));
                }
            }
        }
    }

    fn wait_for_status(&mut self, node: &Node, what: &str) {
        let items = match &node.value {
            NodeValue::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if items.is_empty() {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty")).at(node.span, "at least one is needed"),
            );
        }
        for item in items {
            match &item.value {
                NodeValue::Int(100..=599) => {}
                NodeValue::String(text) if text.contains("${{") => {}
                _ => self.check.report(
                    Problem::new(codes::WAIT_FOR, format!("{what} is no status of HTTP"))
                        .at(item.span, "a whole number from 100 to 599 is needed"),
                ),
            }
        }
    }
}

fn checked(goal: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("nothing to wait for".into());
    }
    match goal {
        "tcp" if text.contains(char::is_whitespace) => Err("a host and a port have no space in them".into()),
        "tcp" if text.ends_with(":*") => Err("it waits for one port".into()),
        "tcp" => Grant::parse(Capability::Tcp, text).map(drop),
        "http" if text.contains(char::is_whitespace) => Err("a URL has no space in it".into()),
        "http" => Grant::parse(Capability::Http, &format!("GET {text}")).map(drop),
        "file" => normalise_path(text).map(drop),
        _ => Ok(()),
    }
}
