//! [`StepRunner`] in earnest.

mod apart;
mod programs;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use sluice_capability_artifacts::{Artifacts, Published, Store as ArtifactStore, Watch};
use sluice_capability_exec::{Digests, GRACE as PROGRAM_GRACE, Guard, GuardCommand, LauncherCommand, Processes};
use sluice_capability_files::{Files, Protected};
use sluice_capability_http::{Http, Injection};
use sluice_capability_secrets::{Mask, Placeholders, SecretValues, Secrets, Taint};
use sluice_capability_tcp::Tcp;
use sluice_engine_compile::{CompileCache, engine_config};
use sluice_model::event::Stream;
use sluice_model::grant::{Access, Capability, FileGrant};
use sluice_model::{Audit, Digest, Failure, FailureKind, Ruling, Verdict};
use sluice_run::runner::{Action, Said};
use sluice_run::{StepCall, StepEvents, StepReport, StepRunner};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::call::{Ended, call};
use crate::compiler::CompilerCommand;
use crate::failure;
use crate::limiter::Limiter;
use crate::plugin::{Linkers, Loaded, Plugin, Source};
use crate::ports::Ports;
pub use crate::runner::programs::Protection;
use crate::state::State;
use crate::stdio::Stdio;
use crate::ticker::Ticker;
use crate::voice::Voice;
use crate::worker::{WorkerCommand, Workers};
use crate::workspace::Workspace;

/// The largest body of an HTTP response, in bytes.
const RESPONSE_BYTES: u64 = 64 << 20;
/// The largest artifact, in bytes.
const ARTIFACT_BYTES: u64 = 4 << 30;
/// The most that a component may pass to the host in one call, in bytes.
const HOST_CALL_BYTES: usize = 32 << 20;
/// The most random bytes that a component may ask for at once.
const RANDOM_BYTES: u64 = 1 << 20;
/// How long compiling one component may take.
const COMPILE_TIME: Duration = Duration::from_secs(300);
/// How long a step that is being cancelled may take to end by itself.
const CANCEL_GRACE: Duration = Duration::from_secs(1);
/// How long past its time a step is waited for before its thread is given up: it hangs in the kernel.
const GRACE: Duration = Duration::from_secs(1);
/// What ending the programs of a step may take on top of that.
const PROCESS_GRACE: Duration = Duration::from_secs(5);
/// What a [`WasmRunner`] has to know of its machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder that steps work in.
    pub workspace: PathBuf,
    /// Where compiled code is kept; `None` keeps none.
    pub compile_cache: Option<PathBuf>,
    /// How to start what compiles components; `None` compiles in this process, with a time limit and no other.
    pub compiler: Option<CompilerCommand>,
    /// How to start the processes in which plugins from outside run; `None` runs them in this one.
    pub worker: Option<WorkerCommand>,
    /// Files and folders of the workspace that steps change only when they are granted by name: workflow files, and what
    /// else decides over other steps. Normalised.
    pub protected: Vec<String>,
    /// Where artifacts of the run are kept.
    pub artifacts: PathBuf,
    pub secrets: SecretValues,
    /// How to start what ends the programs of steps when this process is killed; `None` leaves them.
    pub guard: Option<GuardCommand>,
    /// How to start programs so that they are confined; `None` runs them with all rights of the account.
    pub launcher: Option<LauncherCommand>,
    /// What keeps programs from [`Settings::protected`] beside the folders that they are held to.
    pub protection: Protection,
    /// Where programs of a step get a folder of their own for temporary files.
    pub scratch: PathBuf,
    /// The environment of this process. Programs are looked for on its `PATH`.
    pub host_env: HashMap<String, String>,
}

/// Runs steps in wasmtime. Cheap to clone. Needs a tokio runtime with time and IO.
///
/// A step that hangs in the kernel (on a FIFO or a dead network mount) is reported in time, but its thread stays: end the
/// runtime with `shutdown_background`.
#[derive(Clone)]
pub struct WasmRunner(Arc<Inner>);

