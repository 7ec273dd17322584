//! `sluice runs verify`

use std::path::Path;

use serde_json::json;
use sluice_model::Problem;
use sluice_record::{RecordError, Verified};

use crate::args::VerifyArgs;
use crate::exit;
use crate::output::Output;
use crate::receipt::{self, PublicKey};

pub fn run(args: &VerifyArgs, from: &Path, output: &Output) -> u8 {
    let run = match sluice_record::open(&super::runs::workspace(from).join(".sluice"), &args.run) {
        Ok(run) => run,
        Err(error) => return refuse(Problem::from(&error), exit::REFUSED, output),
    };
    let verified = match run.verify() {
        Ok(verified) => verified,
        Err(error @ (RecordError::Edited { .. } | RecordError::Unchained { .. })) => {
            return refuse(Problem::from(&error), exit::FAILED, output);
        }
        Err(error) => return refuse(Problem::from(&error), exit::REFUSED, output),
    };
    if let Some(expected) = args.expect.filter(|expected| *expected != verified.last) {
        let problem = Problem::new("run::record-edited", format!("the record of run `{}` is another one", run.id()))
            .cause(format!("expected {expected}"))
            .cause(format!("found {}", verified.last))
            .help("it fits together, so it was made anew or went on since; do not rely on what it tells");
        return refuse(problem, exit::FAILED, output);
    }
    let mut artifacts = None;
    if let (Some(receipt), Some(key)) = (&args.receipt, &args.key) {
        let key = match PublicKey::read(&from.join(key), key) {
            Ok(key) => key,
            Err(problem) => return refuse(problem, exit::REFUSED, output),
        };
        let folder = super::runs::workspace(from).join(".sluice/artifacts");
        match receipt::check(&from.join(receipt), receipt, &key, (&run, &verified), &folder) {
            Ok(found) => artifacts = Some(found),
            Err(problem) => return refuse(problem, exit::FAILED, output),
        }
    }
    output.result(&if args.json {
        to_json(run.id().as_str(), &verified, artifacts)
    } else {
        to_text(run.id().as_str(), &verified, artifacts)
    });
    exit::PASSED
}

fn refuse(problem: Problem, code: u8, output: &Output) -> u8 {
    output.problems(&[problem]);
    code
}

/// `artifacts` is how many the receipt names, if there is one.
fn to_json(id: &str, verified: &Verified, artifacts: Option<usize>) -> String {
    let Verified { events, files, last, ended, torn } = verified;
    let mut value =
        json!({ "run": id, "events": events, "files": files, "hash": last, "ended": ended, "torn": torn.is_some() });
    if let Some(artifacts) = artifacts {
        value["receipt"] = json!({ "artifacts": artifacts });
    }
    format!("{value:#}\n")
}

fn to_text(id: &str, verified: &Verified, artifacts: Option<usize>) -> String {
    let Verified { events, files, last, ended, torn } = verified;
    let mut text = format!("run `{id}` is as it was written: {events} events, {}\n{last}\n", files.join(", "));
    if let Some(artifacts) = artifacts {
        text +=
            &format!("the receipt is signed with the key, and of this record; artifacts on this disk: {artifacts}\n");
    }
    if !ended {
        text += "it has no end: nothing tells whether events behind the last were taken away\n";
    }
    if torn.is_some() {
        text += "half an event stands behind the last, as a crash leaves it\n";
    }
    text
}
