//! Which rules run, and how much they matter.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::rule::{Rule, Severity};

/// What a workflow says about rules. Rules are named by id, alias or group (`yaml/*`).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Config {
    /// If not empty, nothing else runs.
    pub only: Vec<String>,
    /// Rules that are off unless asked for.
    pub enable: Vec<String>,
    /// Wins over `enable` and `only`.
    pub disable: Vec<String>,
    pub severity: BTreeMap<String, Level>,
    /// In characters, for `yaml/line-length`.
    pub line_length: usize,
}

/// A severity as a workflow writes it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Info,
    Warning,
    Error,
}

impl Default for Config {
    fn default() -> Self {
        Self { only: Vec::new(), enable: Vec::new(), disable: Vec::new(), severity: BTreeMap::new(), line_length: 120 }
    }
}

impl Config {
    /// Whether a rule runs.
    pub fn is_on(&self, rule: &Rule) -> bool {
        let named = |names: &[String]| names.iter().any(|name| rule.is_called(name));
        let chosen = if self.only.is_empty() { rule.on || named(&self.enable) } else { named(&self.only) };
        chosen && !named(&self.disable)
    }

    /// How much a finding of a rule matters. A rule's own name wins over its group.
    pub fn severity(&self, rule: &Rule) -> Severity {
        let mut levels: Vec<_> = self.severity.iter().filter(|(name, _)| rule.is_called(name)).collect();
        levels.sort_by_key(|(name, _)| name.ends_with("/*"));
        match levels.first() {
            Some((_, Level::Info)) => Severity::Info,
            Some((_, Level::Warning)) => Severity::Warning,
            Some((_, Level::Error)) => Severity::Error,
            None => rule.severity,
        }
    }

    /// Says which names mean no rule.
    pub fn validate(&self) -> Result<(), String> {
        let lists = [("only", &self.only), ("enable", &self.enable), ("disable", &self.disable)];
        let names = lists.iter().flat_map(|(input, names)| names.iter().map(move |name| (*input, name)));
        let names = names.chain(self.severity.keys().map(|name| ("severity", name)));
        let unknown: Vec<_> = names
            .filter(|(_, name)| !crate::rules().any(|rule| rule.is_called(name)))
            .map(|(input, name)| match crate::nearest(name, known()) {
                Some(near) => format!("`{name}` in `{input}` is no rule; a rule with a similar name exists: `{near}`"),
                None => format!("`{name}` in `{input}` is no rule"),
            })
            .collect();
        if unknown.is_empty() { Ok(()) } else { Err(unknown.join("; ")) }
    }
}

fn known() -> impl Iterator<Item = &'static str> {
    crate::rules().map(|rule| rule.id).chain(crate::rules().filter_map(|rule| rule.alias))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).expect("a configuration")
    }

    fn on(config: &Config) -> Vec<&'static str> {
        crate::rules().filter(|rule| config.is_on(rule)).map(|rule| rule.id).collect()
    }

    #[test]
    fn rules_are_chosen_by_any_name() {
        assert_eq!(on(&config(r#"{"only": ["DL3006", "truthy"]}"#)), ["yaml/truthy", "dockerfile/pin-base-image"]);
        assert_eq!(on(&config(r#"{"only": ["text/*"], "disable": ["text/encoding"]}"#)).len(), 2);
        let all = on(&Config::default());
        assert_eq!(on(&config(r#"{"enable": ["line-length"]}"#)).len(), all.len() + 1);
        assert!(!on(&config(r#"{"disable": ["yaml/*"]}"#)).iter().any(|id| id.starts_with("yaml/")));
    }

    #[test]
    fn severities_follow_the_nearest_name() {
        let config = config(r#"{"severity": {"dockerfile/*": "info", "DL3006": "error"}}"#);
        let of = |id| crate::rules().find(|rule| rule.id == id).map(|rule| config.severity(rule));
        assert_eq!(of("dockerfile/pin-base-image"), Some(Severity::Error));
        assert_eq!(of("dockerfile/sudo"), Some(Severity::Info));
        assert_eq!(of("yaml/syntax"), Some(Severity::Error));
    }

    #[test]
    fn unknown_names_are_all_told() {
        let told = config(r#"{"disable": ["DL30066", "yaml/truthy"], "only": ["nonsense"]}"#).validate();
        let expected = "`nonsense` in `only` is no rule; \
                        `DL30066` in `disable` is no rule; a rule with a similar name exists: `DL3006`";
        assert_eq!(told, Err(expected.to_owned()));
    }
}
