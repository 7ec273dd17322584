//! One way through a job: its steps one after the other, the items of a step beside each other.

use std::collections::BTreeSet;

use sluice_model::Outcome;

use super::{CellIndex, Command, Phase as JobPhase, Reason, Scheduler, StepIndex};

#[derive(Debug, Clone, Default)]
pub struct Cell {
    pub phase: Phase,
    pub failed: bool,
    /// Whether a step was kept from running to its end.
    pub cancelled: bool,
    pub timed_out: bool,
    /// Whether it may fail, though not all cells of its job may.
    pub may_fail: bool,
    /// Why it ends early, if it does.
    pub stopped: Option<Reason>,
    /// Steps that were started in the background and have not ended.
    pub background: BTreeSet<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// For a free place.
    #[default]
    Waiting,
    /// For the answer to [`Command::Spread`].
    Spreading(usize),
    Running(Items),
    /// For a step in the background, until it is ready.
    Readying(usize),
    /// All steps have ended but those in the background, which were asked to.
    Stopping,
    Done(Outcome),
}

/// A step that runs. Without `for-each` it has one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    pub step: usize,
    pub count: usize,
    /// The first that was not started.
    pub next: usize,
    pub running: BTreeSet<usize>,
    /// Why no more are started.
    pub stopped: Option<Reason>,
}

impl Cell {
    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Spreading(_) | Phase::Running(_) | Phase::Readying(_))
    }
}

impl Scheduler {
    pub(super) fn cell(&mut self, at: CellIndex) -> &mut Cell {
        &mut self.jobs[at.job].cells[at.cell]
    }

    pub(super) fn begin(&mut self, cell: CellIndex, commands: &mut Vec<Command>) {
        self.busy += 1;
        commands.push(Command::Begin { cell });
        self.go_on(cell, 0, commands);
    }

    /// Goes on at this step: starts it, or skips it and those after it, or ends the cell.
    pub(super) fn go_on(&mut self, cell: CellIndex, from: usize, commands: &mut Vec<Command>) {
        for step in from..self.graph.jobs[cell.job].steps.len() {
            let id = cell.step(step);
            match self.reason_to_skip(cell, step) {
                Some(reason) => {
                    let failed = [Reason::EarlierStepFailed, Reason::JobTimedOut, Reason::BackgroundEnded];
                    self.cell(cell).cancelled |= !failed.contains(&reason);
                    commands.push(Command::Skip { id, reason });
                }
                None if self.graph.jobs[cell.job].steps[step].for_each => {
                    self.cell(cell).phase = Phase::Spreading(step);
                    commands.push(Command::Spread { id });
                    return;
                }
                None if self.graph.jobs[cell.job].steps[step].background => {
                    self.start_background(id, commands);
                    return;
                }
                None => {
                    let running = BTreeSet::from([0]);
                    self.cell(cell).phase = Phase::Running(Items { step, count: 1, next: 1, running, stopped: None });
                    commands.push(Command::Start { id });
                    return;
                }
            }
        }
        if self.stop_background(cell, commands) {
            return;
        }
        self.close(cell, commands);
    }

    /// All steps of the cell have ended.
    pub(super) fn close(&mut self, cell: CellIndex, commands: &mut Vec<Command>) {
        self.busy -= 1;
        let continue_on_error = self.tolerates(cell);
        let state = self.cell(cell);
        let outcome = match () {
            () if state.failed && continue_on_error => Outcome::AllowedToFail,
            () if state.failed => Outcome::Failed,
            () if state.cancelled => Outcome::Cancelled,
            () => Outcome::Passed,
        };
        self.finish_cell(cell, outcome, commands);
    }

    fn reason_to_skip(&self, cell: CellIndex, step: usize) -> Option<Reason> {
        if self.killed {
            return Some(Reason::Cancelled);
        }
        // Steps of hooks run whatever happened, also to each other.
        if self.hook(cell.job).is_some() || self.graph.jobs[cell.job].steps[step].status_aware {
            return None;
        }
        let state = &self.jobs[cell.job].cells[cell.cell];
        match () {
            () if state.timed_out => Some(Reason::JobTimedOut),
            () if state.stopped == Some(Reason::BackgroundEnded) => state.stopped,
            () if state.failed => Some(Reason::EarlierStepFailed),
            () => state.stopped.or(state.cancelled.then_some(Reason::Cancelled)),
        }
    }

    pub(super) fn finish_cell(&mut self, cell: CellIndex, outcome: Outcome, commands: &mut Vec<Command>) {
        self.cell(cell).phase = Phase::Done(outcome);
        commands.push(Command::FinishCell { cell, outcome });
        let node = &self.graph.jobs[cell.job];
        let ends_others = outcome == Outcome::Failed && node.fail_fast;
        let may_begin = self.ending(cell.job).is_none() || node.status_aware;
        let job = &mut self.jobs[cell.job];
        job.left -= 1;
        if ends_others && !job.failed_fast {
            job.failed_fast = true;
            self.end_cells(cell.job, commands);
        }
        let job = &mut self.jobs[cell.job];
        if job.left == 0 {
            return self.all_cells_done(cell.job, commands);
        }
        if job.offered < job.cells.len() && !job.failed_fast && may_begin {
            let next = CellIndex { job: cell.job, cell: job.offered };
            job.offered += 1;
            self.ready.insert(next);
        }
    }

