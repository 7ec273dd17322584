//! How a call ended -> why the step failed, in words.

use std::time::Duration;

use sluice_capability_files::DiskLimit;
use sluice_capability_secrets::Leak;
use sluice_model::grant::Capability;
use sluice_model::suggest::list;
use sluice_model::{Denial, Failure, FailureKind, PluginRef};
use sluice_run::StepCall;
use sluice_run::runner::Action;
use wasmtime::Trap;
use wasmtime::component::ResourceTableError;

use crate::bindings::types;
use crate::call::Ended;
use crate::voice::{LimitReached, Voice};

const GRANTED: &str = "the step was granted";
const ONLY_NARROW: &str = "`grants` only narrow: for these inputs, the plugin must declare it as well";

/// Explains how a call ended. `denials` is what the host refused on the way.
pub fn explain(plugin: &PluginRef, ended: Ended, voice: &Voice, denials: &[Denial]) -> Failure {
    let failure = match ended {
        Ended::Failed(failure) => from_plugin(plugin, failure, denials),
        Ended::Status(_) => {
            let failure = Failure::new(FailureKind::Failed, format!("command `{plugin}` exited with an error"));
            voice.last_words().into_iter().fold(failure, Failure::cause)
        }
        Ended::Trapped(error) => from_trap(plugin, &error, voice),
        Ended::NoExport(name) => Failure::new(FailureKind::Load, format!("plugin `{plugin}` does not export `{name}`")),
    };
    with_denials(failure, denials)
}

fn from_plugin(plugin: &PluginRef, failure: types::Failure, denials: &[Denial]) -> Failure {
    let (kind, explanation, retry_after_ms) = match failure {
        types::Failure::InvalidInput(explanation) => (FailureKind::InvalidInput, explanation, None),
        types::Failure::Denied(explanation) => (FailureKind::Denied, explanation, None),
        types::Failure::Failed(explanation) => (FailureKind::Failed, explanation, None),
        types::Failure::Transient(transient) => {
            (FailureKind::Transient, transient.explanation, transient.retry_after_ms)
        }
    };
    // What the host said is told by the host; a plugin that passes it on should not make it twice as long.
    let message =
        denials.iter().fold(explanation.message, |text, denial| text.replace(&denial.text(), &denial.to_string()));
    let mut told = Failure::new(kind, format!("plugin `{plugin}` returned an error: {message}"));
    told.help = explanation.help;
    told.retry_after_ms = retry_after_ms;
    told
}

fn from_trap(plugin: &PluginRef, error: &wasmtime::Error, voice: &Voice) -> Failure {
    if let Some(limit) = reached_limit(error) {
        return over_limit(plugin, &limit);
    }
    let words = voice.last_words();
    let panicked = words.as_ref().is_some_and(|words| words.contains("panicked at"));
    let (message, cause) = match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => (format!("plugin `{plugin}` recursed too deep"), None),
        Some(Trap::UnreachableCodeReached) if panicked => (format!("plugin `{plugin}` panicked"), None),
        Some(trap) => {
            (format!("plugin `{plugin}` trapped"), Some(trap.to_string().trim_start_matches("wasm trap: ").to_owned()))
        }
        None if error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some() => {
            (format!("plugin `{plugin}` exited instead of returning"), None)
        }
        None => (format!("plugin `{plugin}` trapped"), Some(format!("{error:#}"))),
    };
    cause.into_iter().chain(words).fold(Failure::new(FailureKind::Trap, message), Failure::cause)
}

/// The step reached a limit, which is told in words.
pub fn over_limit(plugin: &PluginRef, limit: &str) -> Failure {
    Failure::new(FailureKind::Limit, format!("plugin `{plugin}` was ended: {limit}"))
        .help("if it needs more, raise the step's `limits`")
}

/// The limit that ended the call, if one did.
fn reached_limit(error: &wasmtime::Error) -> Option<String> {
    if let Some(LimitReached(why)) = error.downcast_ref() {
        return Some(why.clone());
    }
    if let Some(limit) = error.downcast_ref::<DiskLimit>() {
        return Some(limit.to_string());
    }
    if matches!(error.downcast_ref(), Some(ResourceTableError::Full)) {
        return Some("it held too many open handles".into());
    }
    // wasmtime has no types for these two.
    let text = format!("{error:#}");
    if text.contains("store handle limit exceeded") {
        return Some("it held too many open handles".into());
    }
    text.contains("fuel allocated for hostcalls").then(|| "it passed too much data to the host at once".into())
}

/// A step that fails after the host refused it something most likely fails because of that.
fn with_denials(mut failure: Failure, denials: &[Denial]) -> Failure {
    if denials.is_empty() {
        return failure;
    }
    if matches!(failure.kind, FailureKind::Failed | FailureKind::Transient) {
        failure.kind = FailureKind::Denied;
        failure.retry_after_ms = None;
    }
    for denial in denials {
        let told = denial.to_string();
        if !failure.message.contains(&told) {
            failure.causes.push(told);
        }
    }
    let helps: Vec<String> = denials.iter().filter_map(Denial::help).collect();
    if !helps.is_empty() {
        failure.help = Some(helps.join("\n"));
    }
    failure
}

/// Adds what the step was granted of what it was denied, and who else has a say.
pub fn with_grants(mut failure: Failure, denials: &[Denial], call: &StepCall) -> Failure {
    for capability in Capability::ALL {
        if denials.iter().any(|denial| denial.capability == capability) {
            let granted = call.grants.spellings(capability);
            failure.causes.push(match granted.is_empty() {
                true => format!("{GRANTED} nothing of `{capability}`"),
                false => format!("{GRANTED} only {}", list(granted.iter().map(String::as_str))),
            });
        }
    }
    if !denials.is_empty() && call.action != Action::Command {
        failure.help = failure.help.map(|help| format!("{help}\n{ONLY_NARROW}"));
    }
    failure
}

