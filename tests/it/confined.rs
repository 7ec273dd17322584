//! Programs that want more than their step was granted: each is held back by the system, and has a twin that was granted it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::environment::{Environment, Ran, binary, repository};

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A workspace with one step in it, and a home with a secret.
fn environment(step: &str) -> Environment {
    let environment = Environment::new();
    fs::create_dir(environment.home().join(".ssh")).unwrap();
    fs::write(environment.home().join(".ssh/id"), "my key\n").unwrap();
    environment.write("src/a", "a\n").write("dist/b", "b\n").write("sluice.yaml", format!("steps:\n  - {step}\n"));
    environment
}

#[track_caller]
fn run(step: &str, code: i32) -> Ran {
    environment(step).sluice(&["run", "--plain"]).exits_with(code)
}

/// The script fails, and says one of the ways in which the system says no.
#[track_caller]
fn denied(step: &str) -> Ran {
    let ran = run(step, 1);
    let said = ran.whole().to_lowercase();
    let noes = ["permission denied", "operation not permitted", "permissionerror"];
    assert!(noes.iter().any(|no| said.contains(no)), "{}", ran.whole());
    ran
}

#[test]
fn files_of_the_user_are_out_of_reach_unless_granted() {
    let step = |paths: &str| format!("{{run: \"cat {}/.ssh/id\"{paths}}}", "$OLD_HOME");
    let with = |paths: &str, code: i32| {
        let environment = environment("");
        let home = environment.home();
        environment.write("sluice.yaml", format!("env: {{OLD_HOME: {}}}\nsteps: [{}]\n", home.display(), step(paths)));
        environment.sluice(&["run", "--plain"]).exits_with(code)
    };
    let ran = with("", 1);
    assert!(ran.unwrapped().contains("Permission denied") && !ran.whole().contains("my key"), "{}", ran.whole());
    assert!(ran.unwrapped().contains("its programs ran confined, with `write .` and no network"), "{}", ran.whole());
    assert!(ran.unwrapped().contains("paths: [\"read [ROOT]/home/.ssh/id\"]"), "{}", ran.whole());
    assert!(with(", paths: 'read ~/.ssh'", 0).whole().contains("my key"));
    // It stands in the home of the program as well.
    assert!(run("{run: cat ~/.ssh/id, paths: read ~/.ssh}", 0).whole().contains("my key"));
    denied("{run: 'echo x >> ~/.ssh/id', paths: read ~/.ssh}");
    run("{run: 'echo x >> ~/.ssh/id', paths: write ~/.ssh}", 0);
}

#[test]
fn what_is_written_stays_in_the_workspace_and_within_its_grants() {
    denied("{run: 'echo x > ../outside'}");
    denied("{run: 'echo x > /usr/local/x'}");
    denied("{run: ': > /etc/hosts'}");
    run("{run: 'echo x > inside && mkdir d && mv inside d/ && rm -r d'}", 0);
    let narrowed = ", grants: {files: [read ., write dist]}}";
    run(&format!("{{run: 'cat src/a > dist/c'{narrowed}"), 0);
    denied(&format!("{{run: 'echo x > src/a'{narrowed}"));
    denied(&format!("{{run: 'echo x > new'{narrowed}"));
    denied("{run: cat src/a, grants: {files: [read dist]}}");
    // A link does not lead out of a grant.
    denied("{run: 'ln -s ../src/a dist/link && cat dist/link', grants: {files: [write dist]}}");
}

#[test]
fn other_processes_are_out_of_reach() {
    denied("{run: 'cat /proc/1/environ'}");
    denied("{run: 'cat /proc/$PPID/environ'}");
    denied("{run: 'ls /proc/$PPID/cwd/'}");
    denied("{run: 'kill -KILL $PPID'}");
    denied("{run: 'kill -KILL $(cut -d\" \" -f4 /proc/$PPID/stat)'}");
    run("{run: 'cat /proc/self/environ >/dev/null; sleep 60 & kill -KILL $!'}", 0);
    let trace = "import ctypes, os, sys; l = ctypes.CDLL(None, use_errno=True)\nsys.exit(0 if CALL == 0 else os.strerror(ctypes.get_errno()))";
    let program = |call: &str| {
        format!("{{uses: exec, with: {{program: python3, args: [-c, {:?}]}}}}", trace.replace("CALL", call))
    };
    for call in ["l.ptrace(16, os.getppid(), 0, 0)", "l.prlimit(os.getppid(), 0, None, None)", "l.unshare(0x10000000)"]
    {
        denied(&program(call));
    }
    run(&program("l.prlimit(0, 0, None, None)"), 0);
}

