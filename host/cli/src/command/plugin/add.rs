//! `sluice plugin add`, `update` and `remove`: what gets into the lock.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use sluice_model::lock::{Declared, Lock, Locked, More, more};
use sluice_model::{PluginRef, Problem};
use sluice_plan::MORE_AUTHORITY;
use sluice_plan::locked::asks_for_more;

use super::{describe_capabilities, reference};
use crate::args::{AddArgs, RemoveArgs, UpdateArgs};
use crate::output::Output;
use crate::plugins::{self, Loaded};
use crate::{lock_file, outside};

/// What a plugin is now, ready for the lock.
pub struct Candidate {
    pub loaded: Loaded,
    pub locked: Locked,
}

/// Looks at what a reference leads to now. The lock says where vendored bytes are, and nothing more.
pub fn candidate(reference: &PluginRef, lock: &Lock, workspace: &Path) -> Result<Candidate, Problem> {
    let (loaded, oci_manifest) = match reference {
        PluginRef::Builtin(name) => {
            let message = format!("`{name}` is inside Sluice");
            return Err(Problem::new("plugin::bad-reference", message).help("only plugins from outside are locked"));
        }
        PluginRef::Path(_) => (plugins::load(reference, workspace)?, None),
        PluginRef::Oci(_) | PluginRef::Url(_) => {
            let fetched = outside::newest(reference, lock, workspace)?;
            (plugins::inspected(reference, fetched.component)?, fetched.oci_manifest)
        }
    };
    if loaded.info.manifest.is_none() && !loaded.info.command {
        let message = format!("the component `{reference}` carries no manifest");
        return Err(Problem::new("plan::no-manifest", message).help("steps cannot use it; ask its author"));
    }
    let locked = outside::accepted(&loaded.info, oci_manifest);
    Ok(Candidate { loaded, locked })
}

impl Candidate {
    /// What nobody has accepted yet, and the problem that says so: beyond what stands in the lock under this reference, or
    /// else of another version; beyond nothing if there is none.
    pub fn wants(&self, lock: &Lock) -> (Vec<More>, Option<Problem>) {
        let reference = &self.locked.reference;
        let beyond = |accepted: &Locked| more(accepted.declared.as_ref(), self.locked.declared.as_ref());
        let known = match lock.get(reference) {
            Some(locked) => Some((beyond(locked), locked)),
            None => {
                lock.versions_of(reference).map(|locked| (beyond(locked), locked)).min_by_key(|(more, _)| more.len())
            }
        };
        if let Some((wanted, accepted)) = known {
            let problem = (!wanted.is_empty()).then(|| asks_for_more(&self.loaded.info, accepted, &wanted));
            return (wanted, problem);
        }
        let Some(declared) = &self.locked.declared else { return (Vec::new(), None) };
        let nothing = Declared { capabilities: Vec::new(), ..declared.clone() };
        let wanted = more(Some(&nothing), Some(declared));
        let problem = (!wanted.is_empty()).then(|| {
            let message = format!("nobody has accepted what plugin `{}` asks for", self.locked.title());
            let mut problem = Problem::new(MORE_AUTHORITY, message);
            problem.causes = wanted.iter().map(ToString::to_string).collect();
            problem.help(format!("if that is right, accept it: sluice plugin add --accept {reference}"))
        });
        (wanted, problem)
    }

    /// What it is, for people.
    fn describe(&self) -> String {
        let mut text = format!("{}\n", self.locked.title());
        if let Some(manifest) = &self.loaded.info.manifest {
            let kinds: Vec<&str> = manifest.kinds.iter().map(|kind| kind.as_str()).collect();
            let _ = writeln!(text, "  {}", manifest.description.lines().next().unwrap_or_default());
            let _ = writeln!(text, "  kind      {}", kinds.join(", "));
        }
        let _ = writeln!(text, "  source    {}\n  digest    {}", self.locked.reference, self.locked.digest);
        if let Some(digest) = self.locked.oci_manifest {
            let _ = writeln!(text, "  manifest  {digest}");
        }
        match &self.loaded.info.manifest {
            Some(manifest) => describe_capabilities(&mut text, manifest),
            None => text.push_str("\na plain WASI command: it gets what steps grant, and nothing by itself\n"),
        }
        text
    }
}

