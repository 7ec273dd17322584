//! Plugins from outside: a real registry, the lock that binds bytes and authority, and those who tamper with either.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::environment::{Environment, Ran, guest};
use crate::registry::Registry;
use crate::server::Server;

/// Exports the kind `task`, but cannot be run: enough for everything before a run.
const COMPONENT: &str = "(component (instance $none) (export \"sluice:plugin/task@1.0.0\" (instance $none)))";

/// A plugin with this manifest's end.
fn plugin(version: &str, capabilities: &str) -> Vec<u8> {
    let environment = Environment::new();
    environment.write("component.wasm", wat::parse_str(COMPONENT).unwrap()).write(
        "plugin.yaml",
        format!("name: put\nversion: {version}\ndescription: Puts files.\nkinds: [task]\n{capabilities}"),
    );
    environment.sluice(&["plugin", "pack", "component.wasm", "-o", "plugin.wasm"]).exits_with(0);
    fs::read(environment.workspace().join("plugin.wasm")).unwrap()
}

const FILES: &str = "capabilities:\n  - files: [\"read dist\"]\n    reason: the files to put\n";
const FILES_AND_MORE: &str = "capabilities:\n  - files: [\"read .\"]\n    reason: the files to put\n  - exec: [curl]\n    reason: \
                              uploads what is large\n";

/// Bytes that are others and mean the same.
fn changed(mut component: Vec<u8>, mark: u8) -> Vec<u8> {
    component.extend([0, 3, 1, b'x', mark]);
    component
}

fn push(environment: &Environment, component: &[u8], reference: &str) -> Ran {
    environment.write("pushed.wasm", component);
    environment.sluice(&["plugin", "push", "pushed.wasm", reference])
}

fn uses(environment: &Environment, reference: &str) {
    environment.write("sluice.yaml", format!("steps:\n  - id: it\n    uses: {reference}\n"));
}

/// The digest that the step `it` would run.
fn planned(environment: &Environment) -> String {
    let command = environment.command(&["plan", "--json"]).output().unwrap();
    let plan: Value = serde_json::from_slice(&command.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&command.stderr)));
    plan["jobs"]["main"]["steps"][0]["digest"].as_str().unwrap_or_else(|| panic!("{plan:#}")).to_owned()
}

