//! One trait a kind. [`plugin!`](crate::plugin) exports the kinds that it is told.

use crate::bindings::imports::sluice::plugin::types as wit;
use crate::bindings::{build, deploy, lint, notify, scan, task};
use crate::{Deployment, Failure, Sink, Step};

/// Checks files and reports findings. The host decides by `fail-on` whether findings fail the step.
pub trait Lint: 'static {
    /// Check what the inputs name, or all of the workspace. A file that cannot be parsed is a finding, not a failure.
    fn lint(step: &Step, sink: &Sink) -> Result<(), Failure>;
}

/// Looks for what should not be there. Never reports a secret itself.
pub trait Scan: 'static {
    /// Scan what the inputs name, or all of the workspace. A file that cannot be read as text is skipped.
    fn scan(step: &Step, sink: &Sink) -> Result<(), Failure>;
}

/// Makes artifacts.
pub trait Build: 'static {
    /// Build and publish through [`artifacts`](crate::artifacts); tell digests as outputs. The same inputs give the
    /// same digests on any machine.
    fn build(step: &Step, sink: &Sink) -> Result<(), Failure>;
}

/// Changes something outside in a way that can be previewed and undone.
pub trait Deploy: 'static {
    /// Find out what would change. Changes nothing.
    fn plan(step: &Step, sink: &Sink) -> Result<Deployment, Failure>;

    /// Do exactly what the plan says, or fail when the world is no longer as the plan found it. Returns a receipt: all
    /// that `rollback` needs. When it fails, the target is as it was before.
    fn apply(step: &Step, sink: &Sink, plan: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Undo what the receipt stands for. Rolling back twice is not an error.
    fn rollback(step: &Step, sink: &Sink, receipt: &[u8]) -> Result<(), Failure>;
}

/// Tells somebody.
pub trait Notify: 'static {
    /// Deliver one message. `transient` when the other side was busy beyond the plugin's own patience.
    fn notify(step: &Step, sink: &Sink) -> Result<(), Failure>;
}

/// Everything else: does work and sets outputs.
pub trait Task: 'static {
    /// Run the task.
    fn run(step: &Step, sink: &Sink) -> Result<(), Failure>;
}

macro_rules! simple {
    ($trait:ident, $module:ident, $function:ident) => {
        impl<T: $trait> $module::exports::sluice::plugin::$module::Guest for T {
            fn $function(step: &wit::Step, sink: &wit::Sink) -> Result<(), wit::Failure> {
                Ok(<T as $trait>::$function(&Step(step), &Sink(sink))?)
            }
        }
    };
}

simple!(Lint, lint, lint);
simple!(Scan, scan, scan);
simple!(Build, build, build);
simple!(Notify, notify, notify);
simple!(Task, task, run);

impl<T: Deploy> deploy::exports::sluice::plugin::deploy::Guest for T {
    fn plan(step: &wit::Step, sink: &wit::Sink) -> Result<Deployment, wit::Failure> {
        Ok(<T as Deploy>::plan(&Step(step), &Sink(sink))?)
    }

    fn apply(step: &wit::Step, sink: &wit::Sink, plan: Vec<u8>) -> Result<Vec<u8>, wit::Failure> {
        Ok(<T as Deploy>::apply(&Step(step), &Sink(sink), &plan)?)
    }

    fn rollback(step: &wit::Step, sink: &wit::Sink, receipt: Vec<u8>) -> Result<(), wit::Failure> {
        Ok(<T as Deploy>::rollback(&Step(step), &Sink(sink), &receipt)?)
    }
}
