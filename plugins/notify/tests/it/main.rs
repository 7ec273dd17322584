//! The built plugin in the real engine, against a server on loopback.

mod server;

use serde_json::{Value, json};
use server::Server;
use sluice_sdk_testing::{Call, FailureKind, Plugin};

/// The path of the webhook: a secret, which no text may show.
const PATH: &str = "/T0/B0/dont-show-me";

fn notify(server: &Server, mut inputs: Value) -> Call {
    let url = format!("http://{}{PATH}", server.address());
    inputs["url"] = url.as_str().into();
    // Addresses of this machine are for the workflow to allow.
    Plugin::build(env!("CARGO_MANIFEST_DIR")).inputs(inputs).grant(&format!("http: POST {url}"))
}

#[test]
fn a_message_is_delivered_once() {
    let server = Server::start(&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]);
    let inputs =
        json!({"message": "{{ run.workflow }} <{{ run.id }}>", "headers": {"x-team": "ops"}, "token-secret": "HOOK"});
    let outcome = notify(&server, inputs).secret("HOOK", "correct-horse-battery").run();

    outcome.expect_passed();
    assert_eq!(outcome.outputs["status"], 200);
    assert_eq!(outcome.outputs["attempts"], 1);
    let [request] = &server.requests()[..] else { panic!("one request is expected") };
    assert_eq!(request.line, format!("POST {PATH} HTTP/1.1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-team"), Some("ops"));
    assert_eq!(request.header("authorization"), Some("Bearer correct-horse-battery"));
    assert_eq!(request.json(), json!({"text": "test &lt;test&gt;"}));
    assert!(!outcome.log_text().contains("dont-show-me"), "{}", outcome.log_text());
}

#[test]
fn the_url_of_a_webhook_can_be_a_secret_that_the_plugin_never_sees() {
    let server = Server::start(&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]);
    let url = format!("http://{}{PATH}?key=dont-show-me-either", server.address());
    let inputs = json!({"url-secret": "HOOK", "user": "ci", "password-secret": "PASSWORD", "message": "m"});
    let outcome = Plugin::build(env!("CARGO_MANIFEST_DIR"))
        .inputs(inputs)
        .grant("http: POST secret:HOOK private")
        .secret("HOOK", &url)
        .secret("PASSWORD", "correct-horse-battery")
        .run();

    outcome.expect_passed();
    let [request] = &server.requests()[..] else { panic!("one request is expected") };
    assert_eq!(request.line, format!("POST {PATH}?key=dont-show-me-either HTTP/1.1"));
    assert_eq!(request.header("host"), Some(server.address().to_string().as_str()));
    // printf %s ci:correct-horse-battery | base64
    assert_eq!(request.header("authorization"), Some("Basic Y2k6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"));
    let log = outcome.log_text();
    assert!(log.contains("delivered to the webhook in the secret `HOOK`, attempt 1 of 4"), "{log}");
    assert!(!log.contains("dont-show-me"), "{log}");
}

#[test]
fn a_url_in_a_secret_that_is_not_granted_gets_nothing() {
    let server = Server::start(&["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
    let url = format!("http://{}{PATH}", server.address());
    for (inputs, denied) in [
        (json!({"url-secret": "HOOK"}), "http"),
        (json!({"url-secret": "HOOK"}), "secrets"),
        (json!({"url-secret": "HOOK"}), ""),
    ] {
        let call = Plugin::build(env!("CARGO_MANIFEST_DIR")).inputs(inputs).secret("HOOK", &url);
        // Without `private`, an address of this machine is out of reach, and nothing tells which it was.
        let call = if denied.is_empty() { call } else { call.deny(denied) };
        let outcome = call.run();
        let failure = outcome.expect_failure();
        assert_eq!(failure.kind, FailureKind::Denied, "{denied}");
        assert!(!format!("{failure:?}").contains("127.0.0.1"), "{failure:?}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn the_json_format_carries_the_run() {
    let server = Server::start(&["HTTP/1.1 204 No Content\r\n\r\n"]);
    let outcome = notify(&server, json!({"format": "json", "title": "t", "message": "m"})).run();

    outcome.expect_passed();
    let body = server.requests()[0].json();
    assert_eq!(
        (&body["title"], &body["message"], &body["run"]["workflow"]),
        (&json!("t"), &json!("m"), &json!("test"))
    );
}

#[test]
fn a_busy_server_gets_the_same_message_again() {
    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(&[busy, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
    let outcome = notify(&server, json!({"message": "m"})).run();

    outcome.expect_passed();
    assert_eq!(outcome.outputs["attempts"], 2);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].header("idempotency-key").is_some_and(|key| !key.is_empty()));
    assert_eq!(requests[0].header("idempotency-key"), requests[1].header("idempotency-key"));
    assert_eq!(requests[0].json(), requests[1].json());
}

#[test]
fn patience_ends_as_transient_with_the_time_that_was_asked_for() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(&[busy]);
    let outcome = notify(&server, json!({"message": "m"})).run();

    let failure = outcome.expect_failure();
    assert_eq!((failure.kind, failure.retry_after_ms), (FailureKind::Transient, Some(120_000)));
    assert_eq!(outcome.outputs["status"], 503);
}

#[test]
fn a_refusal_is_final_and_does_not_show_the_path() {
    let refusal = format!("HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{PATH}", PATH.len());
    let server = Server::start(&[&refusal]);
    let outcome = notify(&server, json!({"message": "m"})).run();

    let failure = outcome.expect_failure();
    assert_eq!(failure.kind, FailureKind::Failed);
    let expected = format!("the webhook at http://{} answered with status 404", server.address());
    assert!(failure.message.ends_with(&expected), "{}", failure.message);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_connection_that_breaks_is_transient() {
    let server = Server::start(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"]);
    let outcome = notify(&server, json!({"message": "m", "attempts": 1})).run();

    assert_eq!(outcome.expect_failure().kind, FailureKind::Transient);
}

#[test]
fn without_the_grant_nothing_is_sent() {
    let server = Server::start(&["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
    let outcome = notify(&server, json!({"message": "m"})).deny("http").run();

    let failure = outcome.expect_failure();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(server.requests().is_empty());
}

#[test]
fn a_template_that_names_nothing_is_an_invalid_input() {
    let server = Server::start(&[]);
    let outcome = notify(&server, json!({"message": "{{ run.outcom }}"})).run();
    assert_eq!(outcome.expect_failure().kind, FailureKind::InvalidInput);
}
