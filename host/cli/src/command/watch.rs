//! `sluice watch`

mod concern;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sluice_model::{Problem, Source};
use tokio::time::{Instant, sleep, timeout};

use super::run::{internal, mode, run_id};
use crate::args::WatchArgs;
use crate::discover::{self, Found};
use crate::execute::Execution;
use crate::output::Output;
use crate::signals::Signals;
use crate::snapshot::Snapshot;
use crate::{exit, host, prepare};
use concern::Concern;

/// How often files are looked at; and so long they must stay as they are, because editors write in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// Between two looks there is so many times the time that a look takes.
const REST: u32 = 10;

/// A file that cancelled so many runs one after another is taken for the work of the workflow.
const STRIKES: u32 = 3;

/// Paths that are told; more are counted.
const MAX_TOLD: usize = 5;

pub fn run(args: &WatchArgs, from: &Path, output: &Output) -> u8 {
    match discover::find(from, args.workflow.workflow.as_deref()) {
        Ok(found) => watch(args, &found, output).unwrap_or_else(|problem| internal(problem, output)),
        Err(problem) => {
            output.problems(&[problem]);
            exit::REFUSED
        }
    }
}

fn watch(args: &WatchArgs, found: &Found, output: &Output) -> Result<u8, Problem> {
    let runtime = host::runtime()?;
    // Those between runs; a run has ears of its own.
    let mut signals = Signals::new(&runtime)?;
    let mut files = Files::new(found);
    let mut concern = Concern::default();
    loop {
        // One that came while nobody listened.
        if let Ok(code) = runtime.block_on(async { timeout(Duration::ZERO, signals.next()).await }) {
            return Ok(code);
        }
        let id = run_id()?;
        let selection = args.select.selection();
        match prepare::prepare_for(found, &args.workflow, &selection, id.as_str(), concern.files()) {
            Ok(prepared) => {
                files.add_called(prepared.called.iter());
                concern.plan(&prepared, found);
                prepared.note.iter().for_each(|note| output.message(note));
                let mut execution = Execution::new(&found.workspace, id, prepared);
                execution.mode = mode(false, args.plain, output);
                let jobs = args.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into()));
                execution.settings.max_parallel = jobs.or(execution.settings.max_parallel);
                let code = execution.run(output, files.cancelling())?;
                // Without a signal, it was another run of its group that ended it.
                let signal = async { timeout(Duration::ZERO, signals.next()).await };
                if matches!(code, exit::INTERRUPTED | exit::TERMINATED)
                    && let Ok(code) = runtime.block_on(signal)
                {
                    return Ok(code);
                }
                if code == exit::PASSED {
                    concern.nothing();
                }
            }
            Err(problems) => {
                // What is wrong may stand in a file that is called.
                files.add_called(problems.iter().filter_map(|problem| problem.source.as_ref()));
                output.problems(&problems);
            }
        }
        let mut changed = runtime.block_on(files.end_run(output))?;
        if changed.is_empty() {
            output.message("\nwaiting for changes; Ctrl-C ends\n");
            changed = match runtime.block_on(async {
                tokio::select! {
                    biased;
                    code = signals.next() => Err(code),
                    changed = files.changed() => Ok(changed),
                }
            }) {
                Ok(changed) => changed?,
                Err(code) => return Ok(code),
            };
        }
        concern.add(&changed, found);
        output.message(&format!("\nchanged: {}\n\n", files.told(&changed)));
    }
}

/// The files of the workspace, and what happens to them.
struct Files {
    workspace: PathBuf,
    workflow: PathBuf,
    /// The files that the workflow calls, also where the look at the workspace passes them by.
    called: BTreeSet<PathBuf>,
    seen: Arc<Snapshot>,
    /// What has changed since the run began.
    in_run: BTreeSet<PathBuf>,
    /// What cancelled the run.
    cancelled_by: BTreeSet<PathBuf>,
    /// How many runs one after another each file has cancelled.
    strikes: BTreeMap<PathBuf, u32>,
}

