//! Writing a record.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sluice_model::Event;

use crate::chain::{self, Chain};
use crate::error::RecordError;
use crate::events::{self, EVENTS};
use crate::folder;
use crate::id::RunId;
use crate::info::{RunInfo, State};
use crate::read::Run;
use crate::writer::{Preface, Writer};

/// What is recorded of a run before its first event.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    pub plan_json: Vec<u8>,
    pub workflow_text: String,
    /// From what the plan can be made again.
    pub origin_json: Vec<u8>,
}

/// The files beside the events, in the order of [`Contents`].
const FILES: [&str; 3] = ["plan.json", "workflow.yaml", "origin.json"];

/// Writes the record of one run. Only [`flush`](Self::flush) and [`finish`](Self::finish) wait for the disk.
///
/// The first error is kept and given back at the end; what comes after it is dropped. It says nothing about the run.
pub struct Recorder {
    folder: PathBuf,
    writer: Writer,
    info: RunInfo,
    /// Of the last event; `None` for a record that was begun without.
    chain: Option<Chain>,
    /// What the first event tells besides, if it is still to come.
    files: Vec<u8>,
    /// Whether nothing of the run was there before.
    new: bool,
}

impl Recorder {
    /// Makes the folder of the run below `root` (`.sluice` of the workspace). The contents are written behind the
    /// caller's back.
    ///
    /// # Errors
    /// [`RecordError::Exists`] asks for another id; all others mean that there will be no record.
    pub fn create(root: &Path, id: RunId, contents: Contents) -> Result<Self, RecordError> {
        folder::ensure(root)?;
        ignore(root)?;
        let runs = root.join("runs");
        folder::ensure(&runs)?;
        let folder = runs.join(id.as_str());
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(RecordError::Exists { id }),
            other => other.map_err(RecordError::io("create", &folder))?,
        }
        let path = folder.join(EVENTS);
        let opened = OpenOptions::new().append(true).create_new(true).open(&path);
        let events = opened.map_err(|error| {
            // An empty folder would look like a run that was interrupted.
            let _ = fs::remove_dir(&folder);
            RecordError::io("create", &path)(error)
        })?;
        // It tells readers that this process lives. Where files cannot be locked, they will say `interrupted`.
        let _ = events.try_lock();
        let Contents { plan_json, workflow_text, origin_json } = contents;
        let files = FILES.into_iter().zip([plan_json, workflow_text.into_bytes(), origin_json]).collect::<Vec<_>>();
        let first = chain::files_field(&files);
        let preface = Preface { folder: folder.clone(), files };
        let writer = Writer::start(preface, events).map_err(RecordError::io("write", &path))?;
        Ok(Self { folder, writer, info: RunInfo::new(id), chain: Some(Chain::default()), files: first, new: true })
    }

    /// Goes on with the record of a run that has ended or was interrupted. Half an event at its end is cut off.
    ///
    /// # Errors
    /// [`RecordError::StillRunning`] if its process lives, [`RecordError::Incomplete`] if events are missing; all others
    /// mean that it cannot go on.
    pub fn reopen(run: &Run) -> Result<Self, RecordError> {
        let folder = run.folder().to_owned();
        if events::is_incomplete(&folder) {
            return Err(RecordError::Incomplete { id: run.id().clone() });
        }
        let path = folder.join(EVENTS);
        // That it is a plain file, and no link to one.
        let Some(_) = folder::open_plain(&path)? else { return Err(RecordError::NoEvents { id: run.id().clone() }) };
        let events = OpenOptions::new().append(true).open(&path).map_err(RecordError::io("open", &path))?;
        if let Err(TryLockError::WouldBlock) = events.try_lock() {
            return Err(RecordError::StillRunning { id: run.id().clone() });
        }
        let mut info = RunInfo::new(run.id().clone());
        let mut recorded = run.events()?;
        for event in recorded.by_ref() {
            info.add(&event?);
        }
        let chain = if info.events == 0 { Some(Chain::default()) } else { recorded.last_chain() };
        if let Some(torn) = recorded.torn_tail() {
            let length = events.metadata().map_err(RecordError::io("read", &path))?.len();
            events.set_len(length.saturating_sub(torn.bytes as u64)).map_err(RecordError::io("write", &path))?;
        }
        // It tells of a run that has ended, and this one goes on.
        let summary = folder.join("summary.json");
        match fs::remove_file(&summary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(RecordError::io("remove", &summary)(error));
            }
            _ => {}
        }
        // What the first event would have told of the files that were written before it.
        let mut first = Vec::new();
        if info.events == 0 {
            let written = FILES.map(|name| Ok((name, folder::read_plain(&folder.join(name))?)));
            let written: Vec<_> = written.into_iter().collect::<Result<_, RecordError>>()?;
            let there = written.into_iter().filter_map(|(name, bytes)| Some((name, bytes?)));
            first = chain::files_field(&there.collect::<Vec<_>>());
        }
        let preface = Preface { folder: folder.clone(), files: Vec::new() };
        let writer = Writer::start(preface, events).map_err(RecordError::io("write", &path))?;
        Ok(Self { folder, writer, info, chain, files: first, new: false })
    }

    /// How many events there are: the sequence number of the next.
    pub fn next_seq(&self) -> u64 {
        self.info.events
    }

    /// The folder of this run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds an event. It is on the disk about 10 ms later.
    pub fn append(&mut self, event: &Event) {
        self.info.add(event);
        let Self { writer, chain, files, .. } = self;
        writer.append(|lines| {
            // Events are maps with string keys, written to memory: there is nothing to fail.
            let mut line = serde_json::to_vec(event).expect("an event is representable in JSON");
            line.splice(line.len() - 1..line.len() - 1, files.drain(..));
            if let Some(chain) = chain {
                chain.seal(&mut line);
            }
            lines.append(&mut line);
            lines.push(b'\n');
        });
    }

    /// Waits until every event so far is on the disk. False if the record has failed.
    pub fn flush(&self) -> bool {
        self.writer.flush()
    }

    /// What went wrong so far, to warn people early.
    pub fn failed(&self) -> Option<String> {
        self.writer.error()
    }

    /// Brings everything to the disk, and the summary if the run has ended. The first error of all. A new record of
    /// which not one event came to the disk is removed.
    pub fn finish(mut self) -> Result<(), RecordError> {
        let closed = self.writer.close();
        if closed.is_err() && self.new && self.writer.synced() == 0 {
            let _ = fs::remove_dir_all(&self.folder);
        }
        closed?;
        if let State::Finished(_) = self.info.state {
            let bytes = serde_json::to_vec_pretty(&self.info).expect("a summary is representable in JSON");
            folder::write_cache(&self.folder, "summary.json", &bytes)?;
        }
        Ok(())
    }
}

/// Keeps records and artifacts out of version control, and nothing else: `.sluice` may hold workflows too.
fn ignore(root: &Path) -> Result<(), RecordError> {
    let path = root.join(".gitignore");
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(());
    }
    let failed = |source| RecordError::Io { action: "write", path: path.clone(), source };
    let mut staged = tempfile::NamedTempFile::new_in(root).map_err(failed)?;
    staged
        .write_all(b"/.gitignore\n/runs/\n/artifacts/\n")
        .and_then(|()| staged.as_file().sync_all())
        .map_err(failed)?;
    match staged.persist_noclobber(&path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error.error)),
        _ => Ok(()),
    }
}
