//! Whose signatures a policy asks for.

use sluice_model::{Digest, PluginRef};

use super::*;

const WORKFLOW: &str = "https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/*";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

#[test]
fn keys_and_identities_are_read() {
    let policy = format!(
        "version: 1\nplugins:\n- {{from: oci://a/*, signer: {{key: acme.pub}}}}\n- {{from: oci://b/*, signer: {{identity: \
         \"{WORKFLOW}\", issuer: \"{GITHUB}\"}}}}\n- {{from: oci://c/*, signer: {{identity: me@example.org, issuer: \
         \"http://127.0.0.1:5556\", roots: keys/roots.json}}}}\n"
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&layer(&policy).to_json()).unwrap(), @r#"
    {
      "plugins": [
        "oci://a/* signed by acme.pub",
        "oci://b/* signed keyless by https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/* of https://token.actions.githubusercontent.com",
        "oci://c/* signed keyless by me@example.org of http://127.0.0.1:5556 by the roots in keys/roots.json"
      ]
    }
    "#);
}

#[test]
fn an_answer_is_for_one_signer() {
    let reference = PluginRef::parse("oci://ghcr.io/acme/x:1").unwrap();
    let candidate = Candidate { reference: &reference, digest: Digest::from_bytes([1; 32]) };
    let rule = |identity: &str| {
        format!("{{from: \"oci://ghcr.io/acme/*\", signer: {{identity: \"{identity}\", issuer: \"{GITHUB}\"}}}}")
    };
    let policies = |identity: &str| Policies::new(vec![layer(&format!("version: 1\nplugins: [{}]", rule(identity)))]);
    let asked = policies(WORKFLOW);
    let refused = format!("{:?}", asked.plugin(&candidate));
    assert!(refused.contains("nobody looked for one") && refused.contains(GITHUB), "{refused}");
    let wanted = asked.wanted_signatures(&candidate);
    assert_eq!(wanted.len(), 1);
    let answer = |answer: Result<(), String>| -> Signatures {
        wanted.iter().map(|(layer, signer)| ((*layer, signer.clone(), reference.clone()), answer.clone())).collect()
    };
    assert!(asked.clone().with(answer(Ok(()))).plugin(&candidate).is_allowed());
    assert!(!asked.with(answer(Err("it is not signed".into()))).plugin(&candidate).is_allowed());
    let other = policies("https://github.com/acme/greet/.github/workflows/release.yaml@refs/heads/main");
    assert!(!other.with(answer(Ok(()))).plugin(&candidate).is_allowed(), "an answer about another identity");
}

#[test]
fn what_names_nobody_in_particular_is_refused() {
    insta::assert_snapshot!(problems(&format!(r#"
version: 1
plugins:
  - {{from: oci://a/*, signer: {{key: acme.pub, identity: me@example.org, issuer: "{GITHUB}"}}}}
  - {{from: oci://b/*, signer: {{identity: me@example.org}}}}
  - {{from: oci://c/*, signer: {{issuer: "{GITHUB}", roots: ""}}}}
  - {{from: oci://d/*, signer: {{identity: "https://github.com/acme*", issuer: github}}}}
  - {{from: oci://e/*, signer: {{identity: "*@example.org", issuer: "https://*", root: x}}}}
"#)), @r#"
    policy::plugin
    × `signer` has both `key` and `identity`
      4:47: a signature is by a key or by an identity
    help: write two items of `plugins`, if either of them is enough

    policy::missing-field
    × `signer` has no `issuer`
      5:31: others could vouch for the same name
    help: write who vouches for it: `issuer: "https://token.actions.githubusercontent.com"`

    policy::missing-field
    × `signer` has no `identity`
      6:31: would be anybody whom the issuer knows
    help: write whose signature counts: `identity: me@example.org`, or the address of a workflow

    policy::plugin
    × `roots` is empty
      6:94: names no file
    help: leave it out for the public instance of Sigstore

    policy::plugin
    × `https://github.com/acme*` is no identity
      7:42: could be somebody with a similar name; a `*` stands behind a `/`, or behind `@refs/`
    help: write it whole, as `cosign verify` wants it; the releases of one workflow are `https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/*`

    policy::plugin
    × `github` is no issuer
      7:78: expected one whole address
    help: GitHub Actions is `https://token.actions.githubusercontent.com`, GitLab is `https://gitlab.com`, Google is `https://accounts.google.com`

    policy::plugin
    × `*@example.org` is no identity
      8:42: a `*` stands at the end only
    help: write it whole, as `cosign verify` wants it; the releases of one workflow are `https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/*`

    policy::plugin
    × `https://*` is no issuer
      8:67: expected one whole address
    help: GitHub Actions is `https://token.actions.githubusercontent.com`, GitLab is `https://gitlab.com`, Google is `https://accounts.google.com`

    policy::unknown-field
    × unknown field `root` in `signer`
      8:80: not a field of `signer`
    help: a field with a similar name exists: `roots`
    "#);
}
