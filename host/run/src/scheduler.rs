//! Decides what happens next. A pure state machine: no clock, no IO, no tokio.
//!
//! The same graph and the same inputs give the same commands, so a run is continued by feeding what was recorded.

mod ask;
mod background;
mod call;
mod cell;
mod graph;
mod input;
mod stop;

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;

use sluice_model::Outcome;
use sluice_workflow::workflow::Hook;

use call::Inside;
use cell::Cell;
pub use graph::{Graph, Node, StepNode};
pub use input::{CellIndex, Command, Input, JobIndex, Reason, StepIndex};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For its needs.
    Waiting,
    /// For the answer to [`Command::Decide`].
    Deciding,
    /// For [`Input::Answered`]. `here`: whether an answer may still come while the run goes on.
    Asking {
        cells: usize,
        here: bool,
    },
    /// Its cells run, or wait for a free place; or what is inside runs.
    Active,
    Done(Outcome),
}

#[derive(Debug)]
struct Job {
    phase: Phase,
    /// Needs that are not done.
    waiting: usize,
    /// The first need that spoils this job.
    bad_need: Option<JobIndex>,
    cells: Vec<Cell>,
    /// Cells that have begun or may begin as soon as there is a place.
    offered: usize,
    /// Cells that are not done.
    left: usize,
    /// Whether a cell that failed ends the others.
    failed_fast: bool,
    inside: Inside,
}

/// The state of one run.
#[derive(Debug)]
pub struct Scheduler {
    graph: Graph,
    dependents: Vec<Vec<JobIndex>>,
    jobs: Vec<Job>,
    max_parallel: usize,
    /// Cells that could begin if there were a free place, in source order.
    ready: BTreeSet<CellIndex>,
    /// Cells with items that could begin if there were a free place.
    itemising: BTreeSet<CellIndex>,
    /// Places that are taken: one for each cell that runs, one for each further item that runs beside the first.
    busy: usize,
    /// Jobs apart from hooks that are not done.
    left: usize,
    started: bool,
    finished: bool,
    /// Why the run ends early, if it does.
    stop: Option<Reason>,
    killed: bool,
    /// Whether there was a job for which nobody can answer here.
    unanswerable: bool,
    /// Whether the run can no longer pass.
    spoilt: bool,
}

/// How things stand, for `success()`, `failure()` and `cancelled()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    pub failed: bool,
    pub cancelled: bool,
}

impl Scheduler {
    pub fn new(graph: Graph, max_parallel: NonZeroUsize) -> Self {
        let mut dependents = vec![Vec::new(); graph.jobs.len()];
        for (job, node) in graph.jobs.iter().enumerate() {
            for &need in &node.needs {
                dependents[need].push(job);
            }
        }
        let job = |node: &Node| Job {
            phase: Phase::Waiting,
            // A job inside of another also waits for that one to begin.
            waiting: node.needs.len() + usize::from(node.inside.is_some()),
            bad_need: None,
            cells: Vec::new(),
            offered: 0,
            left: 0,
            failed_fast: false,
            inside: Inside::default(),
        };
        let mut jobs: Vec<Job> = graph.jobs.iter().map(job).collect();
        for (job, node) in graph.jobs.iter().enumerate() {
            if let Some(call) = node.inside {
                let inside = &mut jobs[call].inside;
                inside.jobs.push(job);
                inside.hooks += usize::from(node.hook.is_some());
                inside.left += usize::from(node.hook.is_none());
            }
        }
        Self {
            dependents,
            jobs,
            max_parallel: max_parallel.get(),
            ready: BTreeSet::new(),
            itemising: BTreeSet::new(),
            busy: 0,
            left: graph.jobs.len() - graph.hooks.len(),
            started: false,
            finished: false,
            stop: None,
            killed: false,
            unanswerable: false,
            spoilt: false,
            graph,
        }
    }

