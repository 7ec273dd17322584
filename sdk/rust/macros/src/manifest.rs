//! The check of the manifest while the plugin is compiled, by the same code as the host's.

use std::path::Path;

use sluice_model::{Kind, Manifest, Problem, Source};
use syn::{Error, LitStr};

use crate::invocation::Invocation;

/// Checks the manifest that the invocation names.
///
/// # Errors
/// All problems of the manifest, or that its kinds are not those of the invocation; at the path of the manifest.
pub fn check(invocation: &Invocation) -> syn::Result<()> {
    let at = &invocation.manifest;
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| Error::new(at.span(), "the manifest can be found only in a build by cargo"))?;
    let name = at.value();
    let path = Path::new(&folder).join(&name);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Error::new(at.span(), format!("cannot read the manifest `{}`: {error}", path.display())))?;
    let exported: Vec<&str> = invocation.kinds.iter().map(|(_, kind)| *kind).collect();
    problems(&name, &text, &exported).map_err(|messages| all(at, &messages))
}

/// The messages of all problems, in source order.
fn problems(name: &str, text: &str, exported: &[&str]) -> Result<(), Vec<String>> {
    let source = Source::new(name, text);
    let manifest = Manifest::parse(&source)
        .map_err(|problems| problems.iter().map(|problem| in_words(&source, problem)).collect::<Vec<_>>())?;
    let stated: Vec<&str> = manifest.kinds.iter().copied().map(Kind::as_str).collect();
    let same = stated.len() == exported.len() && stated.iter().all(|kind| exported.contains(kind));
    if same {
        return Ok(());
    }
    Err(vec![format!(
        "{name}: the manifest says `kinds: [{}]`, and the plugin exports `{}`",
        stated.join(", "),
        exported.join("`, `")
    )])
}

/// `plugin.yaml:3:8: unknown kind ...`, then why at that place, and the help.
fn in_words(source: &Source, problem: &Problem) -> String {
    let mut text = source.name().to_owned();
    if let Some(label) = problem.labels.first() {
        let (line, column) = source.line_column(label.span.start);
        text += &format!(":{line}:{column}");
    }
    text += &format!(": {}", problem.message);
    for cause in &problem.causes {
        text += &format!("\n  because {cause}");
    }
    for label in &problem.labels {
        text += &format!("\n  {}", label.text);
    }
    if let Some(help) = &problem.help {
        text += &format!("\n  help: {help}");
    }
    text
}

fn all(at: &LitStr, messages: &[String]) -> Error {
    let mut errors = messages.iter().map(|message| Error::new(at.span(), message));
    let first = errors.next().unwrap_or_else(|| Error::new(at.span(), "the manifest is not valid"));
    errors.fold(first, |mut all, error| {
        all.combine(error);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name: a\nversion: 0.1.0\ndescription: Checks.\nkinds: [lint, scan]\n";

    #[test]
    fn the_kinds_are_compared_in_any_order() {
        assert_eq!(problems("plugin.yaml", GOOD, &["scan", "lint"]), Ok(()));
        let message = "plugin.yaml: the manifest says `kinds: [lint, scan]`, and the plugin exports `lint`";
        assert_eq!(problems("plugin.yaml", GOOD, &["lint"]), Err(vec![message.to_owned()]));
    }

    #[test]
    fn every_problem_is_told_with_place_and_help() {
        let text = "name: A b\nversion: 0.1.0\nkinds: [lent]\ndescription: Checks.\n";
        assert_eq!(
            problems("plugin.yaml", text, &["lint"]).unwrap_err(),
            [
                "plugin.yaml:1:7: `A b` is no name for a plugin\n  \
                 names have lowercase letters, digits and `-`, and begin with a letter\n  \
                 help: at most 64 bytes, for example `name: my-plugin`",
                "plugin.yaml:3:9: unknown kind `lent`\n  not a kind of plugin\n  \
                 help: a kind with a similar name exists: `lint`",
            ]
        );
    }
}
