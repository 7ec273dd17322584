//! Text -> [`Workflow`]. Pure: no file, clock or environment.

pub mod template;
pub mod workflow;

pub use template::Template;
pub use workflow::Workflow;
