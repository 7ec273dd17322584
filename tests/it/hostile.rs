//! `tests/hostile`: a folder a misdeed, each with the outcome that it must have. All are contained, or the build fails.
//!
//! A case is a folder with `sluice.yaml`. Its first lines say what the test is about:
//!
//! ```yaml
//! # tries: read a file above the workspace
//! # ends: 1                            the exit code
//! # says: Operation not permitted      somewhere in the output; one at least, so that nothing passes for another reason
//! # hides: text                        nowhere in the output; any number of these
//! # runs: check                        arguments instead of `run`
//! # may-send: why                      the server may get the canary
//! # serves: 302 /there                 status and `Location` of the server, `an echo`, or what it does (`Misdeed::named`)
//! # variable: PATH=WORKSPACE/bin:$PATH of the environment
//! # names: a.example.com=8.8.8.8,127.0.0.1    what a name leads to when it is looked up first, second, ...
//! # needs: registry                    `REGISTRY` is the address of a real one
//! ```
//!
//! `SERVER` (its address), `WORKSPACE`, `OUTSIDE` and `REGISTRY` are replaced, in the workflow too.
//!
//! `setup.sh` makes the place ready before, `check.sh` looks at it afterwards; both run in the workspace and see `$OUTSIDE` (a
//! folder beside it with `secret.txt`), `$HOME`, `$SERVER`, `$REGISTRY` and `$SLUICE`. The workspace has `plugins/command.wasm`, a
//! plain WASI program, and `plugins/task.wasm`, a plugin that asks for what its inputs say; both do as they are told, as badly as
//! they can (`tests/guests/hostile`). Each `plugins/NAME.wat` becomes `NAME.wasm`. The server remembers who asked it.
//!
//! Whatever a case does, the canary must not be found: not in the output, not in the record, not in a request.
//!
//! 1 to 32 are the cases that are known of hosts of WebAssembly; the others are our own, by groups.

mod case;
mod parts;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::environment::repository;
use case::{Case, Verdict};

/// The numbers of the known cases; each has a folder at least.
const KNOWN: std::ops::RangeInclusive<u32> = 1..=32;
/// No fewer than these are our own.
const OWN: usize = 20;

#[test]
fn every_misdeed_is_contained() {
    let folder = repository().join("tests/hostile");
    let wanted = std::env::var("HOSTILE_CASE").ok();
    let mut cases: Vec<Case> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(Case::read)
        .filter(|case| wanted.as_ref().is_none_or(|wanted| case.name.contains(wanted)))
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    if wanted.is_none() {
        let missing: Vec<u32> = KNOWN.filter(|number| !cases.iter().any(|case| case.number == *number)).collect();
        assert!(missing.is_empty(), "no case for {missing:?}");
        let own = cases.iter().filter(|case| !KNOWN.contains(&case.number)).count();
        assert!(own >= OWN, "{own} cases of our own, of {OWN}");
    }
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(vec![None; cases.len()]);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::SeqCst)
                    && let Some(case) = cases.get(index)
                {
                    let start = Instant::now();
                    let verdict = case.run();
                    if wanted.is_some() {
                        println!("== {} in {:?}\n{}", case.name, start.elapsed(), verdict.told());
                    }
                    verdicts.lock().unwrap()[index] = Some(verdict);
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().unwrap();
    let (mut table, mut failures) = (String::new(), String::new());
    for (case, verdict) in cases.iter().zip(verdicts.into_iter().map(Option::unwrap)) {
        let _ = writeln!(table, "{:34} {:80} exit {:3} {}", case.name, case.tries, case.ends, verdict.name());
        if let Verdict::NotContained(_) = verdict {
            let _ = writeln!(failures, "\n== {}\n{}", case.name, verdict.told());
        }
    }
    let _ = writeln!(table, "{} cases", cases.len());
    // Past the capture of tests, so that it is seen when all is well too.
    let _ = io::stdout().write_all(table.as_bytes());
    assert!(failures.is_empty(), "{table}{failures}");
}
