//! Inputs, files, outputs.

use std::fs::File;
use std::io::Read;

use serde::Deserialize;
use sluice_sdk::{Failure, Level, Scan, Sink, Step};

use crate::Scanner;
use crate::file::{binary_by_content, binary_by_name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Inputs {
    paths: Vec<String>,
    exclude: Vec<String>,
    disable: Vec<String>,
    allow: Vec<String>,
    max_file_bytes: u64,
}

struct Plugin;

sluice_sdk::plugin!(Plugin: Scan, "plugin.yaml");

/// Findings are handed over in batches of this many.
const BATCH: usize = 200;
/// Files between two looks at whether the run is being cancelled.
const STRIDE: usize = 256;

impl Scan for Plugin {
    fn scan(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let inputs: Inputs = step.inputs()?;
        let scanner = Scanner::new(&inputs.disable, &inputs.allow)
            .map_err(|problems| Failure::invalid_input(problems.join("; ")))?;
        let mut globs = inputs.paths;
        globs.extend(inputs.exclude.iter().map(|glob| format!("!{glob}")));
        let paths = step.files(&globs)?;

        let (mut scanned, mut skipped, mut found) = (0u64, 0u64, 0usize);
        let mut bytes = Vec::new();
        let mut batch = Vec::new();
        for (done, path) in paths.iter().enumerate() {
            if done % STRIDE == 0 {
                if step.cancelled() {
                    return Err(Failure::failed("the run was cancelled"));
                }
                sink.progress(done as u64, Some(paths.len() as u64), "files");
            }
            match read(path, inputs.max_file_bytes, &mut bytes) {
                Ok(Content::Text) => {
                    scanned += 1;
                    batch.extend(scanner.scan(path, &bytes));
                }
                Ok(Content::Binary) => skipped += 1,
                Ok(Content::TooLarge) => {
                    skipped += 1;
                    sink.log(Level::Warn, format!("skipped `{path}`: larger than `max-file-bytes`"));
                }
                Err(error) => {
                    skipped += 1;
                    sink.log(Level::Warn, format!("skipped `{path}`: {error}"));
                }
            }
            if batch.len() >= BATCH {
                found += batch.len();
                sink.findings(std::mem::take(&mut batch));
            }
        }
        found += batch.len();
        sink.findings(batch);
        sink.output("files", scanned)?;
        sink.output("skipped", skipped)?;
        sink.output("secrets", found)
    }
}

enum Content {
    Text,
    Binary,
    TooLarge,
}

/// Read a file into `bytes`, which keeps its memory from file to file.
fn read(path: &str, limit: u64, bytes: &mut Vec<u8>) -> std::io::Result<Content> {
    if binary_by_name(path) {
        return Ok(Content::Binary);
    }
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Ok(Content::TooLarge);
    }
    bytes.clear();
    bytes.reserve(usize::try_from(size).unwrap_or_default());
    file.read_to_end(bytes)?;
    Ok(if binary_by_content(bytes) { Content::Binary } else { Content::Text })
}
