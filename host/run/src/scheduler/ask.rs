//! Jobs that wait for an answer before they run, and runs that end because only such jobs are left.

use sluice_model::Outcome;

use super::{CellIndex, Command, JobIndex, Phase, Reason, Scheduler};

impl Scheduler {
    /// The job's condition holds. Asks if it is guarded; otherwise its cells may begin.
    pub(super) fn admit(&mut self, job: JobIndex, cells: usize, commands: &mut Vec<Command>) {
        if !self.graph.jobs[job].guarded || cells == 0 {
            return self.activate(job, cells, commands);
        }
        if let Some(reason) = self.ending(job).or(self.stop) {
            // Nobody is asked about what the run has no time for.
            return self.refuse(job, cells, Outcome::Skipped, reason, commands);
        }
        self.jobs[job].phase = Phase::Asking { cells, here: true };
        commands.push(Command::Ask { job });
    }

    pub(super) fn answered(&mut self, job: JobIndex, approved: bool, commands: &mut Vec<Command>) {
        let Phase::Asking { cells, .. } = self.jobs[job].phase else { return };
        if approved {
            return self.activate(job, cells, commands);
        }
        let node = &self.graph.jobs[job];
        let outcome = if node.continue_on_error { Outcome::AllowedToFail } else { Outcome::Failed };
        self.refuse(job, cells, outcome, Reason::Refused, commands);
        if outcome == Outcome::Failed && self.graph.fail_fast && self.stop.is_none() && !self.is_tolerated(job) {
            self.stop_with(Reason::FailFast, commands);
        }
    }

    pub(super) fn unanswerable(&mut self, job: JobIndex) {
        if let Phase::Asking { here, .. } = &mut self.jobs[job].phase {
            *here = false;
            self.unanswerable = true;
        }
    }

    /// Ends a job that is asked about without an answer.
    pub(super) fn stop_asking(&mut self, job: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        if let Phase::Asking { cells, .. } = self.jobs[job].phase {
            self.refuse(job, cells, Outcome::Skipped, reason, commands);
        }
    }

    /// Ends a job whose cells never began.
    fn refuse(&mut self, job: JobIndex, cells: usize, outcome: Outcome, reason: Reason, commands: &mut Vec<Command>) {
        for cell in (0..cells).map(|cell| CellIndex { job, cell }) {
            let steps = 0..self.graph.jobs[job].steps.len();
            commands.extend(steps.map(|step| Command::Skip { id: cell.step(step), reason }));
            commands.push(Command::FinishCell { cell, outcome });
        }
        self.finish_job(job, outcome, outcome != Outcome::AllowedToFail, commands);
    }

    /// Whether nothing is left but jobs that nobody can answer for here, and what needs them.
    pub(super) fn is_stuck(&self) -> bool {
        if !self.unanswerable || self.busy > 0 || !self.ready.is_empty() {
            return false;
        }
        let before_hooks = &self.jobs[..self.jobs.len() - self.graph.hooks.len()];
        let stuck = |job: &super::Job| matches!(job.phase, Phase::Asking { here: false, .. });
        // A call has begun, and waits for what is inside.
        let idle = |(at, job): (usize, &super::Job)| match job.phase {
            Phase::Waiting | Phase::Done(_) => true,
            Phase::Active => self.graph.jobs[at].calls,
            _ => stuck(job),
        };
        before_hooks.iter().enumerate().all(idle) && before_hooks.iter().any(stuck)
    }

    /// Jobs that wait for an answer.
    pub fn asking(&self) -> impl Iterator<Item = JobIndex> {
        let asking = |job: &super::Job| matches!(job.phase, Phase::Asking { .. });
        self.jobs.iter().enumerate().filter(move |(_, job)| asking(job)).map(|(at, _)| at)
    }

    pub fn is_asking(&self, job: JobIndex) -> bool {
        matches!(self.jobs[job].phase, Phase::Asking { .. })
    }
}
