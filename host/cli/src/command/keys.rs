//! `sluice keys`

use std::path::Path;

use crate::args::{KeysCommand, NewKeyArgs};
use crate::output::Output;
use crate::{exit, receipt};

pub fn run(command: &KeysCommand, from: &Path, output: &Output) -> u8 {
    let KeysCommand::New(NewKeyArgs { file }) = command;
    match receipt::create(&from.join(file), file) {
        Ok(public) => {
            let shown = file.display();
            output.result(&format!("{shown}      keep it secret\n{shown}.pub  key {}\n", public.id()));
            exit::PASSED
        }
        Err(problem) => {
            output.problems(&[problem]);
            exit::REFUSED
        }
    }
}
