//! Receipts: what came of a run, signed. An in-toto statement in a DSSE envelope.

mod check;
mod envelope;
mod key;
mod statement;

use std::fs;
use std::path::{Path, PathBuf};

use sluice_model::Problem;
use sluice_record::{RecordError, Run};

pub use check::check;
pub use key::{PublicKey, SigningKey, create};

/// A receipt to write when a run has ended. The key has been read, so that a run does not end with a key that is none.
pub struct Request {
    pub key: SigningKey,
    /// Where it goes, and what people call that.
    pub file: PathBuf,
    pub shown: PathBuf,
}

impl Request {
    /// Signs the record of a run that has ended.
    pub fn write(&self, run: &Run) -> Result<(), Problem> {
        let receipt = sign(run, &self.key)?;
        fs::write(&self.file, receipt).map_err(|error| {
            Problem::new("host::receipt", format!("cannot write the receipt `{}`", self.shown.display()))
                .cause(error.to_string())
        })
    }
}

/// The receipt of a run, a line of JSON.
///
/// # Errors
/// A record that was changed, a run that has not ended.
pub fn sign(run: &Run, key: &SigningKey) -> Result<String, Problem> {
    let verified = run.verify().map_err(|error| Problem::from(&error))?;
    if !verified.ended {
        return Err(Problem::new("run::not-ended", format!("run `{}` has no end that could be signed", run.id()))
            .help("go on with it, `sluice resume`, or sign another one"));
    }
    let statement = statement::make(run, &verified)?;
    Ok(envelope::seal(&statement, key))
}

/// Opens the record of a run for a receipt.
pub fn open(workspace: &Path, run: &str) -> Result<Run, RecordError> {
    sluice_record::open(&workspace.join(".sluice"), run)
}
