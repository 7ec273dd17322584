//! A run's turn in its group: `concurrency`.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sluice_group::{Group, GroupError, Member, Place, Requests};
use sluice_model::{Problem, Source, Span};
use sluice_plan::{Concurrency, Plan};
use sluice_run::Control;
use sluice_workflow::concurrency::WhenBusy;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::output::Output;
use crate::screen::now;
use crate::signals::Signals;
use crate::{exit, host};

/// How often is looked whose turn it is, and whether somebody asks this run to end.
const LOOK: Duration = Duration::from_millis(100);

/// Why a run does not get its turn.
pub enum NoTurn {
    Refused(Problem),
    /// It ended while it waited; the exit code that stands for that.
    Ended(u8),
}

impl From<GroupError> for NoTurn {
    fn from(error: GroupError) -> Self {
        Self::Refused(Problem::from(&error))
    }
}

/// What a run asks of its group.
pub struct Claim<'c> {
    pub group: &'c str,
    pub workflow: &'c str,
    pub when_busy: WhenBusy,
    pub wait_timeout_ms: Option<u64>,
    /// Where the workflow names the group.
    pub place: Option<(Span, &'c Source)>,
}

impl<'c> Claim<'c> {
    /// `None` for a plan without a group.
    pub fn of(plan: &'c Plan) -> Option<Self> {
        let Concurrency { group, when_busy, wait_timeout_ms, span } = plan.concurrency.as_ref()?;
        Some(Self {
            group,
            workflow: &plan.workflow,
            when_busy: *when_busy,
            wait_timeout_ms: *wait_timeout_ms,
            place: Some((*span, &plan.source)),
        })
    }
}

/// Waits until it is this run's turn; at once if it claims none. The turn is over when the place is dropped.
pub async fn take(
    claim: Option<Claim<'_>>,
    run: &str,
    workspace: &Path,
    signals: &mut Signals,
    mut stop: Pin<&mut impl Future<Output = ()>>,
    output: &Output,
) -> Result<Option<Place>, NoTurn> {
    let Some(claim) = claim else { return Ok(None) };
    let root = host::state_folder().ok_or_else(|| NoTurn::Refused(no_folder()))?;
    let me = Member {
        group: claim.group.to_owned(),
        run: run.to_owned(),
        workflow: claim.workflow.to_owned(),
        workspace: workspace.display().to_string(),
        process: std::process::id(),
        since: now(),
    };
    let place = Group::open(&root.join("groups"), claim.group)?.enter(&me)?;
    let requests = place.requests();
    let deadline = claim.wait_timeout_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
    let mut told = None;
    loop {
        let ahead = place.ahead()?;
        let Some(first) = ahead.first() else { return Ok(Some(place)) };
        if claim.when_busy == WhenBusy::Fail || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(NoTurn::Refused(busy(&claim, first)));
        }
        // Nobody comes before this run any more who has not been asked.
        if claim.when_busy == WhenBusy::CancelRunning && told.is_none() {
            place.ask_those_ahead_to_end(&me)?;
        }
        if told.as_ref() != Some(first) {
            output.message(&waiting(&claim, first, ahead.len() - 1));
            told = Some(first.clone());
        }
        if let Some(by) = requests.end() {
            output.message(&format!("ended before its turn: {} takes its place\n", describe(&by)));
            return Err(NoTurn::Ended(exit::TERMINATED));
        }
        tokio::select! {
            biased;
            code = signals.next() => return Err(NoTurn::Ended(code)),
            () = &mut stop => return Err(NoTurn::Ended(exit::FAILED)),
            () = sleep(LOOK) => {}
        }
    }
}

/// Cancels the run when another one of its group asks for it. `first` becomes the exit code, unless a signal came before.
pub async fn obey(requests: Requests, orders: mpsc::Sender<Control>, first: Arc<OnceLock<u8>>) {
    let by = loop {
        match requests.end() {
            Some(by) => break by,
            None => sleep(LOOK).await,
        }
    };
    if first.set(exit::TERMINATED).is_ok() {
        // The run may have ended this moment.
        let _ = orders.send(Control::CancelFor(format!("{}, which is of the same group", describe(&by)))).await;
    }
}

fn waiting(claim: &Claim<'_>, first: &Member, others: usize) -> String {
    let asked = match claim.when_busy {
        WhenBusy::CancelRunning => "asked to end: ",
        _ => "waiting for ",
    };
    let others = if others > 0 { format!(" and {others} after it") } else { String::new() };
    format!("{asked}{}{others}; one run at a time of `{}`\n", describe(first), plain(claim.group))
}

fn busy(claim: &Claim<'_>, first: &Member) -> Problem {
    let message = format!("another run of `{}` is under way", plain(claim.group));
    let problem = Problem::new("run::group-busy", message).cause(describe(first));
    let problem = match claim.when_busy {
        WhenBusy::Fail => problem.help("run it later, or let it wait: `when-busy: wait`"),
        _ => problem.cause("it did not end within `wait-timeout`").help("run it later, or let it wait longer"),
    };
    match claim.place {
        Some((span, source)) => problem.at(span, "one run at a time").within(source),
        None => problem,
    }
}

fn no_folder() -> Problem {
    Problem::new("host::group", "there is no folder in which runs of a group could find each other")
        .help("set HOME or XDG_STATE_HOME to an absolute path")
}

/// `run X of workflow deploy in /work/shop (process 12, began 3 s ago)`
fn describe(member: &Member) -> String {
    let Member { run, workflow, workspace, process, since, .. } = member;
    let ago = now().saturating_sub(*since) / 1000;
    let text = format!("run `{run}` of workflow `{workflow}` in {workspace} (process {process}, began {ago} s ago)");
    plain(&text)
}

/// Names come from files and workflows: what could move a cursor is not shown.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
