//! Requests for plugins: the house's one HTTP sender, and who we are to registries.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use sluice_registry_oci::{Credentials, DockerConfig};
use tokio::runtime::Builder;

use crate::{host, secrets};

/// A component may be large, and a line slow.
const WHOLE_TIME: Duration = Duration::from_secs(300);

static OFFLINE: OnceLock<bool> = OnceLock::new();

/// Said once, at the start: whether the command line or the environment forbids requests.
pub fn decide(flag: bool) {
    let set = std::env::var_os("SLUICE_OFFLINE").is_some_and(|value| !value.is_empty() && value != "0");
    // Said once; a second time would be a mistake of ours that changes nothing.
    let _ = OFFLINE.set(flag || set);
}

/// Whether nothing may be fetched.
pub fn is_offline() -> bool {
    OFFLINE.get().copied().unwrap_or_default()
}

/// Sends one request and waits for the answer; on a thread of its own, as the caller may be inside of a run-time.
pub fn exchange(request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, String> {
    if is_offline() {
        return Err("nothing is fetched: SLUICE_OFFLINE or `--offline` is set".into());
    }
    let talk = move || {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        runtime.block_on(sluice_capability_http::exchange_within(WHOLE_TIME, request, limit))
    };
    std::thread::spawn(talk).join().unwrap_or_else(|_| Err("the request was given up".into()))
}

/// What `docker login` left for a registry. Helpers are programs outside of the workspace.
pub fn credentials(registry: &str, workspace: &Path) -> Result<Option<Credentials>, String> {
    let Some(path) = docker_config() else { return Ok(None) };
    let name = path.display();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read `{name}`: {error}")),
    };
    let config = DockerConfig::parse(&bytes).map_err(|reason| format!("cannot use `{name}`: {reason}"))?;
    config.credentials(registry, &|helper, server| ask(helper, server, workspace))
}

fn docker_config() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")))?;
    Some(folder.join("config.json"))
}

fn ask(helper: &str, server: &str, workspace: &Path) -> Result<Option<Credentials>, String> {
    let name = format!("docker-credential-{helper}");
    let valid = !helper.is_empty() && helper.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let program = if valid { host::program(&name, workspace) } else { None };
    let program = program.ok_or_else(|| {
        format!("the credential helper `{}` is not on the search path, outside the workspace", name.escape_debug())
    })?;
    let environment = secrets::environment_without_secrets().into_iter();
    sluice_registry_oci::ask(&program, server, environment.map(|(name, value)| (OsString::from(name), value.into())))
}