#[test]
fn there_is_no_network_but_what_is_granted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, other) = (listener.local_addr().unwrap().port(), other.local_addr().unwrap().port());
    let connect = |network: &str| format!("{{shell: bash, run: 'exec 3<>/dev/tcp/127.0.0.1/{port}'{network}}}");
    let ran = denied(&connect(""));
    assert!(
        ran.unwrapped().contains("if it should reach a server, give the step its host and port"),
        "{}",
        ran.whole()
    );
    denied(&connect(&format!(", network: '127.0.0.1:{other}'")));
    run(&connect(&format!(", network: '127.0.0.1:{port}'")), 0);
    run(&connect(", network: '127.0.0.1:*'"), 0);
    denied(&format!("{{shell: bash, run: 'exec 3<>/dev/udp/127.0.0.1/53', network: '127.0.0.1:{port}'}}"));
    // A name has to be looked up.
    run("{shell: bash, run: 'exec 3<>/dev/udp/127.0.0.1/53', network: 'example.org:443'}", 0);
    let plan = environment("{run: 'true', network: ['example.org:443', '127.0.0.1:8080']}").sluice(&["plan"]);
    assert!(plan.stdout.contains("holds its programs to these ports, not to these hosts"), "{}", plan.whole());
    assert!(plan.stdout.contains("can send UDP to every host"), "{}", plan.whole());
}

#[test]
fn local_sockets_are_out_of_reach_unless_granted() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let connect = |paths: &str| {
        let code = format!("import socket; socket.socket(socket.AF_UNIX).connect('{}')", socket.display());
        format!("{{run: {:?}{paths}}}", format!("python3 -c \"{code}\""))
    };
    denied(&connect(""));
    denied(&connect(&format!(", paths: write {}", folder.path().display())));
    run(&connect(&format!(", paths: connect {}", socket.display())), 0);
    // A pair between a program and what it starts is no way out.
    run("{run: 'python3 -c \"import socket; socket.socketpair()\"'}", 0);
}

