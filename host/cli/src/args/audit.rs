//! Arguments of what looks at decisions of the host, and of receipts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub const AUDIT_EXAMPLES: &str = "\
Examples:
  sluice runs audit                          the latest run
  sluice runs audit --denied                 only what the host refused
  sluice runs audit 20261121-0945 --step build/fetch --json

The same decision stands once for each attempt of a step; TIMES says how often it fell.";

pub const SIGN_EXAMPLES: &str = "\
Examples:
  sluice keys new release.key                          once: release.key and release.key.pub
  sluice runs sign --key release.key -o run.receipt    the latest run
  sluice runs verify --receipt run.receipt --key release.key.pub

The receipt is an in-toto statement in a DSSE envelope. It holds what ran with which grants, what came of it, and the hash
of the record.";

#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// Only what was denied
    #[arg(long)]
    pub denied: bool,
    /// Only this step: `JOB`, or `JOB/STEP`
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SignArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// The private key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where to write the receipt [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A receipt of the run that is about to begin.
#[derive(Debug, Args)]
pub struct ReceiptArgs {
    /// When the run has ended, write a signed receipt of it
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    pub receipt: Option<PathBuf>,
    /// The private key that signs the receipt
    #[arg(long, value_name = "FILE", requires = "receipt")]
    pub sign_key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a pair of keys (ed25519): FILE is the private one, FILE.pub the public one
    #[command(
        after_help = "Examples:\n  sluice keys new release.key\n\nThe files are PEM, as `openssl` reads and writes them. No file is overwritten."
    )]
    New(NewKeyArgs),
}

#[derive(Debug, Args)]
pub struct NewKeyArgs {
    /// Where to write the private key
    pub file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum GrantsCommand {
    /// Propose narrower `grants` for a workflow, from what its steps used in recorded runs
    #[command(
        after_help = "Examples:\n  sluice grants learn                        from the latest run\n  sluice grants learn --last 5 -o less.patch\n  git apply less.patch                       or: patch -p1 < less.patch\n\nOnly steps that passed teach anything. Which files and variables are read is not on record."
    )]
    Learn(LearnArgs),
}

#[derive(Debug, Args)]
pub struct LearnArgs {
    /// Ids of runs, or their beginnings [default: the latest]
    #[arg(value_name = "RUN", conflicts_with = "last")]
    pub runs: Vec<String>,
    /// The last N runs of the workflow that ran last
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub last: Option<u16>,
    /// Write the patch to a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "json")]
    pub output: Option<PathBuf>,
    /// Print JSON: each proposal, the notes, the patch
    #[arg(long)]
    pub json: bool,
}
