//! `requires`.

use sluice_model::yaml::{Node, NodeValue};
use sluice_model::{Problem, suggest};

use super::Document;
use crate::fields::{REQUIRES, SYSTEMS, USERS};
use crate::requires::{Command, Disk, Requires, User};
use crate::version::Requirement;
use crate::workflow::Spanned;
use crate::{codes, quantity};

impl Document<'_> {
    pub(super) fn requires(&mut self, node: &Node) -> Requires {
        let mut requires = Requires::default();
        for (key, node) in self.fields(node, "`requires`", &REQUIRES).unwrap_or_default() {
            let what = format!("`{}` of `requires`", key.name);
            let span = node.span;
            match key.name.as_str() {
                "commands" => requires.commands = self.commands(node, &what),
                "disk" => requires.disk = self.disk(node, &what).map(|value| Spanned { value, span }),
                "user" => {
                    let user = self.choice(node, &what, &USERS);
                    let user = user.map(|text| if text == User::Root.as_str() { User::Root } else { User::NonRoot });
                    requires.user = user.map(|value| Spanned { value, span });
                }
                "os" => requires.os = self.systems(node, &what).map(|value| Spanned { value, span }),
                "sluice" => {
                    requires.sluice = self.versions(node, &what).map(|value| Spanned { value, span });
                }
                _ => {}
            }
        }
        requires
    }

    fn commands(&mut self, node: &Node, what: &str) -> Vec<Command> {
        let mut commands = Vec::new();
        for (key, node) in self.check.mapping(node, what).unwrap_or_default() {
            let name = &key.name;
            let valid = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
            if !valid {
                self.check.report(
                    Problem::new(codes::NAME, format!("`{}` is no name of a program", name.escape_debug()))
                        .at(key.span, "a name that is looked up on the search path, without folders"),
                );
            }
            let versions = self.versions(node, &format!("`{name}` in {what}"));
            if let (true, Some(versions)) = (valid, versions) {
                commands.push(Command { name: name.clone(), versions, span: node.span });
            }
        }
        commands
    }

    /// A number is read as it was written: `1.10` is not `1.1`.
    fn versions(&mut self, node: &Node, what: &str) -> Option<Requirement> {
        if !self.literal(node, what) {
            return None;
        }
        let text = match &node.value {
            NodeValue::Int(_) | NodeValue::Float(_) => self.source.text().get(node.span.start..node.span.end)?,
            _ => self.check.text(node, what)?,
        };
        let reason = match Requirement::parse(text) {
            Ok(requirement) => return Some(requirement),
            Err(reason) => reason,
        };
        self.check.report(
            Problem::new(codes::REQUIREMENT, format!("{what} is no requirement: `{text}`"))
                .at(node.span, reason)
                .help("for example \">=1.29, <2\", \"^20\", \"~1.4\", or \"*\" for any version"),
        );
        None
    }

    fn disk(&mut self, node: &Node, what: &str) -> Option<Disk> {
        if !self.literal(node, what) {
            return None;
        }
        let text = self.written(node, what, "a size")?;
        match quantity::disk_bytes(text) {
            Ok(bytes) => Some(Disk { text: text.to_owned(), bytes }),
            Err(reason) => {
                self.check.report(
                    Problem::new(codes::SIZE, format!("`{text}` is no size for {what}"))
                        .at(node.span, reason)
                        .help("for example `2GiB`"),
                );
                None
            }
        }
    }

    fn systems(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let before = self.check.problems.len();
        let texts = self.check.texts(node, what);
        for (text, span) in texts.iter().filter(|(text, _)| !SYSTEMS.contains(text)) {
            let help = match suggest::closest(text, SYSTEMS) {
                Some(close) => format!("a similar value is possible: `{close}`"),
                None => format!("possible: {}", suggest::list(SYSTEMS)),
            };
            self.check.report(
                Problem::new(codes::CHOICE, format!("{what} cannot be `{text}`"))
                    .at(*span, "not a possible value")
                    .help(help),
            );
        }
        if texts.is_empty() && self.check.problems.len() == before {
            self.check.report(
                Problem::new(codes::EMPTY_LIST, format!("{what} is empty")).at(node.span, "no system would do"),
            );
        }
        (self.check.problems.len() == before).then(|| texts.into_iter().map(|(text, _)| text.to_owned()).collect())
    }
}