/// A step that was about to leave a secret behind has failed, whatever it says itself.
pub fn with_leaks(failure: Option<Failure>, plugin: &PluginRef, leaks: &[Leak]) -> Option<Failure> {
    let Some(first) = leaks.first() else { return failure };
    let told = |leak: &Leak| {
        let (artifact, secret) = (leak.artifact.escape_default(), &leak.secret);
        format!("the artifact `{artifact}` of plugin `{plugin}` holds the value of the secret `{secret}`")
    };
    let mut leaked = Failure::new(FailureKind::SecretLeak, format!("{}; it was not published", told(first)))
        .help("leave the value out of what is published, or publish nothing from this step");
    leaked.causes = leaks.iter().skip(1).map(told).chain(failure.map(|failure| failure.message)).collect();
    Some(leaked)
}

/// A program of the step changed what no grant names, whatever the step says itself.
pub fn changed(failure: Option<Failure>, plugin: &PluginRef, place: &str) -> Failure {
    let message = format!("`{place}` changed while programs of plugin `{plugin}` ran, which were not granted that");
    let mut changed = Failure::new(FailureKind::Denied, message).help(format!(
        "look at it before anything else uses it. If the step should change it, name it: `files: [\"write {place}\"]`; if \
         it was somebody else, run the step again"
    ));
    changed.causes = failure.map(|failure| failure.message).into_iter().collect();
    changed
}

/// Signs that a program ran into its confinement, in what it says.
const NETWORK_SIGNS: [&str; 6] = [
    "could not resolve",
    "name resolution",
    "name or service not known",
    "network is unreachable",
    "socket",
    "connect",
];
const SIGNS: [&str; 5] =
    ["permission denied", "operation not permitted", "eacces", "read-only file system", "device or resource busy"];

/// A program of the step failed: says that it ran confined, if that may be why.
pub fn with_confinement(mut failure: Failure, last_words: &str, code: Option<i64>, call: &StepCall) -> Failure {
    let text = last_words.to_lowercase();
    let network = text.lines().find(|line| NETWORK_SIGNS.iter().any(|sign| line.contains(sign)));
    let refused = last_words.lines().find(|line| SIGNS.iter().any(|sign| line.to_lowercase().contains(sign)));
    let has_network = !call.grants.tcp.is_empty() || !call.grants.http.is_empty() || call.port.is_some();
    let unreachable = network.is_some() && (!has_network || refused.is_some());
    if failure.kind != FailureKind::Failed
        || failure.help.is_some()
        || !(unreachable || refused.is_some() || code == Some(126))
    {
        return failure;
    }
    let grants = [Capability::Files, Capability::Toolchain, Capability::Paths, Capability::Tcp, Capability::Http];
    let granted: Vec<String> = grants.into_iter().flat_map(|capability| call.grants.spellings(capability)).collect();
    let granted = match granted.is_empty() {
        true => "nothing".to_owned(),
        false => list(granted.iter().map(String::as_str)),
    };
    let narrowest = match refused.and_then(outside_path) {
        _ if unreachable => {
            "if it should reach a server, give the step its host and port: `network: [\"HOST:PORT\"]`".to_owned()
        }
        _ if SIGNS[3..].iter().any(|sign| refused.is_some_and(|line| line.to_lowercase().contains(sign))) => {
            "what decides over other steps (`.git/hooks`, `.sluice`, `sluice.lock`, workflows, policies) is written only by a \
             step that was granted it by name: `files: [\"write .git/hooks\"]`"
                .to_owned()
        }
        Some(path) if !["/proc/", "/dev/", "/sys/"].iter().any(|front| path.starts_with(front)) => {
            format!("if it should touch that too, give the step `paths: [\"read {path}\"]`")
        }
        _ => "if it needs files outside of the workspace, give the step `toolchain` or `paths`".to_owned(),
    };
    failure.help = Some(format!(
        "its programs ran confined, with {granted}{}; {narrowest}",
        match has_network {
            true => "",
            false => " and no network",
        }
    ));
    failure
}

/// The first absolute path in a line, without quotes and what stands behind it.
fn outside_path(line: &str) -> Option<&str> {
    let start = line
        .char_indices()
        .position(|(at, c)| c == '/' && !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.'))?;
    let at = line.char_indices().nth(start)?.0;
    let end = line[at..].find(|c: char| c.is_whitespace() || "'\"`:,)".contains(c)).map_or(line.len(), |end| at + end);
    (end > at + 1).then(|| &line[at..end])
}

/// A failure as it may leave: what a plugin asked for, and so named in a denial, is the plugin's text as well.
pub fn clean(mut failure: Failure, voice: &Voice) -> Failure {
    failure.message = voice.clean(&failure.message);
    failure.causes.iter_mut().for_each(|cause| *cause = voice.clean(cause));
    failure.help = failure.help.map(|help| voice.clean(&help));
    failure
}

/// The step took too long.
pub fn timed_out(plugin: &PluginRef, time: Duration, denials: &[Denial]) -> Failure {
    let message = format!("plugin `{plugin}` was ended after {time:?}, the step's time limit");
    with_denials(
        Failure::new(FailureKind::TimedOut, message).help("if it needs longer, raise the step's `timeout`"),
        denials,
    )
}

/// The run was cancelled.
pub fn cancelled(plugin: &PluginRef) -> Failure {
    Failure::new(FailureKind::Cancelled, format!("plugin `{plugin}` was ended because the run was cancelled"))
}