pub fn add(args: &AddArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let reference = reference(&args.plugin)?;
    let workspace = lock_file::workspace(from);
    let mut lock = lock_file::read(&workspace)?;
    let candidate = candidate(&reference, &lock, &workspace).map_err(|problem| vec![problem])?;
    let (wanted, problem) = candidate.wants(&lock);
    let problem = problem.filter(|_| !args.accept);
    if problem.is_none() {
        lock.insert(candidate.locked.clone());
        lock_file::write(&workspace, &lock).map_err(|problem| vec![problem])?;
    }
    let accepted = problem.is_none();
    output.result(&if args.json {
        format!("{:#}\n", json!({"plugin": candidate.locked, "wants": wanted, "accepted": accepted}))
    } else {
        let end = if accepted { "\naccepted: it stands in sluice.lock\n" } else { "\nnot accepted\n" };
        candidate.describe() + end
    });
    problem.map_or(Ok(()), |problem| Err(vec![problem]))
}

pub fn update(args: &UpdateArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let workspace = lock_file::workspace(from);
    let mut lock = lock_file::read(&workspace)?;
    let chosen = chosen(&lock, &args.plugins)?;
    let (mut problems, mut text, mut entries) = (Vec::new(), String::new(), Vec::new());
    for old in &chosen {
        let candidate = match candidate(&old.reference, &lock, &workspace) {
            Ok(candidate) => candidate,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let (wanted, problem) = candidate.wants(&lock);
        let problem = problem.filter(|_| !args.accept);
        let change = Change { old, new: &candidate.locked, refused: problem.is_some() };
        text.push_str(&change.line(args.dry_run));
        if problem.is_none() {
            // The tag may have moved since somebody looked: what is accepted now is told now.
            text.extend(wanted.iter().map(|more| format!("  accepted: {more}\n")));
        }
        entries.push(change.json(&wanted));
        match problem {
            Some(problem) => problems.push(problem),
            None => lock.insert(candidate.locked),
        }
    }
    if !args.dry_run {
        lock_file::write(&workspace, &lock).map_err(|problem| vec![problem])?;
    }
    output.result(&if args.json { format!("{:#}\n", Value::Array(entries)) } else { text });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// What an update finds of one plugin.
struct Change<'c> {
    old: &'c Locked,
    new: &'c Locked,
    refused: bool,
}

impl Change<'_> {
    fn status(&self) -> &'static str {
        match (self.old == self.new, self.refused) {
            (true, _) => "unchanged",
            (false, true) => "refused",
            (false, false) => "updated",
        }
    }

    fn line(&self, dry_run: bool) -> String {
        let (old, new) = (self.old, self.new);
        match self.status() {
            "unchanged" => format!("{}: unchanged\n", old.title()),
            "refused" => format!("{} -> {}: asks for more, not accepted\n", old.title(), new.title()),
            _ => {
                let word = if dry_run { "would be updated" } else { "updated" };
                let (from, to) = (old.digest.short(), new.digest.short());
                format!("{} -> {}: {word}, sha256:{from} -> sha256:{to}\n", old.title(), new.title())
            }
        }
    }

    fn json(&self, wanted: &[More]) -> Value {
        json!({"status": self.status(), "from": self.old, "to": self.new, "wants": wanted})
    }
}

/// The accepted plugins that somebody names; all of them if nothing is named.
fn chosen(lock: &Lock, names: &[String]) -> Result<Vec<Locked>, Vec<Problem>> {
    if names.is_empty() {
        return Ok(lock.plugins().to_vec());
    }
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        let mut of_name = lock.plugins().iter().filter(|locked| locked.is_called(name)).cloned().peekable();
        if of_name.peek().is_none() {
            problems.push(not_in_lock(lock, name));
        }
        found.extend(of_name);
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn not_in_lock(lock: &Lock, name: &str) -> Problem {
    let known: Vec<String> = lock.plugins().iter().map(Locked::title).collect();
    let problem = Problem::new("plugin::not-found", format!("`sluice.lock` has no plugin `{name}`"));
    match known.as_slice() {
        [] => problem.help("it has none; accept one with `sluice plugin add REF`"),
        _ => problem.help(format!("it has {}", sluice_model::suggest::list(known.iter().map(String::as_str)))),
    }
}

pub fn remove(args: &RemoveArgs, from: &Path, output: &Output) -> Result<(), Vec<Problem>> {
    let workspace = lock_file::workspace(from);
    let mut lock = lock_file::read(&workspace)?;
    let mut text = String::new();
    for locked in chosen(&lock, &args.plugins)? {
        lock.remove(&locked.reference);
        let _ = writeln!(text, "{} ({}): removed", locked.title(), locked.reference);
    }
    lock_file::write(&workspace, &lock).map_err(|problem| vec![problem])?;
    output.result(&text);
    Ok(())
}
