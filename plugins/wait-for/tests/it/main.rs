//! The built plugin in the real engine, against servers on loopback and real programs.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use sluice_sdk_testing::{Call, End, FailureKind, Outcome, Plugin};

fn wait_for(inputs: serde_json::Value) -> Call {
    Plugin::build(env!("CARGO_MANIFEST_DIR")).inputs(inputs)
}

/// An address of loopback that nothing listens at.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Serves HTTP with these status lines, one a request, the last again and again.
fn serve(listener: TcpListener, statuses: &'static [&'static str]) {
    thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let mut head = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while head.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let status = statuses[number.min(statuses.len() - 1)];
            // A client that goes away is none of the server's business.
            let _ = write!(&stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
}

#[track_caller]
fn fails(outcome: &Outcome, kind: FailureKind, message: &str) {
    let failure = outcome.expect_failure();
    assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
}

#[test]
fn a_server_that_is_there_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let outcome = wait_for(json!({"tcp": address.to_string()})).run();

    outcome.expect_passed();
    assert_eq!(outcome.grants, [format!("tcp: {address}")]);
    assert_eq!(outcome.outputs["attempts"], 1);
    assert!(outcome.outputs["waited-ms"].is_u64());
    assert!(outcome.log_text().contains("attempt 1"), "{}", outcome.log_text());
}

#[test]
fn a_server_is_found_by_its_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("localhost:{}", listener.local_addr().unwrap().port());
    let outcome = wait_for(json!({"tcp": server})).run();

    outcome.expect_passed();
    assert_eq!(outcome.grants, [format!("tcp: {server}")]);
}

#[test]
fn a_server_that_comes_up_later_is_waited_for() {
    let address = free_address();
    let server = thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        TcpListener::bind(address).unwrap()
    });
    let outcome = wait_for(json!({"tcp": address.to_string(), "interval": "50ms", "timeout": "30s"})).run();
    let _listening = server.join().unwrap();

    outcome.expect_passed();
    assert!(outcome.outputs["attempts"].as_u64().unwrap() > 1, "{:?}", outcome.outputs);
    let refused = outcome.logs.iter().filter(|log| log.text.contains("the connection was refused")).count();
    assert_eq!(refused, 1, "each reason is told once: {}", outcome.log_text());
}

#[test]
fn a_server_that_never_comes_ends_it_with_the_last_reason() {
    let address = free_address();
    let call = wait_for(json!({"tcp": address.to_string(), "interval": "300ms", "timeout": "1s"}));
    let started = Instant::now();
    let outcome = call.run();

    assert!(started.elapsed() >= Duration::from_secs(1));
    let failure = outcome.expect_failure();
    assert_eq!(failure.kind, FailureKind::Failed);
    let text = &failure.message;
    assert!(text.contains(&format!("waited 1s in vain for {address} (")), "{text}");
    assert!(text.ends_with("attempts); the last one: the connection was refused"), "{text}");
    assert_eq!(failure.help.as_deref(), Some("if it needs longer, raise `timeout`"));
}

