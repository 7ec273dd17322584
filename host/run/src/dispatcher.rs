//! The one loop of a run: starts steps, listens to them, stamps time and sequence, hands on events.

mod approval;
mod authority;
mod background;
mod call;
mod cell;
mod items;
mod job;
mod retrying;
mod step;
mod summary;
#[cfg(test)]
mod tests;
mod timers;
mod values;
mod verdict;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use sluice_model::{ApprovalRequest, Decision, Digest, Event, EventKind, Failure, FailureKind, Outcome, StepId};
use sluice_plan::{Plan, Scope};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::reuse::Reuse;
use crate::runner::{Said, StepReport, StepRunner};
use crate::scheduler::{CellIndex, Command, Graph, Input, Node, Scheduler, StepIndex, StepNode};
use authority::Authority;
use job::JobState;
use retrying::Retrying;
use step::Running;
use summary::SoFar;
use timers::{Timer, Timers};
use values::Results;

/// How long after its time limit a step is given up by the dispatcher, when its runner has not ended it. Longer than a
/// runner needs to compile a plugin and to end the programs of a step.
const GRACE_AFTER_LIMIT: Duration = Duration::from_secs(30);

/// How long a step has to end after it was asked to.
const GRACE_AFTER_CANCEL: Duration = Duration::from_secs(15);

/// How long a run that was killed waits for its steps to be dropped.
const GRACE_AFTER_KILL: Duration = Duration::from_secs(1);

/// Events of steps taken in at once, so that a chatty step does not keep others waiting.
const BATCH: usize = 256;

/// Asks somebody, or says that nobody can be asked.
pub type Ask = Arc<dyn Fn(&ApprovalRequest) -> bool + Send + Sync>;

/// How to run a plan.
#[derive(Clone)]
pub struct Options {
    pub run_id: String,
    /// Jobs at once.
    pub max_parallel: NonZeroUsize,
    /// Deploy steps only plan, notify steps are skipped. Everything else runs.
    pub dry_run: bool,
    /// Whether the first failure of a job ends the run.
    pub fail_fast: bool,
    /// Results that stand from before.
    pub reuse: Reuse,
    /// The user of the system who started the run.
    pub started_by: Option<String>,
    /// Called when somebody is to be asked. True if an answer may come while the run goes on, by [`Control::Answer`].
    pub ask: Ask,
    /// Sequence number of the first event.
    pub first_seq: u64,
    /// Milliseconds since the Unix epoch.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Options {
    /// A run from the beginning that runs everything.
    pub fn new(
        run_id: impl Into<String>,
        max_parallel: NonZeroUsize,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        Self {
            run_id: run_id.into(),
            max_parallel,
            dry_run: false,
            fail_fast: false,
            reuse: Reuse::default(),
            started_by: None,
            ask: Arc::new(|_| false),
            first_seq: 0,
            clock: Arc::new(clock),
        }
    }
}

/// What people ask of a running run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// What somebody says whom [`Options::ask`] asked.
    Answer(Decision),
    /// Whoever was asked about this job has gone away without an answer.
    NoAnswer { job: String },
    /// End in order: running steps are asked to end, `finally` runs.
    Cancel,
    /// The same, and the record says for whom.
    CancelFor(String),
    /// End now.
    Kill,
}

/// How running ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Finished(Outcome),
    /// All that is left waits for an answer that nobody can give here. The run goes on another time.
    Parked,
}

/// Runs the plan to its end, or until nobody can go on, and hands every event to `sink`, in order. Never fails: what goes wrong is an outcome.
///
/// The sink returns nothing, so that no record or report can change a verdict. When `control` is closed, nobody can
/// cancel the run any more.
pub async fn run<R: StepRunner>(
    plan: Arc<Plan>,
    runner: Arc<R>,
    options: Options,
    mut control: mpsc::Receiver<Control>,
    sink: impl FnMut(&Event),
) -> End {
    let (say, mut said) = mpsc::unbounded_channel();
    let mut dispatcher = Dispatcher::new(plan, runner, options, say, sink);
    dispatcher.start();
    let mut heard = Vec::new();
    let mut controlled = true;
    while dispatcher.finished.is_none() {
        tokio::select! {
            biased;
            order = control.recv(), if controlled => match order {
                Some(Control::Cancel) => dispatcher.feed(Input::Cancel),
                Some(Control::CancelFor(by)) => {
                    dispatcher.emit(EventKind::RunCancelled { by });
                    dispatcher.feed(Input::Cancel);
                }
                Some(Control::Kill) => dispatcher.feed(Input::Kill),
                Some(Control::Answer(decision)) => dispatcher.answer(decision),
                Some(Control::NoAnswer { job }) => dispatcher.nobody(&job),
                None => controlled = false,
            },
            (at, timer) = dispatcher.timers.next() => dispatcher.time(at, timer),
            Some(ended) = dispatcher.tasks.join_next() => {
                // What the step said before it ended comes before its end.
                for _ in 0..said.len() {
                    if let Ok((id, said)) = said.try_recv() {
                        dispatcher.hear(&id, said);
                    }
                }
                dispatcher.ended(ended);
            }
            _ = said.recv_many(&mut heard, BATCH) => heard.drain(..).for_each(|(id, said)| dispatcher.hear(&id, said)),
        }
    }
    let end = dispatcher.finished.unwrap_or(End::Finished(Outcome::Unknown));
    // Dropping a step's future is what ends the programs it runs.
    let _ = tokio::time::timeout(GRACE_AFTER_KILL, dispatcher.tasks.shutdown()).await;
    end
}

