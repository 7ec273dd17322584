//! Plugins that are signed without a key: an identity, a certificate for it, an entry in a log. The real `cosign` is asked
//! about every signature too.

mod instance;

use std::process::Command;

use serde_json::json;

use crate::environment::{Environment, Ran, guest};
use crate::registry::{Registry, program};
use instance::{Instance, Wrong};

const WORKFLOW: &str = "https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/v1.0";
const RELEASES: &str = "https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/*";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A registry, an instance of Sigstore, and its roots in the workspace and beside the registry, as `cosign` writes them.
struct World {
    registry: Registry,
    instance: Instance,
    environment: Environment,
}

impl World {
    fn new() -> Option<Self> {
        let world = Self { registry: Registry::start()?, instance: Instance::new(), environment: Environment::new() };
        for (name, content) in world.instance.files() {
            world.registry.file(name, content);
        }
        let since = "start-time=2024-01-01T00:00:00Z";
        let service = |flag: &str, part: &str, file: &str| {
            format!("--{flag}=url=https://{flag}.example.org,{part}={file},{since}")
        };
        world.registry.run(
            "cosign",
            &[
                "trusted-root",
                "create",
                &service("fulcio", "certificate-chain", "fulcio.pem"),
                &service("ctfe", "public-key", "ct.pub"),
                &service("rekor", "public-key", "rekor.pub"),
                "--out=roots.json",
            ],
        );
        world.environment.write("roots.json", world.registry.read("roots.json"));
        Some(world)
    }

    /// A plugin of its own in the registry; its reference has the digest of its manifest.
    fn push(&self, name: &str) -> String {
        let mut component = guest("noop.wasm");
        component.extend([0, u8::try_from(name.len() + 2).unwrap(), 1, b'x']);
        component.extend(name.as_bytes());
        self.environment.write("pushed.wasm", component);
        let reference = self.registry.reference(&format!("acme/{name}:1"));
        let output = self.environment.command(&["plugin", "push", "pushed.wasm", &reference]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().next().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr))).to_owned()
    }

    fn sign(&self, artifact: &str, identity: &str, issuer: &str, wrong: Wrong) {
        let (_, manifest) = artifact.split_once("@sha256:").unwrap();
        self.attach(artifact, &self.instance.sign(manifest, identity, issuer, wrong).to_string());
    }

    /// As `cosign sign` attaches it.
    fn attach(&self, artifact: &str, bundle: &str) {
        self.registry.file("bundle.json", bundle);
        let file = format!("bundle.json:{BUNDLE}");
        let artifact = artifact.trim_start_matches("oci://");
        self.registry.run("oras", &["attach", "--plain-http", "--artifact-type", BUNDLE, artifact, &file]);
    }

    /// As an older `cosign sign` did it.
    fn sign_older(&self, artifact: &str, wrong: Wrong) {
        let (name, manifest) = artifact.trim_start_matches("oci://").split_once("@sha256:").unwrap();
        let parts = self.instance.sign_older(manifest, WORKFLOW, GITHUB, wrong);
        let flags = parts.map(|(flag, content)| format!("--{flag}={}", self.registry.file(flag, content).display()));
        let pinned = format!("{name}@sha256:{manifest}");
        let mut arguments = vec!["attach", "signature", "--allow-http-registry"];
        arguments.extend(flags.iter().map(String::as_str));
        arguments.push(&pinned);
        self.registry.run("cosign", &arguments);
    }

    fn verify(&self, artifact: &str, identity: &str, issuer: &str) -> Ran {
        let signer = ["--identity", identity, "--issuer", issuer, "--roots", "roots.json"];
        self.environment.sluice(&[&["plugin", "verify", artifact][..], &signer].concat())
    }

    /// What `cosign` thinks of it; the error is what it says.
    fn cosign(&self, artifact: &str, identity: &str, issuer: &str) -> Result<(), String> {
        let output = Command::new(program("cosign").unwrap())
            .args(["verify", "--allow-http-registry", "--trusted-root", "roots.json"])
            .args(["--certificate-identity", identity, "--certificate-oidc-issuer", issuer])
            .arg(artifact.trim_start_matches("oci://"))
            .current_dir(self.environment.workspace())
            .env("HOME", self.environment.home())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("dial tcp"), "no verdict, but the want of a network: {said}");
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

