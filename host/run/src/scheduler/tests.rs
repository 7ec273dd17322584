use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A graph and how each of its parts will behave.
#[derive(Debug, Clone)]
struct Script {
    graph: Graph,
    max_parallel: usize,
    /// What each job's condition says, and how many cells it has if it asks.
    decisions: Vec<(bool, usize)>,
    /// What is said about each job that asks for it, and when.
    answers: Vec<(bool, When)>,
    /// How many items each step has, and how they end; played round.
    items: Vec<Vec<(usize, Vec<Outcome>)>>,
    /// At each turn: which of the running steps goes on, and what else happens first.
    turns: Vec<(usize, Turn)>,
}

/// When somebody answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    AtOnce,
    Later,
    /// Nobody can, in this run.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    Quiet,
    /// A step in the background ends by itself.
    Dies,
    TimedOut,
    RunTimedOut,
    Cancel,
    Kill,
}

/// A step in the background that was started and has not ended.
#[derive(Debug, PartialEq)]
struct Background {
    id: StepIndex,
    ready: bool,
    stopped: bool,
}

/// What was seen while a script was played.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    commands: Vec<Command>,
    outcomes: BTreeMap<StepIndex, Outcome>,
    cells: BTreeMap<CellIndex, Outcome>,
    jobs: BTreeMap<JobIndex, Outcome>,
    /// Cells of each job, items of each step that was spread.
    active: BTreeMap<JobIndex, usize>,
    spread: BTreeMap<StepIndex, usize>,
    /// Jobs that were asked about, with the answer as soon as there is one.
    asked: BTreeMap<JobIndex, Option<bool>>,
    run: Option<Outcome>,
    parked: bool,
    stopped: bool,
    /// Whether that came when hooks had their turn.
    late: bool,
    killed: bool,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        12 => Just(Outcome::Passed),
        2 => Just(Outcome::Failed),
        1 => Just(Outcome::AllowedToFail),
        1 => Just(Outcome::Skipped),
        1 => Just(Outcome::Unknown),
    ]
}

fn answer() -> impl Strategy<Value = (bool, When)> {
    let when = prop_oneof![2 => Just(When::AtOnce), 2 => Just(When::Later), 1 => Just(When::Never)];
    (prop::bool::weighted(0.7), when)
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        40 => Just(Turn::Quiet),
        3 => Just(Turn::Dies),
        2 => Just(Turn::TimedOut),
        1 => Just(Turn::RunTimedOut),
        1 => Just(Turn::Cancel),
        1 => Just(Turn::Kill)
    ]
}

prop_compose! {
    fn step()(
        status_aware in prop::bool::weighted(0.2),
        background in prop::bool::weighted(0.2),
        for_each in prop::bool::weighted(0.3),
        max_parallel in 1usize..3,
        fail_fast in any::<bool>(),
        count in 0usize..4,
        outcomes in prop::collection::vec(outcome(), 1..5),
    ) -> (StepNode, (usize, Vec<Outcome>)) {
        let for_each = for_each && !background;
        (StepNode { status_aware, for_each, max_parallel, fail_fast, background }, (count, outcomes))
    }
}

prop_compose! {
    fn job()(
        needs in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        asks in any::<bool>(),
        status_aware in prop::bool::weighted(0.2),
        cells in 1usize..4,
        max_parallel in 1usize..3,
        fail_fast in any::<bool>(),
        continue_on_error in prop::bool::weighted(0.1),
        steps in prop::collection::vec(step(), 0..4),
        holds in prop::bool::weighted(0.8),
        asked_cells in 0usize..4,
        calls in prop::bool::weighted(0.2),
        hook in prop::option::weighted(0.2, prop::sample::select(Hook::ALL.to_vec())),
        place in any::<prop::sample::Index>(),
        guarded in prop::bool::weighted(0.3),
        answer in answer(),
    ) -> (Node, [Vec<prop::sample::Index>; 2], Vec<(usize, Vec<Outcome>)>, (bool, usize), (bool, When)) {
        let (steps, items) = steps.into_iter().unzip();
        let node = Node {
            needs: Vec::new(), asks, guarded, status_aware: status_aware && asks, cells, max_parallel, fail_fast,
            continue_on_error, calls, inside: None, hook, steps,
        };
        (node, [needs, vec![place]], items, (holds, asked_cells), answer)
    }
}

