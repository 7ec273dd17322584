//! `sluice watch`: a run for every change, and for nothing else.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::environment::Environment;

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(environment: &Environment, arguments: &[&str]) -> Self {
        let mut command = environment.command(&[&["watch", "--plain"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                BufReader::new(stream).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
            });
        }
        Self { child, lines }
    }

    /// Waits for a line that contains `text`; gives the lines before it.
    #[track_caller]
    fn until(&self, text: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return before,
                Ok(line) => before.push(line),
                Err(_) => panic!("`{text}` did not come after\n{}", before.join("\n")),
            }
        }
    }

    /// Waits until each text was in a line, in any order; gives all lines up to then.
    #[track_caller]
    fn until_all(&self, texts: &[&str]) -> Vec<String> {
        let (mut lines, mut open) = (Vec::new(), texts.to_vec());
        while !open.is_empty() {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{open:?} did not come after\n{}", lines.join("\n")));
            open.retain(|text| !line.contains(text));
            lines.push(line);
        }
        lines
    }

    fn signal(&self, name: &str) {
        Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
    }

    fn end(mut self) {
        self.signal("INT");
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn changes_run_the_workflow_again_and_nothing_else_does() {
    let environment = Environment::new();
    environment
        .write(
            "sluice.yaml",
            "steps:\n  - run: cp a.txt copy.txt; date > stamp.txt; date > x.log; echo said-$(cat a.txt)\n",
        )
        .write(".gitignore", "*.log\n")
        .write("a.txt", "one");
    let watching = Watching::start(&environment, &[]);
    watching.until("said-one");
    watching.until("waiting for changes");
    environment.write("ignored.log", "x").write(".sluice/x", "x").write("a.txt", "two");
    let before = watching.until("changed: a.txt");
    let others = before.iter().any(|line| line.starts_with("changed:"));
    assert!(!others, "what the run wrote, what is ignored, and a write without a change start nothing: {before:#?}");
    watching.until("said-two");
    watching.until("waiting for changes");

    environment.write("sluice.yaml", "steps:\n  - rn: oops\n");
    watching.until("changed: sluice.yaml");
    watching.until("unknown field `rn`");
    watching.until("waiting for changes");
    environment.write("sluice.yaml", "steps:\n  - run: echo mended\n");
    watching.until("mended");
    watching.until("waiting for changes");
    environment.write("new/folder/b.txt", "x");
    watching.until("changed: new/folder/b.txt");
    watching.until("waiting for changes");
    environment.write("new/folder/b.txt", "y");
    watching.until("changed: new/folder/b.txt");
    watching.until("waiting for changes");
    watching.end();
}

#[test]
fn a_change_cancels_the_run_that_is_under_way() {
    let environment = Environment::new();
    environment
        .write("a.txt", "wait")
        .write("sluice.yaml", "steps:\n  - run: echo begun; while [ $(cat a.txt) = wait ]; do sleep 0.02; done; sleep 60\n    if: 'true'\nfinally:\n  - run: echo finally-ran\n");
    let watching = Watching::start(&environment, &["--job", "main"]);
    watching.until("begun");
    environment.write("b.txt", "x");
    watching.until("finally-ran");
    watching.until("changed: b.txt");
    watching.until("begun");
    watching.end();
}

#[test]
fn a_workflow_that_writes_while_it_runs_comes_to_an_end() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "steps:\n  - run: 'echo $$ > own.txt; i=0; while [ -e own.txt ] && [ $i -lt 100 ]; do sleep 0.02; i=$((i+1)); done; echo whole'\n",
    );
    let watching = Watching::start(&environment, &[]);
    let before = watching.until("whole");
    let cancelled = before.iter().filter(|line| line.contains("changed: own.txt")).count();
    assert_eq!(cancelled, 3, "{before:#?}");
    watching.until("waiting for changes");
    watching.end();
}

#[test]
fn only_jobs_that_a_change_concerns_run_again() {
    let environment = Environment::new();
    environment.write(
        "sluice.yaml",
        "\
jobs:
  docs: {paths: docs/, steps: [{run: echo said-docs}]}
  code: {paths: ['src/**'], steps: [{run: 'echo said-code; test ! -e bad'}]}
  all: {steps: [{run: echo said-all}]}
finally:
  - run: echo said-finally
",
    );
    environment.write("docs/a.md", "1").write("src/a.rs", "1").write(".gitignore", "/bad\n");
    let said = |lines: &[String]| -> Vec<&'static str> {
        let words = ["said-docs", "said-code", "said-all"];
        // What is quoted of the workflow does not end so.
        words.into_iter().filter(|word| lines.iter().any(|line| line.ends_with(word))).collect()
    };
    let watching = Watching::start(&environment, &["-j", "1"]);
    // The last line of each stream; which of them comes first is chance.
    let run = || watching.until_all(&["more:   sluice runs show", "waiting for changes"]);
    assert_eq!(said(&run()), ["said-docs", "said-code", "said-all"]);
    environment.write("docs/a.md", "2");
    let lines = run();
    assert_eq!(said(&lines), ["said-docs", "said-all"]);
    assert!(
        lines.iter().any(|line| line.contains("[code/step-1] skipped: no file below its paths changed")),
        "{lines:?}"
    );
    environment.write("bad", "").write("src/a.rs", "2");
    assert_eq!(said(&run()), ["said-code", "said-all"]);
    // What failed is run again with what comes next.
    environment.write("docs/a.md", "3");
    assert_eq!(said(&run()), ["said-docs", "said-code", "said-all"]);
    std::fs::remove_file(environment.workspace().join("bad")).unwrap();
    environment.write("docs/a.md", "4");
    assert_eq!(said(&run()), ["said-docs", "said-code", "said-all"]);
    environment.write("docs/a.md", "5");
    assert_eq!(said(&run()), ["said-docs", "said-all"]);
    let workflow = environment.read("sluice.yaml");
    environment.write("sluice.yaml", workflow + "# changed\n");
    assert_eq!(said(&run()), ["said-docs", "said-code", "said-all"]);
    watching.end();
}

#[test]
fn a_called_workflow_is_watched_too() {
    let environment = Environment::new();
    environment.write("sluice.yaml", "jobs: {part: {uses: ./ci/part.yaml}}\n");
    environment.write("ci/part.yaml", "steps: [{run: echo said-one}]\n");
    let watching = Watching::start(&environment, &[]);
    watching.until("said-one");
    watching.until("waiting for changes");
    environment.write("ci/part.yaml", "steps: [{run: echo said-two}]\n");
    watching.until("changed: ci/part.yaml");
    watching.until("said-two");
    watching.end();
}
