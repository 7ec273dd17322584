//! Decides what happens next. A pure state machine: no clock, no IO, no tokio.
//!
//! The same graph and the same inputs give the same commands, so a run is continued by feeding what was recorded.

mod graph;

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;

use sluice_model::Outcome;

pub use graph::{Graph, Node};

/// A job by its position in the graph.
pub type JobIndex = usize;

/// A step by its job and its position there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIndex {
    pub job: JobIndex,
    pub step: usize,
}

/// Why a step ends without having been started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The job's condition does not hold.
    Condition,
    EarlierStepFailed,
    /// This job, which was needed, did not end well.
    Need {
        need: JobIndex,
    },
    JobTimedOut,
    Cancelled,
}

/// What happened outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Start,
    /// The answer to [`Command::Decide`]: whether the job's condition holds.
    Decided {
        job: JobIndex,
        holds: bool,
    },
    /// A started step has ended; skipped means that its own condition did not hold.
    Ended {
        id: StepIndex,
        outcome: Outcome,
    },
    /// A running job has used up its time.
    TimedOut {
        job: JobIndex,
    },
    /// End early, but in order: running steps are cancelled, `finally` still runs.
    Cancel,
    /// End now: nothing runs any more.
    Kill,
}

/// What to do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Evaluate the condition of a job and answer with [`Input::Decided`].
    Decide {
        job: JobIndex,
    },
    /// The job begins: its time runs.
    Begin {
        job: JobIndex,
    },
    /// Evaluate the step's condition if it has one, run it, answer with [`Input::Ended`].
    Start {
        id: StepIndex,
    },
    /// The step ends without having been started.
    Skip {
        id: StepIndex,
        reason: Reason,
    },
    /// Ask a running step to end; it still answers with [`Input::Ended`].
    Cancel {
        id: StepIndex,
    },
    /// End a running step now; no answer is expected.
    Kill {
        id: StepIndex,
    },
    Finish {
        job: JobIndex,
        outcome: Outcome,
    },
    FinishRun {
        outcome: Outcome,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For its needs or for a free place.
    Waiting,
    /// For the answer to [`Command::Decide`].
    Deciding,
    /// This step is running.
    Running(usize),
    Done(Outcome),
}

#[derive(Debug)]
struct Job {
    phase: Phase,
    /// Needs that are not done.
    waiting: usize,
    /// The first need that spoils this job.
    bad_need: Option<JobIndex>,
    failed: bool,
    /// Whether a step was kept from running to its end.
    cancelled: bool,
    timed_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    No,
    Cancelled,
    Killed,
}

