//! Steps of plugins from outside run in a process of their own.
//!
//! The sandbox of WebAssembly is one wall, and walls have had holes. So a plugin that is no part of Sluice runs in a worker:
//! this program again, which restricts itself to what the step may touch before it looks at the plugin, and knows no
//! secret, no variable and no file that the step was not granted. What it says is taken for what a stranger says: it is
//! counted, cleaned and masked here again.
//!
//! A worker that ended its step well waits for the next step of the same plugin with the same grants.

mod pool;
mod restrict;
mod serve;
mod wire;

use std::path::PathBuf;

pub use pool::Workers;
pub use serve::serve;
pub use wire::Start;

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    pub program: PathBuf,
    /// Make the program call [`serve`] and do nothing else.
    pub arguments: Vec<String>,
}
