//! What the steps of recorded runs were granted, and what they used of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sluice_model::grant::Capability;
use sluice_model::{Event, EventKind, Grants, Outcome, StepId, Verdict, name};

use super::Place;

/// All steps of some runs of one workflow.
#[derive(Debug, Default)]
pub struct Usage {
    steps: BTreeMap<Place, Used>,
}

/// One step in all these runs.
#[derive(Debug, Default)]
pub struct Used {
    /// At most.
    pub granted: Grants,
    /// Capabilities whose grants are not the same in every run, such as the port of a service.
    pub open: BTreeSet<Capability>,
    /// The narrowest grants of what was allowed.
    pub narrowest: BTreeMap<Capability, BTreeSet<String>>,
    passed: u64,
    /// How it ended when it did not pass; that it was skipped says least.
    otherwise: Option<Outcome>,
    reused: bool,
    left_out: bool,
}

#[derive(Deserialize)]
struct Plan {
    #[serde(default)]
    jobs: BTreeMap<String, Job>,
    #[serde(default)]
    hooks: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
struct Job {
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Step {
    id: String,
    #[serde(default)]
    grants: Grants,
    #[serde(default)]
    at_services: Vec<String>,
}

impl Usage {
    /// Takes in the plan of a run, as it was recorded.
    ///
    /// # Errors
    /// That of reading JSON.
    pub fn plan(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        let plan: Plan = serde_json::from_slice(json)?;
        for (name, job) in plan.jobs.into_iter().chain(plan.hooks) {
            for step in job.steps.into_iter().chain(job.cells.into_iter().flat_map(|cell| cell.steps)) {
                let used = self.steps.entry((name.clone(), step.id)).or_default();
                step.grants.iter().for_each(|grant| used.granted.add(grant));
                let open = step.at_services.iter().filter_map(|grant| grant.split_once(':'));
                used.open.extend(open.filter_map(|(capability, _)| Capability::parse(capability)));
            }
        }
        Ok(())
    }

    pub fn on_event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Decision { id, ruling, .. } if ruling.verdict == Verdict::Allowed => {
                let used = self.step(id);
                // Without one, the decision needed no grant.
                if let Some(narrowest) = &ruling.narrowest {
                    used.narrowest.entry(ruling.capability).or_default().insert(narrowest.clone());
                }
            }
            EventKind::DecisionsCounted { id, left_out, .. } if *left_out > 0 => self.step(id).left_out = true,
            EventKind::StepReused { id, .. } => self.step(id).reused = true,
            EventKind::StepFinished { id, outcome: Outcome::Passed, .. } => self.step(id).passed += 1,
            EventKind::StepFinished { id, outcome, .. } => {
                let otherwise = &mut self.step(id).otherwise;
                if otherwise.is_none_or(|known| known == Outcome::Skipped) {
                    *otherwise = Some(*outcome);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, id: &StepId) -> &mut Used {
        let place = (name::job_of(&id.job).to_owned(), name::step_of(&id.step).to_owned());
        self.steps.entry(place).or_default()
    }

    pub fn of(&self, place: &Place) -> Option<&Used> {
        self.steps.get(place)
    }

    /// Jobs inside called workflows.
    pub fn called(&self) -> impl Iterator<Item = &str> {
        self.steps.keys().map(|(job, _)| job.as_str()).filter(|job| job.contains('.'))
    }
}

impl Used {
    /// Why nothing can be learnt from it.
    pub fn teaches_nothing(&self) -> Option<&'static str> {
        if self.left_out {
            return Some("it did so many different things that not all are on record");
        }
        if self.passed > 0 {
            return None;
        }
        Some(match self.otherwise {
            _ if self.reused => "it was done in an earlier run; learn from that one",
            Some(Outcome::Skipped) => "it was skipped",
            Some(_) => "it did not pass",
            None => "it did not run",
        })
    }
}