/// The state of one run.
#[derive(Debug)]
pub struct Scheduler {
    graph: Graph,
    dependents: Vec<Vec<JobIndex>>,
    jobs: Vec<Job>,
    max_parallel: usize,
    /// Jobs that could begin if there were a free place, in source order.
    ready: BTreeSet<JobIndex>,
    /// Jobs that hold a place.
    busy: usize,
    /// Jobs apart from `finally` that are not done.
    left: usize,
    started: bool,
    finished: bool,
    stop: Stop,
    /// Whether the run can no longer pass.
    spoilt: bool,
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
            waiting: node.needs.len(),
            bad_need: None,
            failed: false,
            cancelled: false,
            timed_out: false,
        };
        Self {
            dependents,
            jobs: graph.jobs.iter().map(job).collect(),
            max_parallel: max_parallel.get(),
            ready: BTreeSet::new(),
            busy: 0,
            left: graph.jobs.len() - usize::from(graph.finally),
            started: false,
            finished: false,
            stop: Stop::No,
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
                for job in 0..self.jobs.len() {
                    if self.jobs[job].waiting == 0 && !self.is_finally(job) {
                        self.make_ready(job, &mut commands);
                    }
                }
            }
            Input::Decided { job, holds } if self.jobs[job].phase == Phase::Deciding => {
                if holds {
                    self.begin(job, &mut commands);
                } else {
                    self.busy -= 1;
                    self.skip_job(job, Reason::Condition, &mut commands);
                }
            }
            Input::Ended { id, outcome } if self.jobs[id.job].phase == Phase::Running(id.step) => {
                self.note(id.job, outcome);
                self.go_on(id.job, id.step + 1, &mut commands);
            }
            Input::TimedOut { job } => {
                if let Phase::Running(step) = self.jobs[job].phase {
                    self.jobs[job].timed_out = true;
                    self.fail(job);
                    commands.push(Command::Cancel { id: StepIndex { job, step } });
                }
            }
            Input::Cancel if self.stop == Stop::No => self.cancel(&mut commands),
            Input::Kill => self.kill(&mut commands),
            Input::Start | Input::Decided { .. } | Input::Ended { .. } | Input::Cancel => {}
        }
        self.fill(&mut commands);
        commands
    }

    /// Whether the run has been asked to end.
    pub fn is_stopping(&self) -> bool {
        self.stop > Stop::No
    }

    /// Whether the job has used up its time.
    pub fn is_timed_out(&self, job: JobIndex) -> bool {
        self.jobs[job].timed_out
    }

    /// How the job ended, if it has.
    pub fn outcome(&self, job: JobIndex) -> Option<Outcome> {
        match self.jobs[job].phase {
            Phase::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// How the run would end if it ended now.
    pub fn run_outcome(&self) -> Outcome {
        if self.is_stopping() {
            Outcome::Cancelled
        } else if self.spoilt {
            Outcome::Failed
        } else {
            Outcome::Passed
        }
    }

    fn is_finally(&self, job: JobIndex) -> bool {
        self.graph.finally && job + 1 == self.jobs.len()
    }

    fn note(&mut self, job: JobIndex, outcome: Outcome) {
        match outcome {
            Outcome::Failed | Outcome::Unknown => self.fail(job),
            Outcome::Cancelled => self.jobs[job].cancelled = true,
            Outcome::Passed | Outcome::AllowedToFail | Outcome::Skipped => {}
        }
    }

    fn fail(&mut self, job: JobIndex) {
        self.jobs[job].failed = true;
        self.spoilt |= !self.graph.jobs[job].continue_on_error;
    }

    /// Starts ready jobs while there are free places, then `finally`, then ends the run.
    fn fill(&mut self, commands: &mut Vec<Command>) {
        while self.busy < self.max_parallel
            && let Some(job) = self.ready.pop_first()
        {
            self.busy += 1;
            if self.graph.jobs[job].conditional {
                self.jobs[job].phase = Phase::Deciding;
                commands.push(Command::Decide { job });
            } else {
                self.begin(job, commands);
            }
        }
        if !self.started || self.finished || self.left > 0 {
            return;
        }
        if self.graph.finally {
            let finally = self.jobs.len() - 1;
            match self.jobs[finally].phase {
                Phase::Waiting if self.stop == Stop::Killed => self.skip_job(finally, Reason::Cancelled, commands),
                Phase::Waiting => {
                    self.busy += 1;
                    self.begin(finally, commands);
                }
                _ => {}
            }
            if self.outcome(finally).is_none() {
                return;
            }
        }
        self.finished = true;
        commands.push(Command::FinishRun { outcome: self.run_outcome() });
    }

    fn begin(&mut self, job: JobIndex, commands: &mut Vec<Command>) {
        commands.push(Command::Begin { job });
        self.go_on(job, 0, commands);
    }

    /// Goes on with the job at this step: starts it, or skips it and those after it, or ends the job.
    fn go_on(&mut self, job: JobIndex, from: usize, commands: &mut Vec<Command>) {
        for step in from..self.graph.jobs[job].steps {
            let id = StepIndex { job, step };
            match self.reason_to_skip(id) {
                Some(reason) => {
                    self.jobs[job].cancelled |= reason == Reason::Cancelled;
                    commands.push(Command::Skip { id, reason });
                }
                None => {
                    self.jobs[job].phase = Phase::Running(step);
                    commands.push(Command::Start { id });
                    return;
                }
            }
        }
        self.busy -= 1;
        let state = &self.jobs[job];
        let outcome = match () {
            () if state.failed && self.graph.jobs[job].continue_on_error => Outcome::AllowedToFail,
            () if state.failed => Outcome::Failed,
            () if state.cancelled => Outcome::Cancelled,
            () => Outcome::Passed,
        };
        self.finish_job(job, outcome, !outcome.is_good(), commands);
    }

    fn reason_to_skip(&self, id: StepIndex) -> Option<Reason> {
        let job = &self.jobs[id.job];
        if self.stop == Stop::Killed {
            return Some(Reason::Cancelled);
        }
        if job.timed_out {
            return Some(Reason::JobTimedOut);
        }
        // Steps of `finally` run whatever happened, also to each other.
        if self.is_finally(id.job) {
            return None;
        }
        if job.failed {
            return Some(Reason::EarlierStepFailed);
        }
        (self.is_stopping() || job.cancelled).then_some(Reason::Cancelled)
    }

    /// All needs of the job are done.
    fn make_ready(&mut self, job: JobIndex, commands: &mut Vec<Command>) {
        match self.reason_to_skip_job(job) {
            Some(reason) => self.skip_job(job, reason, commands),
            None => {
                self.ready.insert(job);
            }
        }
    }

    fn reason_to_skip_job(&self, job: JobIndex) -> Option<Reason> {
        if self.is_stopping() {
            return Some(Reason::Cancelled);
        }
        self.jobs[job].bad_need.map(|need| Reason::Need { need })
    }

    fn skip_job(&mut self, job: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        self.skip_steps(job, reason, commands);
        self.finish_job(job, Outcome::Skipped, reason != Reason::Condition, commands);
    }

    fn skip_steps(&self, job: JobIndex, reason: Reason, commands: &mut Vec<Command>) {
        let steps = 0..self.graph.jobs[job].steps;
        commands.extend(steps.map(|step| Command::Skip { id: StepIndex { job, step }, reason }));
    }

    /// Ends the job and all that can now only be skipped. `bad`: whether what needs it is skipped.
    fn finish_job(&mut self, job: JobIndex, outcome: Outcome, bad: bool, commands: &mut Vec<Command>) {
        let mut done = VecDeque::from([(job, outcome, bad)]);
        while let Some((job, outcome, bad)) = done.pop_front() {
            self.jobs[job].phase = Phase::Done(outcome);
            self.spoilt |= !outcome.is_good();
            commands.push(Command::Finish { job, outcome });
            if !self.is_finally(job) {
                self.left -= 1;
            }
            for at in 0..self.dependents[job].len() {
                let dependent = self.dependents[job][at];
                self.jobs[dependent].waiting -= 1;
                if bad {
                    self.jobs[dependent].bad_need.get_or_insert(job);
                }
                if self.jobs[dependent].waiting > 0 || self.jobs[dependent].phase != Phase::Waiting {
                    continue;
                }
                match self.reason_to_skip_job(dependent) {
                    None => {
                        self.ready.insert(dependent);
                    }
                    Some(reason) => {
                        self.skip_steps(dependent, reason, commands);
                        done.push_back((dependent, Outcome::Skipped, true));
                    }
                }
            }
        }
    }

    fn cancel(&mut self, commands: &mut Vec<Command>) {
        self.stop = Stop::Cancelled;
        for job in 0..self.jobs.len() {
            if let Phase::Running(step) = self.jobs[job].phase
                && !self.is_finally(job)
            {
                commands.push(Command::Cancel { id: StepIndex { job, step } });
            }
        }
        self.skip_ready(commands);
    }

    /// Skips the jobs that were ready when the run was asked to end.
    fn skip_ready(&mut self, commands: &mut Vec<Command>) {
        for job in std::mem::take(&mut self.ready) {
            self.make_ready(job, commands);
        }
    }

    fn kill(&mut self, commands: &mut Vec<Command>) {
        self.stop = Stop::Killed;
        self.skip_ready(commands);
        for job in 0..self.jobs.len() {
            match self.jobs[job].phase {
                Phase::Running(step) => {
                    commands.push(Command::Kill { id: StepIndex { job, step } });
                    self.jobs[job].cancelled = true;
                    self.go_on(job, step + 1, commands);
                }
                Phase::Deciding => {
                    self.busy -= 1;
                    self.skip_job(job, Reason::Cancelled, commands);
                }
                Phase::Waiting | Phase::Done(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
