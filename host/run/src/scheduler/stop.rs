//! Ends before the time: of a cell, of the cells of a job, of the run.

use sluice_model::Outcome;

use super::cell::Phase as CellPhase;
use super::{CellIndex, Command, JobIndex, Phase, Reason, Scheduler, StepIndex};

impl Scheduler {
    pub(super) fn cell_timed_out(&mut self, cell: CellIndex, commands: &mut Vec<Command>) {
        if self.graph.jobs[cell.job].calls {
            return self.call_timed_out(cell.job, commands);
        }
        if !self.is_running(cell) {
            return;
        }
        self.jobs[cell.job].cells[cell.cell].timed_out = true;
        self.fail(cell);
        self.cancel_cell(cell, Reason::JobTimedOut, commands);
    }

    /// Asks what runs in the cell to end, and starts no more items.
    pub(super) fn cancel_cell(&mut self, cell: CellIndex, reason: Reason, commands: &mut Vec<Command>) {
        self.jobs[cell.job].cells[cell.cell].stopped.get_or_insert(reason);
        if let CellPhase::Readying(step) = self.jobs[cell.job].cells[cell.cell].phase {
            commands.push(Command::Cancel { id: cell.step(step) });
        }
        if let CellPhase::Running(items) = &mut self.jobs[cell.job].cells[cell.cell].phase {
            items.stopped.get_or_insert(reason);
            let step = items.step;
            commands.extend(items.running.iter().map(|&item| Command::Cancel { id: StepIndex { cell, step, item } }));
            self.itemising.insert(cell);
        }
    }

    /// A cell failed, and the others shall not go on.
    pub(super) fn end_cells(&mut self, job: JobIndex, commands: &mut Vec<Command>) {
        for cell in (0..self.jobs[job].cells.len()).map(|cell| CellIndex { job, cell }) {
            match self.jobs[job].cells[cell.cell].phase {
                CellPhase::Running(_) | CellPhase::Spreading(_) | CellPhase::Readying(_) => {
                    self.cancel_cell(cell, Reason::OtherCellFailed, commands);
                }
                CellPhase::Waiting => self.skip_cell(cell, Reason::OtherCellFailed, commands),
                CellPhase::Stopping | CellPhase::Done(_) => {}
            }
        }
    }

    /// Skips a cell that has not begun.
    fn skip_cell(&mut self, cell: CellIndex, reason: Reason, commands: &mut Vec<Command>) {
        self.ready.remove(&cell);
        let steps = 0..self.graph.jobs[cell.job].steps.len();
        commands.extend(steps.map(|step| Command::Skip { id: cell.step(step), reason }));
        self.finish_cell(cell, Outcome::Skipped, commands);
    }

    /// Ends the run in order: what runs is asked to end, what waits is skipped, but for what asks how things stand.
    pub(super) fn stop_with(&mut self, reason: Reason, commands: &mut Vec<Command>) {
        self.stop = Some(reason);
        for job in 0..self.jobs.len() - self.graph.hooks.len() {
            self.jobs[job].inside.despite = false;
            self.stop_job(job, reason, commands);
        }
    }

    /// What of a job runs is asked to end, what waits is skipped. Hooks go on.
    pub(super) fn stop_job(&mut self, job: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        self.stop_asking(job, reason, commands);
        if self.jobs[job].phase != Phase::Active || self.hook(job).is_some() {
            return;
        }
        let may_begin = self.graph.jobs[job].status_aware;
        for cell in (0..self.jobs[job].cells.len()).map(|cell| CellIndex { job, cell }) {
            match self.jobs[job].cells[cell.cell].phase {
                CellPhase::Running(_) | CellPhase::Spreading(_) | CellPhase::Readying(_) => {
                    self.cancel_cell(cell, reason, commands);
                }
                CellPhase::Waiting if !may_begin => self.skip_cell(cell, reason, commands),
                CellPhase::Waiting | CellPhase::Stopping | CellPhase::Done(_) => {}
            }
        }
    }

    pub(super) fn kill(&mut self, commands: &mut Vec<Command>) {
        self.killed = true;
        self.stop = Some(Reason::Cancelled);
        self.itemising.clear();
        for job in 0..self.jobs.len() {
            match self.jobs[job].phase {
                Phase::Deciding => self.skip_job(job, Reason::Cancelled, commands),
                Phase::Asking { .. } => self.stop_asking(job, Reason::Cancelled, commands),
                Phase::Active => {
                    for cell in (0..self.jobs[job].cells.len()).map(|cell| CellIndex { job, cell }) {
                        self.kill_cell(cell, commands);
                    }
                }
                Phase::Waiting | Phase::Done(_) => {}
            }
        }
    }

    fn kill_cell(&mut self, cell: CellIndex, commands: &mut Vec<Command>) {
        self.kill_background(cell, commands);
        let state = &mut self.jobs[cell.job].cells[cell.cell];
        match std::mem::take(&mut state.phase) {
            CellPhase::Waiting => self.skip_cell(cell, Reason::Cancelled, commands),
            CellPhase::Spreading(step) => {
                state.cancelled = true;
                commands.push(Command::Skip { id: cell.step(step), reason: Reason::Cancelled });
                self.go_on(cell, step + 1, commands);
            }
            CellPhase::Running(items) => {
                state.cancelled = true;
                let id = |item| StepIndex { cell, step: items.step, item };
                commands.extend(items.running.iter().map(|&item| Command::Kill { id: id(item) }));
                let rest = items.next..items.count;
                commands.extend(rest.map(|item| Command::Skip { id: id(item), reason: Reason::Cancelled }));
                self.busy -= items.running.len().saturating_sub(1);
                self.go_on(cell, items.step + 1, commands);
            }
            // What was in the background has been killed.
            CellPhase::Readying(step) => self.go_on(cell, step + 1, commands),
            CellPhase::Stopping => self.close(cell, commands),
            CellPhase::Done(outcome) => state.phase = CellPhase::Done(outcome),
        }
    }
}
