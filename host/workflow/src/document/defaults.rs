//! `defaults`: what steps get that do not say otherwise.

use sluice_model::yaml::{Key, Node, field};

use super::{Document, key};
use crate::fields::DEFAULTS;
use crate::workflow::Retry;

/// Defaults at one place of the document; inner ones replace outer ones.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    pub shell: Option<(Key, Node)>,
    pub directory: Option<(Key, Node)>,
    pub toolchain: Option<(Key, Node)>,
    pub network: Option<(Key, Node)>,
    pub paths: Option<(Key, Node)>,
    pub timeout_ms: Option<u64>,
    pub retry: Option<Retry>,
}

impl Document<'_> {
    /// The defaults inside something that has these entries.
    pub(super) fn defaults(&mut self, entries: &[(Key, Node)], place: &str) -> Defaults {
        let mut defaults = self.defaults.clone();
        let Some(node) = field(entries, "defaults") else { return defaults };
        let what = |name: &str| format!("`{name}` of the defaults of {place}");
        let Some(entries) = self.fields(node, &format!("`defaults` of {place}"), &DEFAULTS) else { return defaults };
        for (name, slot) in [("shell", &mut defaults.shell), ("working-directory", &mut defaults.directory)] {
            if let Some(own) = key(entries, name)
                && self.check.text(&own.1, &what(name)).is_some()
            {
                *slot = Some(own.clone());
            }
        }
        for (name, slot) in
            [("toolchain", &mut defaults.toolchain), ("network", &mut defaults.network), ("paths", &mut defaults.paths)]
        {
            if let Some(own) = key(entries, name) {
                self.check.texts(&own.1, &what(name));
                *slot = Some(own.clone());
            }
        }
        if let Some(node) = field(entries, "timeout") {
            defaults.timeout_ms = self.duration(node, &what("timeout")).or(defaults.timeout_ms);
        }
        if let Some(node) = field(entries, "retry") {
            defaults.retry = self.retry(node, &what("retry")).or(defaults.retry);
        }
        defaults
    }
}
