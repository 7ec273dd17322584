//! Codes of problems in policies.

use sluice_model::problem::Explanation;

pub const YAML: &str = "policy::yaml";
pub const TOO_LARGE: &str = "policy::too-large";
pub const EMPTY: &str = "policy::empty";
pub const UNKNOWN_FIELD: &str = "policy::unknown-field";
pub const MISSING_FIELD: &str = "policy::missing-field";
pub const WRONG_TYPE: &str = "policy::wrong-type";
pub const VERSION: &str = "policy::version";
pub const PLUGIN: &str = "policy::plugin";
pub const GRANT: &str = "policy::grant";

/// What `sluice explain` tells of them.
pub const CODES: &[Explanation] = &[
    Explanation {
        code: YAML,
        title: "a policy is not valid YAML",
        text: "A policy is one YAML 1.2 document: text keys, no key twice, no tags of its own. The label shows where reading\nstopped. Nothing runs under a policy that cannot be read.",
    },
    Explanation { code: TOO_LARGE, title: "a policy is too large", text: "A policy has at most 256 KiB." },
    Explanation {
        code: EMPTY,
        title: "a policy is empty",
        text: "A file without content is more likely a mistake than a wish. The least that a policy says is its version, which\npermits everything:\n\n    version: 1",
    },
    Explanation {
        code: UNKNOWN_FIELD,
        title: "a policy has a field that does not exist",
        text: "Unknown fields are refused, because a misspelled one would permit what it should refuse. A policy has `version`,\n`plugins`, `grants`, `exec`, `shells`, `reveal`, `private-networks`, `unconfined` and `for`.",
    },
    Explanation {
        code: MISSING_FIELD,
        title: "a policy lacks something",
        text: "Every policy has its `version`, which is 1. An item of `plugins` that is a mapping has `from`, an item of `for` has\n`plugins`, and a `signer` has a `key`, or an\n`identity` and an `issuer`.",
    },
    Explanation {
        code: WRONG_TYPE,
        title: "a field of a policy has the wrong type",
        text: "The label says what is expected. Switches are `true` or `false`; `yes` and `no` are text in YAML 1.2. A list that\npermits nothing is `[]`.",
    },
    Explanation {
        code: VERSION,
        title: "a policy has an unknown version",
        text: "What a policy of a newer version refuses is not known to this sluice, so nothing runs under it. Use a newer sluice, or\nwrite the policy for version 1.",
    },
    Explanation {
        code: PLUGIN,
        title: "a rule for plugins cannot be read",
        text: "Plugins are named by their source, and narrowed by a digest or a signer:\n\n    plugins:\n      - lint                                # inside sluice\n      - \"*\"                                 # all inside sluice\n      - ./plugins/*                         # all below a folder of the workspace\n      - {from: ./plugins/pack.wasm, digest: \"sha256:...\"}\n      - {from: \"oci://ghcr.io/acme/*\", signer: {key: acme.pub}}\n      - from: \"oci://ghcr.io/acme/*\"        # signed without a key of its own, by a workflow\n        signer:\n          identity: https://github.com/acme/greet/.github/workflows/release.yaml@refs/tags/*\n          issuer: https://token.actions.githubusercontent.com\n\n`sluice plan --json` shows the digest of every plugin.",
    },
    Explanation {
        code: GRANT,
        title: "a grant in a policy cannot be read",
        text: "`grants` of a policy are spelled like `grants` of a step; names of secrets and variables may have `*`:\n\n    grants:\n      files: [\"read .\", \"write dist\"]\n      http: [\"GET https://*.example.com/*\"]\n      exec: [git, make]\n      env: [\"CI_*\"]\n      secrets: [\"DEPLOY_*\"]\n      artifacts: []                         # none\n\nA capability that is absent is not spoken of.",
    },
];
