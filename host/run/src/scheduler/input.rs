//! What the scheduler hears and says.

use sluice_model::Outcome;

/// A job by its position in the graph.
pub type JobIndex = usize;

/// One way through a job; a job without a matrix has cell 0 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellIndex {
    pub job: JobIndex,
    pub cell: usize,
}

/// A step by its cell, its position there, and its item, which is 0 without `for-each`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIndex {
    pub cell: CellIndex,
    pub step: usize,
    pub item: usize,
}

impl CellIndex {
    pub fn step(self, step: usize) -> StepIndex {
        StepIndex { cell: self, step, item: 0 }
    }
}

/// Why something ends without having been started, or before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The job's condition does not hold.
    Condition,
    /// The run did not end in the way that the hook is for.
    Hook,
    /// The answer to [`Command::Ask`] was no.
    Refused,
    EarlierStepFailed,
    /// Another item of the same step failed.
    OtherItemFailed,
    /// Another cell of the same matrix failed.
    OtherCellFailed,
    /// This job, which was needed, did not end well.
    Need {
        need: JobIndex,
    },
    /// A step of the cell that runs in the background ended before its time.
    BackgroundEnded,
    JobTimedOut,
    RunTimedOut,
    /// A job failed, and the first failure ends the run.
    FailFast,
    Cancelled,
}

/// What happened outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Start,
    /// The answer to [`Command::Decide`]: whether the job's condition holds, and how many cells it has.
    Decided {
        job: JobIndex,
        holds: bool,
        cells: usize,
    },
    /// The answer to [`Command::Ask`]: whether the job may run.
    Answered {
        job: JobIndex,
        approved: bool,
    },
    /// Nobody can answer [`Command::Ask`] while this run goes on.
    Unanswerable {
        job: JobIndex,
    },
    /// The answer to [`Command::Spread`]: how many items the step has.
    Items {
        id: StepIndex,
        count: usize,
    },
    /// A step that was started has ended; skipped means that its own condition did not hold. Also an answer to
    /// [`Command::Spread`], when there are no items because of a condition or a failure.
    Ended {
        id: StepIndex,
        outcome: Outcome,
    },
    /// A step that runs in the background can be used.
    Ready {
        id: StepIndex,
    },
    /// A cell that runs has used up its job's time.
    TimedOut {
        cell: CellIndex,
    },
    /// A cell that runs may fail without failing the run.
    MayFail {
        cell: CellIndex,
    },
    /// The run has used up its time.
    RunTimedOut,
    /// End early, but in order: running steps are cancelled, hooks still run.
    Cancel,
    /// End now: nothing runs any more.
    Kill,
}

/// What to do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Evaluate condition and cells of a job and answer with [`Input::Decided`].
    Decide {
        job: JobIndex,
    },
    /// Find out whether the job may run, and answer with [`Input::Answered`] or [`Input::Unanswerable`], now or later.
    Ask {
        job: JobIndex,
    },
    /// The cell begins: its time runs.
    Begin {
        cell: CellIndex,
    },
    /// Evaluate the condition and the list of a step and answer with [`Input::Items`] or [`Input::Ended`].
    Spread {
        id: StepIndex,
    },
    /// Evaluate the step's condition if it has one (not for items: that was done before), run it, answer with
    /// [`Input::Ended`]; for one in the background with [`Input::Ready`] before, if it comes so far.
    Start {
        id: StepIndex,
    },
    /// The step, or the item if the step was spread, ends without having been started.
    Skip {
        id: StepIndex,
        reason: Reason,
    },
    /// Nothing needs a step in the background any more: ask it to end; it still answers with [`Input::Ended`].
    Stop {
        id: StepIndex,
    },
    /// Ask a running step to end; it still answers with [`Input::Ended`].
    Cancel {
        id: StepIndex,
    },
    /// End a running step now; no answer is expected.
    Kill {
        id: StepIndex,
    },
    FinishCell {
        cell: CellIndex,
        outcome: Outcome,
    },
    /// All cells of the job have ended.
    Finish {
        job: JobIndex,
        outcome: Outcome,
    },
    FinishRun {
        outcome: Outcome,
    },
    /// Nothing is left but jobs that wait for an answer which nobody can give here, and what needs them. The run does not
    /// end; this state of it does.
    Park,
}