struct Inner {
    engine: Engine,
    ticker: Ticker,
    linkers: Linkers,
    plugins: RwLock<HashMap<Digest, Arc<Loaded>>>,
    cache_folder: Option<PathBuf>,
    cache: OnceLock<Option<CompileCache>>,
    compiler: Option<CompilerCommand>,
    workers: Option<Workers>,
    workspace: Workspace,
    protected: Vec<String>,
    artifacts: ArtifactStore,
    secrets: SecretValues,
    mask: Arc<Mask>,
    guard: Guard,
    launcher: Option<Arc<LauncherCommand>>,
    protection: OnceLock<Protection>,
    scratch: PathBuf,
    digests: Digests,
    host_env: HashMap<String, String>,
    search_path: Vec<PathBuf>,
    ports: Ports,
}

impl WasmRunner {
    /// Fails when the workspace does not exist or the system gives no thread.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let engine = Engine::new(&engine_config()).map_err(|error| format!("{error:#}"))?;
        let workspace = Workspace::open(&settings.workspace)
            .map_err(|error| format!("the workspace `{}` cannot be opened: {error}", settings.workspace.display()))?;
        let path = settings.host_env.get("PATH").map(String::as_str).unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            ticker: Ticker::start(&engine).map_err(|error| error.to_string())?,
            engine,
            linkers: Linkers::default(),
            plugins: RwLock::default(),
            cache_folder: settings.compile_cache,
            cache: OnceLock::new(),
            compiler: settings.compiler,
            workers: settings.worker.map(Workers::new),
            workspace,
            protected: settings.protected,
            artifacts: ArtifactStore::new(settings.artifacts),
            mask: Arc::new(Mask::new(&settings.secrets)),
            secrets: settings.secrets,
            search_path: path.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from).collect(),
            guard: Guard::new(settings.guard),
            launcher: settings.launcher.map(Arc::new),
            protection: match settings.protection {
                Protection::ByLauncher => OnceLock::new(),
                known => OnceLock::from(known),
            },
            scratch: settings.scratch,
            digests: Digests::default(),
            ports: Ports::default(),
            host_env: settings.host_env,
        })))
    }

    /// Makes a plugin known by its digest. It is loaded or compiled when the first step needs it.
    pub fn add(&self, plugin: Plugin) {
        let mut plugins = self.0.plugins.write().unwrap_or_else(PoisonError::into_inner);
        plugins.entry(plugin.digest).or_insert_with(|| Arc::new(Loaded::new(plugin)));
    }

    /// Cleans a text that did not come through a step: removes terminal controls, masks secrets.
    pub fn clean(&self, text: &str) -> String {
        crate::text::clean_and_mask(text, &self.0.mask)
    }
}

impl StepRunner for WasmRunner {
    async fn run(&self, call: StepCall, says: StepEvents) -> StepReport {
        Arc::clone(&self.0).run(Arc::new(call), says).await
    }

    fn port(&self, wanted: Option<u16>) -> Result<u16, String> {
        self.0.ports.take(wanted)
    }
}

fn failed(failure: Failure) -> StepReport {
    StepReport { failure: Some(failure), outputs: IndexMap::new() }
}

impl Inner {
    async fn run(self: Arc<Self>, call: Arc<StepCall>, says: StepEvents) -> StepReport {
        let plugin = self.plugins.read().unwrap_or_else(PoisonError::into_inner).get(&call.digest).cloned();
        let Some(plugin) = plugin else {
            let message = format!("plugin `{}` ({}) was never made known to the engine", call.plugin, call.digest);
            return failed(Failure::new(FailureKind::Internal, message));
        };
        if let Some(workers) = self.workers.as_ref().filter(|_| apart::is_outside(&call.plugin)) {
            return self.run_apart(workers, &plugin, &call, says).await;
        }
        let compile = |plugin: &Loaded, source: &Source<'_>| plugin.compile(source).map(|_| ());
        if !plugin.is_compiled()
            && let Err(failure) = self.prepare(&plugin, &call, compile).await
        {
            return failed(failure);
        }
        let grace = call.stop_timeout_ms.map_or(PROGRAM_GRACE, Duration::from_millis);
        let processes = match Processes::new(self.guard.clone(), grace) {
            Ok(processes) => processes,
            Err(error) => return failed(Failure::new(FailureKind::Internal, error)),
        };
        let voice = Voice::new(says, Arc::clone(&self.mask), call.limits.output_bytes);
        let seen = voice.clone();
        let step = Step {
            taint: Taint::new(Arc::new(move |secret, by| seen.say(Said::SecretSeen { secret: secret.to_owned(), by }))),
            audit: audit(&voice),
            voice,
            processes,
            scratch: Arc::default(),
            inner: self,
            call,
        };
        step.run(plugin).await
    }

