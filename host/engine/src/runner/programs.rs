//! The programs of a step: how they run, and what they may not change.

use std::path::Path;
use std::sync::Arc;

use sluice_capability_exec::{Confine, Exec, LauncherCommand, Pipe};
use sluice_capability_files::Protected;
use sluice_capability_secrets::Secrets;
use sluice_confine::{Confinement, Surroundings};
use sluice_model::event::Stream;
use sluice_model::grant::Capability;
use sluice_model::{Ruling, Verdict};

use super::{Inner, Step};
use crate::watch::Watch;

/// What programs get of the host's environment, beside what is granted.
pub(super) const PROGRAM_ENVIRONMENT: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ"];

/// What keeps programs from places that are protected, in a folder that they may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Each launcher, if it can: found out when it matters.
    ByLauncher,
    /// This process is kept from them itself, and so is what it starts.
    Inherited,
    /// Nothing: changes are found afterwards.
    Nothing,
}

impl Inner {
    /// What keeps programs from these places. The first time that there are any, it is tried out.
    pub(super) fn protection(&self, exposed: &[String]) -> Protection {
        if exposed.is_empty() {
            return Protection::Nothing;
        }
        *self.protection.get_or_init(|| {
            let can = self.launcher.as_ref().map(|it| sluice_confine::can_protect(&it.program, &it.argument));
            if matches!(can, Some(Ok(()))) { Protection::ByLauncher } else { Protection::Nothing }
        })
    }
}

impl Step {
    /// The protected places in folders that the step may write.
    pub(super) fn exposed(&self) -> Vec<String> {
        Protected::exposed(&self.inner.protected, &self.call.grants.files)
    }

    /// Watches what programs could change though they must not.
    pub(super) fn watch(&self) -> Option<Watch> {
        let exposed = self.exposed();
        if self.call.grants.exec.is_empty() || exposed.is_empty() {
            return None;
        }
        let kept = self.inner.protection(&exposed) != Protection::Nothing;
        Some(Watch::start(self.inner.workspace.root(), exposed, kept))
    }

    /// Records that a program changed what it must not.
    pub(super) fn tell_changed(&self, place: &str) {
        let asked = format!("changing `{place}` by a program");
        let why = "what decides over other steps is granted by its name only";
        self.audit.decide(Ruling::without_grant(Capability::Files, asked, Verdict::Denied, why));
    }

    pub(super) fn exec(&self, secrets: &Secrets) -> Exec {
        let (inner, call) = (&*self.inner, &self.call);
        let granted = call.grants.env.iter().map(|grant| grant.name.as_str());
        let inherited = PROGRAM_ENVIRONMENT.into_iter().chain(granted);
        let inherited = inherited.filter_map(|name| Some((name.to_owned(), inner.host_env.get(name)?.clone())));
        let (secrets, voice) = (secrets.clone(), self.voice.clone());
        Exec {
            granted: call.grants.exec.clone(),
            workspace: inner.workspace.root().to_owned(),
            search_path: inner.search_path.clone(),
            inherited: inherited.collect(),
            environment: call.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            confine: inner.launcher.clone().map(|launcher| self.confine(launcher)),
            digests: inner.digests.clone(),
            secret: Arc::new(move |secret, variable| {
                let used = format!("as the variable `{variable}` of a program");
                secrets.for_program(secret, &used).map(|value| value.map(str::to_owned))
            }),
            listen: Arc::new(move |pipe, bytes| {
                let stream = match pipe {
                    Pipe::Stdout => Stream::Stdout,
                    Pipe::Stderr => Stream::Stderr,
                };
                Ok(voice.write(stream, bytes)?)
            }),
            mask: inner.mask.clone(),
            processes: self.processes.clone(),
            audit: self.audit.clone(),
        }
    }

    fn confine(&self, launcher: Arc<LauncherCommand>) -> Confine {
        let (inner, call, scratch) = (Arc::clone(&self.inner), Arc::clone(&self.call), Arc::clone(&self.scratch));
        let processes = self.processes.clone();
        let protected = match self.inner.protection(&self.exposed()) {
            Protection::ByLauncher => self.exposed(),
            Protection::Inherited | Protection::Nothing => Vec::new(),
        };
        Confine::new(launcher, move || {
            let folder = tempfile::Builder::new().prefix("sluice-").tempdir_in(&inner.scratch)?;
            let folder = scratch.get_or_init(|| folder).path();
            processes.scratch(folder);
            let around = Surroundings {
                workspace: inner.workspace.root(),
                home: inner.host_env.get("HOME").map(Path::new).filter(|home| home.is_absolute()),
                scratch: folder,
                variable: &|name| inner.host_env.get(name).cloned(),
                port: call.port,
            };
            let mut confined = Confinement::of(&call.grants, &around)?;
            confined.confinement.protected.clone_from(&protected);
            confined.confinement.limits.file_bytes = call.limits.disk_bytes;
            Ok(confined)
        })
    }
}
