//! Runs of one group, as processes of their own in clones of their own: never two at once.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::environment::Environment;

/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two clones with one home, and a folder in which steps leave marks.
struct Clones {
    environment: Environment,
}

struct Running {
    child: Child,
    clone: &'static str,
}

impl Clones {
    fn new(concurrency: &str) -> Self {
        let environment = Environment::new();
        let marks = environment.workspace().join("marks");
        fs::create_dir(&marks).unwrap();
        let marks = marks.display();
        let workflow = format!(
            "\
name: ship
inputs: {{me: {{}}, env: {{default: prod}}}}
concurrency: {concurrency}
defaults: {{paths: write {marks}}}
steps:
  - run: |
      test ! -e {marks}/inside
      echo $$ > {marks}/inside
      echo ${{{{ inputs.me }}}} >> {marks}/order
      echo x > {marks}/begun-${{{{ inputs.me }}}}
      while [ ! -e {marks}/go-${{{{ inputs.me }}}} ]; do sleep 0.02; done
      rm {marks}/inside
finally:
  - run: rm -f {marks}/inside; echo finally-${{{{ inputs.me }}}} >> {marks}/order
"
        );
        environment.write("a/sluice.yaml", &workflow).write("b/sluice.yaml", &workflow);
        Self { environment }
    }

    /// Starts a run in one of the clones.
    fn start(&self, clone: &'static str, me: &str, more: &[&str]) -> Running {
        let me_is = format!("me={me}");
        let arguments = [&["-C", clone, "run", "--plain", "-i", &me_is], more].concat();
        let stderr = fs::File::create(self.mark(&format!("stderr-{me}"))).unwrap();
        let mut command = self.environment.command(&arguments);
        Running { child: command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap(), clone }
    }

    fn mark(&self, name: &str) -> PathBuf {
        self.environment.workspace().join("marks").join(name)
    }

    fn go(&self, me: &str) {
        fs::write(self.mark(&format!("go-{me}")), "").unwrap();
    }

    #[track_caller]
    fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn begun(&self, me: &str) {
        self.wait_for(me, || self.mark(&format!("begun-{me}")).exists());
    }

    #[track_caller]
    fn says(&self, me: &str, text: &str) {
        self.wait_for(text, || self.said(me).contains(text));
    }

    fn said(&self, me: &str) -> String {
        fs::read_to_string(self.mark(&format!("stderr-{me}"))).unwrap_or_default()
    }

    fn order(&self) -> Vec<String> {
        let order = fs::read_to_string(self.mark("order")).unwrap_or_default();
        order.lines().map(str::to_owned).collect()
    }

    /// What lies where runs of groups find each other.
    fn left(&self) -> Vec<String> {
        let groups = self.environment.home().join(".local/state/sluice/groups");
        let names = fs::read_dir(groups).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "door").collect()
    }

    fn show(&self, clone: &str, command: &[&str]) -> String {
        self.environment.sluice(&[&["-C", clone], command].concat()).stdout
    }
}

impl Running {
    fn signal(&self, name: &str) {
        Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
    }

    #[track_caller]
    fn exits_with(mut self, code: i32) {
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "in clone {}", self.clone);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn who_comes_later_waits_and_says_for_whom() {
    let clones = Clones::new("deploy-${{ inputs.env }}");
    let first = clones.start("a", "one", &[]);
    clones.begun("one");
    let second = clones.start("b", "two", &[]);
    clones.says("two", "waiting for run `");
    let third = clones.start("a", "three", &[]);
    clones.says("three", "and 1 after it");
    let other = clones.start("b", "other", &["-i", "env=test"]);
    let said = clones.said("two");
    let process = format!("process {}", first.child.id());
    for text in ["of workflow `ship`", "/work/a", &process, "one run at a time of `deploy-prod`"] {
        assert!(said.contains(text), "{text}: {said}");
    }
    // The other group does not wait, so it meets the mark of the first and fails.
    other.exits_with(1);
    fs::write(clones.mark("inside"), "").unwrap();
    clones.go("one");
    first.exits_with(0);
    clones.begun("two");
    assert!(!clones.mark("begun-three").exists());
    clones.go("two");
    clones.go("three");
    second.exits_with(0);
    third.exits_with(0);
    let order: Vec<_> = clones.order().into_iter().filter(|line| !line.contains("other")).collect();
    assert_eq!(order, ["one", "finally-one", "two", "finally-two", "three", "finally-three"]);
    assert_eq!(clones.left(), [""; 0]);
}

#[test]
fn a_run_that_was_killed_holds_nothing() {
    let clones = Clones::new("deploy");
    let mut first = clones.start("a", "one", &[]);
    clones.begun("one");
    let second = clones.start("b", "two", &[]);
    clones.says("two", "waiting for run `");
    fs::remove_file(clones.mark("inside")).unwrap();
    first.child.kill().unwrap();
    clones.begun("two");
    clones.go("two");
    second.exits_with(0);
    assert_eq!(clones.left(), [""; 0]);
    // What was killed goes on, and waits for its turn like any other.
    let third = clones.start("b", "three", &[]);
    clones.begun("three");
    let resumed = clones.environment.command(&["-C", "a", "resume", "--plain"]).stderr(Stdio::piped()).spawn().unwrap();
    clones.wait_for("its turn", || clones.left().len() == 1 && places(&clones) == 2);
    clones.go("one");
    clones.go("three");
    third.exits_with(0);
    let ran = resumed.wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("waiting for run `"), "{ran:?}");
}