    /// Takes in what happened and says what to do. What no longer matters (a step that was killed and ends later) has
    /// no effect.
    pub fn handle(&mut self, input: Input) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.finished {
            return commands;
        }
        match input {
            Input::Start if !self.started => {
                self.started = true;
                for job in 0..self.jobs.len() - self.graph.hooks.len() {
                    if self.jobs[job].waiting == 0 {
                        self.make_ready(job, &mut commands);
                    }
                }
            }
            Input::Decided { job, holds, cells } if self.jobs[job].phase == Phase::Deciding => {
                match self.reason_to_skip_job(job).or((!holds).then_some(Reason::Condition)) {
                    Some(reason) => self.skip_job(job, reason, &mut commands),
                    None => self.admit(job, cells, &mut commands),
                }
            }
            Input::Answered { job, approved } => self.answered(job, approved, &mut commands),
            Input::Unanswerable { job } => self.unanswerable(job),
            Input::Items { id, count } => self.items(id, count, &mut commands),
            Input::Ended { id, outcome } => self.ended(id, outcome, &mut commands),
            Input::Ready { id } => self.background_ready(id, &mut commands),
            Input::TimedOut { cell } => self.cell_timed_out(cell, &mut commands),
            Input::MayFail { cell } => self.may_fail(cell),
            Input::RunTimedOut if self.stop.is_none() => {
                self.spoilt = true;
                self.stop_with(Reason::RunTimedOut, &mut commands);
            }
            Input::Cancel if self.stop != Some(Reason::Cancelled) => {
                self.stop_with(Reason::Cancelled, &mut commands);
            }
            Input::Kill if !self.killed => self.kill(&mut commands),
            Input::Start | Input::Decided { .. } | Input::RunTimedOut | Input::Cancel | Input::Kill => {}
        }
        self.fill(&mut commands);
        commands
    }

    /// How the job ended, if it has.
    pub fn outcome(&self, job: JobIndex) -> Option<Outcome> {
        match self.jobs[job].phase {
            Phase::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether the cell has used up its time.
    pub fn is_timed_out(&self, cell: CellIndex) -> bool {
        self.jobs[cell.job].cells.get(cell.cell).is_some_and(|state| state.timed_out)
    }

    /// Whether the cell has not ended.
    pub fn is_running(&self, cell: CellIndex) -> bool {
        self.jobs[cell.job].cells.get(cell.cell).is_some_and(Cell::is_running) || self.is_open(cell.job)
    }

    /// Why the run ends early, if it does.
    pub fn stop(&self) -> Option<Reason> {
        self.stop
    }

    /// What a condition of the job sees: how its needs ended.
    pub fn job_standing(&self, job: JobIndex) -> Standing {
        let cancelled = self.stop == Some(Reason::Cancelled);
        Standing { failed: self.jobs[job].bad_need.is_some() && !cancelled, cancelled }
    }

    /// What a condition of a step sees: how the steps before it ended.
    pub fn step_standing(&self, cell: CellIndex) -> Standing {
        let state = self.jobs[cell.job].cells.get(cell.cell);
        let cancelled = self.stop == Some(Reason::Cancelled) || state.is_some_and(|cell| cell.cancelled);
        let failed = self.stop == Some(Reason::RunTimedOut) || state.is_some_and(|cell| cell.failed);
        Standing { failed, cancelled }
    }

    /// How the run would end if it ended now.
    pub fn run_outcome(&self) -> Outcome {
        if self.killed || self.stop == Some(Reason::Cancelled) {
            Outcome::Cancelled
        } else if self.spoilt {
            Outcome::Failed
        } else {
            Outcome::Passed
        }
    }

    fn hook(&self, job: JobIndex) -> Option<Hook> {
        let of_run = job.checked_sub(self.jobs.len() - self.graph.hooks.len()).map(|at| self.graph.hooks[at]);
        of_run.or(self.graph.jobs[job].hook)
    }

    /// Starts ready cells and items while there are free places, then hooks, then ends the run.
    fn fill(&mut self, commands: &mut Vec<Command>) {
        loop {
            for cell in std::mem::take(&mut self.itemising) {
                self.start_items(cell, commands);
            }
            while self.busy < self.max_parallel
                && let Some(cell) = self.ready.pop_first()
            {
                self.begin(cell, commands);
            }
            if !self.started || self.left > 0 {
                if self.started && self.is_stuck() {
                    self.finished = true;
                    commands.push(Command::Park);
                }
                return;
            }
            let hooks = self.jobs.len() - self.graph.hooks.len()..self.jobs.len();
            let next = hooks.into_iter().find(|job| self.outcome(*job).is_none());
            match next {
                None => break,
                Some(job) if self.jobs[job].phase != Phase::Waiting => return,
                Some(job) if self.killed => self.skip_job(job, Reason::Cancelled, commands),
                Some(job) if !self.hook_applies(job) => self.skip_job(job, Reason::Hook, commands),
                Some(job) => self.activate(job, self.graph.jobs[job].cells, commands),
            }
        }
        self.finished = true;
        commands.push(Command::FinishRun { outcome: self.run_outcome() });
    }

    fn hook_applies(&self, job: JobIndex) -> bool {
        match self.hook(job) {
            Some(Hook::Success) => self.run_outcome() == Outcome::Passed,
            Some(Hook::Failure) => self.run_outcome() == Outcome::Failed,
            Some(Hook::Cancel) => self.run_outcome() == Outcome::Cancelled,
            Some(Hook::Finally) | None => true,
        }
    }

    /// All needs of the job are done.
    fn make_ready(&mut self, job: JobIndex, commands: &mut Vec<Command>) {
        match self.reason_to_skip_job(job) {
            Some(reason) => self.skip_job(job, reason, commands),
            None if self.graph.jobs[job].asks => {
                self.jobs[job].phase = Phase::Deciding;
                commands.push(Command::Decide { job });
            }
            None => self.admit(job, self.graph.jobs[job].cells, commands),
        }
    }

    fn reason_to_skip_job(&self, job: JobIndex) -> Option<Reason> {
        if self.killed {
            return Some(Reason::Cancelled);
        }
        if self.graph.jobs[job].status_aware {
            return None;
        }
        self.ending(job).or(self.jobs[job].bad_need.map(|need| Reason::Need { need }))
    }

    /// The job's condition holds: its cells may begin.
    fn activate(&mut self, job: JobIndex, cells: usize, commands: &mut Vec<Command>) {
        if self.graph.jobs[job].calls {
            return self.open(job, commands);
        }
        let max_parallel = self.graph.jobs[job].max_parallel.max(1);
        let state = &mut self.jobs[job];
        state.phase = Phase::Active;
        state.cells = vec![Cell::default(); cells];
        state.left = cells;
        if cells == 0 {
            return self.finish_job(job, Outcome::Skipped, false, commands);
        }
        state.offered = cells.min(max_parallel);
        self.ready.extend((0..self.jobs[job].offered).map(|cell| CellIndex { job, cell }));
    }

    fn skip_job(&mut self, job: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        let bad = !matches!(reason, Reason::Condition | Reason::Hook);
        self.skip_cells(job, reason, commands);
        self.finish_job(job, Outcome::Skipped, bad, commands);
    }

    /// All cells of a job that was never activated, and what is inside of it.
    fn skip_cells(&mut self, job: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        if self.graph.jobs[job].calls {
            self.skip_inside(job, reason, commands);
        }
        let node = &self.graph.jobs[job];
        for cell in (0..node.cells).map(|cell| CellIndex { job, cell }) {
            commands.extend((0..node.steps.len()).map(|step| Command::Skip { id: cell.step(step), reason }));
            commands.push(Command::FinishCell { cell, outcome: Outcome::Skipped });
        }
    }

    /// Ends the job and all that can now only be skipped. `bad`: whether what needs it is skipped.
    fn finish_job(&mut self, job: JobIndex, outcome: Outcome, bad: bool, commands: &mut Vec<Command>) {
        let mut done = VecDeque::from([(job, outcome, bad)]);
        while let Some((job, outcome, bad)) = done.pop_front() {
            self.jobs[job].phase = Phase::Done(outcome);
            self.spoilt |= !outcome.is_good() && !self.is_tolerated(job);
            commands.push(Command::Finish { job, outcome });
            if job < self.jobs.len() - self.graph.hooks.len() {
                self.left -= 1;
            }
            for at in 0..self.dependents[job].len() {
                let dependent = self.dependents[job][at];
                self.jobs[dependent].waiting -= 1;
                if bad {
                    self.jobs[dependent].bad_need.get_or_insert(job);
                }
                if self.jobs[dependent].waiting > 0 {
                    continue;
                }
                // Not by recursion: chains of jobs may be long.
                match self.reason_to_skip_job(dependent) {
                    None => self.make_ready(dependent, commands),
                    Some(reason) => {
                        self.skip_cells(dependent, reason, commands);
                        done.push_back((dependent, Outcome::Skipped, true));
                    }
                }
            }
            if let Some(call) = self.graph.jobs[job].inside {
                self.ended_inside(call, job, outcome, bad, commands);
            }
        }
    }
}

#[cfg(test)]
mod tests;
