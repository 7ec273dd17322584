//! `sluice runs sign`

use std::path::Path;

use sluice_model::Problem;

use crate::args::SignArgs;
use crate::exit;
use crate::output::Output;
use crate::receipt::{self, Request, SigningKey};

pub fn run(args: &SignArgs, from: &Path, output: &Output) -> u8 {
    match sign(args, from, output) {
        Ok(()) => exit::PASSED,
        Err(problem) => {
            let changed = problem.code == "run::record-edited";
            output.problems(&[problem]);
            if changed { exit::FAILED } else { exit::REFUSED }
        }
    }
}

fn sign(args: &SignArgs, from: &Path, output: &Output) -> Result<(), Problem> {
    let key = SigningKey::read(&from.join(&args.key), &args.key)?;
    let run = receipt::open(&super::runs::workspace(from), &args.run).map_err(|error| Problem::from(&error))?;
    match &args.output {
        Some(file) => Request { key, file: from.join(file), shown: file.clone() }.write(&run),
        None => receipt::sign(&run, &key).map(|receipt| output.result(&receipt)),
    }
}
