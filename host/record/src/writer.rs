//! The threads that wait for the disk, so that nobody else does.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::RecordError;
use crate::events;
use crate::folder;

/// Events of this long share one write and one sync. Longer loses more at a crash; shorter costs more syncs.
const TICK: Duration = Duration::from_millis(10);

/// Lines on their way to `events.jsonl`.
pub struct Writer {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Of the run.
    folder: PathBuf,
    state: Mutex<State>,
    /// Tells the thread that there is something to do.
    work: Condvar,
    /// Tells those who flush that something was done.
    done: Condvar,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    /// The thread sleeps until there is work, not just until the end of its tick.
    idle: bool,
    /// Bytes ever handed over and ever synced.
    handed: u64,
    synced: u64,
    /// Somebody waits: the tick is cut short.
    urgent: bool,
    closing: bool,
    ended: bool,
    /// What stands beside the events is written, or will not be.
    prefaced: bool,
    error: Option<RecordError>,
}

/// What is written once, beside the events: one disk commit serves all that is synced at the same time.
pub struct Preface {
    pub folder: PathBuf,
    pub files: Vec<(&'static str, Vec<u8>)>,
}

impl Writer {
    /// Starts the threads. `events` is open for appending.
    pub fn start(preface: Preface, events: File) -> io::Result<Self> {
        let shared = Arc::new(Shared { folder: preface.folder.clone(), ..Shared::default() });
        let path = preface.folder.join(events::EVENTS);
        let mut writer = Self { shared: Arc::clone(&shared), threads: Vec::new() };
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name.to_owned()).spawn(run);
        let beside = Arc::clone(&shared);
        writer.threads.push(spawn("record-plan", Box::new(move || beside.note_preface(preface.write())))?);
        writer.threads.push(spawn("record", Box::new(move || shared.run(&path, events)))?);
        Ok(writer)
    }

    /// Never waits for the disk. After an error, lines are dropped.
    pub fn append(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.shared.lock();
        if state.error.is_some() {
            return;
        }
        let before = state.pending.len();
        write(&mut state.pending);
        state.handed += (state.pending.len() - before) as u64;
        if state.idle {
            state.idle = false;
            self.shared.work.notify_one();
        }
    }

    /// Waits until all that was handed over is on the disk or cannot be brought there; true if it is.
    pub fn flush(&self) -> bool {
        let mut state = self.shared.lock();
        let wanted = state.handed;
        while (state.synced < wanted || !state.prefaced) && state.error.is_none() && !state.ended {
            state.urgent = true;
            self.shared.work.notify_one();
            state = self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.synced >= wanted && state.prefaced && state.error.is_none()
    }

    /// Brings everything to the disk and ends the thread. The first error of all.
    pub fn close(&mut self) -> Result<(), RecordError> {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
        for thread in self.threads.drain(..) {
            // The threads do not panic: they have nothing but results.
            let _ = thread.join();
        }
        self.shared.lock().error.take().map_or(Ok(()), Err)
    }

    /// Bytes of events that are on the disk.
    pub fn synced(&self) -> u64 {
        self.shared.lock().synced
    }

    /// What went wrong so far, for people.
    pub fn error(&self) -> Option<String> {
        self.shared.lock().error.as_ref().map(ToString::to_string)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whoever did not ask for the result does not want it; the lines are written all the same.
        let _ = self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the first error.
    fn note(&self, result: Result<(), RecordError>) {
        if let Err(error) = result {
            events::mark_incomplete(&self.folder);
            self.lock().error.get_or_insert(error);
            self.done.notify_all();
        }
    }

    fn note_preface(&self, result: Result<(), RecordError>) {
        self.note(result);
        self.lock().prefaced = true;
        self.done.notify_all();
    }

    fn run(&self, path: &Path, mut events: File) {
        // An event on the disk tells that what the run can be continued from is there too.
        self.wait_for_preface();
        let mut group = Vec::new();
        loop {
            let mut state = self.wait_for_work();
            if state.error.is_some() {
                state.pending = Vec::new();
            }
            if state.pending.is_empty() && state.closing {
                state.ended = true;
                self.done.notify_all();
                return;
            }
            std::mem::swap(&mut state.pending, &mut group);
            state.urgent = false;
            drop(state);
            let written = events.write_all(&group).and_then(|()| events.sync_data());
            if written.is_ok() {
                self.lock().synced += group.len() as u64;
            }
            self.note(written.map_err(RecordError::io("write", path)));
            self.done.notify_all();
            group.clear();
            self.wait_for_tick();
        }
    }

    fn wait_for_preface(&self) {
        let state = self.lock();
        drop(self.done.wait_while(state, |state| !state.prefaced));
    }

    /// Returns at the end of a tick, or as soon as somebody waits.
    fn wait_for_tick(&self) {
        let state = self.lock();
        let calm = |state: &mut State| !state.urgent && !state.closing;
        drop(self.work.wait_timeout_while(state, TICK, calm));
    }

    /// Returns when there are lines to write, or it is time to end.
    fn wait_for_work(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while state.pending.is_empty() && !state.closing {
            state.idle = true;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle = false;
        state
    }
}

impl Preface {
    fn write(&self) -> Result<(), RecordError> {
        let staged: Vec<Result<(), RecordError>> = thread::scope(|scope| {
            let stage = |(name, bytes): &(&'static str, Vec<u8>)| folder::write_staged(&self.folder, name, bytes);
            let threads: Vec<_> = self.files.iter().map(|file| scope.spawn(move || stage(file))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        staged.into_iter().collect::<Result<(), RecordError>>()?;
        if self.files.is_empty() {
            return Ok(());
        }
        folder::sync(&self.folder)?;
        self.folder.parent().map_or(Ok(()), folder::sync)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preface(folder: &std::path::Path) -> Preface {
        Preface { folder: folder.to_owned(), files: vec![("plan.json", b"{}".to_vec())] }
    }

    #[test]
    fn a_full_disk_is_told_at_the_end_and_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = Writer::start(preface(folder.path()), full).unwrap();
        for _ in 0..1000 {
            writer.append(|lines| lines.extend(b"a line\n"));
        }
        assert!(!writer.flush());
        assert!(writer.error().is_some_and(|error| error.contains("events.jsonl")));
        writer.append(|_| panic!("nothing is collected for a record that has failed"));
        let RecordError::Io { source, .. } = writer.close().unwrap_err() else { panic!("not an error of the system") };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_plan_that_cannot_be_written_fails_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let events = File::create(folder.path().join("events.jsonl")).unwrap();
        let mut writer = Writer::start(preface(&folder.path().join("gone")), events).unwrap();
        let RecordError::Io { path, .. } = writer.close().unwrap_err() else { panic!("not an error of the system") };
        assert!(path.ends_with("plan.json"));
    }
}