    /// Does what may have to compile, on a thread of its own.
    async fn prepare(
        self: &Arc<Self>,
        plugin: &Arc<Loaded>,
        call: &StepCall,
        work: fn(&Loaded, &Source<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (inner, plugin) = (Arc::clone(self), Arc::clone(plugin));
        let work = tokio::task::spawn_blocking(move || work(&plugin, &inner.source()));
        tokio::select! {
            result = work => result.unwrap_or_else(|error| Err(Failure::new(FailureKind::Internal, error.to_string()))),
            () = sleep(COMPILE_TIME) => {
                let message = format!("plugin `{}` could not be compiled within {COMPILE_TIME:?}", call.plugin);
                Err(Failure::new(FailureKind::Load, message))
            }
            () = call.cancel.cancelled() => Err(failure::cancelled(&call.plugin)),
        }
    }

    fn source(&self) -> Source<'_> {
        Source { engine: &self.engine, cache: self.cache(), compiler: self.compiler.as_ref() }
    }

    fn cache(&self) -> Option<&CompileCache> {
        let open = || self.cache_folder.as_deref().and_then(|folder| CompileCache::open(folder, &self.engine));
        self.cache.get_or_init(open).as_ref()
    }
}

/// One step under way. Cheap to clone.
#[derive(Clone)]
struct Step {
    inner: Arc<Inner>,
    call: Arc<StepCall>,
    voice: Voice,
    audit: Audit,
    taint: Taint,
    processes: Processes,
    /// Of its programs; removed with the step.
    scratch: Arc<OnceLock<TempDir>>,
}

impl Step {
    /// Runs the step on a thread of its own, and gives the thread up if it does not end in time.
    async fn run(self, plugin: Arc<Loaded>) -> StepReport {
        let time = Duration::from_millis(self.call.limits.time_ms);
        let stop = self.call.stop_timeout_ms.map_or(Duration::ZERO, Duration::from_millis);
        let grace = if self.call.grants.exec.is_empty() { GRACE } else { GRACE + PROCESS_GRACE + stop };
        let (handle, step) = (Handle::current(), self.clone());
        let mut work: JoinHandle<StepReport> =
            tokio::task::spawn_blocking(move || handle.block_on(step.run_here(&plugin, time)));
        let given_up = tokio::select! {
            report = &mut work => {
                return report.unwrap_or_else(|error| {
                    // The panic's own text went to standard error already.
                    let _ = error;
                    let message = format!("the engine failed while plugin `{}` ran", self.call.plugin);
                    failed(Failure::new(FailureKind::Internal, message))
                });
            }
            () = sleep(time.saturating_add(grace)) => failure::timed_out(&self.call.plugin, time, &self.audit.denials()),
            () = async {
                self.call.cancel.cancelled().await;
                sleep(CANCEL_GRACE + grace).await;
            } => failure::cancelled(&self.call.plugin),
        };
        self.audit.finish();
        self.voice.mute();
        failed(self.told(given_up))
    }

