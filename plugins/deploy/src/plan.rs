//! Finding out what would change.

use serde::{Deserialize, Serialize};
use sluice_sdk::{Action, Change, Failure};

use crate::content::Content;
use crate::target::Target;
use crate::tree::Tree;

/// Length of the name of a release that is called by its digest.
const NAME_FROM_DIGEST: usize = 12;

/// What `apply` will do, and what it must find. Travels as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The folder that is deployed to.
    pub to: String,
    pub release: String,
    /// Of the content, see [`Tree::digest`].
    pub digest: String,
    pub files: usize,
    /// Whether the release is there already, with this content.
    pub exists: bool,
    /// What `current` leads to.
    pub current: Option<String>,
    /// All releases that are there, sorted.
    pub releases: Vec<String>,
    /// Releases to delete afterwards, the newest first.
    pub delete: Vec<String>,
    /// Folders of interrupted deployments to delete afterwards.
    pub leftovers: Vec<String>,
}

impl Plan {
    /// Reads all of the content and looks at the target. `keep` counts the new and the previous release.
    ///
    /// Fails when the release is there with other content: releases do not change, or going back would not be possible.
    pub fn make(target: &Target, content: &Content, release: Option<&str>, keep: usize) -> Result<Self, Failure> {
        let tree = Tree::of(content)?;
        let digest = tree.digest();
        let release = release.unwrap_or(&digest[..NAME_FROM_DIGEST]).to_owned();
        let world = target.world()?;

        let exists = world.releases.contains(&release);
        if exists && Tree::on_disk(&target.release(&release))? != tree {
            let path = target.release(&release);
            return Err(Failure::failed(format!("`{}` exists with other content", path.display()))
                .help("choose another name with `release`"));
        }
        let done = exists && world.current.as_deref() == Some(&release);
        let mut delete = Vec::new();
        if !done {
            let stays = |name: &String| *name == release || Some(name) == world.current.as_ref();
            let staying = 1 + usize::from(world.current.as_ref().is_some_and(|name| *name != release));
            delete =
                world.releases.iter().filter(|name| !stays(name)).skip(keep.saturating_sub(staying)).cloned().collect();
        }
        let mut releases = world.releases;
        releases.sort();
        Ok(Self {
            to: target.root().to_string_lossy().into_owned(),
            leftovers: if done { Vec::new() } else { world.leftovers },
            files: tree.files(),
            current: world.current,
            release,
            digest,
            exists,
            releases,
            delete,
        })
    }

    /// Whether everything is already as wanted.
    pub fn is_done(&self) -> bool {
        self.exists && self.current.as_ref() == Some(&self.release)
    }

    /// The same for people, in the order in which it will be done.
    pub fn changes(&self) -> Vec<Change> {
        if self.is_done() {
            return Vec::new();
        }
        let change = |action, subject: String, detail: String| Change { action, subject, detail: Some(detail) };
        let mut changes = Vec::new();
        if !self.exists {
            let detail = format!("files: {}, content: {}", self.files, self.digest);
            changes.push(change(Action::Create, format!("{}/releases/{}", self.to, self.release), detail));
        }
        let current = format!("{}/current", self.to);
        changes.push(match &self.current {
            None => change(Action::Create, current, format!("leads to `{}`", self.release)),
            Some(before) => change(Action::Update, current, format!("from `{before}` to `{}`", self.release)),
        });
        let gone =
            |name: &String, why: &str| change(Action::Delete, format!("{}/releases/{name}", self.to), why.to_owned());
        changes.extend(self.delete.iter().map(|name| gone(name, "older than those that are kept")));
        changes.extend(self.leftovers.iter().map(|name| gone(name, "left by an interrupted deployment")));
        changes
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and lists have a form in JSON")
    }

    /// Reads a plan back and makes sure that it is for the folder `to`.
    pub fn from_bytes(bytes: &[u8], to: &str) -> Result<Self, Failure> {
        let plan: Self = serde_json::from_slice(bytes)
            .map_err(|error| Failure::failed(format!("the plan is not one of this plugin: {error}")))?;
        if plan.to == to {
            Ok(plan)
        } else {
            Err(Failure::failed(format!("the plan is for the folder `{}`, not for `{to}`", plan.to)))
        }
    }
}
