//! Bytes that are handed from step to step, addressed by their SHA-256 digest.

mod host;
mod store;

pub use host::{Artifacts, ArtifactsView, add_to_linker};
pub use store::{Info, Published, Reader, Store, Watch, Writer};