    async fn run_here(&self, loaded: &Loaded, time: Duration) -> StepReport {
        let inner = &*self.inner;
        let ready = match loaded.ready(&inner.source(), &inner.linkers, &self.call.grants) {
            Ok(ready) => ready,
            Err(failure) => return failed(failure),
        };
        let mut store = match self.store() {
            Ok(store) => store,
            Err(failure) => return failed(failure),
        };
        let watch = self.watch();
        let _ticking = inner.ticker.run();
        let plugin = &self.call.plugin;
        let ended = tokio::select! {
            ended = call(&mut store, ready, &self.call) => Ok(ended),
            () = sleep(time) => Err(failure::timed_out(plugin, time, &self.audit.denials())),
            () = self.cancelled() => Err(failure::cancelled(plugin)),
        };
        let mut outputs = std::mem::take(&mut store.data_mut().outputs);
        if let Ok(Err(Ended::Status(status))) = &ended {
            // As the plugin `exec` has it.
            outputs.insert("exit-code".to_owned(), (*status).into());
        }
        // Whatever the plugin still holds (files, connections, artifacts in the making) goes with its store.
        drop(store);
        self.processes.end().await;
        self.voice.flush();
        let changed = watch.and_then(|watch| watch.changed()).inspect(|place| self.tell_changed(place));
        self.audit.finish();
        let failure = match ended {
            Ok(Ok(())) => None,
            Ok(Err(_)) if self.call.cancel.is_cancelled() => Some(failure::cancelled(plugin)),
            Ok(Err(ended)) => {
                let failure = failure::explain(plugin, ended, &self.voice, &self.audit.denials());
                let code = outputs.get("exit-code").and_then(serde_json::Value::as_i64);
                // It has a folder if a confined program was to run.
                Some(match self.scratch.get() {
                    Some(_) => failure::with_confinement(failure, &self.voice.tail(), code, &self.call),
                    None => failure,
                })
            }
            Err(failure) => Some(failure),
        };
        let failure = match &changed {
            Some(place) => Some(failure::changed(failure, plugin, place)),
            None => failure,
        };
        let failure = failure::with_leaks(failure, plugin, &self.taint.leaks());
        StepReport { failure: failure.map(|failure| self.told(failure)), outputs }
    }

    /// A failure as it leaves the engine.
    fn told(&self, failure: Failure) -> Failure {
        failure::clean(failure::with_grants(failure, &self.audit.denials(), &self.call), &self.voice)
    }

    /// Ready when the run is being cancelled and the step had its chance to end by itself.
    async fn cancelled(&self) {
        self.call.cancel.cancelled().await;
        tokio::join!(self.processes.end(), sleep(CANCEL_GRACE));
    }

