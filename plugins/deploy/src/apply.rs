//! Doing what a plan says.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sluice_sdk::Failure;

use crate::content::Content;
use crate::plan::Plan;
use crate::target::Target;
use crate::tree::{Tree, short};

/// All that going back needs. Travels as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Receipt {
    /// The folder that was deployed to.
    pub to: String,
    pub release: String,
    /// What `current` led to before.
    pub previous: Option<String>,
    /// Whether `current` was switched.
    pub changed: bool,
    /// Releases that are gone for good.
    pub deleted: Vec<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Applied {
    pub receipt: Receipt,
    /// Releases that should have been deleted and why they are still there. The deployment itself is done.
    pub warnings: Vec<String>,
}

/// Does what the plan says. `key` is the same for every repetition of one attempt: what an interrupted repetition has
/// done already is taken over.
///
/// Fails when target or content are no longer as the plan found them. When it fails, the target is as before.
pub fn apply(target: &Target, content: &Content, plan: &Plan, key: &str) -> Result<Applied, Failure> {
    let key = short(key);
    let world = target.world()?;
    let made = unchanged(plan, world.current.as_deref(), &world.releases)?;
    let mut receipt = Receipt {
        to: plan.to.clone(),
        release: plan.release.clone(),
        previous: plan.current.clone(),
        changed: !plan.is_done(),
        deleted: Vec::new(),
    };

    if made {
        if Tree::on_disk(&target.release(&plan.release))?.digest() != plan.digest {
            return Err(changed(&format!("`{}` has other content", target.release(&plan.release).display())));
        }
    } else {
        create(target, content, plan, &key)?;
    }
    if world.current.as_ref() != Some(&plan.release)
        && let Err(failure) = target.switch(&plan.release, &key)
    {
        if !made {
            // The failure to switch is the one to tell.
            let _ = fs::remove_dir_all(target.release(&plan.release));
        }
        return Err(failure);
    }

    let mut warnings = Vec::new();
    for name in plan.delete.iter().chain(&plan.leftovers) {
        let path = target.release(name);
        match fs::remove_dir_all(&path) {
            Ok(()) => receipt.deleted.push(name.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => warnings.push(format!("cannot delete `{}`: {error}", path.display())),
        }
    }
    Ok(Applied { receipt, warnings })
}

/// Whether the release is there already. Fails when something is neither as the plan found it nor as the plan, half
/// done, would leave it.
fn unchanged(plan: &Plan, current: Option<&str>, releases: &[String]) -> Result<bool, Failure> {
    if current != plan.current.as_deref() && current != Some(&plan.release) {
        let told = |name: Option<&str>| name.map_or("nothing".to_owned(), |name| format!("`{name}`"));
        return Err(changed(&format!(
            "`current` leads to {}, not to {}",
            told(current),
            told(plan.current.as_deref())
        )));
    }
    if let Some(new) = releases.iter().find(|name| **name != plan.release && !plan.releases.contains(name)) {
        return Err(changed(&format!("the release `{new}` is new")));
    }
    let made = releases.contains(&plan.release);
    match plan.releases.iter().find(|name| !releases.contains(name) && !plan.delete.contains(name)) {
        Some(gone) => Err(changed(&format!("the release `{gone}` is gone"))),
        None => Ok(made),
    }
}

fn changed(what: &str) -> Failure {
    Failure::failed(format!("something changed since the plan was made: {what}")).help("plan and run again")
}

/// Puts the release together beside the others, and gives it its name when it is whole.
fn create(target: &Target, content: &Content, plan: &Plan, key: &str) -> Result<(), Failure> {
    let releases = target.releases();
    let staging = target.staging(key);
    let first = !releases.exists();
    let staged = stage(content, plan, &releases, &staging).and_then(|()| {
        fs::rename(&staging, target.release(&plan.release))
            .map_err(|error| Failure::failed(format!("cannot name the release `{}`: {error}", plan.release)))
    });
    if staged.is_err() {
        // The first failure is the one to tell; what cannot be cleaned up is a leftover for the next plan.
        let _ = fs::remove_dir_all(&staging);
        if first {
            let _ = fs::remove_dir(&releases);
        }
    }
    staged
}

fn stage(content: &Content, plan: &Plan, releases: &Path, staging: &Path) -> Result<(), Failure> {
    let unwritable = |error| Failure::failed(format!("cannot write to `{}`: {error}", releases.display()));
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
        _ => {}
    }
    fs::create_dir_all(releases).map_err(unwritable)?;
    fs::create_dir(staging).map_err(unwritable)?;
    if Tree::unpack(content, staging)?.digest() == plan.digest { Ok(()) } else { Err(changed("the files are others")) }
}

impl Receipt {
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, booleans and lists have a form in JSON")
    }

    /// Reads a receipt back and makes sure that it is for the folder `to`.
    pub fn from_bytes(bytes: &[u8], to: &str) -> Result<Self, Failure> {
        let receipt: Self = serde_json::from_slice(bytes)
            .map_err(|error| Failure::failed(format!("the receipt is not one of this plugin: {error}")))?;
        if receipt.to == to {
            Ok(receipt)
        } else {
            Err(Failure::failed(format!("the receipt is for the folder `{}`, not for `{to}`", receipt.to)))
        }
    }
}
