//! Deploys to a folder:
//!
//! ```text
//! TO/releases/4f0c7d2b91aa/...
//! TO/releases/9be1f3c04d52/...
//! TO/current -> releases/9be1f3c04d52
//! ```
//!
//! A release is staged beside the others, renamed into place when it is whole, and then `current` is replaced by a
//! rename: whoever reads through `current` sees all of one release or all of the other, also when the run is killed. A
//! release never changes once it exists, so going back is one rename as well. WASI cannot force files to the disk, so
//! after a power cut a release may miss what the system had not written yet.

mod apply;
mod content;
mod inputs;
mod link;
mod plan;
mod rollback;
mod target;
#[cfg(test)]
mod tests;
mod tree;

use sluice_sdk::{Deploy, Deployment, Failure, Level, Sink, Step};

use apply::Receipt;
use inputs::Inputs;
use plan::Plan;
use target::Target;

struct Plugin;

impl Deploy for Plugin {
    fn plan(step: &Step, _sink: &Sink) -> Result<Deployment, Failure> {
        let inputs = step.inputs::<Inputs>()?.checked()?;
        let content = inputs.content(|| step.cancelled())?;
        let plan = Plan::make(&Target::new(&inputs.to), &content, inputs.release.as_deref(), inputs.keep)?;
        Ok(Deployment { changes: plan.changes(), plan: plan.to_bytes() })
    }

    fn apply(step: &Step, sink: &Sink, plan: &[u8]) -> Result<Vec<u8>, Failure> {
        let inputs = step.inputs::<Inputs>()?.checked()?;
        let content = inputs.content(|| step.cancelled())?;
        let plan = Plan::from_bytes(plan, &inputs.to)?;
        let applied = apply::apply(&Target::new(&inputs.to), &content, &plan, &step.idempotency_key())?;
        for warning in &applied.warnings {
            sink.log(Level::Warn, warning);
        }
        let receipt = applied.receipt;
        sink.output("release", &receipt.release)?;
        if let Some(previous) = &receipt.previous {
            sink.output("previous", previous)?;
        }
        sink.output("changed", receipt.changed)?;
        Ok(receipt.to_bytes())
    }

    fn rollback(step: &Step, sink: &Sink, receipt: &[u8]) -> Result<(), Failure> {
        let inputs = step.inputs::<Inputs>()?.checked()?;
        let receipt = Receipt::from_bytes(receipt, &inputs.to)?;
        let done = rollback::rollback(&Target::new(&inputs.to), &receipt, &step.idempotency_key())?;
        sink.log(Level::Info, done);
        Ok(())
    }
}

sluice_sdk::plugin!(Plugin: Deploy, "plugin.yaml");
