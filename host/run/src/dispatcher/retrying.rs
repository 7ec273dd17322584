//! Steps that failed and are tried again.

use std::time::Duration;

use indexmap::IndexMap;
use sluice_model::event::FindingCounts;
use sluice_model::{Event, EventKind, Failure, FailureKind};
use sluice_plan::Decided;
use tokio::time::Instant;

use super::timers::Timer;
use super::{Dispatcher, planned, verdict};
use crate::retry::{self, Ended};
use crate::runner::{StepReport, StepRunner};
use crate::scheduler::{Input, StepIndex};

/// A step between two attempts.
#[derive(Debug)]
pub struct Retrying {
    /// The next one.
    attempt: u32,
    decided: Decided,
    /// When the first attempt started.
    started: u64,
    findings: FindingCounts,
}

/// An attempt that has ended.
pub struct Attempt {
    pub number: u32,
    pub decided: Decided,
    pub started: u64,
    pub findings: FindingCounts,
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    /// An attempt has ended: tries again later, or ends the step.
    pub(super) fn after_attempt(&mut self, index: StepIndex, attempt: Attempt, report: StepReport) -> Option<Input> {
        let plan = self.plan.clone();
        let step = &planned(&plan, index.cell)?.1[index.step];
        let failure = verdict::failure(step, report.failure.clone(), attempt.findings);
        let id = self.step_id(index.cell, step, self.item(index).map(|_| index.item));
        let stopping = self.scheduler.stop().is_some() || self.scheduler.is_timed_out(index.cell);
        let delay = failure.as_ref().filter(|_| !stopping).and_then(|failure| {
            let ended = Ended { failure, outputs: &report.outputs };
            retry::delay_ms(step.retry.as_ref(), ended, &self.options.run_id, &id, attempt.number)
        });
        let (Some(delay_ms), Some(failure)) = (delay, failure) else {
            return Some(self.conclude(index, attempt.started, attempt.findings, report));
        };
        self.emit(EventKind::StepRetrying { id, attempt: attempt.number, failure, delay_ms });
        let Attempt { number, decided, started, findings } = attempt;
        self.retrying.insert(index, Retrying { attempt: number + 1, decided, started, findings });
        self.timers.set(Instant::now() + Duration::from_millis(delay_ms), Timer::Retry(index));
        None
    }

    /// The delay is over.
    pub(super) fn try_again(&mut self, index: StepIndex) -> Option<Input> {
        let retrying = self.retrying.remove(&index)?;
        let plan = self.plan.clone();
        let step = &planned(&plan, index.cell)?.1[index.step];
        self.tell_started(index, step, retrying.attempt, self.now());
        self.spawn(index, step, retrying.decided, retrying.started, retrying.attempt);
        None
    }

    /// A step that waits for its next attempt is asked to end.
    pub(super) fn stop_retrying(&mut self, index: StepIndex) -> Option<Input> {
        let Retrying { started, findings, .. } = self.retrying.remove(&index)?;
        let failure = Failure::new(FailureKind::Cancelled, "the step was cancelled before its next attempt");
        let report = StepReport { failure: Some(failure), outputs: IndexMap::new() };
        Some(self.conclude(index, started, findings, report))
    }
}