/// Whether it says this, wherever its lines end.
fn says(ran: &Ran, text: &str) -> bool {
    ran.unwrapped().replace(' ', "").contains(&text.replace(' ', ""))
}

/// Each part of a signature bent once. Whatever `cosign` refuses is refused, and what it takes is taken.
#[test]
fn a_keyless_signature_counts_as_it_does_for_cosign() {
    let Some(world) = World::new() else { return };
    for (wrong, reason) in [
        (Wrong::Nothing, ""),
        (Wrong::Authority, "its certificate does not count: certificate chain is invalid"),
        (Wrong::Usage, "its certificate does not count: certificate chain is invalid"),
        (Wrong::NotLogged, "its certificate does not count: invalid signed certificate timestamp"),
        (Wrong::LoggedBySelf, "its certificate does not count: invalid signed certificate timestamp"),
        (Wrong::Late, "its certificate does not count"),
        (Wrong::Undated, "nobody who is trusted says when it was made"),
        (Wrong::Date, "its entry in the log does not count: invalid inclusion promise"),
        (Wrong::Proof, "its entry in the log does not count: invalid inclusion proof"),
        (Wrong::Head, "its entry in the log does not count: invalid checkpoint"),
        (Wrong::Entry, "its entry in the log does not count: log entry does not match the bundle"),
        (Wrong::Signature, "it is not by the key in its certificate"),
        (Wrong::Payload, "it is not by the key in its certificate"),
    ] {
        let artifact = world.push(&format!("{wrong:?}").to_lowercase());
        world.sign(&artifact, WORKFLOW, GITHUB, wrong);
        let cosign = world.cosign(&artifact, WORKFLOW, GITHUB);
        assert_eq!(cosign.is_ok(), wrong == Wrong::Nothing, "{wrong:?}: {cosign:?}");
        let ran = world.verify(&artifact, WORKFLOW, GITHUB).exits_with(if cosign.is_ok() { 0 } else { 2 });
        assert!(says(&ran, reason), "{wrong:?}: {}", ran.whole());
    }
}

/// The older format has no proof, but the log's signed promise to keep the entry.
#[test]
fn the_older_format_counts_too() {
    let Some(world) = World::new() else { return };
    for (wrong, reason) in [
        (Wrong::Nothing, ""),
        (Wrong::Authority, "its certificate does not count: certificate chain is invalid"),
        (Wrong::Usage, "its certificate does not count: certificate chain is invalid"),
        (Wrong::NotLogged, "its certificate does not count: invalid signed certificate timestamp"),
        (Wrong::LoggedBySelf, "its certificate does not count: invalid signed certificate timestamp"),
        (Wrong::Late, "its certificate does not count"),
        (Wrong::Date, "its entry in the log does not count: invalid inclusion promise"),
        (Wrong::Entry, "its entry in the log does not count: log entry does not match the bundle"),
        (Wrong::Signature, "it is not by the key in its certificate"),
        (Wrong::Payload, "it is not by the key in its certificate"),
    ] {
        let artifact = world.push(&format!("{wrong:?}").to_lowercase());
        world.sign_older(&artifact, wrong);
        let cosign = world.cosign(&artifact, WORKFLOW, GITHUB);
        assert_eq!(cosign.is_ok(), wrong == Wrong::Nothing, "{wrong:?}: {cosign:?}");
        let ran = world.verify(&artifact, WORKFLOW, GITHUB).exits_with(if cosign.is_ok() { 0 } else { 2 });
        assert!(says(&ran, reason), "{wrong:?}: {}", ran.whole());
        world.verify(&artifact, RELEASES, GITHUB).exits_with(if cosign.is_ok() { 0 } else { 2 });
    }
}

