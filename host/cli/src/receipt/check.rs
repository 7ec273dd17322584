//! Whether a receipt is of this record and of the artifacts on this disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sluice_model::{Digest, Problem};
use sluice_record::{Run, Verified};

use super::envelope;
use super::key::PublicKey;
use super::statement::{PREDICATE, RECORD, STATEMENT};

/// A receipt is smaller, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Checks signature, record and artifacts, and gives the number of artifacts.
///
/// # Errors
/// Everything that does not fit, at once.
pub fn check(
    file: &Path,
    shown: &Path,
    key: &PublicKey,
    (run, verified): (&Run, &Verified),
    artifacts: &Path,
) -> Result<usize, Problem> {
    let refused = |reasons: Vec<String>| {
        let problem =
            Problem::new("run::receipt", format!("the receipt `{}` is not of run `{}`", shown.display(), run.id()));
        reasons.into_iter().fold(problem, Problem::cause)
    };
    let mut text = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut text));
    read.map_err(|error| refused(vec![format!("it cannot be read: {error}")]))?;
    let statement = envelope::open(&text, key).map_err(|reason| refused(vec![reason]))?;
    let mut reasons = Vec::new();
    for (field, expected) in [("_type", STATEMENT), ("predicateType", PREDICATE)] {
        if statement[field] != expected {
            reasons.push(format!("its `{field}` is {}, not \"{expected}\"", statement[field]));
        }
    }
    if !reasons.is_empty() {
        return Err(refused(reasons));
    }
    let predicate = &statement["predicate"];
    if predicate["run"] != run.id().as_str() {
        reasons.push(format!("it is of run {}", predicate["run"]));
    }
    if predicate["record"]["digest"]["sha256"] != verified.last.hex() {
        reasons.push("the record has another hash: it went on, or was made anew".to_owned());
    }
    let subjects = statement["subject"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = 0;
    for subject in subjects.iter().filter(|subject| subject["mediaType"] != RECORD) {
        match artifact(subject, artifacts) {
            Ok(()) => found += 1,
            Err(reason) => reasons.push(format!("the artifact {}: {reason}", subject["name"])),
        }
    }
    if reasons.is_empty() { Ok(found) } else { Err(refused(reasons)) }
}

fn artifact(subject: &Value, artifacts: &Path) -> Result<(), String> {
    let hex = subject["digest"]["sha256"].as_str().unwrap_or_default();
    let digest: Digest = format!("sha256:{hex}").parse().map_err(|_| "its digest is none".to_owned())?;
    let mut file = File::open(artifacts.join("sha256").join(digest.hex()))
        .map_err(|error| format!("it is not on this disk: {error}"))?;
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash).map_err(|error| format!("it cannot be read: {error}"))?;
    let found = Digest::from_bytes(hash.finalize().into());
    if found == digest { Ok(()) } else { Err(format!("it has the digest {found}")) }
}
