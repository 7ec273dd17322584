//! What steps used of the authority that their `grants` name.

use std::collections::{BTreeMap, BTreeSet};

use sluice_model::audit::tells_use;
use sluice_model::grant::Capability;
use sluice_model::{Ruling, Verdict};
use sluice_plan::{Plan, Step};

use crate::scheduler::StepIndex;

/// Job and step in the plan: cells and items of a step count together.
type Planned = (usize, usize);

/// What the steps of a run used.
#[derive(Debug, Default)]
pub struct Authority {
    used: BTreeMap<Planned, BTreeSet<Capability>>,
    /// Those that ran to a good end: one that failed may not have come to what it needs.
    passed: BTreeSet<Planned>,
}

impl Authority {
    pub fn heard(&mut self, index: StepIndex, ruling: &Ruling) {
        if ruling.verdict == Verdict::Allowed {
            self.used.entry(planned(index)).or_default().insert(ruling.capability);
        }
    }

    pub fn passed(&mut self, index: StepIndex) {
        self.passed.insert(planned(index));
    }

    /// One line about the steps that used nothing of a capability that their `grants` name; `None` if there is none.
    pub fn unused(&self, plan: &Plan) -> Option<String> {
        let unused: Vec<String> = self
            .passed
            .iter()
            .filter_map(|place @ (job, at)| {
                let job = plan.job(*job)?;
                let step = job.steps(0).get(*at)?;
                let used = self.used.get(place);
                let ran_programs = used.is_some_and(|used| used.contains(&Capability::Exec));
                let idle = named(step, ran_programs)
                    .into_iter()
                    .filter(|capability| used.is_none_or(|used| !used.contains(capability)));
                let list: Vec<&str> = idle.map(Capability::as_str).collect();
                (!list.is_empty()).then(|| format!("`{}/{}` ({})", job.name, step.id, list.join(", ")))
            })
            .collect();
        let (first, rest) = unused.split_first()?;
        let more = if rest.is_empty() { String::new() } else { format!(", {}", rest.join(", ")) };
        Some(format!("used nothing of what their `grants` name: {first}{more}; see `sluice grants learn`"))
    }
}

fn planned(index: StepIndex) -> Planned {
    (index.cell.job, index.step)
}

/// The capabilities that the step's `grants` allow something of, as far as their use is told.
fn named(step: &Step, ran_programs: bool) -> Vec<Capability> {
    let told = Capability::ALL.into_iter().filter(|capability| tells_use(*capability, ran_programs));
    told.filter(|capability| step.narrowed.has(*capability) && step.at_most.has(*capability)).collect()
}