fn cached(environment: &Environment) -> Vec<PathBuf> {
    let folder = environment.workspace().join("../cache/sluice/plugins/sha256");
    fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

fn forget(environment: &Environment) {
    cached(environment).iter().for_each(|path| fs::remove_file(path).unwrap());
}

fn steady(ran: &Ran, registry: &Registry) -> String {
    ran.whole().replace(&registry.address, "[ADDRESS]")
}

/// The digests differ from build to build of what packs the plugin.
fn without_digests(text: &str) -> String {
    let digest = |line: &str| {
        line.contains(": sha256:").then(|| line.split("sha256:").next().unwrap_or_default().to_owned() + "[DIGEST]")
    };
    text.lines().map(|line| digest(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

#[test]
fn a_plugin_is_added_and_runs() {
    let Some(registry) = Registry::start() else { return };
    let environment = Environment::new();
    let reference = registry.reference("acme/greet:1");
    push(&environment, &guest("greet.wasm"), &reference).exits_with(0);
    environment.write("sluice.yaml", format!("steps:\n  - uses: {reference}\n    with: {{args: [world]}}\n"));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    insta::assert_snapshot!("not_locked", steady(&ran, &registry));
    environment.sluice(&["lock", "--check"]).exits_with(2);
    environment.sluice(&["plugin", "add", &reference]).exits_with(0);
    environment.sluice(&["lock", "--check"]).exits_with(0);
    let ran = environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(ran.stdout.contains("hello, world"), "{}", ran.whole());
}

#[test]
fn others_read_what_we_push_and_we_read_what_others_push() {
    let Some(registry) = Registry::start() else { return };
    let environment = Environment::new();
    let noop = guest("noop.wasm");
    let ran = push(&environment, &noop, &registry.reference("acme/noop:1")).exits_with(0);
    assert!(ran.stdout.contains("acme/noop:1@sha256:"), "{}", ran.whole());
    let name = format!("{}/acme/noop:1", registry.address);
    let manifest: Value = serde_json::from_str(&registry.run("crane", &["manifest", "--insecure", &name])).unwrap();
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(manifest["annotations"]["org.opencontainers.image.title"], "noop");
    let digest = manifest["layers"][0]["digest"].as_str().unwrap();
    let blob = format!("{}/acme/noop@{digest}", registry.address);
    let fetched = registry.file("fetched", "");
    registry.run("oras", &["blob", "fetch", "--plain-http", "--output", fetched.to_str().unwrap(), &blob]);
    assert_eq!(fs::read(&fetched).unwrap(), noop);
    let again = push(&environment, &noop, &registry.reference("acme/noop:again")).exits_with(0);
    assert_eq!(again.stdout.lines().nth(1), ran.stdout.lines().nth(1), "the same bytes make the same artifact");

    // And the other way round, as an artifact, and below an index.
    registry.file("theirs.wasm", &noop);
    registry.file("config.json", "{\"architecture\":\"wasm\",\"os\":\"wasip2\"}");
    let theirs = format!("{}/theirs/noop:1", registry.address);
    let config = "config.json:application/vnd.wasm.config.v0+json";
    registry.run("oras", &["push", "--plain-http", "--config", config, &theirs, "theirs.wasm:application/wasm"]);
    let reference = registry.reference("theirs/noop:1");
    uses(&environment, &reference);
    environment.sluice(&["plugin", "add", &reference]).exits_with(0);
    environment.sluice(&["run", "--plain"]).exits_with(0);
    registry.run("oras", &["manifest", "index", "create", "--plain-http", &theirs.replace(":1", ":index"), "1"]);
    let reference = registry.reference("theirs/noop:index");
    uses(&environment, &reference);
    environment.sluice(&["lock"]).exits_with(0);
    environment.sluice(&["run", "--plain"]).exits_with(0);
    assert!(!environment.read("sluice.lock").contains("noop:1"), "what no workflow uses is dropped");
}

#[test]
fn a_tag_that_moves_moves_nothing() {
    let Some(registry) = Registry::start() else { return };
    let environment = Environment::new();
    let reference = registry.reference("acme/greet:1");
    push(&environment, &guest("greet.wasm"), &reference).exits_with(0);
    uses(&environment, &reference);
    environment.sluice(&["plugin", "add", &reference]).exits_with(0);
    let (lock, before) = (environment.read("sluice.lock"), planned(&environment));
    push(&environment, &changed(guest("greet.wasm"), b'2'), &reference).exits_with(0);
    forget(&environment);
    assert_eq!(planned(&environment), before, "the digest in the lock is what runs");
    environment.sluice(&["lock", "--check"]).exits_with(0);
    let shown = environment.sluice(&["plugin", "update", "--dry-run"]).exits_with(0);
    assert!(shown.stdout.contains("would be updated"), "{}", shown.whole());
    assert_eq!(environment.read("sluice.lock"), lock);
    environment.sluice(&["plugin", "update"]).exits_with(0);
    assert_ne!(planned(&environment), before);
    let again = environment.sluice(&["plugin", "update"]).exits_with(0);
    assert!(again.stdout.contains("unchanged"), "{}", again.whole());
}

#[test]
fn more_authority_stops_until_it_is_accepted() {
    let Some(registry) = Registry::start() else { return };
    let environment = Environment::new();
    let reference = registry.reference("acme/put:1");
    push(&environment, &plugin("1.0.0", FILES), &reference).exits_with(0);
    uses(&environment, &reference);
    let shown = environment.sluice(&["plugin", "add", &reference]).exits_with(2);
    insta::assert_snapshot!("add_shows_first", steady(&shown, &registry));
    assert!(!environment.workspace().join("sluice.lock").exists());
    environment.sluice(&["plugin", "add", &reference, "--accept"]).exits_with(0);
    let lock = environment.read("sluice.lock").replace(&registry.address, "[ADDRESS]");
    insta::assert_snapshot!("a_lock", without_digests(&lock));
    environment.sluice(&["plan"]).exits_with(0);

    // Less is quiet.
    push(&environment, &plugin("1.1.0", ""), &reference).exits_with(0);
    environment.sluice(&["plugin", "update", "--dry-run"]).exits_with(0);

    push(&environment, &plugin("2.0.0", FILES_AND_MORE), &reference).exits_with(0);
    let lock = environment.read("sluice.lock");
    let ran = environment.sluice(&["plugin", "update"]).exits_with(2);
    insta::assert_snapshot!("update_refuses", steady(&ran, &registry));
    assert_eq!(environment.read("sluice.lock"), lock);
    environment.sluice(&["plan"]).exits_with(0);
    let ran = environment.sluice(&["plugin", "update", "--json"]).exits_with(2);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json[0]["status"], "refused");
    assert_eq!(json[0]["wants"][1]["capability"], "exec");
    assert_eq!(json[0]["wants"][1]["reason"], "uploads what is large");

    // A workflow that names the new digest itself does not get around it.
    let pinned = raw_push(&environment, &plugin("2.0.0", FILES_AND_MORE), &registry.reference("acme/put:2"));
    uses(&environment, &pinned);
    for command in [&["run", "--plain"][..], &["plan"], &["check"]] {
        let ran = environment.sluice(command).exits_with(2);
        assert!(ran.stderr.contains("plan::more-authority") && ran.stderr.contains("curl"), "{}", ran.whole());
    }
    let ran = environment.sluice(&["run", "--json"]).exits_with(2);
    let events = ran.events();
    assert_eq!((events.len(), &events[0]["event"]), (1, &"refused".into()));
    assert_eq!(events[0]["problems"][0]["code"], "plan::more-authority");
    insta::assert_snapshot!("run_refuses", steady(&environment.sluice(&["run", "--plain"]), &registry));
    let ran = environment.sluice(&["check", "--json"]).exits_with(2);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&json[0]["code"], &json[0]["line"]), (&"plan::more-authority".into(), &3.into()));
    assert!(json[0]["causes"].to_string().contains("new: exec `curl`, because: uploads what is large"), "{json:#}");

    uses(&environment, &reference);
    let ran = environment.sluice(&["plugin", "update", "--accept", "put"]).exits_with(0);
    assert!(ran.stdout.contains("put 1.0.0 -> put 2.0.0: updated"), "{}", ran.whole());
    assert!(ran.stdout.contains("\n  accepted: new: exec `curl`, because: uploads what is large\n"), "{}", ran.whole());
    environment.sluice(&["plan"]).exits_with(0);
    uses(&environment, &pinned);
    environment.sluice(&["plan"]).exits_with(0);
    environment.sluice(&["lock", "--check"]).exits_with(2);
    environment.sluice(&["lock"]).exits_with(0);
    environment.sluice(&["lock", "--check"]).exits_with(0);
    environment.sluice(&["plugin", "remove", "put"]).exits_with(0);
    assert!(!environment.workspace().join("sluice.lock").exists());
}

/// Pushes, and gives the reference with its digest.
fn raw_push(environment: &Environment, component: &[u8], reference: &str) -> String {
    environment.write("pushed.wasm", component);
    let output = environment.command(&["plugin", "push", "pushed.wasm", reference]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().next().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

#[test]
fn what_was_tampered_with_does_not_run() {
    let Some(registry) = Registry::start() else { return };
    let environment = Environment::new();
    let reference = registry.reference("acme/put:1");
    push(&environment, &plugin("1.0.0", FILES), &reference).exits_with(0);
    uses(&environment, &reference);
    environment.sluice(&["plugin", "add", &reference, "--accept"]).exits_with(0);
    let before = planned(&environment);

    // The cache: fetched again, or refused where nothing can be fetched.
    let poison = || cached(&environment).iter().for_each(|path| fs::write(path, "poison").unwrap());
    poison();
    let ran = environment.sluice(&["plan", "--offline"]).exits_with(2);
    assert!(ran.stderr.contains("plugin::not-fetched"), "{}", ran.whole());
    assert_eq!(planned(&environment), before);
    assert_eq!(environment.sluice(&["plan", "--offline"]).code, 0, "it is in the cache again");

    // The lock: an entry that allows more than the bytes declare would make the next update quiet.
    let lock = environment.read("sluice.lock");
    environment.write("sluice.lock", lock.replace("read dist", "write ."));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    insta::assert_snapshot!("tampered_lock", steady(&ran, &registry));
    let other = lock.replace(&before["sha256:".len()..], &"ab".repeat(32));
    environment.write("sluice.lock", other);
    environment.sluice(&["run", "--plain"]).exits_with(2);
    environment.write("sluice.lock", "version: 1\nplugins:\n  - source: lint\n    digest: 5\n");
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("sluice.lock:3:13") && ran.stderr.contains("sluice.lock:4:13"), "{}", ran.whole());
    environment.write("sluice.lock", &lock);

    // The registry itself.
    forget(&environment);
    fs::write(registry.blob(&before["sha256:".len()..]), plugin("9.9.9", FILES_AND_MORE)).unwrap();
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(!ran.stderr.contains("9.9.9"), "{}", ran.whole());
}

#[test]
fn vendored_plugins_need_no_network() {
    let environment = Environment::new();
    let (reference, before) = {
        let Some(registry) = Registry::start() else { return };
        let reference = registry.reference("acme/noop:1");
        push(&environment, &guest("noop.wasm"), &reference).exits_with(0);
        uses(&environment, &reference);
        environment.sluice(&["plugin", "add", &reference]).exits_with(0);
        environment.sluice(&["plugin", "vendor"]).exits_with(0);
        (reference, planned(&environment))
    };
    assert!(environment.read("sluice.lock").contains("vendor: \"vendor/plugins\""));
    std::os::unix::fs::symlink(environment.home(), environment.workspace().join("link")).unwrap();
    for folder in ["../x", "/tmp", "link"] {
        let ran = environment.sluice(&["plugin", "vendor", "--to", folder]).exits_with(2);
        assert!(ran.stderr.contains("plugin::not-written"), "{folder}: {}", ran.whole());
    }
    forget(&environment);
    environment.sluice(&["run", "--plain", "--offline"]).exits_with(0);
    assert_eq!(planned(&environment), before);
    let file = format!("vendor/plugins/{}", &before["sha256:".len()..]);
    environment.write(&file, changed(guest("noop.wasm"), b'x'));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("plugin::wrong-digest"), "{}", ran.whole());
    fs::remove_file(environment.workspace().join(&file)).unwrap();
    let mut environment = environment;
    environment.variable("SLUICE_OFFLINE", "1");
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("plugin::not-fetched") && ran.stderr.contains(&reference), "{}", ran.whole());
}