impl Files {
    fn new(found: &Found) -> Self {
        let seen = Snapshot::take(&found.workspace, std::slice::from_ref(&found.file), &Snapshot::default());
        Self {
            workspace: found.workspace.clone(),
            workflow: found.file.clone(),
            called: BTreeSet::new(),
            seen: Arc::new(seen),
            in_run: BTreeSet::new(),
            cancelled_by: BTreeSet::new(),
            strikes: BTreeMap::new(),
        }
    }

    /// Looks at these too from now on.
    fn add_called<'s>(&mut self, files: impl Iterator<Item = &'s Source>) {
        let paths = files.map(|file| self.workspace.join(file.name()));
        let new: Vec<PathBuf> = paths.filter(|path| !self.called.contains(path)).collect();
        if !new.is_empty() {
            self.seen = Arc::new(self.seen.with(&new));
            self.called.extend(new);
        }
    }

    /// Waits until files are different from when they were last looked at, and stay so for a moment.
    async fn changed(&mut self) -> Result<BTreeSet<PathBuf>, Problem> {
        let mut changed = BTreeSet::new();
        loop {
            let (now, took) = self.snapshot().await?;
            let more = self.seen.changes(&now);
            let quiet = more.is_empty();
            if quiet && !changed.is_empty() {
                return Ok(changed);
            }
            changed.extend(more);
            self.seen = Arc::new(now);
            sleep(QUIET.max(took * REST)).await;
        }
    }

    /// Waits until files change that the workflow does not seem to write itself.
    async fn cancelling(&mut self) {
        loop {
            match self.changed().await {
                Ok(changed) => {
                    let own = |path: &PathBuf| self.strikes.get(path).is_some_and(|strikes| *strikes >= STRIKES);
                    self.cancelled_by = changed.iter().filter(|path| !own(path)).cloned().collect();
                    self.in_run.extend(changed);
                    if !self.cancelled_by.is_empty() {
                        return;
                    }
                }
                // It is told when the run has ended.
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Takes what the run has written as it is. Gives what cancelled the run, if anything did.
    async fn end_run(&mut self, output: &Output) -> Result<BTreeSet<PathBuf>, Problem> {
        let (now, _) = self.snapshot().await?;
        self.in_run.extend(self.seen.changes(&now));
        self.seen = Arc::new(now);
        let in_run = std::mem::take(&mut self.in_run);
        let cancelled_by = std::mem::take(&mut self.cancelled_by);
        if cancelled_by.is_empty() {
            self.strikes.retain(|path, strikes| *strikes >= STRIKES && in_run.contains(path));
            return Ok(cancelled_by);
        }
        self.strikes.retain(|path, strikes| *strikes >= STRIKES || cancelled_by.contains(path));
        let mut own = BTreeSet::new();
        for path in &cancelled_by {
            let strikes = self.strikes.entry(path.clone()).or_default();
            *strikes += 1;
            if *strikes == STRIKES {
                own.insert(path.clone());
            }
        }
        if !own.is_empty() {
            output.message(&format!(
                "\n{}: changed in {STRIKES} runs one after another; taken for the work of the workflow, and cancels no more runs\n",
                self.told(&own)
            ));
        }
        Ok(cancelled_by)
    }

    /// The files as they are now, and how long it took to look at them.
    async fn snapshot(&self) -> Result<(Snapshot, Duration), Problem> {
        let (workspace, seen) = (self.workspace.clone(), self.seen.clone());
        let files: Vec<PathBuf> = self.called.iter().chain([&self.workflow]).cloned().collect();
        let start = Instant::now();
        let now = tokio::task::spawn_blocking(move || Snapshot::take(&workspace, &files, &seen)).await;
        let now = now.map_err(|error| Problem::new("host::internal", error.to_string()))?;
        Ok((now, start.elapsed()))
    }

    /// `src/a.rs, src/b.rs and 3 more`
    fn told(&self, paths: &BTreeSet<PathBuf>) -> String {
        let shown = paths.iter().take(MAX_TOLD).map(|path| {
            let path = path.strip_prefix(&self.workspace).unwrap_or(path).display().to_string();
            path.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>()
        });
        let shown = shown.collect::<Vec<_>>().join(", ");
        match paths.len().saturating_sub(MAX_TOLD) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }
}
