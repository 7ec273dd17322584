//! Steps into which the value of a secret is handed: what must be said for that, and what people should know of it.

use sluice_model::grant::Capability;
use sluice_model::suggest::list;
use sluice_model::{Grants, Problem};

use crate::codes;
use crate::plan::Step;

/// What a plugin wants to see and the step does not grant in so many words: a declaration alone reveals nothing.
pub fn unconfirmed(step: &Step, declared: &Grants) -> Vec<Problem> {
    if step.narrows.contains(&Capability::Secrets) {
        return Vec::new();
    }
    let declarations = || step.manifest.iter().flat_map(|manifest| &manifest.capabilities);
    let reason = declarations()
        .find(|declaration| {
            declaration.capability == Capability::Secrets
                && declaration.grants.iter().any(|spelling| asks_to_see(spelling))
        })
        .map_or_else(|| "it asks for the value".to_owned(), |declaration| declaration.reason.clone());
    let plugin = step.plugin.name();
    let problem = |name: &str| {
        Problem::new(
            codes::REVEAL,
            format!(
                "plugin `{plugin}` wants to see the value of the secret `{name}`, which step `{}` does not grant",
                step.id
            ),
        )
        .at(step.uses_span, format!("its reason: {reason}"))
        .help(format!(
            "if the plugin should get the value, say so in the step:\n    grants:\n      secrets: [\"{name} reveal\"]\n\
             if it can do without, `secrets: [\"{name}\"]` lets it use the secret unseen"
        ))
    };
    declared.secrets.iter().filter(|grant| grant.reveals()).map(|grant| problem(&grant.name)).collect()
}

/// Whether a spelling in a manifest, which may depend on inputs, asks for the value. What an input says does not count.
pub fn asks_to_see(spelling: &str) -> bool {
    spelling.trim_end().strip_suffix("reveal").is_some_and(|front| front.ends_with([' ', '\t']))
}

/// The secrets whose values the step's plugin, or programs that it runs, can get.
fn seen(step: &Step) -> Vec<&str> {
    let programs = !step.at_most.exec.is_empty();
    let seen = step.at_most.secrets.iter().filter(|grant| grant.reveals() || programs);
    let mut names: Vec<&str> = seen.map(|grant| grant.name.as_str()).collect();
    names.dedup();
    names
}

/// That programs can be given secrets.
pub fn notes(step: &Step) -> Vec<String> {
    let programs = step.at_most.exec.iter().map(ToString::to_string).collect::<Vec<_>>();
    if programs.is_empty() || step.at_most.secrets.is_empty() {
        return Vec::new();
    }
    let programs = list(programs.iter().map(String::as_str));
    vec![format!("the value of {} can be given to {programs}, as a variable", list(seen(step)))]
}

/// Adds to steps of one job that they read outputs of a step which gets the value of a secret.
pub fn mark_readers(steps: &mut [Step]) {
    for later in 1..steps.len() {
        let (earlier, rest) = steps.split_at_mut(later);
        let Some(step) = rest.first_mut().filter(|step| !step.excluded) else { continue };
        let notes: Vec<String> = earlier
            .iter()
            .filter(|source| !source.excluded && !seen(source).is_empty() && reads(step, &source.id))
            .map(|source| format!("reads outputs of `{}`, which can see {}", source.id, list(seen(source))))
            .collect();
        step.notes.extend(notes);
    }
}

fn reads(step: &Step, source: &str) -> bool {
    let env = step.env.values().flat_map(|template| template.expressions());
    let expressions = step.with.expressions().into_iter().chain(env);
    let condition = step.condition.iter().map(|condition| &condition.expression);
    expressions
        .chain(condition)
        .flat_map(|expression| &expression.references)
        .any(|reference| matches!(reference.path.as_slice(), [root, id, ..] if root == "steps" && id == source))
}