#[test]
fn a_registry_is_told_who_we_are() {
    let Some(registry) = Registry::with_password() else { return };
    let mut environment = Environment::new();
    let reference = registry.reference("acme/noop:1");
    let ran = push(&environment, &guest("noop.wasm"), &reference).exits_with(2);
    assert!(ran.stderr.contains("docker login") && ran.stderr.contains("401"), "{}", ran.whole());

    let config = |content: &str| {
        let folder = environment.home().join(".docker");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.json"), content.replace("ADDRESS", &registry.address)).unwrap();
    };
    config("{\"auths\": {\"ADDRESS\": {\"auth\": \"dXNlcjp3cm9uZw==\"}}}");
    let ran = push(&environment, &guest("noop.wasm"), &reference).exits_with(2);
    assert!(!ran.stderr.contains("dXNl") && !ran.stderr.contains("wrong"), "{}", ran.whole());
    config("{\"auths\": {\"ADDRESS\": {\"auth\": \"dXNlcjpwYXNzd29yZA==\"}}}");
    push(&environment, &guest("noop.wasm"), &reference).exits_with(0);
    uses(&environment, &reference);
    environment.sluice(&["plugin", "add", &reference]).exits_with(0);
    environment.sluice(&["run", "--plain"]).exits_with(0);

    // A credential helper, which is never one of the workspace.
    config("{\"credHelpers\": {\"ADDRESS\": \"test\"}}");
    forget(&environment);
    let helper = "#!/bin/sh\n[ \"$1\" = get ] && cat >\"$HOME/asked\"\nprintf \
                  '{\"ServerURL\": \"x\", \"Username\": \"user\", \"Secret\": \"password\"}'\n";
    let place = |folder: PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("docker-credential-test");
        fs::write(&program, helper).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        folder
    };
    let planted = place(environment.workspace().join("bin"));
    let real = place(environment.home().join("bin"));
    let path = std::env::var("PATH").unwrap();
    environment.variable("PATH", &format!("{}:{path}", planted.display()));
    let ran = environment.sluice(&["plan"]).exits_with(2);
    assert!(ran.stderr.contains("docker-credential-test"), "{}", ran.whole());
    assert!(!environment.home().join("asked").exists(), "the planted helper ran");
    environment.variable("PATH", &format!("{}:{}:{path}", planted.display(), real.display()));
    environment.sluice(&["plan"]).exits_with(0);
    assert_eq!(fs::read_to_string(environment.home().join("asked")).unwrap(), registry.address);
}

