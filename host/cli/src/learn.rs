//! What steps used in recorded runs, and the narrower `grants` that follow from it.

mod usage;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;
use sluice_model::audit::tells_use;
use sluice_model::grant::Capability;
use sluice_model::grant::narrow::narrowed;
use sluice_model::{Grants, Source};
use sluice_workflow::Workflow;
use sluice_workflow::amend::{self, Amendment};
use sluice_workflow::workflow::Step;

pub use usage::Usage;
use usage::Used;

/// Job and id of a step in the workflow; cells and items count together.
pub type Place = (String, String);

/// Narrower grants of one capability for one step.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Proposal {
    pub job: String,
    pub step: String,
    pub capability: Capability,
    pub granted: Vec<String>,
    pub proposed: Vec<String>,
    /// Whether the step's own `grants` name the capability; otherwise the plugin declares it.
    pub named: bool,
}

/// What a workflow's runs taught.
#[derive(Debug, Default)]
pub struct Lesson {
    pub proposals: Vec<Proposal>,
    /// Why there is no proposal for a step, for people.
    pub notes: Vec<String>,
    pub patch: String,
}

/// Proposes for every step of the workflow, which is what ran.
pub fn learn(source: &Source, workflow: &Workflow, usage: &Usage) -> Lesson {
    let mut lesson = Lesson::default();
    let mut amendments = Vec::new();
    let jobs = workflow.jobs.values().map(|job| (job.name.value.as_str(), &job.steps));
    let hooks = workflow.hooks.iter().map(|(hook, steps)| (hook.name(), steps));
    let mut places = BTreeMap::new();
    for (job, steps) in jobs.chain(hooks) {
        for step in steps {
            let grants = lesson.step(job, step, usage);
            if !grants.is_empty() {
                places.insert((step.span.start, step.span.end), format!("{job}/{}", step.id));
                amendments.push(Amendment { step: step.span, grants });
            }
        }
    }
    lesson.called(usage);
    let (edits, elsewhere) = amend::amend(source, &amendments);
    for span in elsewhere {
        if let Some(place) = places.get(&(span.start, span.end)) {
            lesson.notes.push(format!("`{place}`: its grants are shared by an anchor or alias; change them by hand"));
        }
    }
    lesson.patch = amend::unified(source.name(), source.text(), &edits);
    lesson
}

impl Lesson {
    fn step(&mut self, job: &str, step: &Step, usage: &Usage) -> IndexMap<Capability, Vec<String>> {
        let mut changed = IndexMap::new();
        let place = (job.to_owned(), step.id.clone());
        let Some(used) = usage.of(&place) else { return changed };
        // A step whose condition is known not to hold is granted nothing, whatever it names.
        if told(used).next().is_none() && step.grants.values().all(Vec::is_empty) {
            return changed;
        }
        if let Some(why) = used.teaches_nothing() {
            self.notes.push(format!("`{job}/{}`: {why}", step.id));
            return changed;
        }
        for capability in told(used) {
            let named = step.grants.contains_key(&capability);
            let narrow = match self.narrow(&place, capability, used) {
                Some(narrow) => narrow.spellings(capability),
                None => continue,
            };
            if !named && !step.with.expressions().is_empty() && !narrow.is_empty() {
                self.notes.push(format!(
                    "`{job}/{}`: its `{capability}` follows from inputs that other runs may give otherwise",
                    step.id
                ));
                continue;
            }
            let granted = used.granted.spellings(capability);
            let (job, step) = place.clone();
            self.proposals.push(Proposal { job, step, capability, granted, proposed: narrow.clone(), named });
            changed.insert(capability, narrow);
        }
        changed
    }

    fn narrow(&mut self, (job, step): &Place, capability: Capability, used: &Used) -> Option<Grants> {
        if used.open.contains(&capability) {
            return None;
        }
        let narrowest = used.narrowest.get(&capability).into_iter().flatten().map(String::as_str);
        match narrowed(capability, &used.granted, narrowest) {
            Ok(narrow) => narrow,
            Err(why) => {
                self.notes
                    .push(format!("`{job}/{step}`: the record does not tell enough of its `{capability}`: {why}"));
                None
            }
        }
    }

    /// Steps of called workflows stand in files of their own.
    fn called(&mut self, usage: &Usage) {
        let mut jobs: Vec<&str> = usage.called().collect();
        jobs.dedup();
        for job in jobs {
            self.notes.push(format!("`{job}` is called from another file; run that file to learn about its steps"));
        }
    }
}

/// The capabilities that are granted and whose use is on record.
fn told(used: &Used) -> impl Iterator<Item = Capability> + '_ {
    let ran_programs = used.narrowest.contains_key(&Capability::Exec);
    Capability::ALL
        .into_iter()
        .filter(move |capability| used.granted.has(*capability) && tells_use(*capability, ran_programs))
}
