//! The command line: names, helps, examples.

mod audit;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use audit::{AuditArgs, GrantsCommand, KeysCommand, LearnArgs, NewKeyArgs, ReceiptArgs, SignArgs};

/// Runs YAML workflows whose steps are sandboxed WebAssembly components.
///
/// A step can touch only what its plugin declares and the workflow grants.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, propagate_version = true, max_term_width = 100, after_help = MAIN_EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const MAIN_EXAMPLES: &str = "\
Examples:
  sluice run                    run the workflow of this repository
  sluice run ci -i tests=true   run the workflow `ci` with an input
  sluice plan ci                show what it would do, with every grant
  sluice runs show              look at the latest run
  sluice plugin show scan       what a plugin does and what it asks for

Exit codes: 0 passed, 1 a step failed, 2 the workflow or the command line is wrong or refused,
70 our fault, 75 waits for an approval, 130 and 143 ended by a signal.";

#[derive(Debug, Args)]
pub struct Global {
    /// Work as if started in this folder
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// When to use colour [default: auto; NO_COLOR and CLICOLOR_FORCE are honoured]
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub color: ColorWhen,
    /// Fetch no plugin from other machines; SLUICE_OFFLINE=1 does the same
    #[arg(long, global = true)]
    pub offline: bool,
    /// Run programs with all rights of your account where the system cannot confine them; also
    /// SLUICE_ALLOW_UNCONFINED=1
    #[arg(long, global = true)]
    pub allow_unconfined: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a workflow
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Go on with a run that was interrupted or cancelled: what has no end on record runs
    #[command(
        after_help = "Examples:\n  sluice resume                        the latest run\n  sluice resume 20261121-0945 --from test/unit\n  sluice resume --repeat deploy/site   a deploy step whose outcome is unknown is done again"
    )]
    Resume(ResumeArgs),
    /// Say that a job of a run may run, or may not, and go on with the run
    #[command(after_help = APPROVE_EXAMPLES)]
    Approve(ApproveArgs),
    /// Run a recorded run again, as a new run of the same workflow with the same inputs
    #[command(
        after_help = "Examples:\n  sluice rerun                         the latest run, all of it\n  sluice rerun --failed 20261121-0945  what did not end well, and what needs it"
    )]
    Rerun(RerunArgs),
    /// Show what a run would do: jobs, steps, digests, inputs, grants; runs nothing
    #[command(
        after_help = "Examples:\n  sluice plan\n  sluice plan ci -i tests=true\n  sluice plan ci --affected --base origin/main\n  sluice plan ci --json | jq '.jobs'\n  sluice plan ci --grants              what each step may touch, and why"
    )]
    Plan(PlanArgs),
    /// Run a workflow, and again whenever files of the workspace change
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(WatchArgs),
    /// Check workflows without running them
    #[command(
        after_help = "Examples:\n  sluice check                  every workflow of this repository\n  sluice check workflows/ci.yaml"
    )]
    Check(CheckArgs),
    /// List the workflows of this repository with their inputs
    #[command(after_help = "Examples:\n  sluice list\n  sluice list --json")]
    List(JsonArgs),
    /// Look at recorded runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Undo what the deploy steps of a recorded run did, last first
    #[command(
        after_help = "Examples:\n  sluice rollback               the latest run\n  sluice rollback 20261121-0945 --step deploy/site"
    )]
    Rollback(RollbackArgs),
    /// See what steps use of what they are granted
    #[command(subcommand)]
    Grants(GrantsCommand),
    /// Make keys that sign receipts of runs
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Look at plugins, pack them, accept those from outside
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Look at policies: what this machine, organisation and repository permit at most
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Make `sluice.lock` agree with the workflows of this repository, or check that it does
    #[command(after_help = LOCK_EXAMPLES)]
    Lock(LockArgs),
    /// Say what this machine can confine, and whether sluice finds what it needs
    #[command(
        after_help = "Examples:\n  sluice doctor\n  sluice doctor --json | jq '.findings[] | select(.able | not)'"
    )]
    Doctor(JsonArgs),
    /// Print the JSON Schema of workflows, for editors
    #[command(
        after_help = "Examples:\n  sluice schema > .sluice/workflow.schema.json\n\nThen begin a workflow with:\n  # yaml-language-server: $schema=../.sluice/workflow.schema.json"
    )]
    Schema,
    /// Explain the code of a problem
    #[command(
        after_help = "Examples:\n  sluice explain workflow::unknown-field\n  sluice explain                list all codes"
    )]
    Explain(ExplainArgs),
    /// Print completions for a shell
    #[command(
        after_help = "Examples:\n  sluice completions bash > /etc/bash_completion.d/sluice\n  sluice completions fish > ~/.config/fish/completions/sluice.fish"
    )]
    Completions { shell: clap_complete::Shell },
}