const HEX: &str = "abababababababababababababababababababababababababababababababab";

/// A component whose bytes are all ASCII, so that the small server can serve it.
fn ascii() -> String {
    let environment = Environment::new();
    environment
        .write("component.wasm", wat::parse_str(COMPONENT).unwrap())
        .write("plugin.yaml", "name: x\nversion: 0.1.0\ndescription: x\nkinds: [task]\n");
    environment.sluice(&["plugin", "pack", "component.wasm", "-o", "plugin.wasm"]).exits_with(0);
    environment.read("plugin.wasm")
}

fn answer(body: &str) -> String {
    format!("200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[test]
fn a_file_of_a_web_server_is_checked_against_its_digest() {
    let environment = Environment::new();
    let server = Server::start(&[&answer(&ascii())]);
    let url = server.url("/x.wasm");
    uses(&environment, &format!("{url}@sha256:{HEX}"));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("plugin::wrong-digest"), "{}", ran.whole());
    uses(&environment, &url);
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("plan::not-locked"), "{}", ran.whole());
    assert_eq!(server.requests().len(), 1, "what is not locked is not even asked for");
    environment.sluice(&["plugin", "add", &url]).exits_with(0);
    environment.sluice(&["plan"]).exits_with(0);
    assert_eq!(server.requests().len(), 2, "what is in the cache is not asked for again");
    forget(&environment);
    environment.sluice(&["plan"]).exits_with(0);
    let pinned = format!("{url}@{}", planned(&environment));
    fs::remove_file(environment.workspace().join("sluice.lock")).unwrap();
    uses(&environment, &pinned);
    environment.sluice(&["plan"]).exits_with(0);
}

