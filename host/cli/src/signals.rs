//! SIGINT and SIGTERM. None is lost between what waits for them.

use sluice_model::Problem;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit;

/// From when it is made on, these signals no longer end the process by themselves.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn new(runtime: &Runtime) -> Result<Self, Problem> {
        let _inside = runtime.enter();
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Problem::new("host::internal", "the system lets nobody listen to signals").cause(error.to_string())
            })
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Ready when one came, with the exit code that stands for it.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => exit::INTERRUPTED,
            _ = self.terminate.recv() => exit::TERMINATED,
        }
    }
}
