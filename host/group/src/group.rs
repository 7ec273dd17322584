//! The queue of one group.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::GroupError;
use crate::files;

/// Longest readable part of a folder's name, in characters.
const MAX_READABLE: usize = 40;

/// The file of a run in the queue, and that with which it is asked to end.
const RUN: &str = "run";
const END: &str = "end";

/// Who is in a queue. It is for people: nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Member {
    pub group: String,
    pub run: String,
    pub workflow: String,
    pub workspace: String,
    /// Id of the process.
    pub process: u32,
    /// When it came, in milliseconds since the Unix epoch.
    pub since: u64,
}

/// A group of runs.
#[derive(Debug, Clone)]
pub struct Group {
    door: PathBuf,
    folder: PathBuf,
}

/// A place in the queue of a group; it is given up when dropped, or when the process ends in any way.
#[derive(Debug)]
pub struct Place {
    group: Group,
    number: u64,
    /// Locked as long as this process lives.
    _lock: File,
}

/// What others ask of the run that has a place. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Requests {
    path: PathBuf,
}

impl Group {
    /// The group of this name. `root` is the folder of all groups; it is made unless it is there, and it and the folder
    /// around it are private to the user.
    ///
    /// # Errors
    /// If there can be no such folder.
    pub fn open(root: &Path, name: &str) -> Result<Self, GroupError> {
        if let Some(above) = root.parent() {
            files::ensure_private(above)?;
        }
        files::ensure_private(root)?;
        Ok(Self { door: root.join("door"), folder: root.join(folder_name(name)) })
    }

    /// Takes the last place of the queue.
    ///
    /// # Errors
    /// If the system refuses, or another process does not let anybody in.
    pub fn enter(&self, member: &Member) -> Result<Place, GroupError> {
        let _inside = files::enter_door(&self.door)?;
        files::ensure_private(&self.folder)?;
        let number = self.remove_dead()? + 1;
        let path = self.path(number, RUN);
        let mut file = files::create(&path).map_err(GroupError::io("create", &path))?;
        let place = |file| Place { group: self.clone(), number, _lock: file };
        let locked = file.try_lock().map_err(std::io::Error::from);
        let written = locked.and_then(|()| file.write_all(&serde_json::to_vec(member).unwrap_or_default()));
        match written {
            Ok(()) => Ok(place(file)),
            Err(error) => {
                files::remove(&path)?;
                Err(GroupError::io("lock", &path)(error))
            }
        }
    }

    /// Removes what runs left that were killed; only inside the door. Gives the last number there was.
    fn remove_dead(&self) -> Result<u64, GroupError> {
        let mut last = 0;
        for (number, path) in self.places()? {
            last = number;
            // What is no file of ours stays, and means nothing.
            if self.is_held(&path)?.is_none() && files::open_own(&path)?.is_some() {
                files::remove(&self.path(number, END))?;
                files::remove(&path)?;
            }
        }
        Ok(last)
    }

    fn path(&self, number: u64, kind: &str) -> PathBuf {
        self.folder.join(format!("{number:08}.{kind}"))
    }

    /// All places that were ever taken and are on the disk, in order.
    fn places(&self) -> Result<BTreeMap<u64, PathBuf>, GroupError> {
        let mut places = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).map_err(GroupError::io("read", &self.folder))? {
            let path = entry.map_err(GroupError::io("read", &self.folder))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if path.extension().is_some_and(|kind| kind == RUN)
                && let Ok(number) = stem.parse::<u64>()
                && number < u64::MAX
            {
                places.insert(number, path);
            }
        }
        Ok(places)
    }

    /// Whether the process that took the place lives. What it said of itself comes with it, if that can be read.
    fn is_held(&self, path: &Path) -> Result<Option<Option<Member>>, GroupError> {
        let Some(file) = files::open_own(path)? else { return Ok(None) };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(member(&file))),
            Err(TryLockError::Error(error)) => Err(GroupError::io("lock", path)(error)),
        }
    }
}

impl Place {
    /// Who came before and has not ended, the first first. It is this run's turn when there is nobody.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn ahead(&self) -> Result<Vec<Member>, GroupError> {
        Ok(self.held()?.into_values().collect())
    }

    /// Asks all who came before to end in order. Who has been asked is not asked again.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn ask_those_ahead_to_end(&self, by: &Member) -> Result<(), GroupError> {
        // Whoever goes away goes through the door as well, so nobody asks the next one that gets the number.
        let _inside = files::enter_door(&self.group.door)?;
        for number in self.held()?.into_keys() {
            let path = self.group.path(number, END);
            match files::create(&path) {
                Ok(mut file) => {
                    let text = serde_json::to_vec(by).unwrap_or_default();
                    file.write_all(&text).map_err(GroupError::io("write", &path))?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(GroupError::io("create", &path)(error)),
            }
        }
        Ok(())
    }

    pub fn requests(&self) -> Requests {
        Requests { path: self.group.path(self.number, END) }
    }

    fn held(&self) -> Result<BTreeMap<u64, Member>, GroupError> {
        let mut held = BTreeMap::new();
        for (number, path) in self.group.places()?.range(..self.number) {
            if let Some(member) = self.group.is_held(path)? {
                held.insert(*number, member.unwrap_or_else(unknown));
            }
        }
        Ok(held)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whatever cannot be removed is removed by the next run of the group: its lock ends here.
        let Ok(_inside) = files::enter_door(&self.group.door) else { return };
        let _ = files::remove(&self.group.path(self.number, END));
        let _ = files::remove(&self.group.path(self.number, RUN));
        let _ = self.group.remove_dead();
        // Others may still be there.
        let _ = fs::remove_dir(&self.group.folder);
    }
}

impl Requests {
    /// Who asks this run to end, if anybody does.
    pub fn end(&self) -> Option<Member> {
        let file = files::open_own(&self.path).ok().flatten()?;
        // What cannot be read yet is being written.
        member(&file)
    }
}

fn member(file: &File) -> Option<Member> {
    serde_json::from_slice(&files::read(file).ok()?).ok()
}

fn unknown() -> Member {
    let unknown = || "?".to_owned();
    Member { group: unknown(), run: unknown(), workflow: unknown(), workspace: unknown(), process: 0, since: 0 }
}

/// `deploy/prod` -> `deploy-prod-` and a digest, so that every name has a folder of its own.
fn folder_name(group: &str) -> String {
    let readable = group.chars().map(|c| if c.is_ascii_alphanumeric() || "_.".contains(c) { c } else { '-' });
    let readable: String = readable.take(MAX_READABLE).collect();
    let digest: String = Sha256::digest(group).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    match readable.trim_matches(['-', '.']) {
        "" => digest,
        readable => format!("{readable}-{digest}"),
    }
}
