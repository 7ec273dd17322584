//! Secrets that plugins use without seeing them: stand-ins that the host replaces on the way out, and the masking of
//! every text that a step says. And those few that are shown: what a step that saw one leaves behind is looked through.

mod host;
mod mask;
mod placeholder;
mod taint;
mod values;

pub use host::{Secrets, SecretsView, add_to_linker};
pub use mask::{Mask, SHORTEST_VALUE};
pub use placeholder::Placeholders;
pub use taint::{Leak, Taint, Watch};
pub use values::SecretValues;
