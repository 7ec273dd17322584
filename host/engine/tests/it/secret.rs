//! Secrets in requests: where they stand, where they go, what comes back; and those that a plugin sees.

use std::sync::{Arc, Mutex};

use crate::harness::{Bench, in_time, task};
use crate::server;

const VALUE: &str = "s3cret/värde? &=";
/// As it stands in a path, in a query, and reversed as the guest tells what it got.
const IN_PATH: &str = "s3cret%2Fv%C3%A4rde%3F%20%26%3D";
const PLAIN: &str = "correct-horse-battery";

struct World {
    bench: Bench,
    here: String,
    port: u16,
    heard: Arc<Mutex<String>>,
}

impl World {
    fn new() -> Self {
        let (address, heard) = server::start_recording();
        let port = address.port();
        let here = format!("http://{address}");
        let hook = format!("{here}/services/T0/dont-show-me?key=1");
        let odd = |text: &str| text.replace("HERE", &address.to_string()).replace("PORT", &port.to_string());
        let secrets = [
            ("TOKEN", PLAIN.to_owned()),
            ("ODD", VALUE.to_owned()),
            ("LINES", "line-one\r\nx-injected: yes".to_owned()),
            ("DOTS", "..".to_owned()),
            ("HOOK", hook),
            ("UPPER", odd("HTTP://LOCALHOST.:PORT/services/dont-show-me")),
            ("DECIMAL", odd("http://2130706433:PORT/dont-show-me")),
            ("HEX", odd("http://0x7f.1:PORT/dont-show-me")),
            ("USER", odd("http://127.0.0.1:80@HERE/dont-show-me")),
            ("OTHER", "ftp://HERE/dont-show-me".to_owned()),
            ("NO_URL", "dont-show-me".to_owned()),
            ("BROKEN", odd("http://HERE/dont\r\nshow-me")),
            ("METADATA", "http://169.254.169.254/latest/dont-show-me".to_owned()),
        ];
        let secrets: Vec<(&str, &str)> = secrets.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Self { bench: Bench::with_secrets(&secrets), here, port, heard }
    }

    /// What the step told, and what the server was sent.
    async fn run(&self, misdeed: &str, with: &str, grants: &[&str]) -> (String, String) {
        let fill = |text: &str| text.replace("HERE", &self.here).replace("PORT", &self.port.to_string());
        let grants: Vec<String> = grants.iter().map(|grant| fill(grant)).collect();
        let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
        self.heard.lock().unwrap().clear();
        let text = in_time(20_000, self.bench.run(task(misdeed, &fill(with), &grants))).await.text();
        (text.replace(&self.here, "HERE").replace(&self.port.to_string(), "PORT"), self.heard.lock().unwrap().clone())
    }

