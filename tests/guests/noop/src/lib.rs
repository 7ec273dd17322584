//! A task that does nothing.

use sluice_sdk::{Failure, Sink, Step, Task};

struct Noop;

impl Task for Noop {
    fn run(_: &Step, _: &Sink) -> Result<(), Failure> {
        Ok(())
    }
}

sluice_sdk::plugin!(Noop: Task, "plugin.yaml");
