//! The plugin `scan`: looks for secrets in the files of the workspace.
//!
//! One pass over each file finds the keywords of all rules; a pattern runs only on a short window around a keyword. What
//! is found must look random, must not be a known example, and must pass the check of its format where there is one.

mod allow;
mod assignment;
mod base64;
mod detect;
mod entropy;
mod file;
mod place;
mod placeholder;
mod plugin;
mod rule;
mod rules;

pub use detect::Scanner;
pub use rule::{Find, Rule, Verdict};

/// All rules of this plugin, in the order in which they win.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    rules::all()
}
