//! Reading `events.jsonl`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use sluice_model::Event;

use crate::chain::Chain;
use crate::error::RecordError;
use crate::folder;

/// The events of a run.
pub(crate) const EVENTS: &str = "events.jsonl";

/// Their name from when one of them could not be written. A change of name needs no room on a full disk.
pub(crate) const INCOMPLETE: &str = "events.incomplete.jsonl";

/// The file of events in the folder of a run, and its path; no file if there is none.
pub(crate) fn open(run: &Path) -> Result<(Option<File>, PathBuf), RecordError> {
    // In this order a change of name in between is not missed.
    for name in [EVENTS, INCOMPLETE] {
        let path = run.join(name);
        if let Some(file) = folder::open_plain(&path)? {
            return Ok((Some(file), path));
        }
    }
    Ok((None, run.join(EVENTS)))
}

/// Makes known to readers that events are missing, as far as the system lets us.
pub(crate) fn mark_incomplete(run: &Path) {
    let _ = fs::rename(run.join(EVENTS), run.join(INCOMPLETE));
}

/// Whether events are missing that could not be written.
pub(crate) fn is_incomplete(run: &Path) -> bool {
    fs::symlink_metadata(run.join(INCOMPLETE)).is_ok()
}

/// The events of a run, in order. Ends at the first error.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: Option<BufReader<File>>,
    line: u64,
    buffer: Vec<u8>,
    chain: Option<Chain>,
    torn: Option<TornTail>,
}

/// What a crash left of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornTail {
    /// Line number, from 1.
    pub line: u64,
    /// How much of it is there.
    pub bytes: usize,
}

impl Events {
    pub(crate) fn new(file: Option<File>, path: PathBuf) -> Self {
        Self { path, file: file.map(BufReader::new), line: 0, buffer: Vec::new(), chain: None, torn: None }
    }

    /// After the last event: whether there was half an event more.
    pub fn torn_tail(&self) -> Option<TornTail> {
        self.torn
    }

    /// The chain of the last event that was read, if it has one.
    pub(crate) fn last_chain(&self) -> Option<Chain> {
        self.chain
    }

    fn read(&mut self) -> Result<Option<Event>, RecordError> {
        let Some(file) = &mut self.file else { return Ok(None) };
        self.buffer.clear();
        let bytes = file.read_until(b'\n', &mut self.buffer).map_err(RecordError::io("read", &self.path))?;
        if bytes == 0 {
            return Ok(None);
        }
        self.line += 1;
        if self.buffer.last() != Some(&b'\n') {
            self.torn = Some(TornTail { line: self.line, bytes });
            return Ok(None);
        }
        self.chain = Chain::of_line(&self.buffer[..bytes - 1]).map(|(chain, _)| chain);
        serde_json::from_slice(&self.buffer).map(Some).map_err(|error| RecordError::Damaged {
            path: self.path.clone(),
            line: self.line,
            reason: error.to_string(),
        })
    }
}

impl Iterator for Events {
    type Item = Result<Event, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.file = None;
        }
        next
    }
}