prop_compose! {
    fn script()(
        jobs in prop::collection::vec(job(), 0..12),
        hooks in prop::sample::subsequence(vec![Hook::Success, Hook::Failure, Hook::Cancel, Hook::Finally], 0..4),
        fail_fast in prop::bool::weighted(0.2),
        max_parallel in 1usize..4,
        turns in prop::collection::vec((0usize..8, turn()), 60),
    ) -> Script {
        let hooks = hooks[..hooks.len().min(jobs.len())].to_vec();
        let first_hook = jobs.len() - hooks.len();
        let mut script = Script {
            graph: Graph { jobs: Vec::new(), hooks, fail_fast },
            max_parallel, decisions: Vec::new(), answers: Vec::new(), items: Vec::new(), turns,
        };
        for (at, (mut node, [needs, place], mut items, mut decision, answer)) in jobs.into_iter().enumerate() {
            let before = &script.graph.jobs;
            if at >= first_hook {
                (node.asks, node.status_aware, node.guarded, node.cells, node.calls) = (false, false, false, 1, false);
                node.hook = None;
            } else {
                let calls = (0..at).filter(|job| before[*job].calls).map(Some);
                let places: Vec<_> = std::iter::once(None).chain(calls).collect();
                node.inside = places[place[0].index(places.len())];
                let siblings: Vec<usize> = (0..at).filter(|job| before[*job].inside == node.inside).collect();
                // Hooks come after all other jobs of their workflow.
                let late = siblings.iter().find_map(|job| before[*job].hook);
                node.hook = late.or(node.hook).filter(|_| node.inside.is_some());
                if node.hook.is_some() {
                    (node.asks, node.status_aware, node.guarded, node.cells, node.calls) = (false, false, false, 1, false);
                } else if !siblings.is_empty() {
                    node.needs = needs.iter().map(|need| siblings[need.index(siblings.len())]).collect();
                    node.needs.sort_unstable();
                    node.needs.dedup();
                }
            }
            if node.calls {
                (node.asks, node.guarded, node.cells) = (true, false, 1);
                node.steps.clear();
                items.clear();
                decision.1 = 1;
            }
            script.graph.jobs.push(node);
            script.items.push(items);
            script.decisions.push(decision);
            script.answers.push(answer);
        }
        script
    }
}

