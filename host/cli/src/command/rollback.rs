//! `sluice rollback`

use std::collections::BTreeMap;
use std::future::pending;
use std::path::Path;
use std::pin::pin;

use indexmap::IndexMap;
use serde_json::{Value, json};
use sluice_engine::WasmRunner;
use sluice_model::audit::Told;
use sluice_model::name::job_of;
use sluice_model::{Event, EventKind, Grants, Limits, PluginRef, Problem, SecretSource, StepId};
use sluice_plan::SEPARATOR;
use sluice_plan::policy::Candidate;
use sluice_record::{RecordError, Recorder, Run, State};
use sluice_run::StepRunner;
use sluice_run::runner::{Action, Cancel, Said, StepCall, StepEvents, Summary};
use sluice_workflow::concurrency::WhenBusy;
use tokio::sync::mpsc;

use crate::args::RollbackArgs;
use crate::engine::{engine, plugin};
use crate::output::Output;
use crate::screen::now;
use crate::secrets::{self, Unavailable};
use crate::signals::Signals;
use crate::turn::{self, Claim, NoTurn};
use crate::{confinement, exit, host, plugins, policy, protected};

/// A deployment that a record holds the receipt of.
struct Deployment {
    id: StepId,
    plugin: PluginRef,
    digest: sluice_model::Digest,
    attempt: u32,
    receipt: Vec<u8>,
    inputs: Value,
    grants: Grants,
}

pub fn run(args: &RollbackArgs, from: &Path, output: &Output) -> u8 {
    let workspace = super::runs::workspace(from);
    let run = match sluice_record::open(&workspace.join(".sluice"), &args.run) {
        Ok(run) => run,
        Err(error) => return refuse(&[Problem::from(&error)], output),
    };
    if run.info().is_ok_and(|info| info.state == State::Incomplete) {
        let id = run.id();
        output.message(&format!("note: the record of run `{id}` is incomplete; it may lack deployments of this run\n"));
    }
    let deployments = match deployments(&run, args.step.as_deref()) {
        Ok(deployments) => deployments,
        Err(problem) => return refuse(&[problem], output),
    };
    if let Err(problems) = permit(&deployments, &workspace) {
        return refuse(&problems, output);
    }
    match roll_back(&run, &deployments, &workspace, output) {
        Ok(code) => code,
        Err(problems) => refuse(&problems, output),
    }
}

fn refuse(problems: &[Problem], output: &Output) -> u8 {
    output.problems(problems);
    exit::REFUSED
}

/// Deployments of the run, last first.
fn deployments(run: &Run, only: Option<&str>) -> Result<Vec<Deployment>, Problem> {
    let (mut started, mut found) = (BTreeMap::new(), Vec::new());
    for event in run.events().map_err(|error| Problem::from(&error))? {
        match event.map_err(|error| Problem::from(&error))?.kind {
            EventKind::StepStarted { id, plugin, digest, attempt, .. } => {
                started.insert(id, (plugin, digest, attempt));
            }
            EventKind::DeployApplied { id, receipt, inputs, grants } => {
                let Some((plugin, digest, attempt)) = started.get(&id).cloned() else { continue };
                let receipt = unhex(&receipt).ok_or_else(|| {
                    Problem::new("host::record-damaged", format!("the receipt of step `{id}` cannot be read"))
                })?;
                found.push(Deployment { id, plugin, digest, attempt, receipt, inputs, grants });
            }
            _ => {}
        }
    }
    found.reverse();
    if let Some(only) = only {
        found.retain(|deployment| deployment.id.to_string() == only);
    }
    if found.is_empty() {
        let whose = only.map_or_else(|| "this run".to_owned(), |step| format!("step `{step}`"));
        return Err(Problem::new("run::nothing-to-roll-back", format!("{whose} deployed nothing"))
            .help("`sluice runs list` lists the recorded runs"));
    }
    Ok(found)
}

/// What was permitted then must be permitted now.
fn permit(deployments: &[Deployment], workspace: &Path) -> Result<(), Vec<Problem>> {
    let policies = policy::read(workspace)?;
    let refused = deployments.iter().flat_map(|deployment| {
        let candidate = Candidate { reference: &deployment.plugin, digest: deployment.digest };
        policies.refuses_recorded(&format!("step `{}`", deployment.id), &candidate, &deployment.grants)
    });
    let runs_programs = deployments.iter().any(|deployment| !deployment.grants.exec.is_empty());
    let unconfined = policies.refuses_unconfined().filter(|_| runs_programs && confinement::leaves_unconfined());
    let refused: Vec<Problem> = refused.chain(unconfined).collect();
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    if digits.len().is_multiple_of(2) { pairs.collect() } else { None }
}

