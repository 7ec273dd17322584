//! [`sluice_workflow::Workflow`] + manifests -> [`Plan`]. Pure: no file, clock or environment. Refuses what is not granted.

mod canonical;
mod codes;
mod decide;
pub mod for_each;
mod grants;
mod inputs;
mod plan;
mod planner;
mod plugin;
pub mod requires;
mod scope;

pub use codes::CODES;
pub use decide::decide;
pub use plan::{Cell, Decided, ForEach, Job, Plan, PluginInfo, Step};
pub use planner::{Facts, Plugins, plan};
pub use plugin::Plugin;
pub use scope::Scope;

#[cfg(test)]
mod tests;
