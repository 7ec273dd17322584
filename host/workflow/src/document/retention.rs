//! `retention`.

use sluice_model::yaml::Node;

use super::Document;
use crate::fields::RETENTION;
use crate::workflow::Retention;

impl Document<'_> {
    pub(super) fn retention(&mut self, node: &Node) -> Retention {
        let mut retention = Retention::default();
        for (key, node) in self.fields(node, "`retention`", &RETENTION).unwrap_or_default() {
            let what = format!("`{}` in `retention`", key.name);
            match key.name.as_str() {
                "runs" => retention.runs = self.count(node, &what),
                "days" => retention.days = self.count(node, &what),
                _ => {}
            }
        }
        retention
    }
}
