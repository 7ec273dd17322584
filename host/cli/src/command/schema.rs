//! `sluice schema`

use crate::exit;
use crate::output::Output;

pub fn run(output: &Output) -> u8 {
    output.result(&format!("{:#}\n", sluice_workflow::schema()));
    exit::PASSED
}
