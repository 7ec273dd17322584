//! Steps that run beside those after them: started, waited for, stopped when nothing needs them any more.

use sluice_model::Outcome;

use super::cell::Phase;
use super::{CellIndex, Command, Reason, Scheduler, StepIndex};

impl Scheduler {
    /// Starts a step in the background; the cell goes on once it is ready or has ended.
    pub(super) fn start_background(&mut self, id: StepIndex, commands: &mut Vec<Command>) {
        let cell = self.cell(id.cell);
        cell.background.insert(id.step);
        cell.phase = Phase::Readying(id.step);
        commands.push(Command::Start { id });
    }

    pub(super) fn background_ready(&mut self, id: StepIndex, commands: &mut Vec<Command>) {
        let cell = self.jobs[id.cell.job].cells.get(id.cell.cell);
        if cell.is_some_and(|cell| cell.phase == Phase::Readying(id.step)) {
            self.go_on(id.cell, id.step + 1, commands);
        }
    }

    /// Whether it was a step in the background that ended. If that was not asked of it and it failed, what runs in the
    /// cell is asked to end too: it most likely needs what is no longer there.
    pub(super) fn background_ended(&mut self, id: StepIndex, outcome: Outcome, commands: &mut Vec<Command>) -> bool {
        let Some(cell) = self.jobs[id.cell.job].cells.get_mut(id.cell.cell) else { return false };
        if !cell.background.remove(&id.step) {
            return false;
        }
        let (phase, failed_before, last) = (cell.phase.clone(), cell.failed, cell.background.is_empty());
        self.note(id.cell, outcome);
        let failed_now = self.cell(id.cell).failed && !failed_before;
        match phase {
            Phase::Readying(step) if step == id.step => self.go_on(id.cell, step + 1, commands),
            Phase::Stopping if last => self.close(id.cell, commands),
            // What asks how things stand, and runs after a failure, is left alone.
            _ if failed_now => self.cancel_cell(id.cell, Reason::BackgroundEnded, commands),
            _ => {}
        }
        true
    }

    /// All other steps have ended: asks those in the background to end, the last one first. False if there are none.
    pub(super) fn stop_background(&mut self, cell: CellIndex, commands: &mut Vec<Command>) -> bool {
        let state = self.cell(cell);
        if state.background.is_empty() {
            return false;
        }
        state.phase = Phase::Stopping;
        commands.extend(state.background.iter().rev().map(|&step| Command::Stop { id: cell.step(step) }));
        true
    }

    pub(super) fn kill_background(&mut self, cell: CellIndex, commands: &mut Vec<Command>) {
        let state = self.cell(cell);
        state.cancelled |= !state.background.is_empty();
        let killed = std::mem::take(&mut state.background);
        commands.extend(killed.into_iter().map(|step| Command::Kill { id: cell.step(step) }));
    }
}
