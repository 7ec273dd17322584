//! `sluice policy`

mod explain;
mod show;

use std::path::Path;

use crate::args::PolicyCommand;
use crate::exit;
use crate::output::Output;

pub fn run(command: &PolicyCommand, from: &Path, output: &Output) -> u8 {
    let done = match command {
        PolicyCommand::Show(args) => show::show(args, from),
        PolicyCommand::Explain(args) => explain::explain(args, from),
    };
    match done {
        Ok(text) => {
            output.result(&text);
            exit::PASSED
        }
        Err(problems) => {
            output.problems(&problems);
            exit::REFUSED
        }
    }
}