/// What a task runs for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Step(StepIndex),
    /// Looks whether the step is ready.
    Probe(StepIndex),
}

struct Dispatcher<R, S> {
    plan: Arc<Plan>,
    runner: Arc<R>,
    options: Options,
    sink: S,
    seq: u64,
    started: u64,
    scheduler: Scheduler,
    commands: VecDeque<Command>,
    /// Of the workflow as a whole.
    scope: Result<Scope, Failure>,
    jobs: Vec<JobState>,
    /// Of the jobs that have ended.
    needs: Results,
    so_far: SoFar,
    tasks: JoinSet<(Task, StepReport)>,
    running: BTreeMap<StepIndex, Running>,
    /// Steps that wait for their next attempt.
    retrying: BTreeMap<StepIndex, Retrying>,
    /// Names of the secrets whose values were handed into a step that has not ended, by any of its attempts.
    tainted: BTreeMap<StepIndex, Vec<String>>,
    names: HashMap<StepId, StepIndex>,
    /// What looks whether steps in the background are ready.
    probes: HashMap<StepId, Digest>,
    say: mpsc::UnboundedSender<(StepId, Said)>,
    timers: Timers,
    authority: Authority,
    finished: Option<End>,
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    fn new(
        plan: Arc<Plan>,
        runner: Arc<R>,
        options: Options,
        say: mpsc::UnboundedSender<(StepId, Said)>,
        sink: S,
    ) -> Self {
        let started = (options.clock)();
        let graph = graph(&plan, options.fail_fast);
        Self {
            jobs: plan.all_jobs().map(JobState::new).collect(),
            scheduler: Scheduler::new(graph, options.max_parallel),
            scope: Scope::new(&plan.context).enter(&plan.env).map_err(|problem| values::failure(problem, &plan.source)),
            so_far: SoFar::new(&plan, options.run_id.clone(), started),
            plan,
            runner,
            seq: options.first_seq,
            options,
            sink,
            needs: Results::default(),
            started,
            commands: VecDeque::new(),
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            retrying: BTreeMap::new(),
            tainted: BTreeMap::new(),
            names: HashMap::new(),
            probes: HashMap::new(),
            say,
            timers: Timers::default(),
            authority: Authority::default(),
            finished: None,
        }
    }

    fn start(&mut self) {
        let cells = self.plan.all_jobs().flat_map(|job| &job.cells);
        let jobs = cells.map(|cell| (cell.name.clone(), cell.steps.iter().map(|step| step.id.clone()).collect()));
        let jobs = jobs.collect();
        let (run, workflow) = (self.options.run_id.clone(), self.plan.workflow.clone());
        let (file, plan) = (self.plan.source.name().to_owned(), self.plan.digest);
        let kind = match &self.options.reuse.of {
            None => EventKind::RunStarted { run, workflow, file, plan, jobs },
            Some(of) => {
                let from = (*of != run).then(|| of.clone());
                EventKind::RunResumed { run, workflow, file, plan, jobs, from }
            }
        };
        self.emit_at(self.started, kind);
        if let Some(timeout) = self.plan.timeout_ms {
            self.timers.set(Instant::now() + Duration::from_millis(timeout), Timer::Run);
        }
        self.feed(Input::Start);
    }

    fn now(&self) -> u64 {
        (self.options.clock)()
    }

    fn emit_at(&mut self, at: u64, kind: EventKind) {
        (self.sink)(&Event { seq: self.seq, at, kind });
        self.seq += 1;
    }

    fn emit(&mut self, kind: EventKind) {
        self.emit_at(self.now(), kind);
    }