fn roll_back(run: &Run, deployments: &[Deployment], workspace: &Path, output: &Output) -> Result<u8, Vec<Problem>> {
    let runtime = host::runtime().map_err(|problem| vec![problem])?;
    let mut signals = Signals::new(&runtime).map_err(|problem| vec![problem])?;
    let plan = recorded_plan(run);
    let never = pin!(pending());
    let taking = turn::take(claim(&plan), run.id().as_str(), workspace, &mut signals, never, output);
    let _place = match runtime.block_on(taking) {
        Ok(place) => place,
        Err(NoTurn::Ended(code)) => return Ok(code),
        Err(NoTurn::Refused(problem)) => return Err(vec![problem]),
    };
    let granted = deployments.iter().flat_map(|deployment| {
        let names = recorded_names(&plan, &deployment.id.job);
        let value =
            move |name: &String| names.as_ref().map_or_else(|| Some(name.clone()), |all| all.get(name).cloned());
        deployment.grants.secrets.iter().filter_map(move |grant| value(&grant.name))
    });
    let secrets = match secrets::for_record(&sources(&plan), granted, workspace, &runtime, &mut signals) {
        Ok(secrets) => secrets,
        Err(unavailable) => {
            runtime.shutdown_background();
            return match unavailable {
                Unavailable::Signal(code) => Ok(code),
                Unavailable::Refused(problems) => Err(problems),
            };
        }
    };
    let runner = engine(workspace, secrets, protected::of(None)).map_err(|problem| vec![problem])?;
    let mut record = Record::go_on(run, output);
    let mut failed = false;
    for deployment in deployments {
        let id = &deployment.id;
        let call = StepCall { secrets: recorded_names(&plan, &id.job), ..call(run, deployment, workspace, &runner)? };
        let (sender, mut said) = mpsc::unbounded_channel();
        let report = runtime.block_on(runner.run(call, StepEvents::new(id.clone(), sender)));
        while let Ok((_, said)) = said.try_recv() {
            let id = id.clone();
            match said {
                Said::Log { text, .. } => output.message(&format!("[{id}] {text}\n")),
                Said::Decided(Told::Ruling(ruling)) => {
                    record.append(EventKind::Decision { id, digest: deployment.digest, ruling });
                }
                Said::Decided(Told::Counted { repeated, left_out }) => {
                    record.append(EventKind::DecisionsCounted { id, repeated, left_out });
                }
                _ => {}
            }
        }
        record.append(EventKind::DeployRolledBack { id: id.clone(), failure: report.failure.clone() });
        match report.failure {
            None => output.result(&format!("{id}: rolled back\n")),
            Some(failure) => {
                failed = true;
                let mut problem = Problem::new(
                    failure.kind.code(),
                    format!("step `{id}` could not be rolled back: {}", failure.message),
                );
                problem.causes = failure.causes;
                problem.help = failure.help;
                output.problems(&[problem]);
            }
        }
    }
    runtime.shutdown_background();
    record.finish(output);
    Ok(if failed { exit::FAILED } else { exit::PASSED })
}

/// The record of the run, which goes on with what is decided and done now. A rollback is not held up by it: what cannot be
/// recorded is told.
struct Record(Option<Recorder>);

impl Record {
    fn go_on(run: &Run, output: &Output) -> Self {
        let recorder = Recorder::reopen(run).map_err(|error| not_recorded(&error, output));
        Self(recorder.ok())
    }

    fn append(&mut self, kind: EventKind) {
        if let Some(recorder) = &mut self.0 {
            recorder.append(&Event { seq: recorder.next_seq(), at: now(), kind });
        }
    }

    fn finish(self, output: &Output) {
        if let Some(Err(error)) = self.0.map(Recorder::finish) {
            not_recorded(&error, output);
        }
    }
}

fn not_recorded(error: &RecordError, output: &Output) {
    output.message(&format!("note: the rollback is not on record: {error}\n"));
}

/// The plan of the run; null if it cannot be read.
fn recorded_plan(run: &Run) -> Value {
    let plan = run.plan().ok().flatten().and_then(|plan| serde_json::from_slice(&plan).ok());
    plan.unwrap_or_default()
}

/// The group of the run, if it had one: nobody deploys while a deployment is undone.
fn claim(plan: &Value) -> Option<Claim<'_>> {
    let group = plan["concurrency"]["group"].as_str()?;
    let workflow = plan["workflow"].as_str().unwrap_or_default();
    Some(Claim { group, workflow, when_busy: WhenBusy::Wait, wait_timeout_ms: None, place: None })
}

/// Where the workflow of the run had the values of its secrets from.
fn sources(plan: &Value) -> BTreeMap<String, SecretSource> {
    let sources = plan.get("secrets").and_then(|sources| serde_json::from_value(sources.clone()).ok());
    sources.unwrap_or_default()
}

/// Which values steps of a job had for their secrets, if it was inside a call.
fn recorded_names(plan: &Value, job: &str) -> Option<BTreeMap<String, String>> {
    let (call, _) = job_of(job).rsplit_once(SEPARATOR)?;
    Some(serde_json::from_value(plan["jobs"][call]["secrets"].clone()).unwrap_or_default())
}

/// The call that undoes a deployment: the recorded plugin, inputs and grants, and no others.
fn call(run: &Run, deployment: &Deployment, workspace: &Path, runner: &WasmRunner) -> Result<StepCall, Vec<Problem>> {
    let (id, reference) = (&deployment.id, &deployment.plugin);
    let loaded = plugins::load(reference, workspace).map_err(|problem| vec![problem])?;
    if loaded.info.digest != deployment.digest {
        return Err(vec![
            Problem::new("run::other-plugin", format!("plugin `{reference}` is not the one that deployed `{id}`"))
                .cause(format!("deployed by {}, found {}", deployment.digest, loaded.info.digest))
                .help("use the version of the plugin, or of sluice, that the run used"),
        ]);
    }
    let manifest = loaded.info.manifest.as_ref();
    let declared =
        manifest.map(|manifest| manifest.capabilities.iter().map(|declaration| declaration.capability).collect());
    runner.add(plugin(loaded.component, declared.unwrap_or_default()));
    Ok(StepCall {
        run: run.id().as_str().to_owned(),
        id: id.clone(),
        attempt: deployment.attempt,
        plugin: reference.clone(),
        digest: deployment.digest,
        action: Action::DeployRollback(deployment.receipt.clone()),
        inputs: deployment.inputs.clone(),
        outputs_schema: None,
        grants: deployment.grants.clone(),
        env: IndexMap::new(),
        secrets: None,
        limits: Limits::default(),
        stop_timeout_ms: None,
        port: None,
        summary: Summary::new(|| json!({})),
        cancel: Cancel::default(),
    })
}
