//! Runs a plan to its end: secrets, engine, record, screen, signals.

use std::future::Future;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sluice_group::Place;
use sluice_model::{Event, Outcome, Problem};
use sluice_record::{Contents, RecordError, Recorder, RunId};
use sluice_run::{Control, End, Options, Reuse};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::approver::Approver;
use crate::command::run::run_id;
use crate::engine::{engine, plugin};
use crate::origin::{Origin, Settings};
use crate::output::Output;
use crate::prepare::Prepared;
use crate::receipt::{self, Request};
use crate::screen::{Mode, Screen, now};
use crate::secrets::{self, Unavailable};
use crate::signals::Signals;
use crate::turn::{self, Claim, NoTurn};
use crate::{confinement, exit, host, machine, protected, retention, user};

/// What to run and how.
pub struct Execution<'e> {
    pub workspace: &'e Path,
    pub id: RunId,
    pub prepared: Prepared,
    pub settings: Settings,
    pub mode: Mode,
    /// Results that stand, and the record to go on with, if it is that of the same run.
    pub reuse: Reuse,
    pub record: Option<Recorder>,
    /// The user of the system who started the run.
    pub started_by: Option<String>,
    /// Whether a run with this id must not have been before.
    pub once: bool,
    /// Signed when the run has ended.
    pub receipt: Option<Request>,
}

impl<'e> Execution<'e> {
    /// A new run with plain output, as the workflow wants it.
    pub fn new(workspace: &'e Path, id: RunId, prepared: Prepared) -> Self {
        let plan = &prepared.plan;
        let settings = Settings { dry_run: false, fail_fast: plan.fail_fast, max_parallel: plan.max_parallel };
        Self {
            workspace,
            id,
            prepared,
            settings,
            mode: Mode::Plain,
            reuse: Reuse::default(),
            record: None,
            started_by: Some(user::name()),
            once: false,
            receipt: None,
        }
    }

    /// Runs it. When `stop` is ready the run is cancelled in order. Gives the exit code, unless the machine is at fault.
    pub fn run(self, output: &Output, stop: impl Future<Output = ()>) -> Result<u8, Problem> {
        let Self { workspace, id, prepared, settings, mode, reuse, record, started_by, once, receipt } = self;
        if let Err(problems) = machine::check(&prepared.plan, workspace) {
            output.problems(&problems);
            return Ok(exit::REFUSED);
        }
        if let Err(problem) = confinement::check(&prepared.plan) {
            output.problems(&[problem]);
            return Ok(exit::REFUSED);
        }
        let runtime = host::runtime()?;
        let mut signals = Signals::new(&runtime)?;
        tokio::pin!(stop);
        let taking = turn::take(Claim::of(&prepared.plan), id.as_str(), workspace, &mut signals, stop.as_mut(), output);
        let place = match runtime.block_on(taking) {
            Ok(place) => place,
            Err(NoTurn::Ended(code)) => return Ok(code),
            Err(NoTurn::Refused(problem)) => {
                output.problems(&[problem]);
                return Ok(exit::REFUSED);
            }
        };
        let secrets = match secrets::for_plan(&prepared.plan, workspace, &runtime, &mut signals, output) {
            Ok(secrets) => secrets,
            Err(unavailable) => {
                // Somebody may still be asked at a terminal; nobody waits for the answer.
                runtime.shutdown_background();
                return Ok(match unavailable {
                    Unavailable::Signal(code) => code,
                    Unavailable::Refused(problems) => {
                        output.problems(&problems);
                        exit::REFUSED
                    }
                });
            }
        };
        let runner = engine(workspace, secrets, protected::of(Some(&prepared.plan)))?;
        let (mut id, mut prepared) = (id, prepared);
        let mut record = match record {
            Some(recorder) => Record { recorder: Some(recorder), error: None },
            None => Record::create(workspace, &prepared, settings, &started_by, &id),
        };
        while let Some(error @ RecordError::Exists { .. }) = &record.error {
            if once {
                output.problems(&[Problem::from(error)]);
                return Ok(exit::REFUSED);
            }
            // Another run began in the same millisecond. This one takes another name, and its plan with it.
            id = run_id()?;
            prepared = match prepared.renamed(workspace, &id) {
                Ok(prepared) => prepared,
                Err(problems) => {
                    output.problems(&problems);
                    return Ok(exit::REFUSED);
                }
            };
            record = Record::create(workspace, &prepared, settings, &started_by, &id);
        }
        for (reference, component) in prepared.components {
            let declared = host::declared(&prepared.plan, &reference);
            runner.add(plugin(component, declared));
        }
        let shown = record.recorder.as_ref().map(|_| format!(".sluice/runs/{}", id.as_str()));
        let mut screen = Screen::new(mode, output, shown, workspace);
        let (orders, control) = mpsc::channel(2);
        let approver = Approver::new(&runtime, &prepared.plan, orders.clone(), screen.holder(), *output, mode);
        let options = Options {
            started_by,
            ask: approver.ask(),
            dry_run: settings.dry_run,
            fail_fast: settings.fail_fast,
            reuse,
            first_seq: record.recorder.as_ref().map_or(0, Recorder::next_seq),
            ..Options::new(id.as_str(), settings.max_parallel.unwrap_or_else(processors), now)
        };
        let signalled = Arc::new(OnceLock::new());
        let end = runtime.block_on(async {
            tokio::spawn(listen(orders.clone(), signalled.clone(), signals));
            let obey = |place: &Place| turn::obey(place.requests(), orders.clone(), signalled.clone());
            let obeying = place.as_ref().map(|place| tokio::spawn(obey(place)));
            let sink = |event: &Event| {
                record.append(event);
                screen.on_event(event);
                approver.on_event(event);
            };
            let run = sluice_run::run(Arc::new(prepared.plan), Arc::new(runner), options, control, sink);
            tokio::pin!(run);
            let end = tokio::select! {
                end = &mut run => end,
                () = &mut stop => {
                    // The run may have ended this moment.
                    let _ = orders.send(Control::Cancel).await;
                    run.await
                }
            };
            // Nobody can end it any more.
            obeying.iter().for_each(JoinHandle::abort);
            end
        });
        let unshown = screen.finish();
        let mut lost = false;
        match record.finish() {
            Some(error) if end == End::Parked => {
                lost = true;
                output.problems(&[error.help("nobody can approve a run without a record; run the workflow again")]);
            }
            Some(error) => {
                // Who asked for a receipt must not take silence for one.
                lost = receipt.is_some();
                output.problems(&[error.help("the verdict of the run stands; what is missing cannot be looked at again, and the run cannot be resumed")]);
            }
            None => {
                if let Some(problem) = receipt.and_then(|receipt| write(&receipt, workspace, &id, end)) {
                    lost = true;
                    output.problems(&[problem]);
                }
                output.problems(&retention::apply(workspace, &prepared.workflow));
            }
        }
        if let Some(error) = unshown {
            output.problems(&[
                Problem::new("host::output", "part of the output could not be written").cause(error.to_string())
            ]);
        }
        // The next run of the group begins when this one is on record.
        drop(place);
        // A step that hangs in the kernel keeps its thread; nobody waits for it.
        if signalled.get().is_some() {
            // What ends in the background still needs timers, as long as this process lives.
            std::mem::forget(runtime);
        } else {
            runtime.shutdown_background();
        }
        Ok(match (end, signalled.get()) {
            (_, Some(code)) => *code,
            (End::Parked, None) if lost => exit::FAILED,
            (End::Parked, None) => exit::PARKED,
            (End::Finished(outcome), None) if outcome.is_good() && !lost => exit::PASSED,
            (End::Finished(outcome), None) if outcome.is_good() => exit::FAILED,
            (End::Finished(Outcome::Failed | Outcome::Cancelled), None) => exit::FAILED,
            _ => exit::INTERNAL,
        })
    }
}

