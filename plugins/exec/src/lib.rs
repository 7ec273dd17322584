//! Runs a program or a shell script on the machine that runs the workflow.

use sluice_sdk::{Failure, Sink, Step, Task};

struct Plugin;

impl Task for Plugin {
    fn run(step: &Step, sink: &Sink) -> Result<(), Failure> {
        sink.output("files", step.files(&["*"])?)?;
        Ok(())
    }
}

sluice_sdk::plugin!(Plugin: Task, "plugin.yaml");
