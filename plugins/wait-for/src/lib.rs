//! Waits until a server answers, a command succeeds, or a file exists; says why not when the time is over.

mod goal;
mod probe;

use std::time::{Duration, Instant};

use serde::Deserialize;
use sluice_sdk::{Failure, Level, Sink, Step, Task, duration};

use goal::Goal;
use probe::{Attempt, probe};

/// The inputs as `plugin.yaml` describes them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Inputs {
    tcp: Option<String>,
    http: Option<String>,
    status: Option<goal::Statuses>,
    exec: Option<String>,
    file: Option<String>,
    interval: String,
    timeout: String,
}

/// The longest that one attempt may take, so that one which hangs is not the last.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How often a pause looks whether the run is being cancelled.
const GLANCE: Duration = Duration::from_millis(100);
/// What is kept of the step's own time, so that the reason can still be told.
const LAST_WORDS: Duration = Duration::from_millis(500);

struct Plugin;

impl Task for Plugin {
    fn run(step: &Step, sink: &Sink) -> Result<(), Failure> {
        let inputs: Inputs = step.inputs()?;
        let goal = Goal::of(&inputs)?;
        let interval = duration::parse("interval", &inputs.interval)?;
        let wanted = duration::parse("timeout", &inputs.timeout)?;
        let left = step.time_left();
        let limit = wanted.min(left.saturating_sub(LAST_WORDS.min(left / 10)));
        wait(step, sink, &goal, interval, limit)
    }
}

fn wait(step: &Step, sink: &Sink, goal: &Goal, interval: Duration, limit: Duration) -> Result<(), Failure> {
    let start = Instant::now();
    let (mut attempts, mut told) = (0_u64, String::new());
    loop {
        attempts += 1;
        let left = limit.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        let attempt = probe(goal, left.min(ATTEMPT));
        sink.output("attempts", attempts)?;
        sink.output("waited-ms", u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))?;
        let reason = match attempt {
            Attempt::Ready => {
                let waited = rounded(start.elapsed());
                sink.log(Level::Info, format!("{goal}: ready after {waited:?}, attempt {attempts}"));
                return Ok(());
            }
            Attempt::Never(failure) => return Err(failure),
            Attempt::NotYet(reason) => reason,
        };
        if step.cancelled() {
            return Err(Failure::failed(format!("the run was cancelled before {}", goal.wish())));
        }
        // An attempt that was cut short knows only that; the one before knows more.
        let cut = start.elapsed() >= limit && !told.is_empty();
        // Once for each reason, not for each attempt.
        if !cut && reason != told {
            sink.log(Level::Info, format!("{goal}: not yet: {reason}"));
            told = reason;
        }
        pause(step, interval.min(limit.saturating_sub(start.elapsed())));
        if start.elapsed() >= limit {
            return Err(over(goal, limit, attempts, &told));
        }
    }
}

fn over(goal: &Goal, limit: Duration, attempts: u64, reason: &str) -> Failure {
    let times = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
    Failure::failed(format!("waited {:?} in vain for {goal} ({times}); the last one: {reason}", rounded(limit)))
        .help("if it needs longer, raise `timeout`")
}

/// Sleeps, and wakes early when the run is being cancelled.
fn pause(step: &Step, time: Duration) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || step.cancelled() {
            return;
        }
        std::thread::sleep(left.min(GLANCE));
    }
}

/// Without the digits that nobody reads.
fn rounded(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

sluice_sdk::plugin!(Plugin: Task, "plugin.yaml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_says_what_was_tried_and_why_it_did_not_work() {
        let goal = Goal::Tcp { host: "localhost".into(), port: 5432 };
        let failure = over(&goal, Duration::from_secs(30), 150, "the connection was refused");
        assert_eq!(
            failure.message(),
            "waited 30s in vain for localhost:5432 (150 attempts); the last one: the connection was refused"
        );
        let failure = over(&goal, Duration::from_micros(1_500_499), 1, "x");
        assert_eq!(failure.message(), "waited 1.5s in vain for localhost:5432 (1 attempt); the last one: x");
    }
}
