//! Lints nothing and runs one program.

use sluice_sdk::exec::Command;
use sluice_sdk::{Failure, Lint, Sink, Step, Task};

struct Plugin;

impl Lint for Plugin {
    fn lint(_: &Step, _: &Sink) -> Result<(), Failure> {
        Ok(())
    }
}

impl Task for Plugin {
    fn run(_: &Step, _: &Sink) -> Result<(), Failure> {
        Command::new("true").run()?;
        Ok(())
    }
}

sluice_sdk::plugin!(Plugin: Lint + Task, "plugin.yaml");
