//! What the workflow says under `with`.

use std::io;

use serde::Deserialize;
use sluice_sdk::Failure;
use sluice_sdk::artifacts::Reader;
use sluice_sdk::files::{Globs, relative};

use crate::content::{Content, Source};

/// The inputs, as the schema in `plugin.yaml` describes them.
#[derive(Debug, Clone, Deserialize)]
pub struct Inputs {
    pub to: String,
    pub artifact: Option<String>,
    pub from: Option<String>,
    pub files: Vec<String>,
    pub release: Option<String>,
    pub keep: usize,
}

impl Inputs {
    /// Checks what the schema cannot, all problems at once, and brings paths into their one spelling.
    pub fn checked(mut self) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        for (input, path) in [("to", Some(&mut self.to)), ("from", self.from.as_mut())] {
            let Some(path) = path else { continue };
            match relative(path) {
                Ok(normal) => *path = normal,
                Err(problem) => problems.push(format!("input `{input}`: {problem}")),
            }
        }
        if self.to.is_empty() {
            problems.push("input `to`: name a folder below the workspace, not the workspace itself".to_owned());
        }
        if let Some(from) = &self.from
            && (within(&self.to, from) || within(from, &self.to))
        {
            problems.push("inputs `from` and `to`: one folder lies in the other".to_owned());
        }
        if self.artifact.is_some() == self.from.is_some() {
            problems.push("give either `artifact` or `from`".to_owned());
        }
        if problems.is_empty() { Ok(self) } else { Err(Failure::invalid_input(problems.join("; "))) }
    }

    /// What is to be deployed. Fails when the artifact cannot be opened.
    pub fn content<'a>(&self, cancelled: impl Fn() -> bool + 'a) -> Result<Content<'a>, Failure> {
        let source = if let Some(digest) = self.artifact.clone() {
            let size = Reader::open(&digest)?.info().size;
            Source::Archive {
                size,
                open: Box::new(move || Ok(Box::new(Reader::open(&digest).map_err(io::Error::from)?))),
            }
        } else {
            let from = match self.from.as_deref() {
                None | Some("") => ".",
                Some(from) => from,
            };
            Source::Folder { root: from.into(), globs: Globs::new(&self.files, &[])? }
        };
        Ok(Content { source, cancelled: Box::new(cancelled) })
    }
}

/// Whether `inner` is `outer` or below it; both in the one spelling.
fn within(inner: &str, outer: &str) -> bool {
    outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_looks_at_whole_folders() {
        let cases = [("a", "a", true), ("a/b", "a", true), ("ab", "a", false), ("a", "a/b", false), ("a", "", true)];
        for (inner, outer, expected) in cases {
            assert_eq!(within(inner, outer), expected, "{inner} in {outer}");
        }
    }

    #[test]
    fn contradictions_are_told_all_at_once() {
        let cases = [
            (r#"{"to": "site", "from": "dist"}"#, ""),
            (r#"{"to": "site"}"#, "give either `artifact` or `from`"),
            (
                r#"{"to": "./", "from": "../x", "artifact": "sha256:0"}"#,
                "input `from`: `../x` leads out of its folder; \
                 input `to`: name a folder below the workspace, not the workspace itself; \
                 inputs `from` and `to`: one folder lies in the other; \
                 give either `artifact` or `from`",
            ),
            (r#"{"to": "dist/site", "from": "dist"}"#, "inputs `from` and `to`: one folder lies in the other"),
            (r#"{"to": "dist", "from": "./dist/a"}"#, "inputs `from` and `to`: one folder lies in the other"),
        ];
        for (json, expected) in cases {
            let mut inputs: serde_json::Value = serde_json::from_str(json).unwrap();
            inputs["files"] = serde_json::json!(["**/*"]);
            inputs["keep"] = serde_json::json!(5);
            let inputs: Inputs = serde_json::from_value(inputs).unwrap();
            let problem = inputs.checked().err().map(|failure| failure.message().to_owned()).unwrap_or_default();
            assert_eq!(problem, expected, "{json}");
        }
    }
}
