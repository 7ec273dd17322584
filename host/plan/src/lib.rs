//! [`sluice_workflow::Workflow`] + manifests -> [`Plan`]. Pure: no file, clock or environment. Refuses what is not granted.

mod plan;

pub use plan::{Decided, Job, Plan, PluginInfo, Step};
