//! `secrets`: one source for each.

use indexmap::IndexMap;
use sluice_model::secret::{AwsSecret, VaultSecret};
use sluice_model::yaml::{Key, Node, NodeValue, field};
use sluice_model::{Problem, SecretSource};

use super::{Document, key};
use crate::codes;
use crate::fields::{AWS, SECRET, VAULT};
use crate::workflow::Spanned;

impl Document<'_> {
    pub(super) fn secrets(&mut self, node: &Node) -> Option<IndexMap<String, Spanned<SecretSource>>> {
        let mut secrets = IndexMap::new();
        for (key, node) in self.check.mapping(node, "`secrets`")? {
            self.variable_name(&key.name, key.span, "a secret");
            if let Some(source) = self.secret(key, node) {
                secrets.insert(key.name.clone(), Spanned { value: source, span: node.span });
            }
        }
        Some(secrets)
    }

    fn secret(&mut self, name: &Key, node: &Node) -> Option<SecretSource> {
        let place = format!("secret `{}`", name.name);
        // `TOKEN:` with nothing behind it has no source, like `TOKEN: {}`.
        let entries = if node.value == NodeValue::Null { &[] } else { self.fields(node, &place, &SECRET)? };
        let sources = || entries.iter().filter(|(key, _)| SECRET.names().contains(&key.name.as_str()));
        let Some((source, value)) = sources().next() else {
            // A source that is misspelled has been told.
            if entries.is_empty() {
                self.check.missing(
                    name.span,
                    format!("{place} has no source"),
                    "nothing says where its value comes from",
                    "for example `{env: NAME}`; without an entry here, the value comes from SLUICE_SECRET_NAME",
                );
            }
            return None;
        };
        if let Some((second, _)) = sources().nth(1) {
            self.check.report(
                Problem::new(codes::CONFLICT, format!("{place} has two sources"))
                    .at(second.span, "a second source")
                    .at(source.span, "the first is here")
                    .help("keep one of them"),
            );
        }
        let what = format!("`{}` of {place}", source.name);
        match source.name.as_str() {
            "env" => {
                let text = self.secret_text(value, &what)?;
                self.variable_name(text, value.span, "an environment variable").then(|| SecretSource::Env(text.into()))
            }
            "file" => Some(SecretSource::File(self.secret_text(value, &what)?.into())),
            "prompt" => Some(SecretSource::Prompt(self.secret_text(value, &what)?.into())),
            "command" => self.secret_command(value, &what),
            "vault" => self.vault(value, &what),
            "aws" => self.aws(value, &what),
            _ => None,
        }
    }

    fn secret_command(&mut self, node: &Node, what: &str) -> Option<SecretSource> {
        let NodeValue::Sequence(items) = &node.value else {
            self.check.wrong_type(node, what, "a list of a program and its arguments");
            return None;
        };
        let item = format!("an item of {what}");
        let mut words = Vec::with_capacity(items.len());
        for (number, node) in items.iter().enumerate() {
            let word = match (number, node.as_str()) {
                // An argument may be empty or span lines; the program may not.
                (1.., Some(text)) if self.literal(node, &item) => text,
                (1.., Some(_)) => return None,
                _ => self.secret_text(node, &item)?,
            };
            words.push(word.to_owned());
        }
        if words.is_empty() {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty")).at(node.span, "a program is needed"),
            );
            return None;
        }
        Some(SecretSource::Command(words))
    }

    fn vault(&mut self, node: &Node, what: &str) -> Option<SecretSource> {
        let entries = self.fields(node, what, &VAULT)?;
        let (path, found) = (self.needed(entries, node, "path", what), self.needed(entries, node, "key", what));
        let address = self.given(entries, "address", what);
        let namespace = self.given(entries, "namespace", what);
        if let (Some(address), Some((_, node))) = (&address, key(entries, "address"))
            && !is_http_url(address)
        {
            let problem = Problem::new(codes::SECRET, format!("`address` of {what} is no address of a server"));
            self.check.report(problem.at(node.span, "expected a URL like `https://vault.example:8200`"));
        }
        if let (Some(path), Some((_, node))) = (&path, key(entries, "path"))
            && !is_kv2_path(path)
        {
            self.check.report(
                Problem::new(codes::SECRET, format!("`path` of {what} is not one of a key-value store, version 2"))
                    .at(node.span, "`data` must stand after the mount")
                    .help("where `vault kv get` has `secret/app`, write `secret/data/app`"),
            );
        }
        Some(SecretSource::Vault(VaultSecret { path: path?, key: found?, address, namespace }))
    }

    fn aws(&mut self, node: &Node, what: &str) -> Option<SecretSource> {
        let entries = self.fields(node, what, &AWS)?;
        let id = self.needed(entries, node, "id", what);
        let found = self.given(entries, "key", what);
        let region = self.given(entries, "region", what);
        if let (Some(region), Some((_, node))) = (&region, key(entries, "region"))
            && !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            let problem = Problem::new(codes::SECRET, format!("`region` of {what} is no region"));
            self.check.report(problem.at(node.span, "expected a name like `eu-west-1`"));
        }
        Some(SecretSource::Aws(AwsSecret { id: id?, key: found, region }))
    }

    fn needed(&mut self, entries: &[(Key, Node)], node: &Node, name: &str, what: &str) -> Option<String> {
        if field(entries, name).is_none() {
            let start = self.first_character(node.span);
            let help = format!("add `{name}: ...`");
            self.check.missing(start, format!("{what} has no `{name}`"), "it is needed here", &help);
        }
        self.given(entries, name, what)
    }

    fn given(&mut self, entries: &[(Key, Node)], name: &str, what: &str) -> Option<String> {
        let node = field(entries, name)?;
        self.secret_text(node, &format!("`{name}` of {what}")).map(str::to_owned)
    }

    /// One line of text that is there and is no expression: where secrets come from is read, not computed.
    fn secret_text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = self.check.text(node, what)?;
        if !self.literal(node, what) {
            return None;
        }
        let wrong = match text {
            _ if text.trim().is_empty() => "is empty",
            _ if text.chars().any(char::is_control) => "has control characters or several lines",
            _ => return Some(text),
        };
        self.check
            .report(Problem::new(codes::SECRET, format!("{what} {wrong}")).at(node.span, "one line of text is needed"));
        None
    }
}

fn is_http_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty() && !rest.contains(['@', '?', '#', ' '])
    })
}

/// `mount/data/name`, with plain segments.
fn is_kv2_path(path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').collect();
    let data = segments.iter().position(|segment| *segment == "data");
    data.is_some_and(|at| at > 0 && at + 1 < segments.len())
        && !segments.iter().any(|segment| segment.is_empty() || [".", ".."].contains(segment))
}
