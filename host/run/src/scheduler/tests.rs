use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A graph and how each of its parts will behave.
#[derive(Debug, Clone)]
struct Script {
    graph: Graph,
    max_parallel: usize,
    /// Whether each job's condition holds.
    holds: Vec<bool>,
    outcomes: Vec<Vec<Outcome>>,
    /// At each turn: which of the running steps goes on, and what else happens first.
    turns: Vec<(usize, Turn)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    Quiet,
    TimedOut,
    Cancel,
    Kill,
}

/// What was seen while a script was played.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    commands: Vec<Command>,
    outcomes: BTreeMap<StepIndex, Outcome>,
    jobs: BTreeMap<JobIndex, Outcome>,
    run: Option<Outcome>,
    stopped: bool,
    killed: bool,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        8 => Just(Outcome::Passed),
        2 => Just(Outcome::Failed),
        1 => Just(Outcome::AllowedToFail),
        1 => Just(Outcome::Skipped),
        1 => Just(Outcome::Unknown),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![30 => Just(Turn::Quiet), 2 => Just(Turn::TimedOut), 1 => Just(Turn::Cancel), 1 => Just(Turn::Kill)]
}

fn script() -> impl Strategy<Value = Script> {
    let job = (
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        any::<bool>(),
        prop::collection::vec(outcome(), 0..4),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.8),
    );
    let jobs = prop::collection::vec(job, 0..9);
    (jobs, any::<bool>(), 1usize..4, prop::collection::vec((0usize..8, turn()), 40)).prop_map(
        |(jobs, finally, max_parallel, turns)| {
            let mut script = Script {
                graph: Graph { jobs: Vec::new(), finally: finally && !jobs.is_empty() },
                max_parallel,
                holds: Vec::new(),
                outcomes: Vec::new(),
                turns,
            };
            let last = jobs.len().saturating_sub(1);
            for (job, (needs, conditional, steps, continue_on_error, holds)) in jobs.into_iter().enumerate() {
                let finally = script.graph.finally && job == last;
                let mut needs: Vec<usize> = match job {
                    0 => Vec::new(),
                    _ if finally => Vec::new(),
                    job => needs.iter().map(|need| need.index(job)).collect(),
                };
                needs.sort_unstable();
                needs.dedup();
                script.graph.jobs.push(Node {
                    needs,
                    conditional: conditional && !finally,
                    steps: steps.len(),
                    continue_on_error,
                });
                script.outcomes.push(steps);
                script.holds.push(holds);
            }
            script
        },
    )
}