#[test]
fn http_is_waited_for_until_the_status_fits() {
    for (statuses, wanted, attempts) in [
        (&["503 Busy", "404 Not Found", "302 Found"][..], json!(null), 3),
        (&["200 OK", "204 No Content"][..], json!(204), 2),
        (&["200 OK", "401 Unauthorized"][..], json!([401, 403]), 2),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        serve(listener, statuses);
        let mut inputs = json!({"http": format!("{origin}/health?key=x"), "interval": "10ms"});
        if !wanted.is_null() {
            inputs["status"] = wanted;
        }
        let outcome = wait_for(inputs).run();

        outcome.expect_passed();
        assert_eq!(outcome.grants, [format!("http: GET {origin}/health")]);
        assert_eq!(outcome.outputs["attempts"], attempts, "{statuses:?}");
        assert!(!outcome.log_text().contains("key=x"), "{}", outcome.log_text());
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    serve(listener, &["503 Busy"]);
    let outcome = wait_for(json!({"http": origin, "interval": "1s", "timeout": "500ms"})).run();
    let expected = format!("waited 500ms in vain for {origin} (1 attempt); the last one: it answered with status 503");
    fails(&outcome, FailureKind::Failed, &format!("plugin `./plugin.wasm` returned an error: {expected}"));
}

#[test]
fn a_command_is_run_until_it_succeeds() {
    let workspace = tempfile::tempdir().unwrap();
    let script = "echo x >> tries; test $(wc -l < tries) -ge 3 || { echo not yet >&2; exit 4; }";
    let outcome = wait_for(json!({"exec": script, "interval": "10ms"})).workspace(workspace.path()).run();

    outcome.expect_passed();
    assert_eq!(outcome.grants, ["files: read .", "exec: sh"]);
    assert_eq!(outcome.outputs["attempts"], 3);
    assert!(outcome.log_text().contains("not yet: it exited with code 4: not yet"), "{}", outcome.log_text());

    let outcome = wait_for(json!({"exec": "echo no response; exit 2", "timeout": "200ms", "interval": "1s"})).run();
    fails(
        &outcome,
        FailureKind::Failed,
        "plugin `./plugin.wasm` returned an error: waited 200ms in vain for `echo no response; exit 2` (1 attempt); the \
         last one: it exited with code 2: no response",
    );
}

#[test]
fn a_command_that_hangs_does_not_hold_it() {
    let call = wait_for(json!({"exec": "sleep 300", "timeout": "500ms"}));
    let started = Instant::now();
    let outcome = call.run();

    assert!(started.elapsed() < Duration::from_secs(60));
    let text = &outcome.expect_failure().message;
    assert!(
        text.contains("waited 500ms in vain for `sleep 300` (1 attempt); the last one: `sh` was ended after"),
        "{text}"
    );
}

#[test]
fn a_file_is_waited_for_in_a_folder_that_comes_later() {
    let workspace = tempfile::tempdir().unwrap();
    let folder = workspace.path().join("run/now");
    let writer = thread::spawn({
        let folder = folder.clone();
        move || {
            thread::sleep(Duration::from_millis(500));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("ready"), "").unwrap();
        }
    });
    let call = wait_for(json!({"file": "run/now/ready", "interval": "20ms"})).workspace(workspace.path());
    let outcome = call.run();
    writer.join().unwrap();

    outcome.expect_passed();
    assert_eq!(outcome.grants, ["files: read ."]);
    let outcome = wait_for(json!({"file": "no", "timeout": "50ms"})).run();
    assert!(outcome.expect_failure().message.contains("in vain for `no` ("), "{:?}", outcome.result);
}

#[test]
fn what_was_not_granted_is_denied_at_once() {
    let address = free_address().to_string();
    for (inputs, capability, denied) in [
        (json!({"tcp": address}), "tcp", format!("the host denied a connection to {address}")),
        (json!({"http": format!("http://{address}/")}), "http", format!("the host denied `GET http://{address}`")),
        (json!({"exec": "true"}), "exec", "the host denied running `sh`".to_owned()),
    ] {
        let call = wait_for(inputs).deny(capability);
        let started = Instant::now();
        let outcome = call.run();
        assert!(started.elapsed() < Duration::from_secs(30), "it does not go on for a minute");
        let failure = outcome.expect_failure();
        assert_eq!(failure.kind, FailureKind::Denied);
        assert!(failure.message.contains(&denied), "{}", failure.message);
    }
}

#[test]
fn inputs_that_make_no_sense_are_refused() {
    for (inputs, message) in [
        (json!({}), "nothing to wait for"),
        (json!({"exec": "true", "file": "a"}), "`tcp`, `http`, `exec` and `file` exclude each other"),
        (json!({"exec": "true", "timeout": "0s"}), "`timeout` is `0s`, which is no duration"),
    ] {
        let outcome = wait_for(inputs.clone()).run();
        let failure = outcome.expect_failure();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{inputs}");
        assert!(failure.message.ends_with(message), "{}", failure.message);
    }
    for inputs in [json!({"tcp": "localhost"}), json!({"exec": "true", "timeout": "soon"}), json!({"http": "x"})] {
        let outcome = wait_for(inputs.clone()).run();
        assert!(matches!(outcome.result, Err(End::Refused(_))), "{inputs}: {:?}", outcome.result);
    }
}