/// How many runs have a place in the one group there is.
fn places(clones: &Clones) -> usize {
    let groups = clones.environment.home().join(".local/state/sluice/groups");
    fs::read_dir(groups.join(&clones.left()[0])).unwrap().count()
}

#[test]
fn a_newer_run_takes_the_place_of_older_ones() {
    let clones = Clones::new("{group: deploy, when-busy: cancel-running}");
    let first = clones.start("a", "one", &[]);
    clones.begun("one");
    let second = clones.start("b", "two", &[]);
    clones.says("two", "asked to end: run `");
    first.exits_with(143);
    clones.begun("two");
    assert_eq!(clones.order(), ["one", "finally-one", "two"]);
    let shown = clones.show("a", &["runs", "show"]);
    let by = format!("(process {}", second.child.id());
    for text in ["cancelled by run `", "of workflow `ship`", "/work/b", &by, "which is of the same group"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(clones.show("a", &["runs", "show", "--json"]).contains("\"event\":\"run-cancelled\""));
    clones.go("two");
    second.exits_with(0);
    assert_eq!(clones.left(), [""; 0]);
}

#[test]
fn a_run_that_does_not_wait_is_refused() {
    let clones = Clones::new("{group: deploy, when-busy: fail}");
    let first = clones.start("a", "one", &[]);
    clones.begun("one");
    let ran = clones.environment.sluice(&["-C", "b", "run", "-i", "me=two"]).exits_with(2);
    let process = format!("(process {}", first.child.id());
    for text in ["run::group-busy", "another run of `deploy` is under way", "/work/a", &process] {
        assert!(ran.unwrapped().contains(text), "{text}: {}", ran.whole());
    }
    assert!(!clones.environment.workspace().join("b/.sluice").exists(), "no record of what did not run");
    clones.go("one");
    first.exits_with(0);
    clones.go("three");
    clones.start("b", "three", &[]).exits_with(0);
}

#[test]
fn waiting_has_an_end() {
    let clones = Clones::new("{group: deploy, wait-timeout: 200ms}");
    let first = clones.start("a", "one", &[]);
    clones.begun("one");
    let ran = clones.environment.sluice(&["-C", "b", "run", "-i", "me=two"]).exits_with(2);
    assert!(ran.unwrapped().contains("it did not end within `wait-timeout`"), "{}", ran.whole());
    clones.go("one");
    first.exits_with(0);
    assert_eq!(clones.left(), [""; 0]);
}

#[test]
fn a_signal_ends_the_wait_and_leaves_nothing() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let clones = Clones::new("deploy");
        let first = clones.start("a", "one", &[]);
        clones.begun("one");
        let second = clones.start("b", "two", &[]);
        clones.says("two", "waiting for run `");
        assert_eq!(places(&clones), 2);
        second.signal(signal);
        second.exits_with(code);
        assert_eq!(places(&clones), 1);
        assert!(!clones.environment.workspace().join("b/.sluice").exists());
        assert_eq!(clones.order(), ["one"]);
        clones.go("one");
        first.exits_with(0);
    }
}

#[test]
fn the_plan_shows_the_group() {
    let clones = Clones::new("{group: \"deploy-${{ inputs.env }}\", when-busy: cancel-running}");
    let plan = clones.show("a", &["plan", "-i", "me=x"]);
    assert!(plan.contains("one run at a time of deploy-prod; when busy: cancel-running"), "{plan}");
    let json = clones.show("a", &["plan", "-i", "me=x", "-i", "env=test", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["concurrency"], serde_json::json!({"group": "deploy-test", "when-busy": "cancel-running"}));
}