/// Plays a script and checks at every command what must hold at that moment.
fn play(script: &Script) -> Seen {
    let graph = &script.graph;
    let first_hook = graph.jobs.len() - graph.hooks.len();
    let mut scheduler = Scheduler::new(graph.clone(), NonZeroUsize::new(script.max_parallel).unwrap());
    let mut seen = Seen::default();
    let mut running: Vec<StepIndex> = Vec::new();
    // Jobs about which somebody thinks.
    let mut thinking: Vec<JobIndex> = Vec::new();
    let mut background: Vec<Background> = Vec::new();
    let mut begun: BTreeSet<CellIndex> = BTreeSet::new();
    let mut cancelled = BTreeSet::new();
    let mut inputs = VecDeque::from([Input::Start]);
    let mut turns = script.turns.iter();
    while seen.run.is_none() && !seen.parked {
        let queued = inputs.pop_front();
        let input = match if queued.is_some() { None } else { turns.next() } {
            _ if queued.is_some() => queued.unwrap_or(Input::Start),
            Some((_, Turn::Cancel)) => Input::Cancel,
            Some((_, Turn::Kill)) => Input::Kill,
            Some((_, Turn::RunTimedOut)) => Input::RunTimedOut,
            Some((which, Turn::TimedOut)) if !running.is_empty() => {
                let cell = running[which % running.len()].cell;
                let call = graph.jobs[cell.job].inside.filter(|_| which % 2 == 0);
                Input::TimedOut { cell: call.map_or(cell, |job| CellIndex { job, cell: 0 }) }
            }
            Some((which, _)) if !thinking.is_empty() && (running.is_empty() || which % 2 == 0) => {
                let job = thinking.remove(which % thinking.len());
                Input::Answered { job, approved: script.answers[job].0 }
            }
            None if !thinking.is_empty() => {
                let job = thinking.remove(0);
                Input::Answered { job, approved: script.answers[job].0 }
            }
            turn => {
                let which = turn.map_or(0, |(which, _)| *which);
                let dies = matches!(turn, Some((_, Turn::Dies)));
                // Those in the background that have something to say.
                let ends = |own: &&Background| dies || !own.ready || own.stopped || cancelled.contains(&own.id);
                let own = background.iter().filter(ends).map(|own| own.id);
                let all: Vec<StepIndex> = running.iter().copied().filter(|_| !dies).chain(own).collect();
                let Some(&id) = all.get(which % all.len().max(1)) else {
                    assert!(dies, "nothing runs and the run has not ended: {seen:#?}");
                    continue;
                };
                running.retain(|running| *running != id);
                if let Some(at) = background.iter().position(|own| own.id == id) {
                    if !background[at].ready && !dies && !cancelled.contains(&id) {
                        background[at].ready = true;
                        inputs.push_back(Input::Ready { id });
                        continue;
                    }
                    background.remove(at);
                }
                let outcomes = &script.items[id.cell.job][id.step].1;
                let outcome = match cancelled.contains(&id) {
                    true => Outcome::Cancelled,
                    false => outcomes[(id.cell.cell + id.item) % outcomes.len()],
                };
                assert_eq!(seen.outcomes.insert(id, outcome), None);
                Input::Ended { id, outcome }
            }
        };
        let stops = matches!(input, Input::Cancel | Input::Kill | Input::RunTimedOut);
        seen.stopped |= matches!(input, Input::Cancel | Input::Kill);
        seen.late |= stops && seen.jobs.len() >= first_hook;
        seen.killed |= input == Input::Kill;
        if let Input::Answered { job, approved } = input {
            // One that comes after the end of its job has no effect.
            if !seen.jobs.contains_key(&job) {
                assert_eq!(seen.asked.insert(job, Some(approved)), Some(None), "{job} was not asked about, or twice");
            }
        }
        for command in scheduler.handle(input) {
            assert!(seen.run.is_none() && !seen.parked, "{command:?} after the end");
            seen.commands.push(command);
            match command {
                Command::Decide { job } => {
                    assert!(graph.jobs[job].asks);
                    let (holds, cells) = script.decisions[job];
                    inputs.push_back(Input::Decided { job, holds, cells });
                    if holds {
                        seen.active.insert(job, cells);
                    }
                }
                Command::Ask { job } => {
                    assert!(graph.jobs[job].guarded && !seen.stopped);
                    assert!(graph.jobs[job].needs.iter().all(|need| seen.jobs.contains_key(need)));
                    assert_eq!(seen.asked.insert(job, None), None, "{job} was asked about twice");
                    match script.answers[job] {
                        (approved, When::AtOnce) => inputs.push_back(Input::Answered { job, approved }),
                        (_, When::Later) => thinking.push(job),
                        (_, When::Never) => inputs.push_back(Input::Unanswerable { job }),
                    }
                }
                Command::Park => {
                    assert!(running.is_empty() && background.is_empty() && !seen.stopped);
                    assert!(thinking.is_empty() && inputs.is_empty());
                    let open = seen.asked.iter().filter(|(job, _)| !seen.jobs.contains_key(*job));
                    let open: Vec<JobIndex> = open.map(|(job, _)| *job).collect();
                    assert!(!open.is_empty() && open.iter().all(|job| seen.asked[job].is_none()));
                    assert!(scheduler.asking().eq(open));
                    assert!((first_hook..graph.jobs.len()).all(|hook| !seen.jobs.contains_key(&hook)));
                    seen.parked = true;
                }
                Command::Begin { cell } => {
                    let answer = seen.asked.get(&cell.job).copied().flatten();
                    assert!(!graph.jobs[cell.job].guarded || answer == Some(true), "{cell:?} was not approved");
                    assert!(begun.insert(cell), "{cell:?} began twice");
                    for need in &graph.jobs[cell.job].needs {
                        assert!(seen.jobs.contains_key(need), "{cell:?} began before its need {need} was done");
                    }
                    let ended = |job: &usize| seen.jobs.contains_key(job);
                    if let Some(call) = graph.jobs[cell.job].inside {
                        assert!(
                            begun.contains(&CellIndex { job: call, cell: 0 }) && !ended(&call),
                            "{cell:?} is not inside"
                        );
                        let others = (0..cell.job).filter(|job| graph.jobs[*job].inside == Some(call));
                        assert!(graph.jobs[cell.job].hook.is_none() || others.into_iter().all(|job| ended(&job)));
                    }
                    assert!(cell.job < first_hook || (0..cell.job).all(|job| ended(&job)), "a hook began too early");
                    let cells = begun.iter().filter(|other| other.job == cell.job && !seen.cells.contains_key(other));
                    assert!(cells.count() <= graph.jobs[cell.job].max_parallel);
                }
                Command::Spread { id } => {
                    assert!(graph.jobs[id.cell.job].steps[id.step].for_each);
                    let count = script.items[id.cell.job][id.step].0;
                    seen.spread.insert(id, count);
                    inputs.push_back(Input::Items { id, count });
                }
                Command::Start { id } => {
                    assert!(begun.contains(&id.cell) && !seen.cells.contains_key(&id.cell));
                    assert!(!seen.killed, "{id:?} was started after the run was killed");
                    let beside = background.iter().filter(|own| own.id.cell == id.cell);
                    assert!(beside.into_iter().all(|own| own.ready && !own.stopped), "{id:?} was started too early");
                    if graph.jobs[id.cell.job].steps[id.step].background {
                        assert!(running.iter().all(|other| other.cell != id.cell));
                        background.push(Background { id, ready: false, stopped: false });
                        continue;
                    }
                    running.push(id);
                    let items = running.iter().filter(|other| other.cell == id.cell);
                    assert!(items.clone().all(|other| other.step == id.step), "two steps of a job at once");
                    assert!(items.count() <= graph.jobs[id.cell.job].steps[id.step].max_parallel.max(1));
                }
                Command::Skip { id, .. } => {
                    // A step that is ended between its question and the answer was not spread.
                    if id.item == 0 && !seen.outcomes.keys().any(|ended| (ended.cell, ended.step) == (id.cell, id.step))
                    {
                        let pending =
                            inputs.iter().any(|input| matches!(input, Input::Items { id: asked, .. } if *asked == id));
                        if pending {
                            seen.spread.remove(&id);
                        }
                    }
                    assert_eq!(seen.outcomes.insert(id, Outcome::Skipped), None);
                }
                Command::Stop { id } => {
                    assert!(running.iter().all(|other| other.cell != id.cell), "{id:?} is still needed");
                    let own = background.iter_mut().find(|own| own.id == id).expect("it runs");
                    assert!(!std::mem::replace(&mut own.stopped, true), "{id:?} was stopped twice");
                }
                Command::Cancel { id } => {
                    assert!(running.contains(&id) || background.iter().any(|own| own.id == id && !own.ready));
                    cancelled.insert(id);
                }
                Command::Kill { id } => {
                    running.retain(|running| *running != id);
                    background.retain(|own| own.id != id);
                    assert_eq!(seen.outcomes.insert(id, Outcome::Cancelled), None);
                }
                Command::FinishCell { cell, outcome } => {
                    let beside = background.iter().map(|own| &own.id);
                    assert!(running.iter().chain(beside).all(|id| id.cell != cell), "something outlives {cell:?}");
                    assert_eq!(seen.cells.insert(cell, outcome), None);
                }
                Command::Finish { job, outcome } => {
                    assert!(running.iter().all(|id| id.cell.job != job));
                    thinking.retain(|other| *other != job);
                    assert_eq!(seen.jobs.insert(job, outcome), None);
                }
                Command::FinishRun { outcome } => seen.run = Some(outcome),
            }
            assert!(running.len() <= script.max_parallel, "{running:?} at once");
            let open =
                begun.iter().filter(|cell| !graph.jobs[cell.job].calls && !seen.cells.contains_key(cell)).count();
            assert!(open <= script.max_parallel, "{open} cells at once");
        }
    }
    assert_eq!(background, []);
    assert!(scheduler.handle(Input::Cancel).is_empty() && scheduler.handle(Input::Kill).is_empty());
    seen
}

