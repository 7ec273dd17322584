//! Steps in the background: their ports, when they can be used, how they end.

use std::time::Duration;

use serde_json::{Map, json};
use sluice_model::{Digest, Event, EventKind, Failure, FailureKind, Kind, Outcome, Place, StepId, Told};
use sluice_plan::{Decided, Job, Step, When};
use sluice_workflow::background::Port;
use tokio::task::{AbortHandle, Id};
use tokio::time::Instant;

use super::step::{Running, duration, with_port};
use super::timers::Timer;
use super::{Dispatcher, Task, planned};
use crate::runner::{Action, Cancel, Said, StepEvents, StepReport, StepRunner};
use crate::scheduler::{CellIndex, Input, StepIndex};

/// How long after its time a probe has to say why it gives up.
const GRACE_OF_PROBE: Duration = Duration::from_secs(10);

/// How far a step in the background has come.
#[derive(Debug, Default)]
pub struct Waiting {
    ready: bool,
    /// Whether lines of its log are looked at.
    reads_log: bool,
    probe: Option<Probe>,
    /// Whether it was asked to end because nothing needs it any more.
    stopped: bool,
    /// Why it was asked to end, if it did not become ready.
    late: Option<Failure>,
}

#[derive(Debug)]
struct Probe {
    task: AbortHandle,
    cancel: Cancel,
}

impl Running {
    /// What the task does for this step, if it is one of its own.
    pub fn is(&self, task: Id, id: StepIndex) -> Option<Task> {
        let probe = self.background.as_ref().and_then(|waiting| waiting.probe.as_ref());
        match () {
            () if self.task.id() == task => Some(Task::Step(id)),
            () if probe.is_some_and(|probe| probe.task.id() == task) => Some(Task::Probe(id)),
            () => None,
        }
    }

    /// Nobody wants to know any more whether it is ready.
    pub fn end_probe(&mut self) {
        if let Some(probe) = self.background.as_mut().and_then(|waiting| waiting.probe.take()) {
            probe.cancel.cancel();
        }
    }

    /// Whether a line of its log could make it ready.
    pub fn reads_log(&self) -> bool {
        self.background.as_ref().is_some_and(|waiting| waiting.reads_log && !waiting.ready)
    }
}

/// How people speak of it.
fn title(step: &Step) -> String {
    match &step.background {
        Some(background) if step.is_service() => format!("service `{}`", background.name),
        _ => format!("step `{}`", step.id),
    }
}

impl<R: StepRunner, S: FnMut(&Event)> Dispatcher<R, S> {
    /// Finds the ports of a cell that begins, so that everything in it can read them.
    pub(super) fn give_ports(&mut self, cell: CellIndex) {
        let plan = self.plan.clone();
        let Some((_, steps)) = planned(&plan, cell) else { return };
        let mut services = Map::new();
        for background in steps.iter().filter_map(|step| step.background.as_ref()) {
            let port = match background.port {
                None => continue,
                Some(Port::Fixed(port)) => Ok(port),
                Some(Port::Auto) => self.runner.port(None),
            };
            match port {
                Ok(port) => drop(services.insert(background.name.clone(), json!({"port": port}))),
                Err(why) => {
                    let failure = Failure::new(FailureKind::Failed, "no port was found for the services of the job");
                    self.cell(cell).no_port = Some(failure.cause(why));
                }
            }
        }
        if steps.iter().any(|step| step.background.is_some()) {
            self.cell(cell).services = Some(services.into());
        }
    }

    /// The port of a step that starts now; a fixed one must be free.
    pub(super) fn take_port(&mut self, index: StepIndex, step: &Step) -> Result<Option<u16>, Failure> {
        let Some(background) = &step.background else { return Ok(None) };
        let cell = self.cell(index.cell);
        if let Some(failure) = &cell.no_port {
            return Err(failure.clone());
        }
        if let Some(Port::Fixed(port)) = background.port {
            self.runner.port(Some(port)).map_err(|why| {
                Failure::new(FailureKind::Failed, format!("{} cannot have port {port}", title(step)))
                    .cause(why)
                    .help("`port: auto` finds one that is free")
            })?;
            return Ok(Some(port));
        }
        Ok(self.port(index, step))
    }

    /// The port of a step in the background, if it has one.
    pub(super) fn port(&self, index: StepIndex, step: &Step) -> Option<u16> {
        let background = step.background.as_ref()?;
        if let Some(Port::Fixed(port)) = background.port {
            return Some(port);
        }
        let services = self.jobs[index.cell.job].cells[index.cell.cell].services.as_ref()?;
        u16::try_from(services.get(&background.name)?.get("port")?.as_u64()?).ok()
    }

