//! A step in a process of its own: what the worker is told, and what is made of what it says.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sluice_capability_files::Protected;
use sluice_model::PluginRef;
use sluice_run::runner::Said;
use sluice_run::{StepCall, StepEvents, StepReport};

use super::programs::{PROGRAM_ENVIRONMENT, Protection};
use super::{GRACE, Inner, PROCESS_GRACE, failed};
use crate::failure;
use crate::plugin::Loaded;
use crate::voice::{LimitReached, Voice};
use crate::worker::{Start, Workers};

/// Variables that say where the certificates of the machine are.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Whether a plugin is no part of this program.
pub fn is_outside(plugin: &PluginRef) -> bool {
    !matches!(plugin, PluginRef::Builtin(_))
}

impl Inner {
    pub(super) async fn run_apart(
        self: &Arc<Self>,
        workers: &Workers,
        plugin: &Arc<Loaded>,
        call: &StepCall,
        says: StepEvents,
    ) -> StepReport {
        if let Err(failure) = self.prepare(plugin, call, |plugin, source| plugin.code(source).map(|_| ())).await {
            return failed(failure);
        }
        let code = match plugin.code(&self.source()) {
            Ok(code) => code,
            Err(failure) => return failed(failure),
        };
        let voice = Voice::new(says, Arc::clone(&self.mask), call.limits.output_bytes);
        let stop = call.stop_timeout_ms.map_or(Duration::ZERO, Duration::from_millis);
        let time = Duration::from_millis(call.limits.time_ms).saturating_add(2 * (GRACE + PROCESS_GRACE) + stop);
        let start = self.start(plugin, call);
        let report = workers.run(start, &self.scratch, code.as_ref(), call, time, |said| hear(&voice, said)).await;
        StepReport {
            failure: report.failure.map(|failure| failure::clean(failure, &voice)),
            outputs: report
                .outputs
                .into_iter()
                .map(|(name, value)| (voice.clean(&name), voice.clean_value(value)))
                .collect(),
        }
    }

    fn start(&self, plugin: &Loaded, call: &StepCall) -> Start {
        let granted = call.grants.env.iter().map(|grant| grant.name.as_str());
        let host_env = PROGRAM_ENVIRONMENT.into_iter().chain(granted);
        let host_env = host_env.filter_map(|name| Some((name.to_owned(), self.host_env.get(name)?.clone())));
        let value = |name: &String| match &call.secrets {
            None => self.secrets.get(name),
            Some(names) => self.secrets.get(names.get(name)?),
        };
        let secrets = call.grants.secrets.iter();
        let secrets = secrets.filter_map(|grant| Some((grant.name.clone(), value(&grant.name)?.to_owned())));
        Start {
            workspace: self.workspace.root().to_owned(),
            artifacts: self.artifacts.root().to_owned(),
            protected: self.protected.clone(),
            protects: self.protection(&Protected::exposed(&self.protected, &call.grants.files))
                == Protection::ByLauncher,
            plugin: call.plugin.clone(),
            digest: call.digest,
            declared: plugin.declared().to_vec(),
            grants: call.grants.clone(),
            secrets: secrets.collect(),
            scratch: PathBuf::new(),
            port: call.port,
            certificates: CERTIFICATES
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), self.host_env.get(name)?.clone())))
                .collect(),
            host_env: host_env.collect(),
        }
    }
}

/// Says again what a worker said, as if a stranger had: counted, cleaned, masked.
fn hear(voice: &Voice, said: Said) -> Result<(), LimitReached> {
    let Ok(value) = serde_json::to_value(&said) else { return Ok(()) };
    voice.spend(value.to_string().len())?;
    // Cleaning changes texts and no structure, so it is what it was.
    if let Ok(said) = serde_json::from_value(voice.clean_value(value)) {
        voice.say(said);
    }
    Ok(())
}