/// Every step that must have ended, once its cells and items are known.
fn expected(script: &Script, seen: &Seen) -> Vec<StepIndex> {
    let mut all = Vec::new();
    for (job, node) in script.graph.jobs.iter().enumerate() {
        let began = seen.commands.iter().any(|command| matches!(command, Command::Begin { cell } if cell.job == job));
        let decided = seen.active.get(&job).copied().filter(|cells| began || *cells == 0);
        let skipped = seen.cells.keys().filter(|cell| cell.job == job).count();
        let cells = if began { decided.unwrap_or(node.cells) } else { skipped };
        for cell in (0..cells).map(|cell| CellIndex { job, cell }) {
            for step in (0..node.steps.len()).map(|step| cell.step(step)) {
                match seen.spread.get(&step) {
                    Some(count) => all.extend((0..*count).map(|item| StepIndex { item, ..step })),
                    None => all.push(step),
                }
            }
        }
    }
    all.sort_unstable();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// That the run ends at all, and what must hold at each moment, is checked in `play`.
    #[test]
    fn every_step_and_job_ends_once_and_the_run_says_the_truth(script in script()) {
        let seen = play(&script);
        prop_assert_eq!(seen.outcomes.keys().copied().collect::<Vec<_>>(), expected(&script, &seen));
        if seen.parked {
            return Ok(());
        }
        prop_assert_eq!(seen.jobs.len(), script.graph.jobs.len());
        let tolerated = |job: usize| around(&script.graph, job).any(|job| script.graph.jobs[job].continue_on_error);
        let required_failed = seen.outcomes.iter().any(|(id, outcome)| {
            matches!(outcome, Outcome::Failed | Outcome::Unknown)
                && !script.graph.jobs[id.cell.job].continue_on_error
                && !tolerated(id.cell.job)
        });
        for (call, _) in script.graph.jobs.iter().enumerate().filter(|(_, node)| node.calls) {
            let mut inside = seen.jobs.iter().filter(|(job, _)| script.graph.jobs[**job].inside == Some(call));
            let all_good = inside.all(|(_, outcome)| outcome.is_good());
            prop_assert!(seen.jobs[&call] != Outcome::Passed || all_good);
        }
        match seen.run {
            Some(Outcome::Cancelled) => prop_assert!(seen.stopped),
            Some(Outcome::Failed) => prop_assert!(!seen.stopped),
            _ => {
                let good = seen.jobs.iter().all(|(job, outcome)| outcome.is_good() || tolerated(*job));
                prop_assert!(!seen.stopped && !required_failed && good);
            }
        }
    }

    #[test]
    fn without_trouble_only_hooks_are_skipped_and_the_run_passes(mut script in script()) {
        script.turns.clear();
        let decisions = script.decisions.iter_mut().zip(&script.graph.jobs);
        decisions.for_each(|(decision, node)| *decision = (true, if node.calls { 1 } else { 2 }));
        script.answers.iter_mut().for_each(|(approved, when)| {
            *approved = true;
            if *when == When::Never {
                *when = When::Later;
            }
        });
        script.items.iter_mut().flatten().for_each(|(_, outcomes)| outcomes.fill(Outcome::Passed));
        let seen = play(&script);
        let hooks = script.graph.jobs.len() - script.graph.hooks.len();
        let is_hook = |job: usize| job >= hooks || script.graph.jobs[job].hook.is_some();
        prop_assert!(seen.outcomes.iter().all(|(id, outcome)| is_hook(id.cell.job) || *outcome == Outcome::Passed));
        prop_assert_eq!(seen.run, Some(Outcome::Passed));
    }

    /// A hook runs whole if it is for the way in which the run ended, and not at all otherwise.
    #[test]
    fn hooks_run_as_the_run_ended(mut script in script()) {
        script.turns.retain(|(_, turn)| *turn != Turn::Kill);
        let seen = play(&script);
        if seen.parked {
            return Ok(());
        }
        let first = script.graph.jobs.len() - script.graph.hooks.len();
        for (at, hook) in script.graph.hooks.iter().enumerate() {
            let began = seen.cells.get(&CellIndex { job: first + at, cell: 0 }) != Some(&Outcome::Skipped);
            match hook {
                Hook::Finally => prop_assert!(began),
                _ if seen.late => {}
                Hook::Cancel => prop_assert_eq!(began, seen.run == Some(Outcome::Cancelled)),
                Hook::Success => prop_assert!(began || seen.run != Some(Outcome::Passed)),
                Hook::Failure => prop_assert!(!began || seen.run != Some(Outcome::Passed)),
            }
        }
    }

    /// What asks how things stand runs after a cancel, and nothing else but hooks.
    #[test]
    fn after_a_cancel_only_what_asks_for_it_begins(mut script in script()) {
        script.turns.retain(|(_, turn)| *turn == Turn::Quiet);
        script.turns.insert(0, (0, Turn::Cancel));
        let seen = play(&script);
        let hooks = script.graph.jobs.len() - script.graph.hooks.len();
        // The first turn comes when all jobs that can begin at once have begun.
        let cancel = seen.commands.iter().position(|command| matches!(command, Command::Cancel { .. }));
        for command in seen.commands.iter().skip(cancel.unwrap_or(usize::MAX)) {
            if let Command::Start { id } = command {
                let node = &script.graph.jobs[id.cell.job];
                let despite = around(&script.graph, id.cell.job).any(|call| script.graph.jobs[call].status_aware);
                let asks = node.status_aware || node.steps[id.step].status_aware || despite;
                prop_assert!(id.cell.job >= hooks || node.hook.is_some() || asks);
            }
        }
    }

    /// What a run does before it is parked, and what it does when it goes on with the answers, is what it does if they
    /// come at once. Without anything that makes the order of jobs matter.
    #[test]
    fn a_run_that_was_parked_ends_like_one_that_was_not(mut script in script()) {
        script.turns.clear();
        script.graph.fail_fast = false;
        for node in &mut script.graph.jobs {
            node.fail_fast = false;
            node.steps.iter_mut().for_each(|step| step.fail_fast = false);
        }
        let first = play(&script);
        script.answers.iter_mut().for_each(|(_, when)| *when = When::AtOnce);
        let whole = play(&script);
        prop_assert!(whole.run.is_some());
        prop_assert!(first.outcomes.iter().all(|(id, outcome)| whole.outcomes.get(id) == Some(outcome)));
        prop_assert!(first.jobs.iter().all(|(job, outcome)| whole.jobs.get(job) == Some(outcome)));
        prop_assert!(first.parked || first.run == whole.run);
    }

    /// A job that was denied, or that nobody answered for, never begins, and a denied one fails.
    #[test]
    fn without_a_yes_nothing_of_a_job_begins(script in script()) {
        let seen = play(&script);
        for (job, answer) in &seen.asked {
            let began = seen.commands.iter().any(|command| matches!(command, Command::Begin { cell } if cell.job == *job));
            prop_assert!(!began || *answer == Some(true));
            if *answer == Some(false) {
                prop_assert!(matches!(seen.jobs[job], Outcome::Failed | Outcome::AllowedToFail));
            }
        }
    }

    /// Whoever is asked, an order to end is obeyed.
    #[test]
    fn a_cancel_ends_a_run_that_asks(mut script in script(), order in prop_oneof![Just(Turn::Cancel), Just(Turn::Kill)]) {
        script.answers.iter_mut().for_each(|(_, when)| *when = When::Later);
        script.turns = vec![(0, order)];
        let seen = play(&script);
        prop_assert!(seen.run.is_some() && seen.asked.values().all(Option::is_none));
        prop_assert!(seen.asked.keys().all(|job| seen.jobs[job] == Outcome::Skipped));
    }

    #[test]
    fn the_same_script_gives_the_same_commands(script in script()) {
        prop_assert_eq!(play(&script), play(&script));
    }
}

