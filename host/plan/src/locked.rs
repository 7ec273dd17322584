//! Plugins against `sluice.lock`: what nobody accepted does not get into a plan.

use sluice_model::lock::{Declared, Lock, Locked, More, more};
use sluice_model::{Digest, Manifest, PluginRef, Problem};

use crate::codes;
use crate::plan::PluginInfo;

/// Whether a step may use the reference at all, before its bytes are fetched: one from outside stands in the lock, or names
/// its digest itself. Gives what the lock knows of it.
///
/// # Errors
/// That it is not locked; whoever knows where the reference stands adds its place.
pub fn entry<'l>(reference: &PluginRef, lock: &'l Lock) -> Result<Option<&'l Locked>, Problem> {
    let locked = lock.get(reference);
    if locked.is_some() || !reference.is_outside() || reference.digest().is_some() {
        return Ok(locked);
    }
    let message = format!("`{reference}` is from outside, and is not in `sluice.lock`");
    Err(Problem::new(codes::NOT_LOCKED, message)
        .cause("a tag or an address alone does not say which bytes run")
        .help(format!("look at what it asks for, then accept it: sluice plugin add {reference} --accept")))
}

/// Whether a plugin is what was accepted: the same bytes that declare the same, or, where the reference names other bytes
/// itself, ones that declare no more.
///
/// # Errors
/// What differs; whoever knows where the reference stands adds its place.
pub fn check(info: &PluginInfo, lock: &Lock) -> Result<(), Problem> {
    let declared = info.manifest.as_ref().map(Declared::from);
    match lock.get(&info.reference) {
        Some(locked) if locked.digest == info.digest => {
            if locked.declared == declared {
                Ok(())
            } else {
                Err(tampered(info))
            }
        }
        Some(locked) => {
            let more = more(locked.declared.as_ref(), declared.as_ref());
            Err(if more.is_empty() { other_bytes(info, locked) } else { asks_for_more(info, locked, &more) })
        }
        None if info.reference.is_outside() => {
            let wider = |locked: &'_ Locked| more(locked.declared.as_ref(), declared.as_ref());
            let accepted = lock.versions_of(&info.reference).map(|locked| (wider(locked), locked));
            match accepted.min_by_key(|(more, _)| more.len()) {
                Some((more, locked)) if !more.is_empty() => Err(asks_for_more(info, locked, &more)),
                _ => Ok(()),
            }
        }
        None => Ok(()),
    }
}

/// The problem of a plugin that asks for more than was accepted, with each thing it wants as a cause.
pub fn asks_for_more(info: &PluginInfo, accepted: &Locked, wanted: &[More]) -> Problem {
    let now = title(info.manifest.as_ref(), &info.reference);
    let mut problem = Problem::new(codes::MORE_AUTHORITY, format!("plugin `{now}` asks for more than was accepted"));
    problem.causes.push(format!("accepted was `{}`, {}", accepted.title(), short(accepted.digest)));
    problem.causes.push(format!("this is {}", short(info.digest)));
    problem.causes.extend(wanted.iter().map(ToString::to_string));
    let command = if accepted.reference.is_same(&info.reference) { "update" } else { "add" };
    problem.help(format!("if that is right, accept it: sluice plugin {command} --accept {}", info.reference))
}

fn other_bytes(info: &PluginInfo, locked: &Locked) -> Problem {
    let now = title(info.manifest.as_ref(), &info.reference);
    Problem::new(codes::LOCK_DIGEST, format!("plugin `{now}` has other bytes than `sluice.lock` says"))
        .cause(format!("locked was `{}`, {}", locked.title(), short(locked.digest)))
        .cause(format!("this is {}; it asks for no more", short(info.digest)))
        .help(format!("if it was changed on purpose: sluice plugin update {}", info.reference))
}

fn tampered(info: &PluginInfo) -> Problem {
    let now = title(info.manifest.as_ref(), &info.reference);
    Problem::new(codes::LOCK_MISMATCH, format!("`sluice.lock` says of plugin `{now}` what its bytes do not say"))
        .cause(format!(
            "the digest is right, {}, but its name, version, kinds or capabilities are not",
            short(info.digest)
        ))
        .help("somebody edited the lock by hand: restore it from version control")
}

fn title(manifest: Option<&Manifest>, reference: &PluginRef) -> String {
    manifest.map_or_else(|| reference.to_string(), |manifest| format!("{} {}", manifest.name, manifest.version))
}

fn short(digest: Digest) -> String {
    format!("sha256:{}", digest.short())
}
