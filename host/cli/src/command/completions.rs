//! `sluice completions`

use clap::CommandFactory;

use crate::args::Cli;
use crate::exit;
use crate::output::Output;

pub fn run(shell: clap_complete::Shell, output: &Output) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sluice", &mut script);
    output.result(&String::from_utf8_lossy(&script));
    exit::PASSED
}
