//! Every capability, granted and denied.

use std::path::Path;
use std::time::Duration;

use crate::harness::{Bench, SECRET, command, in_time, task};
use crate::server;

/// Runs a task whose input may name the server's `ADDRESS`.
async fn run(bench: &Bench, misdeed: &str, with: &str, grants: &[&str]) -> String {
    in_time(20_000, bench.run(task(misdeed, with, grants))).await.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn http_reaches_what_is_granted_and_nothing_else() {
    let address = server::start();
    let port = address.port();
    let here = format!("http://127.0.0.1:{port}");
    let by_name = format!("http://localhost:{port}");
    let granted = format!("http: GET {here}/*");
    let help = "help: if the step should reach that host too, add to its `grants`:\n    http: ";
    let denied = |asked: &str, grant: &str| {
        format!(
            "denied: plugin `task` returned an error: ErrorCode::HttpRequestDenied\n| the host denied GET {asked}\n{help}[\"GET {grant}\"]"
        )
    };
    let rows = [
        ("get", format!("{here}/x"), vec![granted.clone()], "passed\n> 200 hello".to_owned()),
        ("get", format!("{here}/x"), vec![], denied(&format!("{here}/x"), &format!("{here}/*"))),
        (
            "get",
            format!("{here}/x"),
            vec![format!("http: POST {here}/*")],
            denied(&format!("{here}/x"), &format!("{here}/*")),
        ),
        (
            "get",
            format!("{here}/x"),
            vec![format!("http: GET {here}/y/*")],
            denied(&format!("{here}/x"), &format!("{here}/*")),
        ),
        (
            "get",
            format!("{here}/y/%2e%2e/x"),
            vec![format!("http: GET {here}/y/*")],
            denied(&format!("{here}/y/%2e%2e/x"), &format!("{here}/*")),
        ),
        (
            "get",
            "http://169.254.169.254/latest/meta-data/".into(),
            vec![granted.clone()],
            denied("http://169.254.169.254/latest/meta-data/", "http://169.254.169.254/*"),
        ),
        // A name that leads to the loopback: only when the grant says so.
        ("get", format!("{by_name}/x"), vec![format!("http: GET {by_name}/*")], "passed\n> 200 hello".to_owned()),
        // A redirect is a request like any other.
        (
            "get-follow",
            format!("{here}/redirect/{here}/x").replacen(&format!("/{here}"), &format!("/http__127.0.0.1:{port}"), 1),
            vec![granted.clone()],
            format!("passed\n> 302 to {here}/x\n> 200 hello"),
        ),
        (
            "get-follow",
            format!("{here}/redirect/http__169.254.169.254/latest/"),
            vec![granted.clone()],
            format!(
                "{}\n> 302 to http://169.254.169.254/latest/",
                denied("http://169.254.169.254/latest/", "http://169.254.169.254/*")
            ),
        ),
        (
            "get",
            format!("http://user@127.0.0.1:{port}/x"),
            vec![granted.clone()],
            format!(
                "denied: plugin `task` returned an error: ErrorCode::HttpRequestDenied\n| the host denied GET \
                 http://user@127.0.0.1:{port}/x: a URL with a user name or password is not sent"
            ),
        ),
        // An address that only looks public.
        (
            "get",
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            vec![format!("http: GET http://[::ffff:127.0.0.1]:{port}/* private"), granted.clone()],
            "passed\n> 200 hello".to_owned(),
        ),
        (
            "get",
            format!("http://ip6-localhost.invalid:{port}/"),
            vec![],
            denied(&format!("http://ip6-localhost.invalid:{port}/"), &format!("http://ip6-localhost.invalid:{port}/*")),
        ),
        (
            "host-header",
            format!("{here}/echo"),
            vec![granted.clone()],
            "failed: plugin `task` returned an error: header `host`: HeaderError::Forbidden".to_owned(),
        ),
    ];
    for (misdeed, url, grants, expected) in rows {
        let bench = Bench::new();
        let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
        assert_eq!(run(&bench, misdeed, &url, &grants).await, expected, "{misdeed} {url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tcp_reaches_what_is_granted_and_nothing_else() {
    let address = server::start();
    let port = address.port();
    let by_name = format!("localhost:{port}");
    let here = format!("127.0.0.1:{port}");
    let help = "help: if the step should reach that host too, add to its `grants`:\n    tcp: ";
    let denied = |to: &str| format!("\n| the host denied a connection to {to}\n{help}[\"{to}\"]");
    let no_lookup = |name: &str| format!("\n| the host denied looking up the name `{name}`\n{help}[\"{name}:PORT\"]");
    let no_listening = "\n| the host denied listening at 127.0.0.1:0: a step makes connections and takes none";
    let passed = String::new;
    for (misdeed, what, grants, expected) in [
        ("tcp", here.clone(), vec![format!("tcp: {here}")], passed()),
        ("tcp", here.clone(), vec!["tcp: 127.0.0.1:*".into()], passed()),
        ("tcp", here.clone(), vec![], denied(&here)),
        ("tcp", here.clone(), vec!["tcp: 127.0.0.1:1".into()], denied(&here)),
        ("tcp", here.clone(), vec![format!("tcp: 127.0.0.2:{port}")], denied(&here)),
        ("tcp", here.clone(), vec![format!("http: * http://{here}")], denied(&here)),
        // A granted name opens what it leads to, once it was asked.
        ("tcp", by_name.clone(), vec![format!("tcp: {by_name}")], passed()),
        ("tcp", here.clone(), vec![format!("tcp: {by_name}")], denied(&here)),
        ("tcp", by_name.clone(), vec![format!("tcp: {here}")], no_lookup("localhost")),
        ("dns", "localhost".into(), vec![format!("tcp: {by_name}")], passed()),
        ("dns", "LOCALHOST.".into(), vec![format!("tcp: {by_name}")], passed()),
        // A name carries data out, whatever it leads to.
        ("dns", "my-secret.evil.example".into(), vec![format!("tcp: {by_name}")], no_lookup("my-secret.evil.example")),
        ("dns", "x.localhost".into(), vec![format!("tcp: {by_name}")], no_lookup("x.localhost")),
        ("listen", "127.0.0.1:0".into(), vec![format!("tcp: {here}")], no_listening.to_owned()),
        ("udp", here.clone(), vec![format!("tcp: {here}")], "failed".into()),
    ] {
        let bench = Bench::new();
        let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
        let mut ran = in_time(20_000, bench.run(command(&[misdeed, &what], &grants))).await;
        // The command tells the same on standard error, and its exit code.
        ran.said.clear();
        ran.report.outputs.clear();
        let text = ran.text();
        let case = format!("{misdeed} {what} with {grants:?}: {text}");
        match expected.as_str() {
            "" => assert!(text.starts_with("passed"), "{case}"),
            "failed" => assert!(text.starts_with("failed: command `command` exited with an error\n"), "{case}"),
            expected => {
                assert!(text.starts_with("denied: command `command` exited with an error\n"), "{case}");
                assert!(text.ends_with(expected), "{case}\n{expected}");
            }
        }
    }
    let text = run(&Bench::new(), "get", &format!("http://{here}/x"), &[&format!("tcp: {here}")]).await;
    assert!(text.starts_with("denied: plugin `task` returned an error: ErrorCode::HttpRequestDenied"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_cannot_hold_a_step() {
    let here = format!("http://{}", server::start());
    let grant = format!("http: GET {here}/*");
    for (path, expected) in [
        ("endless", "failed: plugin `task` returned an error: after "),
        ("drip", "timed-out: plugin `task` was ended after 1s"),
        ("silence", "timed-out: plugin `task` was ended after 1s"),
        ("big-head", "failed: plugin `task` returned an error: "),
    ] {
        let bench = Bench::new();
        let mut call = task("get", &format!("{here}/{path}"), &[&grant]);
        if expected.starts_with("timed-out") {
            call.limits.time_ms = 1_000;
        }
        let time = call.limits.time_ms;
        let text = in_time(time, bench.run(call)).await.text();
        assert!(text.starts_with(expected), "{path}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_used_unseen() {
    let here = format!("http://{}", server::start());
    let http = format!("http: GET {here}/*");
    let url = format!("{here}/echo");
    let bench = Bench::new();

    let text = run(&bench, "get-secret", &format!("TOKEN {url}"), &[&http, "secrets: TOKEN"]).await;
    assert!(text.contains("authorization: Bearer ***"), "the server saw the value, the log does not: {text}");
    assert!(!text.contains(SECRET));

    let denied = run(&bench, "get-secret", &format!("TOKEN {url}"), &[&http]).await;
    assert_eq!(
        denied,
        "denied: plugin `task` returned an error: the host denied the secret `TOKEN`\n\
         help: if the step should be allowed that too, add to its `grants`:\n    secrets: [\"TOKEN\"]"
    );
    let missing = run(&bench, "get-secret", &format!("OTHER {url}"), &[&http, "secrets: OTHER"]).await;
    assert_eq!(
        missing,
        "failed: plugin `task` returned an error: the secret `OTHER` is granted, but this machine has no value for it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_masked_wherever_they_come_from() {
    let bench = Bench::new();
    assert_eq!(run(&bench, "say", &format!("<{SECRET}>"), &[]).await, "passed\n> <***>");
    assert_eq!(run(&bench, "fail", SECRET, &[]).await, "failed: plugin `task` returned an error: ***");
    assert_eq!(run(&bench, "output", &format!("x='{SECRET}'"), &[]).await, "passed\noutput x = \"***\"");
    let ran = bench.run(command(&["say", SECRET], &[])).await;
    assert_eq!(ran.text(), "passed\n> ***");
    let ran = run(&bench, "exec-secret", "TOKEN", &["exec: env", "secrets: TOKEN"]).await;
    assert!(ran.contains("TOKEN=***") && !ran.contains(SECRET), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn env_gives_what_is_granted() {
    let bench = Bench::new();
    let mut call = command(&["env", "VISIBLE"], &["env: VISIBLE"]);
    assert_eq!(bench.run(call.clone()).await.text(), "passed\n> seen");
    call.env.insert("VISIBLE".into(), "from the workflow".into());
    assert_eq!(bench.run(call).await.text(), "passed\n> from the workflow");
    let mut call = command(&["env", "HIDDEN"], &["env: VISIBLE"]);
    call.env.insert("HIDDEN".into(), "from the workflow".into());
    let text = bench.run(call).await.text();
    assert!(text.starts_with("failed: command `command` exited with an error\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_go_from_step_to_step() {
    let bench = Bench::new();
    let help = "help: if the step should be allowed that too, add to its `grants`:\n    artifacts: ";
    // printf abc | sha256sum
    let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(
        run(&bench, "fetch", abc, &["artifacts: read"]).await,
        format!("failed: plugin `task` returned an error: no artifact `{abc}` belongs to this run")
    );
    assert_eq!(
        run(&bench, "publish", "abc", &["artifacts: write"]).await,
        format!("passed\nartifact a.txt text/plain 3\n> {abc}")
    );
    assert_eq!(run(&bench, "fetch", abc, &["artifacts: read"]).await, "passed\n> abc");
    assert_eq!(
        run(&bench, "fetch", abc, &["artifacts: write"]).await,
        format!("denied: plugin `task` returned an error: the host denied reading artifacts\n{help}[\"read\"]")
    );
    assert_eq!(
        run(&bench, "publish", "abc", &[]).await,
        format!("denied: plugin `task` returned an error: the host denied publishing artifacts\n{help}[\"write\"]")
    );
    let count = || std::fs::read_dir(bench.folder.path().join("artifacts/sha256")).unwrap().count();
    let before = count();
    let text = run(&bench, "publish-half", "half", &["artifacts: write"]).await;
    assert!(text.starts_with("trap: plugin `task` panicked"), "{text}");
    assert_eq!(count(), before, "a writer that is not finished leaves no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_run_when_granted() {
    let bench = Bench::new();
    let help = "help: if the step should be allowed that too, add to its `grants`:\n    exec: ";
    assert_eq!(run(&bench, "exec", "echo hello", &["exec: echo"]).await, "passed\n> hello");
    assert_eq!(
        run(&bench, "exec", "echo hello", &["exec: git"]).await,
        format!("denied: plugin `task` returned an error: the host denied running `echo`\n{help}[\"echo\"]")
    );
    assert_eq!(
        run(&bench, "shell", "echo hello", &["exec: echo"]).await,
        format!("denied: plugin `task` returned an error: the host denied running `sh`\n{help}[\"sh\"]")
    );
    assert_eq!(
        run(&bench, "exec", "/bin/echo hello", &["exec: echo"]).await,
        "denied: plugin `task` returned an error: the host denied running `/bin/echo`: a program is a name on the search \
         path, not a path"
    );
    assert_eq!(
        run(&bench, "exec", "no-such-program", &["exec: no-such-program"]).await,
        "failed: plugin `task` returned an error: the program `no-such-program` is granted, but it is not installed on \
         this machine"
    );
    assert_eq!(
        run(&bench, "shell", "exit 3", &["exec: sh"]).await,
        "failed: plugin `task` returned an error: Status::Exited(3)\n> Status::Exited(3)"
    );
    assert_eq!(
        run(&bench, "exec-preload", "/tmp/evil.so", &["exec: env"]).await,
        "denied: plugin `task` returned an error: the host denied setting the variable `LD_PRELOAD` of a program: it \
         decides which code the program runs; a workflow may set it, as `env` of the step"
    );
    let inside = bench.workspace().canonicalize().unwrap();
    assert_eq!(run(&bench, "exec-in", "src", &["exec: pwd"]).await, format!("passed\n> {}/src", inside.display()));
    assert_eq!(
        run(&bench, "exec-in", "out", &["exec: pwd"]).await,
        "denied: plugin `task` returned an error: the host denied running a program in `out`: it is not a folder inside \
         the workspace"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_may_limit_and_silence_a_program() {
    let bench = Bench::new();
    assert_eq!(
        run(&bench, "exec-limited", "300", &["exec: sleep"]).await,
        "failed: plugin `task` returned an error: `sleep` was ended after 300ms, its time limit"
    );
    assert_eq!(run(&bench, "exec-limited", "0", &["exec: sleep"]).await, "passed");
    assert_eq!(run(&bench, "exec-quiet", "hello", &["exec: echo"]).await, "passed\n> 6 bytes unheard");
    assert_eq!(run(&bench, "time-left", "", &[]).await, "passed\n> true true");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_a_cleared_environment() {
    let bench = Bench::new();
    let mut call = task("exec", "env", &["exec: env", "env: VISIBLE"]);
    call.env.insert("SET".into(), "by the workflow".into());
    let text = bench.run(call).await.text();
    let mut names: Vec<&str> =
        text.lines().filter_map(|line| line.trim_start_matches("> ").split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "PATH", "SET", "SLUICE_STEP_MARK", "VISIBLE"]);
}

/// Whether a process runs; a zombie does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_outlives_its_step() {
    for (script, expected) in [
        // Ends by itself and leaves a background process in its group.
        ("sleep 300 & echo $! > pid", "passed"),
        // Leaves its group and its session, holds the streams open.
        ("setsid sh -c 'echo $$ > pid; exec sleep 300' & sleep 0.3", "passed"),
        // Leaves twice, and ignores being asked.
        ("setsid sh -c 'trap \"\" TERM; (echo $$ > pid; while :; do sleep 1; done) & exit' ; sleep 0.3", "passed"),
        // Hangs.
        ("echo $$ > pid; exec sleep 300", "timed-out"),
        // Hangs and ignores being asked.
        ("trap '' TERM; echo $$ > pid; while :; do sleep 1; done", "timed-out"),
    ] {
        let bench = Bench::new();
        std::fs::write(bench.workspace().join("script.sh"), script).unwrap();
        let mut call = task("exec", "sh script.sh", &["exec: sh"]);
        call.limits.time_ms = 1_500;
        let ran = in_time(1_500, bench.run(call)).await;
        let text = ran.text();
        assert!(text.starts_with(expected), "{script}: {text}");
        let pid = std::fs::read_to_string(bench.workspace().join("pid")).unwrap();
        assert!(!runs(pid.trim()), "{script}: {} still runs", pid.trim());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_planted_in_the_workspace_is_not_run() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let planted = bench.workspace().join("planted-program");
    std::fs::write(&planted, "#!/bin/sh\necho owned\n").unwrap();
    std::fs::set_permissions(&planted, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = run(&bench, "exec", "planted-program", &["exec: planted-program"]).await;
    assert!(text.contains("it is not installed on this machine"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_gives_a_step_a_moment_and_then_ends_it() {
    let bench = Bench::new();
    for (misdeed, with, said) in [
        ("wait-for-cancel", "", "\n> waiting\n> cancelled, tidying up"),
        ("exec", "sleep 300", "\n> Status::Signalled(15)"),
    ] {
        let call = task(misdeed, with, &["exec: sleep"]);
        let cancel = call.cancel.clone();
        let (ran, ()) = tokio::join!(in_time(2_000, bench.run(call)), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cancel.cancel();
        });
        let expected = format!("cancelled: plugin `task` was ended because the run was cancelled{said}");
        assert_eq!(ran.text(), expected, "{misdeed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_tells_what_was_asked_what_was_granted_and_how_to_grant_it() {
    let bench = Bench::new();
    let ran = bench.run(task("exec", "echo hello", &["exec: git"])).await;
    let failure = ran.report.failure.unwrap();
    assert_eq!(failure.message, "plugin `task` returned an error: the host denied running `echo`");
    assert_eq!(failure.causes, ["the step was granted only `git`"]);
    assert_eq!(
        failure.help.unwrap(),
        "if the step should be allowed that too, add to its `grants`:\n    exec: [\"echo\"]\n`grants` only narrow: for these \
         inputs, the plugin must declare it as well"
    );
    let ran = bench.run(task("exec", "echo hello", &[])).await;
    assert_eq!(ran.report.failure.unwrap().causes, ["the step was granted nothing of `exec`"]);
}
