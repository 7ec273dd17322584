//! Reading `events.jsonl`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use sluice_model::Event;

use crate::chain::Chain;
use crate::error::RecordError;

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
