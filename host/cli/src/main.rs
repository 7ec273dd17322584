//! The command line: the only crate that prints, reads the environment, exits.

mod approver;
mod args;
mod binding;
mod called;
mod change;
mod codes;
mod command;
mod confinement;
mod discover;
mod engine;
mod execute;
mod exit;
mod file_hashes;
mod git;
mod host;
mod learn;
mod lock_file;
mod machine;
mod network;
mod origin;
mod output;
mod outside;
mod pack;
mod plugins;
mod policy;
mod policy_signatures;
mod prepare;
mod protected;
mod receipt;
mod retention;
mod screen;
mod secrets;
mod signals;
mod snapshot;
mod terminal;
mod turn;
mod user;

use std::panic;
use std::path::PathBuf;

use clap::Parser;
use sluice_model::Problem;

use args::{Cli, ColorWhen, Command};
use output::Output;

fn main() {
    let code = match panic::catch_unwind(run) {
        Ok(code) => code,
        // The panic's own message has been printed.
        Err(_) => {
            Output::new(ColorWhen::Auto)
                .message("\nthis is a bug in sluice; please report it with the message above\n");
            exit::INTERNAL
        }
    };
    // Not a return: threads of steps that hang in the kernel are not waited for.
    std::process::exit(code.into());
}

fn run() -> u8 {
    match std::env::args_os().nth(1) {
        Some(argument) if argument == confinement::LAUNCHER => std::process::exit(confinement::launch()),
        Some(argument) if argument == engine::GUARD => {
            sluice_engine::guard(std::io::stdin().lock());
            return exit::PASSED;
        }
        Some(argument) if argument == engine::COMPILER => {
            return sluice_engine::compile_stdin(std::io::stdin().lock(), std::io::stdout(), std::io::stderr());
        }
        Some(argument) if argument == engine::WORKER => return engine::worker(),
        _ => {}
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { exit::REFUSED } else { exit::PASSED };
            // A reader that went away needs no help text.
            let _ = error.print();
            return code;
        }
    };
    let output = Output::new(cli.global.color);
    network::decide(cli.global.offline);
    confinement::allow_unconfined(cli.global.allow_unconfined);
    let from = match folder(cli.global.directory) {
        Ok(from) => from,
        Err(problem) => {
            output.problems(&[problem]);
            return exit::REFUSED;
        }
    };
    match &cli.command {
        Command::Run(args) => command::run::run(args, &from, &output),
        Command::Resume(args) => command::resume::resume(args, &from, &output),
        Command::Approve(args) => command::approve::run(args, &from, &output),
        Command::Rerun(args) => command::resume::rerun(args, &from, &output),
        Command::Plan(args) => command::plan::run(args, &from, &output),
        Command::Watch(args) => command::watch::run(args, &from, &output),
        Command::Check(args) => command::check::run(args, &from, &output),
        Command::List(args) => command::list::run(args, &from, &output),
        Command::Runs(args) => command::runs::run(args, &from, &output),
        Command::Rollback(args) => command::rollback::run(args, &from, &output),
        Command::Lock(args) => command::lock::run(args, &from, &output),
        Command::Grants(args) => command::grants::run(args, &from, &output),
        Command::Keys(args) => command::keys::run(args, &from, &output),
        Command::Plugin(args) => command::plugin::run(args, &from, &output),
        Command::Policy(args) => command::policy::run(args, &from, &output),
        Command::Doctor(args) => command::doctor::run(args, &from, &output),
        Command::Schema => command::schema::run(&output),
        Command::Explain(args) => command::explain::run(args, &output),
        Command::Completions { shell } => command::completions::run(*shell, &output),
    }
}

/// The folder to start in, with no symbolic links in its path.
fn folder(wanted: Option<PathBuf>) -> Result<PathBuf, Problem> {
    let wanted = wanted.unwrap_or_else(|| PathBuf::from("."));
    let problem = |reason: String| {
        Problem::new("usage::no-such-folder", format!("cannot work in the folder `{}`", wanted.display())).cause(reason)
    };
    let folder = wanted.canonicalize().map_err(|error| problem(error.to_string()))?;
    if folder.is_dir() { Ok(folder) } else { Err(problem("it is not a folder".into())) }
}