    async fn send(&self, with: &str, grants: &[&str]) -> (String, String) {
        self.run("send-secret", with, grants).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_where_its_stand_in_stands() {
    let world = World::new();
    for (with, secret, sent) in [
        ("TOKEN HERE/x x-key={}", "TOKEN", "x-key: correct-horse-battery\r\n"),
        ("TOKEN HERE/x authorization=Bearer_{}", "TOKEN", "authorization: Bearer correct-horse-battery\r\n"),
        // printf %s user:correct-horse-battery | base64
        (
            "TOKEN HERE/x authorization=Basic_{basic}",
            "TOKEN",
            "authorization: Basic dXNlcjpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=\r\n",
        ),
        ("TOKEN HERE/x?a=1&key={}&b=2", "TOKEN", "GET /x?a=1&key=correct-horse-battery&b=2 HTTP/1.1\r\n"),
        ("ODD HERE/x?key={}", "ODD", &format!("GET /x?key={IN_PATH} HTTP/1.1\r\n")),
        ("ODD HERE/bot{}/send", "ODD", &format!("GET /bot{IN_PATH}/send HTTP/1.1\r\n")),
        ("TOKEN HERE/x authorization=Bearer_{}", "TOKEN @ HERE", "authorization: Bearer correct-horse-battery\r\n"),
        ("TOKEN HERE/x authorization=Bearer_{}", "TOKEN reveal", "authorization: Bearer correct-horse-battery\r\n"),
    ] {
        let (text, heard) = world.send(with, &["http: GET HERE/*", &format!("secrets: {secret}")]).await;
        assert!(text.starts_with("passed"), "{with}: {text}");
        assert!(heard.contains(sent), "{with}: {heard}");
        assert!(!heard.contains("sluice-secret"), "{with}: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_can_be_a_secret_as_a_whole() {
    let world = World::new();
    let grants = |name: &str| ["http: GET secret:NAME private".replace("NAME", name), format!("secrets: {name}")];
    for (name, with, sent) in [
        ("HOOK", "HOOK https://{}/", "GET /services/T0/dont-show-me?key=1 HTTP/1.1\r\n"),
        ("HOOK", "HOOK http://{}", "GET /services/T0/dont-show-me?key=1 HTTP/1.1\r\n"),
        ("UPPER", "UPPER https://{}/", "GET /services/dont-show-me HTTP/1.1\r\n"),
    ] {
        let [http, secrets] = grants(name);
        let (text, heard) = world.send(with, &[&http, &secrets]).await;
        assert!(text.starts_with("passed"), "{with}: {text}");
        assert!(heard.contains(sent), "{with}: {heard}");
        let host = if name == "UPPER" { "localhost" } else { "127.0.0.1" };
        assert!(heard.contains(&format!("host: {host}:{}\r\n", world.port)), "{heard}");
    }
    // A grant of the origin will do as well: the plan names it then.
    let (text, _) = world.send("HOOK https://{}/", &["http: GET HERE/services/*", "secrets: HOOK"]).await;
    assert!(text.starts_with("passed"), "{text}");

    let url = "GET to the URL in the secret";
    for (name, with, more, denied) in [
        (
            "HOOK",
            "HOOK https://{}/",
            "http: GET HERE/other/*",
            format!(
                "{url} `HOOK`\nhelp: if the step should reach that host too, add to its `grants`:\n    http: [\"GET secret:HOOK\"]"
            ),
        ),
        (
            "HOOK",
            "HOOK https://{}/",
            "http: POST secret:HOOK",
            format!(
                "{url} `HOOK`\nhelp: if the step should reach that host too, add to its `grants`:\n    http: [\"GET secret:HOOK\"]"
            ),
        ),
        (
            "HOOK",
            "HOOK https://{}/",
            "http: GET secret:TOKEN",
            format!(
                "{url} `HOOK`\nhelp: if the step should reach that host too, add to its `grants`:\n    http: [\"GET secret:HOOK\"]"
            ),
        ),
        (
            "HOOK",
            "HOOK https://{}/",
            "http: GET secret:HOOK",
            format!(
                "{url} `HOOK`: it leads to a private address\nhelp: if the step should reach that host too, add to its `grants`:\n    http: [\"GET secret:HOOK private\"]"
            ),
        ),
        (
            "METADATA",
            "METADATA https://{}/",
            "http: GET secret:METADATA private",
            format!("{url} `METADATA`: it leads to an address that only a grant of exactly it allows"),
        ),
        (
            "HOOK",
            "HOOK https://{}/more",
            "http: GET secret:HOOK private",
            format!("{url} `HOOK`: the URL in a secret is used as it is; nothing may follow it"),
        ),
        (
            "HOOK",
            "HOOK https://{}/?q=1",
            "http: GET secret:HOOK private",
            format!("{url} `HOOK`: the URL in a secret is used as it is; nothing may follow it"),
        ),
        (
            "DECIMAL",
            "DECIMAL https://{}/",
            "http: GET secret:DECIMAL private",
            format!("{url} `DECIMAL`: the value of the secret `DECIMAL` is a URL whose host is not in its usual form"),
        ),
        (
            "HEX",
            "HEX https://{}/",
            "http: GET secret:HEX private",
            format!("{url} `HEX`: the value of the secret `HEX` is a URL whose host is not in its usual form"),
        ),
        (
            "USER",
            "USER https://{}/",
            "http: GET secret:USER private",
            format!(
                "{url} `USER`: the value of the secret `USER` is a URL with a user name or password, which is not sent"
            ),
        ),
        (
            "OTHER",
            "OTHER https://{}/",
            "http: GET secret:OTHER private",
            format!("{url} `OTHER`: the value of the secret `OTHER` is no `http` or `https` URL"),
        ),
        (
            "NO_URL",
            "NO_URL https://{}/",
            "http: GET secret:NO_URL private",
            format!("{url} `NO_URL`: the value of the secret `NO_URL` is no `http` or `https` URL"),
        ),
        (
            "BROKEN",
            "BROKEN https://{}/",
            "http: GET secret:BROKEN private",
            format!(
                "{url} `BROKEN`: the value of the secret `BROKEN` is a URL with a character that no URL in a request has"
            ),
        ),
        (
            "HOOK @ https://hooks.example.com",
            "HOOK https://{}/",
            "http: GET secret:HOOK private",
            format!("{url} `HOOK`: the secret `HOOK` is kept to other origins"),
        ),
    ] {
        let (text, heard) = world.send(with, &[more, &format!("secrets: {name}")]).await;
        assert!(text.contains(&format!("| the host denied {denied}")) && text.starts_with("denied"), "{with}: {text}");
        assert!(text.ends_with(&denied), "{with}: {text}");
        assert!(!text.contains("show-me") && !text.contains("127.0.0.1"), "{with}: {text}");
        assert_eq!(heard, "", "{with}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_nowhere_else() {
    let world = World::new();
    let all = "http: GET HERE/*";
    let help = |capability: &str, grant: &str| {
        let when = if capability == "http" { "reach that host too" } else { "be allowed that too" };
        format!("\nhelp: if the step should {when}, add to its `grants`:\n    {capability}: [\"{grant}\"]")
    };
    let kept = |shown: &str, origin: &str| {
        format!(
            "sending the secret `TOKEN` with GET {shown}: it is kept to other origins{}",
            help("secrets", &format!("TOKEN @ {origin}"))
        )
    };
    for (with, grants, denied) in [
        // Another origin, port, scheme: not granted at all.
        (
            "TOKEN http://localhost:PORT/x?k={}",
            &[all, "secrets: TOKEN"][..],
            format!("GET http://localhost:PORT/x{}", help("http", "GET http://localhost:PORT/*")),
        ),
        (
            "TOKEN http://127.0.0.1:1/{}",
            &[all, "secrets: TOKEN"],
            format!("GET http://127.0.0.1:1/{{TOKEN}}{}", help("http", "GET http://127.0.0.1:1/*")),
        ),
        (
            "TOKEN https://127.0.0.1:PORT/ x-k={}",
            &[all, "secrets: TOKEN"],
            format!("GET https://127.0.0.1:PORT/{}", help("http", "GET https://127.0.0.1:PORT/*")),
        ),
        // Granted for requests, and not for this secret.
        (
            "TOKEN http://localhost:PORT/x?k={}",
            &[all, "http: GET http://localhost:PORT/*", "secrets: TOKEN @ HERE"],
            kept("http://localhost:PORT/x", "http://localhost:PORT"),
        ),
        (
            "TOKEN http://localhost:PORT/{}",
            &[all, "http: GET http://localhost:PORT/*", "secrets: TOKEN @ HERE"],
            kept("http://localhost:PORT/{TOKEN}", "http://localhost:PORT"),
        ),
        ("TOKEN HERE/x x-k={}", &[all, "secrets: TOKEN @ http://127.0.0.1:1"], kept("HERE/x", "HERE")),
        (
            "TOKEN HERE/x authorization=Basic_{basic}",
            &[all, "secrets: TOKEN @ https://127.0.0.1:PORT"],
            kept("HERE/x", "HERE"),
        ),
        // The URL of a webhook is no token for another server.
        (
            "HOOK HERE/x x-k={}",
            &[all, "http: GET secret:HOOK", "secrets: HOOK"],
            "sending the secret `HOOK` with GET HERE/x: its value is a URL, and goes nowhere but there".to_owned(),
        ),
        // User names, hosts.
        (
            "TOKEN http://{}@127.0.0.1:PORT/x",
            &[all, "secrets: TOKEN"],
            "a secret stands for a whole URL, or in a path, a query or a header; it is no part of a host".to_owned(),
        ),
        (
            "TOKEN http://user@127.0.0.1:PORT/{}",
            &[all, "secrets: TOKEN"],
            "GET http://user@127.0.0.1:PORT/{TOKEN}: a URL with a user name or password is not sent".to_owned(),
        ),
        (
            "TOKEN http://{}.example.com/",
            &["http: GET http://*.example.com", "secrets: TOKEN"],
            "it is no part of a host".to_owned(),
        ),
        ("TOKEN http://{}:PORT/", &[all, "secrets: TOKEN"], "it is no part of a host".to_owned()),
        // What the value makes of the path is checked, not what the stand-in makes of it.
        (
            "DOTS HERE/v1/{}/admin",
            &["http: GET HERE/v1/*", "secrets: DOTS"],
            format!("GET HERE/v1/{{DOTS}}/admin{}", help("http", "GET HERE/*")),
        ),
        (
            "ODD HERE/v1/{}",
            &["http: GET HERE/v1/*", "secrets: ODD"],
            format!("GET HERE/v1/{{ODD}}{}", help("http", "GET HERE/*")),
        ),
        // A value of several lines would be a header of its own.
        (
            "LINES HERE/x x-k={}",
            &[all, "secrets: LINES"],
            "GET HERE/x: the secret `LINES` in the header `x-k` is not one line of text".to_owned(),
        ),
        (
            "LINES HERE/x authorization=Basic_{basic}",
            &[all, "secrets: LINES"],
            "GET HERE/x: the secret `LINES` in the header `authorization` is not one line of text".to_owned(),
        ),
    ] {
        let (text, heard) = world.send(with, grants).await;
        assert!(text.starts_with("denied: plugin `task` returned an error: "), "{with}: {text}");
        assert!(text.ends_with(&denied), "{with}: {text}\nis not\n{denied}");
        assert_eq!(heard, "", "{with}");
        for value in [PLAIN, "show-me", "line-one", "bGluZS", "s3cret"] {
            assert!(!text.contains(value), "{with}: {text}");
        }
    }
    let (text, heard) = world.send("TOKEN HERE/x host={}", &[all, "secrets: TOKEN"]).await;
    assert!(text.contains("header `host`: HeaderError::Forbidden") && heard.is_empty(), "{text} {heard}");
    // A grant that names a secret is no grant to use it.
    let (text, heard) = world.send("HOOK https://{}/", &["http: GET secret:HOOK private"]).await;
    assert!(text.contains("the host denied the secret `HOOK`") && heard.is_empty(), "{text} {heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_carries_the_stand_in_and_nothing_else() {
    let world = World::new();
    let (text, heard) = world.run("body-secret", "TOKEN HERE/x", &["http: POST HERE/*", "secrets: TOKEN"]).await;
    assert!(text.starts_with("passed"), "{text}");
    assert!(heard.contains("\r\nsluice-secret-") && !heard.contains(PLAIN), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_does_not_take_a_secret_along() {
    let world = World::new();
    let to = format!("http__localhost:{}/x", world.port);
    let with = format!("TOKEN HERE/redirect/{to} x-k={{}}");
    let grants = ["http: GET HERE/*", "http: GET http://localhost:PORT/*", "secrets: TOKEN @ HERE"];
    let (text, heard) = world.send(&with, &grants).await;
    assert!(text.starts_with("passed\n> 302"), "{text}");
    assert_eq!(heard.matches("GET ").count(), 1, "{heard}");
    // And the plugin, which may send a request there, cannot take it along either.
    let (text, heard) = world.send("TOKEN http://localhost:PORT/x x-k={}", &grants).await;
    assert!(text.contains("it is kept to other origins") && heard.is_empty(), "{text} {heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_a_secret_back_does_not_tell_the_plugin() {
    let world = World::new();
    let backwards = |text: &str| text.chars().rev().collect::<String>();
    for (name, said, inside) in
        [("TOKEN", "a_{}_b", "a *** b"), ("TOKEN", "{}", "***"), ("TOKEN", "Basic_{basic}", "Basic dXNlcjp***")]
    {
        let with = format!("{name} HERE/back x-say={said}");
        let (text, heard) = world.send(&with, &["http: GET HERE/*", &format!("secrets: {name}")]).await;
        assert!(text.starts_with("passed\n> 200 "), "{text}");
        let sent = heard.lines().find_map(|line| line.strip_prefix("x-say: ")).unwrap();
        let (header, body) = text.split_once("> 200 ").unwrap().1.split_once(" | ").unwrap();
        for told in [backwards(header), backwards(body)] {
            if said.contains("basic") {
                // The base64 of a header that is no `authorization` is none of the host's business.
                assert!(sent.contains("Basic") && !told.contains(PLAIN), "{told}");
                continue;
            }
            assert!(sent.contains(PLAIN), "the server was sent it: {sent}");
            assert_eq!(told.len(), sent.len(), "no length changes: {told}");
            let squeezed = told.replace(&"*".repeat(PLAIN.len()), "***");
            assert_eq!(squeezed, inside, "{text}");
        }
    }
    // A request line, with the value percent-encoded, and later answers.
    let (text, _) = world.send("ODD HERE/echo?key={}", &["http: GET HERE/*", "secrets: ODD"]).await;
    assert!(!text.contains(&backwards("s3cret")) && text.contains(&backwards("GET /echo?key=*")), "{text}");
    let (text, _) = world.send("HOOK https://{}/", &["http: GET secret:HOOK private", "secrets: HOOK"]).await;
    assert!(!text.contains(&backwards("show-me")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_revealed_when_it_is_granted_so() {
    let world = World::new();
    let reveal = ["secrets: TOKEN reveal", "artifacts: write"];
    let help = "help: if the step should be allowed that too, add to its `grants`:\n    secrets: [\"TOKEN reveal\"]";
    for grants in [&["secrets: TOKEN"][..], &["secrets: TOKEN @ HERE"], &["secrets: ODD reveal"], &[]] {
        let (text, _) = world.run("reveal", "TOKEN log", grants).await;
        assert_eq!(
            text,
            format!("denied: plugin `task` returned an error: the host denied revealing the secret `TOKEN`\n{help}")
        );
    }
    // Seen by the plugin, and masked wherever it says it.
    for (how, expected) in [
        ("log", "passed\nseen TOKEN by Plugin\n> 21 bytes\n> ***"),
        ("output", "passed\noutput it = \"***\"\nseen TOKEN by Plugin\n> 21 bytes"),
        ("fail", "failed: plugin `task` returned an error: it is ***\nseen TOKEN by Plugin\n> 21 bytes"),
        ("other", "passed\nseen TOKEN by Plugin\n> 21 bytes\nartifact a.txt text/plain 13\n> None true"),
    ] {
        assert_eq!(world.run("reveal", &format!("TOKEN {how}"), &reveal).await.0, expected, "{how}");
    }
    for (how, begins) in [("finding", "passed"), ("name", "secret-leak: the artifact `***` of plugin `task` holds")] {
        let (text, _) = world.run("reveal", &format!("TOKEN {how}"), &reveal).await;
        assert!(text.starts_with(begins) && text.contains("***") && !text.contains(PLAIN), "{how}: {text}");
    }
    let (text, _) = world.run("reveal", "MISSING log", &["secrets: MISSING reveal"]).await;
    assert!(text.contains("the secret `MISSING` is granted, but this machine has no value for it"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_with_a_secret_that_the_step_saw_is_not_published() {
    let world = World::new();
    let reveal = ["secrets: TOKEN reveal", "artifacts: write"];
    for how in ["artifact", "pieces", "base64"] {
        let (text, _) = world.run("reveal", &format!("TOKEN {how}"), &reveal).await;
        assert_eq!(
            text,
            "secret-leak: the artifact `a.txt` of plugin `task` holds the value of the secret `TOKEN`; it was not published\n\
             help: leave the value out of what is published, or publish nothing from this step\n\
             seen TOKEN by Plugin\n> 21 bytes\n> Some(\"the artifact holds the value of the secret `TOKEN`\") false",
            "{how}"
        );
    }
    let kept = std::fs::read_dir(world.bench.folder.path().join("artifacts/sha256")).map_or(0, Iterator::count);
    assert_eq!(kept, 0, "nothing of it is on the disk");
    // A program that gets it taints the step as well; a secret that is used unseen does not.
    let (text, _) = world.run("exec-secret", "TOKEN", &["exec: env", "secrets: TOKEN"]).await;
    assert!(text.starts_with("passed\nseen TOKEN by Program\n"), "{text}");
    let (text, _) = world.send("TOKEN HERE/x x-k={}", &["http: GET HERE/*", "secrets: TOKEN"]).await;
    assert!(!text.contains("seen"), "{text}");
}
