//! Whether programs that steps run can be confined here, and what follows when they cannot.

use std::path::PathBuf;
use std::sync::OnceLock;

use sluice_confine::{Abilities, Ability, Ended, NOT_STARTED, NOT_STARTED_BECAUSE};
use sluice_engine::LauncherCommand;
use sluice_model::Problem;
use sluice_plan::{Facts, Plan};

/// The first argument of the process that launches a confined program. Not for people.
pub const LAUNCHER: &str = "__confine";

/// The variable that stands for `--allow-unconfined`.
pub const ALLOW: &str = "SLUICE_ALLOW_UNCONFINED";

static ALLOWED: OnceLock<bool> = OnceLock::new();
static ABILITIES: OnceLock<Abilities> = OnceLock::new();

/// Remembers what the command line says, once.
pub fn allow_unconfined(flag: bool) {
    let _ = ALLOWED.set(flag || std::env::var_os(ALLOW).is_some_and(|value| value == "1"));
}

/// What this machine can do.
pub fn abilities() -> &'static Abilities {
    ABILITIES.get_or_init(Abilities::probe)
}

/// Fills in what a plan says of confinement, if the workflow could run programs at all.
pub fn facts(facts: Facts) -> Facts {
    let abilities = abilities();
    let all_ports = abilities.findings.iter().find(|finding| finding.ability == Ability::Ports && !finding.able);
    Facts {
        unconfined: abilities.why_not().map(str::to_owned),
        all_ports: all_ports.map(|finding| finding.how.clone()),
        ..facts
    }
}

/// Refuses a run whose programs could do all that the account can, unless that is what is wanted.
///
/// # Errors
/// Why, with the steps.
pub fn check(plan: &Plan) -> Result<(), Problem> {
    let mut steps = plan.all_jobs().flat_map(|job| {
        let steps = job.all_steps().filter(|step| !step.excluded).flat_map(|step| step.with_probe());
        steps.map(move |step| (job, step)).filter(|(_, step)| !step.at_most.exec.is_empty())
    });
    let Some((job, step)) = steps.next() else { return Ok(()) };
    let Some(why) = abilities().why_not() else { return Ok(()) };
    if is_allowed() {
        let refused = plan.policies.refuses_unconfined();
        let refused = refused.map(|problem| problem.at(step.uses_span, "runs programs").within(&job.source));
        return refused.map_or(Ok(()), Err);
    }
    let others = match steps.count() {
        0 => String::new(),
        1 => " and another step".to_owned(),
        count => format!(" and {count} other steps"),
    };
    Err(Problem::new(
        "host::cannot-confine",
        format!("this machine cannot confine the programs of step `{}`{others}", step.id),
    )
    .at(step.uses_span, "runs programs")
    .within(&job.source)
    .cause(why)
    .help(
        "nothing ran; `sluice doctor` says what is missing. If these programs may do all that your account can, add \
             `--allow-unconfined`",
    ))
}

/// Whether programs run unconfined here, because nothing else is possible and that is what is wanted.
pub fn leaves_unconfined() -> bool {
    is_allowed() && abilities().why_not().is_some()
}

fn is_allowed() -> bool {
    ALLOWED.get().copied().unwrap_or_default()
}

/// How programs are launched; `None` if they cannot be confined, and need not be. Otherwise a launcher that cannot confine
/// refuses to start them.
pub fn launcher() -> Option<LauncherCommand> {
    (!leaves_unconfined()).then(|| LauncherCommand {
        // The file of this very process, even if another has taken its place since.
        program: PathBuf::from("/proc/self/exe"),
        argument: LAUNCHER.to_owned(),
    })
}

/// What the launcher's process does. Gives its exit code.
pub fn launch() -> i32 {
    match sluice_confine::launch(std::env::args_os().skip(2)) {
        Ok(Ended::Code(code)) => code,
        Ok(Ended::Signal(signal)) => end_by(signal),
        Err(reason) => {
            eprintln!("{NOT_STARTED_BECAUSE}{reason}");
            NOT_STARTED.into()
        }
    }
}

/// Ends this process by the signal, so that who waits for it sees how the program ended.
fn end_by(signal: i32) -> i32 {
    use nix::sys::signal::{SigSet, Signal, raise};

    if let Ok(ending) = Signal::try_from(signal) {
        let _ = SigSet::all().thread_unblock();
        let _ = raise(ending);
    }
    // One that does not end this process, such as a signal of real time.
    128 + signal
}