    fn store(&self) -> Result<Store<State>, Failure> {
        let (inner, call) = (&*self.inner, &self.call);
        let secrets = Secrets {
            granted: call.grants.secrets.clone(),
            values: match &call.secrets {
                None => inner.secrets.clone(),
                Some(names) => inner.secrets.renamed(names),
            },
            placeholders: Placeholders::default(),
            taint: self.taint.clone(),
            audit: self.audit.clone(),
        };
        let tcp = Tcp::new(&call.grants.tcp, self.audit.clone());
        let mut table = ResourceTable::new();
        table.set_max_capacity(call.limits.handles as usize);
        let state = State {
            table,
            wasi: self.wasi(&tcp)?,
            files: self.files(),
            tcp,
            http: self.http(&secrets),
            exec: self.exec(&secrets),
            secrets,
            artifacts: self.artifacts(),
            limiter: Limiter::new(&call.limits),
            voice: self.voice.clone(),
            audit: self.audit.clone(),
            call: Arc::clone(call),
            started: Instant::now(),
            workspace: inner.workspace.clone(),
            outputs: IndexMap::new(),
            progress_told: None,
        };
        let mut store = Store::new(&inner.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(HOST_CALL_BYTES);
        store.set_max_component_handles(call.limits.handles as usize);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        Ok(store)
    }

    fn wasi(&self, tcp: &Tcp) -> Result<WasiCtx, Failure> {
        let call = &self.call;
        let mut wasi = WasiCtx::builder();
        wasi.allow_blocking_current_thread(true)
            .max_random_size(RANDOM_BYTES)
            .stdout(Stdio { voice: self.voice.clone(), stream: Stream::Stdout })
            .stderr(Stdio { voice: self.voice.clone(), stream: Stream::Stderr });
        tcp.open(&mut wasi);
        for grant in &call.grants.env {
            if let Some(value) = call.env.get(&grant.name).or_else(|| self.inner.host_env.get(&grant.name)) {
                wasi.env(&grant.name, value);
                let asked = format!("handing over the variable `{}`", grant.name);
                self.audit.decide(Ruling::allowed(Capability::Env, asked, grant));
            }
        }
        if call.action == Action::Command {
            wasi.arg(call.plugin.to_string());
            let arguments = call.inputs.get("args").and_then(|args| args.as_array()).into_iter().flatten();
            for argument in arguments {
                wasi.arg(argument.as_str().map_or_else(|| argument.to_string(), str::to_owned));
            }
        }
        for grant in outermost(&call.grants.files) {
            self.open_folder(&mut wasi, grant)?;
        }
        Ok(wasi.build())
    }

    /// Opens a granted folder for the component, by its name relative to the workspace.
    fn open_folder(&self, wasi: &mut wasmtime_wasi::WasiCtxBuilder, grant: &FileGrant) -> Result<(), Failure> {
        let cannot = |why: String| {
            let asked = format!("opening the folder `{}`", grant.path);
            self.audit.decide(Ruling::without_grant(Capability::Files, asked, Verdict::Denied, &why));
            let message = format!("the folder of the grant `{grant}` cannot be opened within the workspace");
            Failure::new(FailureKind::Denied, message).cause(why)
        };
        // A dry run changes nothing, not even an empty folder.
        let writes = grant.access == Access::Write && self.call.action != Action::DeployPlan;
        let folder = self.inner.workspace.folder(&grant.path, writes).map_err(|error| cannot(error.to_string()))?;
        let opened = |access: &str| {
            let asked = format!("opening the folder `{}`", grant.path);
            // Whether the step writes is told when it does.
            let reading = FileGrant { access: Access::Read, path: grant.path.clone() };
            let ruling = Ruling::allowed(Capability::Files, asked, grant).narrowest(reading);
            self.audit.decide(ruling.detail("access", access));
        };
        // A folder that does not exist has nothing to read.
        let Some(folder) = folder else {
            opened("none: it does not exist");
            return Ok(());
        };
        let permissions = if writes { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        match wasi.preopened_dir(folder.path(), &grant.path, permissions) {
            Ok(_) => {
                opened(if writes { "read and write" } else { "read" });
                Ok(())
            }
            Err(error) => Err(cannot(format!("{error:#}"))),
        }
    }

    fn files(&self) -> Files {
        let (inner, call) = (&*self.inner, &self.call);
        let protected = Protected::new(&inner.protected, &call.grants.files);
        let outside = apart::is_outside(&call.plugin);
        let (root, granted) = (inner.workspace.root().to_owned(), &call.grants.files);
        Files::new(root, protected, call.limits.disk_bytes, outside, granted, self.audit.clone())
    }

    fn http(&self, secrets: &Secrets) -> Http {
        let injection =
            Injection { granted: secrets.granted.as_slice().into(), placeholders: secrets.placeholders.clone() };
        Http::new(&self.call.grants.http, RESPONSE_BYTES, self.audit.clone(), injection)
    }

    fn artifacts(&self) -> Artifacts {
        let voice = self.voice.clone();
        let published = move |Published { digest, info }: &Published| {
            voice.say(Said::Artifact {
                name: voice.clean(&info.name),
                digest: *digest,
                media_type: voice.clean(&info.media_type),
                size: info.size,
            });
        };
        Artifacts {
            granted: self.call.grants.artifacts.clone(),
            store: self.inner.artifacts.clone(),
            size_limit: ARTIFACT_BYTES,
            audit: self.audit.clone(),
            watch: Arc::new({
                let taint = self.taint.clone();
                move |name: &str| -> Watch {
                    let mut watch = taint.watch(name);
                    Box::new(move |bytes: &[u8]| watch.pass(bytes))
                }
            }),
            published: Arc::new(published),
        }
    }
}

/// Decisions go where everything goes that the step says.
fn audit(voice: &Voice) -> Audit {
    let (clean, tell) = (voice.clone(), voice.clone());
    Audit::new(move |text| clean.clean(text), move |told| tell.say(Said::Decided(told)))
}

/// The grants that no other grant covers; of equal ones, the first.
fn outermost(grants: &[FileGrant]) -> impl Iterator<Item = &FileGrant> {
    grants.iter().enumerate().filter_map(move |(i, grant)| {
        let covered = |(j, other): (usize, &FileGrant)| i != j && other.covers(grant) && (other != grant || j < i);
        (!grants.iter().enumerate().any(covered)).then_some(grant)
    })
}
