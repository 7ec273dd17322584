//! Whole deployments to a folder on the disk.

mod archives;
mod deployments;
mod refusals;

use std::cell::Cell;
use std::fs::{self, File};
use std::io::Cursor;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use sluice_sdk::Failure;
use sluice_sdk::files::Globs;
use tempfile::TempDir;

use crate::apply::{Applied, apply};
use crate::content::{Content, Source};
use crate::plan::Plan;
use crate::target::Target;

fn archive(bytes: Vec<u8>) -> Content<'static> {
    let source =
        Source::Archive { size: bytes.len() as u64, open: Box::new(move || Ok(Box::new(Cursor::new(bytes.clone())))) };
    Content { source, cancelled: Box::new(|| false) }
}

fn folder(root: &Path, globs: &[&str]) -> Content<'static> {
    let globs = Globs::new(&globs.iter().map(ToString::to_string).collect::<Vec<_>>(), &[]).unwrap();
    Content { source: Source::Folder { root: root.to_owned(), globs }, cancelled: Box::new(|| false) }
}

/// A folder to deploy to.
struct Site {
    root: TempDir,
    deployments: Cell<u64>,
}

impl Site {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), deployments: Cell::new(0) }
    }

    fn target(&self) -> Target {
        Target::new(self.root.path())
    }

    fn plan(&self, text: &str, release: &str) -> Result<Plan, Failure> {
        Plan::make(&self.target(), &text_content(text), Some(release), 3)
    }

    /// Deploys one file with that text. Releases get older times the earlier they were made, however fast the test.
    fn deploy(&self, text: &str, release: &str) -> Applied {
        let plan = self.plan(text, release).unwrap();
        let applied = apply(&self.target(), &text_content(text), &plan, "run/job/step/1").unwrap();
        self.deployments.set(self.deployments.get() + 1);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.deployments.get());
        File::open(self.target().release(release)).unwrap().set_modified(time).unwrap();
        applied
    }

    /// All there is below the folder, a line each, without temporary names of the test.
    fn tree(&self) -> String {
        fn list(folder: &Path, indent: &str, text: &mut String) {
            let mut items: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
            items.sort_by_key(fs::DirEntry::file_name);
            for item in items {
                let name = item.file_name().into_string().unwrap();
                let kind = item.file_type().unwrap();
                if kind.is_symlink() {
                    let leads = fs::read_link(item.path()).unwrap();
                    text.push_str(&format!("{indent}{name} -> {}\n", leads.display()));
                } else if kind.is_dir() {
                    text.push_str(&format!("{indent}{name}/\n"));
                    list(&item.path(), &format!("{indent}  "), text);
                } else {
                    text.push_str(&format!("{indent}{name}: {}\n", fs::read_to_string(item.path()).unwrap()));
                }
            }
        }
        let mut text = String::new();
        list(self.root.path(), "", &mut text);
        text
    }
}

fn text_content(text: &str) -> Content<'static> {
    archive(archives::tar_gz(&[("index.html", text)]))
}

fn changes(plan: &Plan, site: &Site) -> Vec<String> {
    let root = format!("{}/", site.root.path().display());
    plan.changes()
        .iter()
        .map(|change| {
            let detail = change.detail.as_deref().unwrap_or_default();
            format!("{:?} {}: {detail}", change.action, change.subject.replace(&root, ""))
        })
        .collect()
}
