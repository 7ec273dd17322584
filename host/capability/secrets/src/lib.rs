//! Secrets that plugins use without seeing them: stand-ins that the host replaces on the way out, and the masking of
//! every text that a step says.

mod host;
mod mask;
mod placeholder;
mod values;

pub use host::{Secrets, SecretsView, add_to_linker};
pub use mask::{Mask, SHORTEST_VALUE};
pub use placeholder::Placeholders;
pub use values::SecretValues;