/// The calling jobs around a job.
fn around(graph: &Graph, job: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(graph.jobs[job].inside, |call| graph.jobs[*call].inside)
}

fn plain(needs: &[usize], steps: usize) -> Node {
    let step = StepNode { status_aware: false, for_each: false, max_parallel: 1, fail_fast: true, background: false };
    Node {
        needs: needs.into(),
        asks: false,
        guarded: false,
        status_aware: false,
        cells: 1,
        max_parallel: usize::MAX,
        fail_fast: true,
        continue_on_error: false,
        calls: false,
        inside: None,
        hook: None,
        steps: vec![step; steps],
    }
}

fn script_of(jobs: Vec<Node>, outcomes: &[Outcome]) -> Script {
    Script {
        max_parallel: 9,
        decisions: vec![(true, 1); jobs.len()],
        answers: vec![(true, When::AtOnce); jobs.len()],
        items: jobs.iter().zip(outcomes).map(|(job, outcome)| vec![(1, vec![*outcome]); job.steps.len()]).collect(),
        turns: Vec::new(),
        graph: Graph { jobs, hooks: Vec::new(), fail_fast: false },
    }
}

/// A need that failed skips what needs it, through any number of jobs, but not what was skipped by its own condition.
#[test]
fn failure_spreads_along_needs_and_a_false_condition_does_not() {
    use Outcome::{Failed, Passed};
    let jobs =
        vec![plain(&[], 1), plain(&[0], 1), plain(&[1], 1), Node { asks: true, ..plain(&[], 1) }, plain(&[3], 1)];
    let mut script = script_of(jobs, &[Failed, Passed, Passed, Passed, Passed]);
    script.decisions[3].0 = false;
    let seen = play(&script);
    let outcomes: Vec<_> = seen.jobs.values().map(|outcome| outcome.as_str()).collect();
    assert_eq!(outcomes, ["failed", "skipped", "skipped", "skipped", "passed"]);
    assert_eq!(seen.run, Some(Outcome::Failed));
}