/// Writes the receipt of a run that has ended and is on record.
fn write(receipt: &Request, workspace: &Path, id: &RunId, end: End) -> Option<Problem> {
    if end == End::Parked {
        let shown = receipt.shown.display();
        return Some(
            Problem::new("host::receipt", format!("no receipt `{shown}` was written: the run has not ended"))
                .help(format!("when it has: sluice runs sign {id} --key KEY -o {shown}")),
        );
    }
    let run = receipt::open(workspace, id.as_str()).map_err(|error| Problem::from(&error));
    run.and_then(|run| receipt.write(&run)).err()
}

fn processors() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Turns the first SIGINT or SIGTERM into an orderly end and any further one into an immediate end. `first` becomes the
/// exit code that stands for the first.
async fn listen(orders: mpsc::Sender<Control>, first: Arc<OnceLock<u8>>, mut signals: Signals) {
    loop {
        let code = signals.next().await;
        let order = if first.set(code).is_ok() { Control::Cancel } else { Control::Kill };
        if orders.send(order).await.is_err() {
            return;
        }
    }
}

/// The record of a run. What goes wrong with it is kept for the end.
struct Record {
    recorder: Option<Recorder>,
    error: Option<RecordError>,
}

impl Record {
    fn create(
        workspace: &Path,
        prepared: &Prepared,
        settings: Settings,
        started_by: &Option<String>,
        id: &RunId,
    ) -> Self {
        let contents = Contents {
            plan_json: prepared.plan.json_line(),
            workflow_text: prepared.plan.source.text().to_owned(),
            origin_json: Origin::new(prepared, settings, started_by.clone()).to_json(),
        };
        match Recorder::create(&workspace.join(".sluice"), id.clone(), contents) {
            Ok(recorder) => Self { recorder: Some(recorder), error: None },
            Err(error) => Self { recorder: None, error: Some(error) },
        }
    }

    fn append(&mut self, event: &Event) {
        if let Some(recorder) = &mut self.recorder {
            recorder.append(event);
        }
    }

    fn finish(self) -> Option<Problem> {
        let error = match self.recorder {
            Some(recorder) => recorder.finish().err(),
            None => self.error,
        }?;
        let mut problem = Problem::from(&error);
        problem.message = format!("the record of this run is incomplete: {}", problem.message);
        Some(problem)
    }
}