    /// The step has been started: tells when it is ready, or sees to it that this is found out.
    pub(super) fn await_ready(&mut self, index: StepIndex, job: &Job, step: &Step) -> Option<Input> {
        let background = step.background.as_ref()?;
        let Some(ready) = &background.ready else { return self.tell_ready(index) };
        let time = Duration::from_millis(ready.timeout_ms);
        match &ready.when {
            When::Says(_) => {
                self.running.get_mut(&index)?.background.as_mut()?.reads_log = true;
                self.timers.set(Instant::now() + time, Timer::Ready(index));
            }
            When::Passes(probe) => match self.decide_probe(index, job, step, probe) {
                Ok(decided) => {
                    self.spawn_probe(index, probe, &decided);
                    self.timers.set(Instant::now() + time + GRACE_OF_PROBE, Timer::Ready(index));
                }
                Err(failure) => self.not_ready(index, failure),
            },
        }
        None
    }

    fn decide_probe(&mut self, index: StepIndex, job: &Job, step: &Step, probe: &Step) -> Result<Decided, Failure> {
        let scope = self.step_scope(index, job, step)?;
        let decided = match &probe.decided {
            Some(decided) => decided.clone(),
            None => {
                let scope = self.with_results(index.cell, job, scope, &probe.with.expressions());
                let with = probe.with.evaluate(&scope.context).map_err(|problem| self.failure(job, problem))?;
                sluice_plan::decide(probe, with, scope.env().clone())?
            }
        };
        let own = self.running.get(&index).and_then(|running| running.decided.env.get("PORT")?.parse().ok());
        Ok(with_port(decided, step, own))
    }

    fn spawn_probe(&mut self, index: StepIndex, probe: &Step, decided: &Decided) {
        let Some(started) = self.running.get(&index).map(|running| running.started) else { return };
        let id = StepId::new(&self.jobs[index.cell.job].cells[index.cell.cell].name, &probe.id);
        let action = if probe.command { Action::Command } else { Action::Run(Kind::Task) };
        let mut call = self.call(index.cell.job, probe, id.clone(), action, decided, (started, 1));
        let cancel = call.cancel.clone();
        call.limits.time_ms += u64::try_from(GRACE_OF_PROBE.as_millis()).unwrap_or_default();
        // What it looks at is the step's own port.
        call.port = self.running.get(&index).and_then(|running| running.port);
        self.probes.insert(id.clone(), probe.digest);
        let (runner, events) = (self.runner.clone(), StepEvents::new(id, self.say.clone()));
        let task = self.tasks.spawn(async move { (Task::Probe(index), runner.run(call, events).await) });
        if let Some(waiting) = self.running.get_mut(&index).and_then(|running| running.background.as_mut()) {
            waiting.probe = Some(Probe { task, cancel });
        }
    }

    /// What was decided on a probe is told like all decisions. What it says otherwise is only why the step is not ready.
    pub(super) fn hear_probe(&mut self, id: &StepId, digest: Digest, said: Said) {
        let id = id.clone();
        match said {
            Said::Decided(Told::Ruling(ruling)) => self.emit(EventKind::Decision { id, digest, ruling }),
            Said::Decided(Told::Counted { repeated, left_out }) => {
                self.emit(EventKind::DecisionsCounted { id, repeated, left_out });
            }
            _ => {}
        }
    }

    fn tell_ready(&mut self, index: StepIndex) -> Option<Input> {
        let now = self.now();
        let running = self.running.get_mut(&index)?;
        let (id, duration_ms) = (running.id.clone(), now.saturating_sub(running.started));
        running.background.as_mut()?.ready = true;
        self.emit_at(now, EventKind::StepReady { id, duration_ms });
        Some(Input::Ready { id: index })
    }

    /// A probe has ended. Nothing if nobody asked any more.
    pub(super) fn probed(&mut self, index: StepIndex, failure: Option<Failure>) -> Option<Input> {
        self.running.get_mut(&index)?.background.as_mut()?.probe.take()?;
        match failure {
            None => self.tell_ready(index),
            Some(failure) => {
                self.not_ready(index, failure);
                None
            }
        }
    }

    /// The step has said something.
    pub(super) fn look_for_ready(&mut self, index: StepIndex, text: &str) {
        let plan = self.plan.clone();
        let ready =
            planned(&plan, index.cell).and_then(|(_, steps)| steps[index.step].background.as_ref()?.ready.as_ref());
        let Some(When::Says(pattern)) = ready.map(|ready| &ready.when) else { return };
        if text.lines().any(|line| pattern.is_match(line))
            && let Some(input) = self.tell_ready(index)
        {
            self.feed(input);
        }
    }