    /// Tells the scheduler, and does all that it says until it waits for the outside again.
    fn feed(&mut self, input: Input) {
        self.commands.extend(self.scheduler.handle(input));
        while let Some(command) = self.commands.pop_front() {
            let answer = match command {
                Command::Decide { job } => Some(self.decide_job(job)),
                Command::Ask { job } => self.ask_job(job),
                Command::Begin { cell } => self.begin_cell(cell),
                Command::Spread { id } => self.spread_step(id),
                Command::Start { id } => self.start_step(id),
                Command::Skip { id, reason } => self.skip_step(id, reason),
                Command::Stop { id } => self.stop_step(id),
                Command::Cancel { id } => self.cancel_step(id),
                Command::Kill { id } => self.kill_step(id),
                Command::FinishCell { cell, outcome } => self.finish_cell(cell, outcome),
                Command::Finish { job, outcome } => self.finish_job(job, outcome),
                Command::FinishRun { outcome } => self.finish_run(outcome),
                Command::Park => self.park(),
            };
            if let Some(input) = answer {
                self.commands.extend(self.scheduler.handle(input));
            }
        }
    }

    /// A task has ended. One that was given up before is not looked at any more.
    fn ended(&mut self, ended: Result<(Task, StepReport), JoinError>) {
        let (task, report) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let task = error.id();
                let Some(task) = self.running.iter().find_map(|(id, running)| running.is(task, *id)) else { return };
                let failure = Failure::new(FailureKind::Internal, "the host panicked while it ran this step");
                (task, StepReport { failure: Some(failure), outputs: Default::default() })
            }
        };
        let answer = match task {
            Task::Step(id) => self.finish_step(id, report),
            Task::Probe(id) => self.probed(id, report.failure),
        };
        if let Some(answer) = answer {
            self.feed(answer);
        }
    }

    fn time(&mut self, at: Instant, timer: Timer) {
        match timer {
            Timer::Approval(job) => self.approval_timed_out(job),
            Timer::Run => self.feed(Input::RunTimedOut),
            Timer::Cell(cell) if self.scheduler.is_running(cell) => self.feed(Input::TimedOut { cell }),
            Timer::Retry(id) => {
                if let Some(answer) = self.try_again(id) {
                    self.feed(answer);
                }
            }
            Timer::Step(id) if self.running.get(&id).is_some_and(|running| running.deadline <= at) => {
                if let Some(answer) = self.give_up(id) {
                    self.feed(answer);
                }
            }
            Timer::Ready(id) => self.ready_too_late(id),
            Timer::Cell(_) | Timer::Step(_) => {}
        }
    }

    fn finish_run(&mut self, outcome: Outcome) -> Option<Input> {
        self.finished = Some(End::Finished(outcome));
        // A dry run does not come to what deploy steps need.
        if let Some(message) = self.authority.unused(&self.plan).filter(|_| !self.options.dry_run) {
            self.emit(EventKind::Warning { message });
        }
        let now = self.now();
        self.emit_at(now, EventKind::RunFinished { outcome, duration_ms: now.saturating_sub(self.started) });
        None
    }
}

fn graph(plan: &Plan, fail_fast: bool) -> Graph {
    let step = |step: &sluice_plan::Step| StepNode {
        status_aware: step.condition.as_ref().is_some_and(|condition| condition.uses_status()),
        for_each: step.for_each.is_some(),
        max_parallel: step.max_parallel,
        fail_fast: step.fail_fast,
        background: step.background.is_some(),
    };
    let node = |job: &sluice_plan::Job| Node {
        needs: job.needs.iter().filter_map(|need| plan.jobs.get_index_of(need)).collect(),
        asks: job.condition.is_some() || job.matrix.is_some() || job.call.is_some(),
        guarded: job.is_guarded(),
        status_aware: job.condition.as_ref().is_some_and(|condition| condition.uses_status()),
        cells: job.cells.len(),
        max_parallel: job.max_parallel,
        fail_fast: match &job.call {
            Some(call) => call.workflow.fail_fast,
            None => job.fail_fast && (job.matrix.is_some() || job.cells.len() > 1),
        },
        continue_on_error: job.continue_on_error.is_known_true(),
        calls: job.call.is_some(),
        inside: job.inside,
        hook: job.hook,
        steps: job.steps(0).iter().map(step).collect(),
    };
    Graph {
        jobs: plan.all_jobs().map(node).collect(),
        hooks: plan.hooks.iter().map(|(hook, _)| *hook).collect(),
        fail_fast,
    }
}

/// The cell's jobs and steps in the plan.
fn planned(plan: &Plan, cell: CellIndex) -> Option<(&sluice_plan::Job, &[sluice_plan::Step])> {
    let job = plan.job(cell.job)?;
    Some((job, job.steps(cell.cell)))
}
