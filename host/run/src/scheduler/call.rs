//! Jobs that call a workflow: they begin before what is inside them, and end after it.

use sluice_model::Outcome;
use sluice_workflow::workflow::Hook;

use super::{CellIndex, Command, JobIndex, Phase, Reason, Scheduler};

/// What a calling job has beyond others. All of it is empty for a job that calls nothing.
#[derive(Debug, Default)]
pub struct Inside {
    /// The jobs of the called workflow, hooks last.
    pub jobs: Vec<JobIndex>,
    /// How many of them are hooks.
    pub hooks: usize,
    /// Jobs apart from hooks that are not done.
    pub left: usize,
    pub failed: bool,
    /// Whether a job was kept from running to its end.
    pub cancelled: bool,
    pub timed_out: bool,
    /// Why what is inside ends early, if it does.
    pub stopped: Option<Reason>,
    /// Whether it began although what is around it was ending, so that this does not end what is inside. Another reason
    /// to end does.
    pub despite: bool,
}

impl Scheduler {
    /// The calling jobs around a job, innermost first.
    fn around(&self, job: JobIndex) -> impl Iterator<Item = JobIndex> {
        std::iter::successors(self.graph.jobs[job].inside, |call| self.graph.jobs[*call].inside)
    }

    /// Why the job ends early, if it does: the run ends, or a workflow that it belongs to.
    pub(super) fn ending(&self, job: JobIndex) -> Option<Reason> {
        for call in self.around(job) {
            let inside = &self.jobs[call].inside;
            if inside.stopped.is_some() || inside.despite {
                return inside.stopped;
            }
        }
        self.stop
    }

    /// Whether a job around it may fail.
    pub(super) fn is_tolerated(&self, job: JobIndex) -> bool {
        self.around(job).any(|call| self.graph.jobs[call].continue_on_error)
    }

    /// The calling job around this one whose time is over, if there is one.
    pub fn timed_out_call(&self, job: JobIndex) -> Option<JobIndex> {
        self.around(job).find(|call| self.jobs[*call].inside.timed_out)
    }

    /// The call's condition holds, and its inputs are known: what is inside may begin.
    pub(super) fn open(&mut self, call: JobIndex, commands: &mut Vec<Command>) {
        self.jobs[call].phase = Phase::Active;
        self.jobs[call].inside.despite = self.ending(call).is_some();
        commands.push(Command::Begin { cell: CellIndex { job: call, cell: 0 } });
        let (jobs, _) = self.inside(call);
        for job in jobs {
            self.jobs[job].waiting -= 1;
            if self.jobs[job].waiting == 0 {
                self.make_ready(job, commands);
            }
        }
        self.go_on_inside(call, commands);
    }

    /// Jobs and hooks inside.
    fn inside(&self, call: JobIndex) -> (Vec<JobIndex>, Vec<JobIndex>) {
        let inside = &self.jobs[call].inside;
        let (jobs, hooks) = inside.jobs.split_at(inside.jobs.len() - inside.hooks);
        (jobs.to_vec(), hooks.to_vec())
    }

    /// Skips everything inside a call that never began.
    pub(super) fn skip_inside(&mut self, call: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        let (jobs, hooks) = self.inside(call);
        for job in jobs.into_iter().chain(hooks) {
            self.skip_cells(job, reason, commands);
            self.jobs[job].phase = Phase::Done(Outcome::Skipped);
            self.left -= 1;
            commands.push(Command::Finish { job, outcome: Outcome::Skipped });
        }
    }

    /// A job inside has ended. `bad`: whether what needs it is skipped.
    pub(super) fn ended_inside(
        &mut self,
        call: JobIndex,
        job: JobIndex,
        outcome: Outcome,
        bad: bool,
        commands: &mut Vec<Command>,
    ) {
        let ending = self.ending(job).is_some() || self.killed;
        let fail_fast = self.graph.jobs[call].fail_fast;
        let is_hook = self.hook(job).is_some();
        let inside = &mut self.jobs[call].inside;
        inside.left -= usize::from(!is_hook);
        inside.failed |= matches!(outcome, Outcome::Failed | Outcome::Unknown);
        inside.cancelled |= outcome == Outcome::Cancelled || (outcome == Outcome::Skipped && bad && ending);
        if outcome == Outcome::Failed && fail_fast && !is_hook && inside.stopped.is_none() {
            self.stop_inside(call, Reason::FailFast, commands);
        }
        self.go_on_inside(call, commands);
    }

    /// Once all jobs inside have ended: the next hook, or the end of the call.
    fn go_on_inside(&mut self, call: JobIndex, commands: &mut Vec<Command>) {
        if self.jobs[call].phase != Phase::Active || self.jobs[call].inside.left > 0 {
            return;
        }
        let (_, hooks) = self.inside(call);
        match hooks.into_iter().find(|hook| self.outcome(*hook).is_none()) {
            None => self.end_call(call, commands),
            Some(hook) if self.jobs[hook].phase != Phase::Waiting => {}
            Some(hook) if self.killed => self.skip_job(hook, Reason::Cancelled, commands),
            Some(hook) if !self.applies_inside(call, hook) => self.skip_job(hook, Reason::Hook, commands),
            Some(hook) => self.activate(hook, self.graph.jobs[hook].cells, commands),
        }
    }

    fn applies_inside(&self, call: JobIndex, hook: JobIndex) -> bool {
        let inside = &self.jobs[call].inside;
        match self.hook(hook) {
            Some(Hook::Success) => !inside.failed && !inside.cancelled,
            Some(Hook::Failure) => inside.failed,
            Some(Hook::Cancel) => inside.cancelled && !inside.failed,
            Some(Hook::Finally) | None => true,
        }
    }

    fn end_call(&mut self, call: JobIndex, commands: &mut Vec<Command>) {
        let inside = &self.jobs[call].inside;
        let outcome = match () {
            () if inside.failed && self.graph.jobs[call].continue_on_error => Outcome::AllowedToFail,
            () if inside.failed => Outcome::Failed,
            () if inside.cancelled => Outcome::Cancelled,
            () => Outcome::Passed,
        };
        commands.push(Command::FinishCell { cell: CellIndex { job: call, cell: 0 }, outcome });
        self.finish_job(call, outcome, !outcome.is_good(), commands);
    }

    /// Whether what is inside runs, hooks apart.
    pub(super) fn is_open(&self, call: JobIndex) -> bool {
        self.graph.jobs[call].calls && self.jobs[call].phase == Phase::Active && self.jobs[call].inside.left > 0
    }

    pub(super) fn call_timed_out(&mut self, call: JobIndex, commands: &mut Vec<Command>) {
        if !self.is_open(call) {
            return;
        }
        self.jobs[call].inside.timed_out = true;
        self.jobs[call].inside.failed = true;
        self.spoilt |= !self.graph.jobs[call].continue_on_error && !self.is_tolerated(call);
        self.stop_inside(call, Reason::JobTimedOut, commands);
    }

    /// Ends the jobs inside in order, as [`Scheduler::stop_with`] ends those of the run.
    fn stop_inside(&mut self, call: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        self.jobs[call].inside.stopped = Some(reason);
        let mut open = vec![call];
        while let Some(call) = open.pop() {
            for job in self.inside(call).0 {
                if self.graph.jobs[job].calls {
                    self.jobs[job].inside.despite = false;
                    open.push(job);
                } else {
                    self.stop_job(job, reason, commands);
                }
            }
        }
    }
}
