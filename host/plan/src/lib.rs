//! [`sluice_workflow::Workflow`] + manifests -> [`Plan`]. Pure: no file, clock or environment. Refuses what is not granted.

mod approval;
mod call;
mod canonical;
mod codes;
mod decide;
mod difference;
pub mod for_each;
mod grants;
mod inputs;
pub mod locked;
mod plan;
mod planner;
mod plugin;
pub mod policy;
pub mod requires;
mod scope;
mod seen;
mod select;

pub use call::{Call, SEPARATOR};
pub use codes::{CODES, LOCK_UNUSED, MORE_AUTHORITY, NOT_LOCKED};
pub use decide::decide;
pub use difference::{Difference, differences};
pub use plan::{Background, Cell, Concurrency, Decided, ForEach, Job, Plan, PluginInfo, Ready, Step, When};
pub use planner::{Facts, Plugins, plan};
pub use plugin::Plugin;
pub use policy::{Policies, SharedPolicies};
pub use scope::Scope;
pub use select::{Selection, select};

#[cfg(test)]
mod tests;
