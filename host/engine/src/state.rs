//! What a store holds: everything that one step may touch, and nothing else.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;
use sluice_capability_artifacts::{Artifacts, ArtifactsView};
use sluice_capability_exec::{Exec, ExecView};
use sluice_capability_files::{Files, FilesView};
use sluice_capability_http::Http;
use sluice_capability_secrets::{Secrets, SecretsView};
use sluice_capability_tcp::{Tcp, TcpView};
use sluice_model::Audit;
use sluice_run::StepCall;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use crate::limiter::Limiter;
use crate::voice::Voice;
use crate::workspace::Workspace;

/// Stands for `step` in the guest; what it gives is in [`State`].
#[derive(Debug)]
pub struct StepHandle;

/// Stands for `sink` in the guest.
#[derive(Debug)]
pub struct SinkHandle;

pub struct State {
    pub table: ResourceTable,
    pub wasi: WasiCtx,
    pub files: Files,
    pub http: Http,
    pub tcp: Tcp,
    pub exec: Exec,
    pub secrets: Secrets,
    pub artifacts: Artifacts,
    pub limiter: Limiter,
    pub voice: Voice,
    pub audit: Audit,
    pub call: Arc<StepCall>,
    pub started: std::time::Instant,
    pub workspace: Workspace,
    pub outputs: IndexMap<String, Value>,
    /// When progress was told last, to drop what comes too fast.
    pub progress_told: Option<std::time::Instant>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.http.view(&mut self.table)
    }
}

impl FilesView for State {
    fn files(&mut self) -> (&mut Files, WasiCtxView<'_>) {
        (&mut self.files, WasiCtxView { ctx: &mut self.wasi, table: &mut self.table })
    }
}

impl TcpView for State {
    fn tcp(&mut self) -> (&mut Tcp, WasiCtxView<'_>) {
        (&mut self.tcp, WasiCtxView { ctx: &mut self.wasi, table: &mut self.table })
    }
}

impl ExecView for State {
    fn exec(&mut self) -> (&mut Exec, &mut ResourceTable) {
        (&mut self.exec, &mut self.table)
    }
}

impl SecretsView for State {
    fn secrets(&mut self) -> &mut Secrets {
        &mut self.secrets
    }
}

impl ArtifactsView for State {
    fn artifacts(&mut self) -> (&mut Artifacts, &mut ResourceTable) {
        (&mut self.artifacts, &mut self.table)
    }
}