    /// The time is over in which it should have become ready.
    pub(super) fn ready_too_late(&mut self, index: StepIndex) {
        let why = match self.running.get(&index) {
            Some(running) if running.cancel.is_cancelled() => return,
            Some(running) if running.reads_log() => "no line of its output matched",
            Some(running) if running.background.as_ref().is_some_and(|waiting| waiting.probe.is_some()) => {
                "what looks at it has not answered"
            }
            _ => return,
        };
        self.not_ready(index, Failure::new(FailureKind::TimedOut, why));
    }

    /// Ends a step that will not become ready.
    fn not_ready(&mut self, index: StepIndex, why: Failure) {
        let plan = self.plan.clone();
        let Some(step) = planned(&plan, index.cell).map(|(_, steps)| &steps[index.step]) else { return };
        let Some(ready) = step.background.as_ref().and_then(|background| background.ready.as_ref()) else { return };
        let (title, time) = (title(step), duration(ready.timeout_ms));
        let in_time = matches!(why.kind, FailureKind::Failed | FailureKind::Transient | FailureKind::TimedOut);
        let (kind, message) = match in_time {
            true => (FailureKind::TimedOut, format!("{title} was not ready within {time}")),
            false => (why.kind, format!("nobody can tell whether {title} is ready")),
        };
        let place =
            why.place.unwrap_or_else(|| Box::new(Place::new(&step.source, ready.span, "this did not come true")));
        let causes = std::iter::once(why.message).chain(why.causes).collect();
        let failure = Failure { causes, help: why.help, place: Some(place), ..Failure::new(kind, message) };
        if let Some(waiting) = self.running.get_mut(&index).and_then(|running| running.background.as_mut()) {
            waiting.late = Some(failure);
        }
        self.cancel_step(index);
    }

    /// Nothing needs the step any more.
    pub(super) fn stop_step(&mut self, index: StepIndex) -> Option<Input> {
        if let Some(waiting) = self.running.get_mut(&index).and_then(|running| running.background.as_mut()) {
            waiting.stopped = true;
        }
        self.cancel_step(index)
    }

    /// What the end of a step in the background means: one that was stopped has done what it was for, one that ended by
    /// itself has not.
    pub(super) fn background_report(
        &self,
        index: StepIndex,
        waiting: Waiting,
        cancelled: bool,
        report: StepReport,
    ) -> StepReport {
        if let Some(probe) = waiting.probe {
            probe.cancel.cancel();
        }
        if waiting.late.is_some() {
            return StepReport { failure: waiting.late, ..report };
        }
        if waiting.stopped {
            // It may still run, or nobody knows.
            let kinds = [FailureKind::TimedOut, FailureKind::Internal];
            return StepReport { failure: report.failure.filter(|failure| kinds.contains(&failure.kind)), ..report };
        }
        let step = planned(&self.plan, index.cell).map(|(_, steps)| &steps[index.step]);
        // One that is killed was not asked before.
        let cancelled =
            cancelled || report.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Cancelled);
        let Some(step) = step.filter(|_| !cancelled) else { return report };
        let early = if waiting.ready { "before its job had ended" } else { "before it was ready" };
        let message = format!("{} ended {early}", title(step));
        let failure = match report.failure {
            Some(failure) => {
                let causes = std::iter::once(failure.message).chain(failure.causes).collect();
                Failure { message, causes, ..failure }
            }
            None => {
                let code = report.outputs.get("exit-code").map(|code| format!("it ended with exit code {code}"));
                Failure::new(FailureKind::Failed, message)
                    .cause(code.unwrap_or_else(|| "it ended without a failure".to_owned()))
                    .help("its program must stay in the foreground until it is stopped")
            }
        };
        StepReport { failure: Some(failure), ..report }
    }

    /// Whether nothing in the cell has to run again, so that nothing needs its services.
    pub(super) fn stands(&self, cell: CellIndex, steps: &[Step]) -> bool {
        let name = &self.jobs[cell.job].cells[cell.cell].name;
        let (background, others): (Vec<&Step>, Vec<&Step>) = steps.iter().partition(|step| step.background.is_some());
        let failed = |step: &&Step| self.options.reuse.outcome(&StepId::new(name, &step.id)) == Some(Outcome::Failed);
        others.iter().all(|step| self.options.reuse.is_settled(&StepId::new(name, &step.id)))
            && !background.iter().any(failed)
    }
}
