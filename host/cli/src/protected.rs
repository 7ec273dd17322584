//! Which files of the workspace no step changes unless it is granted by name.

use std::collections::BTreeSet;

use sluice_model::PluginRef;
use sluice_model::grant::normalise_path;
use sluice_plan::Plan;

use crate::discover;

/// What is protected in every workspace, and the files that this plan was made from: its workflows and plugins.
pub fn of(plan: Option<&Plan>) -> Vec<String> {
    let always = sluice_engine::PROTECTED.into_iter().chain(discover::WORKFLOW_PLACES).map(str::to_owned);
    let mut protected: BTreeSet<String> = always.collect();
    for job in plan.iter().flat_map(|plan| plan.all_jobs()) {
        protected.extend(normalise_path(job.source.name()));
        for step in job.all_steps() {
            protected.extend(normalise_path(step.source.name()));
            if let PluginRef::Path(path) = &step.uses {
                // One outside of the workspace is out of reach anyway.
                protected.extend(normalise_path(path));
            }
        }
    }
    protected.into_iter().collect()
}