#[test]
fn nothing_survives_its_step_however_it_hides() {
    let lives = |name: &str| {
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        processes
            .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
            .any(|line| String::from_utf8_lossy(&line).replace('\0', " ").contains(name))
    };
    let daemon =
        |seconds: &str| format!("(setsid env -i sh -c 'trap \"\" TERM HUP; sleep {seconds}; :' >/dev/null 2>&1 &)");
    run(&format!("{{run: {:?}}}", format!("{}; sleep 0.1", daemon("7611"))), 0);
    assert!(!lives("sleep 7611"));

    let environment = environment(&format!("{{run: {:?}}}", format!("{}; sleep 7613", daemon("7612"))));
    let mut child = environment.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    while !(lives("sleep 7612") && lives("sleep 7613")) {
        assert!(Instant::now() < end, "the daemon does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while lives("sleep 7612") || lives("sleep 7613") {
        assert!(Instant::now() < end, "something outlives a killed run");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_program_ends_as_it_ends() {
    assert!(run("{run: exit 7}", 1).whole().contains("exited with code 7"));
    assert!(run("{run: 'kill -USR1 $$'}", 1).whole().contains("signal 10"));
    assert!(run("{uses: exec, with: {program: cat, stdin: through}}", 0).whole().contains("through"));
    let ran = run("{run: 'echo $HOME; echo x > $HOME/x; mktemp; ls -ld $TMPDIR | cut -c1-10; ulimit -c'}", 0);
    let home = ran.stdout.lines().find_map(|line| line.split_once("] ").filter(|(_, text)| text.ends_with("/home")));
    let (_, home) = home.unwrap_or_else(|| panic!("{}", ran.whole()));
    assert!(home.contains("sluice-") && !std::path::Path::new(home).exists(), "{home}");
}

#[test]
fn a_variable_of_the_program_does_nothing_to_the_launcher() {
    let ran = run("{run: echo ran, env: {LD_PRELOAD: /planted.so}}", 0);
    // `sh` complains, and the launcher does not.
    assert_eq!(ran.whole().matches("/planted.so").count(), 1, "{}", ran.whole());
}

#[test]
fn a_planted_program_is_not_run() {
    let mut environment = environment("{run: 'git --version'}");
    environment.write("bin/git", "#!/bin/sh\necho planted\n");
    let planted = environment.workspace().join("bin");
    fs::set_permissions(planted.join("git"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    environment.write("sluice.yaml", "steps: [{uses: exec, with: {program: git, args: [--version]}}]\n");
    environment.variable("PATH", &format!("{}:{}", planted.display(), std::env::var("PATH").unwrap()));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(ran.stdout.contains("git version") && !ran.stdout.contains("planted"), "{}", ran.whole());
}

#[test]
fn arguments_are_held_to_their_patterns() {
    let step = |args: &str| {
        format!(
            "{{uses: exec, with: {{program: git, args: {args}}}, grants: {{exec: [{{git: [--version, 'config --get **']}}]}}}}"
        )
    };
    run(&step("[--version]"), 0);
    run(&step("[config, --get, a.b, c]"), 1);
    let ran = run(&step("[config, --global, user.name]"), 1);
    assert!(ran.unwrapped().contains("denied running `git` with these arguments"), "{}", ran.whole());
    assert!(ran.whole().contains("exec: [\"git config --global user.name\"]"), "{}", ran.whole());
}

/// On a system without Landlock: nothing runs, unless that is what is wanted.
#[test]
fn what_cannot_be_confined_is_refused() {
    let environment = environment("{id: work, run: 'cat ~/.ssh/id; echo ran'}");
    let without = |arguments: &[&str]| {
        let mut command = Command::new("python3");
        let ours = environment.command(arguments);
        command.arg(repository().join("tests/it/no_landlock.py")).arg(binary()).args(arguments);
        command.current_dir(environment.workspace()).env_clear();
        command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ran::of(command.stdin(Stdio::null()).output().unwrap())
    };
    let refused = without(&["run", "--plain"]).exits_with(2);
    assert!(
        refused.unwrapped().contains("this machine cannot confine the programs of step `work`"),
        "{}",
        refused.whole()
    );
    assert!(!refused.whole().contains("] ran"), "{}", refused.whole());
    let plan = without(&["plan"]).exits_with(0);
    assert!(plan.stdout.contains("unconfined: it can do all that your account can"), "{}", plan.whole());
    let allowed = without(&["run", "--plain", "--allow-unconfined"]).exits_with(0);
    assert!(allowed.whole().contains("] ran"), "{}", allowed.whole());
    let doctor = without(&["doctor"]).exits_with(1);
    assert!(doctor.stdout.contains("NO   hold programs to the files"), "{}", doctor.whole());
    // Where it can be done, it is done.
    environment.sluice(&["run", "--allow-unconfined"]).exits_with(1);
}

#[test]
fn the_doctor_says_what_this_machine_can_do() {
    let environment = environment("{run: 'true'}");
    let ran = environment.sluice(&["doctor"]).exits_with(0);
    assert!(ran.stdout.contains("yes  hold programs to the files that they were granted: Landlock"), "{}", ran.whole());
    let ran = environment.sluice(&["doctor", "--json"]).exits_with(0);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["confines-programs"], true);
    let able = json["findings"].as_array().unwrap().iter().all(|finding| finding["able"] == true);
    assert!(able, "{}", ran.whole());
}

/// What a step says of its programs, on each script that changes what decides over others.
const TAKEOVERS: [(&str, &str); 8] = [
    ("echo evil > .git/hooks/pre-commit", ".git/hooks/pre-commit"),
    ("rm .git/hooks/pre-commit", ".git/hooks/pre-commit"),
    ("mv .git else && mkdir -p .git/hooks && echo evil > .git/hooks/pre-commit", ".git/hooks/pre-commit"),
    ("mv evil .git/hooks/pre-commit", ".git/hooks/pre-commit"),
    ("cd .git && echo evil > hooks/pre-commit", ".git/hooks/pre-commit"),
    ("sed -i 's/^/evil/' sluice.yaml", "sluice.yaml"),
    ("ln -f evil sluice.yaml", "sluice.yaml"),
    ("rm -r .sluice || mv .sluice else", ".sluice/runs"),
];

fn repository_with_hooks(step: &str) -> Environment {
    let environment = environment(step);
    environment.write(".git/hooks/pre-commit", "good\n").write("evil", "evil\n");
    environment
}

/// The grant of the whole workspace does not reach them, and one by name does.
#[test]
fn what_decides_over_others_is_out_of_reach_of_programs() {
    for (script, place) in TAKEOVERS {
        let environment = repository_with_hooks(&format!("{{run: {script:?}}}"));
        let before = fs::read(environment.workspace().join(place)).ok();
        let ran = environment.sluice(&["run", "--plain"]).exits_with(1);
        assert_eq!(fs::read(environment.workspace().join(place)).ok(), before, "{script}: {}", ran.whole());
        let said = ran.whole().to_lowercase();
        assert!(said.contains("read-only file system") || said.contains("resource busy"), "{script}: {}", ran.whole());
        assert!(ran.unwrapped().contains("is written only by a step that was granted it by name"), "{}", ran.whole());
    }
    let step = "{run: echo mine > .git/hooks/pre-commit, grants: {files: [write ., write .git/hooks]}}";
    let environment = repository_with_hooks(step);
    environment.sluice(&["run", "--plain"]).exits_with(0);
    assert_eq!(fs::read_to_string(environment.workspace().join(".git/hooks/pre-commit")).unwrap(), "mine\n");
}

/// What does not exist cannot be held; the step fails that makes it.
#[test]
fn what_decides_over_others_is_not_made_anew_by_programs() {
    for (script, place) in
        [("echo 'version: 1' > sluice.lock", "sluice.lock"), ("mkdir workflows; echo > workflows/x.yaml", "workflows")]
    {
        let ran = run(&format!("{{run: {script:?}}}"), 1);
        let said = format!("`{place}` changed while programs of plugin `exec` ran, which were not granted that");
        assert!(ran.unwrapped().contains(&said), "{}", ran.whole());
    }
    run("{run: \"echo 'version: 1' > sluice.lock\", grants: {files: [write ., write sluice.lock]}}", 0);
}

/// Neither root nor its capabilities are needed.
#[test]
fn an_ordinary_user_is_confined_alike() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["work", "home"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        std::os::unix::fs::chown(folder.path().join(name), Some(65534), Some(65534)).unwrap();
    }
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let sluice = folder.path().join("sluice");
    fs::copy(binary(), &sluice).unwrap();
    let run = |script: &str, code: i32| {
        let workflow = format!("steps: [{{run: {script:?}}}]\n");
        let path = folder.path().join("work/sluice.yaml");
        fs::write(&path, workflow).unwrap();
        std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&sluice).args(["run", "--plain"]);
        command.current_dir(folder.path().join("work")).env_clear().env("PATH", "/usr/bin:/bin");
        command.env("HOME", folder.path().join("home")).stdin(Stdio::null());
        Ran::of(command.output().unwrap()).exits_with(code)
    };
    fs::write(folder.path().join("home/key"), "my key").unwrap();
    run("id -u; echo x > written", 0);
    assert!(!run(&format!("cat {}/home/key", folder.path().display()), 1).whole().contains("my key"));
    assert!(run("echo x > sluice.yaml", 1).whole().contains("Read-only file system"));
    run("kill $PPID", 1);
    run("exec 3<>/dev/tcp/127.0.0.1/1", 1);
}
