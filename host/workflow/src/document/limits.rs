//! `grants` and `limits`.

use indexmap::IndexMap;
use sluice_model::grant::{Capability, Grant, exec_spellings};
use sluice_model::yaml::{Node, NodeValue};
use sluice_model::{Problem, suggest};

use super::Document;
use crate::codes;
use crate::fields::LIMITS;
use crate::workflow::{LimitOverrides, Spanned};

impl Document<'_> {
    pub(super) fn grants(&mut self, node: &Node, what: &str) -> IndexMap<Capability, Vec<Spanned<String>>> {
        let mut grants = IndexMap::new();
        for (key, node) in self.check.mapping(node, what).unwrap_or_default() {
            let Some(capability) = Capability::parse(&key.name) else {
                let known = Capability::ALL.map(Capability::as_str);
                let help = match suggest::closest(&key.name, known) {
                    Some(name) => format!("a capability with a similar name exists: `{name}`"),
                    None => format!("capabilities: {}", suggest::list(known)),
                };
                self.check.report(
                    Problem::new(codes::CAPABILITY, format!("unknown capability `{}` in {what}", key.name))
                        .at(key.span, "not a capability")
                        .help(help),
                );
                continue;
            };
            let spellings = match node.value {
                // `http:` with nothing behind it grants nothing, like an empty list.
                NodeValue::Null => Vec::new(),
                _ if capability == Capability::Exec => {
                    exec_spellings(node, &format!("`{capability}` in {what}"), &mut self.check)
                }
                _ => {
                    let texts = self.check.texts(node, &format!("`{capability}` in {what}"));
                    texts.into_iter().map(|(text, span)| (text.to_owned(), span)).collect()
                }
            };
            for (spelling, span) in &spellings {
                if let Err(expected) = Grant::parse(capability, spelling) {
                    let reason = if spelling.contains("${{") {
                        "expressions are not possible in grants".to_owned()
                    } else {
                        expected
                    };
                    self.check.report(
                        Problem::new(codes::GRANT, format!("`{spelling}` is no grant of `{capability}`"))
                            .at(*span, reason),
                    );
                }
            }
            let spellings = spellings.into_iter().map(|(value, span)| Spanned { value, span }).collect();
            grants.insert(capability, spellings);
        }
        grants
    }

    pub(super) fn limits(&mut self, node: &Node, what: &str) -> LimitOverrides {
        let mut limits = LimitOverrides::default();
        for (key, node) in self.fields(node, what, &LIMITS).unwrap_or_default() {
            let what = format!("`{}` in {what}", key.name);
            match key.name.as_str() {
                "memory" => limits.memory_bytes = self.size(node, &what),
                "disk" => limits.disk_bytes = self.size(node, &what),
                "output" => limits.output_bytes = self.size(node, &what),
                "table-elements" => limits.table_elements = self.count(node, &what),
                "handles" => {
                    let handles = self.count(node, &what);
                    limits.handles = handles.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
                }
                _ => {}
            }
        }
        limits
    }
}