    fn all_cells_done(&mut self, job: usize, commands: &mut Vec<Command>) {
        if matches!(self.jobs[job].phase, JobPhase::Done(_)) {
            return;
        }
        let outcomes = self.jobs[job].cells.iter().filter_map(|cell| match cell.phase {
            Phase::Done(outcome) => Some(outcome),
            _ => None,
        });
        let worst = outcomes.max_by_key(|outcome| match outcome {
            Outcome::Skipped => 0,
            Outcome::Passed => 1,
            Outcome::AllowedToFail => 2,
            Outcome::Cancelled => 3,
            Outcome::Failed | Outcome::Unknown => 4,
        });
        let outcome = worst.unwrap_or(Outcome::Skipped);
        let bad = !outcome.is_good() || (outcome == Outcome::Skipped && self.ending(job).is_some());
        self.finish_job(job, outcome, bad, commands);
        let is_hook = self.hook(job).is_some();
        let ends_run = self.graph.fail_fast && self.stop.is_none() && !is_hook && !self.is_tolerated(job);
        if outcome == Outcome::Failed && ends_run {
            self.stop_with(Reason::FailFast, commands);
        }
    }

    pub(super) fn items(&mut self, id: StepIndex, count: usize, commands: &mut Vec<Command>) {
        if !self.is_at(id, |phase| *phase == Phase::Spreading(id.step)) {
            return;
        }
        if count == 0 {
            return self.go_on(id.cell, id.step + 1, commands);
        }
        // The cell may have been stopped between the question and the answer.
        let stopped = self.reason_to_skip(id.cell, id.step);
        let failed = [Reason::EarlierStepFailed, Reason::JobTimedOut, Reason::BackgroundEnded];
        self.cell(id.cell).cancelled |= stopped.is_some_and(|reason| !failed.contains(&reason));
        let items = Items { step: id.step, count, next: 0, running: BTreeSet::new(), stopped };
        self.cell(id.cell).phase = Phase::Running(items);
        self.start_items(id.cell, commands);
    }

    fn is_at(&self, id: StepIndex, fits: impl Fn(&Phase) -> bool) -> bool {
        self.jobs[id.cell.job].cells.get(id.cell.cell).is_some_and(|cell| fits(&cell.phase))
    }

    /// Starts items while there are places; the first needs none of its own. Skips the rest once the step is stopped,
    /// and goes on when all are done.
    pub(super) fn start_items(&mut self, cell: CellIndex, commands: &mut Vec<Command>) {
        let (busy, places) = (self.busy, self.max_parallel);
        let Phase::Running(items) = &mut self.jobs[cell.job].cells[cell.cell].phase else { return };
        let limit = self.graph.jobs[cell.job].steps[items.step].max_parallel.max(1);
        let id = |item| StepIndex { cell, step: items.step, item };
        if let Some(reason) = items.stopped {
            commands.extend((items.next..items.count).map(|item| Command::Skip { id: id(item), reason }));
            items.next = items.count;
        }
        let mut more = 0;
        while items.next < items.count
            && items.running.len() < limit
            && (items.running.is_empty() || busy + more < places)
        {
            more += usize::from(!items.running.is_empty());
            items.running.insert(items.next);
            commands.push(Command::Start { id: id(items.next) });
            items.next += 1;
        }
        let (step, waiting) = (items.step, items.next < items.count);
        let idle = items.running.is_empty();
        self.busy += more;
        if waiting {
            self.itemising.insert(cell);
        } else if idle {
            self.go_on(cell, step + 1, commands);
        }
    }

    pub(super) fn ended(&mut self, id: StepIndex, outcome: Outcome, commands: &mut Vec<Command>) {
        if self.background_ended(id, outcome, commands) {
            return;
        }
        if self.is_at(id, |phase| *phase == Phase::Spreading(id.step)) {
            self.note(id.cell, outcome);
            return self.go_on(id.cell, id.step + 1, commands);
        }
        let node = self.graph.jobs[id.cell.job].steps.get(id.step).copied();
        let Some(cell) = self.jobs[id.cell.job].cells.get_mut(id.cell.cell) else { return };
        let Phase::Running(items) = &mut cell.phase else { return };
        if items.step != id.step || !items.running.remove(&id.item) {
            return;
        }
        self.busy -= usize::from(!items.running.is_empty());
        let failed = matches!(outcome, Outcome::Failed | Outcome::Unknown);
        if failed && items.stopped.is_none() && node.is_some_and(|node| node.fail_fast) && items.count > 1 {
            items.stopped = Some(Reason::OtherItemFailed);
            let running = items.running.iter().map(|&item| Command::Cancel { id: StepIndex { item, ..id } });
            commands.extend(running);
        }
        // That others were ended because of it does not hide that it failed.
        let ended_by_sibling = outcome == Outcome::Cancelled && items.stopped == Some(Reason::OtherItemFailed);
        if !ended_by_sibling {
            self.note(id.cell, outcome);
        }
        self.start_items(id.cell, commands);
    }

    pub(super) fn note(&mut self, cell: CellIndex, outcome: Outcome) {
        match outcome {
            Outcome::Failed | Outcome::Unknown => self.fail(cell),
            Outcome::Cancelled => self.cell(cell).cancelled = true,
            Outcome::Passed | Outcome::AllowedToFail | Outcome::Skipped => {}
        }
    }

    pub(super) fn fail(&mut self, cell: CellIndex) {
        self.cell(cell).failed = true;
        self.spoilt |= !self.tolerates(cell) && !self.is_tolerated(cell.job);
    }

    pub(super) fn may_fail(&mut self, cell: CellIndex) {
        if let Some(cell) = self.jobs[cell.job].cells.get_mut(cell.cell) {
            cell.may_fail = true;
        }
    }

    /// Whether the run can still pass if the cell fails.
    fn tolerates(&self, cell: CellIndex) -> bool {
        self.graph.jobs[cell.job].continue_on_error || self.jobs[cell.job].cells[cell.cell].may_fail
    }
}