#[test]
fn what_is_too_large_is_not_read_to_its_end() {
    let environment = Environment::new();
    let long = answer(&"x".repeat((1 << 20) + 1));
    let registry = Server::start(&[&long]);
    let ran = environment.sluice(&["plugin", "add", &format!("oci://{}/x:1", registry.address)]).exits_with(2);
    assert!(ran.unwrapped().contains("its manifest is larger than 1024 KiB"), "{}", ran.whole());
    let endless = "200 OK\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n";
    let server = Server::start(&[&format!("{endless}{}", "x".repeat((64 << 20) + 70_000))]);
    let ran = environment.sluice(&["plugin", "add", &server.url("/x.wasm")]).exits_with(2);
    assert!(ran.stderr.contains("plugin::too-large"), "{}", ran.whole());
    let around = Server::with(|request| {
        let next = format!("/again{}", request.path);
        format!("302 Found\r\nLocation: {next}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let ran = environment.sluice(&["plugin", "add", &around.url("/x.wasm")]).exits_with(2);
    assert!(ran.unwrapped().contains("leads from one place to the next"), "{}", ran.whole());
    assert_eq!(around.requests().len(), 6);
}

/// A registry that lives elsewhere gets nothing that is for this one.
#[test]
fn credentials_and_tokens_go_nowhere_else() {
    let body = ascii();
    let digest = {
        let environment = Environment::new();
        environment.write("x.wasm", &body);
        let output = environment.command(&["plugin", "show", "./x.wasm", "--json"]).output().unwrap();
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        shown["digest"].as_str().unwrap().to_owned()
    };
    let manifest = format!(
        "{{\"schemaVersion\":2,\"config\":{{}},\"layers\":[{{\"mediaType\":\"application/wasm\",\"digest\":\"{digest}\",\"size\":9}}]}}"
    );
    let elsewhere = Server::start(&[&answer(&body)]);
    let tokens = Server::start(&[&answer("{\"token\": \"t0ken\"}")]);
    let (blobs, realm) = (elsewhere.url("/blob"), tokens.url("/token?x=1"));
    let registry = Server::with(move |request| {
        if request.header("authorization") != Some("Bearer t0ken") {
            return format!(
                "401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"{realm}\",service=\"a b\",scope=\"repository:other:push\"\r\nContent-Length: \
                 0\r\nConnection: close\r\n\r\n"
            );
        }
        match request.path.contains("/manifests/") {
            true => answer(&manifest),
            false => format!("307 Temporary\r\nLocation: {blobs}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        }
    });
    let environment = Environment::new();
    fs::create_dir_all(environment.home().join(".docker")).unwrap();
    let config = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"dXNlcjpwYXNzd29yZA==\"}}}}}}", registry.address);
    fs::write(environment.home().join(".docker/config.json"), config).unwrap();
    environment.sluice(&["plugin", "add", &format!("oci://{}/acme/x:1", registry.address)]).exits_with(0);
    let asked = &tokens.requests()[0];
    assert_eq!(asked.path, "/token?x=1&service=a%20b&scope=repository%3Aacme%2Fx%3Apull", "only what is needed");
    assert_eq!(asked.header("authorization"), Some("Basic dXNlcjpwYXNzd29yZA=="));
    assert_eq!(elsewhere.requests()[0].header("authorization"), None);
    assert!(
        registry
            .requests()
            .iter()
            .all(|request| !request.header("authorization").is_some_and(|value| value.starts_with("Basic")))
    );
}

#[test]
fn what_is_no_plugin_is_refused_when_it_is_added() {
    let Some(registry) = Registry::start() else { return };
    let environment = Environment::new();
    let manifest = "name: x\nversion: 0.1.0\ndescription: x\nkinds: [task]\n";
    let section = |text: &str| {
        let name = "sluice:manifest";
        let mut section = vec![0];
        let size = 1 + name.len() + text.len();
        let leb = |mut value: usize, out: &mut Vec<u8>| loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            out.push(if value == 0 { low } else { low | 0x80 });
            if value == 0 {
                break;
            }
        };
        leb(size, &mut section);
        section.push(name.len() as u8);
        section.extend(name.bytes().chain(text.bytes()));
        section
    };
    let component = wat::parse_str(COMPONENT).unwrap();
    let with = |parts: &[Vec<u8>]| [component.clone(), parts.concat()].concat();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("core", wat::parse_str("(module)").unwrap(), "plugin::not-a-component"),
        ("elf", fs::read(crate::environment::binary()).unwrap()[..4096].to_vec(), "plugin::native-code"),
        ("twice", with(&[section(manifest), section(manifest)]), "plugin::second-manifest"),
        ("long", with(&[section(&"#".repeat(70_000))]), "plugin::manifest-too-large"),
        ("none", component.clone(), "plan::no-manifest"),
        ("wrong", with(&[section("name: X")]), "plugin::manifest"),
        ("empty", Vec::new(), "plugin::not-a-component"),
    ];
    for (name, bytes, code) in cases {
        registry.file("x.wasm", &bytes);
        let target = format!("{}/bad/{name}:1", registry.address);
        registry.run("oras", &["push", "--plain-http", &target, "x.wasm:application/wasm"]);
        let ran = environment.sluice(&["plugin", "add", &format!("oci://{target}"), "--accept"]).exits_with(2);
        assert!(ran.stderr.contains(code), "{name}: {}", ran.whole());
        assert!(!environment.workspace().join("sluice.lock").exists(), "{name}");
    }
    registry.file("x.txt", "hello");
    let target = format!("{}/bad/text:1", registry.address);
    registry.run("oras", &["push", "--plain-http", &target, "x.txt:text/plain"]);
    let ran = environment.sluice(&["plugin", "add", &format!("oci://{target}")]).exits_with(2);
    assert!(ran.unwrapped().contains("no layer of the type `application/wasm`"), "{}", ran.whole());
    let ran = environment.sluice(&["plugin", "add", &registry.reference("no/such:1")]).exits_with(2);
    assert!(ran.stderr.contains("has no such artifact"), "{}", ran.whole());
    for reference in ["lint", "oci://x", "ftp://x/y", "http://example.org/x.wasm"] {
        let ran = environment.sluice(&["plugin", "add", reference]).exits_with(2);
        assert!(ran.stderr.contains("plugin::bad-reference"), "{}", ran.whole());
    }
}

#[test]
fn a_file_that_the_lock_names_does_not_change_unseen() {
    let environment = Environment::new();
    environment.write("tools/put.wasm", plugin("1.0.0", FILES));
    uses(&environment, "./tools/put.wasm");
    environment.sluice(&["plan"]).exits_with(0);
    environment.sluice(&["lock", "--check"]).exits_with(0);
    environment.sluice(&["plugin", "add", "tools/put.wasm", "--accept"]).exits_with(0);
    environment.sluice(&["plan"]).exits_with(0);
    environment.write("tools/put.wasm", plugin("1.0.1", FILES));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("plan::lock-digest"), "{}", ran.whole());
    environment.sluice(&["lock", "--check"]).exits_with(2);
    environment.sluice(&["plugin", "update"]).exits_with(0);
    environment.sluice(&["lock", "--check"]).exits_with(0);
    environment.write("tools/put.wasm", plugin("2.0.0", FILES_AND_MORE));
    let ran = environment.sluice(&["run", "--plain"]).exits_with(2);
    assert!(ran.stderr.contains("plan::more-authority"), "{}", ran.whole());
    environment.sluice(&["plugin", "update", "put"]).exits_with(2);
    environment.sluice(&["plugin", "update", "--accept", "put"]).exits_with(0);
    environment.sluice(&["plan"]).exits_with(0);
}

/// The real `cosign` signs, in both of its formats.
#[test]
fn a_signature_is_checked_with_a_key() {
    let Some(registry) = Registry::start() else { return };
    let environment = Environment::new();
    let reference = registry.reference("acme/noop:1");
    let pinned = raw_push(&environment, &guest("noop.wasm"), &reference);
    let other = raw_push(&environment, &changed(guest("noop.wasm"), b'2'), &registry.reference("acme/noop:2"));
    registry.run("cosign", &["generate-key-pair"]);
    let key = registry.read("cosign.pub");
    environment.write("cosign.pub", &key);
    let verify = |reference: &str| environment.sluice(&["plugin", "verify", reference, "--key", "cosign.pub"]);
    let ran = verify(&pinned).exits_with(2);
    assert!(ran.stderr.contains("it is not signed"), "{}", ran.whole());

    registry.run("cosign", &["signing-config", "create", "--out", "nothing.json"]);
    let artifact = |pinned: &str| pinned.trim_start_matches("oci://").to_owned();
    let sign = |pinned: &str, more: &[&str]| {
        let always = ["sign", "--yes", "--key", "cosign.key", "--allow-http-registry", "--allow-insecure-registry"];
        let artifact = artifact(pinned);
        registry.run("cosign", &[&always[..], more, &[artifact.as_str()]].concat());
    };
    sign(&pinned, &["--signing-config", "nothing.json"]);
    let ran = verify(&pinned).exits_with(0);
    assert!(ran.stdout.contains("is signed"), "{}", ran.whole());
    verify(&reference).exits_with(0);
    verify(&other).exits_with(2);
    sign(&other, &["--use-signing-config=false", "--new-bundle-format=false", "--tlog-upload=false"]);
    verify(&other).exits_with(0);

    // Another key signed nothing.
    registry.run("rm", &["cosign.key", "cosign.pub"]);
    registry.run("cosign", &["generate-key-pair"]);
    environment.write("cosign.pub", registry.read("cosign.pub"));
    let ran = verify(&pinned).exits_with(2);
    assert!(ran.unwrapped().contains("none of its signatures counts: it is not by this key"), "{}", ran.whole());
    environment.write("cosign.pub", "no key");
    assert!(verify(&pinned).exits_with(2).stderr.contains("plugin::bad-key"));

    // The lock says which artifact is meant, wherever the tag has moved.
    environment.write("cosign.pub", &key);
    uses(&environment, &reference);
    environment.sluice(&["plugin", "add", &reference]).exits_with(0);
    push(&environment, &changed(guest("noop.wasm"), b'3'), &reference).exits_with(0);
    verify(&reference).exits_with(0);
    // A lock that names the signed artifact beside other bytes is found out.
    let lock = environment.read("sluice.lock");
    let signed = lock.lines().find_map(|line| line.trim().strip_prefix("oci-manifest: ")).unwrap().to_owned();
    let third = raw_push(&environment, &changed(guest("noop.wasm"), b'4'), &registry.reference("acme/noop:4"));
    uses(&environment, &third);
    environment.sluice(&["lock"]).exits_with(0);
    let other = environment.read("sluice.lock");
    let digest = other.lines().find_map(|line| line.trim().strip_prefix("digest: ")).unwrap();
    let locked = lock.lines().find_map(|line| line.trim().strip_prefix("digest: ")).unwrap();
    environment.write("sluice.lock", lock.replace(locked, digest));
    assert!(environment.read("sluice.lock").contains(&signed));
    let ran = verify(&reference).exits_with(2);
    assert!(ran.stderr.contains("plugin::wrong-digest"), "{}", ran.whole());
    environment.write("sluice.lock", lock);

    // A policy wants it signed: by this key, by another one, by one that is not there.
    let policy = |key: &str| {
        let from = format!("oci://{}/acme/*", registry.address);
        environment.write(
            "sluice-policy.yaml",
            format!("version: 1\nplugins: [{{from: \"{from}\", signer: {{key: {key}}}}}]\n"),
        );
        environment.sluice(&["plan"])
    };
    uses(&environment, &reference);
    policy("cosign.pub").exits_with(0);
    environment.write("other.pub", registry.read("cosign.pub"));
    let ran = policy("other.pub").exits_with(2);
    assert!(ran.unwrapped().contains("asks for a signature by `other.pub`"), "{}", ran.whole());
    assert!(policy("nowhere.pub").exits_with(2).unwrapped().contains("the key cannot be used"));
    fs::remove_file(environment.workspace().join("sluice-policy.yaml")).unwrap();

    // Signatures that were fetched are kept, and vendored with the bytes.
    environment.sluice(&["plugin", "vendor"]).exits_with(0);
    drop(registry);
    verify(&reference).exits_with(0);
    forget(&environment);
    verify(&reference).exits_with(0);
    fs::remove_dir_all(environment.workspace().join("vendor")).unwrap();
    verify(&reference).exits_with(2);
}
