//! Every workflow in `workflows/` runs in the tests. One that is not listed here fails.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::backup;
use crate::databases;
use crate::environment::{Environment, Ran, guest, repository};
use crate::killed::nothing_survives;
use crate::repository::{commit, git};
use crate::secret_sources::Aws;
use crate::server::{OK, Server};
use crate::vault;

/// A copy of the parts of the repository that the examples look at.
fn small_repository() -> Environment {
    let environment = Environment::new();
    for path in ["README.md", "ARCHITECTURE.md", "LICENSE", "docs/README.md", "wit/types.wit", "wit/kinds.wit"] {
        environment.write(path, fs::read(repository().join(path)).unwrap());
    }
    let mut folders = vec![repository().join("workflows")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(repository()).unwrap().to_str().unwrap();
                    environment.write(name, fs::read(&path).unwrap());
                }
            }
        }
    }
    environment
}

fn run(environment: &Environment, arguments: &[&str]) -> Ran {
    environment.sluice(&[&["run"], arguments].concat()).exits_with(0)
}

#[track_caller]
fn says(ran: &Ran, text: &str) {
    assert!(ran.stdout.contains(text), "`{text}` is not in\n{}", ran.whole());
}

type Example = (&'static str, fn(&Environment));

const EXAMPLES: &[Example] = &[
    ("approval", |environment| {
        let parked = environment.sluice(&["run", "approval", "--plain"]).exits_with(75);
        says(&parked, "deploy waits for approval: Deploy with a coverage of 87 %?");
        let ran = environment.sluice(&["approve", "--attest", "announced", "--json"]).exits_with(0);
        says(&ran, "deploying");
        let denied = environment.sluice(&["run", "approval", "-i", "coverage=79", "--json"]).exits_with(1);
        says(&denied, "gate `coverage` does not hold");
        says(&denied, "nothing was deployed");
    }),
    ("artifacts", |environment| {
        run(environment, &["artifacts"]);
        let text = environment.read("target/example-site/current/wit/kinds.wit");
        assert_eq!(text, environment.read("wit/kinds.wit"));
    }),
    ("backup", backup::example),
    ("ci", |environment| {
        let webhook = Server::start(&[OK]);
        run(environment, &["ci", "-i", "to=site", "-i", &format!("webhook={}", webhook.url("/hook"))]);
        assert!(environment.workspace().join("site/current").exists());
        assert_eq!(webhook.requests().len(), 1);
        assert!(webhook.requests()[0].body.contains("passed"), "{:?}", webhook.requests());
    }),
    ("command", |environment| {
        environment.write("target/guests/greet.wasm", guest("greet.wasm"));
        environment.write("docs/greeting.txt", "good morning\n");
        let ran = run(environment, &["command", "--json"]);
        says(&ran, "\"hello, ada and grace\"");
        says(&ran, "\"good morning, ada\"");
    }),
    ("concurrency", |environment| {
        let ran = run(environment, &["concurrency", "--json"]);
        says(&ran, "deploying to test");
        says(&ran, "leaving test");
        let plan = environment.sluice(&["plan", "concurrency", "-i", "stage=prod"]).exits_with(0);
        says(&plan, "one run at a time of example-deploy-prod; when busy: wait at most 600 s");
    }),
    ("conditions", |environment| {
        let ran = run(environment, &["conditions", "--json"]);
        let outcomes: Vec<String> = ran
            .events()
            .iter()
            .filter(|event| event["event"] == "step-finished")
            .map(|event| event["outcome"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(outcomes, ["skipped", "allowed-to-fail", "passed", "passed"]);
        says(&ran, "the job main passed");
    }),
    ("defaults", |environment| {
        run(environment, &["defaults"]);
    }),
    ("deploy-script", crate::deploy_script::runs),
    ("environment", |environment| says(&run(environment, &["environment", "--json"]), "test green test-small")),
    ("findings", |environment| {
        run(environment, &["findings"]);
    }),
    ("for-each", |environment| {
        let ran = run(environment, &["for-each", "--json"]);
        says(&ran, "release 1 to eu, release 2 to us, release 3 to ap");
        says(&ran, "3 regions are up");
        let plan = environment.sluice(&["plan", "for-each", "-i", "regions=a,b"]).exits_with(0);
        says(&plan, "item     b");
    }),
    ("github-like", |environment| {
        let Some(programs) = databases::programs() else { return };
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let ran = environment.command(&["run", "github-like", "--plain"]).env("PATH", path).output().unwrap();
        let stdout = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success(), "{stdout}{}", String::from_utf8_lossy(&ran.stderr));
        assert!(stdout.contains("tested UTF8|UTC, UTF8|Asia/Tokyo, SQL_ASCII|Asia/Tokyo"), "{stdout}");
        nothing_survives(&environment.workspace(), "github-like");
    }),
    ("gitlab-like", |environment| {
        let ran = run(environment, &["gitlab-like", "--json"]);
        says(&ran, "integration tests of sha256:");
        says(&ran, "quality good, staging passed");
        says(&ran, "production skipped");
        let text = environment.read("target/example-gitlab/staging/current/wit/kinds.wit");
        assert_eq!(text, environment.read("wit/kinds.wit"));
        run(environment, &["gitlab-like", "-i", "production=true"]);
        assert!(environment.workspace().join("target/example-gitlab/production/current").exists());
        environment.write("docs/broken.yaml", "a: 1\na: 2\n");
        let ran = environment.sluice(&["run", "gitlab-like", "--json"]).exits_with(1);
        says(&ran, "quality bad, staging skipped");
    }),
    ("grants", |environment| {
        run(environment, &["grants"]);
        let plan = environment.sluice(&["plan", "grants"]).exits_with(0);
        says(&plan, "read docs");
        assert!(!plan.stdout.contains("read ."), "{}", plan.whole());
    }),
    ("hello", |environment| {
        says(&run(environment, &["hello", "-i", "who=reader", "--json"]), "hello, reader");
    }),
    ("hooks", |environment| {
        let passed = run(environment, &["hooks", "--json"]);
        for text in ["only after success", "tidying up", "work passed", "well done", "the end"] {
            says(&passed, text);
        }
        assert!(!passed.stdout.contains("oh no") && !passed.stdout.contains("the main step failed"));
        let failed = environment.sluice(&["run", "hooks", "-i", "break=true", "--json"]).exits_with(1);
        for text in ["tidying up", "the main step failed", "work failed", "oh no", "the end"] {
            says(&failed, text);
        }
        assert!(!failed.stdout.contains("only after success\\n") && !failed.stdout.contains("well done"));
    }),
    ("inputs", |environment| {
        let ran = run(environment, &["inputs", "-i", "environment=prod", "-i", "replicas=3", "--json"]);
        says(&ran, "environment=prod replicas=3 first=eu dry=true");
        environment.sluice(&["run", "inputs", "-i", "environment=production"]).exits_with(2);
        environment.sluice(&["run", "inputs", "-i", "replicas=many"]).exits_with(2);
    }),
    ("jenkins-like", |environment| {
        let current = environment.workspace().join("target/example-pipeline/current");
        environment.sluice(&["run", "jenkins-like"]).exits_with(75);
        let denied = environment.sluice(&["approve", "--deny", "--comment", "not on a Friday", "--json"]).exits_with(1);
        says(&denied, "not on a Friday");
        says(&denied, "not deployed\"");
        says(&denied, "the pipeline failed");
        assert!(!current.exists());
        environment.sluice(&["run", "jenkins-like"]).exits_with(75);
        let ran = environment.sluice(&["approve", "--attest-all", "--json"]).exits_with(0);
        says(&ran, "deployed to production");
        says(&ran, "the pipeline passed");
        assert!(current.join("docs/README.md").exists());
    }),
    ("matrix", |environment| {
        let ran = run(environment, &["matrix", "--json"]);
        says(&ran, "small in sh, large in sh, large in bash, tiny in sh; count passed");
        for job in ["test (sh, tiny)", "count (docs)", "count (wit)"] {
            says(&ran, &format!("\"event\":\"job-finished\",\"job\":\"{job}\",\"outcome\":\"passed\""));
        }
        says(&ran, "\"name\":\"the tiny test with sh\"");
        let plan = environment.sluice(&["plan", "matrix"]).exits_with(0);
        says(&plan, "test (bash, large)  the large test with bash");
        says(&plan, "test (bash, large)");
        says(&plan, "known when the job starts");
    }),
    ("needs", |environment| says(&run(environment, &["needs", "--json"]), "releasing 1.2.3")),
    ("notify", |environment| {
        let busy = "503 Busy\r\nContent-Length: 0\r\nRetry-After: 0\r\nConnection: close\r\n\r\n";
        let webhook = Server::start(&[busy, OK]);
        run(environment, &["notify", "-i", &format!("url={}", webhook.url("/services/T0/B0/x"))]);
        let requests = webhook.requests();
        assert_eq!(requests.len(), 2, "the first was answered with 503");
        assert_eq!((requests[1].method.as_str(), requests[1].path.as_str()), ("POST", "/services/T0/B0/x"));
        let body: serde_json::Value = serde_json::from_str(&requests[1].body).unwrap();
        assert!(body["text"].as_str().unwrap().ends_with("passed"), "{body}");
    }),
    ("paths", |environment| {
        says(&run(environment, &["paths", "--json"]), "docs passed, contract passed");
        git(environment, &["init", "--quiet"]);
        commit(environment);
        environment.write("docs/new.yaml", "a: 1\n");
        let ran = run(environment, &["paths", "--affected", "--base", "HEAD", "--json"]);
        says(&ran, "docs passed, contract skipped");
    }),
    ("requires", |environment| says(&run(environment, &["requires", "--json"]), "ready")),
    ("reuse", |environment| {
        let tokens = [("EXAMPLE_STAGING_TOKEN", "hunter2-staging"), ("EXAMPLE_PRODUCTION_TOKEN", "hunter2-production")];
        let ran = environment.command(&["run", "reuse", "--json"]).envs(tokens).output().unwrap();
        let stdout = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success(), "{stdout}{}", String::from_utf8_lossy(&ran.stderr));
        for text in [
            "publishing to staging with ***",
            "publishing to production with ***",
            "staging is done, deploy passed",
            "staging is target/example-reuse/staging, production passed",
            "\"job\":\"production.finally\"",
        ] {
            assert!(stdout.contains(text), "`{text}` is not in\n{stdout}");
        }
        assert!(environment.workspace().join("target/example-reuse/production/current").exists());
        let list = environment.sluice(&["list"]).exits_with(0);
        assert!(!list.stdout.contains("publish.yaml"), "{}", list.whole());
        // By itself, too: its secret is then its own.
        let alone = environment.sluice(&["run", "workflows/reuse/publish.yaml", "-i", "stage=staging"]).exits_with(2);
        assert!(alone.stderr.contains("archive"), "{}", alone.whole());
    }),
    ("retry", |environment| {
        let ran = run(environment, &["retry", "--json"]);
        let attempts = |name: &str| ran.events().iter().filter(|event| event["event"] == name).count();
        assert_eq!(attempts("step-retrying"), 2, "{}", ran.whole());
        assert!(!environment.workspace().join("target/example-retry").exists());
    }),
    ("secret-sources", |environment| {
        let home = environment.workspace().parent().unwrap().join("home/.config/example/password");
        fs::create_dir_all(home.parent().unwrap()).unwrap();
        fs::write(&home, "hunter2-of-test\n").unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o600)).unwrap();
        environment.write("keys/signing", "-----BEGIN-----\nhunter2-key\n-----END-----\n");
        let vault = vault::start([("app", serde_json::json!({"token": "hunter2-in-vault"}))].into());
        let aws = Aws::start();
        // Without moto there is no prod.
        for stage in ["test", "prod"].into_iter().take(1 + usize::from(aws.is_some())) {
            let mut command =
                environment.command(&["run", "secret-sources", "--json", "-i", &format!("stage={stage}")]);
            command.env("TOKEN_OF_TEST", "hunter2-token");
            command.env("VAULT_ADDR", vault.url("")).env("VAULT_TOKEN", vault::TOKEN);
            command.envs(aws.iter().flat_map(Aws::variables));
            let ran = command.output().unwrap();
            let stdout = String::from_utf8(ran.stdout).unwrap();
            assert!(ran.status.success(), "{stdout}{}", String::from_utf8_lossy(&ran.stderr));
            assert!(stdout.contains("the token is ***\\nthe password is ***"), "{stdout}");
            assert!(!stdout.contains("hunter2"), "{stdout}");
            assert_eq!(vault.requests().len(), usize::from(stage == "prod"));
        }
        assert!(!all_text(environment).contains("hunter2"), "the record holds a secret");
    }),
    ("retention", |environment| {
        for _ in 0..5 {
            run(environment, &["retention"]);
        }
        let list = environment.sluice(&["runs", "list", "--json"]).exits_with(0).stdout;
        let runs: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(runs.as_array().unwrap().len(), 3, "{list}");
    }),
    ("secrets", |environment| {
        let ran = environment
            .command(&["run", "secrets", "--json"])
            .env("SLUICE_SECRET_TOKEN", "hunter2-very-secret")
            .output()
            .unwrap();
        let stdout = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success(), "{stdout}");
        assert!(stdout.contains("the token is ***"), "{stdout}");
        assert!(!stdout.contains("hunter2"), "{stdout}");
        assert!(!all_text(environment).contains("hunter2-very-secret"), "the record holds the secret");
    }),
    ("services", |environment| {
        let ran = run(environment, &["services", "--plain"]);
        says(&ran, "[test/services.web] ready in");
        says(&ran, "[test/other] passed in");
        nothing_survives(&environment.workspace(), "services");
    }),
    ("webhook-secret", |environment| {
        let webhook = Server::start(&[OK]);
        let url = webhook.url("/services/T0/B0/dont-show-me");
        let plan = environment.command(&["plan", "webhook-secret"]).env("EXAMPLE_WEBHOOK", &url).output().unwrap();
        let plan = String::from_utf8(plan.stdout).unwrap();
        assert!(plan.contains("http: POST secret:WEBHOOK"), "{plan}");
        let ran =
            environment.command(&["run", "webhook-secret", "--json"]).env("EXAMPLE_WEBHOOK", &url).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let requests = webhook.requests();
        assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("POST", "/services/T0/B0/dont-show-me"));
        assert!(!plan.contains("dont-show-me") && !String::from_utf8_lossy(&ran.stdout).contains("dont-show-me"));
    }),
    ("versions", |environment| {
        let ran = run(environment, &["versions", "--json"]);
        says(&ran, "v1.30.0 comes after v1.29.3");
        let events = ran.events();
        let finished = events.iter().filter(|event| event["event"] == "step-finished");
        assert!(finished.map(|event| event["outcome"].as_str().unwrap()).eq(["passed", "skipped", "passed"]));
        run(environment, &["versions", "-i", "version=2.0.0"]);
        environment.sluice(&["run", "versions", "-i", "version=latest"]).exits_with(2);
    }),
    ("wait-for", |environment| {
        let busy = "503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let server = Server::start(&[busy, OK]);
        let (address, url) = (format!("server={}", server.address), format!("url={}", server.url("/health")));
        let ran = run(environment, &["wait-for", "-i", &address, "-i", &url, "--json"]);
        says(&ran, "not yet: it answered with status 503");
        assert_eq!(environment.read("target/example-ready"), "up after 2 attempts\n");
        let plan = environment.sluice(&["plan", "wait-for"]).exits_with(0);
        says(&plan, "127.0.0.1:5432");
    }),
];

/// The text of every file that the run left behind.
fn all_text(environment: &Environment) -> String {
    fn walk(folder: &std::path::Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, text);
            } else if path.is_file() {
                text.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
            }
        }
    }
    let mut text = String::new();
    walk(&environment.workspace().join(".sluice"), &mut text);
    text
}

#[test]
fn every_example_runs() {
    for (name, check) in EXAMPLES {
        eprintln!("example {name}");
        check(&small_repository());
    }
}

#[test]
fn no_example_is_forgotten() {
    let on_disk: BTreeSet<String> = fs::read_dir(repository().join("workflows"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let tested: BTreeSet<String> = EXAMPLES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(tested, on_disk);
}