/// Who signed matters, and of what.
#[test]
fn a_signature_by_somebody_else_does_not_count() {
    let Some(world) = World::new() else { return };
    let artifact = world.push("greet");
    let ran = world.verify(&artifact, WORKFLOW, GITHUB).exits_with(2);
    assert!(says(&ran, "it is not signed"), "{}", ran.whole());
    world.sign(&artifact, WORKFLOW, GITHUB, Wrong::Nothing);
    let gitlab = "https://gitlab.com";
    let main = WORKFLOW.replace("tags/v1.0", "heads/main");
    for (identity, issuer) in [(WORKFLOW, gitlab), (&main, GITHUB), ("me@example.org", GITHUB)] {
        world.cosign(&artifact, identity, issuer).unwrap_err();
        let ran = world.verify(&artifact, identity, issuer).exits_with(2);
        let who = format!("none of its signatures counts: it is by `{WORKFLOW}` of `{GITHUB}`");
        assert!(says(&ran, &who), "{}", ran.whole());
    }
    world.verify(&artifact, RELEASES, GITHUB).exits_with(0);
    world.verify(&artifact, "https://github.com/acme/greet/*", GITHUB).exits_with(0);
    world.verify(&artifact, "https://github.com/acme/gre/*", GITHUB).exits_with(2);

    // The public instance knows nothing of it, and another artifact is another artifact.
    let public = ["plugin", "verify", &artifact, "--identity", WORKFLOW, "--issuer", GITHUB];
    let ran = world.environment.sluice(&public).exits_with(2);
    assert!(says(&ran, "none of its signatures counts"), "{}", ran.whole());
    let other = world.push("other");
    let (_, manifest) = artifact.split_once("@sha256:").unwrap();
    world.attach(&other, &world.instance.sign(manifest, WORKFLOW, GITHUB, Wrong::Nothing).to_string());
    world.cosign(&other, WORKFLOW, GITHUB).unwrap_err();
    let ran = world.verify(&other, WORKFLOW, GITHUB).exits_with(2);
    assert!(says(&ran, "it is of another artifact"), "{}", ran.whole());

    // One that does not count beside one that does is passed over.
    world.sign(&other, "me@example.org", "https://accounts.google.com", Wrong::Nothing);
    world.cosign(&other, "me@example.org", "https://accounts.google.com").unwrap();
    let ran = world.verify(&other, "me@example.org", "https://accounts.google.com").exits_with(0);
    insta::assert_snapshot!(ran.whole().replace(&world.registry.address, "[ADDRESS]"), @r#"
    exit code: 0
    ----- stdout
    oci://[ADDRESS]/acme/other:1@sha256:[DIGEST] is signed
      artifact  sha256:[DIGEST]
      identity  me@example.org
      issuer    https://accounts.google.com
    "#);
}

#[test]
fn a_policy_asks_for_an_identity() {
    let Some(world) = World::new() else { return };
    let environment = &world.environment;
    let artifact = world.push("greet");
    world.sign(&artifact, WORKFLOW, GITHUB, Wrong::Nothing);
    environment.write("sluice.yaml", format!("steps:\n  - id: it\n    uses: {artifact}\n"));
    environment.sluice(&["plugin", "add", &artifact]).exits_with(0);
    let policy = |signer: &str| {
        let rule = format!("{{from: \"oci://{}/acme/*\", signer: {{{signer}}}}}", world.registry.address);
        environment.write("sluice-policy.yaml", format!("version: 1\nplugins: [{rule}]\n"));
        environment.sluice(&["run", "--plain"])
    };
    let roots = format!("issuer: \"{GITHUB}\", roots: roots.json");
    policy(&format!("identity: \"{RELEASES}\", {roots}")).exits_with(0);
    let main = WORKFLOW.replace("tags/v1.0", "heads/main");
    let steady = |ran: Ran| ran.stderr.replace(&world.registry.address, "[ADDRESS]");
    insta::assert_snapshot!(steady(policy(&format!("identity: \"{main}\", {roots}")).exits_with(2)), @r#"
    plan::policy

      × step `it` uses the plugin `oci://[ADDRESS]/acme/
      │ greet:1@sha256:[DIGEST]`, which the policy does not permit
      ╰─▶ sluice-policy.yaml:2:11 asks for a signature by `https://github.com/acme/greet/.github/workflows/
          release.yaml@refs/heads/main` of `https://token.actions.githubusercontent.com`: none of its signatures counts:
          it is by `https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/v1.0` of `https://
          token.actions.githubusercontent.com`
       ╭─[sluice.yaml:3:11]
     2 │   - id: it
     3 │     uses: oci://[ADDRESS]/acme/greet:1@sha256:[DIGEST]
       ·           ─────────────────────────────────────────────────────┬────────────────────────────────────────────────────
       ·                                                                ╰── a plugin that may not run
       ╰────
      help: if it should run: have it signed, or name its `digest` instead of its `signer` in `sluice-policy.yaml`
    "#);
    // No roots: those of the public instance.
    policy(&format!("identity: \"{WORKFLOW}\", issuer: \"{GITHUB}\"")).exits_with(2);
    let empty = json!({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": [],
        "certificateAuthorities": [], "ctlogs": [], "timestampAuthorities": []});
    environment.write("empty.json", empty.to_string());
    for (roots, reason) in [
        ("nowhere.json", "the trusted roots cannot be used: No such file"),
        ("../roots.json", "the trusted roots cannot be used"),
        ("sluice.yaml", "the trusted roots cannot be used: they cannot be read"),
        ("empty.json", "the trusted roots cannot be used: they name no authority of certificates"),
    ] {
        let ran = policy(&format!("identity: \"{WORKFLOW}\", issuer: \"{GITHUB}\", roots: {roots}")).exits_with(2);
        assert!(says(&ran, reason), "{roots}: {}", ran.whole());
    }
    insta::assert_snapshot!(steady(policy("key: acme.pub, identity: me@example.org").exits_with(2)), @r#"
    policy::plugin

      × `signer` has both `key` and `identity`
       ╭─[sluice-policy.yaml:2:74]
     1 │ version: 1
     2 │ plugins: [{from: "oci://[ADDRESS]/acme/*", signer: {key: acme.pub, identity: me@example.org}}]
       ·                                                                          ────┬───
       ·                                                                              ╰── a signature is by a key or by an identity
       ╰────
      help: write two items of `plugins`, if either of them is enough
    "#);

    // What was fetched is kept and vendored; nothing of it needs a network.
    environment.sluice(&["plugin", "vendor"]).exits_with(0);
    let identity = format!("identity: \"{WORKFLOW}\", {roots}");
    policy(&identity).exits_with(0);
    let World { registry, environment, .. } = world;
    drop(registry);
    std::fs::remove_dir_all(environment.workspace().join("../cache/sluice/plugins")).unwrap();
    environment.sluice(&["run", "--plain", "--offline"]).exits_with(0);
}

#[test]
fn what_names_no_signer_is_refused() {
    let environment = Environment::new();
    environment.write("roots.json", "-----BEGIN CERTIFICATE-----");
    let verify =
        |more: &[&str]| environment.sluice(&[&["plugin", "verify", "oci://127.0.0.1:1/acme/greet:1"], more].concat());
    let bad = ["--identity", "https://github.com/acme*", "--issuer", GITHUB, "--roots", "roots.json"];
    insta::assert_snapshot!(verify(&bad).exits_with(2).stderr, @r#"
    plugin::bad-signer

      × `https://github.com/acme*` is no identity
      ╰─▶ could be somebody with a similar name; a `*` stands behind a `/`, or behind `@refs/`
      help: write it whole; the releases of one workflow are `https://github.com/acme/greet/.github/workflows/
            release.yaml@refs/tags/*`

    plugin::bad-signer

      × cannot use the trusted roots `roots.json`
      ╰─▶ they cannot be read: failed to parse JSON: invalid number at line 1 column 2
      help: get those of the public instance with `cosign trusted-root create --with-default-services`

    2 problems
    "#);
    for (arguments, complaint) in [
        (&["--identity", "me@example.org"][..], "--issuer"),
        (&["--issuer", GITHUB], "--identity"),
        (&["--key", "a.pub", "--identity", "me@example.org", "--issuer", GITHUB], "cannot be used with"),
        (&["--key", "a.pub", "--roots", "roots.json"], "cannot be used with"),
        (&[], "--key"),
    ] {
        let ran = verify(arguments).exits_with(2);
        assert!(ran.stderr.contains(complaint), "{}", ran.whole());
    }
}