/// With `fail-fast` the first cell that fails ends those that run and skips those that wait.
#[test]
fn a_cell_that_fails_ends_the_others() {
    let mut job = Node { cells: 4, max_parallel: 2, ..plain(&[], 1) };
    let outcomes = |script: &Script| play(script).cells.values().map(|outcome| outcome.as_str()).collect::<Vec<_>>();
    let mut script = script_of(vec![job.clone()], &[Outcome::Passed]);
    script.items[0][0].1 = vec![Outcome::Failed, Outcome::Passed, Outcome::Passed, Outcome::Passed];
    assert_eq!(outcomes(&script), ["failed", "cancelled", "skipped", "skipped"]);
    job.fail_fast = false;
    script.graph.jobs = vec![job];
    assert_eq!(outcomes(&script), ["failed", "passed", "passed", "passed"]);
}

/// A chain as long as a workflow may be is walked without recursion and in linear time.
#[test]
fn a_long_chain_is_skipped_at_once() {
    let jobs = (0..100_000usize).map(|job| plain(&job.checked_sub(1).into_iter().collect::<Vec<_>>(), 1)).collect();
    let mut scheduler = Scheduler::new(Graph { jobs, ..Graph::default() }, NonZeroUsize::MIN);
    scheduler.handle(Input::Start);
    let id = CellIndex { job: 0, cell: 0 }.step(0);
    let commands = scheduler.handle(Input::Ended { id, outcome: Outcome::Failed });
    assert_eq!(commands.len(), 2 * 100_000 + 99_999 + 1);
    assert_eq!(commands.last(), Some(&Command::FinishRun { outcome: Outcome::Failed }));
}