/// Plays a script and checks at every command what must hold at that moment.
fn play(script: &Script) -> Seen {
    let max_parallel = NonZeroUsize::new(script.max_parallel).unwrap();
    let mut scheduler = Scheduler::new(script.graph.clone(), max_parallel);
    let mut seen = Seen::default();
    let mut busy = BTreeSet::new();
    let mut running = Vec::new();
    let mut cancelled = BTreeSet::new();
    let mut inputs = VecDeque::from([Input::Start]);
    let mut turns = script.turns.iter();
    while seen.run.is_none() {
        let input = inputs.pop_front().unwrap_or_else(|| match turns.next() {
            Some((_, Turn::Cancel)) => Input::Cancel,
            Some((_, Turn::Kill)) => Input::Kill,
            Some((which, Turn::TimedOut)) => {
                let job = running.get(which % running.len().max(1)).map_or(0, |id: &StepIndex| id.job);
                Input::TimedOut { job }
            }
            turn => {
                assert!(!running.is_empty(), "nothing runs and the run has not ended: {seen:#?}");
                let id: StepIndex = running.remove(turn.map_or(0, |(which, _)| which % running.len()));
                let outcome = match cancelled.contains(&id) {
                    true => Outcome::Cancelled,
                    false => script.outcomes[id.job][id.step],
                };
                assert_eq!(seen.outcomes.insert(id, outcome), None);
                Input::Ended { id, outcome }
            }
        });
        seen.stopped |= matches!(input, Input::Cancel | Input::Kill);
        seen.killed |= input == Input::Kill;
        for command in scheduler.handle(input) {
            assert_eq!(seen.run, None, "{command:?} after the end");
            seen.commands.push(command);
            match command {
                Command::Decide { job } => {
                    assert!(busy.insert(job));
                    inputs.push_back(Input::Decided { job, holds: script.holds[job] });
                }
                Command::Begin { job } => {
                    busy.insert(job);
                    for need in &script.graph.jobs[job].needs {
                        assert!(seen.jobs.contains_key(need), "job {job} began before its need {need} was done");
                    }
                    if script.graph.finally && job + 1 == script.graph.jobs.len() {
                        assert_eq!(seen.jobs.len(), job, "`finally` began before all jobs were done");
                    }
                }
                Command::Start { id } => {
                    assert!(busy.contains(&id.job));
                    assert!(!seen.killed, "{id:?} was started after the run was killed");
                    for earlier in 0..id.step {
                        assert!(seen.outcomes.contains_key(&StepIndex { step: earlier, ..id }));
                    }
                    running.push(id);
                }
                Command::Skip { id, .. } => assert_eq!(seen.outcomes.insert(id, Outcome::Skipped), None),
                Command::Cancel { id } => {
                    assert!(running.contains(&id));
                    cancelled.insert(id);
                }
                Command::Kill { id } => {
                    running.retain(|running| *running != id);
                    assert_eq!(seen.outcomes.insert(id, Outcome::Cancelled), None);
                }
                Command::Finish { job, outcome } => {
                    busy.remove(&job);
                    assert!(running.iter().all(|id| id.job != job));
                    assert_eq!(seen.jobs.insert(job, outcome), None);
                }
                Command::FinishRun { outcome } => seen.run = Some(outcome),
            }
            assert!(busy.len() <= script.max_parallel, "{busy:?} at once");
        }
    }
    assert!(scheduler.handle(Input::Cancel).is_empty() && scheduler.handle(Input::Kill).is_empty());
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// That the run ends at all, and what must hold at each moment, is checked in `play`.
    #[test]
    fn every_step_and_job_ends_once_and_the_run_says_the_truth(script in script()) {
        let seen = play(&script);
        let steps = script.graph.jobs.iter().enumerate().flat_map(|(job, node)| {
            (0..node.steps).map(move |step| StepIndex { job, step })
        });
        prop_assert_eq!(seen.outcomes.keys().copied().collect::<Vec<_>>(), steps.collect::<Vec<_>>());
        prop_assert_eq!(seen.jobs.len(), script.graph.jobs.len());
        let required_failed = seen.outcomes.iter().any(|(id, outcome)| {
            matches!(outcome, Outcome::Failed | Outcome::Unknown) && !script.graph.jobs[id.job].continue_on_error
        });
        match seen.run {
            Some(Outcome::Cancelled) => prop_assert!(seen.stopped),
            Some(Outcome::Failed) => prop_assert!(!seen.stopped),
            _ => prop_assert!(!seen.stopped && !required_failed && seen.jobs.values().all(|outcome| outcome.is_good())),
        }
    }

    #[test]
    fn without_trouble_nothing_is_skipped_and_the_run_passes(mut script in script()) {
        script.turns.clear();
        script.holds.fill(true);
        script.outcomes.iter_mut().flatten().for_each(|outcome| *outcome = Outcome::Passed);
        let seen = play(&script);
        prop_assert!(seen.outcomes.values().all(|outcome| *outcome == Outcome::Passed));
        prop_assert_eq!(seen.run, Some(Outcome::Passed));
    }

    #[test]
    fn finally_runs_whole_unless_killed(mut script in script()) {
        let Some(last) = script.graph.jobs.last_mut() else { return Ok(()) };
        (last.needs, last.conditional, script.graph.finally) = (Vec::new(), false, true);
        script.turns.retain(|(_, turn)| matches!(turn, Turn::Quiet | Turn::Cancel));
        let seen = play(&script);
        let finally = script.graph.jobs.len() - 1;
        for step in 0..script.graph.jobs[finally].steps {
            let id = StepIndex { job: finally, step };
            let started = seen.commands.contains(&Command::Start { id });
            prop_assert!(started);
        }
    }

    #[test]
    fn after_a_cancel_only_finally_begins(mut script in script()) {
        script.turns.retain(|(_, turn)| *turn != Turn::Kill);
        let (_, seen) = (script.turns.insert(0, (0, Turn::Cancel)), play(&script));
        // The first turn comes when all jobs that can begin at once have begun.
        let cancel = seen.commands.iter().position(|command| matches!(command, Command::Cancel { .. }));
        for command in seen.commands.iter().skip(cancel.unwrap_or(usize::MAX)) {
            if let Command::Start { id } = command {
                prop_assert!(script.graph.finally && id.job + 1 == script.graph.jobs.len());
            }
        }
    }

    #[test]
    fn the_same_script_gives_the_same_commands(script in script()) {
        prop_assert_eq!(play(&script), play(&script));
    }
}

/// A need that failed skips what needs it, through any number of jobs, but not what was skipped by its own condition.
#[test]
fn failure_spreads_along_needs_and_a_false_condition_does_not() {
    let node =
        |needs: &[usize], conditional| Node { needs: needs.into(), conditional, steps: 1, continue_on_error: false };
    let graph = Graph {
        jobs: vec![node(&[], false), node(&[0], false), node(&[1], true), node(&[], true), node(&[3], false)],
        finally: false,
    };
    let script = Script {
        graph,
        max_parallel: 9,
        holds: vec![true, true, true, false, true],
        outcomes: [Outcome::Failed, Outcome::Passed, Outcome::Passed, Outcome::Passed, Outcome::Passed]
            .map(|outcome| vec![outcome])
            .into(),
        turns: Vec::new(),
    };
    let seen = play(&script);
    let outcomes: Vec<_> = seen.jobs.values().map(|outcome| outcome.as_str()).collect();
    assert_eq!(outcomes, ["failed", "skipped", "skipped", "skipped", "passed"]);
    assert_eq!(seen.run, Some(Outcome::Failed));
}

/// A chain as long as a workflow may be is walked without recursion and in linear time.
#[test]
fn a_long_chain_is_skipped_at_once() {
    let jobs = (0..100_000usize).map(|job| Node {
        needs: job.checked_sub(1).into_iter().collect(),
        conditional: false,
        steps: 1,
        continue_on_error: false,
    });
    let mut scheduler = Scheduler::new(Graph { jobs: jobs.collect(), finally: false }, NonZeroUsize::MIN);
    scheduler.handle(Input::Start);
    let commands = scheduler.handle(Input::Ended { id: StepIndex { job: 0, step: 0 }, outcome: Outcome::Failed });
    assert_eq!(commands.len(), 100_000 + 99_999 + 1);
    assert_eq!(commands.last(), Some(&Command::FinishRun { outcome: Outcome::Failed }));
}