const RUN_EXAMPLES: &str = "\
Examples:
  sluice run                          sluice.yaml, .sluice/*.yaml or workflows/*.yaml, walking up
  sluice run ci                       workflows/ci.yaml, by name
  sluice run deploy.yaml -i env=prod  a file, with an input
  sluice run --dry-run deploy         deploy steps only plan; run steps still run
  sluice run --affected               only jobs whose `paths` have changed
  sluice run --json | jq .event       one event a line
  sluice run --job test               this job and what it needs
  sluice run --step test/unit         this step alone
  sluice run --plan deploy.plan       what `sluice plan -o` wrote, and nothing else

A secret NAME takes its value from where `secrets` of the workflow says;
the environment variable SLUICE_SECRET_NAME goes first.";

#[derive(Debug, Clone, Args)]
pub struct WorkflowArgs {
    /// File or name of the workflow [default: the one of this repository]
    #[arg(value_name = "FILE|NAME")]
    pub workflow: Option<String>,
    /// Give an input a value
    #[arg(short = 'i', long = "input", value_name = "KEY=VALUE", value_parser = key_value)]
    pub inputs: Vec<(String, String)>,
    /// Skip jobs whose `paths` match no changed file
    #[arg(long)]
    pub affected: bool,
    /// What changes are counted from: a branch, tag or commit [default: what the CI system names, or the upstream branch,
    /// or origin's]
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
}

const WATCH_EXAMPLES: &str = "\
Examples:
  sluice watch                  the workflow of this repository
  sluice watch ci --job lint    only this job and what it needs

What .gitignore names is not watched. A change while a run is under way cancels it. Ctrl-C ends.";

#[derive(Debug, Default, Clone, Args)]
pub struct SelectArgs {
    /// Only this job and what it needs; may be given several times
    #[arg(long = "job", value_name = "NAME", conflicts_with = "step")]
    pub only: Vec<String>,
    /// Only this step, without the others of its job
    #[arg(long, value_name = "JOB/STEP")]
    pub step: Option<String>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub workflow: WorkflowArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Run what `sluice plan -o FILE` planned, or refuse with the difference
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workflow", "inputs", "only", "step", "affected", "base"])]
    pub plan: Option<PathBuf>,
    /// Jobs that run at the same time [default: what the workflow says, or the number of processors]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// End the run at the first job that fails, whatever the workflow says
    #[arg(long, conflicts_with = "keep_going")]
    pub fail_fast: bool,
    /// Go on with all that does not need what failed, whatever the workflow says
    #[arg(long)]
    pub keep_going: bool,
    /// Deploy steps only plan, notify steps are skipped, everything else runs
    #[arg(long)]
    pub dry_run: bool,
    /// Print events as JSON, one a line
    #[arg(long, conflicts_with = "plain")]
    pub json: bool,
    /// Print plain lines even at a terminal
    #[arg(long)]
    pub plain: bool,
    /// Print plain lines, and one for each thing that the host allows or denies
    #[arg(long, conflicts_with = "json")]
    pub trace_caps: bool,
    #[command(flatten)]
    pub receipt: ReceiptArgs,
}

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// Go back to this step, or to the beginning of this job: what comes after it runs again
    #[arg(long, value_name = "JOB/STEP")]
    pub from: Option<String>,
    /// Do this deploy or notify step again, though it was started and may have done its work
    #[arg(long, value_name = "JOB/STEP")]
    pub repeat: Vec<String>,
    /// Print events as JSON, one a line
    #[arg(long, conflicts_with = "plain")]
    pub json: bool,
    /// Print plain lines even at a terminal
    #[arg(long)]
    pub plain: bool,
}

const APPROVE_EXAMPLES: &str = "\
Examples:
  sluice approve                           the run that waits
  sluice approve 20261121-0945 --comment 'looks good'
  sluice approve --attest announced        a gate that a person has to attest
  sluice approve --deny --comment 'not on a Friday'
  sluice approve --no-run                  only record it; `sluice resume` goes on";

#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// Id of the run, or its beginning [default: the one that waits]
    pub run: Option<String>,
    /// The job; needed if several wait; may be given several times
    #[arg(long, value_name = "JOB")]
    pub job: Vec<String>,
    /// Say no: the job fails
    #[arg(long)]
    pub deny: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Attest that this gate of the checklist holds; may be given several times
    #[arg(long, value_name = "GATE", conflicts_with = "deny")]
    pub attest: Vec<String>,
    /// Attest that every gate holds that asks for it
    #[arg(long, conflicts_with_all = ["deny", "attest"])]
    pub attest_all: bool,
    /// Record the answer, and do not go on with the run
    #[arg(long, conflicts_with_all = ["json", "plain"])]
    pub no_run: bool,
    /// Print events as JSON, one a line
    #[arg(long, conflicts_with = "plain")]
    pub json: bool,
    /// Print plain lines even at a terminal
    #[arg(long)]
    pub plain: bool,
}

#[derive(Debug, Args)]
pub struct RerunArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// Take over the results of jobs that ended well and need none that did not
    #[arg(long)]
    pub failed: bool,
    /// Print events as JSON, one a line
    #[arg(long, conflicts_with = "plain")]
    pub json: bool,
    /// Print plain lines even at a terminal
    #[arg(long)]
    pub plain: bool,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub workflow: WorkflowArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print the plan as JSON
    #[arg(long, conflicts_with = "graph")]
    pub json: bool,
    /// Print what each step may touch, and why; with `--json` as JSON
    #[arg(long, conflicts_with = "graph")]
    pub grants: bool,
    /// Print the jobs and what they need as a picture: text [default], mermaid, dot, svg
    #[arg(
        long,
        value_name = "FORMAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        hide_possible_values = true
    )]
    pub graph: Option<GraphFormat>,
    /// Write the plan to a file, for `sluice run --plan FILE`
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    Text,
    Mermaid,
    Dot,
    Svg,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    pub workflow: WorkflowArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Jobs that run at the same time [default: number of processors]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Print plain lines even at a terminal
    #[arg(long)]
    pub plain: bool,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files or names [default: every workflow of this repository]
    #[arg(value_name = "FILE|NAME")]
    pub workflows: Vec<String>,
    /// Print problems as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct JsonArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List recorded runs, newest first
    #[command(after_help = "Examples:\n  sluice runs list\n  sluice runs list --json")]
    List(JsonArgs),
    /// Show how a run went
    #[command(after_help = "Examples:\n  sluice runs show              the latest\n  sluice runs show 20261121-0945")]
    Show(ShowRunArgs),
    /// Print what the steps of a run wrote
    #[command(after_help = "Examples:\n  sluice runs logs\n  sluice runs logs 20261121-0945 --step check/lint")]
    Logs(LogsArgs),
    /// Remove old records, and artifacts that no record refers to
    #[command(
        after_help = "Examples:\n  sluice runs prune --runs 20 --days 30 --dry-run\n  sluice runs prune --days 7 --workflow nightly\n\nA run stays if it satisfies all that is given, or has not ended."
    )]
    Prune(PruneArgs),
    /// Show what the host allowed and denied in a run
    #[command(after_help = audit::AUDIT_EXAMPLES)]
    Audit(AuditArgs),
    /// Sign what came of a run: write a receipt
    #[command(after_help = audit::SIGN_EXAMPLES)]
    Sign(SignArgs),
    /// Check that a record is as it was written
    #[command(
        after_help = "Examples:\n  sluice runs verify\n  sluice runs verify 20261121-0945 --expect sha256:ab12...\n\nEvery event carries a hash over itself and all before it. Whoever can write the whole record can also make it anew:\nkeep the hash that this prints elsewhere, and give it to `--expect` later.\n\nExit codes: 0 as it was written, 1 changed, 2 no such record."
    )]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// The hash that the record must have
    #[arg(long, value_name = "HASH")]
    pub expect: Option<sluice_model::Digest>,
    /// A receipt of the run, which must be signed, be of this record, and fit the artifacts
    #[arg(long, value_name = "FILE", requires = "key")]
    pub receipt: Option<PathBuf>,
    /// The public key that the receipt must be signed with
    #[arg(long, value_name = "FILE", requires = "receipt")]
    pub key: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Keep the newest N runs of each workflow
    #[arg(long, value_name = "N", required_unless_present = "days")]
    pub runs: Option<u64>,
    /// Keep runs that began at most N days ago
    #[arg(long, value_name = "N")]
    pub days: Option<u64>,
    /// Remove only runs of this workflow
    #[arg(long, value_name = "NAME")]
    pub workflow: Option<String>,
    /// Print what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct ShowRunArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// Print the events as JSON, one a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// Only this step: `JOB`, or `JOB/STEP`
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// Id of the run, or its beginning
    #[arg(default_value = "latest")]
    pub run: String,
    /// Only this step: `JOB/STEP`
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List the plugins inside this binary
    #[command(after_help = "Examples:\n  sluice plugin list\n  sluice plugin list --json")]
    List(JsonArgs),
    /// Show name, version, kinds, inputs, capabilities, digest and imports, without compiling or running it
    #[command(after_help = "Examples:\n  sluice plugin show scan\n  sluice plugin show ./vendor/check.wasm --json")]
    Show(ShowPluginArgs),
    /// Put a manifest into a component that was built in any language
    #[command(after_help = "Examples:\n  sluice plugin pack component.wasm plugin.yaml -o check.wasm")]
    Pack(PackArgs),
    /// Accept a plugin from outside: fetch it, show what it asks for, write it into `sluice.lock`
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// Look for newer bytes of accepted plugins; those that ask for more need `--accept`
    #[command(after_help = UPDATE_EXAMPLES)]
    Update(UpdateArgs),
    /// Take plugins out of `sluice.lock`
    #[command(
        after_help = "Examples:\n  sluice plugin remove check\n  sluice plugin remove oci://registry.example.org/acme/check:1"
    )]
    Remove(RemoveArgs),
    /// Copy the bytes of all accepted plugins into the repository; runs then need no network for them
    #[command(after_help = "Examples:\n  sluice plugin vendor\n  sluice plugin vendor --to third-party/plugins")]
    Vendor(VendorArgs),
    /// Check who signed a plugin in a container registry
    #[command(
        after_help = VERIFY_EXAMPLES
    )]
    Verify(VerifyPluginArgs),
    /// Push a component to a container registry
    #[command(after_help = PUSH_EXAMPLES)]
    Push(PushArgs),
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  sluice plugin verify oci://registry.example.org/acme/check:1 --key cosign.pub
  sluice plugin verify oci://registry.example.org/acme/check:1 \\
      --identity 'https://github.com/acme/check/.github/workflows/release.yaml@refs/tags/*' \\
      --issuer https://token.actions.githubusercontent.com

The artifact is the one in sluice.lock, if it is there. Signatures are those of `cosign sign`, with a key or keyless.";

const LOCK_EXAMPLES: &str = "\
Examples:
  sluice lock --check        in CI: exit code 2 if the lock and the workflows do not agree
  sluice lock                drop what no workflow uses, add what asks for nothing new
  sluice lock --accept       the same, and accept all that the workflows use";

const ADD_EXAMPLES: &str = "\
Examples:
  sluice plugin add oci://registry.example.org/acme/check:1           show what it asks for
  sluice plugin add oci://registry.example.org/acme/check:1 --accept  and accept it
  sluice plugin add https://example.org/check.wasm --accept
  sluice plugin add ./tools/check.wasm --accept                       a file that must not change unseen";

const UPDATE_EXAMPLES: &str = "\
Examples:
  sluice plugin update                  all of them
  sluice plugin update check --dry-run  what would change
  sluice plugin update --accept check   though it asks for more";

const PUSH_EXAMPLES: &str = "\
Examples:
  sluice plugin push check.wasm oci://registry.example.org/acme/check:1.2

Credentials are those of `docker login`.";

#[derive(Debug, Args)]
pub struct LockArgs {
    /// Workflows beside those of the repository: files or names
    #[arg(value_name = "FILE|NAME")]
    pub workflows: Vec<String>,
    /// Change nothing; exit code 2 if something is missing, unused or changed
    #[arg(long)]
    pub check: bool,
    /// Accept what plugins ask for
    #[arg(long, conflicts_with = "check")]
    pub accept: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// `oci://REGISTRY/REPOSITORY[:TAG][@sha256:...]`, `https://...[@sha256:...]`, or the path of a component
    #[arg(value_name = "REF")]
    pub plugin: String,
    /// Accept what it asks for
    #[arg(long)]
    pub accept: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// Names or references of accepted plugins [default: all]
    #[arg(value_name = "NAME|REF")]
    pub plugins: Vec<String>,
    /// Accept what they ask for beyond what was accepted
    #[arg(long)]
    pub accept: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Names or references of accepted plugins
    #[arg(value_name = "NAME|REF", required = true)]
    pub plugins: Vec<String>,
}

#[derive(Debug, Args)]
pub struct VendorArgs {
    /// The folder, in the workspace [default: the one in the lock, or vendor/plugins]
    #[arg(long, value_name = "DIR")]
    pub to: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct VerifyPluginArgs {
    /// `oci://REGISTRY/REPOSITORY[:TAG][@sha256:...]`
    #[arg(value_name = "REF")]
    pub plugin: String,
    /// File of the public key, as `cosign generate-key-pair` writes it
    #[arg(long, value_name = "FILE", required_unless_present = "identity", conflicts_with_all = ["identity", "issuer", "roots"])]
    pub key: Option<PathBuf>,
    /// Who signed without a key: an e-mail address, the address of a workflow; a `*` at its end means all that begin so
    #[arg(long, value_name = "NAME", requires = "issuer")]
    pub identity: Option<String>,
    /// Who vouches for the identity
    #[arg(long, value_name = "URL", requires = "identity")]
    pub issuer: Option<String>,
    /// File with the trusted roots of an instance of Sigstore (`trusted_root.json`) [default: the public one]
    #[arg(long, value_name = "FILE", requires = "identity")]
    pub roots: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PushArgs {
    /// The component, with its manifest inside
    pub file: PathBuf,
    /// `oci://REGISTRY/REPOSITORY[:TAG]`
    #[arg(value_name = "REF")]
    pub to: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show the policies that apply here, and what each says
    #[command(after_help = "Examples:\n  sluice policy show\n  sluice policy show --json")]
    Show(JsonArgs),
    /// Show for each plugin and grant of a step whether it is permitted, by which rule of which policy
    #[command(
        after_help = "Examples:\n  sluice policy explain                    every step\n  sluice policy explain deploy/site -w release\n  sluice policy explain --json | jq '.steps[].decisions[] | select(.allowed | not)'"
    )]
    Explain(ExplainPolicyArgs),
}

#[derive(Debug, Args)]
pub struct ExplainPolicyArgs {
    /// Only this step: `JOB/STEP`, or its id
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// File or name of the workflow [default: the one of this repository]
    #[arg(short = 'w', long, value_name = "FILE|NAME")]
    pub workflow: Option<String>,
    /// Give an input a value
    #[arg(short = 'i', long = "input", value_name = "KEY=VALUE", value_parser = key_value)]
    pub inputs: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowPluginArgs {
    /// Name of a plugin inside this binary, path of a component, or a plugin from outside
    #[arg(value_name = "REF")]
    pub plugin: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PackArgs {
    /// The component
    pub component: PathBuf,
    /// The manifest
    #[arg(default_value = "plugin.yaml")]
    pub manifest: PathBuf,
    /// Where to write the plugin
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, such as `workflow::unknown-field`
    pub code: Option<String>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".into()),
    }
}
