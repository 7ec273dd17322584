//! Ties every line of `events.jsonl` to all lines before it, and to the files beside it.
//!
//! A line is an event as JSON with one field more at its end: `chain`, the SHA-256 in hexadecimal of the chain of the
//! line before (before the first: 32 zero bytes) and the bytes of this line up to that field. The first line also has
//! `files`, the digest of each file that was written at the start. So whoever knows the last chain knows them all.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sluice_model::Digest;

use crate::error::RecordError;
use crate::events::{self, TornTail};
use crate::folder;
use crate::info::{RunInfo, State};
use crate::read::Run;

const FIELD: &[u8] = b",\"chain\":\"";
const END: &[u8] = b"\"}";
const HEX: usize = 64;

/// The chain of the last line that was written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chain([u8; 32]);

impl Chain {
    /// Ends a line, an object in JSON, with its chain.
    pub fn seal(&mut self, line: &mut Vec<u8>) {
        // The brace that closes the object comes after the chain.
        line.pop();
        *self = self.after(line);
        line.extend_from_slice(FIELD);
        line.extend_from_slice(Digest::from_bytes(self.0).hex().as_bytes());
        line.extend_from_slice(END);
    }

    /// What a line without line feed says its chain is, and the bytes that it covers. `None` for a line without one.
    pub fn of_line(line: &[u8]) -> Option<(Self, &[u8])> {
        let (content, rest) = line.split_at(line.len().checked_sub(FIELD.len() + HEX + END.len())?);
        let hex = rest.strip_prefix(FIELD)?.strip_suffix(END)?;
        let digest: Digest = format!("sha256:{}", std::str::from_utf8(hex).ok()?).parse().ok()?;
        Some((Self(digest.to_bytes()), content))
    }

    /// The chain of a line that follows, from the bytes up to its own chain.
    fn after(self, content: &[u8]) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(content).finalize().into())
    }
}

/// The field `files` of the first line.
pub fn files_field(files: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let digests: BTreeMap<&str, String> =
        files.iter().map(|(name, bytes)| (*name, digest(bytes).to_string())).collect();
    // A map of texts, written to memory: there is nothing to fail.
    format!(",\"files\":{}", serde_json::to_string(&digests).expect("texts are representable in JSON")).into_bytes()
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

/// A record that is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub events: u64,
    /// Files beside the events.
    pub files: Vec<String>,
    /// Stands for the whole record: a record with the same is the same.
    pub last: Digest,
    /// Whether the run has an end. Without one, nothing tells whether events behind the last were taken away.
    pub ended: bool,
    /// What a crash left of an event.
    pub torn: Option<TornTail>,
}

#[derive(Deserialize)]
struct First {
    #[serde(default)]
    files: BTreeMap<String, Digest>,
}

impl Run {
    /// Whether every event and every file is as it was written.
    ///
    /// Somebody who can write the record can write all of it anew, with chains that fit: compare [`Verified::last`] with
    /// what is kept elsewhere.
    ///
    /// # Errors
    /// [`RecordError::Edited`] with the first place that does not fit; [`RecordError::Unchained`]; what reading gives.
    pub fn verify(&self) -> Result<Verified, RecordError> {
        let edited = |path, line| RecordError::Edited { path, line: Some(line) };
        let (file, path) = events::open(self.folder())?;
        let Some(mut lines) = file.map(BufReader::new) else {
            return Err(RecordError::NoEvents { id: self.id().clone() });
        };
        let (mut chain, mut info, mut torn) = (Chain::default(), RunInfo::new(self.id().clone()), None);
        let (mut files, mut line, mut number) = (BTreeMap::new(), Vec::new(), 0);
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(RecordError::io("read", &path))? == 0 {
                break;
            }
            number += 1;
            let Some(text) = line.strip_suffix(b"\n") else {
                torn = Some(TornTail { line: number, bytes: line.len() });
                break;
            };
            let Some((said, content)) = Chain::of_line(text) else {
                return Err(match number {
                    1 => RecordError::Unchained { id: self.id().clone() },
                    _ => edited(path, number),
                });
            };
            chain = chain.after(content);
            let event = serde_json::from_slice(text).ok().filter(|_| said == chain);
            let Some(event) = event else { return Err(edited(path, number)) };
            info.add(&event);
            if number == 1 {
                let first: First = serde_json::from_slice(text).map_err(|_| edited(path.clone(), 1))?;
                files = first.files;
            }
        }
        if number == 0 {
            return Err(RecordError::NoEvents { id: self.id().clone() });
        }
        for (name, written) in &files {
            let file = self.folder().join(name);
            if folder::read_plain(&file)?.is_none_or(|bytes| digest(&bytes) != *written) {
                return Err(RecordError::Edited { path: file, line: None });
            }
        }
        let ended = matches!(info.state, State::Finished(_));
        // It is a cache, but it is what a list of runs shows.
        if self.summary()?.is_some_and(|summary| ended && summary != info) {
            return Err(RecordError::Edited { path: self.folder().join("summary.json"), line: None });
        }
        let last = Digest::from_bytes(chain.0);
        Ok(Verified { events: info.events, files: files.into_keys().collect(), last, ended, torn })
    }
}
